/** The rules for a consumer that a schema cannot express. */
import type { Consumer } from './model.ts';
import type { Findings } from './problem-list.ts';

/** Checks a consumer that fits the schema. `pointer` is where it is in the document. */
export function checkConsumer(pointer: string, consumer: Consumer, { problems, warnings }: Findings): void {
  const { apiKeys = [], passwords = [] } = consumer;
  if (apiKeys.length === 0 && passwords.length === 0) {
    warnings.add(pointer, 'has neither apiKeys nor passwords: it can never come in', 'add one of them');
  }
  const keyIndexes = new Map<string, number>();
  for (const [index, { hash }] of apiKeys.entries()) {
    const earlier = keyIndexes.get(hash);
    if (earlier !== undefined) {
      warnings.add(`${pointer}/apiKeys/${index}`, `is the same key as number ${earlier}`, 'remove it');
    }
    keyIndexes.set(hash, index);
  }
  const userIndexes = new Map<string, number>();
  for (const [index, { username }] of passwords.entries()) {
    const name = username.normalize('NFC');
    const earlier = userIndexes.get(name);
    if (earlier !== undefined) {
      const message = `has the user name of number ${earlier}: which password would count?`;
      problems.add(`${pointer}/passwords/${index}/username`, message, 'keep one of them');
    }
    userIndexes.set(name, index);
  }
}
