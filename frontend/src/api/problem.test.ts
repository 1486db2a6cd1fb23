import { describe, expect, it } from "vitest";

import { problemOf } from "./problem";

describe("problems", () => {
  const problem = problemOf(422, {
    title: "无效", code: "invalid", status: 422,
    errors: [{ field: "people.3.numbers.0", code: "number_characters", detail: "号码有误" }, { field: "title", code: "blank", detail: "必填" }],
  });

  it("find the message at a field and at what holds it", () => {
    expect(problem.at("title")).toBe("必填");
    expect(problem.at("people.3")).toBe("号码有误");
    expect(problem.at("people.30")).toBe("");
  });

  it("are made of whatever comes, a proxy's page as well", () => {
    expect(problemOf(502, null)).toMatchObject({ status: 502, code: "server_error" });
    expect(problemOf(413, "<html>")).toMatchObject({ status: 413, code: "http_error" });
  });
});
