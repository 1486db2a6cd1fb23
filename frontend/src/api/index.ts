/** The API, typed: one function for each thing it does. */

import { http } from "./http";
import type {
  Action,
  ActionAnswer,
  ActionBodies,
  Attempt,
  Account,
  Conference,
  Delivery,
  DialIn,
  DialInOf,
  Door,
  ExportFormat,
  Extension,
  Found,
  Invitation,
  Joining,
  KeyCommand,
  LogEntry,
  Minutes,
  Page,
  Passage,
  PassageBody,
  Passages,
  Peaks,
  Person,
  Phone,
  PhoneAccount,
  PhoneLink,
  Plan,
  PlanBody,
  PlanDraft,
  PlanSummary,
  Recorded,
  Revisions,
  Session,
  Utterance,
} from "./types";

/** The address of a conference's minutes, or of those of one of its whispers. */
export interface MinutesOf {
  conference: string;
  whisper?: string | undefined;
}

const minutesPath = ({ conference, whisper }: MinutesOf, rest = "", query: Record<string, string> = {}) => {
  const asked = new URLSearchParams({ ...query, ...(whisper ? { whisper } : {}) }).toString();
  return `conferences/${conference}/minutes/${rest}${asked ? `?${asked}` : ""}`;
};

export const api = {
  session: () => http.get<Session>("session/"),
  signIn: (username: string, password: string) => http.post<Session>("session/", { username, password }),
  signOut: () => http.delete("session/"),

  plans: (q: string, signal?: AbortSignal) => http.get<Page<PlanSummary>>("plans/", { q }, signal),
  plan: (id: string) => http.get<Plan>(`plans/${id}/`),
  createPlan: (body: PlanBody) => http.post<Plan>("plans/", body),
  updatePlan: (id: string, revision: number, body: PlanBody) => http.patch<Plan>(`plans/${id}/`, { revision, ...body }),
  copyPlan: (id: string) => http.post<Plan>(`plans/${id}/copy/`, {}),
  transferPlan: (id: string, user: string) => http.post<Plan>(`plans/${id}/transfer/`, { user }),
  deletePlan: (id: string) => http.delete(`plans/${id}/`),

  conferences: (phase: string) => http.get<Page<Conference>>("conferences/", { phase }),
  conference: (id: string) => http.get<Conference>(`conferences/${id}/`),
  launch: (body: { plan?: string } & Partial<PlanDraft>) => http.post<Conference>("conferences/", body),
  act: <A extends Action>(conference: string, action: A, body: ActionBodies[A]) =>
    http.post<ActionAnswer>(`conferences/${conference}/${action}/`, body),
  attempts: (conference: string, participant: string) =>
    http.get<Page<Attempt>>(`conferences/${conference}/attempts/`, { participant }),
  log: (conference: string) => http.get<Page<LogEntry>>(`conferences/${conference}/log/`),

  recorded: (conference: string) => http.get<Recorded>(`conferences/${conference}/recording/`),
  utterances: (conference: string, of: { after?: string; participant?: string; page_size?: number }) =>
    http.get<Page<Utterance>>(`conferences/${conference}/recording/utterances/`, of),
  peaks: (conference: string, track: string) => http.get<Peaks>(`conferences/${conference}/recording/tracks/${track}/peaks/`),

  /** For good. */
  eraseVoice: (conference: string, participant: string) => http.post<void>(`conferences/${conference}/recording/erase/`, { participant }),

  minutes: (of: MinutesOf) => http.get<Minutes>(minutesPath(of)),
  passages: (of: MinutesOf, since: string) => http.get<Passages>(minutesPath(of, "passages/", { since })),
  /** The address of the sound of a part of a passage; ms of its track. */
  passageAudio: (of: MinutesOf, passage: string, start: number, end: number) =>
    `/api/v1/${minutesPath({ conference: of.conference }, `passages/${passage}/audio/`, { start: String(start), end: String(end) })}`,
  changePassage: (of: MinutesOf, passage: string, version: number, body: PassageBody) =>
    http.patch<Passage>(minutesPath(of, `passages/${passage}/`), { version, ...body }),
  splitPassage: (of: MinutesOf, passage: string, version: number, at: number) =>
    http.post<{ passages: Passage[] }>(minutesPath(of, `passages/${passage}/split/`), { version, at }),
  mergePassage: (of: MinutesOf, passage: string, version: number) =>
    http.post<{ passages: Passage[] }>(minutesPath(of, `passages/${passage}/merge/`), { version }),
  restorePassage: (of: MinutesOf, passage: string, version: number) =>
    http.post<Passage>(minutesPath(of, `passages/${passage}/restore/`), { version }),
  revisions: (of: MinutesOf, passage: string) => http.get<Revisions>(minutesPath(of, `passages/${passage}/revisions/`)),
  signMinutes: (of: MinutesOf, seq: number) => http.post<Minutes>(minutesPath(of, "sign/"), { seq }),
  reopenMinutes: (of: MinutesOf) => http.post<unknown>(minutesPath(of, "reopen/"), {}),
  summariseMinutes: (of: MinutesOf) => http.post<unknown>(minutesPath(of, "summarise/"), {}),
  saveSummary: (of: MinutesOf, summary: string) => http.patch<unknown>(minutesPath(of), { summary }),
  sendMinutes: (of: MinutesOf, body: { subject?: string; message?: string; version?: number; draft?: boolean }) =>
    http.post<{ sent: number; skipped: { name: string; reason: string }[] }>(minutesPath(of, "send/"), body),
  deliveries: (of: MinutesOf) => http.get<Delivery[]>(minutesPath(of, "send/")),
  /** The address of a download. */
  minutesExport: (of: MinutesOf, format: ExportFormat, version?: number) =>
    `/api/v1/${minutesPath(of, "export/", { format, ...(version ? { version: String(version) } : {}) })}`,
  searchMinutes: (q: string, after: string, signal?: AbortSignal) => http.get<{ results: Found[]; after: string }>("minutes/search/", { q, after }, signal),

  keypad: (conference: string) => http.get<{ commands: KeyCommand[] }>(`conferences/${conference}/keypad/`),

  /** An account to call with; `resume` to go on with a call that broke. */
  join: (conference: string, resume: boolean) => http.post<Joining>(`conferences/${conference}/join/`, { resume }),
  invitation: (conference: string) => http.get<Invitation>(`conferences/${conference}/invitation/`),
  dialIn: (of: DialInOf, id: string) => http.get<DialIn>(`${of}/${id}/dial-in/`),
  renewPins: (of: DialInOf, id: string, body: { roles?: string[]; people?: string[] }) => http.post<DialIn>(`${of}/${id}/dial-in/`, body),
  door: (token: string) => http.get<Door>(`guests/${encodeURIComponent(token)}/`),
  enter: (token: string, name: string, pin: string) => http.post<Door>(`guests/${encodeURIComponent(token)}/`, { name, pin }),

  phones: () => http.get<Phone[]>("phones/"),
  phone: (id: string) => http.get<Phone>(`phones/${id}/`),
  phonePassword: (id: string) => http.post<PhoneAccount>(`phones/${id}/password/`, {}),
  phoneLink: (id: string) => http.post<PhoneLink>(`phones/${id}/link/`, {}),
  /** The address of the private authority's certificate. */
  phoneCertificate: "/api/v1/phones/certificate/",

  extensions: (q: string, signal?: AbortSignal) => http.get<Page<Extension>>("extensions/", { q }, signal),
  users: (q: string, signal?: AbortSignal) => http.get<Page<Account>>("users/", { q }, signal),

  /** The page that a list's `next` names. */
  follow: <T>(next: string) => http.get<Page<T>>(next),
};

export type { Person };
export * from "./problem";
