/**
 * The passages of minutes, kept up to date. Frames of the live feed bring what changed, in order; where one is missing, or brings nothing, what
 * changed is asked for, gathered: not more than once a second, however many frames come.
 */

import { asProblem, type Problem } from "@/api";
import type { Passage, Passages } from "@/api/types";
import type { MinutesMessage } from "@/live/types";

/** Between two questions; ms. */
export const EVERY = 1000;
/** After one that was not answered; ms. */
const AGAIN = 5000;

export interface FeedEvents {
  /** `told` are those that came. The map is another one each time. */
  changed(passages: ReadonlyMap<string, Passage>, told: Passage[]): void;
  /** Asking again would not help. */
  failed(problem: Problem): void;
}

const seqOf = (next: string) => Number(next.split(".", 1)[0]);

export class PassageFeed {
  private known = new Map<string, Passage>();
  /** Of those that are gone, their last number: an older word about them does not bring them back. */
  private readonly gone = new Map<string, number>();
  private next = "0";
  /** -1: nothing is known yet. */
  private seq = -1;
  /** The last change that was heard of. */
  private latest = -1;
  private asking = false;
  private wanted = false;
  private askedAt = -Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  constructor(
    private readonly ask: (since: string) => Promise<Passages>,
    private readonly events: FeedEvents,
    /** Whether the reader sees what is hidden, of which frames (being for all) say that it is gone. */
    private readonly seesHidden: () => boolean = () => false,
  ) {}

  /** The change up to which all is known. */
  get knownUpTo(): number {
    return Math.max(0, this.seq);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  frame({ seq, passages }: MinutesMessage): void {
    this.latest = Math.max(this.latest, seq);
    if (this.seq >= 0 && seq <= this.seq) return;
    const partly = this.seesHidden() && passages?.some(({ hidden }) => hidden);
    if (this.seq < 0 || seq !== this.seq + 1 || !passages || partly) return this.want();
    this.seq = seq;
    if (!this.asking) this.next = String(seq);
    this.take(passages);
  }

  /** Ask for what changed, soon. */
  want(): void {
    this.wanted = true;
    if (this.stopped || this.asking || this.timer !== undefined) return;
    this.timer = setTimeout(() => void this.run(), Math.max(0, this.askedAt + EVERY - Date.now()));
  }

  /** What an answer to a change of one's own says. */
  take(told: Passage[]): void {
    const news: Passage[] = [];
    const now = new Map(this.known);
    for (const passage of told) {
      const seq = Math.max(this.known.get(passage.id)?.seq ?? -1, this.gone.get(passage.id) ?? -1);
      if (passage.seq < seq) continue;
      if (passage.removed) {
        now.delete(passage.id);
        this.gone.set(passage.id, passage.seq);
      } else {
        // Frames, being for all, do not say whose words they are.
        now.set(passage.id, { mine: this.known.get(passage.id)?.mine, ...passage });
        this.gone.delete(passage.id);
      }
      news.push(passage);
    }
    if (!news.length) return;
    this.known = now;
    this.events.changed(now, news);
  }

  private async run(): Promise<void> {
    this.timer = undefined;
    this.wanted = false;
    this.asking = true;
    this.askedAt = Date.now();
    const upTo = this.latest;
    const first = this.seq < 0;
    let wait = 0;
    try {
      for (let more = true; more && !this.stopped; ) {
        const answer = await this.ask(this.next);
        if (this.stopped) return;
        this.take(answer.passages);
        this.next = answer.next;
        more = answer.more;
      }
      // Not every change is one of a passage.
      this.seq = Math.max(this.seq, seqOf(this.next), upTo);
      if (first) this.events.changed(this.known, []);
      if (this.latest > this.seq) this.wanted = true;
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) this.events.failed(problem);
      else wait = AGAIN;
    }
    this.asking = false;
    if (wait) this.timer = setTimeout(() => void this.run(), wait);
    else if (this.wanted) this.want();
  }
}
