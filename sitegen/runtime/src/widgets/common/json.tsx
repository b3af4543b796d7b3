/** What a model said as JSON, folded away, with a button that copies it. */

import { useRef, useState } from 'preact/hooks';
import './field.css';
import './json.css';

export function Json({ text }: { text: string }) {
  return (
    <details class="sg-json">
      <summary>As JSON</summary>
      <Copyable text={text} />
    </details>
  );
}

/** A text to copy; `shown` is what there is room for. */
export function Copyable({ text, shown = text }: { text: string; shown?: string }) {
  const block = useRef<HTMLPreElement>(null);
  const [said, setSaid] = useState('Copy');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('Copied');
    } catch {
      // Where pages may not, visitors can.
      getSelection()?.selectAllChildren(block.current!);
      setSaid('Selected: copy it with the keyboard');
    }
    setTimeout(() => setSaid('Copy'), 2000);
  };
  return (
    <div class="sg-copyable">
      <button type="button" class="sg-button" data-action="copy" onClick={() => void copy()}>
        {said}
      </button>
      <pre ref={block} tabIndex={0}>
        {shown}
      </pre>
    </div>
  );
}
