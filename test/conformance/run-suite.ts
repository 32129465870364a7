/** Runs all cases against one kind of gateway. */
import type { TestOwner } from '../helpers/test-owner.ts';
import type { ConformanceCase } from './conformance-case.ts';
import { judge, type Verdict } from './judge.ts';
import { startRecordingOrigin } from './recording-origin.ts';
import { runCase, runPatientCases } from './run-case.ts';
import type { SubjectKind } from './subject.ts';

/** What became of each case, by its id. The patient ones run beside the others, on a gateway of their own. */
export async function runSuite(
  kind: SubjectKind,
  cases: readonly ConformanceCase[],
  owner: TestOwner,
): Promise<Map<string, Verdict>> {
  const patient = cases.filter(({ isPatient }) => isPatient);
  const others = cases.filter(({ isPatient }) => !isPatient);
  const verdicts = await Promise.all([runOneByOne(kind, others, owner), runPatiently(kind, patient, owner)]);
  return new Map(verdicts.flat());
}

async function runOneByOne(
  kind: SubjectKind,
  cases: readonly ConformanceCase[],
  owner: TestOwner,
): Promise<[string, Verdict][]> {
  const origin = await startRecordingOrigin(owner);
  const subject = await kind.start(owner, origin.port);
  const verdicts: [string, Verdict][] = [];
  for (const tested of cases) {
    verdicts.push([tested.id, judge(tested, await runCase(subject.port, origin, tested))]);
  }
  requireHealthy(subject.troubles());
  return verdicts;
}

async function runPatiently(
  kind: SubjectKind,
  cases: readonly ConformanceCase[],
  owner: TestOwner,
): Promise<[string, Verdict][]> {
  if (cases.length === 0) return [];
  const origin = await startRecordingOrigin(owner);
  const subject = await kind.start(owner, origin.port);
  const observations = await runPatientCases(subject.port, origin, cases);
  requireHealthy(subject.troubles());
  return cases.map((tested, index) => [tested.id, judge(tested, observations[index]!)]);
}

function requireHealthy(troubles: readonly string[]): void {
  if (troubles.length > 0) throw new Error(`no request may lead to this: ${troubles.join(', ')}`);
}
