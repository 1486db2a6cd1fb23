/** Times and durations as people read them. */

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

const SHAPES = {
  time: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  exact: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  day: { month: "short", day: "numeric" },
  dayAndTime: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  date: { year: "numeric", month: "short", day: "numeric" },
  full: { year: "numeric", month: "short", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

/** Making one takes as long as formatting hundreds of times with it. */
const formatters = new Map<string, Intl.DateTimeFormat>();
function written(shape: keyof typeof SHAPES, date: Date): string {
  const key = `${currentLocale()} ${shape}`;
  const formatter = formatters.get(key) ?? new Intl.DateTimeFormat(currentLocale(), SHAPES[shape]);
  formatters.set(key, formatter);
  return formatter.format(date);
}

/** In the language that is spoken now: what shows it is drawn anew with another one. */
export function useFormat() {
  return {
    /** With the year. Of a date alone, whatever the time zone. */
    date: (iso: string) => written("date", new Date(iso.length === 10 ? `${iso}T12:00` : iso)),
    full: (iso: string) => written("full", new Date(iso)),
    time: (iso: string) => written("time", new Date(iso)),
    exact: (iso: string) => written("exact", new Date(iso)),
    day: (iso: string) => written("day", new Date(iso)),
    /** The time, with the day unless it is today's. */
    moment: (iso: string) => {
      const date = new Date(iso);
      return written(date.toDateString() === new Date().toDateString() ? "time" : "dayAndTime", date);
    },
  };
}
