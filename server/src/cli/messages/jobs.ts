/**
 * What the command line says of background jobs, in both languages.
 */
export const jobsEn = {
  verbs: {
    'jobs list': 'list background jobs that are not over, and those given up, newest first',
    'jobs retry': 'let a background job that was given up be tried again, now',
    'jobs remove': 'take away a background job that was given up',
  },
  arguments: { jobId: 'identifier of the job, job_…' },
  options: { jobState: 'waiting, running or dead only' },
  said: {
    kind: 'KIND',
    state: 'STATE',
    attempts: 'ATTEMPTS',
    due: 'DUE (UTC)',
    lastError: 'LAST ERROR',
    states: { waiting: 'waiting', running: 'running', dead: 'given up' },
    missing: (id: string) => `There is no job ${id}.`,
    notDead: (id: string) => `${id} was not given up, or another job does the same by now.`,
    retried: (id: string) => `${id} is tried again; a running server takes it within seconds.`,
    confirmRemove: (id: string) => `Take ${id} away? What it was for is not done.`,
    removed: (id: string) => `${id} is gone.`,
  },
};

export type JobMessages = typeof jobsEn;

export const jobsEs: JobMessages = {
  verbs: {
    'jobs list': 'lista los trabajos de fondo por terminar y los abandonados, primero los nuevos',
    'jobs retry': 'deja que un trabajo de fondo abandonado se intente de nuevo, ahora',
    'jobs remove': 'quita un trabajo de fondo abandonado',
  },
  arguments: { jobId: 'identificador del trabajo, job_…' },
  options: { jobState: 'solo waiting (en espera), running (en marcha) o dead (abandonados)' },
  said: {
    kind: 'CLASE',
    state: 'ESTADO',
    attempts: 'INTENTOS',
    due: 'LE TOCA (UTC)',
    lastError: 'ÚLTIMO ERROR',
    states: { waiting: 'en espera', running: 'en marcha', dead: 'abandonado' },
    missing: (id) => `No hay ningún trabajo ${id}.`,
    notDead: (id) => `${id} no está abandonado, o ya hay otro trabajo que hace lo mismo.`,
    retried: (id) => `${id} se intenta de nuevo; un servidor en marcha lo toma en segundos.`,
    confirmRemove: (id) => `¿Quitar ${id}? Lo que tenía que hacer queda sin hacer.`,
    removed: (id) => `${id} ya no está.`,
  },
};
