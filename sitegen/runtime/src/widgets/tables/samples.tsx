/** The page's own rows to try. */

import { useEffect, useState } from 'preact/hooks';
import type { DemoHost } from '../../shared/task';
import { samplesIn, type Sample } from './csv';

export function Samples(props: { host: DemoHost; chosen: Sample | null; choose: (sample: Sample) => void }) {
  const { host } = props;
  const [rows, setRows] = useState<Sample[]>([]);
  useEffect(() => {
    const read = async (): Promise<void> => {
      const files = await Promise.all(host.config.samples.map((_, index) => host.sample(index)));
      const texts = await Promise.all(files.map((file) => file.text()));
      setRows(texts.flatMap((text) => samplesIn(text.replace(/^\ufeff/, ''), host.config.takes.columns!)));
    };
    read().catch((error: Error) => host.fail(`The samples are missing: ${error.message}.`));
  }, []);
  if (!rows.length) return null;
  return (
    <div class="sg-row sg-rows" role="group" aria-label="Rows of the data to try">
      {rows.map((sample, index) => (
        <button
          type="button"
          class="sg-button"
          key={index}
          aria-pressed={sample === props.chosen}
          data-sample={index + 1}
          onClick={() => props.choose(sample)}
        >
          Sample {index + 1}
        </button>
      ))}
    </div>
  );
}
