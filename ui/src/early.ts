// A click may come before the script that answers it. What was clicked last is kept, and taken by whoever answers such
// clicks as soon as it is there (hands.ts). A later click, wherever, is what the reader wants now: it replaces the one before.
declare global {
  interface Window {
    clicked?: EventTarget | null;
  }
}

addEventListener("click", (event) => (window.clicked = event.target), { capture: true });

export {};
