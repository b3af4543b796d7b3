// What a tool of the build does: for each line of JSON that comes, one line goes back (sitegen/runtime/node.py).
import { writeSync } from 'node:fs';
import { stdin } from 'node:process';
import { createInterface } from 'node:readline';

export async function answer(each) {
  for await (const line of createInterface({ input: stdin })) {
    const reply = Buffer.from(JSON.stringify((await each(JSON.parse(line))) ?? null) + '\n');
    for (let at = 0; at < reply.length;) at += writeSync(1, reply, at);
  }
}
