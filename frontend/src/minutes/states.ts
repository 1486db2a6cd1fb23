/** In which colour a state of minutes is told. */

import type { Minutes } from "@/api/types";

export const STATE_TONES = { none: "neutral", open: "accent", ready: "warn", signed: "ok" } as const satisfies Record<Minutes["state"], string>;
