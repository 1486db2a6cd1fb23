/** Whether somebody wants captions for themself; remembered in this browser. */

import { ref, watch } from "vue";

const KEY = "sparkle.captions";

export const captionsWanted = ref(localStorage.getItem(KEY) !== "off");
watch(captionsWanted, (wanted) => localStorage.setItem(KEY, wanted ? "on" : "off"));
