/**
 * The measured window as the operating system saw it: CPU time of the subject, the upstream and
 * the generator between two moments, read by the generator itself so that no message lies between
 * the edge of the window and the reading.
 */
import { readProcess } from '../../measure/proc.ts';
import type { Load, Watched } from '../protocol.ts';

/** Begins a window; the returned function ends it. */
export function openWindow({ subject, upstream }: Watched): () => Load {
  const startedMs = performance.now();
  const subjectBefore = subject === null ? null : readProcess(subject);
  const upstreamBefore = readProcess(upstream);
  const own = process.cpuUsage();
  return () => {
    const windowMs = performance.now() - startedMs;
    const subjectAfter = subject === null ? null : readProcess(subject);
    const upstreamAfter = readProcess(upstream);
    const { user, system } = process.cpuUsage(own);
    const subjectCpuMs =
      subjectBefore === null || subjectAfter === null
        ? null
        : subjectAfter.cpuMs - subjectBefore.cpuMs;
    return {
      windowMs,
      subjectCpuMs,
      subjectBusy: subjectCpuMs === null ? null : subjectCpuMs / windowMs,
      upstreamBusy: (upstreamAfter.cpuMs - upstreamBefore.cpuMs) / windowMs,
      generatorBusy: (user + system) / 1000 / windowMs,
      rssMb: subjectAfter?.rssMb ?? null,
      peakRssMb: subjectAfter?.peakRssMb ?? null,
    };
  };
}
