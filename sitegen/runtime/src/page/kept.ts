/**
 * `<sitegen-kept>`: on the page that stands in for others without a network, what there is instead, and the way back. A
 * script of its own, as no other page has it.
 */

import type { PageConfig } from '../shared/contract';
import { keptPages } from '../shared/kept';
import { pageConfig } from './config';
import { element } from './dom';

/** Pages of the shell that nobody has to be led to. */
const SHELL = new Set(['index.html', 'offline.html']);

function defineKept({ root }: PageConfig): void {
  const base = new URL(root, location.href).href;
  customElements.define(
    'sitegen-kept',
    class extends HTMLElement {
      connectedCallback(): void {
        // Cache Storage exists on https and on this machine only.
        if (location.protocol !== 'file:' && 'caches' in globalThis) void this.fill(base);
      }

      private async fill(base: string): Promise<void> {
        const wanted = wantedPage(base);
        if (wanted) {
          this.append(element('p', {}, element('a', { href: wanted }, 'Try again')));
          window.addEventListener('online', () => location.replace(wanted));
        }
        const pages = await headings(base);
        const links = [...pages].map(([href, title]) => element('li', {}, element('a', { href }, title)));
        if (links.length === 0) this.append(element('p', {}, 'No page is kept on this device yet.'));
        else this.append(element('h2', {}, 'Kept on this device'), element('ul', {}, ...links));
      }
    },
  );
}

/** The page that was asked for (sw/sw.ts says which), if it is one of this site's. */
function wantedPage(base: string): string | null {
  const path = new URLSearchParams(location.search).get('page');
  const address = path === null ? '' : new URL(path, base).href;
  return address.startsWith(base) ? address : null;
}

/** Addresses of all pages that are kept, and their headings. */
async function headings(base: string): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  for (const [path, shell] of await keptPages(base, SHELL)) {
    const url = base + path;
    const html = await (await shell.match(url))?.text();
    const page = new DOMParser().parseFromString(html ?? '', 'text/html');
    pages.set(url, page.querySelector('h1')?.textContent || page.title);
  }
  return pages;
}

const page = pageConfig();
if (page) defineKept(page);
