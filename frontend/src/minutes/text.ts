/** Sentences in a row, as the server joins them (apps/minutes/document.py), and places in what comes of it: pure functions. Offsets are in UTF-16 units unless said. */

/** Characters as wide as a Chinese one (Unicode Annex 11, W and F). */
const WIDE = /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]$/u;
/** Of both scripts (Annex 11, A): what they stand beside decides. */
const OF_BOTH = /^[\u00a1\u00a4\u00a7\u00a8\u00ae\u00b0\u00b1\u00b4\u00b6-\u00b8\u00bf\u00d7\u00f7\u2010\u2013-\u2016\u2018\u2019\u201c\u201d\u2020-\u2022\u2024-\u2027\u2030\u2032\u2033\u2035\u203b\u203e\u20ac]$/u;
const LETTER = /^[\p{L}\p{N}]$/u;

const isWide = (character: string) => WIDE.test(character);
const isOfBoth = (character: string) => OF_BOTH.test(character);

/** What belongs between two texts: nothing between Chinese ones, else a space. */
export function gap(before: string, after: string): string {
  const left = [...before];
  const right = [...after];
  if (!left.length || !right.length || /\s/.test(left.at(-1)!) || /\s/.test(right[0]!)) return "";
  const beside = right.find((each) => !isOfBoth(each)) ?? "";
  if (isWide(left.findLast((each) => !isOfBoth(each)) ?? "")) return "";
  return isWide(beside) && !LETTER.test(beside) ? "" : " ";
}

/** These in a row, with the spaces that belong between them. */
export function joined(texts: Iterable<string>): string {
  let whole = "";
  for (const text of texts) whole += gap(whole, text) + text;
  return whole;
}

/** Where each text begins in `joined`. */
export function startsOf(texts: readonly string[]): number[] {
  let whole = "";
  return texts.map((text) => {
    whole += gap(whole, text);
    const start = whole.length;
    whole += text;
    return start;
  });
}

/** How much room a text takes, in Latin characters; one of Chinese takes two. */
export function width(text: string): number {
  let sum = 0;
  for (const character of text) sum += isWide(character) ? 2 : 1;
  return sum;
}

/** An offset of JavaScript as the server counts: in code points. */
export const pointsBefore = (text: string, offset: number) => [...text.slice(0, offset)].length;

/**
 * The place in `now` that is where `offset` is in `was`, where both differ in white space only (as saving a text may change it); -1 where
 * they differ in more, or nothing would be left on one side.
 */
export function sameplace(was: string, offset: number, now: string): number {
  const bare = (text: string) => text.replace(/\s+/g, "");
  if (bare(was) !== bare(now)) return -1;
  let left = bare(was.slice(0, offset)).length;
  if (left === 0 || left === bare(now).length) return -1;
  let at = 0;
  for (; left > 0; at += 1) if (!/\s/.test(now[at]!)) left -= 1;
  return at;
}

/** `now` in three: what begins like `was`, what is another, what ends like it. */
export function difference(was: string, now: string): [string, string, string] {
  const [before, after] = [[...was], [...now]];
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return [after.slice(0, start).join(""), after.slice(start, after.length - end).join(""), after.slice(after.length - end).join("")];
}
