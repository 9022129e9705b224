/**
 * The object storage: whole where there is one, and named where it is not the one by default.
 */
import { type CheckInput, type Report, refuse, warn } from './report.ts';

export function checkObjectStorage(input: CheckInput, report: Report): void {
  const { object_storage: storage } = input.settings;
  const section = 'object_storage';
  if (storage.url === undefined) return;
  if (storage.secret_access_key === undefined) {
    const names = 'OBJECT_STORAGE_SECRET_ACCESS_KEY or SUPABASE_BACKEND_API_KEY';
    refuse(report, input, [section, 'secret_access_key'], `is missing; set it here or in ${names}`);
  }
  if (!input.origin.isWritten([section, 'bucket'])) {
    const names = 'OBJECT_STORAGE_BUCKET or SUPABASE_PROVIDERS_BUCKET';
    const message = `is not named: it is ${storage.bucket}; set it here or in ${names}`;
    warn(report, input, [section, 'bucket'], message);
  }
}
