/** Changing passages, while others may change them, too: nothing that somebody wrote is lost. */

import { computed, ref, shallowRef, watch } from "vue";

import { api, asProblem, type MinutesOf } from "@/api";
import type { Passage, PassageBody } from "@/api/types";
import { i18n } from "@/i18n";
import { useLive } from "@/stores/live";
import { useToasts } from "@/stores/toasts";

import { textOf } from "./paragraphs";
import { pointsBefore, sameplace } from "./text";
import type { MinutesState } from "./useMinutes";

/** The passage as it is now, which a refusal brings along. */
function nowOf(error: unknown): Passage | null {
  const { code, document } = asProblem(error);
  return code === "passage_outdated" && document.passage ? (document.passage as Passage) : null;
}

export function useEditing(of: () => MinutesOf, state: MinutesState) {
  const toasts = useToasts();
  const live = useLive();
  /** The passage whose text is written, as it was when that began. */
  const base = shallowRef<Passage | null>(null);
  const text = ref("");
  const busy = ref(false);
  /** What was written of a passage that is gone. */
  const orphan = ref("");

  const signed = computed(() => state.minutes.value?.state === "signed");
  const has = (ability: string) => state.minutes.value?.abilities.includes(ability) ?? false;
  const corrects = computed(() => !signed.value && has("correct_minutes"));
  const isMine = (passage: Passage) => passage.mine ?? (passage.participant !== null && passage.participant === live.me?.id);
  const mayWrite = (passage: Passage | null | undefined) => !!passage && !signed.value && (has("correct_minutes") || (has("correct_own_words") && isMine(passage)));

  const changed = computed(() => base.value !== null && text.value.trim() !== textOf(base.value));
  /** The passage in others' words, where they changed it meanwhile. */
  const theirs = computed(() => {
    const now = base.value ? state.byId.value.get(base.value.id) : null;
    return now && base.value && textOf(now) !== textOf(base.value) && textOf(now) !== text.value.trim() ? now : null;
  });
  watch(state.byId, (byId) => {
    if (!base.value || byId.has(base.value.id)) return;
    if (changed.value) orphan.value = text.value;
    else toasts.bad(i18n.global.t("minutes.edit.gone"));
    base.value = null;
  });

  function begin(passage: Passage): void {
    base.value = passage;
    text.value = textOf(passage);
  }
  function cancel(): void {
    base.value = null;
  }

  async function working<T>(work: () => Promise<T>): Promise<T | null> {
    if (busy.value) return null;
    busy.value = true;
    try {
      return await work();
    } catch (error) {
      const now = nowOf(error);
      if (now) state.take([now]);
      if (asProblem(error).code === "minutes_signed") void state.reload();
      toasts.bad(error);
      return null;
    } finally {
      busy.value = false;
    }
  }

  /** Ask again once, of the passage as it is now, where others changed something else than `unless` says. */
  async function insist<T>(passage: Passage, ask: (version: number) => Promise<T>, unless: (now: Passage) => boolean): Promise<T> {
    try {
      return await ask(state.byId.value.get(passage.id)?.version ?? passage.version);
    } catch (error) {
      const now = nowOf(error);
      if (!now || now.removed || unless(now)) throw error;
      state.take([now]);
      return ask(now.version);
    }
  }

  /** What is no text: mark, speaker, hidden. */
  function change(passage: Passage, body: PassageBody): Promise<Passage | null> {
    const asIs = (now: Passage) => (Object.keys(body) as (keyof PassageBody)[]).every((key) => now[key as keyof Passage] === passage[key as keyof Passage]);
    return working(async () => {
      const answer = await insist(passage, (version) => api.changePassage(of(), passage.id, version, body), (now) => !asIs(now));
      state.take([answer]);
      return answer;
    });
  }

  /** Keep what is written. While others' words stand beside it, only once it was decided (`mine`). */
  async function save(mine = false): Promise<Passage | null> {
    const before = base.value;
    if (!before) return null;
    if (!changed.value && !theirs.value) {
      cancel();
      return state.byId.value.get(before.id) ?? before;
    }
    if (theirs.value && !mine) return null;
    if (theirs.value) base.value = theirs.value;
    const from = base.value!;
    const answer = await working(async () => {
      try {
        return await insist(from, (version) => api.changePassage(of(), from.id, version, { text: text.value.trim() }), (now) => textOf(now) !== textOf(from));
      } catch (error) {
        const now = nowOf(error);
        if (!now) throw error;
        state.take([now]); // shown beside what was written
        return null;
      }
    });
    if (!answer) return null;
    if (base.value?.id === answer.id) cancel();
    state.take([answer]);
    return answer;
  }

  /** In two, at an offset of JavaScript in its text; the second of them. */
  async function split(passage: Passage, offset: number): Promise<Passage | null> {
    const whole = textOf(passage);
    if (offset <= 0 || offset >= whole.length) return null;
    const answer = await working(() => insist(passage, (version) => api.splitPassage(of(), passage.id, version, pointsBefore(whole, offset)), (now) => textOf(now) !== whole));
    if (answer) state.take(answer.passages);
    return answer?.passages[1] ?? null;
  }

  /** Where the cursor is in what is written, which is kept first. */
  async function splitWritten(offset: number): Promise<Passage | null> {
    const was = text.value;
    const kept = await save();
    if (!kept) return null;
    const at = sameplace(was, offset, textOf(kept));
    if (at >= 0) return split(kept, at);
    toasts.bad(i18n.global.t("minutes.edit.noSplit"));
    return null;
  }

  /** The next one of the same track, if it is of the same speaker. */
  function after(passage: Passage): Passage | null {
    const later = state.passages.value.filter(({ track, start_ms, id }) => track === passage.track && (start_ms > passage.start_ms || (start_ms === passage.start_ms && id > passage.id)));
    const next = later.reduce<Passage | null>((first, each) => (!first || each.start_ms < first.start_ms ? each : first), null);
    return next && next.speaker === passage.speaker && next.participant === passage.participant ? next : null;
  }

  async function merge(passage: Passage): Promise<Passage | null> {
    const answer = await working(() => insist(passage, (version) => api.mergePassage(of(), passage.id, version), (now) => textOf(now) !== textOf(passage)));
    if (answer) state.take(answer.passages);
    return answer?.passages[0] ?? null;
  }

  async function restore(passage: Passage): Promise<boolean> {
    const answer = await working(() => api.restorePassage(of(), passage.id, state.byId.value.get(passage.id)?.version ?? passage.version));
    if (answer) state.take([answer]);
    return answer !== null;
  }

  return { base, text, busy, orphan, signed, corrects, mayWrite, changed, theirs, begin, cancel, change, save, split, splitWritten, after, merge, restore };
}

export type Editing = ReturnType<typeof useEditing>;
