/**
 * From the claims of an issuer to roles and tenant of ours. What is not mapped gives nothing.
 */
import type { Role } from '../../gateway/index.ts';

export interface ClaimRules {
  /** Where the issuer says what somebody is: `groups`, `realm_access.roles`. */
  readonly roleClaim: string;
  /** Their word → our role; empty: roles are given here, and not by the issuer. */
  readonly roleMap: Readonly<Record<string, Role>>;
  /** Where the issuer says whose somebody is; null: all are of `defaultTenant`. */
  readonly tenantClaim: string | null;
  readonly defaultTenant: string;
}

type Claims = Readonly<Record<string, unknown>>;

const PERSON_ROLES: readonly Role[] = ['student', 'instructor', 'admin', 'superadmin'];
const LEAST: readonly Role[] = ['student'];

/** null where roles are not mapped; the least role where none of theirs is. */
export function rolesOf(rules: ClaimRules, claims: Claims): readonly Role[] | null {
  if (Object.keys(rules.roleMap).length === 0) return null;
  const found = new Set<Role>();
  for (const word of words(at(claims, rules.roleClaim))) {
    const role = Object.hasOwn(rules.roleMap, word) ? rules.roleMap[word] : undefined;
    if (role !== undefined) found.add(role);
  }
  return found.size === 0 ? LEAST : PERSON_ROLES.filter((role) => found.has(role));
}

/** An empty text, which no tenant is called, where the claim is missing. */
export function tenantOf(rules: ClaimRules, claims: Claims): string {
  if (rules.tenantClaim === null) return rules.defaultTenant;
  return words(at(claims, rules.tenantClaim))[0] ?? '';
}

/** `staff=instructor, it=admin` as a map; null where it cannot be understood. */
export function readRoleMap(text: string): Record<string, Role> | null {
  const map: Record<string, Role> = Object.create(null);
  for (const pair of text.split(',')) {
    const [word = '', name = '', ...rest] = pair.split('=').map((part) => part.trim());
    const role = PERSON_ROLES.find((candidate) => candidate === name);
    if (word === '' || role === undefined || rest.length > 0) return null;
    map[word] = role;
  }
  return map;
}

function at(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split('.')) {
    const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
    value = isObject ? (value as Claims)[name] : undefined;
  }
  return value;
}

function words(value: unknown): readonly string[] {
  return [value].flat().filter((word) => typeof word === 'string');
}
