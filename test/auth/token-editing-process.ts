/** A process that creates tokens: node token-editing-process.ts DIRECTORY NAME… */
import { createToken } from '../../lib/auth/token-file.ts';

const [directory = '', ...names] = process.argv.slice(2);
for (const name of names) {
  await createToken(directory, { name, role: 'reader', now: new Date(), expiresAt: null });
}
