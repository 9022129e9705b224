/**
 * What the main thread throws for an error that a database thread reported.
 */
import { GatewayError } from '../../../gateway/model/errors.ts';
import { ConstraintError } from '../../engine.ts';
import type { Failure } from './protocol.ts';

export function errorOf({ message, kind }: Failure): Error {
  switch (kind) {
    case 'unavailable':
      return new GatewayError('storage_unavailable', { cause: new Error(message) });
    case 'unique':
    case 'foreign_key':
      return new ConstraintError(kind, message);
    case 'constraint':
      return new ConstraintError('other', message);
    case 'broken':
      return new Error(`database: ${message}`);
  }
}
