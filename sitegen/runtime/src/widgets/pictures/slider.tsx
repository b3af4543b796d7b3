/** A share from 0 to 1 that visitors choose. */

export function Slider(props: {
  name: string;
  title: string;
  least: number;
  value: number;
  set: (value: number) => void;
}) {
  return (
    <label class="sg-slider">
      <span>{props.title}</span>
      <input
        type="range"
        min={props.least}
        max={1}
        step={0.01}
        value={props.value}
        data-action={props.name}
        onInput={(event) => props.set(Number(event.currentTarget.value))}
      />
      <span class="sg-value">{percent(props.value)}</span>
    </label>
  );
}

export const percent = (value: number): string => `${Math.round(value * 100)}\u00a0%`;
