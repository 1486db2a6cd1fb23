/** What the roster shows, computed from the feed: pure functions. */

import { ROLES, STATES, type Conference, type Participant, type ParticipantState, type Role } from "@/api/types";

const RANK: Record<Role, number> = { owner: 5, manager: 4, chair: 3, member: 2, participant: 1 };
const STATE_ORDER = Object.fromEntries(STATES.map((state, index) => [state, index])) as Record<ParticipantState, number>;

/** `connected` are those in the conference; who is in the lobby is counted there. */
export type Counts = Record<ParticipantState | "lobby", number> & { total: number; wanted: number; absent: number; hands: number };

export function countStates(participants: Iterable<Participant>): Counts {
  const counts: Counts = {
    planned: 0, queued: 0, dialing: 0, ringing: 0, connected: 0, lobby: 0, left: 0, failed: 0, total: 0, wanted: 0, absent: 0, hands: 0,
  };
  for (const participant of participants) {
    counts[isInLobby(participant) ? "lobby" : participant.state] += 1;
    counts.total += 1;
    if (participant.present) counts.wanted += 1;
    if (isAbsent(participant)) counts.absent += 1;
    if (participant.hand_raised_at) counts.hands += 1;
  }
  return counts;
}

/** Wanted, and neither in nor being called: whom "re-dial everyone absent" is for. */
export function isAbsent(participant: Participant): boolean {
  return participant.present && (participant.state === "failed" || participant.state === "left");
}

export const isUnderWay = (state: ParticipantState) => state === "queued" || state === "dialing" || state === "ringing";

/** Whether it still waits for its quorum or its chair: those below chair neither speak nor hear. Once running it never waits again. */
export const isGathering = ({ phase }: Conference) => phase === "gathering";

/** Chair and above, whom no floor rule mutes. */
export const isLeader = ({ role }: Participant) => RANK[role] >= RANK.chair;

/** Whether they wait for somebody to let them in. */
export function isWaiting(participant: Participant): boolean {
  return participant.state === "connected" && participant.present && !participant.admitted && !isLeader(participant);
}

/** Whether they wait, or were let in or sent away this moment. */
export const isInLobby = (participant: Participant) => participant.state === "connected" && (participant.room === "lobby" || isWaiting(participant));

/** Who waits, the longest first. */
export function waitingOf(participants: Iterable<Participant>): Participant[] {
  return [...participants].filter(isWaiting).sort((a, b) => (a.joined_at ?? "").localeCompare(b.joined_at ?? "") || a.position - b.position);
}

/** Whether the leg shall be muted: docs/architecture.md, "Effective mute". */
export function shallBeMuted(participant: Participant, conference: Conference): boolean {
  if (participant.muted || participant.forbidden) return true;
  if (participant.whisper || isLeader(participant)) return false;
  if (isGathering(conference)) return true;
  if (conference.floor_mode === "moderated") return !participant.granted;
  if (conference.floor_mode === "roll_call") return conference.called !== participant.id;
  return false;
}

/** Whether the leg shall hear nothing: also, while the conference gathers, everybody below chair. */
export function shallBeDeaf(participant: Participant, conference: Conference): boolean {
  return participant.deaf || (isGathering(conference) && !participant.whisper && !isLeader(participant) && !isInLobby(participant));
}

/** What became of somebody's request for the chair: nothing yet, they are chair, or it no longer stands. */
export function chairAnswer(before: Participant, now: Participant): "open" | "given" | "declined" {
  if (!before.chair_asked_at || now.chair_asked_at || !now.present) return "open";
  return RANK[now.role] >= RANK.chair ? "given" : "declined";
}

export interface Mic {
  /** What the switch says. */
  muted: boolean;
  /** What was asked for and is not so yet. */
  pending: boolean;
}

export function micOf(participant: Participant, conference: Conference): Mic | null {
  if (participant.state !== "connected" || isInLobby(participant)) return null;
  const wanted = shallBeMuted(participant, conference);
  return { muted: participant.observed_muted, pending: wanted !== participant.observed_muted };
}

