/**
 * What the command line says of backups, in both languages.
 */
type Details = Readonly<Record<string, string>>;

export const backupEn = {
  verbs: {
    'backup create': 'copy the whole installation while it works, and check the copy',
    'backup verify': 'check that a backup is whole and of this installation',
    restore: 'bring a backup back, into an empty installation or in place of what is there',
  },
  arguments: {
    backupFolder: 'folder that backups are kept in',
    backup: 'folder of one backup, esclusa-…',
  },
  options: {
    keep: 'keep so many of the newest in the folder, and remove older ones',
    replace: 'in place of what is there, which is kept under another name',
  },
  said: {
    made: (path: string, size: string) => `Backup made and checked: ${path} (${size}).`,
    removed: (path: string) => `Removed: ${path}`,
    secretApart:
      'The master secret is not in it: keep ESCLUSA_MASTER_SECRET, or secrets.json of the data ' +
      'folder, somewhere else. Without it a backup is of no use.',
    whole: (time: string, size: string) => `The backup of ${time} is whole (${size}).`,
    confirmReplace: 'Replace what is there? It is kept under another name.',
    restored: (time: string) => `The installation is as it was at ${time}.`,
    keptAside: (what: string) => `What was there is kept as: ${what}`,
    leftAlone: (slug: string) =>
      `The database of tenant ${slug} has data and was left as it is; empty it to fill it.`,
    afterwards:
      'Keys revoked and tenants erased since then are back: do it again. Empty the Redis of ' +
      'state before starting, if there is one.',
  },
  failures: {
    backup_exists: ({ path }: Details) => `${path} is there already.`,
    backup_missing: ({ path }: Details) => `${path} is no backup: it has no manifest.json.`,
    backup_damaged: ({ part, why }: Details) => `The backup is damaged, ${part}: ${why}.`,
    backup_newer: ({ why }: Details) =>
      `The backup was made by a newer version (${why}). Use that version.`,
    backup_other_secret: () =>
      'Another master secret: set the ESCLUSA_MASTER_SECRET, or bring the secrets.json, that ' +
      'this was made under.',
    backup_no_secret: () =>
      'There is no master secret here: set ESCLUSA_MASTER_SECRET, or put secrets.json into the ' +
      'data folder.',
    backup_other_engine: ({ has, wants }: Details) =>
      `The backup is of ${has}, and this installation is of ${wants}.`,
    backup_no_source: ({ why }: Details) => `There is nothing to copy: ${why}.`,
    backup_unreachable: ({ where, why }: Details) =>
      `The database at ${where} cannot be used: ${why}.`,
    backup_tool_missing: ({ tool, version }: Details) =>
      `${tool} is not installed: install the client of PostgreSQL ${version} or newer.`,
    backup_tool_old: ({ tool, has, version }: Details) =>
      `${tool} is of PostgreSQL ${has} and the server of ${version}: install a client as new.`,
    backup_tool_failed: ({ tool, why }: Details) => `${tool} failed: ${why}`,
    backup_role: ({ role }: Details) =>
      `The role ${role} may not read every table: set DATABASE_MIGRATION_URL to the owner’s.`,
    restore_not_empty: ({ where }: Details) =>
      `There is data already (${where}). With --replace it is kept under another name.`,
    restore_in_use: ({ where }: Details) => `Somebody works on it (${where}): stop Esclusa first.`,
    restore_unfinished: ({ where }: Details) =>
      `A restore was cut off in ${where}: run it again; until then nothing works on the data.`,
    interrupted: () => 'It was interrupted; nothing was changed.',
  },
};

export type BackupMessages = typeof backupEn;

export const backupEs: BackupMessages = {
  verbs: {
    'backup create': 'copia toda la instalación mientras trabaja, y comprueba la copia',
    'backup verify': 'comprueba que una copia está entera y es de esta instalación',
    restore: 'devuelve una copia, a una instalación vacía o en lugar de lo que haya',
  },
  arguments: {
    backupFolder: 'carpeta en la que se guardan las copias',
    backup: 'carpeta de una copia, esclusa-…',
  },
  options: {
    keep: 'guarda tantas de las más recientes en la carpeta, y quita las anteriores',
    replace: 'en lugar de lo que haya, que se guarda con otro nombre',
  },
  said: {
    made: (path, size) => `Copia hecha y comprobada: ${path} (${size}).`,
    removed: (path) => `Quitada: ${path}`,
    secretApart:
      'El secreto maestro no está en ella: guarde ESCLUSA_MASTER_SECRET, o secrets.json de la ' +
      'carpeta de datos, en otra parte. Sin él una copia no sirve de nada.',
    whole: (time, size) => `La copia de ${time} está entera (${size}).`,
    confirmReplace: '¿Reemplazar lo que hay? Se guarda con otro nombre.',
    restored: (time) => `La instalación está como estaba a las ${time}.`,
    keptAside: (what) => `Lo que había se guarda como: ${what}`,
    leftAlone: (slug) =>
      `La base de datos del inquilino ${slug} tiene datos y quedó como estaba; vacíela para ` +
      'llenarla.',
    afterwards:
      'Las claves revocadas y los inquilinos borrados desde entonces han vuelto: hágalo otra ' +
      'vez. Vacíe el Redis de estado antes de arrancar, si lo hay.',
  },
  failures: {
    backup_exists: ({ path }) => `${path} ya existe.`,
    backup_missing: ({ path }) => `${path} no es una copia: no tiene manifest.json.`,
    backup_damaged: ({ part, why }) => `La copia está dañada, ${part}: ${why}.`,
    backup_newer: ({ why }) => `La copia la hizo una versión más nueva (${why}). Use esa versión.`,
    backup_other_secret: () =>
      'Es otro secreto maestro: ponga el ESCLUSA_MASTER_SECRET, o traiga el secrets.json, con ' +
      'que se hizo esto.',
    backup_no_secret: () =>
      'Aquí no hay secreto maestro: ponga ESCLUSA_MASTER_SECRET, o secrets.json en la carpeta ' +
      'de datos.',
    backup_other_engine: ({ has, wants }) =>
      `La copia es de ${has}, y esta instalación es de ${wants}.`,
    backup_no_source: ({ why }) => `No hay nada que copiar: ${why}.`,
    backup_unreachable: ({ where, why }) =>
      `La base de datos de ${where} no se puede usar: ${why}.`,
    backup_tool_missing: ({ tool, version }) =>
      `${tool} no está instalado: instale el cliente de PostgreSQL ${version} o posterior.`,
    backup_tool_old: ({ tool, has, version }) =>
      `${tool} es de PostgreSQL ${has} y el servidor de ${version}: instale un cliente igual de ` +
      'nuevo.',
    backup_tool_failed: ({ tool, why }) => `${tool} ha fallado: ${why}`,
    backup_role: ({ role }) =>
      `El rol ${role} no puede leer todas las tablas: ponga DATABASE_MIGRATION_URL al del dueño.`,
    restore_not_empty: ({ where }) =>
      `Ya hay datos (${where}). Con --replace se guardan con otro nombre.`,
    restore_in_use: ({ where }) => `Alguien trabaja en ello (${where}): pare antes Esclusa.`,
    restore_unfinished: ({ where }) =>
      `Una restauración quedó a medias en ${where}: repítala; hasta entonces nada toca los datos.`,
    interrupted: () => 'Se interrumpió; nada ha cambiado.',
  },
};
