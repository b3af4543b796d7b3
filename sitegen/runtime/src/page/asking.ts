/** Questions to the service worker. */

import type { WorkerReply, WorkerRequest } from '../shared/contract';

const ANSWER_WITHIN = 60_000;

/** Throws when there is no answer. */
export function ask(worker: ServiceWorker, request: WorkerRequest): Promise<WorkerReply> {
  return new Promise((resolve, reject) => {
    const channel = new MessageChannel();
    const timer = setTimeout(() => reject(new Error('the service worker does not answer')), ANSWER_WITHIN);
    channel.port1.onmessage = (event: MessageEvent<WorkerReply>) => {
      clearTimeout(timer);
      channel.port1.close();
      resolve(event.data);
    };
    worker.postMessage(request, [channel.port2]);
  });
}
