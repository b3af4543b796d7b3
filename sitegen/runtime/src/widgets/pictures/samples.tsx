/** The page's own pictures to try. */

import { useEffect, useState } from 'preact/hooks';
import type { DemoHost } from '../../shared/task';
import { decode } from './decode';
import type { Show } from './demo';

export function Samples({ host, show }: { host: DemoHost; show: Show }) {
  const { samples } = host.config;
  const [urls, setUrls] = useState<(string | null)[]>(samples.map(() => null));
  const [chosen, setChosen] = useState<number | null>(null);

  useEffect(() => {
    const made: string[] = [];
    let gone = false;
    samples.forEach((_, index) => {
      host.sample(index).then(
        (blob) => {
          if (gone) return;
          const url = URL.createObjectURL(blob);
          made.push(url);
          setUrls((known) => known.map((old, i) => (i === index ? url : old)));
        },
        (error: unknown) => gone || host.fail(`A sample is missing: ${(error as Error).message}.`),
      );
    });
    return () => {
      gone = true;
      made.forEach((url) => URL.revokeObjectURL(url));
    };
  }, []);

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
            {urls[index] ? (
              <img src={urls[index]} alt={sample.name} />
            ) : (
              <span class="sg-blank">{sample.name}</span>
            )}
          </button>
        </li>
      ))}
    </ul>
  );
}
