/** What the gateway does with a header field, by its name: the request side and the response side. */
import { LONGEST_REMEMBERED_NAME, plainName } from './plain-name.ts';

export const KEEP = 0;
/** Hop-by-hop: never forwarded (RFC 9110 §7.6.1). */
export const DROP = 1;
export const CONNECTION = 2;
export const HOST = 3;
/** Who the client is and how it came: believed from trusted peers only. */
export const FORWARDED = 4;
export const FORWARDED_FOR = 5;
export const REQUEST_ID = 6;
export const TE = 7;
export const TRANSFER_ENCODING = 8;
export const CONTENT_LENGTH = 9;
export const EXPECT = 10;
export const TRAILER = 11;
export const UPGRADE = 12;
export type HeaderRule = number;

const REQUEST_RULES: ReadonlyMap<string, HeaderRule> = new Map([
  ['connection', CONNECTION],
  ['keep-alive', DROP],
  ['proxy-connection', DROP],
  ['proxy-authorization', DROP],
  ['upgrade', UPGRADE],
  ['http2-settings', DROP],
  ['te', TE],
  ['trailer', TRAILER],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['content-length', CONTENT_LENGTH],
  ['expect', EXPECT],
  ['host', HOST],
  ['x-forwarded-for', FORWARDED_FOR],
  ['forwarded', FORWARDED],
  ['x-real-ip', FORWARDED],
  ['x-request-id', REQUEST_ID],
  // Says which consumer an API key or a password is of: nobody's word but ours.
  ['x-consumer-id', DROP],
]);

const RESPONSE_RULES: ReadonlyMap<string, HeaderRule> = new Map([
  ['connection', CONNECTION],
  ['keep-alive', DROP],
  ['proxy-connection', DROP],
  ['proxy-authenticate', DROP],
  ['upgrade', DROP],
  ['te', DROP],
  ['trailer', TRAILER],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['content-length', CONTENT_LENGTH],
  ['x-request-id', REQUEST_ID],
]);

/**
 * Fields that a Connection option may not remove: the message means something else without them
 * (CVE-2024-45410 and kin used this to strip what a proxy had added or relied on).
 */
const NEVER_NOMINATED: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'expect',
  'forwarded',
  'host',
  'location',
  'range',
  'set-cookie',
  'transfer-encoding',
  'x-request-id',
  'x-real-ip',
]);

/** Names come from a small set in a few spellings; remembering them saves the lower-casing. Bounded, as clients choose them. */
const MAX_REMEMBERED = 2_000;

class HeaderClassifier {
  readonly #rules: ReadonlyMap<string, HeaderRule>;
  readonly #remembered = new Map<string, HeaderRule>();

  constructor(rules: ReadonlyMap<string, HeaderRule>) {
    this.#rules = rules;
  }

  ruleOf(name: string): HeaderRule {
    const known = this.#remembered.get(name);
    if (known !== undefined) return known;
    const rule = this.#classify(name.toLowerCase());
    if (this.#remembered.size < MAX_REMEMBERED && name.length <= LONGEST_REMEMBERED_NAME)
      this.#remembered.set(name, rule);
    return rule;
  }

  #classify(name: string): HeaderRule {
    const rule = this.#rules.get(name);
    if (rule !== undefined) return rule;
    if (this.#rules !== REQUEST_RULES) return KEEP;
    const plain = plainName(name);
    if (plain.startsWith('x-forwarded-')) return FORWARDED;
    return plain !== name && REQUEST_RULES.has(plain) ? DROP : KEEP;
  }
}

const requestClassifier = new HeaderClassifier(REQUEST_RULES);
const responseClassifier = new HeaderClassifier(RESPONSE_RULES);

/** The rule for a field of a request, whatever its spelling. */
export function requestHeaderRule(name: string): HeaderRule {
  return requestClassifier.ruleOf(name);
}

/** The rule for a field of a response, whatever its spelling. */
export function responseHeaderRule(name: string): HeaderRule {
  return responseClassifier.ruleOf(name);
}

/**
 * The field names that a Connection field nominates as hop-by-hop, lower-cased, added to `nominated`;
 * null stays null where there are none, which is nearly always.
 */
export function addNominated(connection: string, nominated: Set<string> | null): Set<string> | null {
  if (connection === 'keep-alive' || connection === 'close' || connection === 'Keep-Alive') return nominated;
  let names = nominated;
  for (const option of connection.split(',')) {
    const name = option.trim().toLowerCase();
    if (name === '' || name === 'close' || name === 'keep-alive') continue;
    if (NEVER_NOMINATED.has(name) || name.startsWith('x-forwarded-')) continue;
    names ??= new Set();
    names.add(name);
  }
  return names;
}
