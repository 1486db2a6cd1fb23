/** The detail of an audit entry in one line: its values, as people read them. */

const MOST = 6;

function words(value: unknown): string[] {
  if (value === null || value === undefined || typeof value === "boolean") return [];
  if (Array.isArray(value)) {
    const each = value.flatMap(words);
    return each.length > MOST ? [`${each.slice(0, MOST).join("、")} … (${each.length})`] : [each.join("、")];
  }
  if (typeof value === "object") return Object.values(value).flatMap(words);
  return [String(value)];
}

export function describe(detail: Record<string, unknown>): string {
  return Object.values(detail).flatMap(words).filter(Boolean).join(" · ");
}
