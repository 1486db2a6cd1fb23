import { describe, expect, it } from "vitest";

import { loudness } from "./meter";
import { lackOf, problemOfMicrophone } from "./problems";
import { constraintsOf, DEFAULTS, loadSettings, saveSettings } from "./settings";

function kept(text: string | null = null) {
  let value = text;
  return { getItem: () => value, setItem: (_key: string, next: string) => void (value = next) };
}

describe("what was chosen", () => {
  it("is remembered", () => {
    const store = kept();
    const chosen = { microphone: "m", speaker: "s", echoCancellation: false, noiseSuppression: true };
    saveSettings(chosen, store);
    expect(loadSettings(store)).toEqual(chosen);
  });

  it.each([null, "", "x", "null", "[]", '{"microphone": 7, "echoCancellation": "no", "other": 1}'])("is as at first where %j was kept", (text) => {
    expect(loadSettings(kept(text))).toEqual(DEFAULTS);
  });

  it("is what the browser is asked for", () => {
    expect(constraintsOf(DEFAULTS)).toEqual({ echoCancellation: true, noiseSuppression: true, autoGainControl: true });
    expect(constraintsOf({ ...DEFAULTS, microphone: "m", echoCancellation: false })).toMatchObject({ deviceId: { exact: "m" }, echoCancellation: false });
  });
});

describe("why there is no microphone", () => {
  it.each([
    ["NotAllowedError", "denied"],
    ["NotFoundError", "missing"],
    ["NotReadableError", "busy"],
    ["OverconstrainedError", "failed"],
  ])("%s", (name, problem) => expect(problemOfMicrophone(new DOMException("", name))).toBe(problem));

  it("is told before anybody is asked, where the page or the browser cannot", () => {
    const mediaDevices = {} as MediaDevices;
    const RTCPeerConnection = class {};
    expect(lackOf({ isSecureContext: false, navigator: {}, RTCPeerConnection })).toBe("insecure");
    expect(lackOf({ isSecureContext: true, navigator: {}, RTCPeerConnection })).toBe("unsupported");
    expect(lackOf({ isSecureContext: true, navigator: { mediaDevices } })).toBe("unsupported");
    expect(lackOf({ isSecureContext: true, navigator: { mediaDevices }, RTCPeerConnection })).toBe(null);
  });
});

describe("the meter", () => {
  const tone = (amplitude: number) => Float32Array.from({ length: 480 }, (_, n) => amplitude * Math.sin(n / 5));

  it("is at its ends for silence and for the loudest", () => {
    expect(loudness(new Float32Array(480))).toBe(0);
    expect(loudness(new Float32Array(0))).toBe(0);
    expect(loudness(new Float32Array(480).fill(1))).toBe(1);
  });

  it("rises evenly with each doubling", () => {
    const [soft, middle, loud] = [0.01, 0.02, 0.04].map((amplitude) => loudness(tone(amplitude))) as [number, number, number];
    expect(middle - soft).toBeCloseTo(loud - middle, 2);
    expect(middle).toBeGreaterThan(soft);
  });
});
