/**
 * Goal: programs written with the frameworks `ai` and LangChain run unchanged over every kind of
 * provider. Method: the packages themselves, the whole gateway, scripted providers over real
 * sockets.
 */
import { aiCompatible } from './matrix/clients/ai.ts';
import { langchainAnthropic, langchainOpenai } from './matrix/clients/langchain.ts';
import { clientMatrix } from './matrix/matrix.ts';

clientMatrix([aiCompatible, langchainOpenai, langchainAnthropic]);
