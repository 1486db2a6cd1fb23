import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";

import { api } from "@/api";
import type { Action, ActionAnswer, ActionBodies, Participant, Whisper } from "@/api/types";
import { setServerTime } from "@/clock";
import { i18n } from "@/i18n";
import type { LiveState } from "@/live/merge";
import { chairAnswer, countStates, isInLobby, waitingOf } from "@/live/roster";
import { LiveFeed, openLine, type LiveStatus } from "@/live/socket";
import type { MinutesMessage } from "@/live/types";

import { useToasts } from "./toasts";

/**
 * The conference that is open. What it shows comes from the feed alone: an action's answer changes nothing here, it only says what was refused.
 * Changes are shown once a frame, however many arrive.
 */
export const useLive = defineStore("live", () => {
  const id = ref("");
  const status = ref<LiveStatus>("closed");
  const state = shallowRef<LiveState | null>(null);
  const talking = shallowRef<ReadonlySet<string>>(new Set());
  /** Actions on their way, as "action" and "action participant". */
  const busy = shallowRef<ReadonlySet<string>>(new Set());
  /** Whom the roll call has called while this page is open. */
  const wereCalled = shallowRef<ReadonlySet<string>>(new Set());

  let feed: LiveFeed | null = null;
  let frame = 0;
  let nextState: LiveState | null = null;
  let nextTalking: ReadonlySet<string> | null = null;
  /** Whether the caller takes their own request for the chair back: then its end is no news to them. */
  let takesBack = false;

  function show(): void {
    frame = 0;
    if (nextState) {
      const before = me.value;
      state.value = nextState;
      if (before) tellChairAnswer(before);
      const { called } = nextState.conference;
      if (called && !wereCalled.value.has(called)) wereCalled.value = new Set([...wereCalled.value, called]);
    }
    if (nextTalking) talking.value = nextTalking;
    nextState = nextTalking = null;
  }
  function tellChairAnswer(before: Participant): void {
    const answer = me.value?.id === before.id ? chairAnswer(before, me.value) : "open";
    if (answer === "open") return;
    if (answer === "given") useToasts().ok(i18n.global.t("self.chairGiven"));
    else if (!takesBack) useToasts().bad(i18n.global.t("self.chairDeclined"));
    takesBack = false;
  }
  const minutesListeners = new Set<(message: MinutesMessage | null) => void>();
  /** Hear of changes of the minutes (null: some may have been missed) until the function that this returns is called. */
  function onMinutes(listener: (message: MinutesMessage | null) => void): () => void {
    minutesListeners.add(listener);
    return () => minutesListeners.delete(listener);
  }

  const showSoon = () => (frame ||= requestAnimationFrame(show));
  const hurry = () => feed?.hurry();

  function open(conference: string): void {
    close();
    id.value = conference;
    feed = new LiveFeed(() => openLine(conference), {
      state: (next) => {
        nextState = next;
        showSoon();
      },
      talking: (ids) => {
        nextTalking = new Set(ids);
        showSoon();
      },
      status: (next) => (status.value = next),
      clock: setServerTime,
      minutes: (message) => minutesListeners.forEach((listener) => listener(message)),
    });
    feed.start();
    addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurry);
  }

  function close(): void {
    feed?.stop();
    feed = null;
    cancelAnimationFrame(frame);
    frame = 0;
    nextState = nextTalking = null;
    state.value = null;
    talking.value = new Set();
    wereCalled.value = new Set();
    removeEventListener("online", hurry);
    document.removeEventListener("visibilitychange", hurry);
  }

  const conference = computed(() => state.value?.conference ?? null);
  const participants = computed<ReadonlyMap<string, Participant>>(() => state.value?.participants ?? new Map());
  const counts = computed(() => countStates(participants.value.values()));
  /** Whom the caller may let in, the longest waiting first. */
  const waiting = computed(() => (ended.value ? [] : waitingOf(participants.value.values()).filter((each) => abilitiesOn(each).includes("admit"))));
  const whispers = computed(() => [...(state.value?.whispers.values() ?? [])].filter((whisper) => !whisper.closed_at));
  const announcements = computed(() => [...(state.value?.announcements.values() ?? [])].reverse());
  const you = computed(() => state.value?.you ?? null);
  const me = computed(() => participants.value.get(you.value?.participant ?? "") ?? null);
  const ended = computed(() => conference.value?.phase === "ended");
  /** Whether the caller waits to be let in. */
  const inLobby = computed(() => me.value !== null && me.value.present && isInLobby(me.value));

  /** Whether numbers, attempts and the log are shown to the caller. */
  const seesNumbers = computed(() => state.value?.abilities.conference.includes("view_numbers") ?? false);
  const may = (action: Action | "join") => !ended.value && (state.value?.abilities.conference.includes(action) ?? false);

  /** Whether the caller may hear what is recorded, also when it is over. */
  const mayReplay = computed(() => state.value?.abilities.conference.includes("replay") ?? false);

  /** Whether there are minutes that the caller may read, while it runs or when it is over. */
  const mayReadMinutes = computed(() => conference.value?.minutes_policy !== "off" && (state.value?.abilities.conference.includes("read_minutes") ?? false));
  /** Whether the caller may read along. */
  const mayReadAlong = computed(() => !ended.value && !inLobby.value && conference.value?.minutes_policy !== "off" && (conference.value?.captions || mayReadMinutes.value));

  /** What the caller may do to this participant, as the server says. */
  function abilitiesOn(participant: Participant): string[] {
    const abilities = state.value?.abilities;
    if (!abilities || ended.value) return [];
    return participant.id === you.value?.participant ? abilities.self : (abilities.by_role[participant.role] ?? []);
  }

  /** Whether the caller may do this to this whisper; to whom, `abilitiesOn` says. */
  function mayIn(whisper: Whisper, action: Action): boolean {
    const abilities = state.value?.abilities;
    if (!abilities || ended.value) return false;
    const opened = whisper.opened_by !== null && whisper.opened_by === you.value?.user;
    const belongs = opened || me.value?.whisper === whisper.id;
    return abilities.whisper[belongs ? "inside" : "outside"].includes(action);
  }

  /** Whether the caller may bring this member of a whisper back: themself, as anybody may, or by their rights over both. */
  function mayBringBack(participant: Participant): boolean {
    const whisper = whispers.value.find(({ id }) => id === participant.whisper);
    if (!whisper || !abilitiesOn(participant).includes("whisper_remove")) return false;
    return participant.id === me.value?.id || mayIn(whisper, "whisper_remove");
  }

  function mark(keys: string[], on: boolean): void {
    const next = new Set(busy.value);
    for (const key of keys) {
      if (on) next.add(key);
      else next.delete(key);
    }
    busy.value = next;
  }

  /** Ask for an action. A refusal of some becomes a message; a refusal of all is thrown. */
  async function request<A extends Action>(action: A, body: ActionBodies[A]): Promise<ActionAnswer> {
    const targets = "participants" in body && Array.isArray(body.participants) ? body.participants : [];
    const keys = [action, ...targets.map((target) => `${action} ${target}`)];
    mark(keys, true);
    if (action === "decline_chair") takesBack = targets.some((target) => target === me.value?.id);
    try {
      const answer = await api.act(id.value, action, body);
      const refused = answer.results.flatMap((result) => (result.ok ? [] : [result.problem]));
      const first = refused[0];
      if (first) {
        const reason = first.detail || first.title;
        const done = answer.results.length - refused.length;
        useToasts().bad(done === 0 ? reason : i18n.global.t("problem.partly", { done, failed: refused.length, reason }));
      }
      return answer;
    } catch (error) {
      takesBack = false;
      throw error;
    } finally {
      mark(keys, false);
    }
  }

  /** As `request`, with every refusal shown as a message. Whether it was accepted. */
  async function act<A extends Action>(action: A, body: ActionBodies[A]): Promise<boolean> {
    try {
      await request(action, body);
      return true;
    } catch (error) {
      useToasts().bad(error);
      return false;
    }
  }

  const nameOf = (participant: string | null | undefined) => participants.value.get(participant ?? "")?.name ?? "";

  return {
    id, status, state, talking, busy, conference, participants, counts, waiting, whispers, announcements, you, me, ended, inLobby, wereCalled, seesNumbers, mayReplay, mayReadMinutes, mayReadAlong,
    open, close, onMinutes, may, abilitiesOn, mayIn, mayBringBack, request, act, nameOf,
  };
});
