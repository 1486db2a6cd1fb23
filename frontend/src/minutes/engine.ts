/** What there is to say of whoever writes minutes (apps/minutes/engine_state.py, engines/protocol.py). */

const STATES = {
  ready: "ready", no_worker: "noWorker", not_installed: "notInstalled", no_model: "noModel", bad_model: "badModel", model_broken: "badModel", none: "off", off: "off",
} as const;
export type EngineState = (typeof STATES)[keyof typeof STATES] | "failed";

export const engineState = (code: string | undefined): EngineState => STATES[(code ?? "ready") as keyof typeof STATES] ?? "failed";
