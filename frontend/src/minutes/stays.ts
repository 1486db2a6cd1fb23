/** When somebody was in, as it is read: who was away for less than a minute was in. */

import type { Attendee } from "@/api/types";

const AWAY = 60_000;

export function joinedStays(stays: Attendee["stays"]): Attendee["stays"] {
  const found: Attendee["stays"] = [];
  for (const [from, to] of stays) {
    const last = found.at(-1);
    if (!last || (last[1] !== null && Date.parse(from) - Date.parse(last[1]) >= AWAY)) found.push([from, to]);
    else if (last[1] !== null && (to === null || Date.parse(to) > Date.parse(last[1]))) last[1] = to;
  }
  return found;
}
