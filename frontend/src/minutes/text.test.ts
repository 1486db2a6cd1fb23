import { describe, expect, it } from "vitest";

import { difference, gap, joined, pointsBefore, sameplace, startsOf, width } from "./text";

describe("texts in a row", () => {
  it("have no space between Chinese ones, and one between others", () => {
    expect(joined(["我们下周发布。", "大家同意吗？"])).toBe("我们下周发布。大家同意吗？");
    expect(joined(["We ship next week.", "Agreed?"])).toBe("We ship next week. Agreed?");
    expect(joined(["Agreed.", "好的。", "Thanks."])).toBe("Agreed. 好的。Thanks.");
    expect(joined(["", "a", "", "b"])).toBe("a b");
  });

  it("leave it to what stands beside them how quotes and dots are taken", () => {
    expect(gap("他说“好”", "然后")).toBe("");
    expect(gap("He said “yes”", "then")).toBe(" ");
    expect(gap("OK", "，好")).toBe("");
    expect(gap("OK", "好")).toBe(" ");
    expect(gap("……", "好")).toBe(" ");
  });

  it("are found where they begin", () => {
    const texts = ["Yes.", "好。", "Go on."];
    expect(startsOf(texts).map((start, index) => joined(texts).slice(start, start + texts[index]!.length))).toEqual(texts);
  });

  it("differ in the middle", () => {
    expect(difference("还剩十一个缺陷。", "还剩九个缺陷。")).toEqual(["还剩", "九", "个缺陷。"]);
    expect(difference("好好", "好")).toEqual(["好", "", ""]);
    expect(difference("好", "好好")).toEqual(["好", "好", ""]);
    expect(difference("", "好")).toEqual(["", "好", ""]);
  });

  it("are as wide as they are set", () => expect(width("a好，b")).toBe(6));
});

describe("a place in a text", () => {
  it("is counted in code points for the server", () => {
    expect(pointsBefore("𠮷野家开会", 4)).toBe(3);
    expect(pointsBefore("开会", 1)).toBe(1);
  });

  it("stays where it is when saving changes white space only", () => {
    expect(sameplace("好的 。下一项", 4, "好的。下一项")).toBe(3);
    expect(sameplace("Yes.  Next item", 6, "Yes. Next item")).toBe(4);
    expect(sameplace("Yes. Next item", 5, "Yes. Next item")).toBe(4);
  });

  it("is nowhere when the text is another one, or one side would be empty", () => {
    expect(sameplace("好的。", 1, "不好。")).toBe(-1);
    expect(sameplace("好的。", 0, "好的。")).toBe(-1);
    expect(sameplace("好的。 ", 4, "好的。")).toBe(-1);
  });
});
