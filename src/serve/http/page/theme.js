// The chosen look, before anything is drawn, so that nothing flashes. What is not chosen follows the system.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("lowtide-theme"); } catch { /* Storage may be forbidden; the system's look is fine then. */ }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
