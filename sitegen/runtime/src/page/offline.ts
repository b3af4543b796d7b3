/**
 * `<sitegen-offline>`: says whether the page is kept on this device, of what files, and keeps or removes it. What it knows
 * is also on the element, for scripts and styles: data-state (none, not-kept, keeping, paused, kept, failed). The event
 * `sitegen-keep` on it keeps the page where its button would, as `sitegen check` does with every page, which tells the
 * text of what failed.
 */

import type { PageConfig } from '../shared/contract';
import { element, sizeText } from './dom';
import { sizeOf, type Keeper } from './keeper';

/** Where the page was opened, as far as keeping goes: without a keeper, `excuse` says why nothing can be kept. */
export type Keeping = { keeper: Keeper } | { keeper: null; excuse: string };

/** What the button does for now. */
interface Act {
  action: string;
  label: string;
  does: () => void;
}

export function defineOffline(page: PageConfig, keeping: Keeping): void {
  customElements.define(
    'sitegen-offline',
    class extends HTMLElement {
      private readonly text = element('span', { className: 'sg-offline-text', role: 'status' });
      private readonly bar = element('progress', { hidden: true });
      // Beside the status, so that it is not read out at every step.
      private readonly count = element('span', { className: 'sg-offline-count' });
      private readonly button = element('button', { type: 'button', className: 'sg-button', hidden: true });
      private readonly removal = element('button', { type: 'button', className: 'sg-button', hidden: true });
      private readonly space = element('td');

      connectedCallback(): void {
        this.replaceChildren(this.text, this.bar, this.count, this.button, this.removal);
        this.bar.setAttribute('aria-label', 'Keeping this page on your device');
        const { keeper } = keeping;
        if (!keeper) {
          this.show('none', keeping.excuse);
          return;
        }
        this.append(this.list(keeper));
        this.removal.textContent = 'Remove';
        this.removal.dataset.action = 'remove';
        this.removal.onclick = () => void this.discard(keeper).catch((error) => this.failed(keeper, error));
        this.addEventListener('sitegen-keep', () => this.dataset.state === 'not-kept' && this.button.click());
        void this.begin(keeper);
      }

      private async begin(keeper: Keeper): Promise<void> {
        try {
          // Kept already: what the browser evicted meanwhile is fetched again.
          // A worker that could not be had is asked for again when it is needed, and then it is said.
          const kept = await keeper.kept().catch(() => false);
          if (kept || keeper.wanted) await this.keep(keeper);
          else if (page.offline === 'never') this.show('none', 'This page needs a network.');
          else await this.offer(keeper);
        } catch (error) {
          this.failed(keeper, error);
        }
      }

      private async offer(keeper: Keeper, paused = false): Promise<void> {
        const [held, space] = await Promise.all([keeper.held(), keeper.space()]);
        const size = sizeText(keeper.bytes);
        const again = (): void => {
          keeper.wish();
          void this.keep(keeper);
        };
        if (paused) {
          const text = `Paused: ${sizeText(held)} of ${size} are on this device`;
          this.show('paused', text, { action: 'resume', label: 'Resume', does: again });
          this.removal.hidden = false;
          return;
        }
        const here = held > 0 ? `, of which ${sizeText(held)} are here` : '';
        const tight = space !== null && space < keeper.bytes - held;
        const room = tight ? `; the browser leaves ${sizeText(space)} to this site` : '';
        const text = `${size} to keep on this device${here}${room}`;
        this.show('not-kept', text, { action: 'keep', label: 'Keep offline', does: again });
      }

      private async keep(keeper: Keeper): Promise<void> {
        // A page that is kept is only looked through.
        const pause = { action: 'pause', label: 'Pause', does: () => keeper.pause() };
        this.show('keeping', 'Keeping this page on your device', keeper.keeps ? null : pause);
        this.bar.hidden = false;
        try {
          const whole = await keeper.keep((stored, total) => {
            this.bar.max = total || 1;
            this.bar.value = stored;
            this.count.textContent = `${sizeText(stored)} of ${sizeText(total)}`;
          });
          if (whole) this.kept(keeper);
          else await this.offer(keeper, true);
        } catch (error) {
          this.failed(keeper, error);
        }
      }

      private kept(keeper: Keeper): void {
        const focused = document.activeElement === this.button;
        this.show('kept', `Kept on this device: works offline (${sizeText(keeper.bytes)})`);
        this.removal.hidden = false;
        if (focused) this.removal.focus();
      }

      private failed(keeper: Keeper, error: unknown): void {
        const retry = { action: 'retry', label: 'Try again', does: () => void this.keep(keeper) };
        this.show('failed', `Not kept yet: ${reason(error)}`, retry);
        addEventListener('online', () => this.dataset.state === 'failed' && retry.does(), { once: true });
      }

      private async discard(keeper: Keeper): Promise<void> {
        await keeper.remove();
        await this.offer(keeper);
        this.button.focus();
      }

      private show(state: string, text: string, act: Act | null = null): void {
        this.dataset.state = state;
        this.text.textContent = text;
        this.count.textContent = '';
        this.bar.hidden = this.removal.hidden = true;
        // A button that was hidden even for a moment would lose the focus.
        this.button.hidden = !act;
        if (!act) return;
        this.button.dataset.action = act.action;
        this.button.textContent = act.label;
        this.button.onclick = act.does;
      }

      /** What is kept, folded away; how much space there is, is found out when somebody looks. */
      private list(keeper: Keeper): HTMLElement {
        const row = (name: string, value: string | Node): HTMLElement => {
          const head = element('th', { scope: 'row' }, name);
          return element('tr', {}, head, value instanceof Node ? value : element('td', {}, value));
        };
        const files = keeper.parts.map(({ what, needs }) => {
          const several = needs.length > 1 ? ` (${needs.length} files)` : '';
          return row(what + several, sizeText(sizeOf(needs)));
        });
        const sums = [row('Together', sizeText(keeper.bytes)), row('Space left for this site', this.space)];
        const table = element('table', {}, element('tbody', {}, ...files), element('tfoot', {}, ...sums));
        const folded = element('details', {}, element('summary', {}, 'What is kept'), table);
        folded.ontoggle = () => {
          if (folded.open) void this.look(keeper);
        };
        return folded;
      }

      private async look(keeper: Keeper): Promise<void> {
        const space = await keeper.space();
        this.space.textContent = space === null ? 'not told by this browser' : sizeText(space);
      }
    },
  );
}

function reason(error: unknown): string {
  if (error instanceof TypeError) return 'the connection was lost; what has arrived stays here';
  return error instanceof Error ? error.message : String(error);
}
