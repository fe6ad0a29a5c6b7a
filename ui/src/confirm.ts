// A dangerous button opens the <dialog> beside it, which says what will end and asks why. No dialog on a dialog.
export function startConfirm(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const opener = target.closest<HTMLElement>("[data-dialog]");
    if (opener) document.querySelector<HTMLDialogElement>(opener.dataset.dialog ?? "")?.showModal();
    const closer = target.closest("[data-close]");
    if (closer) closer.closest("dialog")?.close();
    if (target instanceof HTMLDialogElement) target.close();
  });
}
