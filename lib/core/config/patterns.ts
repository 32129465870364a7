/** What texts of the configuration look like, as regular expressions. Apart from the schemas: most who need one need no schema. */

/** Ids are used in log lines, metric labels and URLs of the management API, so they stay plain. */
export const ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$';
/** The id of a certificate is the host name that it is for, as SNI names it; `default` is a name like any other. */
export const CERTIFICATE_ID_PATTERN = '^(\\*\\.)?[a-z0-9][a-z0-9.-]{0,250}$';

/** A token of RFC 9110 §5.6.2: what header names, methods and cookie names are made of. */
export const TOKEN_PATTERN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
/** A field value without CR, LF, NUL or other controls (RFC 9110 §5.5). */
export const FIELD_VALUE_PATTERN = '^[\\t\\x20-\\x7e\\x80-\\xff]*$';
/** A path, as rewrites take it; what else it must be is checked after the schema. */
export const PATH_PATTERN = '^/';
/** A path on one line: whoever gives the content of a file instead, such as a private key, is told so and not quoted. */
export const FILE_NAME_PATTERN = '^[^\\x00-\\x1f\\x7f]+$';
/** The name of an environment variable; the gateway's own settings are none of the configuration's business. */
export const VARIABLE_PATTERN = '^(?!GATEWAY_|FENGLING_)[A-Za-z_][A-Za-z0-9_]{0,255}$';

/** SHA-256 is enough for keys that are random and long; see `gateway credential api-key`. */
export const API_KEY_HASH_PATTERN = '^sha256:[0-9a-f]{64}$';
/** scrypt with its cost, block size and parallelism, salt and hash in base64url; see `gateway credential password`. */
export const PASSWORD_HASH_PATTERN = '^scrypt:1[4-7]:8:[1-4]:[A-Za-z0-9_-]{22,64}:[A-Za-z0-9_-]{43}$';
/** Without colon (RFC 7617 §2). */
export const USERNAME_PATTERN = '^[^:\\x00-\\x1f\\x7f]{1,256}$';
