/**
 * Preloaded into a process that is to fail where nobody catches it: SIGUSR2 rejects a promise,
 * SIGPIPE throws. The error is laden with what `FAILING_WITH` names, in every place an error has.
 */
const planted = JSON.parse(process.env.FAILING_WITH ?? '{}');

function laden() {
  const error = new Error(`the vendor said: Authorization: Bearer ${planted.secret}`, {
    cause: new Error(`https://user:${planted.password}@database.example/esclusa`),
  });
  return Object.assign(error, {
    request: { headers: { authorization: `Bearer ${planted.secret}` }, body: planted.prompt },
    prompt: planted.prompt,
  });
}

function unreadable() {
  try {
    return JSON.parse(`{"messages":[{"content":"${planted.prompt}`);
  } catch (error) {
    return error;
  }
}

process.on('SIGUSR2', () => {
  void Promise.reject(laden());
  void Promise.reject(unreadable());
});
process.on('SIGPIPE', () => {
  setImmediate(() => {
    throw laden();
  });
});
