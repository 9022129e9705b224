/**
 * `docs/mock.md`: what the built-in model is, and everything it can be told to do, from the table
 * it reads its options by.
 */
import { mockModelHelp } from '../../server/src/providers/mock/model-script.ts';

const fence = '```';

const page = `# The built-in model

<!-- Generated from its table by \`node scripts/docs.mjs mock\`; a test keeps it so. -->

\`mock\` answers from memory, without a key or a network, in the shapes of a real provider:
streams, tools, JSON schemas, embeddings, usage and errors. The same messages always give the
same words. It is there without any configuration, except in production; to have it under another
name, configure a provider of the kind \`mock\`.

## What it can be told to do

Options stand in the name of the model, separated by commas:

${fence}text
${mockModelHelp()}${fence}

\`mock:status=503\` is short for \`mock/mock:status=503\`, outside production; a provider of this
kind with another name is asked as \`name/mock:…\`. \`mock/mock-slow\` takes its time without being
told to.

${fence}sh
curl http://127.0.0.1:8000/v1/chat/completions \\
  -H "authorization: Bearer $KEY" -H 'content-type: application/json' \\
  -d '{"model":"mock:ttft=500ms,cut=5","stream":true,"messages":[{"role":"user","content":"Hi"}]}'
${fence}

## Rehearsing a bad day

An alias whose first target fails shows retries, failover and the breaker at work:

${fence}yaml
models:
  rehearsal:
    targets:
      - { provider: mock, model: "mock:status=503" }
      - { provider: mock, model: mock }
${fence}
`;

/** Paths are below the root of the project. */
export async function mockDocuments() {
  return [{ path: 'docs/mock.md', text: page }];
}
