/** The page's own sounds to try, and the visitor's. */

import { useState } from 'preact/hooks';
import { Drop } from '../pictures/drop';
import type { PanelProps } from './demo';

export function Samples({ host, open }: PanelProps) {
  const [chosen, setChosen] = useState<number | null>(null);

  const choose = (index: number): void => {
    setChosen(index);
    const fetched = host.sample(index).catch((error: unknown) => {
      throw new Error(`A sample is missing: ${(error as Error).message}.`);
    });
    void open(fetched);
  };

  return (
    <div class="sg-row sg-sounds">
      {host.config.samples.map(({ name }, index) => (
        <button
          type="button"
          class="sg-button"
          key={index}
          aria-pressed={chosen === index}
          data-sample={name}
          onClick={() => choose(index)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

export function Upload({ open }: PanelProps) {
  return (
    <Drop accept="audio/*,.wav" take={(file) => file && void open(file)}>
      <span>Drop a sound here, or choose a file.</span>
    </Drop>
  );
}
