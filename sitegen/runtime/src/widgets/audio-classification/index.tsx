/** The task audio-classification: sound in, by file or microphone; a bar for every class, and what is heard when. */

import { render } from 'preact';
import { Demo } from './demo';
import './style.css';

globalThis.sitegen ??= { tasks: {} };
globalThis.sitegen.tasks['audio-classification'] = {
  mount(root, host) {
    render(<Demo host={host} input={host.config.takes.audio!} />, root);
    return () => render(null, root);
  },
};
