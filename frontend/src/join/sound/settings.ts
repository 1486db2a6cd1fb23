/** What somebody chose for microphone and speaker, remembered in this browser. */

export interface SoundSettings {
  /** Device ids; "" for the system's own choice. */
  microphone: string;
  speaker: string;
  echoCancellation: boolean;
  noiseSuppression: boolean;
}

const KEY = "sparkle.sound";
export const DEFAULTS: SoundSettings = { microphone: "", speaker: "", echoCancellation: true, noiseSuppression: true };

export function loadSettings(store: Pick<Storage, "getItem"> = localStorage): SoundSettings {
  try {
    const kept = JSON.parse(store.getItem(KEY) ?? "{}") as Record<string, unknown>;
    const known = Object.entries(DEFAULTS).map(([name, value]) => [name, typeof kept[name] === typeof value ? kept[name] : value]);
    return Object.fromEntries(known) as SoundSettings;
  } catch {
    return { ...DEFAULTS };
  }
}

export function saveSettings(settings: SoundSettings, store: Pick<Storage, "setItem"> = localStorage): void {
  store.setItem(KEY, JSON.stringify(settings));
}

export function constraintsOf({ microphone, echoCancellation, noiseSuppression }: SoundSettings): MediaTrackConstraints {
  return { echoCancellation, noiseSuppression, autoGainControl: true, ...(microphone ? { deviceId: { exact: microphone } } : {}) };
}
