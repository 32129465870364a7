/** What the documentation lists is what there is, both ways. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { validateDocument } from '../lib/core/config/validate.ts';
import { ERRORS } from '../lib/core/errors.ts';
import { METRICS } from '../lib/core/metrics/catalogue.ts';
import { parseDocument } from '../lib/store/parse-document.ts';

function read(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
}

t.test('docs/errors.md lists every error with its status, and no other', async (t) => {
  const listed = [
    ...read('docs/errors.md').matchAll(/^\| `(GW_ERR_\w+)` \| (\d+) \| (\w+) \| (yes|no) \| (.*) \|$/gm),
  ];
  const rows = listed.map(
    ([, code, status, side, again, title]) => `${code} ${status} ${side} ${again} ${title}`,
  );
  const defined = Object.values(ERRORS).map(
    ({ code, status, side, retryable, title }) =>
      `${code} ${status} ${side} ${retryable ? 'yes' : 'no'} ${title}`,
  );
  t.same(rows.sort(), defined.sort());
  t.equal(
    new Set(Object.values(ERRORS).map(({ code }) => code)).size,
    defined.length,
    'no code is used twice',
  );
});

t.test('docs/metrics.md lists every metric, and no other', async (t) => {
  const listed = [...read('docs/metrics.md').matchAll(/^\| `(gateway_\w+)` \| (\w+) \| (.*?) \| (.*) \|$/gm)];
  const rows = listed.map(([, name, type, labels, help]) => `${name} ${type} ${labels} ${help}`);
  const defined = Object.values(METRICS).map(
    ({ name, type, labels, help }) =>
      `${name} ${type} ${labels.map((label) => `\`${label}\``).join(', ')} ${help}`,
  );
  t.same(rows.sort(), defined.sort());
});

t.test('the example configuration is valid, without a warning', async (t) => {
  const { document } = parseDocument(read('docs/example.yaml'), 'yaml');
  const { problems, warnings } = validateDocument(document);
  t.same(problems, []);
  t.same(warnings, []);
});

t.test(
  'every YAML block of the documentation that is a configuration is valid, without a warning',
  async (t) => {
    for (const path of ['README.md', 'docs/configuration.md', 'docs/operating.md']) {
      for (const [, text = ''] of read(path).matchAll(/```yaml\n(.*?)```/gs)) {
        if (!text.includes('clusters:') || !text.includes('routes:')) continue;
        const { problems, warnings } = validateDocument(parseDocument(text, 'yaml').document);
        t.same([...problems, ...warnings], [], path);
      }
    }
  },
);
