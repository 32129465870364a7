/** What policies read out of the claims of a JWT (RFC 7519 §4), which are data of others. */

export type Claims = Readonly<Record<string, unknown>>;

/** Origins take fields of 8 KiB or so, all of them together. */
const MAX_HEADER_VALUE_CHARACTERS = 4_096;
/** What can stand in no field value (RFC 9110 §5.5): the controls of ASCII and of Latin-1. */
const CONTROLS = /\p{Cc}/u;
/** What would have a second meaning there, or none that all origins agree on. */
const AMBIGUOUS = /[%,]|^ | $|[^\x20-\x7e]+/g;

/**
 * The claim of this name, or else at this path: `realm_access.roles` is `roles` in `realm_access`. A name may
 * have dots itself, as URLs do: of the names that a path can begin with, the shortest that leads on decides.
 * What objects inherit is no claim.
 * @returns undefined where there is none
 */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  for (let dot = path.indexOf('.'); dot !== -1; dot = path.indexOf('.', dot + 1)) {
    const name = path.slice(0, dot);
    const inner = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (isClaims(inner)) return claimAt(inner, path.slice(dot + 1));
  }
  return undefined;
}

/** Whether the claim is one of these values, or a list that holds one. Text and numbers differ: "1" is not 1. */
export function holdsAny(claim: unknown, values: readonly (string | number | boolean)[]): boolean {
  if (Array.isArray(claim)) return claim.some((item) => values.includes(item));
  return values.includes(claim as string);
}

/**
 * The claim as the value of a header: a text, a number or a boolean, or a list of such with commas between.
 * Who can choose their name must not pass for another, nor one item of a list for two, nor a text for a list:
 * so `%`, commas, a blank at either end and all that is beyond ASCII are percent-encoded, as UTF-8.
 * @returns null where it has no such value: it is of another kind, holds controls, is a number that is not
 *   exact, or would be longer than 4 KiB
 */
export function headerValueOf(claim: unknown): string | null {
  if (!Array.isArray(claim)) return withinBounds(encodeText(textOf(claim)));
  if (claim.length === 0 || claim.length > MAX_HEADER_VALUE_CHARACTERS) return null;
  const items: string[] = [];
  for (const item of claim) {
    const text = encodeText(textOf(item));
    if (text === null) return null;
    items.push(text);
  }
  return withinBounds(items.join(','));
}

function isClaims(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A whole number beyond 2⁵³ is not the one that the issuer wrote. */
function textOf(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
      return value.length <= MAX_HEADER_VALUE_CHARACTERS ? value : null;
    case 'number':
      return Number.isSafeInteger(value) || !Number.isInteger(value) ? finiteText(value) : null;
    case 'boolean':
      return String(value);
    default:
      return null;
  }
}

function finiteText(value: number): string | null {
  return Number.isFinite(value) ? String(value) : null;
}

function encodeText(text: string | null): string | null {
  if (text === null || CONTROLS.test(text) || !text.isWellFormed()) return null;
  return text.replace(AMBIGUOUS, encodeURIComponent);
}

function withinBounds(value: string | null): string | null {
  return value !== null && value.length <= MAX_HEADER_VALUE_CHARACTERS ? value : null;
}
