/** What the documentation points to is there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = [
  ...['README.md', 'CHANGELOG.md', 'SECURITY.md'],
  ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [join('docs', name)] : [])),
];

function read(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** As GitHub makes them of headings. */
function listAnchors(text: string): string[] {
  const headings = text.replace(/^```.*?^```/gms, '').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function isBroken(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(ROOT, target))) return true;
  return anchor !== undefined && !listAnchors(read(target)).includes(anchor);
}

for (const page of PAGES) {
  t.test(`the links of ${page} lead somewhere`, async (t) => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const own = links.filter((link) => !/^[a-z]+:/.test(link));
    t.same(
      own.filter((link) => isBroken(page, link)),
      [],
    );
  });

  t.test(`the sources that ${page} names are there`, async (t) => {
    const paths = [...read(page).matchAll(/`((?:lib|test|benchmarks|bin)\/[\w./-]+)`/g)].map(
      ([, path = '']) => path,
    );
    t.same(
      paths.filter((path) => !existsSync(join(ROOT, path))),
      [],
    );
  });
}
