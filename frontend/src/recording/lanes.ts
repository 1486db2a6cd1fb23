/** What the player shows, computed from tracks and utterances: pure functions. Moments are ms since 1970, by the server's clock. */

import type { Role, Track, Utterance } from "@/api/types";

export interface Span {
  from: number;
  to: number;
}

/** An utterance. */
export interface Said extends Span {
  id: string;
  track: string;
  participant: string | null;
  name: string;
  audio: string | null;
  /** Where it begins in its track, ms. */
  start: number;
  /** When its link was told. */
  told: number;
}

/** A track, as far as it is known. */
export interface Part extends Span {
  track: string;
  state: Track["state"];
  whisper: boolean;
  audio: string | null;
  /** Until when its link can be heard. */
  heard: number;
}

/** Between two parts: `paused` is all of the recording, else one line was down. */
export interface Break extends Span {
  paused: boolean;
}

export interface Lane {
  /** MIX, or a participant's id. */
  key: string;
  name: string;
  role: Role | null;
  parts: Part[];
  breaks: Break[];
  said: Said[];
}

export const MIX = "mix";

const RANK: Record<Role, number> = { owner: 0, manager: 1, chair: 2, member: 3, participant: 4 };

export function saidOf(utterance: Utterance, told: number): Said {
  const { id, track, participant, name, audio, starts_at, ends_at, start_ms } = utterance;
  return { id, track, participant, name, audio, start: start_ms, told, from: Date.parse(starts_at), to: Date.parse(ends_at) };
}

/** What persons said: what is heard in the main room is that once more, and announcements. */
export const spoken = (said: Said[]) => said.filter(({ participant }) => participant !== null);

const before = (a: Said, b: Said) => a.from - b.from || (a.id < b.id ? -1 : Number(a.id > b.id));

/** Known ones, in their order, with what was told later: each once, with its newest link. The same array where nothing came. */
export function merge(known: Said[], told: Said[]): Said[] {
  if (told.length === 0) return known;
  const newer = new Map(told.map((said) => [said.id, said]));
  const merged: Said[] = [];
  const added = [...newer.values()].sort(before);
  let next = 0;
  for (const said of known) {
    if (newer.has(said.id)) continue;
    for (let other = added[next]; other && before(other, said) < 0; other = added[++next]) merged.push(other);
    merged.push(said);
  }
  return [...merged, ...added.slice(next)];
}

/** From when on to ask again: what is told late (by another node) began before what was told last. */
export function askAfter(known: Said[], overlap: number): string | undefined {
  const last = known.reduce((latest, { to }) => Math.max(latest, to), 0);
  return last ? new Date(last - overlap).toISOString() : undefined;
}

export function partOf(track: Track, now: number): Part | null {
  if (!track.started_at || track.state === "empty") return null;
  const from = Date.parse(track.started_at);
  const heard = from + track.duration_ms;
  const until = track.ended_at ? Date.parse(track.ended_at) : track.state === "live" ? now : 0;
  return { track: track.id, state: track.state, whisper: track.kind === "whisper", audio: track.audio, from, heard, to: Math.max(heard, until) };
}

/** The main room first, then everybody who was recorded: by role, then in the order in which they came. */
export function lanesOf(tracks: Track[], said: Said[], people: ReadonlyMap<string, { name: string; role: Role }>, now: number): Lane[] {
  const lanes = new Map<string, Lane>();
  const laneOfTrack = new Map<string, Lane>();
  for (const track of tracks) {
    const part = partOf(track, now);
    if (!part) continue;
    const key = track.participant ?? MIX;
    const person = people.get(key);
    const lane = lanes.get(key) ?? { key, name: person?.name ?? track.name, role: person?.role ?? null, parts: [], breaks: [], said: [] };
    lane.parts.push(part);
    lanes.set(key, lane);
    laneOfTrack.set(track.id, lane);
  }
  for (const each of said) laneOfTrack.get(each.track)?.said.push(each);
  const mix = lanes.get(MIX)?.parts ?? [];
  for (const lane of lanes.values()) {
    lane.parts.sort((a, b) => a.from - b.from);
    lane.breaks = breaksOf(lane.parts, mix);
  }
  const rank = (lane: Lane) => (lane.key === MIX ? -1 : lane.role ? RANK[lane.role] : RANK.participant);
  return [...lanes.values()].sort((a, b) => rank(a) - rank(b) || a.parts[0]!.from - b.parts[0]!.from || (a.key < b.key ? -1 : 1));
}

