/** Whether anything of the conference that is open was recorded. */

import { computed, ref, watch } from "vue";

import { api } from "@/api";
import { useLive } from "@/stores/live";

export function useHasRecording() {
  const live = useLive();
  const found = ref(false);
  const isOn = computed(() => (live.conference?.recording ?? "off") !== "off");
  // While it is recorded that is known; else somebody may have begun and stopped.
  watch(
    () => [live.id, live.mayReplay, isOn.value, live.ended] as const,
    async ([id, may, on]) => {
      if (on) found.value = true;
      else if (may && !found.value) found.value = await api.recorded(id).then(({ tracks }) => tracks.length > 0, () => false);
    },
    { immediate: true },
  );
  return computed(() => isOn.value || found.value);
}
