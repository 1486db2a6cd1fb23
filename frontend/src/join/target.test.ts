import { expect, it } from "vitest";

import { targetOf } from "./target";

const ID = "01a214ce-b656-72da-9f43-f523444d0b01";

it.each([
  [`/join/conference/${ID}`, { conference: ID }],
  [`/join/conference/${ID}/`, { conference: ID }],
  ["/join/Q3f_x-9", { token: "Q3f_x-9" }],
  ["/join/conference/no-id", null],
  ["/join/conference", null],
  ["/join/a/b", null],
  ["/join/", null],
  ["/plans", null],
])("%s", (path, target) => expect(targetOf(path)).toEqual(target));
