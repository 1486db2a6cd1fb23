import type { Announcement, Conference, Participant, Passage, Role, Whisper } from "@/api/types";

export interface You {
  /** Null for a guest. */
  user: string | null;
  participant: string | null;
  role: Role;
}

export interface Abilities {
  conference: string[];
  self: string[];
  by_role: Partial<Record<Role, string[]>>;
  /** On whispers: `inside` those that one is in or opened, `outside` all others. */
  whisper: { inside: string[]; outside: string[] };
}

export interface SnapshotMessage {
  type: "snapshot";
  seq: number;
  /** The server's clock when this was sent. */
  now: string;
  you: You;
  abilities: Abilities;
  conference: Conference;
  participants: Participant[];
  whispers: Whisper[];
  announcements: Announcement[];
  talking: string[];
}

type Changes<T> = Record<string, Partial<T> | null>;

export interface DeltaMessage {
  type: "delta";
  from: number;
  seq: number;
  changes: {
    conference?: Partial<Conference>;
    participants?: Changes<Participant>;
    whispers?: Changes<Whisper>;
    announcements?: Changes<Announcement>;
  };
}

export interface TalkingMessage {
  type: "talking";
  participants: string[];
}

/** Something of the minutes changed, as number `seq`; what, where all who are in may read along. */
export interface MinutesMessage {
  type: "minutes";
  seq: number;
  passages?: Passage[];
}

export type ServerMessage =
  | SnapshotMessage
  | DeltaMessage
  | TalkingMessage
  | MinutesMessage
  | { type: "pong" }
  | { type: "result"; id: string; status: number; body: unknown }
  | { type: "problem"; code: string; title: string };

/** The close codes that docs/api.md names. */
export const CLOSED_SIGNED_OUT = 4401;
export const CLOSED_ORIGIN = 4403;
export const CLOSED_NOT_FOUND = 4404;
