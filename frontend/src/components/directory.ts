/** People to choose from: extensions and logins, searched while one types. */

import { onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";

import { api } from "@/api";
import type { Person } from "@/api/types";
import { MOST_NUMBERS } from "@/plan/draft";

/** How long after the last key the search is asked; ms. */
const PAUSE = 200;

export interface Choice {
  key: string;
  name: string;
  detail: string;
  person: Person;
}

/** Calls `search` with what is typed, the last one winning; `pending` while an answer is awaited. */
export function useSearch<T>(query: Ref<string>, search: (q: string, signal: AbortSignal) => Promise<T>, failed: (error: unknown) => void) {
  const found = shallowRef<T>();
  const pending = ref(true);
  let controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function ask(q: string): Promise<void> {
    controller.abort();
    const mine = (controller = new AbortController());
    pending.value = true;
    try {
      const answer = await search(q.trim(), mine.signal);
      if (mine === controller) found.value = answer;
    } catch (error) {
      if (!mine.signal.aborted) failed(error);
    } finally {
      if (mine === controller) pending.value = false;
    }
  }

  watch(query, (q) => {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(q), PAUSE);
  });
  void ask(query.value);
  onScopeDispose(() => {
    clearTimeout(timer);
    controller.abort();
  });
  return { found, pending, again: () => ask(query.value) };
}

export async function searchExtensions(q: string, signal: AbortSignal): Promise<Choice[]> {
  const { results } = await api.extensions(q, signal);
  return results.map(({ id, number, display_name, user }) => ({
    key: `extension ${id}`,
    name: display_name,
    detail: number,
    person: { name: display_name, role: "participant", user: user ?? null, numbers: [{ kind: "extension", number }] },
  }));
}

/** Somebody chosen by their login is reached at their own extensions. */
export async function withNumbers(choice: Choice): Promise<Choice> {
  const { person } = choice;
  if (!person.user || person.numbers.length) return choice;
  const { results } = await api.extensions(person.name);
  const own = results.filter(({ user }) => user === person.user).slice(0, MOST_NUMBERS);
  return { ...choice, person: { ...person, numbers: own.map(({ number }) => ({ kind: "extension", number })) } };
}

export async function searchUsers(q: string, signal: AbortSignal): Promise<Choice[]> {
  const { results } = await api.users(q, signal);
  return results.map(({ id, username, display_name, unit }) => ({
    key: `user ${id}`,
    name: display_name,
    detail: unit ? `${username} · ${unit}` : username,
    person: { name: display_name, role: "participant", user: id, numbers: [] },
  }));
}
