// How much waits for the reader, and how many changes of it, kept true in the open page: one small request a while, none while nobody looks, fewer
// where there is no answer, no more once the sign-in has ended. The number stands in the side bar and in the title.
const EVERY_MS = 20_000;
const MOST_MS = 320_000;

export function startWaiting(): void {
  const badge = document.querySelector<HTMLElement>("[data-waiting]");
  if (!badge || document.documentElement.dataset.asOf) return;
  const title = document.title.replace(/^\(\d+\) /, "");
  const begun = badge.textContent.trim();
  let pause = EVERY_MS;
  let timer = 0;
  let asking = false;

  const changed = document.querySelector<HTMLElement>("[data-changes]");
  const show = ({ waiting, changes }: { waiting: number; changes: number }): void => {
    const said = waiting ? String(waiting) : "";
    if (changed) changed.textContent = changes ? String(changes) : "";
    if (badge.textContent.trim() === said) return;
    badge.textContent = said;
    document.title = waiting ? `(${said}) ${title}` : title;
    for (const news of document.querySelectorAll<HTMLElement>("[data-news]")) news.hidden = said === begun;
  };
  /** Whether to ask again. */
  const ask = async (): Promise<boolean> => {
    try {
      const answer = await fetch("/waiting", { headers: { accept: "application/json" } });
      if (answer.status === 401 || answer.status === 403) return false;
      if (!answer.ok) throw new Error(`${answer.status}`);
      show((await answer.json()) as { waiting: number; changes: number });
      pause = EVERY_MS;
    } catch {
      pause = Math.min(MOST_MS, pause * 2);
    }
    return true;
  };
  const turn = async (): Promise<void> => {
    if (asking || document.hidden) return;
    asking = true;
    const again = await ask();
    asking = false;
    if (again) wait();
    else document.removeEventListener("visibilitychange", looked);
  };
  const wait = (): void => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void turn(), pause);
  };
  const looked = (): void => {
    clearTimeout(timer);
    void turn();
  };
  document.addEventListener("visibilitychange", looked);
  wait();
}
