import {
  addressOf,
  type MaterialReading,
  type MaterialSource,
  type TakeReadings,
} from './material-source.ts';

/** Materials that are environment variables of the gateway: they do not change while it runs. */
export class VariableMaterials implements MaterialSource {
  readonly #environment: Readonly<NodeJS.ProcessEnv>;
  readonly #take: TakeReadings;

  constructor(environment: Readonly<NodeJS.ProcessEnv>, take: TakeReadings) {
    this.#environment = environment;
    this.#take = take;
  }

  add(names: readonly string[]): void {
    this.#take(names.map((name) => this.#read(name)));
  }

  #read(name: string): MaterialReading {
    const value = this.#environment[addressOf(name)] ?? '';
    if (value.trim() !== '') return { name, value, problem: null };
    return { name, value: null, problem: 'the variable is not set: set it, and start the gateway again' };
  }

  remove(): void {}

  async refresh(): Promise<boolean> {
    return false;
  }

  close(): void {}
}
