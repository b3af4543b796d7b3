/** The page's own samples, as they arrive. */

import { useEffect, useState } from 'preact/hooks';
import type { DemoHost } from '../../shared/task';

export interface SampleFile {
  blob: Blob;
  /** An address for the page, good as long as what asked for it is there. */
  url: string;
}

/** Each sample as a file; null while it is on its way, or is missing, of which the visitor is told. */
export function useSampleFiles(host: DemoHost): (SampleFile | null)[] {
  const { samples } = host.config;
  const [files, setFiles] = useState<(SampleFile | null)[]>(samples.map(() => null));
  useEffect(() => {
    const made: string[] = [];
    let gone = false;
    samples.forEach((_, index) => {
      host.sample(index).then(
        (blob) => {
          if (gone) return;
          const url = URL.createObjectURL(blob);
          made.push(url);
          setFiles((known) => known.map((old, i) => (i === index ? { blob, url } : old)));
        },
        (error: unknown) => gone || host.fail(`A sample is missing: ${(error as Error).message}.`),
      );
    });
    return () => {
      gone = true;
      made.forEach((url) => URL.revokeObjectURL(url));
    };
  }, []);
  return files;
}

/** What `read` finds in the samples' texts; nothing until all are there. */
export function useSampleTexts<Item>(host: DemoHost, read: (text: string) => Item[]): Item[] {
  const [items, setItems] = useState<Item[]>([]);
  useEffect(() => {
    const load = async (): Promise<void> => {
      const files = await Promise.all(host.config.samples.map((_, index) => host.sample(index)));
      const texts = await Promise.all(files.map((file) => file.text()));
      setItems(texts.flatMap(read));
    };
    load().catch((error: Error) => host.fail(`The samples are missing: ${error.message}.`));
  }, []);
  return items;
}
