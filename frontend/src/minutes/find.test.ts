import { describe, expect, it } from "vitest";

import { matches, nextFound, pieces, termsOf } from "./find";

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

describe("pages of what was found", () => {
  const pages: Record<string, { results: string[]; after: string }> = {
    "": { results: [], after: "1" },
    "1": { results: [], after: "2" },
    "2": { results: ["a"], after: "3" },
    "3": { results: [], after: "" },
  };
  const asked: string[] = [];
  const ask = (after: string) => {
    asked.push(after);
    return Promise.resolve(pages[after]!);
  };

  it("are asked for until one has something", async () => {
    expect(await nextFound(ask)).toBe(pages["2"]);
    expect(asked).toEqual(["", "1", "2"]);
  });

  it("end with the last one", async () => {
    expect(await nextFound(ask, "3")).toBe(pages["3"]);
  });
});
