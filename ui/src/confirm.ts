// A dangerous button opens the <dialog> beside it, which says what will end and asks why. No dialog on a dialog.
import { onClick } from "./hands";

export function startConfirm(): void {
  onClick("[data-dialog]", (opener) => document.querySelector<HTMLDialogElement>(opener.dataset.dialog ?? "")?.showModal());
  onClick("[data-close]", (closer) => closer.closest("dialog")?.close());
  document.addEventListener("click", (event) => {
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });
}
