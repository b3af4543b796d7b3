/** Where the picture, or the film, comes from. */

import { useEffect, useRef } from 'preact/hooks';
import type { ImageSource } from '../../shared/contract';

export const TITLES: Record<ImageSource, string> = {
  draw: 'Draw',
  samples: 'Samples',
  upload: 'Picture',
  camera: 'Camera',
  video: 'Video',
};

export function Tabs(props: {
  sources: ImageSource[];
  chosen: ImageSource;
  choose: (source: ImageSource) => void;
  label?: string;
}) {
  const list = useRef<HTMLDivElement>(null);
  const moved = useRef(false);
  useEffect(() => {
    if (moved.current) list.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
    moved.current = false;
  }, [props.chosen]);
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    moved.current = true;
    const count = props.sources.length;
    props.choose(props.sources[(props.sources.indexOf(props.chosen) + step + count) % count]!);
  };
  return (
    <div
      class="sg-tabs"
      role="tablist"
      aria-label={props.label ?? 'Where the picture comes from'}
      ref={list}
      onKeyDown={key}
    >
      {props.sources.map((source) => (
        <button
          type="button"
          role="tab"
          key={source}
          aria-selected={source === props.chosen}
          tabIndex={source === props.chosen ? 0 : -1}
          data-source={source}
          onClick={() => props.choose(source)}
        >
          {TITLES[source]}
        </button>
      ))}
    </div>
  );
}
