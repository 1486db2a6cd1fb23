import { describe, expect, it } from "vitest";

import { joinedStays } from "./stays";

const at = (minute: number) => new Date(Date.UTC(2026, 10, 23, 8, 0, minute * 60)).toISOString();

describe("stays", () => {
  it("go on over less than a minute", () => {
    expect(joinedStays([[at(0), at(5)], [at(5.5), at(9)], [at(11), at(12)]])).toEqual([[at(0), at(9)], [at(11), at(12)]]);
    expect(joinedStays([[at(0), at(5)], [at(5), null]])).toEqual([[at(0), null]]);
  });

  it("leave what was told as it is, and are not shortened by one within another", () => {
    const told: [string, string | null][] = [[at(0), at(5)], [at(1), at(2)]];
    expect(joinedStays(told)).toEqual([[at(0), at(5)]]);
    expect(joinedStays([[at(0), null], [at(1), at(2)]])).toEqual([[at(0), null]]);
    expect(told[0]).toEqual([at(0), at(5)]);
    expect(joinedStays([])).toEqual([]);
  });
});
