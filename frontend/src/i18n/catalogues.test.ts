import { describe, expect, it } from "vitest";

import { en } from "./en";
import { zh } from "./zh";

function leaves(catalogue: object, path = ""): [string, string][] {
  return Object.entries(catalogue).flatMap(([key, value]) =>
    typeof value === "string" ? [[path + key, value] as [string, string]] : leaves(value as object, `${path}${key}.`),
  );
}
const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

describe("catalogues", () => {
  it("have the same keys", () => {
    expect(leaves(en).map(([key]) => key).sort()).toEqual(leaves(zh).map(([key]) => key).sort());
  });

  it("say something everywhere, with the same placeholders", () => {
    const chinese = new Map(leaves(zh));
    for (const [key, text] of leaves(en)) {
      expect(text.trim(), key).not.toBe("");
      expect(placeholders(text), key).toEqual(placeholders(chinese.get(key) ?? ""));
    }
  });

  it("are in their languages", () => {
    const shared = new Set(["app.name", "language.switch", "people.pasteExample", "log.unknown", "stateDetail.sip", "options.percent", "common.comma", "minutes.find.count", "minutes.edit.saveKey", "minutes.edit.cancelKey", "minutes.edit.playKey", "minutes.edit.splitKey"]);
    for (const [key, text] of leaves(zh)) if (!shared.has(key)) expect(text, key).toMatch(/\p{Script=Han}/u);
    for (const [key, text] of leaves(en)) if (!shared.has(key)) expect(text, key).not.toMatch(/\p{Script=Han}/u);
  });
});
