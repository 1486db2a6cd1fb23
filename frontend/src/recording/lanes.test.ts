import { describe, expect, it } from "vitest";

import type { Role, Track, Utterance } from "@/api/types";

import { askAfter, columns, gapsOf, lanesOf, merge, MIX, nextSaid, partAt, previousSaid, rangeOf, saidAt, saidOf, spoken, ticksOf, within, type Said } from "./lanes";

const BEGAN = Date.parse("2026-11-26T08:00:00Z");
const iso = (ms: number) => new Date(BEGAN + ms).toISOString();

function said(id: string, from: number, to: number, more: Partial<Said> = {}): Said {
  return { id, track: "t", participant: "p", name: "", audio: `/${id}`, start: 0, told: 0, from, to, ...more };
}
function track(id: string, from: number | null, more: Partial<Track> = {}): Track {
  return {
    id, kind: "person", participant: "p", name: "Erin", whisper: null, part: 1, state: "sealed", duration_ms: 1000, audio: "/a", ended_at: null,
    started_at: from === null ? null : iso(from), ...more,
  };
}
const ids = (list: { id: string }[]) => list.map(({ id }) => id);

describe("merging what is told again and again", () => {
  const known = [said("a", 0, 10), said("b", 20, 30), said("d", 40, 50)];

  it("puts each where it belongs, once, with its newest link", () => {
    const told = [said("c", 30, 35), said("b", 20, 30, { audio: "/fresh" }), said("0", 0, 5), said("e", 60, 70)];
    const merged = merge(known, told);
    expect(ids(merged)).toEqual(["0", "a", "b", "c", "d", "e"]);
    expect(merged[2]!.audio).toBe("/fresh");
    expect(ids(known)).toEqual(["a", "b", "d"]);
  });

  it("begins with nothing, and leaves alone what nothing was added to", () => {
    expect(ids(merge([], [said("b", 5, 6), said("a", 1, 9)]))).toEqual(["a", "b"]);
    expect(merge(known, [])).toBe(known);
  });

  it("asks again from a little before the latest end", () => {
    expect(askAfter([], 1000)).toBeUndefined();
    expect(askAfter([said("a", BEGAN, BEGAN + 9000), said("b", BEGAN + 1, BEGAN + 3000)], 1000)).toBe(iso(8000));
  });

  it("knows what persons said from what the main room heard", () => {
    expect(ids(spoken([said("a", 0, 1), said("m", 0, 1, { participant: null }), said("b", 2, 3)]))).toEqual(["a", "b"]);
  });

  it("reads what the API says", () => {
    const told: Utterance = { id: "a", track: "t", participant: null, name: "", starts_at: iso(20), ends_at: iso(1040), start_ms: 40, audio: null };
    expect(saidOf(told, 7)).toEqual({ id: "a", track: "t", participant: null, name: "", audio: null, start: 40, told: 7, from: BEGAN + 20, to: BEGAN + 1040 });
  });
});

describe("lanes", () => {
  const people = new Map<string, { name: string; role: Role }>([["chair", { name: "陈静", role: "chair" }], ["p", { name: "韩梅梅", role: "participant" }]]);

  it("are the main room, then people by role and coming, each with all their tracks", () => {
    const tracks = [
      track("late", 5000, { part: 2 }), track("first", 0), track("other", 100, { participant: "x", name: "Dan" }),
      track("c", 900, { participant: "chair" }), track("w", 2000, { participant: "chair", kind: "whisper", whisper: "w" }), track("m", 0, { kind: "mix", participant: null, name: "" }),
      track("unborn", null), track("empty", 0, { state: "empty", participant: "nobody" }),
    ];
    const lanes = lanesOf(tracks, [said("a", 1, 2, { track: "first" }), said("b", 3, 4, { track: "w" }), said("c", 5, 6, { track: "unknown" })], people, BEGAN);
    expect(lanes.map(({ key, name }) => [key, name])).toEqual([[MIX, ""], ["chair", "陈静"], ["p", "韩梅梅"], ["x", "Dan"]]);
    expect(lanes[1]!.parts.map(({ track, whisper }) => [track, whisper])).toEqual([["c", false], ["w", true]]);
    expect(lanes[2]!.parts.map(({ track }) => track)).toEqual(["first", "late"]);
    expect([ids(lanes[1]!.said), ids(lanes[2]!.said)]).toEqual([["b"], ["a"]]);
  });

  it("tell a pause of the recording from a line that was down, and go on across both", () => {
    const mix = { kind: "mix", participant: null } as const;
    const tracks = [
      track("m1", 0, { ...mix, duration_ms: 4000 }), track("m2", 6000, { ...mix, duration_ms: 9000 }),
      track("one", 0, { duration_ms: 4000 }), track("two", 6000, { duration_ms: 2000 }), track("three", 12_000, { duration_ms: 3000 }), track("whisper", 8000, { kind: "whisper", whisper: "w" }),
    ];
    const spoken = [said("a", 1000, 2000, { track: "one" }), said("b", 7000, 7500, { track: "two" }), said("c", 13_000, 14_000, { track: "three" })];
    const [main, lane] = lanesOf(tracks, spoken, new Map(), 0);
    expect(main!.breaks).toEqual([{ from: BEGAN + 4000, to: BEGAN + 6000, paused: true }]);
    expect(lane!.breaks).toEqual([
      { from: BEGAN + 4000, to: BEGAN + 6000, paused: true },
      { from: BEGAN + 9000, to: BEGAN + 12_000, paused: false },
    ]);
    expect(ids([nextSaid(lane!.said, 1500, spoken[0]!)!, nextSaid(lane!.said, 7100, spoken[1]!)!, previousSaid(lane!.said, 13_100, spoken[2]!)!])).toEqual(["b", "c", "b"]);
  });

  it("reach to now while they are recorded, though less can be heard", () => {
    const [lane] = lanesOf([track("t", 0, { state: "live", duration_ms: 4000 })], [], people, BEGAN + 6000);
    expect(lane!.parts[0]).toMatchObject({ from: BEGAN, heard: BEGAN + 4000, to: BEGAN + 6000 });
    expect(rangeOf([lane!])).toEqual({ from: BEGAN, to: BEGAN + 6000 });
    expect(rangeOf([])).toBeNull();
  });
});

