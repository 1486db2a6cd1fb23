/** Where the page's address leads: `/join/conference/ID` for people with a login, `/join/TOKEN` for guests. */

export type Target = { conference: string } | { token: string };

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function targetOf(path: string): Target | null {
  const [, join, first = "", second] = path.replace(/\/$/, "").split("/");
  if (join !== "join") return null;
  if (first === "conference") return second && ID.test(second) ? { conference: second } : null;
  return first && second === undefined ? { token: first } : null;
}
