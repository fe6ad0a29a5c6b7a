// <button data-copy="text"> or <button data-copy-from="#id">: copies, and says so for two seconds.
export function startCopy(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-copy], [data-copy-from]");
    if (!button) return;
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
