import { createRouter, createWebHistory } from "vue-router";

import { i18n } from "./i18n";
import { useSession } from "./stores/session";

declare module "vue-router" {
  interface RouteMeta {
    /** The key of the page's title. */
    title?: string;
    /** Reached without signing in. */
    open?: boolean;
    /** Without the navigation around it. */
    bare?: boolean;
  }
}

export const router = createRouter({
  history: createWebHistory("/"),
  routes: [
    { path: "/", redirect: { name: "plans" } },
    { path: "/sign-in", name: "sign-in", component: () => import("./pages/SignInPage.vue"), meta: { open: true, bare: true, title: "signIn.title" } },
    { path: "/plans", name: "plans", component: () => import("./pages/PlansPage.vue"), meta: { title: "plans.title" } },
    { path: "/plans/new", name: "plan-new", component: () => import("./pages/PlanPage.vue"), props: { purpose: "create" }, meta: { title: "plan.newTitle" } },
    { path: "/plans/:id", name: "plan", component: () => import("./pages/PlanPage.vue"), props: (to) => ({ id: to.params.id, purpose: "edit" }), meta: { title: "plan.viewTitle" } },
    { path: "/plans/:id/launch", name: "plan-launch", component: () => import("./pages/PlanPage.vue"), props: (to) => ({ id: to.params.id, purpose: "launch" }), meta: { title: "plan.launchTitle" } },
    { path: "/conferences", name: "conferences", component: () => import("./pages/ConferencesPage.vue"), meta: { title: "conferences.title" } },
    { path: "/conferences/new", name: "conference-new", component: () => import("./pages/PlanPage.vue"), props: { purpose: "adHoc" }, meta: { title: "plan.adHocTitle" } },
    { path: "/conferences/:id", name: "conference", component: () => import("./pages/LivePage.vue"), props: true, meta: { title: "live.shareTitle" } },
    { path: "/conferences/:id/recording", name: "recording", component: () => import("./pages/RecordingPage.vue"), props: true, meta: { title: "player.title" } },
    { path: "/conferences/:id/minutes", name: "minutes", component: () => import("./pages/MinutesPage.vue"), props: (to) => ({ id: to.params.id, whisper: to.query.whisper || undefined }), meta: { title: "minutes.title" } },
    { path: "/minutes", name: "minutes-search", component: () => import("./pages/SearchPage.vue"), meta: { title: "minutes.search.title" } },
    { path: "/phone/:id?", name: "phone", component: () => import("./pages/PhonePage.vue"), props: (to) => ({ id: to.params.id || undefined }), meta: { title: "phone.title" } },
    { path: "/:path(.*)*", name: "not-found", component: () => import("./pages/NotFoundPage.vue"), meta: { title: "notFound.title" } },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
});

let asked = false;

router.beforeEach(async (to) => {
  const session = useSession();
  if (!asked) {
    await session.load();
    asked = true;
  }
  if (!to.meta.open && !session.user) return { name: "sign-in", query: to.fullPath === "/plans" ? {} : { next: to.fullPath } };
  if (to.name === "sign-in" && session.user) return { name: "plans" };
  return true;
});

export function setPageTitle(title?: string): void {
  const name = i18n.global.t("app.name");
  document.title = title ? `${title} · ${name}` : name;
}

router.afterEach((to) => setPageTitle(to.meta.title ? i18n.global.t(to.meta.title) : undefined));
