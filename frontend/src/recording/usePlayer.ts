/** Plays an utterance, or the main room from a moment on, by the conference's clock. */

import { computed, onBeforeUnmount, ref, shallowRef } from "vue";

import { asProblem, networkProblem, Problem, problemOf } from "@/api";

import { MIX, nextSaid, partAt, previousSaid, type Lane, type Part, type Said } from "./lanes";
import type { RecordedState } from "./useRecorded";

export const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
/** What was said a moment ago is heard a few seconds later: tried again so often, after so many ms. */
const AGAIN = 8;
const AGAIN_AFTER = 1000;
/** Who has caught up with the conference waits until so much more can be heard, rather than hear it in shreds; ms. */
const LEAD = 5000;

type Source = { said: Said; part?: undefined } | { part: Part; said?: undefined };

/** Why a link is not played; null: it is. */
export async function refusal(link: string): Promise<Problem | null> {
  try {
    const answer = await fetch(link, { headers: { Range: "bytes=0-0", Accept: "application/problem+json" }, credentials: "same-origin" });
    if (answer.ok) {
      await answer.body?.cancel();
      return null;
    }
    return problemOf(answer.status, await answer.json().catch(() => null));
  } catch {
    return networkProblem();
  }
}

export function usePlayer(recorded: RecordedState, lanes: () => Lane[], onProblem: (problem: Problem) => void) {
  const source = shallowRef<Source | null>(null);
  const time = ref(0);
  /** Whether it is to play; `waiting` while it cannot yet. */
  const wanted = ref(false);
  const waiting = ref(false);
  const speed = ref(1);
  /** Whether the next utterance follows by itself; of one person, or of all. */
  const goesOn = ref(false);

  let audio: HTMLAudioElement | null = null;
  let turn = 0;
  let tries = 0;
  let frame = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;

  const said = computed(() => source.value?.said ?? null);
  const mix = computed(() => lanes().find(({ key }) => key === MIX) ?? null);
  const begins = (of: Source) => (of.said ?? of.part).from;

  function follow(): void {
    cancelAnimationFrame(frame);
    if (!audio || !source.value) return;
    if (audio.readyState > 0 && !audio.seeking) time.value = begins(source.value) + audio.currentTime * 1000;
    if (!audio.paused) frame = requestAnimationFrame(follow);
  }

  function stop(problem?: Problem): void {
    wanted.value = waiting.value = false;
    clearTimeout(retry);
    audio?.pause();
    if (problem) onProblem(problem);
  }

  async function start(next: Source, at: number, fresh = false): Promise<void> {
    if (!audio) return;
    const mine = ++turn;
    clearTimeout(retry);
    audio.pause();
    source.value = next;
    time.value = at;
    wanted.value = waiting.value = true;
    let link: string | null;
    try {
      link = next.said ? await recorded.saidLink(next.said, fresh) : await recorded.trackLink(next.part.track, fresh);
    } catch (error) {
      if (mine === turn) stop(asProblem(error));
      return;
    }
    if (mine !== turn) return;
    if (!link) return stop(await whyNot(next));
    audio.src = link;
    audio.defaultPlaybackRate = audio.playbackRate = speed.value;
    audio.currentTime = Math.max(0, at - begins(next)) / 1000;
    await sound();
  }

  /** A track without a link says by its state why. */
  async function whyNot(of: Source): Promise<Problem> {
    const track = recorded.tracks.value.find(({ id }) => id === (of.said?.track ?? of.part?.track));
    const code = { erased: "recording_erased", damaged: "recording_damaged" }[track?.state as string] ?? "nothing_recorded";
    return new Problem({ title: "", status: 0, code });
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
    const current = source.value;
    const mine = turn;
    if (!audio || !current || !wanted.value) return;
    const link = audio.getAttribute("src") ?? "";
    const problem = await refusal(link);
    if (mine !== turn || !wanted.value) return;
    tries += 1;
    const soon = problem?.code === "nothing_recorded" && recorded.tracks.value.some(({ id, state }) => state === "live" && id === (current.said?.track ?? current.part?.track));
    if (tries > AGAIN) stop(problem ?? new Problem({ title: "", status: 0, code: "recording_broke_off" }));
    else if (problem?.code === "link_expired") void start(current, time.value, true);
    else if (soon) retry = setTimeout(() => void start(current, time.value, true), AGAIN_AFTER);
    else if (!problem && tries <= 2) void start(current, time.value);
    else stop(problem ?? new Problem({ title: "", status: 0, code: "recording_broke_off" }));
  }

  async function finished(): Promise<void> {
    const current = source.value;
    if (!current || !wanted.value) return;
    if (current.said) {
      const lane = laneOf(current.said);
      const next = goesOn.value ? nextSaid(lane?.said ?? [], time.value, current.said) : null;
      if (next) void start({ said: next }, next.from);
      else stop();
      return;
    }
    const mine = turn;
    waiting.value = true;
    await recorded.loadTracks().catch(() => undefined);
    if (mine !== turn) return;
    const part = mix.value?.parts.find(({ track }) => track === current.part.track);
    if (part && part.heard > time.value + (part.state === "live" ? LEAD : 200)) return void start({ part }, time.value);
    // As far as the conference itself: it goes on when there is more.
    if (part?.state === "live") return void (retry = setTimeout(() => void finished(), 2 * AGAIN_AFTER));
    const after = partAt(mix.value?.parts ?? [], part?.to ?? time.value);
    if (after && after !== part) void start({ part: after }, after.from);
    else stop();
  }

  const laneOf = (one: Said) => lanes().find(({ said }) => said.some(({ id }) => id === one.id));

  function attach(element: HTMLAudioElement | null): void {
    audio = element;
    if (!element) return;
    element.addEventListener("error", () => void broke());
    element.addEventListener("ended", () => void finished());
    element.addEventListener("waiting", () => (waiting.value = wanted.value));
    element.addEventListener("seeked", follow);
    element.addEventListener("playing", () => {
      waiting.value = false;
      tries = 0;
      follow();
    });
    // Also by the keys of a keyboard or headset.
    element.addEventListener("pause", () => !element.ended && !waiting.value && (wanted.value = false));
    element.addEventListener("play", () => (wanted.value = true));
  }

  const playSaid = (one: Said, at = one.from) => start({ said: one }, at);

  /** The main room from this moment on; where it was not recorded, what was said next. */
  function seek(moment: number): void {
    const current = source.value;
    const part = partAt(mix.value?.parts ?? [], moment);
    if (part) {
      const at = Math.max(part.from, moment);
      if (current?.part?.track === part.track && audio && at < current.part.heard && audio.readyState > 0) {
        time.value = at;
        audio.currentTime = (at - part.from) / 1000;
        void sound();
      } else void start({ part }, at, at > part.heard);
      return;
    }
    const next = nextSaid(recorded.voices.value, moment, null);
    if (next) void playSaid(next);
    else time.value = moment;
  }

  /** So many ms on or back: within an utterance, or in the main room. */
  function skip(by: number): void {
    const one = said.value;
    if (!one) return void (source.value && seek(time.value + by));
    const at = Math.min(Math.max(one.from, time.value + by), one.to - 50);
    time.value = at;
    if (audio) audio.currentTime = (at - one.from) / 1000;
  }

  function toggle(): void {
    if (wanted.value) stop();
    else if (source.value && audio && audio.readyState > 0 && !audio.ended && !audio.error) {
      wanted.value = true;
      void sound();
    } else if (source.value?.said) void playSaid(source.value.said);
    else seek(time.value);
  }

  /** The next utterance of a lane, or (null) of anybody, or the one before. */
  function step(lane: Lane | null, by: 1 | -1): Said | null {
    const list = lane ? lane.said : recorded.voices.value;
    const found = (by > 0 ? nextSaid : previousSaid)(list, time.value, said.value);
    if (found) void playSaid(found);
    return found;
  }

  function setSpeed(next: number): void {
    speed.value = next;
    if (audio) audio.defaultPlaybackRate = audio.playbackRate = next;
  }

  onBeforeUnmount(() => {
    turn += 1;
    wanted.value = false;
    clearTimeout(retry);
    cancelAnimationFrame(frame);
    audio?.pause();
    audio?.removeAttribute("src");
  });

  return { source, said, mix, time, wanted, waiting, speed, goesOn, attach, playSaid, seek, skip, toggle, step, setSpeed };
}

export type Player = ReturnType<typeof usePlayer>;
