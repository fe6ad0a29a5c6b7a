// What was typed into a form outlives a refusal and a second factor on the way: on the next page the same form has it again,
// its dialog open, and what was wrong beside it. It is kept in this tab, for that one page; never a secret.
interface Typed {
  action: string;
  /** Hidden fields: which of several forms of one action it was. */
  of: Record<string, string>;
  fields: Record<string, string>;
  /** Whether a second factor was asked for since. */
  through: boolean;
}

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const KEY = "onepam.typed";
const MOST_CHARACTERS = 65_536;
const KEPT_INPUTS = /^(text|email|number|search|url|tel|checkbox|radio)$/;

export function startTyped(): void {
  const typed = taken();
  if (steppingUp()) {
    if (typed) keep({ ...typed, through: true });
    return;
  }
  if (typed) giveBack(typed);
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form instanceof HTMLFormElement && isPosted(form)) keep(read(form));
  });
}

function steppingUp(): boolean {
  return location.pathname.startsWith("/step-up");
}

function isPosted(form: HTMLFormElement): boolean {
  return form.method === "post";
}

function read(form: HTMLFormElement): Typed {
  const fields: Record<string, string> = {};
  for (const field of fieldsOf(form)) {
    if (isChoice(field)) fields[nameOf(field)] = field.checked ? "yes" : "";
    else fields[nameOf(field)] = field.value;
  }
  return { action: form.action, of: hidden(form), fields, through: false };
}

function giveBack(typed: Typed): void {
  const refusal = document.querySelector<HTMLElement>(".alert-danger[role=alert]");
  if (!typed.through && !refusal && !document.querySelector(".invalid-feedback")) return;
  const form = [...document.forms].find((each) => isPosted(each) && each.action === typed.action && isThat(hidden(each), typed.of));
  if (!form) return;
  for (const field of fieldsOf(form)) {
    const value = typed.fields[nameOf(field)];
    if (value === undefined) continue;
    if (isChoice(field)) field.checked = value === "yes";
    else field.value = value;
  }
  const dialog = form.closest("dialog"), fold = form.closest("details");
  if (fold) fold.open = true;
  if (refusal && dialog) dialog.querySelector("h2")?.after(refusal);
  if (!refusal && typed.through) form.querySelector("button:not([type=button])")?.before(once());
  dialog?.showModal();
}

function once(): HTMLElement {
  const said = document.createElement("p");
  said.className = "text-secondary";
  said.setAttribute("role", "status");
  said.textContent = "Your second factor was shown. Nothing was sent yet: press once more.";
  return said;
}

function fieldsOf(form: HTMLFormElement): Field[] {
  return [...form.elements].filter((each): each is Field => {
    if (!(each instanceof HTMLInputElement || each instanceof HTMLTextAreaElement || each instanceof HTMLSelectElement)) return false;
    if (!each.name || each.matches(".code-field, [autocomplete=one-time-code]")) return false; // codes of apps, terminals, recovery
    return !(each instanceof HTMLInputElement) || KEPT_INPUTS.test(each.type);
  });
}

function isChoice(field: Field): field is HTMLInputElement {
  return field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio");
}

function nameOf(field: Field): string {
  return isChoice(field) ? `${field.name}=${field.value}` : field.name;
}

function hidden(form: HTMLFormElement): Record<string, string> {
  const found = [...form.querySelectorAll<HTMLInputElement>("input[type=hidden]")].filter((each) => each.name !== "csrf");
  return Object.fromEntries(found.map((each) => [each.name, each.value]));
}

function isThat(one: Record<string, string>, other: Record<string, string>): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

function keep(typed: Typed): void {
  const text = JSON.stringify(typed);
  try {
    if (text.length <= MOST_CHARACTERS) sessionStorage.setItem(KEY, text);
  } catch {
    // A tab that keeps nothing (full, or forbidden): the form comes back empty.
  }
}

function taken(): Typed | null {
  try {
    const text = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    return text ? (JSON.parse(text) as Typed) : null;
  } catch {
    return null;
  }
}
