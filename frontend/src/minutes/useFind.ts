/** Looking for words in the minutes that are open. */

import { computed, ref, watch } from "vue";

import type { Passage } from "@/api/types";

import { matches, termsOf } from "./find";
import { textOf } from "./paragraphs";

export function useFind(passages: () => Passage[], show: (passage: string) => void) {
  const query = ref("");
  const at = ref(-1);
  const terms = computed(() => termsOf(query.value));
  const hits = computed(() => (terms.value.length ? passages().filter((passage) => matches(textOf(passage), terms.value)).map(({ id }) => id) : []));
  // What changed meanwhile moves nobody; another question does.
  watch(terms, () => {
    at.value = hits.value.length ? 0 : -1;
    if (hits.value[0]) show(hits.value[0]);
  });

  function step(by: 1 | -1): void {
    const { length } = hits.value;
    if (!length) return;
    at.value = (at.value + by + length) % length;
    show(hits.value[at.value]!);
  }
  const found = computed(() => new Set(hits.value));
  return { query, terms, hits, found, at: computed(() => Math.min(at.value, hits.value.length - 1)), step };
}
