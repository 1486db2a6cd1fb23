/** The minutes of a conference or whisper, as they are now: kept up to date by the live feed, or by asking where nothing is told there. */

import { computed, onBeforeUnmount, ref, shallowRef, watch } from "vue";

import { api, asProblem, type MinutesOf, type Problem } from "@/api";
import type { Minutes, Passage } from "@/api/types";
import { useLive } from "@/stores/live";

import { PassageFeed } from "./feed";
import { inOrder, textOf } from "./paragraphs";

/** Where the feed says nothing; ms. */
const POLL = 3000;
/** How far the machine is, and what else is no passage, is asked for once in so many polls. */
const MINUTES_EVERY = 5;

export function useMinutes(of: () => MinutesOf, on: () => boolean = () => true) {
  const live = useLive();
  const minutes = shallowRef<Minutes | null>(null);
  const byId = shallowRef<ReadonlyMap<string, Passage>>(new Map());
  const passages = computed(() => inOrder(byId.value.values()));
  /** Whose text was replaced while this page was open. */
  const renewed = shallowRef<ReadonlySet<string>>(new Set());
  const ready = ref(false);
  const failed = shallowRef<Problem | null>(null);

  let feed: PassageFeed | null = null;
  let turn = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  let polls = 0;

  const corrects = () => minutes.value?.abilities.includes("correct_minutes") ?? false;

  /** What is no passage. */
  async function reload(): Promise<void> {
    const mine = turn;
    try {
      const answer = await api.minutes(of());
      if (mine === turn) minutes.value = answer;
    } catch (error) {
      const problem = asProblem(error);
      if (mine === turn && (!minutes.value || problem.status === 403 || problem.status === 404)) failed.value = problem;
    }
  }
  /** A moment later, however often it is asked for. */
  const reloadSoon = () =>
    (again ??= setTimeout(() => {
      again = undefined;
      if (feed) void reload();
    }, 1000));

  function changed(now: ReadonlyMap<string, Passage>, told: Passage[]): void {
    const before = byId.value;
    const texts = told.filter(({ id, removed }) => !removed && before.has(id) && now.has(id) && textOf(before.get(id)!) !== textOf(now.get(id)!));
    if (texts.length) renewed.value = new Set([...renewed.value, ...texts.map(({ id }) => id)]);
    byId.value = now;
    ready.value = true;
  }

  async function start(): Promise<void> {
    stop();
    const mine = turn;
    failed.value = null;
    ready.value = false;
    await reload();
    if (mine !== turn || failed.value) return;
    feed = new PassageFeed((since) => api.passages(of(), since), { changed, failed: (problem) => (failed.value = problem) }, corrects);
    feed.want();
    schedule();
  }

  function stop(): void {
    turn += 1;
    feed?.stop();
    feed = null;
    clearTimeout(timer);
    clearTimeout(again);
    again = undefined;
    minutes.value = null;
    byId.value = new Map();
    renewed.value = new Set();
  }

  /** The live feed tells of the main room only, and only while it is open. */
  const isTold = () => !of().whisper && live.id === of().conference && live.status === "live";

  function poll(): void {
    polls += 1;
    if (!document.hidden) {
      if (!isTold()) feed?.want();
      const settled = isTold() && minutes.value && minutes.value.state !== "open" && minutes.value.state !== "none";
      if (polls % MINUTES_EVERY === 0 && !settled) void reload();
    }
    schedule();
  }
  function schedule(): void {
    clearTimeout(timer);
    timer = setTimeout(poll, POLL);
  }

  const silence = live.onMinutes((message) => {
    if (!feed || of().whisper || live.id !== of().conference) return;
    if (message) feed.frame(message);
    else feed.want();
    if (!message?.passages) reloadSoon();
  });
  const seen = () => {
    if (document.hidden || !feed) return;
    feed.want();
    reloadSoon();
  };
  document.addEventListener("visibilitychange", seen);
  watch(() => [of().conference, of().whisper, on()] as const, ([conference, , wanted]) => void (wanted && conference ? start() : stop()), { immediate: true });
  // What the engine does with the last words.
  watch(() => live.ended, () => feed && reloadSoon());
  onBeforeUnmount(() => {
    stop();
    silence();
    document.removeEventListener("visibilitychange", seen);
  });

  return { minutes, passages, byId, renewed, ready, failed, load: start, reload, knownUpTo: () => feed?.knownUpTo ?? 0, take: (told: Passage[]) => feed?.take(told) };
}

export type MinutesState = ReturnType<typeof useMinutes>;
