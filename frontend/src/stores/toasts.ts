import { defineStore } from "pinia";
import { ref } from "vue";

import { asProblem } from "@/api";
import { i18n } from "@/i18n";

interface Toast {
  id: number;
  tone: "ok" | "bad";
  text: string;
}

/** How long a message stays; ms. Refusals take longer to read. */
const STAYS = { ok: 3500, bad: 8000 };

/** A problem in words: the server's where it has some, ours where no answer came. */
export function problemText(error: unknown): string {
  const problem = asProblem(error);
  const { t, te } = i18n.global;
  if (problem.code === "unexpected") return t("problem.unexpected", { text: problem.message });
  const own = `problem.${problem.code}`;
  if (!problem.detail && te(own)) return t(own);
  const fields = [...problem.errors.values()];
  return problem.detail || fields[0] || problem.message;
}

export const useToasts = defineStore("toasts", () => {
  const shown = ref<Toast[]>([]);
  let last = 0;

  function add(tone: Toast["tone"], text: string): void {
    shown.value = [...shown.value.filter((toast) => toast.text !== text), { id: ++last, tone, text }].slice(-3);
    const id = last;
    setTimeout(() => dismiss(id), STAYS[tone]);
  }

  function dismiss(id: number): void {
    shown.value = shown.value.filter((toast) => toast.id !== id);
  }

  return { shown, dismiss, ok: (text: string) => add("ok", text), bad: (reason: unknown) => add("bad", typeof reason === "string" ? reason : problemText(reason)) };
});
