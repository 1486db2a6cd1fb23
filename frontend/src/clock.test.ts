import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { effectScope } from "vue";

import { setServerTime, useNow } from "./clock";

beforeEach(() => void vi.useFakeTimers({ now: Date.parse("2026-11-23T08:00:00Z") }));
afterEach(() => void vi.useRealTimers());

it("goes on from what the server said, whatever this machine thinks, and does not jump about", () => {
  const scope = effectScope();
  const now = scope.run(useNow)!;
  expect(now.value).toBe(Date.parse("2026-11-23T08:00:00Z"));
  setServerTime("2026-11-23T09:30:00.5Z");
  expect(now.value).toBe(Date.parse("2026-11-23T09:30:00.5Z"));
  vi.advanceTimersByTime(3000);
  expect(now.value).toBe(Date.parse("2026-11-23T09:30:03.5Z"));
  setServerTime("Mon, 23 Nov 2026 09:30:03 GMT");
  expect(now.value).toBe(Date.parse("2026-11-23T09:30:03.5Z"));
  setServerTime("Mon, 23 Nov 2026 08:00:03 GMT");
  expect(now.value).toBe(Date.parse("2026-11-23T08:00:03Z"));
  scope.stop();
});
