import "@/app/style.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { syncWithAccount } from "@/api/preferences";
import { App } from "@/app/app";
import { loadEnv } from "@/config/env";
import { i18n } from "@/lib/i18n";
import { activateWantedLanguage } from "@/lib/language";
import { getRefreshRate } from "@/play/remote/refresh-rate";

const element = document.getElementById("root");
if (element === null) throw new Error("index.html has no #root.");
const root = createRoot(element);

Promise.all([loadEnv(), activateWantedLanguage()]).then(
  () => {
    syncWithAccount();
    void getRefreshRate();
    root.render(
      <StrictMode>
        <App />
      </StrictMode>,
    );
  },
  (error: unknown) => {
    if (!(error instanceof Error)) throw error;
    root.render(
      <p role="alert">
        {i18n._("Cannot load the configuration.")} {error.message}
      </p>,
    );
  },
);
