// <button data-copy="text"> or <button data-copy-from="#id">: copies, and says so for two seconds.
import { onClick } from "./hands";

export function startCopy(): void {
  onClick("[data-copy], [data-copy-from]", (button) => {
    const source = button.dataset.copyFrom ? document.querySelector(button.dataset.copyFrom) : null;
    const text = button.dataset.copy ?? source?.textContent ?? "";
    void navigator.clipboard.writeText(text).then(() => said(button, "Copied"), () => said(button, "Press Ctrl C"));
  });
}

function said(button: HTMLElement, words: string): void {
  const label = button.querySelector<HTMLElement>("[data-label]") ?? button;
  const before = (label.dataset.before ??= label.textContent ?? "");
  label.textContent = words;
  button.classList.add("is-copied");
  setTimeout(() => {
    label.textContent = before;
    button.classList.remove("is-copied");
  }, 2000);
}
