import { InvalidArgumentError } from 'commander';

/**
 * Reads the variable of a switch: commander itself takes any value for a yes.
 * @throws InvalidArgumentError where it says neither yes nor no
 */
export function switchFrom(variable: string): boolean {
  const value = process.env[variable] ?? '';
  if (!['', 'true', 'false', '1', '0'].includes(value)) {
    throw new InvalidArgumentError(`${variable} is "${value}": give true or false`);
  }
  return value === 'true' || value === '1';
}

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
