/** How a material is: what there is of it, and what is wrong. */
export interface MaterialReading {
  readonly name: string;
  /** The newest good one; null where there is none that may be used. */
  readonly value: string | null;
  /** Why there is none, or why the value may be out of date; null where all is well. */
  readonly problem: string | null;
}

/** What was read in one go is told in one go. */
export type TakeReadings = (readings: readonly MaterialReading[]) => void;

/** Where materials of one kind come from. It says how each is as soon as it knows, and whenever that changes. */
export interface MaterialSource {
  add(names: readonly string[]): void;
  /** It is needed no more; nothing is said of it from now on. */
  remove(name: string): void;
  /**
   * Resolves when what is newer has been told, or when there will be nothing newer for now. Never rejects.
   * @returns whether it was got anew since the call: what is not in it then, is not there
   */
  refresh(name: string): Promise<boolean>;
  close(): void;
}

/** What follows the kind in the name of a material: the path, the variable, the URL. */
export function addressOf(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** The name as people may see it: a URL without what may be secret in it. */
export function shownName(name: string): string {
  if (!name.startsWith('jwks:')) return name;
  const url = URL.parse(addressOf(name));
  return url === null ? 'jwks:?' : `jwks:${url.protocol}//${url.host}${url.pathname}`;
}
