/** The API, typed: one function for each thing it does. */

import { http } from "./http";
import type {
  Action,
  ActionAnswer,
  ActionBodies,
  Attempt,
  Account,
  Conference,
  DialIn,
  DialInOf,
  Door,
  Extension,
  Invitation,
  Joining,
  KeyCommand,
  LogEntry,
  Page,
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
  Session,
  Utterance,
} from "./types";

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
