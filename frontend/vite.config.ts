import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

// There is no index.html: Django serves the page (apps/console/views.py) and reads which files belong to it from the manifest.
export default defineConfig({
  base: "/static/console/",
  plugins: [vue()],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  define: { __VUE_I18N_FULL_INSTALL__: "false", __VUE_I18N_LEGACY_API__: "false" },
  build: {
    outDir: "../apps/console/static/console",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    rollupOptions: { input: ["src/main.ts", "src/join/main.ts"] },
  },
});
