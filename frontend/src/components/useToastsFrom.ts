/** Messages stand above what is at the bottom of a page, so that nothing there is covered. */

import { onBeforeUnmount, onMounted } from "vue";

/** Pixels from the bottom: on wide screens, and on those that have the navigation there. */
export function useToastsFrom(wide: number, narrow: number): void {
  const root = document.documentElement.style;
  onMounted(() => root.setProperty("--toasts-from", `${innerWidth <= 760 ? narrow : wide}px`));
  onBeforeUnmount(() => root.removeProperty("--toasts-from"));
}
