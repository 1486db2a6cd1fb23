import { describe, expect, it } from "vitest";

import { withSpeaker } from "./revisions";

const ROSTER = new Map([["p1", "一号会议室"], ["p2", "陈静"]]);

describe("who spoke, before and after a change", () => {
  it("is one field, whether they are on the roster or not", () => {
    expect(withSpeaker({ participant: "p1", speaker: "" }, ROSTER)).toEqual({ speaker: "一号会议室" });
    expect(withSpeaker({ participant: null, speaker: "马红梅" }, ROSTER)).toEqual({ speaker: "马红梅" });
    expect(withSpeaker({ participant: "p2" }, ROSTER)).toEqual({ speaker: "陈静" });
  });

  it("is not there where it did not change", () => {
    expect(withSpeaker({ hidden: true }, ROSTER)).toEqual({ hidden: true });
  });
});
