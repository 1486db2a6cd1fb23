import { createI18n } from "vue-i18n";

import { readCookie } from "@/api/http";

import { en } from "./en";
import { zh } from "./zh";

export type Messages = typeof zh;
export type Locale = "zh-CN" | "en";

declare module "vue-i18n" {
  export interface DefineLocaleMessage extends Messages {}
}

/** The server's names for the languages: its cookie carries the choice, so that problem documents speak it too. */
const SERVER_NAMES: Record<Locale, string> = { "zh-CN": "zh-hans", en: "en" };
const COOKIE = "django_language";

export function localeOf(serverName: string): Locale {
  return serverName.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
}

export const i18n = createI18n({
  legacy: false,
  // The page comes in the language that the server found: cookie, else the browser's.
  locale: localeOf(document.documentElement.lang || "zh"),
  fallbackLocale: "en",
  messages: { "zh-CN": zh, en },
});

export function currentLocale(): Locale {
  return i18n.global.locale.value as Locale;
}

/** Speak `locale` from now on, in this browser. */
export function setLocale(locale: Locale): void {
  i18n.global.locale.value = locale;
  document.documentElement.lang = locale;
  document.cookie = `${COOKIE}=${SERVER_NAMES[locale]}; path=/; max-age=31536000; samesite=lax`;
}

/** Whether the reader has chosen; otherwise the account's language counts. */
export function hasChosenLocale(): boolean {
  return readCookie(COOKIE) !== "";
}
