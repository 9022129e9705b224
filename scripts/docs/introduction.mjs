/**
 * The words at the top of the settings page.
 */

export const INTRODUCTION = `# Settings

<!-- Generated from the schema by \`node scripts/docs.mjs settings\`; a test keeps it so. -->

Nothing needs to be configured: outside production there is a built-in mock, and every vendor
whose API key is in the environment is a provider.

Settings come from a file, \`esclusa.yaml\` in the working directory or wherever
\`ESCLUSA_CONFIG\` points, and from variables. A variable wins over the file, the file over the
default. An empty variable counts as not set.

\`\`\`yaml
# yaml-language-server: $schema=docs/esclusa.schema.json
providers:
  openai: { kind: openai, api_key: \${OPENAI_API_KEY} }
  local: { kind: openai-compatible, base_url: http://127.0.0.1:11434/v1 }
models:
  fast:
    strategy: fallback
    targets: [{ provider: openai, model: gpt-4o-mini }, { provider: local, model: llama3.2 }]
roles: { router: fast }
cache: { ttl_seconds: 3600 }
\`\`\`

- \`\${NAME}\` in a text of the file is replaced by that variable; one that is not set or empty
  stops the start. \`$\${\` stands for \`\${\` itself.
- Booleans are \`true\`, \`1\`, \`yes\`, \`on\` or \`false\`, \`0\`, \`no\`, \`off\`, in any case.
- \`ENABLE_…=false\` switches a protection off; \`true\` leaves what the file says.
- A name that is not known, in the file or with the prefix \`ESCLUSA_\`, a malformed value, and a
  setting this release cannot honour stop the start. All problems are listed at once, each with
  its place and the accepted values.
- The file is watched and read again when it changes, on \`SIGHUP\`, and on request. A file with
  a problem leaves the configuration in force. Settings marked *live* apply at once; those marked
  *restart* are reported and keep their value.
- \`timeouts\`, \`retry\` and \`breaker\` may be set again for one provider or one model, the cache
  for one model. The model's value wins over the provider's, the provider's over the service's.
  A target has one breaker, so models that share a target must agree on it.
- Time limits must fit each other: \`connect_ms\` below \`first_token_ms\`, and \`first_token_ms\`
  and \`idle_ms\` at most \`total_ms\`.`;
