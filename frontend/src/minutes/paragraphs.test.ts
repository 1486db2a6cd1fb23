import { describe, expect, it } from "vitest";

import { passage } from "./fixtures";
import { inOrder, kept, momentOf, overlapping, paragraphs } from "./paragraphs";

const idsOf = (...of: Parameters<typeof paragraphs>) => paragraphs(...of).map(({ passages }) => passages.map(({ id }) => id));

describe("paragraphs", () => {
  it("are of one speaker who pauses for less than four seconds", () => {
    expect(idsOf([passage("a", "王", 0, 2), passage("b", "王", 5.9, 7), passage("c", "王", 11, 12)])).toEqual([["a", "b"], ["c"]]);
  });

  it("end when somebody else begins", () => {
    expect(idsOf([passage("a", "王", 0, 2), passage("b", "李", 2, 3), passage("c", "王", 3, 4)])).toEqual([["a"], ["b"], ["c"]]);
  });

  it("keep two people of one name apart", () => {
    expect(idsOf([passage("a", "王", 0, 2), passage("b", "王", 2, 3, { participant: "another" })])).toEqual([["a"], ["b"]]);
  });

  it("leave decisions and tasks alone", () => {
    expect(idsOf([passage("a", "王", 0, 1), passage("b", "王", 1, 2, { mark: "decision" }), passage("c", "王", 2, 3)])).toEqual([["a"], ["b"], ["c"]]);
  });

  it("are not longer than a page can bear, and never cut a passage", () => {
    const long = "会".repeat(400);
    expect(idsOf([passage("a", "王", 0, 60, { text: long }), passage("b", "王", 60, 90, { text: "会".repeat(200) }), passage("c", "王", 90, 91)])).toEqual([["a", "b"], ["c"]]);
    expect(idsOf([passage("a", "王", 0, 60, { text: "会".repeat(900) })])).toEqual([["a"]]);
  });

  it("look to the end that came last, not to the last passage's", () => {
    expect(idsOf([passage("a", "王", 0, 20, { track: "t1" }), passage("b", "王", 1, 2, { track: "t2" }), passage("c", "王", 22, 23)])).toEqual([["a", "b", "c"]]);
  });

  it("stay the same objects where nothing changed", () => {
    const [a, b, c] = [passage("a", "王", 0, 2), passage("b", "李", 2, 3), passage("c", "赵", 3, 4)];
    const before = paragraphs([a, b, c]);
    const after = kept(before, paragraphs([a, { ...b, seq: 2 }, c]));
    expect(after.map((each, index) => each === before[index])).toEqual([true, false, true]);
  });
});

describe("passages", () => {
  it("are ordered by when they began, then by id", () => {
    expect(inOrder([passage("c", "王", 1, 2), passage("b", "李", 0, 3), passage("a", "赵", 1, 2)]).map(({ id }) => id)).toEqual(["b", "a", "c"]);
  });

  it("say when each sentence was said, by the conference's clock", () => {
    const one = passage("a", "王", 10, 20, { start_ms: 500, end_ms: 10_500 });
    expect(momentOf(one, { start_ms: 2500, end_ms: 3000, text: "", confidence: "good" })).toBe(Date.parse(one.starts_at) + 2000);
  });

  it("overlap while two people speak, not at the moment when one takes over", () => {
    const said = [passage("a", "王", 0, 10), passage("b", "李", 4, 6), passage("c", "赵", 9.9, 12), passage("d", "王", 12, 13)];
    expect([...overlapping(said)].sort()).toEqual(["a", "b"]);
  });
});
