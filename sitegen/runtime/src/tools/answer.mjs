// What a tool of the build does: for each line of JSON that comes, one line goes back (sitegen/runtime/node.py).
import { stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline';

export async function answer(each) {
  for await (const line of createInterface({ input: stdin })) {
    stdout.write(JSON.stringify((await each(JSON.parse(line))) ?? null) + '\n');
  }
}
