/** Objects of the live feed for tests. */

import type { Conference, Participant } from "@/api/types";

import type { SnapshotMessage } from "./types";

export function participant(fields: Partial<Participant> & { id: string }): Participant {
  return {
    position: 0, name: fields.id, role: "participant", user: null, guest: false, state: "connected", present: true, refused: false, admitted: true, muted: false,
    forbidden: false, granted: false, deaf: false, held: false, volume: 0, hand_raised_at: null, chair_asked_at: null, whisper: null, room: "main",
    observed_muted: false, observed_deaf: false, observed_held: false, observed_volume: 0, codec: "", encryption: "", loss: null, jitter: null, joined_at: null, left_at: null, ...fields,
  };
}

export function conference(fields: Partial<Conference> = {}): Conference {
  return {
    id: "c", plan: null, title: "例会", agenda: "", phase: "running", locked: false, observed_locked: false, floor_mode: "free",
    called: null, wait_for_chair: false, quorum_percent: null, lock_after_start: false, lobby: "off", entry_muted: false, max_participants: 500,
    recording_policy: "off", recording: "off", recording_since: null, minutes_policy: "off", captions: true, prompt_language: "zh-hans", launched_at: "2026-11-23T08:00:00Z", started_at: null,
    ends_at: "2026-11-23T10:00:00Z", ended_at: null, end_reason: "", expected_at: null, guest_link_at: null, ...fields,
  };
}

export function snapshot(seq: number, participants: Participant[], fields: Partial<Conference> = {}): SnapshotMessage {
  return {
    type: "snapshot", seq, now: "2026-11-23T08:00:00Z", you: { user: "u", participant: null, role: "owner" }, abilities: { conference: [], self: [], by_role: {}, whisper: { inside: [], outside: [] } },
    conference: conference(fields), participants, whispers: [], announcements: [], talking: [],
  };
}
