/** What somebody who takes part is told of their own line: why they are not heard or hear nothing, and where they are. */

import { computed } from "vue";
import { useI18n } from "vue-i18n";

import { isGathering, isLeader } from "@/live/roster";
import { useLive } from "@/stores/live";

export interface OwnNote {
  text: string;
  tone: "warn" | "bad" | "violet" | "accent";
}

export function useOwnNote() {
  const live = useLive();
  const { t } = useI18n();

  return computed<OwnNote | null>(() => {
    const { me, conference } = live;
    if (!me || !conference) return null;
    if (live.inLobby) return { text: t("lobby.own"), tone: "accent" };
    if (me.forbidden) return { text: t("self.forbidden"), tone: "bad" };
    const whisper = live.whispers.find(({ id }) => id === me.whisper);
    if (whisper) return { text: t("self.inWhisper", { title: whisper.title || t("roster.whisperUntitled") }), tone: "violet" };
    if (me.held) return { text: t("self.held"), tone: "warn" };
    if (me.deaf) return { text: t("self.deaf"), tone: "warn" };
    if (me.chair_asked_at) return { text: t("self.chairAsked"), tone: "accent" };
    if (isLeader(me)) return null;
    if (isGathering(conference)) return { text: t("self.gathering"), tone: "warn" };
    if (conference.floor_mode === "roll_call") {
      return conference.called === me.id ? { text: t("self.called"), tone: "accent" } : { text: t("self.waitCall"), tone: "warn" };
    }
    if (conference.floor_mode === "moderated") {
      return me.granted ? { text: t("self.granted"), tone: "accent" } : { text: t("self.waitFloor"), tone: "warn" };
    }
    return null;
  });
}
