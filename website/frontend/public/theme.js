// Before the first paint, so that a chosen theme does not flash: a file of its own, since inline scripts
// would need an exception in a content security policy.
try {
  const theme = localStorage.getItem("skill-arcade.theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off: the system's theme holds.
}
