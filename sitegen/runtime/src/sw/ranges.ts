/**
 * Parts of kept files, which media elements ask for when they seek (RFC 9110, 13.1.5 and 14): one range of bytes. Whoever
 * asks for several, in other units or in other words gets the whole file, as the standard allows.
 */

const ONE_RANGE = /^bytes=\s*(\d*)-(\d*)\s*$/i;

/**
 * The answer to a request for a file that is `stored` whole. `name` is the file's path, which its content is part of: it
 * is the file's tag too.
 */
export async function ranged(stored: Response, request: Request, name: string): Promise<Response> {
  const range = ONE_RANGE.exec(request.headers.get('Range') ?? '');
  if (!range || !valid(range)) return stored;
  const tag = `"${encodeURI(name)}"`;
  const known = request.headers.get('If-Range');
  if (known !== null && known !== tag) return stored;
  const whole = await stored.blob();
  const [first, last] = bounds(range, whole.size);
  const headers = new Headers(stored.headers);
  headers.set('Accept-Ranges', 'bytes');
  headers.set('ETag', tag);
  if (first > last) {
    headers.set('Content-Range', `bytes */${whole.size}`);
    headers.set('Content-Length', '0');
    return new Response(null, { status: 416, statusText: 'Range Not Satisfiable', headers });
  }
  headers.set('Content-Range', `bytes ${first}-${last}/${whole.size}`);
  headers.set('Content-Length', String(last + 1 - first));
  return new Response(whole.slice(first, last + 1), { status: 206, statusText: 'Partial Content', headers });
}

/** A range without ends, or one that ends before it begins, is none at all. */
function valid([, from, to]: RegExpExecArray): boolean {
  return from && to ? Number(from) <= Number(to) : Boolean(from || to);
}

/** The first byte and the last one of a range, `-n` being the last n; the first is past the last where there are none. */
function bounds([, from, to]: RegExpExecArray, size: number): [first: number, last: number] {
  if (!from) return [Math.max(0, size - Number(to)), size - 1];
  return [Number(from), to ? Math.min(Number(to), size - 1) : size - 1];
}
