/** Every case of the suite against the gateway itself, as a process of its own. */
import t from 'tap';
import { CASES, FAMILIES } from './families.ts';
import { runSuite } from './run-suite.ts';
import { FENGLING } from './subject.ts';

const verdicts = await runSuite(FENGLING, CASES, t);

for (const { title, cases } of FAMILIES) {
  t.test(title, async (t) => {
    for (const { id, title } of cases) {
      const verdict = verdicts.get(id);
      t.ok(verdict?.isSafe, `${id} is safe: ${verdict?.happened}`);
      t.ok(verdict?.passes, `${id}, ${title}: ${verdict?.happened}`);
    }
  });
}