/** From the first to the last that there is. */
export function rangeOf(lanes: Lane[]): Span | null {
  let range: Span | null = null;
  for (const { parts, said } of lanes) {
    for (const { from, to } of [...parts, ...said.slice(-1)]) range = range ? { from: Math.min(range.from, from), to: Math.max(range.to, to) } : { from, to };
  }
  return range;
}

/** Where nothing was recorded. */
export function gapsOf(parts: Span[], range: Span): Span[] {
  const gaps: Span[] = [];
  let at = range.from;
  for (const { from, to } of [...parts].sort((a, b) => a.from - b.from)) {
    if (from > at) gaps.push({ from: at, to: Math.min(from, range.to) });
    at = Math.max(at, to);
    if (at >= range.to) return gaps;
  }
  return [...gaps, { from: at, to: range.to }];
}

/** Where a story is interrupted. What the main room has of most of that time was recorded of others. */
export function breaksOf(parts: Span[], mix: Span[]): Break[] {
  if (parts.length < 2) return [];
  const story = { from: parts[0]!.from, to: Math.max(...parts.map(({ to }) => to)) };
  return gapsOf(parts, story).flatMap((gap) => {
    const lasts = gap.to - gap.from;
    const missing = gapsOf(within(mix, gap), gap).reduce((sum, { from, to }) => sum + to - from, 0);
    return lasts > 0 ? [{ ...gap, paused: missing > lasts / 2 }] : [];
  });
}

/** The first place in a list by `from` whose `from` is not before this moment. */
export function placeOf(spans: Span[], moment: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle]!.from < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Those of a list by `from` that are to be seen; spans of one lane do not overlap. */
export function within<S extends Span>(spans: S[], { from, to }: Span): S[] {
  let first = placeOf(spans, from);
  while (first > 0 && spans[first - 1]!.to > from) first -= 1;
  return spans.slice(first, placeOf(spans, to));
}

/** The one that is spoken at this moment, or nearer to it than `reach`. */
export function saidAt(said: Said[], moment: number, reach = 0): Said | null {
  const near = within(said, { from: moment - reach, to: moment + reach + 1 });
  const distance = ({ from, to }: Said) => Math.max(from - moment, moment - to, 0);
  return near.reduce<Said | null>((best, each) => (!best || distance(each) < distance(best) ? each : best), null);
}

/** How far into an utterance "previous" goes back to its own beginning; ms. */
const RESTARTS = 2000;

/** The one after what is played or, without that, after this moment; null at the end. */
export function nextSaid(said: Said[], moment: number, current: Said | null): Said | null {
  const at = current ? said.findIndex(({ id }) => id === current.id) : -1;
  if (at >= 0) return said[at + 1] ?? null;
  return said[placeOf(said, current ? current.from : moment)] ?? null;
}

/** The one before; the same again when it is well under way. */
export function previousSaid(said: Said[], moment: number, current: Said | null): Said | null {
  const at = current ? said.findIndex(({ id }) => id === current.id) : -1;
  if (at >= 0) return moment - said[at]!.from > RESTARTS ? said[at]! : (said[at - 1] ?? null);
  return said[placeOf(said, current ? current.from : moment) - 1] ?? null;
}

/** The part to hear at this moment, or the next one after it. */
export function partAt(parts: Part[], moment: number): Part | null {
  return parts.find(({ to, heard }) => Math.max(to, heard) > moment) ?? null;
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400].map((seconds) => seconds * 1000);

/** Round moments along the axis, `least` px apart or more; `scale` in px per ms. */
export function ticksOf({ from, to }: Span, scale: number, least: number): number[] {
  const step = STEPS.find((each) => each * scale >= least) ?? STEPS.at(-1)!;
  const ticks: number[] = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) ticks.push(tick);
  return ticks;
}

/** The loudest in each of `count` equal parts of a stretch of peaks; positions in peaks, not whole ones. */
export function columns(peaks: Uint8Array, from: number, to: number, count: number): Uint8Array {
  const found = new Uint8Array(count);
  const width = (to - from) / count;
  for (let column = 0; column < count; column += 1) {
    const first = Math.max(0, Math.floor(from + column * width));
    const last = Math.min(peaks.length, Math.max(first + 1, Math.ceil(from + (column + 1) * width)));
    let loudest = 0;
    for (let place = first; place < last; place += 1) loudest = Math.max(loudest, peaks[place]!);
    found[column] = loudest;
  }
  return found;
}
