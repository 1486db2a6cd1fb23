import { describe, expect, it } from "vitest";

import { lineOf } from "./line";

const good = { codec: "opus/16000", encryption: "sdes:AEAD_AES_256_GCM", loss: 0, jitter: 4 };

describe("the line of a person", () => {
  it("is locked only by a proof", () => {
    expect(lineOf(good)).toMatchObject({ lock: "locked", keys: "sdes", suite: "AEAD_AES_256_GCM", codec: "Opus, 16 kHz", band: "hd", warnings: [] });
    expect(lineOf({ ...good, encryption: "dtls:AES_CM_128_HMAC_SHA1_80" })).toMatchObject({ lock: "locked", keys: "dtls" });
    expect(lineOf({ ...good, encryption: "mandatory" })).toMatchObject({ lock: "checking", keys: null, suite: "", warnings: [] });
    expect(lineOf({ ...good, encryption: "exempt" })).toMatchObject({ lock: "exempt", warnings: ["open"] });
    expect(lineOf({ ...good, encryption: "" }).lock).toBeNull();
  });

  it("has no band and no lock to show when it does not leave the switch", () => {
    expect(lineOf({ codec: "L16/8000", encryption: "internal", loss: null, jitter: null })).toMatchObject({ lock: "internal", band: null, warnings: [] });
  });

  it("warns of narrow band, loss and jitter beyond the limits", () => {
    expect(lineOf({ ...good, codec: "PCMA/8000" })).toMatchObject({ codec: "G.711 A-law, 8 kHz", band: "narrow", warnings: ["narrow"] });
    expect(lineOf({ ...good, codec: "G722/16000", loss: 3, jitter: 30 }).warnings).toEqual([]);
    expect(lineOf({ ...good, loss: 4, jitter: 31 }).warnings).toEqual(["loss", "jitter"]);
  });

  it("says nothing of what is not known", () => {
    expect(lineOf({ codec: "", encryption: "" })).toEqual({ lock: null, keys: null, suite: "", codec: "", band: null, warnings: [] });
  });
});
