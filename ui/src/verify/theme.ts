// Before the first paint. The page follows the system; it keeps nothing, so it has no switch.
const dark = matchMedia("(prefers-color-scheme: dark)");
const apply = (): void => void (document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light");
dark.addEventListener("change", apply);
apply();

export {};
