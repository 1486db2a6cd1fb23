import { defineStore } from "pinia";
import { computed, reactive, ref, shallowRef, watch } from "vue";

import { Meter } from "./meter";
import { lackOf, problemOfMicrophone, type SoundProblem } from "./problems";
import { constraintsOf, loadSettings, saveSettings, type SoundSettings } from "./settings";

/** The test tone: two notes, as a doorbell has them; Hz, s. */
const TONE = [659.25, 523.25];
const NOTE = 0.45;

/**
 * Microphone and speaker of this browser: which there are, which are used, how loud it is. Without a microphone one may listen: silence is sent
 * then, which can be replaced by a microphone at any time.
 */
export const useSound = defineStore("sound", () => {
  const settings = reactive(loadSettings());
  const devices = shallowRef<MediaDeviceInfo[]>([]);
  const problem = ref<SoundProblem | null>(lackOf(window));
  /** What is sent: a microphone's, or silence. */
  const track = shallowRef<MediaStreamTrack | null>(null);
  const listensOnly = ref(false);
  const level = ref(0);
  const testing = ref(false);
  const asking = ref(false);
  /** The system has the microphone to itself for a while: a telephone rings, or its key was pressed. */
  const interrupted = ref(false);

  let context: AudioContext | null = null;
  let meter: Meter | null = null;
  /** Of several askings at once, only what the last one brings counts. */
  let asked = 0;

  const microphones = computed(() => devices.value.filter(({ kind }) => kind === "audioinput"));
  const speakers = computed(() => devices.value.filter(({ kind }) => kind === "audiooutput"));
  /** Browsers that leave the choice of the speaker to the system have no setSinkId. */
  const choosesSpeaker = "setSinkId" in HTMLMediaElement.prototype;

  watch(settings, () => saveSettings({ ...settings }));

  function sounds(): AudioContext {
    context ??= new AudioContext();
    // A browser may have it wait for a touch of the page.
    if (context.state === "suspended") void context.resume();
    return context;
  }

  async function list(): Promise<void> {
    const found = await navigator.mediaDevices.enumerateDevices();
    devices.value = found;
    // Pulled out: the system chooses again. Before the reader allows the microphone, browsers tell no ids.
    const gone = (kind: MediaDeviceKind, id: string) => id !== "" && !found.some((each) => each.kind === kind && each.deviceId === id);
    if (!found.some(({ deviceId }) => deviceId)) return;
    if (gone("audioinput", settings.microphone)) settings.microphone = "";
    if (gone("audiooutput", settings.speaker)) settings.speaker = "";
  }

  function take(next: MediaStreamTrack, silent: boolean): void {
    drop();
    track.value = next;
    listensOnly.value = silent;
    if (silent) return;
    meter = new Meter(sounds(), next, (heard) => (level.value = heard));
    // Pulled out, taken by the system, or no longer allowed: whatever is there now, or none.
    next.addEventListener("ended", async () => {
      if (track.value === next && !(await open()) && track.value === next) drop();
    });
    interrupted.value = next.muted;
    for (const event of ["mute", "unmute"] as const) next.addEventListener(event, () => track.value === next && (interrupted.value = next.muted));
  }

  function drop(): void {
    meter?.stop();
    meter = null;
    level.value = 0;
    interrupted.value = false;
    track.value?.stop();
    track.value = null;
  }

  /** Leave the microphone to others: the browser shows no longer that it records. */
  function release(): void {
    asked += 1;
    drop();
    void context?.close();
    context = null;
    listensOnly.value = false;
    problem.value = lackOf(window);
  }

  /** Ask for the microphone that was chosen, or for any when that one is gone. Whether there is one now. */
  async function open(): Promise<boolean> {
    problem.value = lackOf(window);
    if (problem.value) return false;
    const mine = ++asked;
    asking.value = true;
    try {
      const audio = constraintsOf(settings);
      const stream = await navigator.mediaDevices.getUserMedia({ audio }).catch((error: unknown) => {
        if (!(error instanceof Error) || error.name !== "OverconstrainedError" || !settings.microphone) throw error;
        settings.microphone = "";
        return navigator.mediaDevices.getUserMedia({ audio: constraintsOf(settings) });
      });
      const [first] = stream.getAudioTracks();
      if (!first) throw new DOMException("", "NotFoundError");
      if (mine !== asked) {
        first.stop();
        return false;
      }
      take(first, false);
      await list();
      return true;
    } catch (error) {
      if (mine === asked) problem.value = problemOfMicrophone(error);
      return false;
    } finally {
      if (mine === asked) asking.value = false;
    }
  }

  /** Set what the reader chose; the microphone is opened anew for what concerns it. */
  async function choose(changes: Partial<SoundSettings>): Promise<void> {
    Object.assign(settings, changes);
    const concerned = "microphone" in changes || "echoCancellation" in changes || "noiseSuppression" in changes;
    if (concerned && track.value && !listensOnly.value) await open();
  }

  /** Whether the reader has allowed it before, and is not asked again. */
  async function isAllowed(): Promise<boolean> {
    const permission = await navigator.permissions?.query({ name: "microphone" as PermissionName }).catch(() => null);
    return permission?.state === "granted";
  }

  async function openIfAllowed(): Promise<void> {
    if (!problem.value && !track.value && (await isAllowed())) await open();
  }

  function listenOnly(): void {
    const ear = sounds();
    // A source of nothing: without any, nothing would be sent, and a switch takes that for a broken call.
    const nothing = new ConstantSourceNode(ear, { offset: 0 });
    const destination = ear.createMediaStreamDestination();
    nothing.connect(destination);
    nothing.start();
    const [silence] = destination.stream.getAudioTracks();
    if (silence) take(silence, true);
  }

  /** Something to hear from the speaker that was chosen. */
  async function testSpeaker(): Promise<void> {
    const ear = sounds();
    const destination = ear.createMediaStreamDestination();
    TONE.forEach((frequency, index) => {
      const at = ear.currentTime + 0.05 + index * NOTE;
      const tone = new OscillatorNode(ear, { frequency });
      const volume = new GainNode(ear, { gain: 0 });
      volume.gain.setValueAtTime(0.25, at);
      volume.gain.exponentialRampToValueAtTime(0.001, at + NOTE * 1.8);
      tone.connect(volume).connect(destination);
      tone.start(at);
      tone.stop(at + NOTE * 2);
    });
    testing.value = true;
    const player = new Audio();
    player.srcObject = destination.stream;
    try {
      await speakThrough(player);
      await player.play();
      await new Promise((done) => setTimeout(done, (TONE.length + 1.5) * NOTE * 1000));
    } finally {
      player.srcObject = null;
      testing.value = false;
    }
  }

  /** Have an element play through the speaker that was chosen; one that is gone is forgotten. */
  async function speakThrough(player: HTMLAudioElement): Promise<void> {
    if (!choosesSpeaker) return;
    try {
      await player.setSinkId(settings.speaker);
    } catch {
      settings.speaker = "";
    }
  }

  // A browser that plays nothing before the page is touched measures nothing either.
  addEventListener("pointerdown", () => context?.state === "suspended" && void context.resume());
  if (navigator.mediaDevices) navigator.mediaDevices.addEventListener("devicechange", () => void list());

  return {
    settings, devices, problem, track, listensOnly, level, testing, asking, interrupted, microphones, speakers, choosesSpeaker,
    open, isAllowed, openIfAllowed, choose, listenOnly, release, testSpeaker, speakThrough,
  };
});
