/** A leg by SIP over WebSocket: JsSIP, and this browser's WebRTC. The one place that knows of either. */

import JsSIP from "jssip";
import type { EndEvent, RTCSession } from "jssip/lib/RTCSession";

import type { SipAccount } from "@/api/types";

import type { Dial, Leg, LegEvents, Trouble } from "./leg";

/** How long the line may take to open, the switch to answer, sound to flow once it did, and more ways to it to be found; ms. */
const LINE_WITHIN = 8000;
const ANSWER_WITHIN = 20_000;
const SOUND_WITHIN = 12_000;
const CANDIDATES_WITHIN = 800;

const { causes } = JsSIP.C;
const TROUBLES: Partial<Record<string, Trouble>> = {
  [causes.CONNECTION_ERROR]: "lost",
  [causes.REQUEST_TIMEOUT]: "lost",
  [causes.DIALOG_ERROR]: "lost",
  [causes.NO_ACK]: "lost",
  [causes.RTP_TIMEOUT]: "lost",
  [causes.AUTHENTICATION_ERROR]: "unauthorised",
  [causes.INCOMPATIBLE_SDP]: "incompatible",
  [causes.MISSING_SDP]: "incompatible",
  [causes.BAD_MEDIA_DESCRIPTION]: "incompatible",
  [causes.WEBRTC_ERROR]: "incompatible",
};

class SipLeg implements Leg {
  private readonly agent: InstanceType<typeof JsSIP.UA>;
  private session: RTCSession | null = null;
  private deadline: ReturnType<typeof setTimeout> | undefined;
  private accepted = false;
  private flows = false;
  private over = false;

  constructor(
    private readonly account: SipAccount,
    private microphone: MediaStreamTrack,
    private readonly events: LegEvents,
  ) {
    this.agent = new JsSIP.UA({
      sockets: account.ws_urls.map((url) => new JsSIP.WebSocketInterface(url)),
      uri: account.uri,
      authorization_user: account.user,
      password: account.password,
      realm: account.realm,
      register: false,
      // A line that broke is open again after a second, and later after eight; s.
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 8,
    });
    this.agent.on("connected", () => (this.session ? this.ask(this.session) : this.call()));
    // Without a call there is nothing to wait for: the port is blocked, the certificate not trusted, or the switch away.
    this.agent.on("disconnected", () => this.session ?? this.end("unreachable"));
    this.deadline = setTimeout(() => this.end("unreachable"), LINE_WITHIN);
    this.agent.start();
  }

  hangUp(): void {
    this.over = true;
    clearTimeout(this.deadline);
    // Says goodbye on a line that is open, and closes it.
    this.agent.stop();
  }

  use(track: MediaStreamTrack): void {
    this.microphone = track;
    const sender = this.session?.connection?.getSenders().find((each) => each.track?.kind === "audio");
    void sender?.replaceTrack(track);
  }

  private call(): void {
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => this.end("lost"), ANSWER_WITHIN);
    const session = this.agent.call(this.account.target, {
      sessionTimersExpires: SESSION_SECONDS,
      mediaStream: new MediaStream([this.microphone]),
      // Not "max-bundle": FreeSWITCH's answer has no BUNDLE group, and there is but one stream.
      pcConfig: { iceServers: this.account.ice_servers },
    });
    this.session = session;
    session.on("icecandidate", ({ ready }) => setTimeout(ready, CANDIDATES_WITHIN));
    session.on("progress", () => this.over || this.events.ringing());
    session.on("accepted", () => {
      this.accepted = true;
      clearTimeout(this.deadline);
      this.deadline = setTimeout(() => this.end("no_media"), SOUND_WITHIN);
      this.network();
    });
    session.on("failed", ({ cause }: EndEvent) => this.end(TROUBLES[cause] ?? "refused"));
    session.on("ended", ({ cause, message }: EndEvent) => {
      // RFC 3326, and mod_sofia.c:506.
      const elsewhere = /^SIP\s*;\s*cause=200\b/i.test(message?.getHeader("Reason") ?? "");
      this.end(elsewhere ? "elsewhere" : (TROUBLES[cause] ?? null));
    });
    session.connection.addEventListener("connectionstatechange", () => this.network());
  }

  /** The line broke and is open again. The sound does not depend on it, but a switch that started anew knows nothing of the call. */
  private ask(session: RTCSession & Partial<InDialog>): void {
    session.sendRequest?.("UPDATE", {
      extraHeaders: [`Contact: ${session.contact}`, "Supported: timer", `Session-Expires: ${SESSION_SECONDS};refresher=uac`],
      eventHandlers: { onDialogError: () => this.end("lost") },
    });
  }

  /** What WebRTC says of the way that sound takes. */
  private network(): void {
    const connection = this.session?.connection;
    if (!connection || !this.accepted || this.over) return;
    switch (connection.connectionState) {
      case "connected":
        clearTimeout(this.deadline);
        if (this.flows) this.events.recovered();
        else this.events.connected(new MediaStream(connection.getReceivers().map(({ track }) => track)));
        this.flows = true;
        break;
      case "disconnected":
        if (this.flows) this.events.faltering();
        break;
      case "failed":
        this.end(this.flows ? "lost" : "no_media");
    }
  }

  private end(trouble: Trouble | null): void {
    if (this.over) return;
    this.hangUp();
    this.events.ended(trouble);
  }
}

/** What JsSIP has and its types lack. */
interface InDialog {
  sendRequest(method: string, options: { extraHeaders: string[]; eventHandlers: { onDialogError(): void } }): void;
}

/** A call is refreshed each half of this (RFC 4028); JsSIP's own 90 s are less than FreeSWITCH takes (120). */
const SESSION_SECONDS = 300;

export const dial: Dial = (account, microphone, events) => new SipLeg(account, microphone, events);
