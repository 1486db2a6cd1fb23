/** A list that grows at its end: it goes along with it, until the reader looks at something above. */

import { nextTick, onBeforeUnmount, onMounted, ref, watch, type Ref, type WatchSource } from "vue";

/** So near to the end is the end; px. */
const NEAR = 40;

export function useStick(scroller: Readonly<Ref<HTMLElement | null>>, grows: WatchSource) {
  const stuck = ref(true);
  let sizes: ResizeObserver | undefined;

  function toEnd(): void {
    stuck.value = true;
    const element = scroller.value;
    if (element) element.scrollTop = element.scrollHeight;
  }
  function scrolled(): void {
    const element = scroller.value;
    if (element) stuck.value = element.scrollTop + element.clientHeight >= element.scrollHeight - NEAR;
  }
  watch(grows, async () => {
    if (!stuck.value) return;
    await nextTick();
    toEnd();
  });
  onMounted(() => {
    sizes = new ResizeObserver(() => stuck.value && toEnd());
    watch(
      scroller,
      (element) => {
        sizes?.disconnect();
        // What is in it, too: rows have their height once they are drawn.
        for (const each of element ? [element, ...element.children] : []) sizes?.observe(each);
        toEnd();
      },
      { immediate: true },
    );
  });
  onBeforeUnmount(() => sizes?.disconnect());

  return { stuck, toEnd, scrolled };
}
