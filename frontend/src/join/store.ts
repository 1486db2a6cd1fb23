import { defineStore } from "pinia";
import { computed, ref, shallowRef, watch } from "vue";

import { api, asProblem, type Problem } from "@/api";
import { useLive } from "@/stores/live";
import { useSession } from "@/stores/session";

import { useCall } from "./call";
import { targetOf } from "./target";

/** What the page is at: finding out, a form, the check of microphone and speaker, the call, its end; or there is nothing at this address. */
export type Stage = "loading" | "sign_in" | "guest" | "ready" | "call" | "over" | "gone";

/** Who comes in, and how far they are. */
export const useJoin = defineStore("join", () => {
  const live = useLive();
  const session = useSession();
  const call = useCall();

  const target = targetOf(location.pathname);
  const token = target && "token" in target ? target.token : null;
  const stage = ref<Stage>("loading");
  const title = ref("");
  /** Why there is nothing here. */
  const problem = shallowRef<Problem | null>(null);
  const name = computed(() => live.me?.name ?? session.user?.display_name ?? "");

  async function begin(): Promise<void> {
    if (!target) return gone(null);
    stage.value = "loading";
    try {
      await session.load();
      if ("token" in target) await knock(target.token);
      else if (session.user) ready(target.conference);
      else stage.value = "sign_in";
    } catch (error) {
      gone(asProblem(error));
    }
  }

  async function knock(at: string): Promise<void> {
    const door = await api.door(at);
    title.value = door.title;
    if (door.inside) ready(door.conference);
    else stage.value = "guest";
  }

  /** Come in as a guest; a refusal is thrown. */
  async function enter(as: string, pin: string): Promise<void> {
    if (token) ready((await api.enter(token, as, pin)).conference);
  }

  function ready(conference: string): void {
    live.open(conference);
    stage.value = "ready";
  }

  function gone(why: Problem | null): void {
    live.close();
    problem.value = why;
    stage.value = "gone";
  }

  async function join(): Promise<void> {
    stage.value = "call";
    await call.start();
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
    () => live.status,
    (status) => {
      if (stage.value !== "ready") return;
      if (status === "not_found") gone(null);
      else if (status === "signed_out") void begin();
    },
  );

  return { stage, title, token, name, problem, begin, enter, join, check: () => (stage.value = "ready"), signIn: () => (stage.value = "sign_in"), asGuest: () => (stage.value = "guest") };
});
