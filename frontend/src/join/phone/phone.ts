import { asProblem, type Problem } from "@/api/problem";
import type { SipAccount } from "@/api/types";
import { backOff } from "@/live/socket";

import type { Dial, Leg, LegEvents, Trouble } from "./leg";

export type PhoneState = "idle" | "connecting" | "ringing" | "in" | "reconnecting" | "over";

/** Why a call is over: a refusal of the server, or what the telephone met. */
export type CallEnd = Problem | Trouble;

export interface PhoneNeeds {
  dial: Dial;
  /** A fresh account; `resume` to go on with a call that broke. */
  account(resume: boolean): Promise<SipAccount>;
  state(state: PhoneState, end: CallEnd | null): void;
  sound(stream: MediaStream): void;
}

/** How long a network may be gone before the call is made anew, and how long after a hang-up the switch is called again; ms. */
export const PATIENCE = 4000;
export const BREATH = 1500;

/** A server that did not answer, is in trouble, or has been asked too often: it may answer yet. */
const mayPass = ({ code, status }: Problem) => code === "network" || status >= 500 || status === 429;

/**
 * One call that lasts: a leg that breaks is followed by another, with a fresh account, for as long as the server gives one out: the switch may
 * start anew meanwhile, and the conference may move to another. Of a call that never came about only a refusal is tried again, and once: a switch
 * gives no reasons, but the server does, which is asked for another account.
 */
export class Phone {
  private state: PhoneState = "idle";
  private microphone: MediaStreamTrack | null = null;
  private leg: Leg | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wasIn = false;
  private tries = 0;
  /** Grows with each leg: what an earlier one still has to say counts no more. */
  private generation = 0;

  constructor(private readonly needs: PhoneNeeds) {}

  /** `resume`: go on with the call that this page had before it was loaded again. */
  call(microphone: MediaStreamTrack, resume = false): void {
    this.drop();
    this.microphone = microphone;
    this.wasIn = resume;
    this.tries = 0;
    this.show(resume ? "reconnecting" : "connecting");
    void this.dial();
  }

  use(microphone: MediaStreamTrack): void {
    this.microphone = microphone;
    this.leg?.use(microphone);
  }

  hangUp(): void {
    this.drop();
    this.show("idle");
  }

  /** Try at once: the network is back, or the page is visible again. */
  hurry(): void {
    if (this.state !== "reconnecting" || this.timer === undefined) return;
    this.tries = 0;
    this.redial();
  }

  private show(state: PhoneState, end: CallEnd | null = null): void {
    if (state === this.state) return;
    this.state = state;
    this.needs.state(state, end);
  }

  private drop(): void {
    this.generation += 1;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.leg?.hangUp();
    this.leg = null;
  }

  private over(end: CallEnd): void {
    this.drop();
    this.show("over", end);
  }

  private again(wait: number): void {
    this.drop();
    this.show(this.wasIn ? "reconnecting" : "connecting");
    this.timer = setTimeout(() => this.redial(), wait);
  }

  private redial(): void {
    this.drop();
    void this.dial();
  }

  private async dial(): Promise<void> {
    const generation = ++this.generation;
    let account: SipAccount;
    try {
      account = await this.needs.account(this.wasIn);
    } catch (error) {
      if (generation !== this.generation) return;
      const problem = asProblem(error);
      if (this.wasIn && mayPass(problem)) this.again(backOff(this.tries++));
      else this.over(problem);
      return;
    }
    if (generation === this.generation && this.microphone) {
      this.leg = this.needs.dial(account, this.microphone, this.listen(generation));
    }
  }

  private listen(generation: number): LegEvents {
    const now = (what: () => void) => () => {
      if (generation === this.generation) what();
    };
    return {
      ringing: now(() => this.wasIn || this.show("ringing")),
      connected: (sound) => {
        if (generation !== this.generation) return;
        this.wasIn = true;
        this.tries = 0;
        this.needs.sound(sound);
        this.show("in");
      },
      faltering: now(() => {
        this.show("reconnecting");
        this.timer = setTimeout(() => this.redial(), PATIENCE);
      }),
      recovered: now(() => {
        clearTimeout(this.timer);
        this.timer = undefined;
        this.show("in");
      }),
      ended: (trouble) => {
        if (generation === this.generation) this.ended(trouble);
      },
    };
  }

  private ended(trouble: Trouble | null): void {
    const first = this.tries === 0;
    if (trouble === "elsewhere") return this.over(trouble);
    if (!this.wasIn) {
      const refused = trouble === null || trouble === "refused";
      if (!refused || !first) return this.over(trouble === "lost" ? "unreachable" : (trouble ?? "refused"));
    }
    // Whoever was removed hears so from the server when asking for an account: a moment later, for it has to hear of the hang-up first.
    this.again(first && trouble !== "lost" ? BREATH : backOff(this.tries));
    this.tries += 1;
  }
}
