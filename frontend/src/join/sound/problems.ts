/** Why there is no microphone, as keys of the catalogue (`join.sound.…`). */
export type SoundProblem = "insecure" | "unsupported" | "denied" | "missing" | "busy" | "failed";

/** What a browser lacks before it is asked for anything. */
export function lackOf(where: { isSecureContext: boolean; navigator: Partial<Pick<Navigator, "mediaDevices">>; RTCPeerConnection?: unknown }): SoundProblem | null {
  if (!where.isSecureContext) return "insecure";
  if (!where.navigator.mediaDevices || !where.RTCPeerConnection) return "unsupported";
  return null;
}

/** What getUserMedia refused with (Media Capture and Streams, §10.2). */
export function problemOfMicrophone(error: unknown): SoundProblem {
  switch (error instanceof Error || error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "failed";
  }
}
