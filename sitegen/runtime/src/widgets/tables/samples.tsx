/** The page's own rows to try. */

import type { DemoHost } from '../../shared/task';
import { useSampleTexts } from '../common/samples';
import { samplesIn, type Sample } from './csv';

export function Samples(props: { host: DemoHost; chosen: Sample | null; choose: (sample: Sample) => void }) {
  const { host } = props;
  const rows = useSampleTexts(host, (text) =>
    samplesIn(text.replace(/^\ufeff/, ''), host.config.takes.columns!),
  );
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
