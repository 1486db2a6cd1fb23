import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { participant, snapshot } from "./fixtures";
import type { LiveState } from "./merge";
import { backOff, LiveFeed, type Line, type LiveStatus } from "./socket";
import type { MinutesMessage } from "./types";

class FakeLine {
  readonly sent: { type: string }[] = [];
  readyState = 1;
  onmessage: Line["onmessage"] = null;
  onclose: Line["onclose"] = null;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as { type: string });
  }
  close(): void {
    this.readyState = 3;
  }
  says(message: object): void {
    this.onmessage?.call(this as unknown as WebSocket, { data: JSON.stringify(message) } as MessageEvent);
  }
  breaks(code = 1006): void {
    this.readyState = 3;
    this.onclose?.call(this as unknown as WebSocket, { code } as CloseEvent);
  }
}

function listening() {
  const lines: FakeLine[] = [];
  const heard = { states: [] as LiveState[], statuses: [] as LiveStatus[], talking: [] as (readonly string[])[], clocks: [] as string[], minutes: [] as (MinutesMessage | null)[] };
  const feed = new LiveFeed(
    () => {
      const line = new FakeLine();
      lines.push(line);
      return line as unknown as Line;
    },
    {
      state: (state) => heard.states.push(state),
      status: (status) => heard.statuses.push(status),
      talking: (ids) => heard.talking.push(ids),
      clock: (now) => heard.clocks.push(now),
      minutes: (message) => heard.minutes.push(message),
    },
  );
  feed.start();
  return { feed, lines, heard, last: () => lines.at(-1)! };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the live feed", () => {
  it("is live with its first snapshot", () => {
    const { heard, last } = listening();
    last().says(snapshot(3, [participant({ id: "a" })]));
    expect(heard.states.map(({ seq }) => seq)).toEqual([3]);
    expect(heard.statuses).toEqual(["connecting", "live"]);
    expect(heard.clocks).toEqual(["2026-11-23T08:00:00Z"]);
  });

  it("hands on what the minutes say, and says with each snapshot that some of it may have been missed", () => {
    const { heard, last } = listening();
    last().says(snapshot(3, []));
    last().says({ type: "minutes", seq: 7 });
    expect(heard.minutes).toEqual([null, { type: "minutes", seq: 7 }]);
  });

  it("asks for a snapshot on a gap, once, and ignores deltas until it comes", () => {
    const { heard, last } = listening();
    last().says(snapshot(3, []));
    last().says({ type: "delta", from: 5, seq: 6, changes: {} });
    last().says({ type: "delta", from: 6, seq: 7, changes: {} });
    expect(last().sent).toEqual([{ type: "resync" }]);
    last().says(snapshot(7, []));
    last().says({ type: "delta", from: 7, seq: 8, changes: { conference: { locked: true } } });
    expect(heard.states.map(({ seq }) => seq)).toEqual([3, 7, 8]);
  });

  it("comes back after a break, and keeps what it showed until then", () => {
    const { lines, heard, last } = listening();
    last().says(snapshot(3, []));
    last().breaks();
    expect(heard.statuses.at(-1)).toBe("reconnecting");
    vi.advanceTimersByTime(600);
    expect(lines).toHaveLength(2);
    last().says({ type: "delta", from: 3, seq: 4, changes: {} });
    expect(heard.states).toHaveLength(1);
    last().says(snapshot(9, []));
    expect(heard.statuses.at(-1)).toBe("live");
    expect(heard.states.at(-1)?.seq).toBe(9);
  });

  it("does not come back where it may not", () => {
    for (const [code, status] of [[4401, "signed_out"], [4403, "not_found"], [4404, "not_found"]] as const) {
      const { lines, heard, last } = listening();
      last().breaks(code);
      vi.advanceTimersByTime(60_000);
      expect(heard.statuses.at(-1)).toBe(status);
      expect(lines).toHaveLength(1);
    }
  });

  it("asks a silent line for a sign of life, and leaves a dead one", () => {
    const { lines, heard, last } = listening();
    last().says(snapshot(3, []));
    vi.advanceTimersByTime(21_000);
    expect(last().sent).toEqual([{ type: "ping" }]);
    last().says({ type: "pong" });
    vi.advanceTimersByTime(21_000);
    expect(lines).toHaveLength(1);
    vi.advanceTimersByTime(9_000);
    expect(heard.statuses.at(-1)).toBe("reconnecting");
    vi.advanceTimersByTime(600);
    expect(lines).toHaveLength(2);
  });

  it("is quiet after stop", () => {
    const { feed, lines, last } = listening();
    last().breaks();
    feed.stop();
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(1);
  });

  it("waits longer each time, within bounds", () => {
    const waits = [0, 1, 2, 3, 10].map((n) => backOff(n, () => 1));
    expect(waits).toEqual([500, 1000, 2000, 4000, 15000]);
    expect(backOff(2, () => 0)).toBe(1000);
  });
});
