import { setServerTime } from "@/clock";

import { networkProblem, Problem, problemOf } from "./problem";

const BASE = "/api/v1/";
/** Waits before a POST is sent again after the connection broke, in ms; its Idempotency-Key makes that safe. */
const AGAIN_AFTER = [400, 1500];

export function readCookie(name: string): string {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

/** Called when an answer says that nobody is signed in. */
let onSignedOut: () => void = () => undefined;
export function whenSignedOut(callback: () => void): void {
  onSignedOut = callback;
}

/** 128 random bits. Not randomUUID(), which plain HTTP in a local network does not have. */
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

type Query = Record<string, string | number | undefined>;

function address(path: string, query: Query): string {
  // A cursor's address is absolute; everything else is below BASE.
  const url = new URL(path.startsWith("http") ? path : BASE + path, location.origin);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  return url.pathname + url.search;
}

async function once(method: string, url: string, headers: Record<string, string>, body: string | null, signal?: AbortSignal) {
  let response: Response;
  try {
    response = await fetch(url, { method, headers, body, credentials: "same-origin", signal: signal ?? null });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw networkProblem();
  }
  const date = response.headers.get("Date");
  if (date) setServerTime(date);
  const text = await response.text();
  let parsed: unknown = null;
  if ((response.headers.get("Content-Type") ?? "").includes("json") && text) parsed = JSON.parse(text);
  if (response.ok) return parsed;
  const problem = problemOf(response.status, parsed);
  if (problem.status === 401) onSignedOut();
  throw problem;
}

async function send(method: string, path: string, body: unknown, query: Query, signal?: AbortSignal): Promise<unknown> {
  const url = address(path, query);
  const headers: Record<string, string> = { Accept: "application/json, application/problem+json" };
  let text: string | null = null;
  if (method !== "GET") headers["X-CSRFToken"] = readCookie("csrftoken");
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    text = JSON.stringify(body);
  }
  if (method !== "POST") return once(method, url, headers, text, signal);
  headers["Idempotency-Key"] = newKey();
  for (const wait of AGAIN_AFTER) {
    try {
      return await once(method, url, headers, text, signal);
    } catch (error) {
      if (!(error instanceof Problem && error.code === "network")) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return once(method, url, headers, text, signal);
}

export const http = {
  get: <T>(path: string, query: Query = {}, signal?: AbortSignal) => send("GET", path, undefined, query, signal) as Promise<T>,
  post: <T>(path: string, body: unknown) => send("POST", path, body, {}) as Promise<T>,
  patch: <T>(path: string, body: unknown) => send("PATCH", path, body, {}) as Promise<T>,
  delete: (path: string) => send("DELETE", path, undefined, {}) as Promise<null>,
};
