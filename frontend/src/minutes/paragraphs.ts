/** Passages put together where they read as one, as the server does for what is distributed (apps/minutes/document.py): pure functions. */

import type { Passage, Sentence } from "@/api/types";

import { joined, width } from "./text";

/** From here on silence ends a paragraph; ms. */
const PAUSE = 4000;
/** The most that passages are put together to, in Latin characters. */
const PARAGRAPH = 1200;
/** Two who speak at once for less than this do not overlap, the clocks of their tracks being as they are; ms. */
const OVERLAP = 300;

export interface Paragraph {
  /** Of its first passage. */
  id: string;
  speaker: string;
  participant: string | null;
  passages: Passage[];
}

const texts = new WeakMap<readonly Sentence[], string>();
/** What a passage says. Sentences that are told once are never changed. */
export function textOf({ sentences }: Pick<Passage, "sentences">): string {
  let text = texts.get(sentences);
  if (text === undefined) texts.set(sentences, (text = joined(sentences.map((each) => each.text))));
  return text;
}

/** In the order in which they began. */
export function inOrder(passages: Iterable<Passage>): Passage[] {
  const moments = [...passages].map((passage) => ({ passage, at: Date.parse(passage.starts_at) }));
  moments.sort((a, b) => a.at - b.at || (a.passage.id < b.passage.id ? -1 : Number(a.passage.id > b.passage.id)));
  return moments.map(({ passage }) => passage);
}

/** When a sentence was said, ms since 1970. */
export const momentOf = (passage: Passage, sentence: Sentence) => Date.parse(passage.starts_at) + sentence.start_ms - passage.start_ms;

const sameSpeaker = (a: Passage, b: Passage) => a.speaker === b.speaker && a.participant === b.participant;

function goesOn(before: Passage[], passage: Passage): boolean {
  const last = before.at(-1)!;
  if (!sameSpeaker(last, passage) || passage.mark || last.mark) return false;
  const ended = Math.max(...before.map(({ ends_at }) => Date.parse(ends_at)));
  if (Date.parse(passage.starts_at) - ended >= PAUSE) return false;
  return before.reduce((sum, each) => sum + width(textOf(each)), width(textOf(passage))) <= PARAGRAPH;
}

/** A decision or a task stands alone; a passage is never cut. `passages` are in their order. */
export function paragraphs(passages: readonly Passage[]): Paragraph[] {
  const found: Passage[][] = [];
  for (const passage of passages) {
    const last = found.at(-1);
    if (last && goesOn(last, passage)) last.push(passage);
    else found.push([passage]);
  }
  return found.map((of) => ({ id: of[0]!.id, speaker: of[0]!.speaker, participant: of[0]!.participant, passages: of }));
}

/** `now`, with the objects of `before` where nothing changed, so that they need not be drawn again. */
export function kept(before: readonly Paragraph[], now: Paragraph[]): Paragraph[] {
  const known = new Map(before.map((paragraph) => [paragraph.id, paragraph]));
  return now.map((paragraph) => {
    const old = known.get(paragraph.id);
    const same = old?.passages.length === paragraph.passages.length && paragraph.passages.every((passage, index) => passage === old.passages[index]);
    return same ? old : paragraph;
  });
}

/** The ids of passages during which somebody else spoke. `passages` are in their order. */
export function overlapping(passages: readonly Passage[]): Set<string> {
  const found = new Set<string>();
  let open: Passage[] = [];
  for (const passage of passages) {
    const from = Date.parse(passage.starts_at);
    open = open.filter(({ ends_at }) => Date.parse(ends_at) > from + OVERLAP);
    for (const other of open) {
      if (other.track === passage.track || Date.parse(passage.ends_at) - from <= OVERLAP) continue;
      found.add(other.id).add(passage.id);
    }
    open.push(passage);
  }
  return found;
}
