/** In pages that `sitegen serve` shows: follows what is built (sitegen/serve.py is the other end). */

type Message =
  | { kind: 'ready'; build: string }
  | { kind: 'styles'; build: string; renamed: Record<string, string> }
  | { kind: 'failed'; text: string };

const OVERLAY = 'sitegen-overlay';

let shownBuild: string | null = null;

function follow(): void {
  const base = document.documentElement.dataset.previewBase;
  if (base === undefined) return;
  const events = new EventSource(`${base}__sitegen__/events`);
  events.onmessage = (event: MessageEvent<string>) => act(JSON.parse(event.data) as Message);
}

function act(message: Message): void {
  if (message.kind === 'failed') {
    overlay(message.text);
    return;
  }
  document.getElementById(OVERLAY)?.remove();
  if (message.kind === 'styles') restyle(message.renamed);
  else if (shownBuild !== null && shownBuild !== message.build) location.reload();
  else if (document.documentElement.dataset.previewBroken !== undefined) location.reload();
  shownBuild = message.build;
}

/** Puts new style sheets in the place of the old ones; the page keeps its state. */
function restyle(renamed: Record<string, string>): void {
  for (const link of document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]')) {
    const [from, to] = Object.entries(renamed).find(([old]) => link.href.endsWith(old)) ?? [];
    if (!from || !to) continue;
    const fresh = link.cloneNode() as HTMLLinkElement;
    fresh.href = link.href.slice(0, -from.length) + to;
    fresh.onload = () => link.remove();
    link.after(fresh);
  }
}

function overlay(text: string): void {
  document.getElementById(OVERLAY)?.remove();
  const box = document.createElement('div');
  box.id = OVERLAY;
  box.className = 'sg-overlay';
  box.setAttribute('role', 'alert');
  const title = document.createElement('h2');
  title.textContent = 'The build failed';
  const lines = document.createElement('pre');
  lines.textContent = text;
  box.append(title, lines);
  document.body.append(box);
}

follow();
