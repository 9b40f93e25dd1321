// Runs before the first paint, so that the page does not flash in another theme. It is a file because
// the content security policy forbids inline scripts.
try {
  const theme = localStorage.getItem("skill-arcade.theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // Local storage is disabled, so the theme of the system is used.
}

// Requests the configuration and the games while the script of the page is still loading. Errors are
// ignored here: the page repeats the requests and reports errors.
const config = fetch("/config.json");
const games =
  location.pathname === "/"
    ? config
        .then((answer) => answer.clone().json())
        .then(async ({ apiUrl, gamesUrl }) => {
          const address = gamesUrl
            ? new URL(gamesUrl, location.origin).href
            : `${new URL(apiUrl ?? location.origin).origin}/games`;
          return {
            address,
            answer: await fetch(address, { headers: { Accept: "application/json" } }),
          };
        })
    : Promise.reject(new Error("not asked"));
config.catch(() => undefined);
games.catch(() => undefined);
globalThis.skillArcadeBootstrap = { config, games };
