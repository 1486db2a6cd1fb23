import "@/design/tokens.css";
import "@/design/base.css";
import "@/design/theme";

import { createPinia } from "pinia";
import { createApp } from "vue";

import { whenSignedOut } from "@/api/http";
import { i18n } from "@/i18n";
import { useToasts } from "@/stores/toasts";

import { useCall } from "./call";
import JoinApp from "./JoinApp.vue";
import { useJoin } from "./store";

const app = createApp(JoinApp);
app.use(createPinia());
app.use(i18n);
app.config.errorHandler = (error) => {
  console.error(error);
  useToasts().bad(error);
};

whenSignedOut(() => {
  const call = useCall();
  const join = useJoin();
  if (call.active) call.finish("signed_out");
  else if (join.stage === "ready" || join.stage === "over") void join.begin();
});

app.mount("#app");
