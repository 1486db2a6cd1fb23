import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { networkProblem, Problem } from "@/api/problem";
import type { SipAccount } from "@/api/types";

import type { LegEvents } from "./leg";
import { BREATH, PATIENCE, Phone, type CallEnd, type PhoneState } from "./phone";

const account: SipAccount = { uri: "sip:b-1@s", user: "b-1", password: "x", realm: "sparkle", target: "sip:join@s", ws_urls: ["wss://s:7443"], ice_servers: [] };
const microphone = { kind: "audio" } as MediaStreamTrack;
const sound = {} as MediaStream;
const refusal = (code: string, status = 409) => new Problem({ title: code, status, code });

class FakeLeg {
  hungUp = false;
  constructor(
    public microphone: MediaStreamTrack,
    readonly events: LegEvents,
  ) {}
  hangUp(): void {
    this.hungUp = true;
  }
  use(track: MediaStreamTrack): void {
    this.microphone = track;
  }
}

/** A phone whose switch and server the test plays. */
function telephone() {
  const legs: FakeLeg[] = [];
  const asked: boolean[] = [];
  const seen: (PhoneState | CallEnd)[] = [];
  const server: { refuses: Error | null } = { refuses: null };
  const phone = new Phone({
    dial: (_account, track, events) => {
      const leg = new FakeLeg(track, events);
      legs.push(leg);
      return leg;
    },
    account: (resume) => {
      asked.push(resume);
      return server.refuses ? Promise.reject(server.refuses) : Promise.resolve(account);
    },
    state: (state, end) => seen.push(...(end === null ? [state] : [state, end])),
    sound: () => undefined,
  });
  const last = () => legs.at(-1)!;
  /** Let what was promised happen. */
  const settle = () => vi.advanceTimersByTimeAsync(0);
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  async function isIn() {
    phone.call(microphone);
    await settle();
    last().events.connected(sound);
  }
  return { phone, legs, asked, seen, server, last, settle, pass, isIn };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a call", () => {
  it("is connecting, ringing, in, and over when it is hung up", async () => {
    const { phone, asked, seen, last, settle } = telephone();
    phone.call(microphone);
    await settle();
    last().events.ringing();
    last().events.connected(sound);
    phone.hangUp();
    expect(asked).toEqual([false]);
    expect(seen).toEqual(["connecting", "ringing", "in", "idle"]);
    expect(last().hungUp).toBe(true);
  });

  it("that the server refuses is over with its reason, and nobody is called", async () => {
    const { phone, legs, seen, server, settle } = telephone();
    server.refuses = refusal("conference_locked");
    phone.call(microphone);
    await settle();
    expect(seen).toEqual(["connecting", "over", server.refuses]);
    expect(legs).toEqual([]);
  });

  it.each(["unreachable", "unauthorised", "no_media", "incompatible", "elsewhere"] as const)("that meets %s at once is not tried again by itself", async (trouble) => {
    const { phone, legs, seen, last, settle, pass } = telephone();
    phone.call(microphone);
    await settle();
    last().events.ended(trouble);
    await pass(60_000);
    expect(seen).toEqual(["connecting", "over", trouble]);
    expect(legs.length).toBe(1);
  });

  it("whose line breaks before it was in has reached nobody", async () => {
    const { phone, seen, last, settle } = telephone();
    phone.call(microphone);
    await settle();
    last().events.ended("lost");
    expect(seen).toEqual(["connecting", "over", "unreachable"]);
  });

  it.each(["refused", null] as const)("that the switch ends (%s) before it was in is made once more", async (trouble) => {
    const { phone, asked, legs, seen, last, settle, pass } = telephone();
    phone.call(microphone);
    await settle();
    last().events.ringing();
    last().events.ended(trouble);
    await pass(BREATH);
    expect(legs.length).toBe(2);
    last().events.ended(trouble);
    await pass(60_000);
    expect(legs.length).toBe(2);
    expect(asked).toEqual([false, false]);
    expect(seen).toEqual(["connecting", "ringing", "connecting", "over", "refused"]);
  });

  it("that the switch refuses is over with the reason that the server has for it", async () => {
    const { phone, seen, server, last, settle, pass } = telephone();
    phone.call(microphone);
    await settle();
    server.refuses = refusal("conference_locked");
    last().events.ended("refused");
    await pass(BREATH);
    expect(seen).toEqual(["connecting", "over", server.refuses]);
  });

  it("that is hung up while the server is asked calls nobody", async () => {
    const { phone, legs, settle } = telephone();
    phone.call(microphone);
    phone.hangUp();
    await settle();
    expect(legs).toEqual([]);
  });

  it("can be made again after its end", async () => {
    const { phone, asked, seen, last, settle, isIn } = telephone();
    await isIn();
    phone.hangUp();
    phone.call(microphone);
    await settle();
    last().events.connected(sound);
    expect(asked).toEqual([false, false]);
    expect(seen.slice(-3)).toEqual(["idle", "connecting", "in"]);
  });

  it("goes on with another microphone", async () => {
    const { phone, legs, last, pass, isIn } = telephone();
    await isIn();
    const other = { kind: "audio" } as MediaStreamTrack;
    phone.use(other);
    expect(last().microphone).toBe(other);
    last().events.ended("lost");
    await pass(BREATH);
    expect(legs[1]!.microphone).toBe(other);
  });
});

