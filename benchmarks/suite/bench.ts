/** What workloads share: the origin and the field, each started when it is first needed. */
import { Scope } from '../support/scope.ts';
import type { Cores } from './cores.ts';
import { type Field, startField } from './field.ts';
import { type Origin, startOrigin } from './origin.ts';

export class Bench {
  /** For what a workload starts itself. */
  readonly cores: Cores;
  readonly #scope: Scope;
  readonly #contenders: readonly string[] | null;
  #origin: Promise<Origin> | null = null;
  #field: Promise<Field> | null = null;

  /** @param contenders names of those who take part; null: all */
  constructor(scope: Scope, cores: Cores, contenders: readonly string[] | null) {
    this.#scope = scope;
    this.cores = cores;
    this.#contenders = contenders;
  }

  /** A scope that ends with the bench at the latest, also where the run is interrupted. */
  openScope(): Scope {
    const inner = new Scope();
    this.#scope.teardown(() => inner.close());
    return inner;
  }

  origin(): Promise<Origin> {
    this.#origin ??= startOrigin(this.#scope);
    return this.#origin;
  }

  field(): Promise<Field> {
    this.#field ??= this.origin().then((origin) =>
      startField(this.#scope, origin, this.cores.contender, this.#contenders),
    );
    return this.#field;
  }
}
