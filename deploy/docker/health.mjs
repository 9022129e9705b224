/**
 * The health check of the image: 0 where this container can serve. There is no curl in it.
 */
const port = process.env.PORT ?? '8000';
const path = process.argv[2] ?? '/health/ready';
const patienceMs = 2500;

try {
  const signal = AbortSignal.timeout(patienceMs);
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal });
  if (!answer.ok) process.exitCode = 1;
} catch {
  process.exitCode = 1;
}
