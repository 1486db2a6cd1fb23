import { useI18n } from "vue-i18n";

import { useToasts } from "@/stores/toasts";

/** Puts text on the clipboard and says whether that went well. */
export function useCopy(): (text: string) => Promise<void> {
  const { t } = useI18n();
  const toasts = useToasts();
  return async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      toasts.ok(t("common.copied"));
    } catch {
      // Plain HTTP has no clipboard, and a browser may forbid it.
      toasts.bad(t("common.notCopied"));
    }
  };
}
