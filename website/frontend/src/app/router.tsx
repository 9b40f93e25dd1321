import { createBrowserRouter } from "react-router";

import { Layout } from "./layout";
import { Broken } from "./routes/broken";
import { LibraryRoute } from "./routes/library";
import { NotFound } from "./routes/not-found";
import { SignInRoute } from "./routes/sign-in";
import { YouRoute } from "./routes/you";

export const router = createBrowserRouter([
  {
    errorElement: <Broken />,
    children: [
      {
        element: <Layout />,
        children: [
          {
            errorElement: <Broken />,
            children: [
              { index: true, element: <LibraryRoute /> },
              { path: "you", element: <YouRoute /> },
              {
                path: "research",
                lazy: async () => ({
                  Component: (await import("./routes/research")).ResearchRoute,
                }),
              },
              { path: "sign-in", element: <SignInRoute /> },
              { path: "*", element: <NotFound /> },
            ],
          },
        ],
      },
      {
        path: "play/:gameId",
        lazy: async () => ({ Component: (await import("./routes/play")).PlayRoute }),
        errorElement: <Broken />,
        hydrateFallbackElement: <p className="sr-only">Loading the game…</p>,
      },
    ],
  },
]);