describe("a call that breaks", () => {
  it("goes on when the network is back in time", async () => {
    const { legs, seen, last, pass, isIn } = telephone();
    await isIn();
    last().events.faltering();
    await pass(PATIENCE - 1);
    last().events.recovered();
    await pass(60_000);
    expect(seen).toEqual(["connecting", "in", "reconnecting", "in"]);
    expect(legs.length).toBe(1);
  });

  it("is made anew otherwise, in the place of the old one", async () => {
    const { legs, asked, seen, last, pass, isIn } = telephone();
    await isIn();
    last().events.faltering();
    await pass(PATIENCE);
    expect(legs.length).toBe(2);
    expect(legs[0]!.hungUp).toBe(true);
    legs[0]!.events.recovered();
    last().events.ringing();
    last().events.connected(sound);
    expect(asked).toEqual([false, true]);
    expect(seen).toEqual(["connecting", "in", "reconnecting", "in"]);
  });

  it("is made anew at once when the network says that it is back", async () => {
    const { phone, legs, last, settle, isIn } = telephone();
    await isIn();
    phone.hurry();
    last().events.faltering();
    phone.hurry();
    await settle();
    expect(legs.length).toBe(2);
    phone.hurry();
    await settle();
    expect(legs.length).toBe(2);
  });

  it("is taken up again after a hang-up of the switch, for which the server is asked", async () => {
    const { legs, asked, last, pass, isIn } = telephone();
    await isIn();
    last().events.ended(null);
    await pass(BREATH - 1);
    expect(legs.length).toBe(1);
    await pass(1);
    expect(legs.length).toBe(2);
    expect(asked).toEqual([false, true]);
  });

  it("is over when the server has nothing to come back to", async () => {
    const { seen, server, last, pass, isIn } = telephone();
    await isIn();
    server.refuses = refusal("not_wanted");
    last().events.ended(null);
    await pass(BREATH);
    await pass(60_000);
    expect(seen).toEqual(["connecting", "in", "reconnecting", "over", server.refuses]);
  });

  it("is tried for as long as nobody answers, with longer and longer waits", async () => {
    const { asked, seen, server, last, pass, isIn } = telephone();
    await isIn();
    server.refuses = networkProblem();
    last().events.faltering();
    await pass(PATIENCE + 60_000);
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.length).toBeLessThan(15);
    server.refuses = refusal("database_away", 503);
    await pass(30_000);
    server.refuses = refusal("rate_limited", 429);
    await pass(30_000);
    server.refuses = null;
    await pass(30_000);
    last().events.connected(sound);
    expect(seen).toEqual(["connecting", "in", "reconnecting", "in"]);
  });

  it("is tried for as long as the server gives out accounts, whatever the switch says", async () => {
    const { legs, asked, seen, last, pass, isIn } = telephone();
    await isIn();
    for (let n = 0; n < 20; n += 1) {
      last().events.ended(n % 2 ? "refused" : "unreachable");
      await pass(15_000);
    }
    expect(legs.length).toBe(21);
    expect(asked.slice(1).every(Boolean)).toBe(true);
    last().events.connected(sound);
    expect(seen).toEqual(["connecting", "in", "reconnecting", "in"]);
  });

  it("is over, and left alone, when another took its place", async () => {
    const { legs, seen, last, pass, isIn } = telephone();
    await isIn();
    last().events.ended("elsewhere");
    await pass(60_000);
    expect(seen).toEqual(["connecting", "in", "over", "elsewhere"]);
    expect(legs.length).toBe(1);
  });

  it("goes on after the page was loaded again, also when nobody answers at first", async () => {
    const { phone, asked, seen, server, last, pass, settle } = telephone();
    server.refuses = networkProblem();
    phone.call(microphone, true);
    await settle();
    server.refuses = null;
    await pass(1000);
    last().events.connected(sound);
    expect(asked).toEqual([true, true]);
    expect(seen).toEqual(["reconnecting", "in"]);
  });

  it("is left alone once it was hung up", async () => {
    const { phone, legs, seen, last, pass, isIn } = telephone();
    await isIn();
    last().events.faltering();
    phone.hangUp();
    last().events.ended("lost");
    await pass(60_000);
    expect(legs.length).toBe(1);
    expect(seen.at(-1)).toBe("idle");
  });
});
