import { InvalidArgumentError } from 'commander';

/** Reads an integer within bounds. */
export function integerFrom(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`give an integer from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}
