// "/" goes to the search of the page's list.
import { typing } from "./hands";

export function startSearch(): void {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || typing(event.target)) return;
    const input = document.querySelector<HTMLInputElement>("input[data-main-search]");
    if (!input) return;
    event.preventDefault();
    input.focus();
  });
}
