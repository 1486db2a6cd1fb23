import type { Revision } from "@/api/types";

type Values = Revision["before"];

/** Who spoke is somebody on the roster, or a name: to a reader that is one field, `speaker`. What did not change is not in it. */
export function withSpeaker(values: Values, roster: ReadonlyMap<string, string>): Values {
  if (!("participant" in values || "speaker" in values)) return values;
  const { participant, ...others } = values;
  return { ...others, speaker: roster.get(String(participant)) ?? values.speaker };
}
