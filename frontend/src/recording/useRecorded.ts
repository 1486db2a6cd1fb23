/** What there is of a conference to hear, kept up to date while there will be more. */

import { computed, onBeforeUnmount, onMounted, ref, shallowRef, watch } from "vue";

import { api, asProblem, type Problem } from "@/api";
import type { Track, Utterance } from "@/api/types";

import { askAfter, merge, saidOf, spoken, type Said } from "./lanes";

/** Between two questions; ms. */
const POLL = 2000;
/** Tracks are asked for once in so many polls: how far they can be heard, and whether they are sealed. */
const TRACKS_EVERY = 4;
/** What is told late began at most so much before what was told last; ms. */
const OVERLAP = 30_000;
const PAGE = 1000;
/** Links are good for ten minutes; a little before that they are asked for anew. */
const GOOD_FOR = 9 * 60_000;

export function useRecorded(id: string, isOver: () => boolean) {
  const tracks = shallowRef<Track[]>([]);
  const said = shallowRef<Said[]>([]);
  /** Of persons. */
  const voices = computed(() => spoken(said.value));
  const abilities = shallowRef<string[]>([]);
  const ready = ref(false);
  const failed = shallowRef<Problem | null>(null);

  let timer: ReturnType<typeof setTimeout> | undefined;
  let polls = 0;
  let tracksTold = 0;
  let closed = false;

  const growing = () => !isOver() || tracks.value.some(({ state }) => state === "live" || state === "mixing");

  async function loadTracks(): Promise<void> {
    const told = Date.now();
    const answer = await api.recorded(id);
    tracks.value = answer.tracks;
    abilities.value = answer.abilities;
    tracksTold = told;
  }

  /** All that somebody said, for good; the main room is mixed anew. Throws a Problem. */
  async function eraseVoice(participant: string): Promise<void> {
    await api.eraseVoice(id, participant);
    await loadTracks();
    said.value = said.value.filter((each) => each.participant !== participant);
    schedule();
  }

  async function loadSaid(): Promise<void> {
    const told = Date.now();
    const found: Utterance[] = [];
    let page = await api.utterances(id, { after: askAfter(said.value, OVERLAP), page_size: PAGE });
    for (;;) {
      found.push(...page.results);
      if (!page.next || closed) break;
      page = await api.follow<Utterance>(page.next);
    }
    said.value = merge(said.value, found.map((utterance) => saidOf(utterance, told)));
    const known = new Set(tracks.value.map((track) => track.id));
    if (found.some(({ track }) => !known.has(track))) await loadTracks();
  }

  async function load(): Promise<void> {
    failed.value = null;
    try {
      await loadTracks();
      await loadSaid();
      ready.value = true;
    } catch (error) {
      failed.value = asProblem(error);
    }
    schedule();
  }

  async function poll(): Promise<void> {
    polls += 1;
    try {
      if (polls % TRACKS_EVERY === 0 || !growing()) await loadTracks();
      await loadSaid();
    } catch {
      // The next one says more.
    }
    schedule();
  }

  function schedule(): void {
    clearTimeout(timer);
    if (closed || failed.value || document.hidden || !growing()) return;
    timer = setTimeout(() => void poll(), POLL);
  }

  function seen(): void {
    clearTimeout(timer);
    if (!document.hidden && ready.value && growing()) void poll();
  }

  /** A link for a whole track; `fresh`: another than the one before. */
  async function trackLink(track: string, fresh: boolean): Promise<string | null> {
    if (fresh || Date.now() - tracksTold > GOOD_FOR) await loadTracks();
    return tracks.value.find((each) => each.id === track)?.audio ?? null;
  }

  async function saidLink(one: Said, fresh: boolean): Promise<string | null> {
    const known = said.value.find((each) => each.id === one.id) ?? one;
    if (!fresh && Date.now() - known.told < GOOD_FOR) return known.audio;
    const told = Date.now();
    const page = await api.utterances(id, { after: new Date(one.from).toISOString(), participant: one.participant ?? undefined, page_size: 50 });
    said.value = merge(said.value, page.results.map((utterance) => saidOf(utterance, told)));
    return said.value.find((each) => each.id === one.id)?.audio ?? null;
  }

  onMounted(load);
  onMounted(() => document.addEventListener("visibilitychange", seen));
  // The last words come after the end, and the seals.
  watch(isOver, () => ready.value && void poll());
  onBeforeUnmount(() => {
    closed = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", seen);
  });

  return { tracks, said, voices, abilities, ready, failed, load, loadTracks, eraseVoice, trackLink, saidLink };
}

export type RecordedState = ReturnType<typeof useRecorded>;
