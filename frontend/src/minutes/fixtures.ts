/** Passages for tests. */

import type { Passage } from "@/api/types";

const BEGAN = Date.parse("2026-11-23T08:00:00Z");

/** From `from` to `to`, seconds of the conference and of the track of its speaker; one sentence. */
export function passage(id: string, speaker: string, from: number, to: number, fields: Partial<Passage> & { text?: string } = {}): Passage {
  const { text = `${speaker}说。`, ...rest } = fields;
  return {
    id, seq: 1, version: 1, removed: false, participant: `p-${speaker}`, speaker, track: `t-${speaker}`, starts_at: new Date(BEGAN + from * 1000).toISOString(), ends_at: new Date(BEGAN + to * 1000).toISOString(),
    start_ms: from * 1000, end_ms: to * 1000, sentences: [{ start_ms: from * 1000, end_ms: to * 1000, text, confidence: "good" }], language: "zh", refined: true, mark: "", task_person: "", task_due: null, hidden: false, edited: false, ...rest,
  };
}
