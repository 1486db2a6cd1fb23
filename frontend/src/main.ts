import "./design/tokens.css";
import "./design/base.css";
import "./design/theme";

import { createPinia } from "pinia";
import { createApp } from "vue";

import { whenSignedOut } from "./api/http";
import App from "./App.vue";
import { i18n } from "./i18n";
import { router } from "./router";
import { useSession } from "./stores/session";
import { useToasts } from "./stores/toasts";

const app = createApp(App);
app.use(createPinia());
app.use(i18n);
app.use(router);
app.config.errorHandler = (error) => {
  console.error(error);
  useToasts().bad(error);
};

whenSignedOut(() => {
  useSession().lost();
  const at = router.currentRoute.value;
  if (at.name !== "sign-in") void router.push({ name: "sign-in", query: { next: at.fullPath } });
});

app.mount("#app");
