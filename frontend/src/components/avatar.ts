const HAN = /^\p{Script=Han}/u;

/** The last two characters of a Chinese name, as is the custom; else the initials. */
export function shortName(name: string): string {
  // What stands in brackets is a remark.
  const trimmed = name.replace(/[（(].*$/, "").trim();
  if (HAN.test(trimmed)) return [...trimmed.replace(/[^\p{Script=Han}]/gu, "")].slice(-2).join("");
  const words = trimmed.split(/\s+/);
  const initials = words.length > 1 ? [words[0], words.at(-1)].map((word) => [...(word ?? "")][0] ?? "") : [...trimmed].slice(0, 2);
  return initials.join("").toUpperCase() || "?";
}

/** A hue (degrees) that stays the same for a name. */
export function hueOf(name: string): number {
  let hash = 7;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return hash;
}
