/** Snapshot and deltas as pure functions. The invariant: an old snapshot and the deltas since are a fresh snapshot. */

import type { Announcement, Conference, Participant, Whisper } from "@/api/types";

import type { Abilities, DeltaMessage, SnapshotMessage, You } from "./types";

export interface LiveState {
  readonly seq: number;
  readonly you: You;
  readonly abilities: Abilities;
  readonly conference: Conference;
  readonly participants: ReadonlyMap<string, Participant>;
  readonly whispers: ReadonlyMap<string, Whisper>;
  readonly announcements: ReadonlyMap<string, Announcement>;
}

function byId<T extends { id: string }>(items: readonly T[]): Map<string, T> {
  return new Map(items.map((item) => [item.id, item]));
}

export function fromSnapshot(message: SnapshotMessage): LiveState {
  return {
    seq: message.seq,
    you: message.you,
    abilities: message.abilities,
    conference: message.conference,
    participants: byId(message.participants),
    whispers: byId(message.whispers),
    announcements: byId(message.announcements),
  };
}

function mergeMap<T extends { id: string }>(
  old: ReadonlyMap<string, T>,
  changes: Record<string, Partial<T> | null> | undefined,
): ReadonlyMap<string, T> {
  if (!changes) return old;
  const merged = new Map(old);
  for (const [id, change] of Object.entries(changes)) {
    if (change === null) merged.delete(id);
    // The first change of something new carries all its fields.
    else merged.set(id, { ...merged.get(id), ...change, id } as T);
  }
  return merged;
}

/** The state after `delta`; the same state for one already known; "gap" when something in between is missing. */
export function applyDelta(state: LiveState, delta: DeltaMessage): LiveState | "gap" {
  if (delta.seq <= state.seq) return state;
  if (delta.from !== state.seq) return "gap";
  const { conference, participants, whispers, announcements } = delta.changes;
  return {
    ...state,
    seq: delta.seq,
    conference: conference ? { ...state.conference, ...conference } : state.conference,
    participants: mergeMap(state.participants, participants),
    whispers: mergeMap(state.whispers, whispers),
    announcements: mergeMap(state.announcements, announcements),
  };
}
