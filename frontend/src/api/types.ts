/** What the API says and takes: docs/api.md. Times are ISO 8601 strings in UTC. */

export const ROLES = ["owner", "manager", "chair", "member", "participant"] as const;
export type Role = (typeof ROLES)[number];

export const FLOOR_MODES = ["free", "moderated", "roll_call"] as const;
export type FloorMode = (typeof FLOOR_MODES)[number];

export const LOBBIES = ["off", "guests", "everybody"] as const;
/** Who has to be let in by somebody in charge. */
/** Whether a conference is recorded now. */
export type Recording = "off" | "on" | "paused";
export type Lobby = (typeof LOBBIES)[number];

export const STATES = ["connected", "ringing", "dialing", "queued", "failed", "left", "planned"] as const;
export type ParticipantState = (typeof STATES)[number];

export type Phase = "gathering" | "running" | "ended";
export type NumberKind = "extension" | "mobile" | "landline";

export interface PhoneNumber {
  kind?: NumberKind;
  number: string;
}

export interface Account {
  id: string;
  username: string;
  display_name: string;
  unit?: string | null;
  language?: string;
  is_staff?: boolean;
}

export type Named = Pick<Account, "id" | "display_name">;

export interface Session {
  /** Null for somebody who is not signed in. */
  user: Account | null;
  abilities: string[];
  csrf: string;
}

export interface Extension {
  id: string;
  number: string;
  display_name: string;
  user?: string | null;
}

export interface Person {
  id?: string;
  name: string;
  role: Role;
  user?: string | null;
  numbers: PhoneNumber[];
}

export const SPOKEN = ["zh", "en"] as const;
/** Languages that minutes are written in. */
export type Spoken = (typeof SPOKEN)[number];

export interface Options {
  entry_muted: boolean;
  floor_mode: FloorMode;
  wait_for_chair: boolean;
  quorum_percent: number | null;
  lock_after_start: boolean;
  max_participants: number;
  duration_minutes: number;
  prompt_language: "zh-hans" | "en";
  recording_policy: "off" | "on_demand" | "automatic";
  minutes_policy: "off" | "automatic";
  /** Live text for all who are in. */
  captions: boolean;
  spoken_languages: Spoken[];
  /** Names and terms that minutes are to spell right, one a line. */
  glossary: string;
  ring_seconds: number;
  attempts_per_number: number;
  busy_retries: number;
  busy_wait_seconds: number;
  member_may_unmute_self: boolean;
  participant_may_unmute_self: boolean;
  member_may_invite: boolean;
  member_may_whisper: boolean;
  member_may_copy_plan: boolean;
  member_may_replay: boolean;
  participant_may_replay: boolean;
  member_may_correct_own_words: boolean;
  guests_may_join: boolean;
  lobby: Lobby;
}

/** What a person fills in: a plan, or one run of it. */
export interface PlanDraft extends Options {
  title: string;
  agenda: string;
  people: Person[];
}

/** What a plan is made of besides: its managers, by id; for its owner. */
export type PlanBody = PlanDraft & { managers?: string[] };

export interface Plan extends PlanDraft {
  id: string;
  owner: Named;
  managers: Named[];
  /** The caller's own. */
  role: Role;
  /** The conference of this plan that has not ended. */
  running: string | null;
  revision: number;
  created_at: string;
  updated_at: string;
  abilities: string[];
}

/** A plan as lists show it: without its people, with their number. */
export type PlanSummary = Omit<Plan, "people"> & { people_count: number };

export interface Conference {
  id: string;
  plan: string | null;
  title: string;
  agenda: string;
  phase: Phase;
  locked: boolean;
  observed_locked: boolean;
  floor_mode: FloorMode;
  called: string | null;
  wait_for_chair: boolean;
  quorum_percent: number | null;
  lock_after_start: boolean;
  lobby: Lobby;
  entry_muted: boolean;
  max_participants: number;
  recording_policy: Options["recording_policy"];
  recording: Recording;
  recording_since: string | null;
  minutes_policy: Options["minutes_policy"];
  captions: boolean;
  prompt_language: Options["prompt_language"];
  launched_at: string;
  started_at: string | null;
  ends_at: string;
  ended_at: string | null;
  end_reason: string;
  expected_at: string | null;
  /** Since when guests have a link. */
  guest_link_at: string | null;
  abilities?: string[];
}

