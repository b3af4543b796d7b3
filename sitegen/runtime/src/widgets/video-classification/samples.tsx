/** The page's own films to try. */

import { useState } from 'preact/hooks';
import type { DemoHost } from '../../shared/task';
import { useSampleFiles } from '../common/samples';

export function Samples({ host, take }: { host: DemoHost; take: (film: Blob) => void }) {
  const { samples } = host.config;
  const films = useSampleFiles(host);
  const [chosen, setChosen] = useState<number | null>(null);

  return (
    <ul class="sg-samples sg-films">
      {samples.map(({ name }, index) => (
        <li key={index}>
          <button
            type="button"
            aria-pressed={chosen === index}
            disabled={!films[index]}
            data-sample={name}
            onClick={() => {
              setChosen(index);
              take(films[index]!.blob);
            }}
          >
            {films[index] ? (
              <video src={films[index].url} preload="metadata" muted playsInline tabIndex={-1} aria-hidden />
            ) : (
              <span class="sg-blank" />
            )}
            <span>{name}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
