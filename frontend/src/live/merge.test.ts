import { describe, expect, it } from "vitest";

import { participant, snapshot } from "./fixtures";
import { applyDelta, fromSnapshot, type LiveState } from "./merge";
import type { DeltaMessage } from "./types";

const delta = (from: number, seq: number, changes: DeltaMessage["changes"]): DeltaMessage => ({ type: "delta", from, seq, changes });

function applied(state: LiveState, ...deltas: DeltaMessage[]): LiveState {
  return deltas.reduce((current, next) => {
    const result = applyDelta(current, next);
    if (result === "gap") throw new Error("gap");
    return result;
  }, state);
}

describe("deltas", () => {
  const before = fromSnapshot(snapshot(4, [participant({ id: "a" }), participant({ id: "b" })]));

  it("lead from an old snapshot to a fresh one", () => {
    const whisper = { id: "w", title: "商议", soft_main: true, opened_by: null, opened_at: "2026-11-23T08:01:00Z", closed_at: null, observed_feed: false };
    const after = applied(
      before,
      delta(4, 5, { conference: { locked: true }, participants: { a: { muted: true } } }),
      delta(5, 7, { participants: { b: null, c: participant({ id: "c" }) }, whispers: { w: whisper } }),
      delta(7, 8, { participants: { a: { observed_muted: true } }, whispers: { w: { observed_feed: true } } }),
    );
    const fresh = fromSnapshot({
      ...snapshot(8, [participant({ id: "a", muted: true, observed_muted: true }), participant({ id: "c" })], { locked: true }),
      whispers: [{ ...whisper, observed_feed: true }],
    });
    expect(after).toEqual(fresh);
  });

  it("leave the state that they begin from as it is", () => {
    applied(before, delta(4, 5, { participants: { a: { muted: true }, b: null } }));
    expect(before.participants.get("a")?.muted).toBe(false);
    expect(before.participants.has("b")).toBe(true);
  });

  it("keep what did not change, so that its rows need not be drawn again", () => {
    const after = applied(before, delta(4, 5, { participants: { a: { muted: true } } }));
    expect(after.participants.get("b")).toBe(before.participants.get("b"));
    expect(after.whispers).toBe(before.whispers);
  });

  it("tell a gap", () => {
    expect(applyDelta(before, delta(5, 6, {}))).toBe("gap");
    expect(applyDelta(before, delta(2, 6, {}))).toBe("gap");
  });

  it("change nothing when they come again", () => {
    expect(applyDelta(before, delta(3, 4, { conference: { locked: true } }))).toBe(before);
  });
});
