/** How loud tracks are, asked for when they come into sight. */

import { onBeforeUnmount, shallowRef } from "vue";

import { api } from "@/api";

import type { Part } from "./lanes";

const AT_ONCE = 2;

export function usePeaks(conference: string) {
  /** By track; a new map with each that comes. */
  const peaks = shallowRef<ReadonlyMap<string, Uint8Array>>(new Map());
  const asked = new Set<string>();
  let waiting: string[] = [];
  let underWay = 0;
  let closed = false;

  async function next(): Promise<void> {
    const track = waiting.shift();
    if (!track || closed || underWay >= AT_ONCE) {
      if (track) waiting.unshift(track);
      return;
    }
    underWay += 1;
    try {
      const found = await api.peaks(conference, track);
      peaks.value = new Map(peaks.value).set(track, Uint8Array.from(found.peaks));
    } catch {
      // Drawn without a waveform; what is wrong is told on playing.
    } finally {
      underWay -= 1;
      void next();
    }
  }

  /** Those of tracks that are sealed; what is no longer in sight need not come first. */
  function want(parts: Part[]): void {
    const fresh = parts.filter(({ track, state }) => state === "sealed" && !asked.has(track)).map(({ track }) => track);
    for (const track of fresh) asked.add(track);
    waiting = [...fresh, ...waiting];
    for (let free = underWay; free < AT_ONCE; free += 1) void next();
  }

  onBeforeUnmount(() => (closed = true));
  return { peaks, want };
}
