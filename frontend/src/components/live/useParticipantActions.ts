/** What may be done to one participant, as menu items, and doing it. The server's abilities decide; state decides what makes sense. */

import { ref } from "vue";
import { useI18n } from "vue-i18n";

import type { Participant, Role } from "@/api/types";
import type { MenuItem } from "@/components/AppMenu.vue";
import { isInLobby, isUnderWay, isWaiting, rolesToGive } from "@/live/roster";
import { useConfirm } from "@/stores/confirm";
import { useLive } from "@/stores/live";

/** What a choice needs a dialog for; the page opens it. */
export type Request = { kind: "details" | "rename" | "announce" | "whisper"; participant: Participant };

type Plain =
  | "admit" | "mute" | "unmute" | "forbid" | "allow" | "grant" | "revoke" | "deafen" | "undeafen" | "hold" | "unhold"
  | "raise_hand" | "lower_hand" | "redial" | "cancel" | "ask_chair" | "decline_chair";

export function useParticipantActions(open: (request: Request) => void) {
  const live = useLive();
  const confirm = useConfirm();
  const { t } = useI18n();

  function itemsFor(participant: Participant): MenuItem[] {
    const may = new Set(live.abilitiesOn(participant));
    const connected = participant.state === "connected";
    const items: MenuItem[] = [{ key: "details", icon: "info", label: t("actions.details") }];
    const offer = (ability: string, when: boolean, item: Omit<MenuItem, "key" | "label"> & Partial<MenuItem>) => {
      if (may.has(ability) && when) items.push({ ...item, key: ability, label: item.label ?? t(`actions.${ability}`) });
    };
    const waiting = isWaiting(participant);
    offer("admit", waiting || (participant.refused && !participant.present), { icon: "check", label: t(waiting ? "lobby.admit" : "lobby.letBack") });
    if (may.has("refuse") && waiting) items.push({ key: "deny", icon: "close", label: t("lobby.refuse"), danger: true });
    offer("redial", !connected && !isUnderWay(participant.state), { icon: "phoneOut" });
    offer("cancel", isUnderWay(participant.state), { icon: "phoneOff" });
    offer("mute", !participant.muted, { icon: "micOff" });
    offer("unmute", participant.muted, { icon: "mic" });
    offer("forbid", !participant.forbidden, { icon: "micBan" });
    offer("allow", participant.forbidden, { icon: "mic" });
    const moderated = live.conference?.floor_mode === "moderated";
    offer("grant", moderated && !participant.granted, { icon: "floor" });
    offer("revoke", moderated && participant.granted, { icon: "floor" });
    offer("call", live.conference?.floor_mode === "roll_call" && connected && !waiting && participant.id !== live.conference.called, { icon: "rollCall" });
    offer("raise_hand", !participant.hand_raised_at, { icon: "hand" });
    offer("lower_hand", participant.hand_raised_at !== null, { icon: "hand" });
    offer("deafen", connected && !participant.deaf, { icon: "earOff", separated: true });
    offer("undeafen", participant.deaf, { icon: "ear", separated: true });
    offer("hold", connected && !participant.held, { icon: "pause" });
    offer("unhold", participant.held, { icon: "play" });
    if (live.may("announce") && connected) items.push({ key: "announce", icon: "megaphone", label: t("actions.announceTo") });
    if (live.may("whisper_open") && may.has("whisper_add") && connected && !isInLobby(participant) && !participant.whisper && participant.id !== live.me?.id) {
      items.push({ key: "whisper", icon: "whisper", label: t("actions.whisperWith") });
    }
    offer("whisper_remove", live.mayBringBack(participant), { icon: "back", label: t("whisper.removeFrom") });
    offer("rename", true, { icon: "edit", separated: true });
    if (may.has("role")) {
      const own = live.you?.role ?? "participant";
      for (const role of rolesToGive(own)) {
        if (role === participant.role) continue;
        const label = own === "chair" ? t("actions.handOver") : t("actions.roleTo", { role: t(`roles.${role}`) });
        items.push({ key: `role ${role}`, icon: "person", label });
      }
    }
    offer("ask_chair", !participant.chair_asked_at, { icon: "person" });
    const own = participant.id === live.me?.id;
    offer("decline_chair", participant.chair_asked_at !== null, { icon: "close", label: own ? t("self.withdrawChair") : undefined });
    offer("remove", participant.present && !waiting, { icon: "close", danger: true, separated: true });
    if (may.has("remove") && !waiting && !participant.refused && participant.id !== live.me?.id) {
      items.push({ key: "refuse", icon: "lock", label: t("actions.removeRefuse"), danger: true });
    }
    return items;
  }

  async function choose(participant: Participant, key: string): Promise<void> {
    const participants = [participant.id];
    if (key === "details" || key === "rename" || key === "announce" || key === "whisper") return open({ kind: key, participant });
    if (key === "deny") return void (await live.act("refuse", { participants }));
    if (key === "remove" || key === "refuse") return remove([participant], key === "refuse");
    if (key === "call") await live.act("call", { participant: participant.id });
    else if (key === "whisper_remove") await live.act("whisper_remove", { whisper: participant.whisper ?? "", participants });
    else if (key.startsWith("role ")) await live.act("role", { participants, role: key.slice(5) as Role });
    else await live.act(key as Plain, { participants });
  }

  async function remove(participants: Participant[], refuse: boolean): Promise<void> {
    const [only] = participants;
    const title = participants.length === 1 && only ? t("actions.removeTitle", { name: only.name }) : t("actions.removeTitleN", { n: participants.length }, participants.length);
    const sure = await confirm.ask({ title, text: t(refuse ? "actions.removeRefuseText" : "actions.removeText"), yes: t(refuse ? "actions.removeRefuse" : "actions.remove") });
    if (sure) await live.act("remove", { participants: participants.map(({ id }) => id), refuse });
  }

  return { itemsFor, choose, remove };
}

/** The dialog that is open over the live page, and for whom. */
export function useRequest() {
  const request = ref<Request | null>(null);
  return { request, open: (next: Request) => (request.value = next), close: () => (request.value = null) };
}
