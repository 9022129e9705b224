/**
 * What each variable means, in Spanish: the second language of `.env.example`. The English text
 * stands with the setting itself.
 */

/** @type {Readonly<Record<string, string>>} */
export const SPANISH = {
  ESCLUSA_CONFIG: 'El archivo de configuración; sin esta variable, el archivo puede faltar.',
  ENVIRONMENT:
    'El perfil. En producción las comprobaciones son estrictas y el proveedor de prueba no existe.',
  SERVICE_NAME: 'El nombre del servicio en los registros y en las trazas.',
  HOST: 'La dirección en la que se escucha; `0.0.0.0` para todas las interfaces.',
  PORT: 'El puerto en el que se escucha; con 0 se toma uno libre.',
  ESCLUSA_WORKERS: 'Procesos que comparten el puerto; más de 1 necesita un Redis común.',
  ESCLUSA_DATA_DIR: 'La carpeta de la base de datos, del diario y de los secretos generados.',
  ESCLUSA_MASTER_SECRET:
    'De él se derivan todos los demás secretos; si falta, lo guarda un archivo en `data_dir`.',
  LLM_CACHE_ENABLED:
    'Guarda las respuestas completas a peticiones deterministas; si se apaga, nada pasa por ella.',
  LLM_CACHE_TTL: 'Cuánto tiempo se considera fresca una respuesta.',
  LLM_CACHE_MAX_ENTRIES: 'Respuestas que se guardan en la memoria de un proceso.',
  LLM_CACHE_BACKEND: '`auto`: la memoria y, detrás, un Redis si lo hay.',
  ENABLE_REDIS_CACHE: 'Con false, las respuestas se quedan en la memoria aunque haya un Redis.',
  CACHE_DEFAULT_TTL: 'Cuánto se guardan los datos consultados que no son respuestas.',
  REDIS_URL: 'Las respuestas guardadas, y todo lo demás si no hay `REDIS_STATE_URL`.',
  REDIS_STATE_URL: 'Contadores, presupuestos y cerrojos: un Redis que no desaloja nada.',
  REDIS_HOST: 'El Redis, cuando no hay `REDIS_URL`.',
  REDIS_PORT: 'Su puerto.',
  REDIS_USERNAME: 'El usuario, si la dirección no lo nombra.',
  REDIS_PASSWORD: 'La contraseña, si la dirección no la lleva.',
  REDIS_SENTINELS: 'Los centinelas que conocen el Redis, en lugar de `REDIS_URL`.',
  REDIS_SENTINEL_NAME: 'El nombre con el que lo conocen los centinelas.',
  REDIS_SENTINEL_PASSWORD: 'La contraseña de los propios centinelas.',
  REDIS_CLUSTER_NODES: 'Algunos nodos de un Redis Cluster, en lugar de `REDIS_URL`.',
  REDIS_TLS: 'TLS hacia centinelas, nodos o `REDIS_HOST`; en una dirección lo dice `rediss:`.',
  REDIS_TLS_CA_FILE: 'Las autoridades que firman su certificado (PEM); si falta, las del sistema.',
  REDIS_MAX_CONNECTIONS:
    'Las conexiones que un proceso puede abrir a un mismo Redis; se usan 6, que se comparten.',
  ENABLE_CIRCUIT_BREAKER: 'Deja de llamar a un destino que falla una y otra vez.',
  ESCLUSA_ADMIN_KEY: 'Una clave de API con el papel superadmin, válida desde el primer arranque.',
  ESCLUSA_METRICS_KEY:
    'Una clave de API que puede leer las métricas y nada más, válida desde el primer arranque.',
  ESCLUSA_ADMIN_EMAIL: 'La dirección de la primera persona que administra.',
  ESCLUSA_ADMIN_PASSWORD: 'Su contraseña; si falta, se genera.',
  DATABASE_URL: 'Dónde están los datos; si falta, un archivo SQLite en `data_dir`.',
  DATABASE_MIGRATION_URL:
    'La misma base con el rol que es dueño de las tablas; si falta, como `url`.',
  DATABASE_WRITER_URL: 'La misma base con el rol que escribe el libro; si falta, como `url`.',
  DB_POOLER:
    '`transaction`: `DATABASE_URL` lleva a un PgBouncer en ese modo, que limita las conexiones; ' +
    '`DATABASE_MIGRATION_URL` y `DATABASE_WRITER_URL` van directas al servidor.',
  DB_POOL_PROFILE:
    'Tamaños de lo que no se fija: `staging` 10 y 20 más, `production` 20 y 40 más, ' +
    '`multitenant` 10 y 5 más.',
  DB_ANALYTICS_POOL_SIZE: 'Conexiones para cifras y listas del libro, aparte del grupo.',
  DB_TENANT_POOL_SIZE: 'Conexiones que un proceso mantiene con la base de datos de un inquilino.',
  DB_TENANT_MAX_OVERFLOW: 'Conexiones por encima de esas cuando hay carga.',
  DB_TENANT_POOLS_MAX: 'Bases de datos de inquilinos que un proceso tiene abiertas a la vez.',
  DB_TENANT_POOL_IDLE: 'Segundos que sigue abierta una que nadie necesita.',
  TENANT_METADATA_TTL:
    'Segundos que un proceso cree dónde están los datos de un inquilino sin volver a preguntar.',
  DB_TENANT_ALLOWED_RANGES:
    'Direcciones privadas o locales donde puede estar la base de datos de un inquilino.',
  DB_TENANT_ALLOWED_PORTS: 'Puertos en los que puede escuchar la base de datos de un inquilino.',
  DB_PROCESSES:
    'Procesos que usan esta base, en todas las máquinas; no se arranca si sus conexiones ' +
    'pasarían de las que el servidor da.',
  DB_ECHO: 'Las sentencias, sin sus valores, en el registro con nivel `debug`; no en producción.',
  LOG_LEVEL: 'El nivel menos grave que se escribe.',
  ENABLE_STRUCTURED_LOGGING: 'Líneas en JSON; si se apaga, texto corriente.',
  ENABLE_PROMETHEUS_METRICS: 'Sirve `GET /metrics`; si se apaga, responde 404.',
  STARTUP_FAIL_ON_WARNING:
    'Trata como error cada aviso, de la configuración o de una comprobación.',
  STARTUP_MODE:
    'Si falla algo imprescindible: no arrancar (`fail`), o arrancar igual (`degraded`).',
  OBJECT_STORAGE_URL: 'La dirección de los depósitos; sin ella no hay almacén de objetos.',
  OBJECT_STORAGE_BUCKET: 'El depósito de los documentos de los profesionales.',
  OBJECT_STORAGE_REGION: 'La región para la que se firman las peticiones.',
  OBJECT_STORAGE_ACCESS_KEY_ID:
    'Quién firma; si falta, el secreto se envía como clave de Supabase.',
  OBJECT_STORAGE_SECRET_ACCESS_KEY: 'Con qué se firma, o la clave de Supabase.',

  DB_POOL_SIZE: 'Conexiones que mantiene un proceso.',
  DB_MAX_OVERFLOW: 'Conexiones de más cuando hay carga.',
  DB_POOL_TIMEOUT: 'La espera más larga por una conexión libre; después, 503.',
  DB_POOL_RECYCLE: 'La edad a la que se cambia una conexión.',
  DB_POOL_PRE_PING: 'Prueba una conexión que estuvo parada antes de usarla.',
  ENABLE_CONNECTION_POOLING:
    'Con false, se abre una conexión para cada uso, con los mismos límites.',
  AUTH_MODE:
    'Con `dev`, quien llama desde esta máquina sin credencial es administrador por defecto.',
  JWT_SECRET_KEY: 'El secreto con el que se firman los tokens.',
  JWT_PREVIOUS_SECRET_KEY: 'El secreto anterior: aún vale para comprobar tokens.',
  OIDC_ISSUER: 'Quien da la entrada única por OpenID Connect; si falta, no la hay.',
  OIDC_CLIENT_ID: 'Quién es esta instalación para quien la da.',
  OIDC_CLIENT_SECRET: 'Su secreto allí; sin él, es un cliente público.',
  OIDC_REDIRECT_URL: 'Adónde devuelve a la gente.',
  JWT_ALGORITHM: 'Cómo se firman los tokens.',
  JWT_ACCESS_TOKEN_EXPIRE_MINUTES: 'Cuánto vale un token de acceso.',
  JWT_REFRESH_TOKEN_EXPIRE_DAYS: 'Cuánto vale un token de renovación.',
  ALLOWED_ORIGINS:
    'Páginas de otros orígenes que pueden llamar desde un navegador. Nunca se piden cookies.',
  DEBUG: 'Páginas de error más largas; se rechaza en producción.',
  ENABLE_STARTUP_VALIDATION: 'Comprueba, antes de escuchar, aquello de lo que depende el servicio.',
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT:
    'La dirección del recolector; se le añade `/v1/traces`. Sin ella no hay trazas.',
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'Cómo se escriben las trazas.',
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'Lo que se dice además al recolector, como su clave.',
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: 'Cuánto puede tardar un envío.',
  OTEL_BSP_SCHEDULE_DELAY: 'Cuánto espera un tramo a que otros vayan con él.',
  OTEL_BSP_MAX_QUEUE_SIZE: 'Tramos que pueden esperar; los que pasan de ahí se pierden.',
  OTEL_RESOURCE_ATTRIBUTES: 'Qué más dicen las trazas de esta instalación.',
  OTEL_TRACES_SAMPLER_ARG: 'La parte de las trazas empezadas aquí que se registra.',
  LLM_PROVIDER: 'El proveedor de las aplicaciones que no nombran un papel.',
  GF_SECURITY_ADMIN_PASSWORD: 'La contraseña de los cuadros de mando incluidos.',
};

/** @type {Readonly<Record<string, string>>} */
export const SPANISH_UNITS = {
  milliseconds: 'milisegundos',
  seconds: 'segundos',
  minutes: 'minutos',
  days: 'días',
  bytes: 'bytes',
  tokens: 'tokens',
};
