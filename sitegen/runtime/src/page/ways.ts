/**
 * The ways in which a page can run its model: WebAssembly, on which it begins, and the variants of its engine. A variant
 * is used only where it came to the golden numbers on this very device, in this visit; where the page has none of these,
 * only while the visitor says so.
 */

import type { DemoConfig, Engine, VariantConfig } from '../shared/contract';
import { Ahead } from './ahead';
import { Choice } from './choice';
import { PATIENCE, fetchEngine, startEngine, within, type EngineParts } from './engine';
import { loadFiles, type Progress, type Transport } from '../shared/files';
import { lacking } from './probes';
import { agree, goldenInputs, prove, type Proven } from '../shared/proof';
import { timed, winner } from './race';

/** The way that every browser has. */
export const FIRST = 'wasm';

/** What the race says of a way: its median time, or why it did not take part. */
export interface Raced {
  way: string;
  milliseconds: number | null;
  why: string;
}

export class Ways {
  readonly variants: VariantConfig[];
  readonly choice: Choice;
  private file: Promise<Uint8Array> | null = null;
  private ahead: Ahead | null = null;

  constructor(
    private readonly demo: DemoConfig,
    private readonly transport: Transport,
  ) {
    this.variants = demo.engine.variants;
    this.choice = new Choice(demo);
  }

  /** Whether this page can tell right numbers from wrong ones. */
  get provable(): boolean {
    return this.demo.model.proof !== null;
  }

  /** Begins before anybody waits for it, unless another way than WebAssembly was chosen here. */
  hasten(): void {
    if ((this.choice.recall() ?? FIRST) !== FIRST) return;
    this.ahead = new Ahead((progress) => this.start(FIRST, progress));
  }

  /**
   * The engine to begin with: what was found to be fastest here, or WebAssembly. `tell` is told of what was remembered and
   * works no more; what cannot be fetched now, without a network for example, is silently done without.
   */
  async begin(progress: Progress, tell: (text: string) => void): Promise<Engine> {
    const ahead = this.ahead;
    this.ahead = null;
    if (ahead) return ahead.watched(progress);
    const variant = this.variants.find(({ backend }) => backend === this.choice.recall());
    const parts = variant && this.provable ? await this.parts(variant, progress).catch(() => null) : null;
    if (parts) {
      try {
        return (await this.proven(parts)).engine;
      } catch (error) {
        this.choice.forget();
        tell(`${parts.way} is no longer used on this device: ${reason(error)}.`);
      }
    }
    return this.start(FIRST, progress);
  }

  /** The engine of one way. Throws when the browser lacks it, when it fails, and when its numbers are wrong. */
  async start(way: string, progress: Progress = () => undefined): Promise<Engine> {
    const variant = this.variants.find(({ backend }) => backend === way) ?? null;
    if (!variant) return startEngine(this.demo.model, await this.parts(null, progress));
    const why = await lacking(way);
    if (why) throw new Error(why);
    const parts = await this.parts(variant, progress);
    return this.provable ? (await this.proven(parts)).engine : startEngine(this.demo.model, parts);
  }

  /**
   * Lets what this browser has run against WebAssembly, `current` taking part. Gives the engine that is worth running on;
   * the others are ended, but for `current`. Throws where WebAssembly itself fails.
   */
  async race(current: Engine, ways: string[]): Promise<{ rows: Raced[]; best: Engine }> {
    const engines = [current.way === FIRST ? current : await this.start(FIRST)];
    let best = current;
    try {
      const file = await this.golden();
      const reference = await prove(engines[0]!, this.demo, file);
      if (!reference.passed) throw new Error('WebAssembly itself does not pass the check on this device');
      const rows: Raced[] = [{ way: FIRST, milliseconds: null, why: '' }];
      for (const variant of this.variants.filter(({ backend }) => ways.includes(backend))) {
        const { engine, why } = await this.entrant(variant, reference, current);
        rows.push({ way: variant.backend, milliseconds: null, why });
        if (engine) engines.push(engine);
      }
      const medians = await timed(engines, goldenInputs(this.demo, file));
      engines.forEach((engine, i) => {
        rows.find(({ way }) => way === engine.way)!.milliseconds = medians[i]!;
      });
      best = engines[winner(medians)]!;
      return { rows, best };
    } finally {
      for (const engine of engines) if (engine !== best && engine !== current) engine.dispose();
    }
  }

  /** A variant that may take part, or why it does not. */
  private async entrant(
    variant: VariantConfig,
    reference: Proven,
    current: Engine,
  ): Promise<{ engine: Engine | null; why: string }> {
    if (current.way === variant.backend) return { engine: current, why: '' };
    let engine: Engine | null = null;
    try {
      const why = await lacking(variant.backend);
      if (why) return { engine, why };
      const proven = await this.proven(await this.parts(variant, () => undefined));
      engine = proven.engine;
      if (agree(reference, proven.found)) return { engine, why: '' };
      engine.dispose();
      return { engine: null, why: 'its numbers are not those of WebAssembly' };
    } catch (error) {
      return { engine: null, why: reason(error) };
    }
  }

  private parts(variant: VariantConfig | null, progress: Progress): Promise<EngineParts> {
    return fetchEngine(this.demo, this.transport, progress, variant);
  }

  /** Starts an engine and proves it. Throws, and ends it, when its numbers are wrong or do not come. */
  private async proven(parts: EngineParts): Promise<{ engine: Engine; found: Proven }> {
    const file = await this.golden();
    const engine = await startEngine(this.demo.model, parts, PATIENCE);
    try {
      const found = await within(PATIENCE, prove(engine, this.demo, file));
      if (!found.passed) throw new Error(`its numbers are wrong (${found.largest.toExponential(0)} off)`);
      return { engine, found };
    } catch (error) {
      engine.dispose();
      throw error;
    }
  }

  private golden(): Promise<Uint8Array> {
    this.file ??= loadFiles(this.transport, [this.demo.model.proof!])
      .then(([file]) => file!)
      .catch((error: unknown) => {
        this.file = null;
        throw error;
      });
    return this.file;
  }
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
}
