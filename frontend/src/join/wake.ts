import { onScopeDispose, watch, type Ref } from "vue";

/** Keeps the screen on while `wanted`, where the browser can; a page that was hidden has to ask again. */
export function useWakeLock(wanted: Ref<boolean>): void {
  let lock: WakeLockSentinel | null = null;

  async function ask(): Promise<void> {
    if (!wanted.value || document.hidden || !("wakeLock" in navigator)) return;
    // Refused when the battery is low: then the screen goes dark, and the call goes on.
    const given = await navigator.wakeLock.request("screen").catch(() => null);
    await lock?.release();
    lock = given;
    if (!wanted.value) await release();
  }
  async function release(): Promise<void> {
    await lock?.release();
    lock = null;
  }

  watch(wanted, (now) => void (now ? ask() : release()), { immediate: true });
  document.addEventListener("visibilitychange", ask);
  onScopeDispose(() => {
    document.removeEventListener("visibilitychange", ask);
    void release();
  });
}
