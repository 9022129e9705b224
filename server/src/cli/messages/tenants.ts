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
  },
  options: {
    hosts: 'hosts under which it alone is served, comma-separated; empty: none',
    name: 'full name',
    ofModel: 'of this model within the tenant, as it is asked for',
  },
  refusals: {
    hosts: 'expected names of hosts, comma-separated, such as acme.example.',
  },
  said: {
    created: (slug: string) => `Tenant ${slug} created.`,
    taken: (slug: string) => `There is a tenant ${slug} already.`,
    missing: (slug: string) => `There is no tenant ${slug}.`,
    updated: (slug: string) => `Tenant ${slug} was changed.`,
    nothing: 'nothing to change was given: --name or --hosts.',
    confirmSuspend: (slug: string) =>
      `Suspend ${slug}? Its keys and tokens are refused and what it runs ends.`,
    suspended: (slug: string) => `Tenant ${slug} is suspended.`,
    resumed: (slug: string) => `Tenant ${slug} is at work.`,
    status: { active: 'active', suspended: 'suspended' },
    rotation: {
      derived: (generation: number) =>
        `Set auth.key_generation to ${generation} everywhere and restart; tokens of the ` +
        'generation before stay good until they expire.',
      move: 'Move the value of JWT_SECRET_KEY to JWT_PREVIOUS_SECRET_KEY, set this, and restart:',
      forget: (minutes: number) =>
        `${minutes} minutes after the last restart, remove JWT_PREVIOUS_SECRET_KEY.`,
    },
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
  },
  options: {
    hosts: 'anfitriones en los que solo se le sirve a él, separados por comas; vacío: ninguno',
    name: 'nombre completo',
    ofModel: 'de este modelo dentro del inquilino, tal como se pide',
  },
  refusals: {
    hosts: 'se esperan nombres de anfitriones separados por comas, como acme.example.',
  },
  said: {
    created: (slug) => `Inquilino ${slug} creado.`,
    taken: (slug) => `Ya hay un inquilino ${slug}.`,
    missing: (slug) => `No hay ningún inquilino ${slug}.`,
    updated: (slug) => `El inquilino ${slug} se ha cambiado.`,
    nothing: 'no se ha dicho qué cambiar: --name o --hosts.',
    confirmSuspend: (slug) =>
      `¿Suspender ${slug}? Sus claves y fichas se rechazan y lo que tenga en marcha termina.`,
    suspended: (slug) => `El inquilino ${slug} está suspendido.`,
    resumed: (slug) => `El inquilino ${slug} está activo.`,
    status: { active: 'activo', suspended: 'suspendido' },
    rotation: {
      derived: (generation) =>
        `Ponga auth.key_generation a ${generation} en todas partes y reinicie; las fichas de la ` +
        'generación anterior valen hasta que caduquen.',
      move: 'Pase el valor de JWT_SECRET_KEY a JWT_PREVIOUS_SECRET_KEY, ponga este y reinicie:',
      forget: (minutes) =>
        `${minutes} minutos después del último reinicio, quite JWT_PREVIOUS_SECRET_KEY.`,
    },
  },
};
