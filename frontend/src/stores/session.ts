import { defineStore } from "pinia";
import { computed, shallowRef } from "vue";

import { api } from "@/api";
import type { Session } from "@/api/types";
import { hasChosenLocale, localeOf, setLocale } from "@/i18n";

/** Who is signed in; null for nobody. */
export const useSession = defineStore("session", () => {
  const session = shallowRef<Session>();
  const user = computed(() => session.value?.user ?? null);

  async function load(): Promise<void> {
    session.value = await api.session();
  }

  async function signIn(username: string, password: string): Promise<void> {
    session.value = await api.signIn(username, password);
    const language = session.value.user?.language;
    if (language && !hasChosenLocale()) setLocale(localeOf(language));
  }

  async function signOut(): Promise<void> {
    await api.signOut();
    lost();
  }

  function lost(): void {
    session.value = undefined;
  }

  return {
    user,
    load,
    signIn,
    signOut,
    lost,
    may: (action: string) => session.value?.abilities.includes(action) ?? false,
  };
});
