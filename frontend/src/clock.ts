/** The server's clock: what is shown is reckoned by it, since this machine's may be wrong. */

import { onScopeDispose, readonly, ref } from "vue";

/** A difference below this says nothing: answers take their time, and the Date header counts whole seconds; ms. */
const TOLERANCE = 2000;

/** How far the server's clock is ahead of this machine's; ms. */
let ahead = 0;
const now = ref(Date.now());
const tick = () => (now.value = Date.now() + ahead);
let users = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** Learn what the server's clock says now, in any form that Date.parse reads. */
export function setServerTime(time: string): void {
  const told = Date.parse(time) - Date.now();
  if (Math.abs(told - ahead) < TOLERANCE) return;
  ahead = told;
  tick();
}

/** The time in ms, ticking each second while it is used. */
export function useNow() {
  users += 1;
  tick();
  timer ??= setInterval(tick, 1000);
  onScopeDispose(() => {
    users -= 1;
    if (users > 0) return;
    clearInterval(timer);
    timer = undefined;
  });
  return readonly(now);
}
