/**
 * `<sitegen-offline>`: says whether the page is kept on this device, and keeps or removes it. What it knows is also on the
 * element, for scripts and styles: data-state (none, not-kept, keeping, kept, failed). The event `sitegen-keep` on it keeps
 * the page where its button would, as `sitegen check` does with every page, which tells the text of what failed.
 */

import type { PageConfig } from '../shared/contract';
import { element, sizeText } from './dom';
import type { Keeper } from './keeper';

/** Where the page was opened, as far as keeping goes: without a keeper, `excuse` says why nothing can be kept. */
export type Keeping = { keeper: Keeper } | { keeper: null; excuse: string };

export function defineOffline(page: PageConfig, keeping: Keeping): void {
  customElements.define(
    'sitegen-offline',
    class extends HTMLElement {
      private readonly text = element('span', { className: 'sg-offline-text', role: 'status' });
      private readonly bar = element('progress', { hidden: true });
      private readonly button = element('button', { type: 'button', className: 'sg-button', hidden: true });

      connectedCallback(): void {
        this.replaceChildren(this.text, this.bar, this.button);
        this.bar.setAttribute('aria-label', 'Keeping this page on your device');
        if (!keeping.keeper) {
          this.show('none', keeping.excuse);
          return;
        }
        this.addEventListener('sitegen-keep', () => this.dataset.state === 'not-kept' && this.button.click());
        void this.begin(keeping.keeper);
      }

      private async begin(keeper: Keeper): Promise<void> {
        try {
          // Kept already: what the browser evicted meanwhile is fetched again.
          if ((await keeper.kept()) || page.offline === 'auto') await this.keep(keeper);
          else if (page.offline === 'never') this.show('none', 'This page needs a network.');
          else this.offer(keeper);
        } catch (error) {
          // There is no worker to ask, and none to keep it.
          this.failed(keeper, error);
        }
      }

      private offer(keeper: Keeper): void {
        this.show('not-kept', `${sizeText(keeper.bytes)} to keep on this device`);
        this.act('Keep offline', () => this.keep(keeper));
      }

      private async keep(keeper: Keeper): Promise<void> {
        this.show('keeping', 'Keeping this page on your device');
        this.bar.hidden = false;
        try {
          await keeper.keep((stored, total) => {
            this.bar.max = total || 1;
            this.bar.value = stored;
          });
          this.show('kept', `Kept on this device: works offline (${sizeText(keeper.bytes)})`);
          this.act('Remove', () => this.discard(keeper));
        } catch (error) {
          this.failed(keeper, error);
        }
      }

      private failed(keeper: Keeper, error: unknown): void {
        const why = error instanceof Error ? error.message : String(error);
        this.show('failed', `Not kept yet: ${why}`);
        this.act('Try again', () => this.keep(keeper));
      }

      private async discard(keeper: Keeper): Promise<void> {
        await keeper.remove();
        this.offer(keeper);
      }

      private show(state: string, text: string): void {
        this.dataset.state = state;
        this.text.textContent = text;
        this.bar.hidden = true;
        this.button.hidden = true;
      }

      private act(label: string, action: () => Promise<void>): void {
        this.button.textContent = label;
        this.button.hidden = false;
        this.button.onclick = () => void action();
      }
    },
  );
}