describe("time", () => {
  const list = [said("a", 0, 1000), said("b", 3000, 4000), said("c", 5000, 9000)];

  it("has gaps where nothing was recorded", () => {
    const range = { from: 0, to: 100 };
    expect(gapsOf([], range)).toEqual([range]);
    expect(gapsOf([{ from: 60, to: 100 }, { from: 10, to: 40 }, { from: 20, to: 30 }], range)).toEqual([{ from: 0, to: 10 }, { from: 40, to: 60 }]);
    expect(gapsOf([{ from: -5, to: 50 }], range)).toEqual([{ from: 50, to: 100 }]);
    expect(gapsOf([{ from: 0, to: 200 }], range)).toEqual([]);
  });

  it("finds what is to be seen and what is spoken", () => {
    expect(ids(within(list, { from: 500, to: 3500 }))).toEqual(["a", "b"]);
    expect(ids(within(list, { from: 1000, to: 3000 }))).toEqual([]);
    expect(saidAt(list, 3500)?.id).toBe("b");
    expect(saidAt(list, 2000)).toBeNull();
    expect(saidAt(list, 4400, 700)?.id).toBe("b");
    expect(saidAt(list, 4600, 700)?.id).toBe("c");
  });

  it("goes to the next and the one before", () => {
    expect(nextSaid(list, 0, list[0]!)?.id).toBe("b");
    expect(nextSaid(list, 0, list[2]!)).toBeNull();
    expect(nextSaid(list, 1500, null)?.id).toBe("b");
    expect(previousSaid(list, 3100, list[1]!)?.id).toBe("a");
    expect(previousSaid(list, 8000, list[2]!)?.id).toBe("c");
    expect(previousSaid(list, 0, list[0]!)).toBeNull();
    expect(previousSaid(list, 4500, null)?.id).toBe("b");
  });

  it("goes on from somebody else's to the next of this person", () => {
    const other = said("x", 2000, 2500);
    expect(nextSaid(list, 2100, other)?.id).toBe("b");
    expect(previousSaid(list, 2100, other)?.id).toBe("a");
  });

  it("finds the part to hear, or the next", () => {
    const parts = lanesOf([track("one", 0), track("two", 5000)], [], new Map(), BEGAN)[0]!.parts;
    expect(partAt(parts, BEGAN + 500)?.track).toBe("one");
    expect(partAt(parts, BEGAN + 3000)?.track).toBe("two");
    expect(partAt(parts, BEGAN + 6000)).toBeNull();
  });

  it("is marked at round moments, far enough apart", () => {
    expect(ticksOf({ from: BEGAN + 1, to: BEGAN + 31_000 }, 0.01, 90).map((tick) => tick - BEGAN)).toEqual([10_000, 20_000, 30_000]);
    expect(ticksOf({ from: BEGAN, to: BEGAN + 7_200_000 }, 1000 / 7_200_000, 90).length).toBeLessThan(12);
  });
});

describe("waveforms", () => {
  it("show the loudest of what a column stands for", () => {
    const peaks = new Uint8Array([1, 9, 2, 3, 8, 4]);
    expect([...columns(peaks, 0, 6, 3)]).toEqual([9, 3, 8]);
    expect([...columns(peaks, 0, 2, 4)]).toEqual([1, 1, 9, 9]);
    expect([...columns(peaks, 4, 8, 4)]).toEqual([8, 4, 0, 0]);
  });
});
