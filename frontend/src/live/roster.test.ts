import { describe, expect, it } from "vitest";

import type { Conference, Participant } from "@/api/types";

import { conference, participant } from "./fixtures";
import { chairAnswer, countStates, isInLobby, isWaiting, launchProgress, matches, micOf, rosterOf, shallBeDeaf, shallBeMuted, waitingOf, type RosterView } from "./roster";

const people = [
  participant({ id: "p", name: "王建国", position: 2, numbers: [{ number: "+8613800138000" }] }),
  participant({ id: "c", name: "陈晓岚", role: "chair", position: 3 }),
  participant({ id: "h", name: "李明", position: 1, hand_raised_at: "2026-11-23T08:02:00Z" }),
  participant({ id: "g", name: "Ann", position: 4, hand_raised_at: "2026-11-23T08:01:00Z", state: "failed" }),
];

function ids(view: Partial<RosterView>, talking: string[] = []): string {
  return rosterOf(people, { query: "", filter: "all", sort: "usual", ...view }, new Set(talking), "zh-CN").map(({ id }) => id).join("");
}

describe("the roster", () => {
  it("sorts: chairs first, hands first in their order, speakers first, by name in pinyin", () => {
    expect(ids({})).toBe("chpg");
    expect(ids({ sort: "hands" })).toBe("ghcp");
    expect(ids({ sort: "speaking" }, ["p"])).toBe("pghc");
    expect(ids({ sort: "name" })).toMatch(/chp/);
    expect(ids({ sort: "state" })).toBe("chpg");
  });

  it("filters and searches by name and number", () => {
    expect(ids({ filter: "hands" })).toBe("hg");
    expect(ids({ filter: "absent" })).toBe("g");
    expect(ids({ query: "建国" })).toBe("p");
    expect(ids({ query: "138 0013" })).toBe("p");
    expect(ids({ query: "ANN" })).toBe("g");
  });

  it("does not take a name with a digit for a number", () => {
    expect(matches(participant({ id: "x", name: "大会议室", numbers: [{ number: "+8613800138000" }] }), "室3")).toBe(false);
  });

  it("counts, and tells how far the launch is", () => {
    const counts = countStates([...people, participant({ id: "q", state: "queued" }), participant({ id: "gone", state: "left", present: false })]);
    expect(counts).toMatchObject({ total: 6, wanted: 5, connected: 3, failed: 1, absent: 1, hands: 2 });
    expect(launchProgress(counts)).toEqual({ done: 4, total: 5, share: 0.8 });
  });
});

describe("the lobby", () => {
  const waiting = participant({ id: "w", admitted: false, room: "lobby", joined_at: "2026-11-23T08:02:00Z" });
  const longer = participant({ id: "l", admitted: false, room: "lobby", joined_at: "2026-11-23T08:01:00Z" });
  const coming = participant({ id: "i", room: "lobby" });
  const going = participant({ id: "g", admitted: false, room: "lobby", present: false, refused: true });

  it("has those who are not admitted, the longest waiting first", () => {
    expect(waitingOf([waiting, coming, longer, going]).map(({ id }) => id)).toEqual(["l", "w"]);
    expect(isWaiting(participant({ id: "c", admitted: false, role: "chair" }))).toBe(false);
    expect(isWaiting(participant({ id: "a", admitted: false, state: "planned", room: null }))).toBe(false);
  });

  it("counts and shows them apart from those who are in", () => {
    expect(countStates([waiting, coming, participant({ id: "in" })])).toMatchObject({ lobby: 2, connected: 1, total: 3 });
    const filtered = (filter: RosterView["filter"]) => rosterOf([waiting, participant({ id: "in" })], { query: "", filter, sort: "usual" }, new Set(), "en").map(({ id }) => id);
    expect(filtered("lobby")).toEqual(["w"]);
    expect(filtered("connected")).toEqual(["in"]);
  });

  it("has no microphone, and is not deaf while the conference gathers", () => {
    const gathering = conference({ phase: "gathering" });
    expect(isInLobby(coming)).toBe(true);
    expect(micOf(waiting, gathering)).toBeNull();
    expect(shallBeDeaf(waiting, gathering)).toBe(false);
    expect(shallBeDeaf(participant({ id: "in" }), gathering)).toBe(true);
  });
});

describe("the microphone", () => {
  const cases: [string, Partial<Participant>, Partial<Conference>, boolean][] = [
    ["free", {}, {}, false],
    ["muted", { muted: true }, {}, true],
    ["forbidden, even for a chair in a whisper", { forbidden: true, role: "chair", whisper: "w" }, {}, true],
    ["moderated", {}, { floor_mode: "moderated" }, true],
    ["moderated, given the floor", { granted: true }, { floor_mode: "moderated" }, false],
    ["moderated, chair", { role: "chair" }, { floor_mode: "moderated" }, false],
    ["roll call", {}, { floor_mode: "roll_call", called: "someone" }, true],
    ["roll call, called", {}, { floor_mode: "roll_call", called: "x" }, false],
    ["roll call, in a whisper", { whisper: "w" }, { floor_mode: "roll_call" }, false],
    ["gathering", { role: "member" }, { phase: "gathering" }, true],
    ["gathering, chair", { role: "chair" }, { phase: "gathering" }, false],
  ];
  it.each(cases)("shall be as the rules say: %s", (_name, person, meeting, muted) => {
    expect(shallBeMuted(participant({ id: "x", ...person }), conference(meeting))).toBe(muted);
  });

  it("goes with hearing nothing while the conference gathers, below chair", () => {
    const gathering = conference({ phase: "gathering" });
    expect(shallBeDeaf(participant({ id: "x" }), gathering)).toBe(true);
    expect(shallBeDeaf(participant({ id: "x", role: "chair" }), gathering)).toBe(false);
    expect(shallBeDeaf(participant({ id: "x" }), conference())).toBe(false);
    expect(shallBeDeaf(participant({ id: "x", deaf: true }), conference())).toBe(true);
  });

  it("shows what the switch says, and what is pending", () => {
    expect(micOf(participant({ id: "x", muted: true }), conference())).toEqual({ muted: false, pending: true });
    expect(micOf(participant({ id: "x", muted: true, observed_muted: true }), conference())).toEqual({ muted: true, pending: false });
    expect(micOf(participant({ id: "x", state: "ringing" }), conference())).toBeNull();
  });
});

describe("a request for the chair", () => {
  const asked = participant({ id: "x", role: "member", chair_asked_at: "2026-11-23T08:01:00Z" });
  const answered = { ...asked, chair_asked_at: null };
  const cases: [string, Participant, Participant, ReturnType<typeof chairAnswer>][] = [
    ["stands", asked, { ...asked, muted: true }, "open"],
    ["was never made", answered, { ...answered, role: "chair" }, "open"],
    ["is made", answered, asked, "open"],
    ["was granted", asked, { ...answered, role: "chair" }, "given"],
    ["was declined", asked, answered, "declined"],
    ["went with the person", asked, { ...answered, present: false }, "open"],
  ];
  it.each(cases)("%s", (_name, before, now, answer) => {
    expect(chairAnswer(before, now)).toBe(answer);
  });
});