export interface Participant {
  id: string;
  position: number;
  name: string;
  role: Role;
  user: string | null;
  /** Came by the link of guests, under a name of their own choice. */
  guest: boolean;
  state: ParticipantState;
  present: boolean;
  refused: boolean;
  muted: boolean;
  forbidden: boolean;
  granted: boolean;
  deaf: boolean;
  held: boolean;
  volume: number;
  hand_raised_at: string | null;
  chair_asked_at: string | null;
  whisper: string | null;
  /** "main", "lobby", or a whisper's id. */
  room: string | null;
  /** False for whoever waits in the lobby, or would on coming now. */
  admitted: boolean;
  observed_muted: boolean;
  observed_deaf: boolean;
  observed_held: boolean;
  observed_volume: number;
  /** `opus/16000`: the rate is what it decodes to, Hz. Of the leg while it is answered, as are the next three. */
  codec: string;
  /** What is asked (`mandatory`, `exempt`, `internal`), until it is proved: `sdes:SUITE`, `dtls:SUITE`. */
  encryption: string;
  /** Percent of the packets of the last seconds that did not reach the switch. */
  loss: number | null;
  /** Of what reaches the switch, ms. */
  jitter: number | null;
  joined_at: string | null;
  left_at: string | null;
  // Seen by owner, manager and chair only.
  numbers?: PhoneNumber[];
  round?: number;
  cause?: string;
  sip_code?: number;
  next_try_at?: string | null;
  /** Where somebody called from who is not on the list. */
  caller_number?: string;
}

export interface Whisper {
  id: string;
  title: string;
  soft_main: boolean;
  opened_by: string | null;
  opened_at: string;
  closed_at: string | null;
  observed_feed: boolean;
}

export interface Announcement {
  id: string;
  participant: string | null;
  text: string;
  language: string;
  created_at: string;
  played_at: string | null;
  error: string;
}

/** What a browser needs to call its conference. */
export interface SipAccount {
  uri: string;
  user: string;
  password: string;
  realm: string;
  /** Whom to call. */
  target: string;
  ws_urls: string[];
  ice_servers: { urls: string[] }[];
}

export interface Joining {
  sip: SipAccount;
  participant: string;
  expires_at: string;
}

/** An extension, and where its telephone registers. */
export interface Phone {
  id: string;
  number: string;
  display_name: string;
  has_password: boolean;
  servers: PhoneServer[];
  realm: string;
  /** There is a private authority that the telephone has to trust. */
  certificate: boolean;
}

export interface PhoneServer {
  host: string;
  port: number;
}

/** What a telephone is set up with. Told once. */
export interface PhoneAccount {
  user: string;
  password: string;
  realm: string;
  servers: PhoneServer[];
  baresip: string;
}

/** Where Linphone fetches its configuration, once; `qr` is the address of an image. */
export interface PhoneLink {
  url: string;
  qr: string;
  expires_at: string;
}

/** Keys of a telephone, and who may use them. */
export interface KeyCommand {
  keys: string;
  name: string;
  roles: Role[];
}

/** What guests are sent: the page's path and the PIN. */
export interface Invitation {
  path: string;
  pin: string;
}

/** What is dialled into. */
export type DialInOf = "plans" | "conferences";

/** A PIN of a person, or (without id and name) of a role. */
export interface PinOf {
  role: Role;
  pin: string;
  renewable: boolean;
  id?: string;
  name?: string;
}

export interface DialIn {
  number: string;
  access_numbers: { number: string; label: string; language: string }[];
  roles: PinOf[];
  people: PinOf[];
}

/** Where the link of guests leads. */
export interface Door {
  conference: string;
  title: string;
  /** Whether the caller has a part in it already. */
  inside: boolean;
}

