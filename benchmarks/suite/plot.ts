/** Bars of CPU time by contender, a panel a workload, as SVG. Pure. */
import { SUBJECT, type WorkloadResult } from './report.ts';

const WIDTH = 860;
const COLUMNS = 2;
const GAP = 40;
const PANEL_WIDTH = (WIDTH - GAP * (COLUMNS - 1)) / COLUMNS;
const TITLE_HEIGHT = 30;
const ROW_HEIGHT = 22;
const BAR_HEIGHT = 14;
const LABEL_WIDTH = 140;
const VALUE_WIDTH = 60;

/** An image in a page does not get the page's style: it brings one for light and one for dark. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .bar { fill: #8c959f; }
  .subject { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .bar { fill: #6e7681; }
    .subject { fill: #4493f8; }
  }`;

/** Each panel has a scale of its own, from 0. Workloads with less than two entrants have no panel. */
export function drawPlot(workloads: readonly WorkloadResult[]): string {
  const shown = workloads.filter(({ entrants }) => entrants.length > 1);
  let top = 0;
  const panels: string[] = [];
  for (let index = 0; index < shown.length; index += COLUMNS) {
    const row = shown.slice(index, index + COLUMNS);
    panels.push(...row.map((result, column) => drawPanel(result, column * (PANEL_WIDTH + GAP), top)));
    top += Math.max(...row.map(heightOf));
  }
  const size = `width="${WIDTH}" height="${top}" viewBox="0 0 ${WIDTH} ${top}"`;
  const title = '<title>CPU time by workload and contender, less is better</title>';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">`,
    title,
    `<style>${STYLE}\n</style>`,
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function heightOf({ entrants }: WorkloadResult): number {
  return TITLE_HEIGHT + entrants.length * ROW_HEIGHT + GAP / 2;
}

function drawPanel({ title, unit, entrants }: WorkloadResult, left: number, top: number): string {
  const bars = entrants.map(({ name, summary }) => ({ name, value: finite(summary.cpuMicroseconds) }));
  const largest = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const rows = bars.map(({ name, value }, index) => {
    const y = TITLE_HEIGHT + index * ROW_HEIGHT;
    const width = ((PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH) * value) / largest;
    const kind = name === SUBJECT ? 'bar subject' : 'bar';
    const baseline = y + BAR_HEIGHT - 3;
    return [
      `<text x="0" y="${baseline}">${escapeText(name)}</text>`,
      `<rect class="${kind}" x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}"/>`,
      `<text x="${(LABEL_WIDTH + width + 6).toFixed(1)}" y="${baseline}">${label(value)}</text>`,
    ].join('');
  });
  const heading = `<text class="title" x="0" y="18">${escapeText(title)}: µs a ${unit}</text>`;
  return `<g transform="translate(${left} ${top})">\n${[heading, ...rows].join('\n')}\n</g>`;
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

function label(value: number): string {
  if (value === 0) return '–';
  return value >= 10 ? value.toFixed(0) : value.toFixed(1);
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
