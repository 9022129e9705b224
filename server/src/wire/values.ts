/**
 * Looking into JSON of unknown shape: what is not of the expected kind counts as absent.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../kernel/json.ts';

const NOTHING: JsonObject = {};
const NO_ITEMS: readonly JsonValue[] = [];

export function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

export function numberOf(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

export function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : NOTHING;
}

export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return isJsonArray(value) ? value : NO_ITEMS;
}

/** The extension bag of a canonical body, message, part, tool, call, choice or delta. */
export function bagOf(value: JsonValue | undefined): JsonObject {
  return objectOf(objectOf(value).esclusa);
}

/** The object without members that are undefined. */
export function compact(members: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** The bag as a member, where it holds anything. */
export function withBag(bag: JsonObject): JsonObject {
  const held = compact(bag);
  return Object.keys(held).length === 0 ? NOTHING : { esclusa: held };
}
