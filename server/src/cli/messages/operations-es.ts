/**
 * Lo que dicen el arranque y el examen de una instalación, en español.
 */
import type { operationsEn } from './operations-en.ts';

export const operationsEs: typeof operationsEn = {
  flags: {
    nothing: 'Diga qué cambiar: --on, --off, --percentage, --by o --tenants.',
    both: '--on y --off se excluyen.',
    onFor: (share: number, by: string) =>
      share >= 100 ? 'todos' : share <= 0 ? 'nadie' : `${share} % (${by})`,
    forced: (variable: string) => `nadie (${variable})`,
    set: (name: string, state: string) => `${name} está encendida para: ${state}`,
    rolling: (name: string, steps: string) => `${name} sube por etapas: ${steps} %`,
    cancelled: (name: string) => `El plan de ${name} ha terminado.`,
    removed: (name: string) => `${name} vuelve a su estado de fábrica.`,
    status: {
      running: 'en marcha',
      completed: 'completo',
      rolled_back: 'retirado',
      cancelled: 'terminado',
    },
  },
  startup: {
    title: 'Comprobaciones al arrancar',
    sums: (
      counts: {
        readonly total: number;
        readonly passed: number;
        readonly warnings: number;
        readonly failures: number;
      },
      ms: number,
    ) =>
      `${counts.total} comprobaciones: ${counts.passed} bien, ${counts.warnings} con aviso, ` +
      `${counts.failures} críticas (${ms} ms)`,
    refused: (names: string) => `No arranca: ${names}.`,
  },
  doctor: {
    title: 'Examen de esta instalación',
    good: 'Todo funciona.',
    warned: (warnings) =>
      warnings === 1
        ? 'Funciona, con una observación.'
        : `Funciona, con ${warnings} observaciones.`,
    bad: (failures) =>
      failures === 1 ? 'Hay que arreglar una cosa.' : `Hay que arreglar ${failures} cosas.`,
    node: {
      good: (version) => `Node.js en la versión ${version}`,
      bad: (version) =>
        `Node.js ${version} es demasiado viejo: instale la versión 24 o una posterior.`,
    },
    config: {
      good: (file) => `configuración: ${file}`,
      bad: (why) => `configuración: ${why}`,
    },
    dataDir: {
      good: (path) => `se puede escribir en la carpeta de los datos: ${path}`,
      missing: (path) =>
        `la carpeta de los datos ${path} aún no existe; el primer arranque la hace.`,
      bad: (path, why) =>
        `no se puede escribir en la carpeta de los datos ${path} (${why}): désela a esta cuenta.`,
    },
    secrets: {
      good: 'solo su dueño puede leer el secreto maestro',
      environment: 'el secreto maestro viene de ESCLUSA_MASTER_SECRET',
      missing: 'aún no hay secreto maestro; el primer arranque lo hace.',
      lost: 'hay base de datos y no secreto maestro: recupere secrets.json, o ninguna clave sirve.',
      exposed: (path) => `otros pueden leer el secreto maestro: ejecute chmod 600 ${path}`,
      bad: (why) => `secreto maestro: ${why}`,
    },
    database: {
      good: (detail) => `la base de datos abre, está entera y al día: ${detail}`,
      exposed: (path) => `otros pueden leer la base de datos: ejecute chmod 600 ${path}*`,
      missing: 'aún no hay base de datos; el primer arranque la hace.',
      server: (place, version) => `PostgreSQL ${version} responde y está al día: ${place}`,
      unbound: (role, why) =>
        `la seguridad por filas no obliga al rol ${role} (${why}): dé uno propio a DATABASE_URL.`,
      bad: (why) => `base de datos: ${why}`,
    },
    journal: {
      good: (path) => `se puede escribir en la carpeta del diario: ${path}`,
      missing: (path) => `la carpeta del diario ${path} aún no existe; el primer arranque la hace.`,
      bad: (path, why) => `no se puede escribir en la carpeta del diario ${path}: ${why}`,
    },
    port: {
      free: (address) => `${address} está libre`,
      ours: (address) => `una Esclusa responde en ${address}`,
      taken: (address) => `otro programa ocupa ${address}: elija otro PORT.`,
      bad: (address, why) => `no se puede escuchar en ${address}: ${why}`,
    },
    provider: {
      good: (name, ms) => `el proveedor ${name} responde (${ms} ms)`,
      inside: (name) => `el proveedor ${name} viene incluido`,
      refused: (name) => `el proveedor ${name} rechaza su clave de API: compruébela.`,
      odd: (name, status) => `se llega al proveedor ${name}, pero responde ${status}.`,
      bad: (name, why) =>
        `no se llega al proveedor ${name} (${why}): compruebe base_url, la red y el proxy.`,
    },
    redis: {
      good: (store, version, ms) => `el Redis de ${store} responde (${version}, ${ms} ms)`,
      evicts: (policy) =>
        `el Redis de state desaloja (${policy}) y puede perder contadores: noeviction lo evita.`,
      fills: () => 'el Redis de cache no admite más cuando se llena: use allkeys-lru.',
      bad: (store, why) =>
        `el Redis de ${store} no responde (${why}): compruebe dirección, contraseña y red.`,
    },
    production: {
      good: 'nada se opone a la producción',
      plain: (what: string) =>
        `${what} está en otra máquina y se le habla sin TLS: cualquiera en medio puede leerlo.`,
      noVendor: 'no hay ningún proveedor: no se puede servir ningún modelo; ponga una clave.',
      unchecked: 'las comprobaciones al arrancar están apagadas: ENABLE_STARTUP_VALIDATION=true.',
    },
    disk: {
      good: (free) => `${free} libres en el disco de los datos`,
      low: (free) => `solo ${free} libres en el disco de los datos: haga sitio.`,
    },
  },
};
