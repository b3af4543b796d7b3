/** The plan engine on several cores: where pages are isolated from other sites, and have it (page/probes.ts). */

import { playing } from './playing';
import { serve } from './serve';
import { startThreads } from './threads';

serve(playing(async (files) => ({ ...(await startThreads(files.wasm!)), backend: 'wasm-threads' })));
