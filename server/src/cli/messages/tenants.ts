/**
 * What the command line says of tenants, in both languages.
 */
export const tenantsEn = {
  verbs: {
    'tenants create': 'create a tenant',
    'tenants list': 'list tenants',
    'tenants show': 'show one tenant',
    'tenants update': 'change the name or the hosts of a tenant',
    'tenants limits': 'show or set limits and budgets of a tenant, or of a model within it',
    'secrets rotate': 'say what to set for a new signing secret, with the old one still good',
    'tenants suspend': 'refuse a tenant’s keys and tokens, everywhere within 2 seconds',
    'tenants resume': 'let a suspended tenant in again',
    'tenants move': 'move a tenant’s own data to a database of its own, or back',
    'tenants test': 'try the database of a tenant, or one it could have',
    'tenants export': 'write everything that is kept of a tenant, a line of JSON each',
    'tenants erase': 'take away everything that is a tenant’s, for good',
  },
  options: {
    hosts: 'hosts under which it alone is served, comma-separated; empty: none',
    name: 'full name',
    ofModel: 'of this model within the tenant, as it is asked for',
    to: 'shared, file or postgres',
    withLedger: 'its figures in the ledger as well',
    database: 'file with host, port, database, user, password and ssl, as JSON',
  },
  refusals: {
    hosts: 'expected names of hosts, comma-separated, such as acme.example.',
  },
  said: {
    created: (slug: string) => `Tenant ${slug} created.`,
    taken: (slug: string) => `There is a tenant ${slug} already.`,
    missing: (slug: string) => `There is no tenant ${slug}.`,
    own: (slug: string) => `${slug} is the tenant of the operators' own keys: it stays as it is.`,
    updated: (slug: string) => `Tenant ${slug} was changed.`,
    nothing: 'nothing to change was given: --name or --hosts.',
    confirmSuspend: (slug: string) =>
      `Suspend ${slug}? Its keys and tokens are refused and what it runs ends.`,
    suspended: (slug: string) => `Tenant ${slug} is suspended.`,
    resumed: (slug: string) => `Tenant ${slug} is at work.`,
    rotation: {
      derived: (generation: number) =>
        `Set auth.key_generation to ${generation} everywhere and restart; tokens of the ` +
        'generation before stay good until they expire.',
      move: 'Move the value of JWT_SECRET_KEY to JWT_PREVIOUS_SECRET_KEY, set this, and restart:',
      forget: (minutes: number) =>
        `${minutes} minutes after the last restart, remove JWT_PREVIOUS_SECRET_KEY.`,
    },
    status: { active: 'active', suspended: 'suspended', erased: 'erased' },
    confirmErase: (slug: string) => `Erase ${slug}, for good? Its slug can never be used again.`,
    erased: (slug: string, what: string) => `Tenant ${slug} is erased: ${what}.`,
    moved: (slug: string, kind: string, rows: number) =>
      `The data of ${slug} lies in: ${kind}. Rows that moved: ${rows}.`,
    notMoved: (slug: string, why: string) => `The data of ${slug} was not moved: ${why}`,
    needsDatabase: '--to postgres needs --database with a file that names the database.',
    healthy: (version: string, ms: string) => `The database answers (${version}, ${ms} ms).`,
    unhealthy: (why: string) => `The database cannot be used: ${why}`,
    badFile: (file: string) => `There is no JSON object that can be read in ${file}.`,
  },
};

export type TenantMessages = typeof tenantsEn;

export const tenantsEs: TenantMessages = {
  verbs: {
    'tenants create': 'crea un inquilino',
    'tenants list': 'lista los inquilinos',
    'tenants show': 'muestra un inquilino',
    'tenants update': 'cambia el nombre o los anfitriones de un inquilino',
    'tenants limits': 'muestra o fija límites y presupuestos de un inquilino, o de un modelo suyo',
    'secrets rotate': 'dice qué poner para otro secreto de firma, con el anterior aún válido',
    'tenants suspend': 'rechaza claves y fichas de un inquilino, en todas partes en 2 segundos',
    'tenants resume': 'deja entrar otra vez a un inquilino suspendido',
    'tenants move': 'traslada los datos de un inquilino a una base de datos propia, o de vuelta',
    'tenants test': 'prueba la base de datos de un inquilino, o una que podría tener',
    'tenants export': 'escribe todo lo que se guarda de un inquilino, en líneas de JSON',
    'tenants erase': 'quita para siempre todo lo que es de un inquilino',
  },
  options: {
    hosts: 'anfitriones en los que solo se le sirve a él, separados por comas; vacío: ninguno',
    name: 'nombre completo',
    ofModel: 'de este modelo dentro del inquilino, tal como se pide',
    to: 'shared, file o postgres',
    withLedger: 'también sus cifras en el libro',
    database: 'archivo con host, port, database, user, password y ssl, en JSON',
  },
  refusals: {
    hosts: 'se esperan nombres de anfitriones separados por comas, como acme.example.',
  },
  said: {
    created: (slug) => `Inquilino ${slug} creado.`,
    taken: (slug) => `Ya hay un inquilino ${slug}.`,
    missing: (slug) => `No hay ningún inquilino ${slug}.`,
    own: (slug) => `${slug} es el inquilino de las claves de los operadores: se queda como está.`,
    updated: (slug) => `El inquilino ${slug} se ha cambiado.`,
    nothing: 'no se ha dicho qué cambiar: --name o --hosts.',
    confirmSuspend: (slug) =>
      `¿Suspender ${slug}? Sus claves y fichas se rechazan y lo que tenga en marcha termina.`,
    suspended: (slug) => `El inquilino ${slug} está suspendido.`,
    resumed: (slug) => `El inquilino ${slug} está activo.`,
    rotation: {
      derived: (generation) =>
        `Ponga auth.key_generation a ${generation} en todas partes y reinicie; las fichas de la ` +
        'generación anterior valen hasta que caduquen.',
      move: 'Pase el valor de JWT_SECRET_KEY a JWT_PREVIOUS_SECRET_KEY, ponga este y reinicie:',
      forget: (minutes) =>
        `${minutes} minutos después del último reinicio, quite JWT_PREVIOUS_SECRET_KEY.`,
    },
    status: { active: 'activo', suspended: 'suspendido', erased: 'borrado' },
    confirmErase: (slug) =>
      `¿Borrar ${slug} para siempre? Su nombre corto no podrá volver a usarse.`,
    erased: (slug, what) => `El inquilino ${slug} está borrado: ${what}.`,
    moved: (slug, kind, rows) =>
      `Los datos de ${slug} están en: ${kind}. Filas trasladadas: ${rows}.`,
    notMoved: (slug, why) => `Los datos de ${slug} no se han trasladado: ${why}`,
    needsDatabase: '--to postgres necesita --database con un archivo que nombre la base de datos.',
    healthy: (version, ms) => `La base de datos responde (${version}, ${ms} ms).`,
    unhealthy: (why) => `La base de datos no se puede usar: ${why}`,
    badFile: (file) => `En ${file} no hay un objeto JSON que se pueda leer.`,
  },
};
