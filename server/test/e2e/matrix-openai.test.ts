/**
 * Goal: programs written with OpenAI's packages run unchanged over every kind of provider.
 * Method: the packages themselves, the whole gateway, scripted providers over real sockets.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileJsonSchema } from '../../src/config/index.ts';
import { agentsChat, agentsResponses } from './matrix/clients/agents.ts';
import { openaiChat } from './matrix/clients/openai-chat.ts';
import { openaiResponses, openaiResponsesUnkept } from './matrix/clients/openai-responses.ts';
import { clientMatrix } from './matrix/matrix.ts';
import { WAYS } from './matrix/ways.ts';

clientMatrix([openaiChat, openaiResponses, openaiResponsesUnkept, agentsResponses, agentsChat]);

test('no kind of provider that can be configured is missing from the table', () => {
  const { properties } = fileJsonSchema() as unknown as Schema;
  const { oneOf } = properties.providers.additionalProperties;
  const kinds = oneOf.map((provider) => provider.properties.kind.const);

  assert.deepEqual(new Set(WAYS.map(({ kind }) => kind)), new Set(kinds));
});

interface Schema {
  readonly properties: {
    readonly providers: {
      readonly additionalProperties: {
        readonly oneOf: readonly { readonly properties: { readonly kind: { const: string } } }[];
      };
    };
  };
}
