import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { http, whenSignedOut } from "./http";

type Answer = { status: number; body?: object } | "broken";
let answers: Answer[] = [];
let asked: { url: string; method: string; headers: Record<string, string>; body: string | null }[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  vi.stubGlobal("document", { cookie: "a=1; csrftoken=to%2Bken" });
  vi.stubGlobal("location", { origin: "https://meet.example" });
  vi.stubGlobal("fetch", async (url: string, init: { method: string; headers: Record<string, string>; body: string | null }) => {
    asked.push({ url, ...init });
    const answer = answers.shift() ?? "broken";
    if (answer === "broken") throw new TypeError("Failed to fetch");
    const { status, body } = answer;
    return new Response(body ? JSON.stringify(body) : null, { status, headers: body ? { "Content-Type": "application/problem+json" } : {} });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("requests", () => {
  it("send a POST again when the connection broke, with the same key, so that it is done once", async () => {
    answers = ["broken", "broken", { status: 201, body: { id: "x" } }];
    const answer = http.post("plans/", { title: "a" });
    await vi.runAllTimersAsync();
    expect(await answer).toEqual({ id: "x" });
    expect(new Set(asked.map(({ headers }) => headers["Idempotency-Key"])).size).toBe(1);
    expect(asked).toHaveLength(3);
    expect(asked[0]).toMatchObject({ url: "/api/v1/plans/", headers: { "X-CSRFToken": "to+ken" }, body: '{"title":"a"}' });
  });

  it("take a new key for each POST", async () => {
    answers = [{ status: 200, body: {} }, { status: 200, body: {} }];
    await http.post("plans/", {});
    await http.post("plans/", {});
    expect(asked[0]?.headers["Idempotency-Key"]).not.toBe(asked[1]?.headers["Idempotency-Key"]);
  });

  it("do not repeat a refusal", async () => {
    answers = [{ status: 409, body: { code: "plan_runs", title: "已在进行", status: 409 } }];
    await expect(http.post("conferences/", {})).rejects.toMatchObject({ code: "plan_runs", status: 409 });
    expect(asked).toHaveLength(1);
  });

  it("tell a broken connection from a refusal", async () => {
    answers = ["broken"];
    await expect(http.get("plans/", { q: "周", page: undefined })).rejects.toMatchObject({ code: "network" });
    expect(asked[0]?.url).toBe("/api/v1/plans/?q=%E5%91%A8");
  });

  it("follow a list's next page by its path on this site alone", async () => {
    answers = [{ status: 200, body: { results: [] } }];
    await http.get("https://elsewhere.example/api/v1/plans/?cursor=abc");
    expect(asked[0]?.url).toBe("/api/v1/plans/?cursor=abc");
  });

  it("say when nobody is signed in any more", async () => {
    const lost = vi.fn();
    whenSignedOut(lost);
    answers = [{ status: 401, body: { code: "not_signed_in", title: "", status: 401 } }];
    await expect(http.get("plans/")).rejects.toMatchObject({ status: 401 });
    expect(lost).toHaveBeenCalledOnce();
  });
});
