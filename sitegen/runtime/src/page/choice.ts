/** What this device was found to be fastest with, remembered for a model between visits. */

import type { DemoConfig } from '../shared/contract';

interface Kept {
  way: string;
  /** What it was found with and on: with other engines, or elsewhere, it has to be measured again. */
  scripts: string;
  device: string;
}

/** A browser that stores nothing, or refuses to, remembers nothing. */
export class Choice {
  private readonly key: string;
  private readonly scripts: string;
  /** The browser, and what it can do with threads: a visitor's first page is not isolated, and has none. */
  private readonly device = [
    navigator.userAgent,
    navigator.hardwareConcurrency,
    globalThis.crossOriginIsolated,
  ].join(' ');

  constructor({ engine, model }: DemoConfig) {
    this.key = `sitegen|way|${model.weights.chunks[0]?.[0]}`;
    this.scripts = [engine, ...engine.variants].map(({ script }) => script.chunks[0]?.[0]).join(' ');
  }

  recall(): string | null {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key) ?? 'null') as Kept | null;
      const same = kept?.scripts === this.scripts && kept.device === this.device;
      return same && typeof kept.way === 'string' ? kept.way : null;
    } catch {
      return null;
    }
  }

  keep(way: string): void {
    const kept: Kept = { way, scripts: this.scripts, device: this.device };
    try {
      localStorage.setItem(this.key, JSON.stringify(kept));
    } catch {
      // Found anew at the next visit.
    }
  }

  forget(): void {
    try {
      localStorage.removeItem(this.key);
    } catch {
      // There is nothing to forget.
    }
  }
}
