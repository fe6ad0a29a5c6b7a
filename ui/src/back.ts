// A link back to a list leads to where one was in it: its filters and page, as this tab last saw them. Only the query is kept,
// so the link never leads to another place than its own; outside of a sign-in nothing is kept.
const KEY = "onepam.lists";

export function startBack(): void {
  const bar = document.querySelector("#sidebar");
  if (!bar) {
    keep({});
    return;
  }
  for (const link of document.querySelectorAll<HTMLAnchorElement>("a.back")) lead(link, kept());
  // What htmx put into the address while the page stood is in it by now.
  addEventListener("pagehide", () => {
    const here = bar.querySelector<HTMLAnchorElement>(".nav-link[aria-current]");
    if (here?.pathname === location.pathname) keep({ ...kept(), [location.pathname]: location.search });
  });
}

function lead(link: HTMLAnchorElement, lists: Record<string, string>): void {
  const was = new URLSearchParams(lists[link.pathname] ?? "");
  was.delete("as_of");
  for (const [name, value] of new URLSearchParams(link.search)) was.set(name, value);
  if (was.size > 0) link.setAttribute("href", `${link.pathname}?${was.toString()}`);
}

function kept(): Record<string, string> {
  try {
    return (JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Record<string, string> | null) ?? {};
  } catch {
    return {};
  }
}

function keep(lists: Record<string, string>): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(lists));
  } catch {
    // A tab that keeps nothing (full, or forbidden): links back lead to the list's beginning.
  }
}
