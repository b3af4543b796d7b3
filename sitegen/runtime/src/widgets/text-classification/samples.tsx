/** The page's own texts to try. */

import type { DemoHost } from '../../shared/task';
import { useSampleTexts } from '../common/samples';

export function Samples(props: { host: DemoHost; text: string; choose: (text: string) => void }) {
  const texts = useSampleTexts(props.host, (text) => text.split(/\r\n|\n|\r/).filter((line) => line.trim()));
  return (
    <ul class="sg-texts" aria-label="Texts to try">
      {texts.map((text, index) => (
        <li key={index}>
          <button
            type="button"
            class="sg-button"
            dir="auto"
            aria-pressed={text === props.text}
            data-sample={index + 1}
            onClick={() => props.choose(text)}
          >
            {text}
          </button>
        </li>
      ))}
    </ul>
  );
}
