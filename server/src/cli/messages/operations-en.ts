/**
 * What starting and examining an installation says, in English.
 */
export const operationsEn = {
  flags: {
    nothing: 'Say what to change: --on, --off, --percentage, --by or --tenants.',
    both: '--on and --off exclude each other.',
    onFor: (share: number, by: string) =>
      share >= 100 ? 'all' : share <= 0 ? 'nobody' : `${share} % of ${by}s`,
    forced: (variable: string) => `nobody (${variable})`,
    set: (name: string, state: string) => `${name} is on for: ${state}`,
    rolling: (name: string, steps: string) => `${name} goes up step by step: ${steps} %`,
    cancelled: (name: string) => `The plan of ${name} is ended.`,
    removed: (name: string) => `${name} is what it is by default.`,
    status: {
      running: 'running',
      completed: 'completed',
      rolled_back: 'rolled back',
      cancelled: 'cancelled',
    },
  },
  startup: {
    title: 'Checks at start',
    sums: (
      counts: {
        readonly total: number;
        readonly passed: number;
        readonly warnings: number;
        readonly failures: number;
      },
      ms: number,
    ) =>
      `${counts.total} checks: ${counts.passed} passed, ${counts.warnings} with a warning, ` +
      `${counts.failures} critical (${ms} ms)`,
    refused: (names: string) => `It does not start: ${names}.`,
  },
  doctor: {
    title: 'Examination of this installation',
    good: 'Everything works.',
    warned: (warnings: number) =>
      warnings === 1 ? 'It works, with one remark.' : `It works, with ${warnings} remarks.`,
    bad: (failures: number) =>
      failures === 1
        ? 'One thing needs to be put right.'
        : `${failures} things need to be put right.`,
    node: {
      good: (version: string) => `Node.js ${version}`,
      bad: (version: string) => `Node.js ${version} is too old: install version 24 or newer.`,
    },
    config: {
      good: (file: string) => `configuration: ${file}`,
      bad: (why: string) => `configuration: ${why}`,
    },
    dataDir: {
      good: (path: string) => `data folder is writable: ${path}`,
      missing: (path: string) =>
        `data folder ${path} does not exist yet; the first start makes it.`,
      bad: (path: string, why: string) =>
        `data folder ${path} cannot be written (${why}): give it to the account that runs Esclusa.`,
    },
    secrets: {
      good: 'the master secret is readable by its owner alone',
      environment: 'the master secret comes from ESCLUSA_MASTER_SECRET',
      missing: 'there is no master secret yet; the first start makes it.',
      lost: 'a database is there but no master secret: restore secrets.json, or no key works.',
      exposed: (path: string) => `others may read the master secret: run chmod 600 ${path}`,
      bad: (why: string) => `master secret: ${why}`,
    },
    database: {
      good: (detail: string) => `database opens, is whole and up to date: ${detail}`,
      exposed: (path: string) => `others may read the database: run chmod 600 ${path}*`,
      missing: 'there is no database yet; the first start makes it.',
      server: (place: string, version: string) =>
        `PostgreSQL ${version} answers and is up to date: ${place}`,
      unbound: (role: string, why: string) =>
        `row-level security does not bind the role ${role} (${why}): give DATABASE_URL its own.`,
      bad: (why: string) => `database: ${why}`,
    },
    journal: {
      good: (path: string) => `journal folder is writable: ${path}`,
      missing: (path: string) =>
        `journal folder ${path} does not exist yet; the first start makes it.`,
      bad: (path: string, why: string) => `journal folder ${path} cannot be written: ${why}`,
    },
    port: {
      free: (address: string) => `${address} is free`,
      ours: (address: string) => `an Esclusa answers on ${address}`,
      taken: (address: string) => `${address} is taken by another program: choose another PORT.`,
      bad: (address: string, why: string) => `${address} cannot be listened on: ${why}`,
    },
    provider: {
      good: (name: string, ms: number) => `provider ${name} answers (${ms} ms)`,
      inside: (name: string) => `provider ${name} is built in`,
      refused: (name: string) => `provider ${name} refuses its API key: check it.`,
      odd: (name: string, status: number) => `provider ${name} is reachable but answers ${status}.`,
      bad: (name: string, why: string) =>
        `provider ${name} cannot be reached (${why}): check base_url, network and proxy.`,
    },
    redis: {
      good: (store: string, version: string, ms: number) =>
        `Redis for ${store} answers (${version}, ${ms} ms)`,
      evicts: (policy: string) =>
        `Redis for state evicts (${policy}) and may lose counters: set noeviction.`,
      fills: () =>
        'Redis for cache takes nothing more once full: set maxmemory-policy allkeys-lru.',
      bad: (store: string, why: string) =>
        `Redis for ${store} does not answer (${why}): check its address, password and network.`,
    },
    production: {
      good: 'nothing speaks against production',
      plain: (what: string) =>
        `${what} is on another machine and is spoken to without TLS: anyone between reads along.`,
      noVendor: 'no vendor is configured: no model can be served; set a vendor’s key.',
      unchecked: 'the checks at start are switched off: set ENABLE_STARTUP_VALIDATION=true.',
    },
    disk: {
      good: (free: string) => `${free} free on the disk of the data`,
      low: (free: string) => `only ${free} free on the disk of the data: make room.`,
    },
  },
};
