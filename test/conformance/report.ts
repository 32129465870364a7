/**
 * Runs the suite against this gateway and those that are installed, and writes docs/conformance.md:
 *
 *   node test/conformance/report.ts
 */
import { writeFileSync } from 'node:fs';
import type { TestOwner } from '../helpers/test-owner.ts';
import { CASES, FAMILIES } from './families.ts';
import { type Column, renderPage } from './page.ts';
import { runSuite } from './run-suite.ts';
import { FENGLING, RIVALS, type SubjectKind } from './subject.ts';

const PAGE = new URL('../../docs/conformance.md', import.meta.url);

/** Releases in the opposite order of opening, as a test does. */
class ReportOwner implements TestOwner {
  readonly #releases: (() => unknown)[] = [];

  teardown(release: () => unknown): void {
    this.#releases.unshift(release);
  }

  async release(): Promise<void> {
    for (const release of this.#releases) await release();
  }
}

async function report(kind: SubjectKind): Promise<Column> {
  const version = kind.findVersion();
  if (version === null) return { name: kind.name, version, verdicts: new Map() };
  process.stdout.write(`${kind.name} ${version}: ${CASES.length} cases\n`);
  const owner = new ReportOwner();
  try {
    return { name: kind.name, version, verdicts: await runSuite(kind, CASES, owner) };
  } finally {
    await owner.release();
  }
}

const columns: Column[] = [];
for (const kind of [FENGLING, ...RIVALS]) columns.push(await report(kind));
writeFileSync(PAGE, renderPage(FAMILIES, columns));
