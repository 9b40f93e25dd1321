import { createBrowserRouter } from "react-router";

import { Layout } from "./layout";
import { ErrorPage } from "./routes/error-page";
import { LibraryRoute } from "./routes/library";
import { NotFound } from "./routes/not-found";

export const router = createBrowserRouter([
  {
    errorElement: <ErrorPage />,
    hydrateFallbackElement: (
      <p role="status" className="grid h-dvh place-items-center text-lg text-dim">
        Loading…
      </p>
    ),
    children: [
      {
        element: <Layout />,
        children: [
          {
            errorElement: <ErrorPage />,
            children: [
              { index: true, element: <LibraryRoute /> },
              {
                path: "you",
                lazy: async () => ({ Component: (await import("./routes/account")).AccountRoute }),
              },
              {
                path: "research",
                lazy: async () => ({
                  Component: (await import("./routes/research")).ResearchRoute,
                }),
              },
              {
                path: "sign-in",
                lazy: async () => ({ Component: (await import("./routes/sign-in")).SignInRoute }),
              },
              { path: "*", element: <NotFound /> },
            ],
          },
        ],
      },
      {
        path: "play/:gameId",
        lazy: async () => ({ Component: (await import("./routes/play")).PlayRoute }),
        errorElement: <ErrorPage />,
      },
    ],
  },
]);
