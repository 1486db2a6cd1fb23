/** A pasted list of people, one a line: the name, then numbers. */

import type { Person } from "@/api/types";

import { MOST_NUMBERS } from "./draft";

export interface Pasted {
  people: Person[];
  /** Lines (from 1) with no name, no number, or too many numbers. */
  bad: number[];
}

const WIDE = /[０-９＋（）－]/g;
/** Spaces within one number: +86 138 0013 8000, 010 6278 0001, +44 20 7946 0958. */
const INTERNATIONAL = /\+\d[\d() .-]*\d/g;
const MOBILE = /(?<!\d)(1\d{2})[ -](\d{4})[ -](\d{4})(?!\d)/g;
const LANDLINE = /(?<!\d)(0\d{2,3})[ -](\d{3,4})[ -]?(\d{4})(?!\d)/g;
const IS_NUMBER = /^\+?[\d().-]{2,}$/;

const narrow = (text: string) => text.replace(WIDE, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0));

function readLine(line: string): Person | null {
  // A tab, comma or the like always ends a number; a space may be inside one.
  const words = narrow(line)
    .split(/[\t,;，；、|]+/)
    .flatMap((cell) =>
      cell
        .replace(INTERNATIONAL, (number) => number.replace(/[ ().-]/g, ""))
        .replace(MOBILE, "$1$2$3")
        .replace(LANDLINE, "$1$2$3")
        .trim()
        .split(/[\s\u3000]+/),
    )
    .filter(Boolean);
  const first = words.findIndex((word) => IS_NUMBER.test(word));
  if (first < 1) return null;
  const numbers = words.slice(first);
  if (numbers.length > MOST_NUMBERS || !numbers.every((word) => IS_NUMBER.test(word))) return null;
  return { name: words.slice(0, first).join(" "), role: "participant", numbers: numbers.map((number) => ({ number })) };
}

export function readPasted(text: string): Pasted {
  const pasted: Pasted = { people: [], bad: [] };
  text.split(/\r?\n/).forEach((line, index) => {
    if (!line.trim()) return;
    const person = readLine(line);
    if (person) pasted.people.push(person);
    else pasted.bad.push(index + 1);
  });
  return pasted;
}
