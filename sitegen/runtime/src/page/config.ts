/** What the build says of the page, in the page. */

import type { PageConfig } from '../shared/contract';

/** Null on a page that no build made. */
export function pageConfig(): PageConfig | null {
  const text = document.getElementById('sitegen-page')?.textContent;
  return text ? (JSON.parse(text) as PageConfig) : null;
}
