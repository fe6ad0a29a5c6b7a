// Before the first paint, so that a dark reader never sees a white flash.
const dark = matchMedia("(prefers-color-scheme: dark)");

function apply(): void {
  const chosen = localStorage.getItem("theme");
  document.documentElement.dataset.bsTheme = chosen ?? (dark.matches ? "dark" : "light");
  document.documentElement.dataset.themeChoice = chosen ?? "system";
}

dark.addEventListener("change", apply);
addEventListener("storage", apply);
addEventListener("onepam:theme", apply);
apply();

export {};
