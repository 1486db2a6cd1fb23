/** What may be done with a passage, by button or key. */

export const TOOLS = ["edit", "speaker", "split", "merge", "decision", "task", "hide", "history", "link"] as const;
export type Tool = (typeof TOOLS)[number];
/** With one's own words. */
export const OWN_TOOLS: Tool[] = ["edit", "history", "link"];
/** With what one may only read. */
export const READERS_TOOLS: Tool[] = ["link"];
export const KEYS: Record<string, Tool> = { e: "edit", p: "speaker", s: "split", m: "merge", d: "decision", t: "task", h: "hide" };
