/** The page's own films to try. */

import { useEffect, useState } from 'preact/hooks';
import type { DemoHost } from '../../shared/task';

export function Samples({ host, take }: { host: DemoHost; take: (film: Blob) => void }) {
  const { samples } = host.config;
  const [films, setFilms] = useState<Record<number, { film: Blob; url: string }>>({});
  const [chosen, setChosen] = useState<number | null>(null);

  useEffect(() => {
    const made: string[] = [];
    let gone = false;
    samples.forEach((_, index) => {
      host.sample(index).then(
        (film) => {
          if (gone) return;
          const url = URL.createObjectURL(film);
          made.push(url);
          setFilms((known) => ({ ...known, [index]: { film, url } }));
        },
        (error: unknown) => gone || host.fail(`A sample is missing: ${(error as Error).message}.`),
      );
    });
    return () => {
      gone = true;
      made.forEach((url) => URL.revokeObjectURL(url));
    };
  }, []);

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
              take(films[index]!.film);
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
