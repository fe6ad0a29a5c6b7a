// The approvals inbox: j/k move, a approves, d denies, u undoes. A decision waits ten seconds before it is sent, and is
// sent at once when the page goes away, so that closing the tab never loses it. Without script the forms post directly.
import { typing } from "../filter";

const HOLD_MS = 10_000;

interface Held {
  item: HTMLDetailsElement;
  form: HTMLFormElement;
  decision: string;
  timer: number;
}

export function mount(host: HTMLElement): void {
  const bar = host.querySelector<HTMLElement>("[data-undo]");
  let held: Held | null = null;

  const waiting = (): HTMLDetailsElement[] => [...host.querySelectorAll<HTMLDetailsElement>("details[data-item]:not([hidden])")];
  const current = (): HTMLDetailsElement | undefined => waiting().find((item) => item.open);
  const open = (item: HTMLDetailsElement | undefined): void => {
    if (!item) return;
    item.open = true;
    item.querySelector("summary")?.focus();
  };
  const move = (by: number): void => {
    const items = waiting();
    const at = items.findIndex((item) => item.open);
    open(items[Math.min(items.length - 1, Math.max(0, at + by))]);
  };

  const body = (one: Held): FormData => {
    const data = new FormData(one.form);
    data.set("decision", one.decision);
    return data;
  };
  const send = async (): Promise<void> => {
    const one = held;
    if (!one) return;
    clearTimeout(one.timer);
    held = null;
    if (bar) bar.hidden = true;
    const answer = await fetch(one.form.action, { method: "POST", body: body(one), keepalive: true });
    // Accepted = the inbox again. A redirect elsewhere asks for a fresh factor first.
    if (answer.ok && (!answer.redirected || new URL(answer.url).pathname === location.pathname)) {
      count(host);
      return;
    }
    // Refused (changed meanwhile, fresh factor needed): the form itself is posted, so that the answer is shown as a page.
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "decision";
    field.value = one.decision;
    one.form.append(field);
    HTMLFormElement.prototype.submit.call(one.form);
  };
  const undo = (): void => {
    if (!held) return;
    clearTimeout(held.timer);
    held.item.hidden = false;
    open(held.item);
    held = null;
    if (bar) bar.hidden = true;
    count(host);
  };
  const decide = (form: HTMLFormElement, decision: string): void => {
    void send();
    const item = form.closest<HTMLDetailsElement>("details[data-item]");
    if (!item) return;
    const items = waiting();
    const next = items[items.indexOf(item) + 1] ?? items[items.indexOf(item) - 1];
    item.open = false;
    item.hidden = true;
    held = { item, form, decision, timer: window.setTimeout(() => void send(), HOLD_MS) };
    if (bar) {
      const words = bar.querySelector("[data-undo-words]");
      if (words) words.textContent = `${decision === "approve" ? "Approving" : "Denying"}: ${item.dataset.item ?? ""}`;
      bar.hidden = false;
      bar.classList.remove("is-running");
      void bar.offsetWidth; // restarts the ten-second line
      bar.classList.add("is-running");
    }
    count(host);
    open(next);
  };

  host.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    const button = event.submitter as HTMLButtonElement | null;
    if (!form.matches("[data-decide]") || button?.name !== "decision") return;
    event.preventDefault();
    decide(form, button.value);
  });
  host.addEventListener("click", (event) => {
    if ((event.target as Element).closest("[data-undo-button]")) undo();
  });
  document.addEventListener("keydown", (event) => {
    if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "u") undo();
    else if (event.key === "a" || event.key === "d") {
      const form = current()?.querySelector<HTMLFormElement>("form[data-decide]");
      if (!form || form.querySelector("fieldset")?.disabled) return;
      form.requestSubmit(form.querySelector<HTMLButtonElement>(`button[value=${event.key === "a" ? "approve" : "deny"}]`));
    } else return;
    event.preventDefault();
  });
  addEventListener("pagehide", () => void send());
}

function count(host: HTMLElement): void {
  const left = host.querySelectorAll("details[data-item]:not([hidden])").length;
  for (const place of document.querySelectorAll("[data-waiting]")) place.textContent = left ? String(left) : "";
  host.classList.toggle("is-done", left === 0);
}
