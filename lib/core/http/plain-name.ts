/**
 * A field name as CGI-like origins see it, who make a variable of it: `X_User_Id` and `X.User.Id` are other
 * fields than `X-User-Id`, but to them all three are HTTP_X_USER_ID (RFC 3875 §4.1.18, and servers that go further).
 */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}

/** Whether a field is seen as the one of that plain name. Nearly all names differ in length, which costs nothing to see. */
export function isSeenAs(name: string, plain: string): boolean {
  return name.length === plain.length && plainName(name) === plain;
}

/** Longer names are not worth remembering: they come from clients, and none that matters is so long. */
export const LONGEST_REMEMBERED_NAME = 64;
