/** Times and durations as people read them. */

import { computed } from "vue";

import { currentLocale } from "./index";

const two = (n: number) => String(n).padStart(2, "0");

/** 75 → "1:15", 3675 → "1:01:15"; seconds. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Seconds from one moment to another. */
export function secondsBetween(from: string, to: string | number): number {
  return ((typeof to === "number" ? to : Date.parse(to)) - Date.parse(from)) / 1000;
}

export function useFormat() {
  const locale = computed(currentLocale);
  const time = computed(() => new Intl.DateTimeFormat(locale.value, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }));
  const exact = computed(
    () => new Intl.DateTimeFormat(locale.value, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
  );
  const day = computed(() => new Intl.DateTimeFormat(locale.value, { month: "short", day: "numeric" }));
  const dayAndTime = computed(
    () => new Intl.DateTimeFormat(locale.value, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  );
  const date = computed(() => new Intl.DateTimeFormat(locale.value, { year: "numeric", month: "short", day: "numeric" }));
  const full = computed(
    () => new Intl.DateTimeFormat(locale.value, { year: "numeric", month: "short", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  );
  return {
    /** With the year. Of a date alone, whatever the time zone. */
    date: (iso: string) => date.value.format(new Date(iso.length === 10 ? `${iso}T12:00` : iso)),
    full: (iso: string) => full.value.format(new Date(iso)),
    time: (iso: string) => time.value.format(new Date(iso)),
    exact: (iso: string) => exact.value.format(new Date(iso)),
    day: (iso: string) => day.value.format(new Date(iso)),
    /** The time, with the day unless it is today's. */
    moment: (iso: string) => {
      const date = new Date(iso);
      return (date.toDateString() === new Date().toDateString() ? time : dayAndTime).value.format(date);
    },
  };
}
