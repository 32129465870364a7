/**
 * All cases. To add a family: a file in `cases/` that exports a `CaseFamily`, and its name here; then write the
 * page anew with `node test/conformance/report.ts`.
 */
import { CHUNKS } from './cases/chunks.ts';
import { FORWARDED_FIELDS } from './cases/forwarded-fields.ts';
import { HEADS } from './cases/heads.ts';
import { HOSTS } from './cases/hosts.ts';
import { INTERIM_RESPONSES } from './cases/interim-responses.ts';
import { LENGTH_AND_CODING } from './cases/length-and-coding.ts';
import { PLAIN } from './cases/plain.ts';
import { RESOURCES } from './cases/resources.ts';
import { RESPONSES } from './cases/responses.ts';
import { TARGETS } from './cases/targets.ts';
import { UPGRADES } from './cases/upgrades.ts';
import type { CaseFamily, ConformanceCase } from './conformance-case.ts';

export const FAMILIES: readonly CaseFamily[] = [
  PLAIN,
  LENGTH_AND_CODING,
  CHUNKS,
  HEADS,
  HOSTS,
  TARGETS,
  FORWARDED_FIELDS,
  UPGRADES,
  RESPONSES,
  INTERIM_RESPONSES,
  RESOURCES,
];

export const CASES: readonly ConformanceCase[] = FAMILIES.flatMap(({ cases }) => cases);