export interface Attempt {
  leg: string;
  participant: string;
  round: number;
  ordinal: number;
  kind: NumberKind;
  number: string;
  gateway_name: string;
  phase: "stored" | "sent" | "created" | "ringing" | "answered" | "in_room" | "ended";
  cause: string;
  sip_code: number;
  sends: number;
  codec: string;
  encryption: string;
  stored_at: string;
  sent_at: string | null;
  ringing_at: string | null;
  answered_at: string | null;
  joined_at: string | null;
  ended_at: string | null;
}

/** What one leg said without a break in recording, there or in a whisper; or what the main room heard. */
export interface Track {
  id: string;
  kind: "person" | "whisper" | "mix";
  participant: string | null;
  name: string;
  whisper: string | null;
  /** Which of its speaker's, or of the main room's, one after another. */
  part: number;
  started_at: string | null;
  ended_at: string | null;
  state: "live" | "sealed" | "empty" | "damaged" | "erased" | "mixing";
  /** What can be heard now; of a live one it grows. */
  duration_ms: number;
  /** A path, good for ten minutes. */
  audio: string | null;
}

export interface Recorded {
  tracks: Track[];
  abilities: string[];
}

export interface Utterance {
  id: string;
  track: string;
  participant: string | null;
  name: string;
  starts_at: string;
  ends_at: string;
  /** Where it begins in its track. */
  start_ms: number;
  audio: string | null;
}

/** How loud a track is, from 0 to 255, so many times a second. */
export interface Peaks {
  per_second: number;
  peaks: number[];
}

export const CONFIDENCES = ["good", "check", "low"] as const;
export type Confidence = (typeof CONFIDENCES)[number];
export type Mark = "" | "decision" | "task";

/** `start_ms` and `end_ms` are of its track. */
export interface Sentence {
  start_ms: number;
  end_ms: number;
  text: string;
  confidence: Confidence;
}

/** What one person said without a break, as it is read. */
export interface Passage {
  id: string;
  /** The number of its last change in its minutes. */
  seq: number;
  /** What a change of it has to name. */
  version: number;
  /** It is gone, or not for the reader any more. */
  removed: boolean;
  participant: string | null;
  speaker: string;
  track: string;
  starts_at: string;
  ends_at: string;
  start_ms: number;
  end_ms: number;
  sentences: Sentence[];
  language: string;
  /** Nothing better comes from the engine. */
  refined: boolean;
  mark: Mark;
  task_person: string;
  task_due: string | null;
  hidden: boolean;
  edited: boolean;
  /** The reader's own words; the live feed does not say. */
  mine?: boolean | undefined;
}

/** `next` is what to ask with as `since`. */
export interface Passages {
  passages: Passage[];
  next: string;
  more: boolean;
  /** All that there is begins here: what was read before has to go. */
  whole: boolean;
}

/** What a person may change of a passage. */
export interface PassageBody {
  text?: string;
  participant?: string | null;
  /** Of somebody who is not on the roster. */
  speaker?: string;
  mark?: Mark;
  task_person?: string;
  task_due?: string | null;
  hidden?: boolean;
}

export interface Attendee {
  participant: string;
  name: string;
  role: Role;
  /** From when to when they were in; null: they still are. */
  stays: [string, string | null][];
}

export interface SignedVersion {
  number: number;
  signed_at: string;
  signed_name: string;
  digest: string;
}

export interface Minutes {
  /** Null while there is nothing. */
  id: string | null;
  state: "none" | "open" | "ready" | "signed";
  seq: number;
  conference: string;
  title: string;
  agenda: string;
  whisper: { id: string; title: string } | null;
  /** Those of which the reader may read minutes. */
  whispers: { id: string; title: string }[];
  started_at: string | null;
  ended_at: string | null;
  policy: Options["minutes_policy"];
  /** All who are in may read along. */
  captions: boolean;
  attendees: Attendee[];
  /** Utterances in each state; `reasons` of those that failed, as codes. `away`: whose audio is out of reach now. `missing`: some of what was recorded is not in what was closed. */
  progress: { waiting: number; heard: number; done: number; refused: number; failed: number; reasons: string[]; away: number; missing: boolean };
  /** For how long what waits longest has been waiting. */
  behind_ms: number;
  /** `ready`, or why nobody writes. */
  engine: string;
  summary: string;
  can_summarise?: boolean;
  versions: SignedVersion[];
  abilities: string[];
}

