/** How long the model took. */

export function Latency({ answer }: { answer: { milliseconds: number } | null }) {
  return (
    <p class="sg-latency">{answer ? `${answer.milliseconds.toFixed(1)} ms in this browser` : '\u00a0'}</p>
  );
}
