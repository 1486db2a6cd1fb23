import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Problem } from "@/api/problem";
import type { Passage, Passages } from "@/api/types";

import { EVERY, PassageFeed } from "./feed";
import { passage } from "./fixtures";

const at = (id: string, seq: number, fields: Partial<Passage> & { text?: string } = {}) => passage(id, "王", seq, seq + 1, { ...fields, seq });

function reading(answers: (Passages | Problem)[], seesHidden = false) {
  const asked: string[] = [];
  const seen = { ids: [] as string[][], failed: [] as number[] };
  let latest: ReadonlyMap<string, Passage> = new Map();
  const feed = new PassageFeed(
    async (since) => {
      asked.push(since);
      const answer = answers.shift() ?? { passages: [], next: since, more: false };
      if (answer instanceof Problem) throw answer;
      return answer;
    },
    {
      changed: (passages) => {
        latest = passages;
        seen.ids.push([...passages.keys()].sort());
      },
      failed: ({ status }) => seen.failed.push(status),
    },
    () => seesHidden,
  );
  return { feed, asked, seen, now: () => latest };
}
const page = (passages: Passage[], next: string, more = false): Passages => ({ passages, next, more });
const soon = () => vi.advanceTimersByTimeAsync(EVERY);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the feed of passages", () => {
  it("asks page after page, and goes on where it ended", async () => {
    const { feed, asked, now } = reading([page([at("a", 1)], "1.a", true), page([at("b", 2)], "2.b"), page([at("c", 3)], "3.c")]);
    feed.want();
    await soon();
    expect(asked).toEqual(["0", "1.a"]);
    feed.want();
    await soon();
    expect(asked).toEqual(["0", "1.a", "2.b"]);
    expect([...now().keys()]).toEqual(["a", "b", "c"]);
  });

  it("takes what follows from frames, without a question", async () => {
    const { feed, asked, now } = reading([page([at("a", 1)], "1.a")]);
    feed.want();
    await soon();
    feed.frame({ type: "minutes", seq: 2, passages: [at("b", 2)] });
    feed.frame({ type: "minutes", seq: 3, passages: [at("a", 3, { removed: true })] });
    expect([...now().keys()]).toEqual(["b"]);
    await soon();
    expect(asked).toEqual(["0"]);
  });

  it("asks when a frame is missing, and does not take what came after it before that", async () => {
    const { feed, asked, now } = reading([page([at("a", 1)], "1.a"), page([at("b", 2), at("c", 3)], "3.c")]);
    feed.want();
    await soon();
    feed.frame({ type: "minutes", seq: 3, passages: [at("c", 3)] });
    expect([...now().keys()]).toEqual(["a"]);
    await soon();
    expect(asked).toEqual(["0", "1.a"]);
    expect([...now().keys()]).toEqual(["a", "b", "c"]);
    feed.frame({ type: "minutes", seq: 2, passages: [at("b", 2)] });
    feed.frame({ type: "minutes", seq: 4, passages: [at("d", 4)] });
    expect([...now().keys()]).toEqual(["a", "b", "c", "d"]);
    await soon();
    expect(asked).toHaveLength(2);
  });

  it("asks once a second however many frames say that something changed", async () => {
    const { feed, asked } = reading([page([], "0")]);
    feed.want();
    await soon();
    for (let seq = 1; seq <= 20; seq += 1) {
      feed.frame({ type: "minutes", seq });
      await vi.advanceTimersByTimeAsync(100);
    }
    await soon();
    expect(asked.length).toBeGreaterThanOrEqual(3);
    expect(asked.length).toBeLessThanOrEqual(4);
  });

  it("knows of a change that is none of a passage: the next frame is no gap", async () => {
    const { feed, asked, now } = reading([page([at("a", 1)], "1.a")]);
    feed.want();
    await soon();
    feed.frame({ type: "minutes", seq: 2 });
    await soon();
    feed.frame({ type: "minutes", seq: 3, passages: [at("b", 3)] });
    expect([...now().keys()]).toEqual(["a", "b"]);
    await soon();
    expect(asked).toHaveLength(2);
  });

  it("asks for what is hidden, where the reader sees it, since a frame says that it is gone", async () => {
    const hidden = at("a", 2, { hidden: true });
    const frame = { type: "minutes" as const, seq: 2, passages: [{ ...hidden, removed: true, sentences: [] }] };
    const editor = reading([page([at("a", 1)], "1.a"), page([hidden], "2.a")], true);
    const reader = reading([page([at("a", 1)], "1.a")]);
    for (const { feed } of [editor, reader]) {
      feed.want();
      await soon();
      feed.frame(frame);
      await soon();
    }
    expect(editor.now().get("a")?.hidden).toBe(true);
    expect(reader.now().size).toBe(0);
    expect(reader.asked).toHaveLength(1);
  });

  it("keeps whose words they are, which frames do not say", async () => {
    const { feed, now } = reading([page([at("a", 1, { mine: true })], "1.a")]);
    feed.want();
    await soon();
    feed.frame({ type: "minutes", seq: 2, passages: [at("a", 2)] });
    expect(now().get("a")).toMatchObject({ seq: 2, mine: true });
  });

  it("does not go back to an older word, also not of what is gone", async () => {
    const { feed, now } = reading([page([at("a", 5, { text: "新" })], "5.a")]);
    feed.want();
    await soon();
    feed.take([at("a", 4, { text: "旧" })]);
    expect(now().get("a")?.sentences[0]?.text).toBe("新");
    feed.take([at("a", 6, { removed: true })]);
    feed.take([at("a", 5)]);
    expect(now().size).toBe(0);
  });

  it("tries again after a broken line, and says when that would not help", async () => {
    const { feed, asked, seen } = reading([new Problem({ title: "", status: 0, code: "network" }), new Problem({ title: "", status: 403, code: "not_allowed" })]);
    feed.want();
    await soon();
    expect(seen.failed).toEqual([]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(asked).toHaveLength(2);
    expect(seen.failed).toEqual([403]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked).toHaveLength(2);
  });
});
