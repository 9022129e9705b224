/**
 * Goal: programs written with Anthropic's and Google's packages, in both lines that are in use,
 * run unchanged over every kind of provider. Method: the packages themselves, the whole gateway,
 * scripted providers over real sockets.
 */
import { anthropic0, anthropic1 } from './matrix/clients/anthropic.ts';
import { genai2, genai3 } from './matrix/clients/genai.ts';
import { clientMatrix } from './matrix/matrix.ts';

clientMatrix([anthropic1, anthropic0, genai3, genai2]);
