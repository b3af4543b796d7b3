/**
 * Which engine a demo runs on. It starts on the one that every device can run; once that has given its first result, a
 * variant that this device can run is started beside it, compared with it, and taken when it is faster. What was found is
 * remembered, so that the next visit starts the right one.
 */

import type { DemoConfig, Engine, PageConfig, Tensors, Variant } from '../shared/contract';
import { Current } from './current';
import { loadParts, otherParts, startEngine, type Parts } from './engine';
import { fastest, type Compared } from './faster';
import type { Progress } from './files';
import { given } from './golden';
import type { Transport } from './transport';
import { Found, runs } from './variants';

/** As sitegen/proof.py has them. */
const SEEDS = [1, 2] as const;
/** Remembered where no variant is to be taken. */
const USUAL = 'usual';
/** A variant that takes longer than this to load a model has failed. */
const PATIENCE = 60_000;

export class Choice {
  private readonly found: Found;
  private readonly variants: Variant[];
  /** What a comparison needs; null when there is none to come. */
  private parts: Parts | null = null;

  constructor(
    page: PageConfig,
    private readonly demo: DemoConfig,
    private readonly transport: Transport,
    base: string,
  ) {
    this.found = new Found(page, demo, base);
    this.variants = demo.engine.variants.filter(runs);
  }

  /** Loads the model in the engine that is fastest here, as far as that is known. */
  async start(progress: Progress): Promise<Current> {
    const known = this.found.backend;
    const variant = this.variants.find(({ backend }) => backend === known);
    const started = variant && (await this.startVariant(variant, progress));
    if (started) return new Current(started);
    const parts = await loadParts(this.demo, this.transport, progress, null);
    this.parts = this.variants.length > 0 && this.found.backend === null ? parts : null;
    return new Current(await startEngine(this.demo.model, parts, { lent: this.parts !== null }));
  }

  /** An engine failed: where it is a variant, it is not taken again. */
  failed({ backend }: Engine): void {
    if (this.variants.some((variant) => variant.backend === backend)) this.found.backend = USUAL;
  }

  /** After the first result of the first engine; null when there is nothing to compare. Throws when a variant fails. */
  async compare(current: Current): Promise<Compared | null> {
    const { parts } = this;
    if (!parts) return null;
    this.parts = null;
    // What cannot be fetched now is tried at the next visit; what fails after that is not.
    const own = await Promise.all(
      this.variants.map((variant) => otherParts(parts, this.demo.engine, this.transport, variant)),
    );
    this.found.backend = USUAL;
    const started: Engine[] = [];
    let taken: Engine | null = null;
    try {
      for (const each of own) started.push(await startEngine(this.demo.model, each, { patience: PATIENCE }));
      const compared = await fastest([current, ...started], this.inputs());
      taken = compared.winner;
      if (taken !== current) current.exchange(taken);
      this.found.backend = taken.backend;
      return compared;
    } finally {
      for (const engine of started) if (engine !== taken) engine.dispose();
    }
  }

  private async startVariant(variant: Variant, progress: Progress): Promise<Engine | null> {
    let parts: Parts;
    try {
      parts = await loadParts(this.demo, this.transport, progress, variant);
    } catch {
      // Without a network it may not be there.
      return null;
    }
    try {
      return await startEngine(this.demo.model, parts, { patience: PATIENCE });
    } catch {
      this.found.backend = USUAL;
      return null;
    }
  }

  private inputs(): [Tensors, Tensors] {
    const { input, model } = this.demo;
    const specs = model.signature.inputs;
    const whole = [1, input.height, input.width, input.channels];
    const shapes = Object.fromEntries(
      specs.map(({ name, shape }) => [
        name,
        shape.map((size, axis) => (size === -1 ? (whole[axis] ?? 1) : size)),
      ]),
    );
    return [given(specs, shapes, input, SEEDS[0]), given(specs, shapes, input, SEEDS[1])];
  }
}
