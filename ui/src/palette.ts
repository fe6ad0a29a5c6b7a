// Ctrl-K: finds people, resources, sessions and pages. GET /find?q= -> {"results": [{kind, title, detail, href, icon}]}.
import { onClick } from "./hands";

interface Found {
  kind: string;
  title: string;
  detail: string;
  href: string;
  icon: string;
}

export function startPalette(): void {
  const dialog = document.querySelector<HTMLDialogElement>("#palette");
  const input = dialog?.querySelector<HTMLInputElement>("input");
  const list = dialog?.querySelector<HTMLElement>("[role=listbox]");
  const template = dialog?.querySelector<HTMLTemplateElement>("template");
  if (!dialog || !input || !list || !template) return;
  let asked = 0;
  let answered = ""; // the words that the list answers
  let chosen = ""; // the address moved to by hand: a late answer does not take it away

  const show = (results: Found[]): void => {
    const at = Math.max(0, results.findIndex((found) => found.href === chosen));
    list.replaceChildren(...results.map((found, index) => option(template, found, `palette-${index}`, index === at)));
    say();
    dialog.classList.toggle("is-empty", results.length === 0 && input.value.trim() !== "");
  };
  /** Tells a screen reader which one is chosen: the focus stays in the field. */
  const say = (): void => {
    const now = list.querySelector("[aria-selected=true]");
    if (now) input.setAttribute("aria-activedescendant", now.id);
    else input.removeAttribute("aria-activedescendant");
  };
  const ask = async (): Promise<void> => {
    const mine = ++asked;
    const words = input.value;
    const answer = await fetch(`${dialog.dataset.find ?? "/find"}?q=${encodeURIComponent(words)}`, {
      headers: { accept: "application/json" },
    });
    if (!answer.ok) return;
    const { results } = (await answer.json()) as { results: Found[] };
    if (mine !== asked) return;
    answered = words; // with its list, in one step: Enter opens nothing of the list before
    show(results);
  };
  const open = (): void => {
    dialog.showModal();
    input.select();
    void ask();
  };
  const move = (by: number): void => {
    const options = [...list.querySelectorAll<HTMLElement>("[role=option]")];
    const now = options.findIndex((one) => one.ariaSelected === "true");
    const next = options[(now + by + options.length) % options.length];
    options.forEach((one) => (one.ariaSelected = String(one === next)));
    chosen = next?.getAttribute("href") ?? "";
    next?.scrollIntoView({ block: "nearest" });
    say();
  };
  const go = async (): Promise<void> => {
    clearTimeout(waiting);
    if (answered !== input.value) await ask();
    if (answered !== input.value) return; // never opens the answer to other words than were typed
    list.querySelector<HTMLAnchorElement>("[aria-selected=true]")?.click();
  };

  let waiting = 0;
  input.addEventListener("input", () => {
    chosen = "";
    clearTimeout(waiting);
    waiting = window.setTimeout(() => void ask(), 80);
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Enter") void go();
    else return;
    event.preventDefault();
  });
  onClick("[data-palette]", open);
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (!dialog.open) open();
    }
  });
}

function option(template: HTMLTemplateElement, found: Found, id: string, first: boolean): Node {
  const item = template.content.cloneNode(true) as DocumentFragment;
  const link = item.querySelector("a");
  if (link) {
    // Only paths of this console: a stored title or address can never become a script or a foreign page.
    link.href = found.href.startsWith("/") && !found.href.startsWith("//") ? found.href : "#";
    link.id = id;
    link.ariaSelected = String(first);
  }
  for (const part of ["kind", "title", "detail"] as const) {
    const place = item.querySelector(`[data-part=${part}]`);
    if (place) place.textContent = found[part];
  }
  return item;
}
