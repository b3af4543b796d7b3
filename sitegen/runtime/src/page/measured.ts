/** What is known and measured of a demo's model on this device, as a list, with a picture of the last runs' times. */

import type { DemoConfig, Engine } from '../shared/contract';
import { element, sizeText } from './dom';
import { sizeOf } from '../shared/files';

/** Runs whose times are looked at, and milliseconds in which several runs are a stream of frames. */
const LAST = 200;
const LATELY = 2_000;
const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [200, 32];

export class Measured {
  readonly root = element('dl', { className: 'sg-measured' });
  private runs: { milliseconds: number; at: number }[] = [];
  private engine: Engine | null = null;

  constructor(private readonly demo: DemoConfig) {}

  /** A model was loaded. */
  started(engine: Engine): void {
    this.engine = engine;
    this.runs = [];
  }

  /** A run took so many milliseconds. */
  ran(milliseconds: number): void {
    this.runs.push({ milliseconds, at: performance.now() });
    if (this.runs.length > LAST) this.runs.shift();
  }

  draw(): void {
    const { engine, runs, demo } = this;
    const { weights, graph, quantization, lost } = demo.model;
    const sorted = runs.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
    const at = (share: number): string => `${sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(1)} ms`;
    const rate = framesOf(runs.map((run) => run.at));
    const rows: (false | [string, string | Node])[] = [
      ['Engine', engine ? `${engine.name} on ${engine.backend}` : 'not loaded yet'],
      ['Model', sizeText(sizeOf(weights) + sizeOf(graph))],
      ['Weights', quantization],
      lost !== '' && ['They lost', lost],
      runs.length > 0 && ['Time a run, median', at(0.5)],
      runs.length > 0 && ['95 % are below', at(0.95)],
      runs.length > 1 && ['The last runs', trace(runs.map(({ milliseconds }) => milliseconds))],
      rate !== null && ['Frames a second', rate.toFixed(1)],
      ['Requests to other origins', String(elsewhere())],
    ];
    const shown = rows.filter((row) => row !== false);
    this.root.replaceChildren(
      ...shown.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
    );
  }
}

/** Of runs at these times, how many there are a second; null where they are no stream. */
function framesOf(times: number[]): number | null {
  const lately = times.filter((time) => time >= performance.now() - LATELY);
  return lately.length < 3 ? null : (1000 * (lately.length - 1)) / (lately.at(-1)! - lately[0]!);
}

/** A line of the times, from 0 up to the longest. */
function trace(times: number[]): SVGElement {
  const most = Math.max(...times) || 1;
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'sg-trace');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `Times of ${times.length} runs, up to ${most.toFixed(1)} ms`);
  const line = document.createElementNS(SVG, 'polyline');
  const x = (index: number): number => (index * WIDTH) / (times.length - 1);
  line.setAttribute('points', times.map((time, i) => `${x(i)},${HEIGHT - (HEIGHT * time) / most}`).join(' '));
  svg.append(line);
  return svg;
}

/** What the page asked of anybody but its own host: nothing, unless a browser's extension did. */
function elsewhere(): number {
  const entries = performance.getEntriesByType('resource');
  return entries.filter(({ name }) => /^https?:/.test(name) && new URL(name).origin !== location.origin)
    .length;
}
