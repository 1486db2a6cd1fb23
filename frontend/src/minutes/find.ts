/** Looking for words in text: pure functions. As the server does (apps/minutes/folding.py): whatever the case and the width, every part of what is asked for has to be there. */

/** Unicode's NFKC, in small letters. */
const folded = (text: string) => text.normalize("NFKC").toLowerCase();

export const termsOf = (query: string) => [...new Set(folded(query).split(/\s+/).filter(Boolean))];

const known = new Map<string, string>();
const MOST_KNOWN = 20_000;
/** Folded once, however often somebody types another letter. */
function foldedOnce(text: string): string {
  const before = known.get(text);
  if (before !== undefined) return before;
  if (known.size >= MOST_KNOWN) known.clear();
  const now = folded(text);
  known.set(text, now);
  return now;
}

/** Whether all of it is in the text. */
export function matches(text: string, terms: readonly string[]): boolean {
  const within = foldedOnce(text);
  return terms.every((term) => within.includes(term));
}

export interface Piece {
  text: string;
  hit: boolean;
}

/** The text in pieces, of which some are what was asked for. */
export function pieces(text: string, terms: readonly string[]): Piece[] {
  if (!terms.length) return [{ text, hit: false }];
  // Folded, some characters are longer or shorter.
  let within = "";
  const origin: number[] = [];
  let at = 0;
  for (const character of text) {
    const small = folded(character);
    for (let index = 0; index < small.length; index += 1) origin.push(at);
    within += small;
    at += character.length;
  }
  origin.push(at);
  const marked = new Uint8Array(text.length);
  for (const term of terms) {
    for (let found = within.indexOf(term); found >= 0; found = within.indexOf(term, found + term.length)) {
      const last = origin[found + term.length - 1]!;
      marked.fill(1, origin[found], last + (text.codePointAt(last)! > 0xffff ? 2 : 1));
    }
  }
  const found: Piece[] = [];
  for (let start = 0; start < text.length; ) {
    let end = start + 1;
    while (end < text.length && marked[end] === marked[start]) end += 1;
    found.push({ text: text.slice(start, end), hit: marked[start] === 1 });
    start = end;
  }
  return found;
}

/** The next page that has something, or the last one: a page brings nothing where much had to be looked through, and what was said long ago may still have it. */
export async function nextFound<T extends { results: unknown[]; after: string }>(ask: (after: string) => Promise<T>, after = ""): Promise<T> {
  let page = await ask(after);
  while (!page.results.length && page.after) page = await ask(page.after);
  return page;
}
