/** What one does with a plan, from the list and from its page alike. */

import { ref } from "vue";
import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";

import { api } from "@/api";
import type { PlanSummary } from "@/api/types";
import { useConfirm } from "@/stores/confirm";
import { useToasts } from "@/stores/toasts";

export function usePlanActions() {
  const { t } = useI18n();
  const router = useRouter();
  const toasts = useToasts();
  const launching = ref("");

  async function launch(plan: string): Promise<void> {
    launching.value = plan;
    try {
      const conference = await api.launch({ plan });
      await router.push({ name: "conference", params: { id: conference.id } });
    } catch (error) {
      toasts.bad(error);
    } finally {
      launching.value = "";
    }
  }

  async function copy(plan: PlanSummary): Promise<void> {
    try {
      const copied = await api.copyPlan(plan.id);
      toasts.ok(t("plans.copied"));
      await router.push({ name: "plan", params: { id: copied.id } });
    } catch (error) {
      toasts.bad(error);
    }
  }

  /** Whether it is gone. */
  async function remove(plan: PlanSummary): Promise<boolean> {
    const sure = await useConfirm().ask({ title: t("plans.deleteTitle"), text: t("plans.deleteText", { title: plan.title }), yes: t("common.delete") });
    if (!sure) return false;
    try {
      await api.deletePlan(plan.id);
      toasts.ok(t("plans.deleted"));
      return true;
    } catch (error) {
      toasts.bad(error);
      return false;
    }
  }

  return { launching, launch, copy, remove };
}
