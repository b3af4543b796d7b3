/** A picture of the visitor's own: chosen, dropped or pasted. It never leaves the page. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { DemoHost } from '../../shared/task';
import { decode } from './decode';
import type { Show } from './index';

export function Upload({ host, show }: { host: DemoHost; show: Show }) {
  const [url, setUrl] = useState<string | null>(null);
  const [over, setOver] = useState(false);
  const field = useRef<HTMLInputElement>(null);

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

  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void take(event.dataTransfer?.files[0]);
  };

  return (
    <label
      class={`sg-drop${over ? ' sg-over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      {url ? (
        <img src={url} alt="Your picture" />
      ) : (
        <span>Drop a picture here, paste one, or choose a file.</span>
      )}
      <span class="sg-note">It stays on your device.</span>
      <input
        ref={field}
        type="file"
        accept="image/*"
        onChange={() => {
          void take(field.current?.files?.[0]);
          // The same file again is a new choice.
          if (field.current) field.current.value = '';
        }}
      />
    </label>
  );
}
