import { describe, expect, it } from "vitest";

import { matches, pieces, termsOf } from "./find";

const hits = (text: string, query: string) => pieces(text, termsOf(query)).flatMap(({ text, hit }) => (hit ? [text] : []));

describe("words that are looked for", () => {
  it("are found whatever their case and width", () => {
    expect(hits("发布 ＡＰＩ 文档，api 冻结", "Api")).toEqual(["ＡＰＩ", "api"]);
    expect(matches("发布计划 API", termsOf("api 计划"))).toBe(true);
    expect(matches("发布计划", termsOf("api 计划"))).toBe(false);
  });

  it("are marked where they are, also after characters that fold to more", () => {
    expect(hits("㍻ﬁnal ﬁx", "fix")).toEqual(["ﬁx"]);
    expect(hits("𠮷野家在𠮷林", "𠮷")).toEqual(["𠮷", "𠮷"]);
  });

  it("leave the text whole", () => {
    const text = "下周一发布，下周二复盘";
    expect(pieces(text, termsOf("下周")).map((piece) => piece.text).join("")).toBe(text);
    expect(pieces(text, [])).toEqual([{ text, hit: false }]);
    expect(termsOf("  ")).toEqual([]);
  });
});
