// What waits for somebody, one after another: j/k move, a approves or keeps, r keeps until a day, d denies or removes, n passes on, u undoes the newest approval. Every key posts a form of the page at
// once; until when an approval can be undone the server says (data-undo: milliseconds left), here it is only shown.
import { typing } from "../hands";

const UNDO_MS = 10_000;

export function mount(host: HTMLElement): void {
  const waiting = (): HTMLDetailsElement[] => [...host.querySelectorAll<HTMLDetailsElement>("details[data-item]")];
  const current = (): HTMLDetailsElement | undefined => waiting().find((item) => item.open);
  const move = (by: number): void => {
    const items = waiting();
    const at = items.findIndex((item) => item.open);
    const next = items[Math.min(items.length - 1, Math.max(0, at + by))];
    if (!next) return;
    next.open = true;
    next.querySelector("summary")?.focus();
  };
  const decide = (decision: string): void => {
    const button = current()?.querySelector<HTMLButtonElement>(`form[data-decide] button[value=${decision}]`);
    if (!button?.form || button.form.querySelector("fieldset")?.disabled) return;
    const why = button.form.querySelector<HTMLInputElement>("input[data-why]");
    if (decision !== "deny" && why && !why.value.trim()) why.focus();
    else button.form.requestSubmit(button);
  };

  for (const bar of host.querySelectorAll<HTMLFormElement>("form[data-undo]")) {
    const left = Number(bar.dataset.undo);
    bar.style.setProperty("--gone", `${left - UNDO_MS}ms`);
    bar.classList.add("is-running");
    window.setTimeout(() => bar.remove(), left);
  }
  document.addEventListener("keydown", (event) => {
    if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "a") decide("approve");
    else if (event.key === "d") decide("deny");
    else if (event.key === "r") decide("reduce");
    else if (event.key === "n") decide("pass");
    else if (event.key === "u") host.querySelector<HTMLFormElement>("form[data-undo]")?.requestSubmit();
    else return;
    event.preventDefault();
  });
}
