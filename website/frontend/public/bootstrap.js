// Before the first paint, so that a chosen theme does not flash: a file of its own, since inline scripts
// would need an exception in a content security policy.
try {
  const theme = localStorage.getItem("skill-arcade.theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // Local storage is disabled, so the theme of the system is used.
}

// What the page wants to know first is asked for while its own script is still on the way. An answer that does
// not come is no matter here: the page asks again, and says what is wrong.
const config = fetch("/config.json");
const games =
  location.pathname === "/"
    ? config
        .then((answer) => answer.clone().json())
        .then(async ({ apiUrl }) => {
          const address = `${new URL(apiUrl ?? location.origin).origin}/games`;
          return {
            address,
            answer: await fetch(address, { headers: { Accept: "application/json" } }),
          };
        })
    : Promise.reject(new Error("not asked"));
config.catch(() => undefined);
games.catch(() => undefined);
globalThis.skillArcadeBootstrap = { config, games };
