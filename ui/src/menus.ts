// Menus are <details class="dropdown">; the side bar of narrow screens and the theme switch are the only other toggles.
import { onClick } from "./hands";

export function startMenus(): void {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
      if (!menu.contains(event.target as Element)) menu.open = false;
    }
  });
  onClick("[data-toggle]", (toggle) => {
    const shown = document.querySelector(toggle.dataset.toggle ?? "")?.classList.toggle("show") ?? false;
    toggle.setAttribute("aria-expanded", String(shown));
  });
  onClick("button[data-theme]", (theme) => {
    const chosen = theme.dataset.theme ?? "system";
    if (chosen === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", chosen);
    dispatchEvent(new Event("onepam:theme"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
}
