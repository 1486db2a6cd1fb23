/** Light, dark, or as the system is; remembered in this browser. */

import { ref, watchEffect } from "vue";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "sparkle.theme";
const stored = localStorage.getItem(KEY);
export const theme = ref<Theme>(THEMES.find((known) => known === stored) ?? "system");

const system = matchMedia("(prefers-color-scheme: dark)");
const systemDark = ref(system.matches);
system.addEventListener("change", (event) => (systemDark.value = event.matches));

watchEffect(() => {
  const dark = theme.value === "dark" || (theme.value === "system" && systemDark.value);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  localStorage.setItem(KEY, theme.value);
});
