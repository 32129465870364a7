/** What goes wrong with a write, in words of the management API. */
import { ControlError } from '../admin/control-plane.ts';
import type { Problem } from '../core/config/problem.ts';
import { ERRORS } from '../core/errors.ts';
import {
  type ConfigStore,
  MalformedChangeError,
  StoreUnavailableError,
  UnreadableStoreError,
} from '../store/config-store.ts';
import type { ConfigKeeper } from './config-keeper.ts';

/** Runs work on the store with its errors translated; a conflict is left to the caller. */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreUnavailableError) {
      const outcome = error.notWritten ? 'nothing was written' : 'it is not known whether it was written';
      throw new ControlError(ERRORS.storeUnavailable, `${error.message}: ${outcome}`, {
        written: error.notWritten ? 'no' : 'unknown',
      });
    }
    if (error instanceof UnreadableStoreError) {
      throw new ControlError(ERRORS.storeUnavailable, error.message, { problems: error.problems });
    }
    if (error instanceof MalformedChangeError) throw invalid(error.problems, []);
    throw error;
  }
}

export function invalid(problems: readonly Problem[], warnings: readonly Problem[]): ControlError {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return new ControlError(ERRORS.invalidConfiguration, `${count}: nothing was changed`, {
    problems,
    warnings,
  });
}

/** Why an instance that holds no configuration cannot tell or change it. */
export function noConfiguration({ refused }: ConfigKeeper, { condition }: ConfigStore): ControlError {
  const problem = refused === null ? condition.problem : refused.problems[0]?.message;
  const why = problem === undefined || problem === null ? '' : `: ${problem}`;
  return new ControlError(ERRORS.notReady, `there is no configuration here yet${why}`, {
    ...(refused === null ? {} : { problems: refused.problems }),
  });
}

export function conflict(expected: number, current: number): ControlError {
  return new ControlError(
    ERRORS.revisionConflict,
    `expected revision ${expected}, the configuration is at ${current}: read it again, then repeat the change`,
    { currentRevision: current },
  );
}
