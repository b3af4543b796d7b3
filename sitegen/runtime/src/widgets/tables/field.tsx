/** A feature to set: a slider with a number field, or a list of choices. */

import { useState } from 'preact/hooks';
import type { Feature } from '../../shared/contract';

interface FieldProps<Kind> {
  feature: Extract<Feature, { kind: Kind }>;
  value: number;
  set: (value: number) => void;
}

export function NumberField({ feature, value, set }: FieldProps<'number'>) {
  const { name, unit, min, max, step } = feature;
  // What visitors type is theirs until they leave the field: "1" on the way to "12" is no value yet.
  const [typed, setTyped] = useState<string | null>(null);
  const title = unit ? `${name}, ${unit}` : name;
  const within = (text: string): boolean => text.trim() !== '' && Number(text) >= min && Number(text) <= max;
  const type = (text: string): void => {
    setTyped(text);
    if (within(text)) set(Number(text));
  };
  return (
    <div class="sg-feature" data-feature={name}>
      <span class="sg-feature-name">
        {name}
        {unit && <span class="sg-note"> {unit}</span>}
      </span>
      <input
        type="number"
        aria-label={`${title}, as a number`}
        aria-invalid={typed !== null && !within(typed)}
        min={min}
        max={max}
        step={step}
        value={typed ?? value}
        onInput={(event) => type(event.currentTarget.value)}
        onBlur={() => setTyped(null)}
      />
      <input
        type="range"
        aria-label={title}
        min={min}
        max={max}
        step={step}
        value={value}
        onInput={(event) => set(Number(event.currentTarget.value))}
      />
      <span class="sg-ends-of" aria-hidden="true">
        <span>{min}</span>
        <span>{max}</span>
      </span>
    </div>
  );
}

export function ChoiceField({ feature, value, set }: FieldProps<'choice'>) {
  const { name, choices } = feature;
  return (
    <label class="sg-feature" data-feature={name}>
      <span class="sg-feature-name">{name}</span>
      <select value={value} onChange={(event) => set(Number(event.currentTarget.value))}>
        {choices.map((choice, index) => (
          <option key={index} value={index}>
            {choice}
          </option>
        ))}
      </select>
    </label>
  );
}
