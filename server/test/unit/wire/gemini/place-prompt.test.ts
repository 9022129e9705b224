/**
 * Goal: a prompt is the first part of the instruction, however the client wrote its own.
 * Method: bodies by hand, before and after.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonObject, scanObject, spliceBytes } from '../../../../src/kernel/json.ts';
import { placePrompt } from '../../../../src/wire/gemini/place-prompt.ts';

const CASES: readonly (readonly [string, string, string])[] = [
  ['none', '{"contents":[] }', '{"contents":[],"systemInstruction":{"parts":[{"text":"P"}]} }'],
  [
    'a content, in snake case',
    '{"system_instruction":{"role":"user","parts":[{"text":"M"}]},"contents":[]}',
    '{"system_instruction":{"role":"user","parts":[{"text":"P"},{"text":"M"}]},"contents":[]}',
  ],
  [
    'a content with one part outside of a list',
    '{"systemInstruction":{"parts":{"text":"M"}},"contents":[]}',
    '{"systemInstruction":{"parts":[{"text":"P"},{"text":"M"}]},"contents":[]}',
  ],
  [
    'a text',
    '{"systemInstruction":"M","contents":[]}',
    '{"systemInstruction":{"parts":[{"text":"P"},{"text":"M"}]},"contents":[]}',
  ],
  [
    'null',
    '{"systemInstruction":null,"contents":[]}',
    '{"systemInstruction":{"parts":[{"text":"P"}]},"contents":[]}',
  ],
];

for (const [name, before, after] of CASES) {
  test(`an instruction that is ${name}`, () => {
    const bytes = Buffer.from(before);
    const scan = scanObject(bytes, 64);
    assert.ok(scan.kind === 'members');

    const edit = placePrompt(JSON.parse(before) as JsonObject, scan.members, 'P');

    assert.ok(edit !== null);
    assert.equal(spliceBytes(bytes, [edit]).toString('utf8'), after);
  });
}
