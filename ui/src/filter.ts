// Lists that are already whole on the page: <input data-filter="#list"> hides what does not match; "/" goes to it.
export function startFilter(): void {
  document.addEventListener("input", (event) => {
    const input = event.target as HTMLInputElement;
    const list = input.dataset?.filter ? document.querySelector(input.dataset.filter) : null;
    if (!list) return;
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of list.querySelectorAll<HTMLElement>("[data-text]")) {
      const text = (item.dataset.text ?? "").toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      if (!item.hidden) shown += 1;
    }
    list.classList.toggle("is-empty", shown === 0);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || typing(event.target)) return;
    const input = document.querySelector<HTMLInputElement>("input[data-filter], input[data-main-search]");
    if (!input) return;
    event.preventDefault();
    input.focus();
  });
}

/** Whether a key pressed here is text, not a command. */
export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
