/** A picture of the visitor's own: chosen, dropped or pasted. It never leaves the page. */

import { useEffect, useState } from 'preact/hooks';
import type { DemoHost } from '../../shared/task';
import { decode } from './decode';
import type { Show } from './demo';
import { Drop } from './drop';

export function Upload({ host, show }: { host: DemoHost; show: Show }) {
  const [url, setUrl] = useState<string | null>(null);

  const take = async (file: Blob | null | undefined): Promise<void> => {
    if (!file) return;
    host.fail(null);
    try {
      const pixels = await decode(file);
      setUrl(URL.createObjectURL(file));
      await show(pixels);
    } catch (error) {
      setUrl(null);
      void show(null);
      host.fail((error as Error).message);
    }
  };

  useEffect(() => () => (url ? URL.revokeObjectURL(url) : undefined), [url]);
  useEffect(() => {
    const paste = (event: ClipboardEvent): void => {
      const file = [...(event.clipboardData?.files ?? [])].find((f) => f.type.startsWith('image/'));
      void take(file);
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, []);

  return (
    <Drop accept="image/*" take={(file) => void take(file)}>
      {url ? (
        <img src={url} alt="Your picture" />
      ) : (
        <span>Drop a picture here, paste one, or choose a file.</span>
      )}
    </Drop>
  );
}
