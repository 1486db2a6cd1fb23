import { applyDelta, fromSnapshot, type LiveState } from "./merge";
import { CLOSED_NOT_FOUND, CLOSED_ORIGIN, CLOSED_SIGNED_OUT, type MinutesMessage, type ServerMessage } from "./types";

export type LiveStatus = "connecting" | "live" | "reconnecting" | "signed_out" | "not_found" | "closed";

/** Silence after which the line is asked for a sign of life, and how long that may take; ms. */
const SILENCE = 20_000;
const PONG_WITHIN = 8_000;
const FIRST_RETRY = 500;
const LONGEST_RETRY = 15_000;

/** How long to wait before attempt `n` (from 0), ms: doubling, capped, with jitter so that a thousand consoles do not come back at once. */
export function backOff(n: number, random: () => number = Math.random): number {
  return Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** n) * (0.5 + random() / 2);
}

export interface LiveEvents {
  state(state: LiveState): void;
  talking(ids: readonly string[]): void;
  status(status: LiveStatus): void;
  /** What the server's clock says now. */
  clock(now: string): void;
  /** Something of the minutes changed; null: something may have, while nobody listened. */
  minutes(message: MinutesMessage | null): void;
}

/** The part of WebSocket that the feed uses. */
export type Line = Pick<WebSocket, "send" | "close" | "readyState" | "onmessage" | "onclose">;

/** One conference's live feed. It reconnects by itself until `stop()`; every change of state arrives as a whole new `LiveState`. */
export class LiveFeed {
  private line: Line | null = null;
  private state: LiveState | null = null;
  private failures = 0;
  private awaitingSnapshot = true;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  constructor(
    private readonly open: () => Line,
    private readonly events: LiveEvents,
  ) {}

  start(): void {
    this.events.status("connecting");
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.drop();
    this.events.status("closed");
  }

  /** Try at once: the network is back, or the page is visible again. */
  hurry(): void {
    if (this.stopped || this.line) return;
    this.failures = 0;
    this.connect();
  }

  private connect(): void {
    clearTimeout(this.retry);
    this.awaitingSnapshot = true;
    const line = this.open();
    this.line = line;
    line.onmessage = (event) => this.receive(JSON.parse(event.data as string) as ServerMessage);
    line.onclose = (event) => this.closed(event.code);
    this.heard();
  }

  private receive(message: ServerMessage): void {
    this.heard();
    switch (message.type) {
      case "snapshot":
        this.failures = 0;
        this.awaitingSnapshot = false;
        this.events.clock(message.now);
        this.events.talking(message.talking);
        this.settle(fromSnapshot(message));
        this.events.status("live");
        this.events.minutes(null);
        break;
      case "delta": {
        if (this.awaitingSnapshot || !this.state) return;
        const next = applyDelta(this.state, message);
        if (next === "gap") this.resync();
        else if (next !== this.state) this.settle(next);
        break;
      }
      case "talking":
        this.events.talking(message.participants);
        break;
      case "minutes":
        this.events.minutes(message);
        break;
    }
  }

  private settle(state: LiveState): void {
    this.state = state;
    this.events.state(state);
  }

  private resync(): void {
    this.awaitingSnapshot = true;
    this.line?.send(JSON.stringify({ type: "resync" }));
  }

  private heard(): void {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => {
      if (this.line?.readyState === 1) this.line.send(JSON.stringify({ type: "ping" }));
      this.watch = setTimeout(() => this.lost(), PONG_WITHIN);
    }, SILENCE);
  }

  /** The line is silent: its close handshake would be too. */
  private lost(): void {
    this.drop();
    this.again();
  }

  private drop(): void {
    clearTimeout(this.watch);
    clearTimeout(this.retry);
    if (!this.line) return;
    this.line.onmessage = this.line.onclose = null;
    this.line.close();
    this.line = null;
  }

  private closed(code: number): void {
    clearTimeout(this.watch);
    this.line = null;
    if (code === CLOSED_SIGNED_OUT) this.events.status("signed_out");
    else if (code === CLOSED_NOT_FOUND || code === CLOSED_ORIGIN) this.events.status("not_found");
    else this.again();
  }

  private again(): void {
    this.events.status("reconnecting");
    this.retry = setTimeout(() => this.connect(), backOff(this.failures));
    this.failures += 1;
  }
}

export function openLine(conference: string): Line {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return new WebSocket(`${scheme}://${location.host}/ws/conferences/${conference}/`);
}
