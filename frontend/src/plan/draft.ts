/** What the plan form edits. */

import type { Named, Options, Person, Plan, PlanDraft } from "@/api/types";

import { readable } from "./phone";

export const MOST_NUMBERS = 4;

export const DEFAULT_OPTIONS: Options = {
  entry_muted: false,
  floor_mode: "free",
  wait_for_chair: false,
  quorum_percent: null,
  lock_after_start: false,
  max_participants: 500,
  duration_minutes: 120,
  prompt_language: "zh-hans",
  recording_policy: "on_demand",
  minutes_policy: "automatic",
  captions: true,
  spoken_languages: ["zh", "en"],
  glossary: "",
  ring_seconds: 45,
  attempts_per_number: 3,
  busy_retries: 2,
  busy_wait_seconds: 20,
  member_may_unmute_self: true,
  participant_may_unmute_self: true,
  member_may_invite: false,
  member_may_whisper: false,
  member_may_copy_plan: false,
  member_may_replay: true,
  participant_may_replay: false,
  member_may_correct_own_words: true,
  guests_may_join: false,
  lobby: "off",
};

/** A person of the form; `key` tells rows apart while they move. */
export interface DraftPerson extends Person {
  key: number;
}

export interface Draft extends Options {
  title: string;
  agenda: string;
  managers: Named[];
  people: DraftPerson[];
}

let lastKey = 0;

export function draftPerson(person: Partial<Person> = {}): DraftPerson {
  const numbers = (person.numbers ?? []).map(({ kind, number }) => ({ kind, number: readable(number) }));
  return { name: "", role: "participant", ...person, numbers: numbers.length ? numbers : [{ number: "" }], key: ++lastKey };
}

export function newDraft(): Draft {
  return { title: "", agenda: "", managers: [], people: [], ...DEFAULT_OPTIONS };
}

export function draftOf(plan: Plan): Draft {
  const options = Object.fromEntries(Object.keys(DEFAULT_OPTIONS).map((name) => [name, plan[name as keyof Options]]));
  return { ...(options as unknown as Options), title: plan.title, agenda: plan.agenda, managers: plan.managers, people: plan.people.map(draftPerson) };
}

function bodyOfPerson(person: DraftPerson): Person {
  const numbers = person.numbers
    .filter(({ number }) => number.trim() !== "")
    .map(({ kind, number }) => (kind ? { kind, number } : { number }));
  return {
    ...(person.id ? { id: person.id } : {}),
    name: person.name.trim(),
    role: person.role,
    user: person.user ?? null,
    numbers,
  };
}

/** What is sent; empty number fields are left out. The managers are sent apart: one run has those of its plan. */
export function bodyOf({ managers: _, ...draft }: Draft): PlanDraft {
  return { ...draft, title: draft.title.trim(), people: draft.people.map(bodyOfPerson) };
}

/** A new manager attends as one; who is no longer manager attends as a member. */
export function setManagers(draft: Draft, managers: Named[]): void {
  const before = new Set(draft.managers.map(({ id }) => id));
  const after = new Set(managers.map(({ id }) => id));
  for (const person of draft.people) {
    if (!person.user) continue;
    if (after.has(person.user)) person.role = "manager";
    else if (before.has(person.user)) person.role = "member";
  }
  draft.managers = managers;
}

export const bodyOfPeople = (people: DraftPerson[]): Person[] => people.map(bodyOfPerson);

/** The number fields of `person` as the body numbers them: the field's index there, or -1 for an empty one. */
export function sentIndex(person: Person, index: number): number {
  if (person.numbers[index]?.number.trim() === "") return -1;
  return person.numbers.slice(0, index).filter(({ number }) => number.trim() !== "").length;
}
