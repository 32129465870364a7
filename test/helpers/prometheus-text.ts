/** The samples of a Prometheus text exposition (format 0.0.4), by `name` or `name{label="value",…}`. */

// `Nan` is how prom-client writes NaN; Prometheus itself reads it in any case of letters.
// Values are what Go's ParseFloat reads, which takes NaN in any case; prom-client writes "Nan".
const SAMPLE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(Na[Nn]|[+-]?(?:Inf|[\d.]+(?:[Ee][+-]?\d+)?))(?:\s+\d+)?$/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Labels are sorted by name, so that a key does not depend on the order in which they were written. */
export function parseMetrics(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = SAMPLE.exec(line);
    if (match === null) throw new Error(`not a Prometheus sample: ${JSON.stringify(line)}`);
    const [, name = '', labels = '', value = ''] = match;
    samples.set(name + sortLabels(labels), parseValue(value));
  }
  return samples;
}

function sortLabels(text: string): string {
  const labels = [...text.matchAll(LABEL)].map(([label]) => label).sort();
  return labels.length === 0 ? '' : `{${labels.join(',')}}`;
}

function parseValue(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}
