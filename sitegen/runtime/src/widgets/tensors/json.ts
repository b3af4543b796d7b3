/** JSON that people type -> values; what is wrong with it is told with its place, in every browser alike. */

export type Json = number | boolean | string | null | Json[] | { [key: string]: Json };

const TOKEN = /[\s\u00a0]*(?:([[\]{},:])|("(?:[^"\\\u0000-\u001f]|\\.)*")|([^\s[\]{},:"]+)|("))/y;

/** Throws an Error such as `line 2, column 5: there should be a , or ] here, not "x"`. */
export function parse(text: string): Json {
  let at = 0;
  let token = '';

  const wrong = (what: string): never => {
    const before = text.slice(0, at).split('\n');
    throw new Error(`line ${before.length}, column ${before.at(-1)!.length + 1}: ${what}`);
  };
  let end = 0;
  const advance = (): void => {
    at = end;
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    token = found ? (found[1] ?? found[2] ?? found[3] ?? found[4])! : '';
    end = found ? TOKEN.lastIndex : text.length;
    at = end - token.length;
  };
  const expected = (what: string): never =>
    wrong(`there should be ${what} here, not ${token ? `"${token}"` : 'the end'}`);

  const value = (): Json => {
    if (token === '[') return items(']', value);
    if (token === '{') {
      const members = items('}', (): [string, Json] => {
        const key = token.length > 1 && token.startsWith('"') ? string() : expected('a name in "quotes"');
        if (token !== ':') expected('a :');
        advance();
        return [key, value()];
      });
      return Object.fromEntries(members);
    }
    if (token.length > 1 && token.startsWith('"')) return string();
    if (token === '"') wrong('this text has no end');
    const plain = { true: true, false: false, null: null }[token];
    const said = plain === undefined && /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(token) ? Number(token) : plain;
    if (said === undefined) return expected('a number or a list');
    advance();
    return said;
  };
  const string = (): string => {
    const said = JSON.parse(token) as string;
    advance();
    return said;
  };
  const items = <Item>(close: string, item: () => Item): Item[] => {
    const list: Item[] = [];
    advance();
    if (token !== close) {
      list.push(item());
      while (token === ',') {
        advance();
        list.push(item());
      }
    }
    if (token !== close) expected(`a , or ${close}`);
    advance();
    return list;
  };

  advance();
  const whole = value();
  if (token) expected('the end');
  return whole;
}
