import { defineStore } from "pinia";
import { computed, ref, shallowRef, watch } from "vue";

import { api, asProblem, type Problem } from "@/api";
import { useLive } from "@/stores/live";
import { useSession } from "@/stores/session";

import { useCall } from "./call";
import { useSound } from "./sound/store";
import { targetOf } from "./target";

/** What the page is at: finding out, a form, the check of microphone and speaker, the call, its end; or there is nothing at this address. */
export type Stage = "loading" | "sign_in" | "guest" | "ready" | "call" | "over" | "gone";

/** Who comes in, and how far they are. */
export const useJoin = defineStore("join", () => {
  const live = useLive();
  const session = useSession();
  const call = useCall();
  const sound = useSound();

  const target = targetOf(location.pathname);
  const token = target && "token" in target ? target.token : null;
  const stage = ref<Stage>("loading");
  const title = ref("");
  /** Why there is nothing here. */
  const problem = shallowRef<Problem | null>(null);
  const joining = ref(false);
  let listens = false;
  const name = computed(() => live.me?.name ?? session.user?.display_name ?? "");

  async function begin(): Promise<void> {
    if (!target) return gone(null);
    stage.value = "loading";
    try {
      await session.load();
      if ("token" in target) await knock(target.token);
      else if (session.user) await ready(target.conference);
      else stage.value = "sign_in";
    } catch (error) {
      gone(asProblem(error));
    }
  }

  async function knock(at: string): Promise<void> {
    const door = await api.door(at);
    title.value = door.title;
    if (door.inside) await ready(door.conference);
    else stage.value = "guest";
  }

  /** Come in as a guest; a refusal is thrown. */
  async function enter(as: string, pin: string): Promise<void> {
    if (token) await ready((await api.enter(token, as, pin)).conference);
  }

  async function ready(conference: string): Promise<void> {
    live.open(conference);
    const kept = call.kept();
    if (kept && (kept.listened || (await sound.isAllowed()))) await join(true, kept.listened);
    else stage.value = "ready";
  }

  function gone(why: Problem | null): void {
    live.close();
    problem.value = why;
    stage.value = "gone";
  }

  /** Into the call, with a microphone or the silence that was chosen: asked for again where there is none any more. */
  async function join(resume = false, listened = listens): Promise<void> {
    if (joining.value || stage.value === "call") return;
    joining.value = true;
    if (!sound.track && listened) sound.listenOnly();
    const can = sound.track !== null || (await sound.open());
    joining.value = false;
    listens = sound.listensOnly;
    stage.value = can ? "call" : "ready";
    if (can) await call.start(resume);
  }

  watch(
    () => live.conference?.title,
    (now) => now && (title.value = now),
  );
  watch(
    () => call.outcome,
    (how) => how && (stage.value = "over"),
  );
  watch(
    () => live.ended,
    (ended) => ended && stage.value === "ready" && (stage.value = "over"),
  );
  watch(stage, (now) => now === "ready" || now === "call" || sound.release());
  watch(
    () => live.status,
    (status) => {
      if (stage.value !== "ready") return;
      if (status === "not_found") gone(null);
      else if (status === "signed_out") void begin();
    },
  );

  return { stage, title, token, name, problem, joining, begin, enter, join: () => join(), check: () => (stage.value = "ready"), signIn: () => (stage.value = "sign_in"), asGuest: () => (stage.value = "guest") };
});
