// What the reader's hands do. Clicks on buttons that do nothing by themselves are answered in this one way: a click that came
// before the script counts, too.

/** Answers every click on what matches, wherever in the page, now and later; and the last click, if it still waits for its answer. */
export function onClick(selector: string, answer: (clicked: HTMLElement) => void): void {
  const found = (target: EventTarget | null | undefined): HTMLElement | null =>
    target instanceof Element && target.isConnected ? target.closest<HTMLElement>(selector) : null;

  document.addEventListener("click", (event) => {
    const clicked = found(event.target);
    if (!clicked) return;
    event.preventDefault();
    window.clicked = null;
    answer(clicked);
  });
  const early = found(window.clicked);
  if (!early) return;
  window.clicked = null;
  answer(early);
}

/** Whether a key pressed here is text, not a command. */
export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
