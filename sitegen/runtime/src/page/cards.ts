/**
 * `<sitegen-keeping href="…">`: on a card of the front page, whether its page is on this device already. A script of its
 * own, as no other page has it.
 */

import { keptPages } from '../shared/kept';
import { pageConfig } from './config';

const config = pageConfig();
const base = config && new URL(config.root, location.href).href;

async function look(): Promise<void> {
  // Cache Storage exists on https and on this machine only.
  if (base === null || location.protocol === 'file:' || !('caches' in globalThis)) return;
  const kept = await keptPages(base, new Set());
  for (const card of document.querySelectorAll<HTMLElement>('sitegen-keeping')) {
    const path = new URL(card.getAttribute('href')!, location.href).href.slice(base.length);
    // What stands there is what the page could be.
    card.dataset.could ??= card.textContent!;
    const there = kept.has(path);
    card.toggleAttribute('data-kept', there);
    card.textContent = there ? 'on this device' : card.dataset.could;
  }
}

// Also when visitors come back to this page, which browsers then show as it was.
window.addEventListener('pageshow', () => void look());
