/** Where files are chosen or dropped; they never leave the page. */

import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';

export function Drop(props: {
  accept: string;
  take: (file: Blob | null | undefined) => void;
  children: ComponentChildren;
}) {
  const [over, setOver] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  return (
    <label
      class={`sg-drop${over ? ' sg-over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        props.take(event.dataTransfer?.files[0]);
      }}
    >
      {props.children}
      <span class="sg-note">It stays on your device.</span>
      <input
        ref={field}
        type="file"
        accept={props.accept}
        onChange={() => {
          props.take(field.current?.files?.[0]);
          // The same file again is a new choice.
          if (field.current) field.current.value = '';
        }}
      />
    </label>
  );
}
