/** What somebody else said last, once more in one's own call. */

import { computed } from "vue";
import { useI18n } from "vue-i18n";

import { useHasRecording } from "@/recording/useHasRecording";
import { useLive } from "@/stores/live";
import { useToasts } from "@/stores/toasts";

export function useSayAgain() {
  const live = useLive();
  const toasts = useToasts();
  const hasRecording = useHasRecording();
  const { t } = useI18n();

  const offered = computed(() => live.may("say_again") && live.me?.state === "connected" && hasRecording.value);
  const busy = computed(() => live.busy.has("say_again"));

  async function sayAgain(): Promise<void> {
    try {
      const { participant, milliseconds = 0 } = await live.request("say_again", {});
      toasts.ok(t("again.hearing", { name: live.nameOf(participant), n: Math.max(1, Math.round(milliseconds / 1000)) }));
    } catch (error) {
      toasts.bad(error);
    }
  }
  return { offered, busy, sayAgain };
}
