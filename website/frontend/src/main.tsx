import "@/app/style.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "@/app/app";
import { getEnv } from "@/config/env";

const element = document.getElementById("root");
if (element === null) throw new Error("index.html has no #root.");
const root = createRoot(element);

try {
  getEnv();
  root.render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
} catch (error) {
  if (!(error instanceof Error)) throw error;
  root.render(<p role="alert">This page was built with a wrong setting. {error.message}</p>);
}