/** Where somebody in a whisper's rows is: there already, on the way, or on the way back. */
export function isMoving(participant: Participant): boolean {
  return participant.state === "connected" && (participant.whisper ?? "main") !== participant.room;
}

export type RosterFilter = "all" | "connected" | "lobby" | "under_way" | "absent" | "hands" | "whisper" | "muted";
export const FILTERS: RosterFilter[] = ["all", "connected", "lobby", "under_way", "absent", "hands", "whisper", "muted"];

const PASSES: Record<RosterFilter, (participant: Participant) => boolean> = {
  all: () => true,
  connected: (participant) => participant.state === "connected" && !isInLobby(participant),
  lobby: isInLobby,
  under_way: (participant) => isUnderWay(participant.state),
  absent: isAbsent,
  hands: (participant) => participant.hand_raised_at !== null,
  whisper: (participant) => participant.whisper !== null,
  muted: (participant) => participant.state === "connected" && participant.observed_muted && !isInLobby(participant),
};

export type RosterSort = "usual" | "hands" | "speaking" | "name" | "state";
export const SORTS: RosterSort[] = ["usual", "hands", "speaking", "name", "state"];

const collators = new Map<string, Intl.Collator>();
function collator(language: string): Intl.Collator {
  const known = collators.get(language) ?? new Intl.Collator(language);
  collators.set(language, known);
  return known;
}

type Compare = (a: Participant, b: Participant) => number;

function comparator(sort: RosterSort, talking: ReadonlySet<string>, language: string): Compare {
  const byRole: Compare = (a, b) => RANK[b.role] - RANK[a.role];
  const byPosition: Compare = (a, b) => a.position - b.position;
  const byHand: Compare = (a, b) => {
    if (a.hand_raised_at && b.hand_raised_at) return a.hand_raised_at < b.hand_raised_at ? -1 : 1;
    return Number(b.hand_raised_at !== null) - Number(a.hand_raised_at !== null);
  };
  const orders: Record<RosterSort, Compare[]> = {
    usual: [byRole, byPosition],
    hands: [byHand, byRole, byPosition],
    speaking: [(a, b) => Number(talking.has(b.id)) - Number(talking.has(a.id)), byHand, byRole, byPosition],
    name: [(a, b) => collator(language).compare(a.name, b.name), byPosition],
    state: [(a, b) => STATE_ORDER[a.state] - STATE_ORDER[b.state], byRole, byPosition],
  };
  return (a, b) => {
    for (const compare of orders[sort]) {
      const difference = compare(a, b);
      if (difference !== 0) return difference;
    }
    return a.id < b.id ? -1 : 1;
  };
}

export interface RosterView {
  query: string;
  filter: RosterFilter;
  sort: RosterSort;
}

/** Digits only, so that "138 0013" finds +86 138-0013-8000. */
const digitsOf = (text: string) => text.replace(/[^0-9]/g, "");

export function matches(participant: Participant, query: string): boolean {
  const words = query.trim().toLocaleLowerCase();
  if (!words) return true;
  if (participant.name.toLocaleLowerCase().includes(words)) return true;
  const digits = digitsOf(words);
  return digits.length > 0 && /^[0-9+()\-\s]+$/.test(words) && (participant.numbers ?? []).some(({ number }) => digitsOf(number).includes(digits));
}

export function rosterOf(
  participants: Iterable<Participant>,
  view: RosterView,
  talking: ReadonlySet<string>,
  language: string,
): Participant[] {
  const passes = PASSES[view.filter];
  const shown = [...participants].filter((participant) => passes(participant) && matches(participant, view.query));
  return shown.sort(comparator(view.sort, talking, language));
}

/** The roles that somebody who may change roles can give: those below their own; a chair only hands over the chair. */
export function rolesToGive(role: Role): Role[] {
  return role === "chair" ? ["chair"] : ROLES.filter((other) => RANK[other] < RANK[role]);
}

/** What remains of the launch: how many are still being called, of how many. */
export function launchProgress(counts: Counts): { done: number; total: number; share: number } {
  const total = counts.wanted;
  const underWay = counts.queued + counts.dialing + counts.ringing;
  const done = Math.max(0, total - underWay);
  return { done, total, share: total === 0 ? 1 : done / total };
}
