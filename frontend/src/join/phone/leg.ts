/** What a call needs of a telephone: one leg to the switch. The page knows nothing of SIP, and tests play the switch. */

import type { SipAccount } from "@/api/types";

/**
 * Why a leg did not come about or broke: its line cannot be opened (address, port, certificate); the switch refused it; it does not take the
 * account; no sound gets through; nothing that both speak; it broke; another of the same person took its place.
 */
export type Trouble = "unreachable" | "refused" | "unauthorised" | "no_media" | "incompatible" | "lost" | "elsewhere";

export interface LegEvents {
  /** The switch has the call. */
  ringing(): void;
  /** Sound flows both ways; `sound` is what is heard. */
  connected(sound: MediaStream): void;
  /** Sound stopped with the network, perhaps for a moment. */
  faltering(): void;
  recovered(): void;
  /** It is over, not by `hangUp`; null: the switch hung up. */
  ended(trouble: Trouble | null): void;
}

export interface Leg {
  /** Nothing is told any more. */
  hangUp(): void;
  /** Speak through another microphone from here on. */
  use(track: MediaStreamTrack): void;
}

export type Dial = (account: SipAccount, microphone: MediaStreamTrack, events: LegEvents) => Leg;
