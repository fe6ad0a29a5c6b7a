// Menus are <details class="dropdown">; the side bar of narrow screens and the theme switch are the only other toggles.
export function startMenus(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
      if (!menu.contains(target)) menu.open = false;
    }
    const toggle = target.closest<HTMLElement>("[data-toggle]");
    if (toggle) {
      const shown = document.querySelector(toggle.dataset.toggle ?? "")?.classList.toggle("show") ?? false;
      toggle.setAttribute("aria-expanded", String(shown));
    }
    const theme = target.closest<HTMLElement>("[data-theme]");
    if (theme) {
      const chosen = theme.dataset.theme ?? "system";
      if (chosen === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", chosen);
      dispatchEvent(new Event("onepam:theme"));
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
}
