import { defineStore } from "pinia";
import { computed, ref, shallowRef, watch } from "vue";

import { api } from "@/api";
import { micOf } from "@/live/roster";
import { useLive } from "@/stores/live";

import { Phone, type CallEnd, type PhoneState } from "./phone/phone";
import type { Dial } from "./phone/leg";
import { useSound } from "./sound/store";

/** Kept while a call lasts, for the time in which the page is loaded again: the conference's id, and whether one only listened. */
const KEPT = "sparkle.call";

/** How a call came to its end: by this person, by the chair (in the conference or in the lobby), with the conference, with the session, or by a refusal or a trouble. */
export type Outcome = "left" | "removed" | "not_admitted" | "ended" | "signed_out" | CallEnd;

/**
 * This browser's call. What the page shows of mute and place is what the feed says; the microphone itself is shut here at once, before anybody
 * else knows.
 */
export const useCall = defineStore("call", () => {
  const live = useLive();
  const sound = useSound();

  const state = ref<PhoneState>("idle");
  const outcome = shallowRef<Outcome | null>(null);
  const heard = shallowRef<MediaStream | null>(null);
  /** The reader wants to be silent, whatever the server knows of it yet. */
  const silent = ref(false);
  /** The address that is called, to tell what may be blocked. */
  const address = ref("");

  let dial: Dial | null = null;
  /** Whether the server has seen this call come in: only then does "not wanted" mean that somebody was removed. */
  let wanted = false;

  const phone = new Phone({
    dial: (account, microphone, events) => dial!(account, microphone, events),
    account: async (resume) => {
      const { sip, participant } = await api.join(live.id, resume);
      address.value = sip.ws_urls[0] ?? "";
      // Before the call: its microphone is shut from the first moment on.
      if (silent.value && !resume) await api.act(live.id, "mute", { participants: [participant] });
      return sip;
    },
    state: (next, end) => {
      state.value = next;
      if (next === "in") sessionStorage.setItem(KEPT, JSON.stringify([live.id, sound.listensOnly]));
      if (next === "over") finish(outcomeOf(end ?? "lost"));
    },
    sound: (stream) => (heard.value = stream),
  });

  const active = computed(() => state.value !== "idle" && state.value !== "over");
  const mic = computed(() => (live.me && live.conference ? micOf(live.me, live.conference) : null));
  const muted = computed(() => silent.value || (mic.value ? mic.value.muted : (live.me?.muted ?? false)));
  /** What was asked for and is not so on the switch yet. */
  const pending = computed(() => live.busy.has(`mute ${live.me?.id}`) || live.busy.has(`unmute ${live.me?.id}`) || (mic.value?.pending ?? false));
  /** Muted by somebody else, or from elsewhere. */
  const wasMuted = computed(() => !silent.value && (live.me?.muted ?? false) && !live.me?.forbidden);

  watch(
    () => [sound.track, active.value, silent.value || live.me?.muted || live.me?.forbidden] as const,
    ([track, calling, shut]) => {
      if (track) track.enabled = !(calling && shut);
    },
  );
  watch(
    () => sound.track,
    (track) => {
      if (!active.value) return;
      if (track) phone.use(track);
      // It was taken away: the call goes on, and says so.
      else sound.listenOnly();
    },
  );

  /** What of a call remains from before the page was loaded again. */
  function kept(): { listened: boolean } | null {
    const [conference, listened] = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]") as [string?, boolean?];
    return conference === live.id ? { listened: listened ?? false } : null;
  }

  /** Call the conference that is open in the feed; `resume` to go on with what was `kept`. Needs a track. */
  async function start(resume = false): Promise<void> {
    outcome.value = null;
    wanted = false;
    state.value = resume ? "reconnecting" : "connecting";
    try {
      dial ??= (await import("./phone/sip")).dial;
    } catch (error) {
      console.error(error);
      return finish("unreachable");
    }
    // Left in the meantime, while the telephone was being fetched.
    if (sound.track && outcome.value === null) phone.call(sound.track, resume);
  }

  /** The server's word for an end that has one of its own. */
  function outcomeOf(end: CallEnd): Outcome {
    if (typeof end === "string") return end;
    return end.code === "not_wanted" ? "removed" : end.code === "conference_ended" ? "ended" : end;
  }

  function finish(how: Outcome): void {
    sessionStorage.removeItem(KEPT);
    phone.hangUp();
    state.value = "over";
    heard.value = null;
    outcome.value = how;
  }

  async function leave(): Promise<void> {
    const { me } = live;
    finish("left");
    if (me?.present) await live.act("remove", { participants: [me.id], refuse: false });
  }

  watch(
    () => [live.me?.present, live.me?.refused, live.inLobby] as const,
    ([present, refused], [, , waited]) => {
      if (present) wanted = true;
      else if (active.value && (wanted || refused)) finish(waited ? "not_admitted" : "removed");
    },
  );
  watch(
    () => live.ended,
    (ended) => ended && active.value && finish("ended"),
  );
  watch(
    () => live.status,
    (status) => {
      if (!active.value) return;
      if (status === "not_found") finish(live.inLobby ? "not_admitted" : "removed");
      else if (status === "signed_out") finish("signed_out");
    },
  );

  /** One after the other, as they were pressed. */
  let before: Promise<unknown> = Promise.resolve();
  function ask(action: "mute" | "unmute"): Promise<boolean> {
    const asked = before.then(() => (live.me ? live.act(action, { participants: [live.me.id] }) : false));
    before = asked;
    return asked;
  }

  async function mute(): Promise<void> {
    silent.value = true;
    await ask("mute");
  }

  async function unmute(): Promise<void> {
    // Also where the feed has not told yet that one's own muting came to pass.
    if ((silent.value || live.me?.muted) && !(await ask("unmute"))) return;
    silent.value = false;
  }

  return {
    state, outcome, heard, silent, address, active, muted, pending, wasMuted,
    start, kept, leave, finish, mute, unmute, hurry: () => phone.hurry(), hangUp: () => phone.hangUp(),
  };
});
