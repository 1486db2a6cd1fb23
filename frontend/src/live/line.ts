/** What is known of the line of a connected person, and what of it is worth a warning. Pure. */

export interface Known {
  codec: string;
  encryption: string;
  loss?: number | null;
  jitter?: number | null;
}

export type Lock = "locked" | "exempt" | "checking" | "internal";
export type Warning = "narrow" | "open" | "loss" | "jitter";

export interface Line {
  lock: Lock | null;
  keys: "sdes" | "dtls" | null;
  suite: string;
  /** "Opus, 16 kHz". */
  codec: string;
  band: "hd" | "narrow" | null;
  warnings: Warning[];
}

/** Hz: what is sampled slower has the band of the telephone network (300 to 3400 Hz). */
const WIDE = 16_000;
/** Percent: beyond it even a codec that repairs what is lost is heard to do so (ITU-T G.113 calls 3 % the most for good speech). */
export const MUCH_LOSS = 3;
/** ms: what is usually held against an even flow (30 ms is the most that is asked of networks for telephony). */
export const MUCH_JITTER = 30;

const NAMES: Record<string, string> = { opus: "Opus", G722: "G.722", PCMA: "G.711 A-law", PCMU: "G.711 µ-law" };
const LOCKS: Record<string, Lock> = { mandatory: "checking", exempt: "exempt", internal: "internal" };

export function lineOf({ codec, encryption, loss, jitter }: Known): Line {
  const [name = "", hertz = ""] = codec.split("/");
  const rate = Number(hertz);
  const [keys = "", suite = ""] = encryption.split(":");
  const proved = suite !== "";
  const lock = proved ? "locked" : (LOCKS[encryption] ?? null);
  const band = !rate || lock === "internal" ? null : rate >= WIDE ? "hd" : "narrow";
  const warnings: Warning[] = [];
  if (lock === "exempt") warnings.push("open");
  if (band === "narrow") warnings.push("narrow");
  if ((loss ?? 0) > MUCH_LOSS) warnings.push("loss");
  if ((jitter ?? 0) > MUCH_JITTER) warnings.push("jitter");
  return {
    lock,
    keys: proved ? (keys === "dtls" ? "dtls" : "sdes") : null,
    suite,
    codec: rate ? `${NAMES[name] ?? name}, ${rate / 1000} kHz` : "",
    band,
    warnings,
  };
}
