/** Plays the very words of a sentence, and those after it, if that is wanted. */

import { computed, onBeforeUnmount, ref, shallowRef } from "vue";

import { api, Problem, type MinutesOf } from "@/api";
import type { Passage, Sentence } from "@/api/types";
import { refusal } from "@/recording/usePlayer";

/** A sentence where it stands. */
export interface Place {
  passage: Passage;
  sentence: Sentence;
  index: number;
  key: string;
}

/** What was said a moment ago is heard a few seconds later: tried again so often, after so many ms. */
const AGAIN = 8;
const AGAIN_AFTER = 1000;

export const keyOf = (passage: string, index: number) => `${passage}:${index}`;
export const placesOf = (passages: readonly Passage[]): Place[] =>
  passages.flatMap((passage) => passage.sentences.map((sentence, index) => ({ passage, sentence, index, key: keyOf(passage.id, index) })));

export function useVoice(of: () => MinutesOf, places: () => Place[], onProblem: (problem: Problem) => void) {
  /** The sentence that is looked at, played or not. */
  const at = shallowRef<{ passage: string; index: number } | null>(null);
  const wanted = ref(false);
  const waiting = ref(false);
  const speed = ref(1);
  /** Whether the next sentence follows by itself. */
  const goesOn = ref(false);

  let audio: HTMLAudioElement | null = null;
  let turn = 0;
  let tries = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  /** What the element plays, or played last. */
  let loaded = "";

  const placeByKey = computed(() => new Map(places().map((place, order) => [place.key, { place, order }] as const)));
  /** Where a passage has fewer sentences than before, its last one. */
  const found = computed(() => {
    if (!at.value) return null;
    for (let index = at.value.index; index >= 0; index -= 1) {
      const there = placeByKey.value.get(keyOf(at.value.passage, index));
      if (there) return there;
    }
    return null;
  });
  const current = computed(() => found.value?.place ?? null);

  function stop(problem?: Problem | null): void {
    wanted.value = waiting.value = false;
    clearTimeout(retry);
    audio?.pause();
    if (problem) onProblem(problem);
  }

  function choose(place: Place): void {
    if (place.key !== current.value?.key) stop();
    at.value = { passage: place.passage.id, index: place.index };
  }

  async function play(place: Place, whole = false): Promise<void> {
    if (!audio) return;
    turn += 1;
    clearTimeout(retry);
    audio.pause();
    at.value = { passage: place.passage.id, index: place.index };
    wanted.value = waiting.value = true;
    tries = 0;
    const { passage, sentence } = place;
    loaded = api.passageAudio(of(), passage.id, whole ? passage.start_ms : sentence.start_ms, whole ? passage.end_ms : sentence.end_ms);
    audio.src = loaded;
    audio.defaultPlaybackRate = audio.playbackRate = speed.value;
    await sound();
  }

  async function sound(): Promise<void> {
    try {
      await audio?.play();
    } catch (error) {
      // Interrupted by the next one; what is wrong with the sound is an event.
      if (error instanceof DOMException && error.name === "NotAllowedError") stop();
    }
  }

  async function broke(): Promise<void> {
    const mine = turn;
    if (!audio || !wanted.value) return;
    const problem = await refusal(loaded);
    if (mine !== turn || !wanted.value) return;
    tries += 1;
    if (tries > AGAIN || (problem && problem.code !== "nothing_recorded") || (!problem && tries > 2)) return stop(problem ?? new Problem({ title: "", status: 0, code: "recording_broke_off" }));
    retry = setTimeout(() => {
      if (mine !== turn || !audio) return;
      audio.src = loaded;
      void sound();
    }, AGAIN_AFTER);
  }

  const beside = (by: 1 | -1) => {
    const all = places();
    return found.value ? (all[found.value.order + by] ?? null) : (all[by > 0 ? 0 : all.length - 1] ?? null);
  };

  function finished(): void {
    const next = goesOn.value ? beside(1) : null;
    if (wanted.value && next) void play(next);
    else stop();
  }

  function toggle(): void {
    const place = current.value ?? beside(1);
    if (wanted.value) stop();
    else if (place && audio && loaded && audio.getAttribute("src") === loaded && loaded.includes(place.passage.id) && audio.paused && !audio.ended && audio.currentTime > 0) {
      wanted.value = true;
      void sound();
    } else if (place) void play(place);
  }

  /** To the next or previous sentence: played, if something plays. */
  function step(by: 1 | -1): Place | null {
    const next = beside(by);
    if (!next) return null;
    if (wanted.value) void play(next);
    else choose(next);
    return next;
  }

  function attach(element: HTMLAudioElement | null): void {
    audio = element;
    if (!element) return;
    element.addEventListener("error", () => void broke());
    element.addEventListener("ended", finished);
    // Events come late: who has stopped meanwhile is believed.
    element.addEventListener("waiting", () => (waiting.value = wanted.value && !element.paused));
    element.addEventListener("playing", () => (waiting.value = false));
    // Also by the keys of a keyboard or headset.
    element.addEventListener("pause", () => !element.ended && !waiting.value && (wanted.value = false));
    element.addEventListener("play", () => element.paused || (wanted.value = true));
  }

  function setSpeed(next: number): void {
    speed.value = next;
    if (audio) audio.defaultPlaybackRate = audio.playbackRate = next;
  }

  onBeforeUnmount(() => {
    turn += 1;
    wanted.value = false;
    clearTimeout(retry);
    audio?.pause();
    audio?.removeAttribute("src");
  });

  return { current, wanted, waiting, speed, goesOn, attach, choose, play, toggle, step, stop: () => stop(), setSpeed };
}

export type Voice = ReturnType<typeof useVoice>;