/** What an edit changed: the fields before and after. */
export interface Revision {
  version: number;
  at: string;
  by_name: string;
  act: string;
  before: Record<string, unknown>;
  after: Record<string, unknown>;
}

export interface Revisions {
  original: { sentences: Sentence[]; engine: string; written_at: string | null };
  revisions: Revision[];
}

/** What became of one mail. */
export interface Delivery {
  name: string;
  state: "waiting" | "sending" | "sent" | "failed";
  reason: string;
  /** Null: a draft. */
  version: number | null;
  at: string;
}

export type Hit = Passage & { whisper: string | null };

/** `count` passages of one conference, of which `hits` are the newest few. */
export interface Found {
  conference: string;
  title: string;
  launched_at: string;
  count: number;
  hits: Hit[];
}

export const EXPORTS = ["docx", "md", "vtt", "srt", "json"] as const;
export type ExportFormat = (typeof EXPORTS)[number];

export interface LogEntry {
  id: number | string;
  at: string;
  actor_name: string;
  action: string;
  object_type: string;
  object_id: string;
  object_name: string;
  detail: Record<string, unknown>;
}

export interface Page<T> {
  results: T[];
  next: string | null;
  previous: string | null;
}

export interface ProblemDocument {
  type?: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  errors?: { field: string; code: string; detail: string }[];
}

/** Whom an action is for: ids, or a group that the server resolves. */
export type Targets = string[] | "all" | "all_but_chair" | "absent" | "waiting";

/** The live actions and what each takes. */
export interface ActionBodies {
  start: Record<string, never>;
  end: Record<string, never>;
  extend: { minutes: number };
  lock: Record<string, never>;
  unlock: Record<string, never>;
  guest_link: Record<string, never>;
  guest_link_off: Record<string, never>;
  floor: { mode: FloorMode };
  lobby: { mode: Lobby };
  record: { state: Recording };
  say_again: Record<string, never>;
  call: { participant: string | null };
  invite: { people: (Person | { plan_person: string })[] };
  redial: { participants: Targets };
  cancel: { participants: Targets };
  remove: { participants: Targets; refuse: boolean };
  admit: { participants: Targets };
  refuse: { participants: Targets };
  mute: { participants: Targets };
  unmute: { participants: Targets };
  forbid: { participants: Targets };
  allow: { participants: Targets };
  grant: { participants: Targets };
  revoke: { participants: Targets };
  deafen: { participants: Targets };
  undeafen: { participants: Targets };
  hold: { participants: Targets };
  unhold: { participants: Targets };
  volume: { participants: Targets; level: number };
  raise_hand: { participants: Targets };
  lower_hand: { participants: Targets };
  role: { participants: Targets; role: Role };
  ask_chair: { participants: Targets };
  decline_chair: { participants: Targets };
  rename: { participant: string; name: string };
  announce: { text: string; language: Options["prompt_language"]; participant?: string };
  whisper_open: { title: string; participants: string[]; soft_main: boolean };
  whisper_add: { whisper: string; participants: string[] };
  whisper_remove: { whisper: string; participants: string[] };
  whisper_soft: { whisper: string; soft_main: boolean };
  whisper_close: { whisper: string };
}
export type Action = keyof ActionBodies;

/** `index` is that of the person invited. */
export type ActionResult = { participant: string | null; index?: number } & ({ ok: true } | { ok: false; problem: ProblemDocument });

/** `participant` and `milliseconds`: whose words are said again, and for how long. */
export interface ActionAnswer {
  seq: number;
  whisper?: string;
  participant?: string;
  milliseconds?: number;
  results: ActionResult[];
}
