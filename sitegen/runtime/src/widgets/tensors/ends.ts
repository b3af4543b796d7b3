import type { DemoConfig, TensorSpec } from '../../shared/contract';

/** The model's ends; a plan was recorded for one input at a time. */
export function endsOf({ engine, model }: DemoConfig): { inputs: TensorSpec[]; outputs: TensorSpec[] } {
  const { inputs, outputs } = model.signature;
  if (engine.name !== 'plan') return { inputs, outputs };
  const one = (spec: TensorSpec): TensorSpec => ({
    ...spec,
    shape: spec.shape.map((n, axis) => (n < 0 && axis === 0 ? 1 : n)),
  });
  return { inputs: inputs.map(one), outputs: outputs.map(one) };
}
