import type { ProblemDocument } from "./types";

/** A refusal (RFC 9457), or `code` "network" when no answer came at all. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors: ReadonlyMap<string, string>;
  /** What else the document says. */
  readonly document: Readonly<ProblemDocument & Record<string, unknown>>;

  constructor(document: ProblemDocument) {
    super(document.title);
    this.name = "Problem";
    this.status = document.status;
    this.code = document.code;
    this.detail = document.detail ?? "";
    this.document = { ...document };
    const errors = new Map<string, string>();
    for (const { field, detail } of document.errors ?? []) {
      const earlier = errors.get(field);
      errors.set(field, earlier ? `${earlier} ${detail}` : detail);
    }
    this.errors = errors;
  }

  /** What to tell the reader where no field shows it. */
  get text(): string {
    return this.detail || this.message;
  }

  /** The message at a field, or at anything below it: `at("people.3")` finds `people.3.numbers.0`. */
  at(field: string): string {
    const exact = this.errors.get(field);
    if (exact) return exact;
    for (const [name, detail] of this.errors) if (name.startsWith(`${field}.`)) return detail;
    return "";
  }
}

function isDocument(value: unknown): value is ProblemDocument {
  return typeof value === "object" && value !== null && "code" in value && "title" in value;
}

/** The problem that an answer outside 2xx stands for, whatever its body is (a proxy may answer in HTML). */
export function problemOf(status: number, body: unknown): Problem {
  if (isDocument(body)) return new Problem({ ...body, status });
  return new Problem({ title: `HTTP ${status}`, status, code: status >= 500 ? "server_error" : "http_error" });
}

export function networkProblem(): Problem {
  return new Problem({ title: "", status: 0, code: "network" });
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem({ title: error instanceof Error ? error.message : String(error), status: 0, code: "unexpected" });
}
