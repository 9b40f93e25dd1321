import { createBrowserRouter } from "react-router";

import { LoadingPage } from "@/components/page-state";

import { Layout } from "./layout";
import { ErrorPage } from "./routes/error-page";
import { LibraryRoute } from "./routes/library";
import { NotFound } from "./routes/not-found";

export const router = createBrowserRouter([
  {
    errorElement: <ErrorPage />,
    hydrateFallbackElement: <LoadingPage />,
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
                path: "boards",
                lazy: async () => ({ Component: (await import("./routes/boards")).BoardsRoute }),
              },
              {
                path: "boards/:gameId",
                lazy: async () => ({ Component: (await import("./routes/board")).BoardRoute }),
              },
              {
                path: "daily",
                lazy: async () => ({ Component: (await import("./routes/daily")).DailyRoute }),
              },
              {
                path: "research",
                lazy: async () => ({
                  Component: (await import("./routes/research")).ResearchRoute,
                }),
              },
              {
                path: "consent",
                lazy: async () => ({ Component: (await import("./routes/consent")).ConsentRoute }),
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
        path: "replay/:episodeId",
        lazy: async () => ({ Component: (await import("./routes/replay")).ReplayRoute }),
        errorElement: <ErrorPage />,
      },
      {
        path: "study/:name",
        lazy: async () => ({ Component: (await import("./routes/study")).StudyRoute }),
        errorElement: <ErrorPage />,
      },
      {
        path: "judge/:name",
        lazy: async () => ({ Component: (await import("./routes/judge")).JudgeRoute }),
        errorElement: <ErrorPage />,
      },
      {
        path: "watch",
        lazy: async () => ({ Component: (await import("./routes/watch")).WatchRoute }),
        errorElement: <ErrorPage />,
      },
      {
        path: "play/:gameId",
        lazy: async () => ({ Component: (await import("./routes/play")).PlayRoute }),
        errorElement: <ErrorPage />,
      },
    ],
  },
]);
