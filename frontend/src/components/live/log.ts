/** The detail of an audit entry in one line: whom it was done to, then its other values, as people read them. */

const MOST = 6;
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** `nameOf` puts a value (of the detail's field `key`) into words, "" for one that says nothing; `comma` parts the items of a list. */
export function describe(detail: Record<string, unknown>, nameOf: (key: string, value: string) => string, comma: string): string {
  const { participants = [], ...rest } = detail;
  const parts = Object.entries({ participants, ...rest }).map(([key, value]) => {
    const values = (Array.isArray(value) ? value : [value])
      .filter((each) => typeof each === "string" || typeof each === "number")
      .map((each) => nameOf(key, String(each)))
      .filter(Boolean);
    return values.length > MOST ? `${values.slice(0, MOST).join(comma)} … (${values.length})` : values.join(comma);
  });
  return parts.filter(Boolean).join(" · ");
}
