import { describe, expect, it } from "vitest";

import { bodyOf, draftPerson, newDraft, sentIndex, setManagers } from "./draft";
import { readPasted } from "./paste";
import { readable } from "./phone";

const numbersOf = (line: string) => readPasted(line).people.map(({ name, numbers }) => [name, ...numbers.map(({ number }) => number)]);

describe("a pasted list", () => {
  it("takes what people write", () => {
    expect(numbersOf("王建国 13800138000 8001")).toEqual([["王建国", "13800138000", "8001"]]);
    expect(numbersOf("李晓梅，010-62780001")).toEqual([["李晓梅", "01062780001"]]);
    expect(numbersOf("John Smith +44 20 7946 0958")).toEqual([["John Smith", "+442079460958"]]);
    expect(numbersOf("张伟\t138 0013 8000\t+86 139-0013-9000")).toEqual([["张伟", "13800138000", "+8613900139000"]]);
    expect(numbersOf("赵敏　１３８００１３８０００")).toEqual([["赵敏", "13800138000"]]);
  });

  it("names the lines that it cannot read, and skips empty ones", () => {
    const { people, bad } = readPasted("王建国 8001\n\n没有号码\n13800138000\n多 81 82 83 84 85\n");
    expect(people).toHaveLength(1);
    expect(bad).toEqual([3, 4, 5]);
  });
});

describe("the plan form", () => {
  it("leaves empty number fields out, and finds the field that an error is about", () => {
    const person = draftPerson({ name: " 王建国 ", numbers: [{ number: "" }, { number: "8001", kind: "extension" }] });
    const { people } = bodyOf({ ...newDraft(), people: [person] });
    expect(people[0]).toMatchObject({ name: "王建国", numbers: [{ number: "8001", kind: "extension" }] });
    expect(people[0]).not.toHaveProperty("key");
    expect([sentIndex(person, 0), sentIndex(person, 1)]).toEqual([-1, 0]);
  });

  it("lets managers attend as managers, and as members when they are none any more", () => {
    const draft = { ...newDraft(), people: [draftPerson({ user: "u" }), draftPerson({ user: "v", role: "chair" }), draftPerson()] };
    setManagers(draft, [{ id: "u", display_name: "王建国" }]);
    expect(draft.people.map(({ role }) => role)).toEqual(["manager", "chair", "participant"]);
    setManagers(draft, []);
    expect(draft.people.map(({ role }) => role)).toEqual(["member", "chair", "participant"]);
    expect(bodyOf(draft)).not.toHaveProperty("managers");
  });

  it("writes numbers as they are read", () => {
    expect(readable("+8613800138000")).toBe("138 0013 8000");
    expect(readable("+861062780001")).toBe("010-62780001");
    expect(readable("+8675562780001")).toBe("0755-62780001");
    expect(readable("+442079460958")).toBe("+442079460958");
    expect(readable("8001")).toBe("8001");
  });
});
