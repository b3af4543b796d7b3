/** The page's own texts to try. */

import { useEffect, useState } from 'preact/hooks';
import type { DemoHost } from '../../shared/task';

export function Samples(props: { host: DemoHost; text: string; choose: (text: string) => void }) {
  const { host } = props;
  const [texts, setTexts] = useState<string[]>([]);
  useEffect(() => {
    const read = async (): Promise<void> => {
      const files = await Promise.all(host.config.samples.map((_, index) => host.sample(index)));
      const read = await Promise.all(files.map((file) => file.text()));
      setTexts(read.flatMap((text) => text.split(/\r\n|\n|\r/).filter((line) => line.trim())));
    };
    read().catch((error: Error) => host.fail(`The samples are missing: ${error.message}.`));
  }, []);
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
