/** The page's own pictures to try. */

import { useState } from 'preact/hooks';
import type { DemoHost } from '../../shared/task';
import { useSampleFiles } from '../common/samples';
import { decode } from './decode';
import type { Show } from './demo';

export function Samples({ host, show }: { host: DemoHost; show: Show }) {
  const { samples } = host.config;
  const files = useSampleFiles(host);
  const [chosen, setChosen] = useState<number | null>(null);

  const choose = async (index: number): Promise<void> => {
    setChosen(index);
    host.fail(null);
    try {
      await show(await decode(await host.sample(index)));
    } catch (error) {
      host.fail((error as Error).message);
    }
  };

  return (
    <ul class="sg-samples">
      {samples.map((sample, index) => (
        <li key={index}>
          <button
            type="button"
            aria-pressed={chosen === index}
            data-sample={sample.name}
            title={sample.name}
            onClick={() => void choose(index)}
          >
            {files[index] ? (
              <img src={files[index].url} alt={sample.name} />
            ) : (
              <span class="sg-blank">{sample.name}</span>
            )}
          </button>
        </li>
      ))}
    </ul>
  );
}
