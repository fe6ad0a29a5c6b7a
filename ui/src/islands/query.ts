// Statements at a database. The first run opens the session, which lasts until the page is left: a beacon says so then, and now and
// then a word says that the page is there. An answer comes in lines of JSON, each shown as it comes; the HTML in them is the server's.
import { onClick } from "../hands";

const HERE_MS = 30_000;

interface Part {
  notice?: string;
  result?: string;
  status?: string;
  query?: string;
  session?: string;
  over?: string;
  refused?: string;
  hint?: string;
}

const STATES: Record<string, [string, string]> = {
  I: ["state-proven", "Connected"],
  T: ["state-due", "In a transaction"],
  E: ["state-finding", "In a failed transaction"],
};

export function mount(host: HTMLElement): void {
  const form = host.querySelector("form");
  const text = host.querySelector("textarea");
  const database = host.querySelector<HTMLInputElement>("input[name=database]");
  if (!form || !text || !database) return;
  const part = (name: string): HTMLElement => host.querySelector<HTMLElement>(`[data-query-${name}]`) ?? document.createElement("p");
  const [over, notices, results, running] = [part("over"), part("notices"), part("results"), part("running")];
  const csrf = host.dataset.csrf ?? "";
  let [query, session, busy] = ["", "", false];
  let asked = { text: "", start: 0 };
  let waits: AbortController | null = null;

  const post = (path: string, body: object, signal?: AbortSignal): Promise<Response> =>
    fetch(`/databases/queries${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json", "x-csrf-token": csrf },
      body: JSON.stringify(body),
      cache: "no-store",
      signal: signal ?? null,
    });

  const show = (status: string): void => {
    const known = query ? STATES[status] : undefined;
    database.readOnly = query !== "";
    part("state").replaceChildren(...(known ? [chip(...known), " ", link(`/sessions/${session}`, "Its session")] : []));
  };
  const ended = (words: string): void => {
    query = "";
    show("");
    over.textContent = words;
    over.hidden = !words;
  };
  const take = (told: Part): void => {
    if (told.notice) notices.insertAdjacentHTML("beforeend", told.notice);
    if (told.result) {
      results.insertAdjacentHTML("beforeend", told.result);
      const button = results.lastElementChild?.querySelector<HTMLElement>("[data-query-csv]");
      if (button) button.hidden = false;
      goToFault(results.lastElementChild, text, asked);
    }
    if (told.query) [query, session] = [told.query, told.session ?? ""];
    if (told.query || told.status) show(told.status ?? "I");
    if (told.over) ended(told.over);
    if (told.refused) ended(told.hint && !told.hint.startsWith("/") ? `${told.refused} ${told.hint}` : told.refused);
  };
  const answered = async (path: string, body: object): Promise<void> => {
    waits = new AbortController();
    const answer = await post(path, body, waits.signal);
    if (answer.status === 401) return ended("Your sign-in has ended. Sign in again.");
    if (!answer.ok || !answer.body) {
      return ended(answer.status === 403 ? "This page has lapsed. Open it again." : "OnePAM cannot do this right now. Try again soon.");
    }
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ; ) {
      const { done, value } = await reader.read();
      const lines = (rest + (value ?? "")).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line) take(JSON.parse(line) as Part);
      if (done) return;
    }
  };
  const works = async (): Promise<void> => {
    if (!query) {
      running.textContent = "Connecting";
      const value = (name: string): string => (form.elements.namedItem(name) as HTMLInputElement).value;
      await answered("", { resource: value("resource"), login: value("login"), database: database.value.trim() });
    }
    running.textContent = "Running";
    if (query) await answered(`/${query}/run`, { text: asked.text });
  };
  const run = async (): Promise<void> => {
    if (busy || form.querySelector("fieldset")?.disabled) return;
    const { selectionStart: from, selectionEnd: to, value } = text;
    asked = from < to ? { text: value.slice(from, to), start: from } : { text: value, start: 0 };
    if (!asked.text.trim()) return text.focus();
    busy = true;
    over.hidden = true;
    notices.replaceChildren();
    results.replaceChildren();
    const began = performance.now();
    const clock = setInterval(() => {
      running.ariaLive = "off"; // nobody hears each second
      running.textContent = `Running for ${Math.floor((performance.now() - began) / 1000)} s`;
    }, 1000);
    part("cancel").hidden = false;
    part("run").ariaDisabled = "true"; // what is disabled loses the focus
    try {
      await works();
    } catch {
      ended("The answer broke off, and the session ended with it. To run again connects anew.");
    }
    clearInterval(clock);
    running.ariaLive = null;
    const many = results.childElementCount;
    running.textContent = many ? `${many} ${many === 1 ? "result" : "results"}` : ""; // why there is none stands below
    if (document.activeElement === part("cancel")) text.focus();
    part("cancel").hidden = true;
    part("run").ariaDisabled = null;
    busy = false;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void run();
  });
  onClick("[data-query-cancel]", () => {
    if (query) void post(`/${query}/cancel`, {}).catch(() => undefined);
    else waits?.abort();
  });
  onClick("[data-query-csv]", (button) => {
    const table = button.closest("section")?.querySelector("table");
    if (table) download(`${session || "result"}.csv`, sheet(table));
  });
  setInterval(() => {
    if (!query || busy) return;
    const here = query;
    void post(`/${here}/alive`, {})
      .then(async (answer) => {
        const told = answer.ok ? ((await answer.json()) as Part) : { over: "Your sign-in has ended. Sign in again." };
        if (query === here && !busy) take(told);
      })
      .catch(() => undefined);
  }, HERE_MS);
  addEventListener("pagehide", () => {
    if (!query) return;
    const word = new FormData();
    word.set("csrf", csrf);
    navigator.sendBeacon(`/databases/queries/${query}/leave`, word);
    ended("The session ended when this page was left. To run again connects anew.");
  });
}

function chip(look: string, word: string): HTMLElement {
  const made = document.createElement("span");
  made.className = `state ${look}`;
  made.textContent = word;
  return made;
}

function link(href: string, word: string): HTMLElement {
  const made = document.createElement("a");
  made.href = href;
  made.textContent = word;
  return made;
}

/** Puts the cursor where the statement is wrong, unless the text was edited meanwhile. */
function goToFault(shown: Element | null, text: HTMLTextAreaElement, asked: { text: string; start: number }): void {
  const place = shown?.querySelector<HTMLElement>("[data-line]");
  if (!place || !text.value.startsWith(asked.text, asked.start)) return;
  const lines = asked.text.split("\n");
  const line = Number(place.dataset.line) - 1;
  const before = lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0);
  const inside = [...(lines[line] ?? "")].slice(0, Number(place.dataset.column) - 1).join("").length; // the server counts letters
  text.setSelectionRange(asked.start + before + inside, asked.start + before + inside);
}

/** What the table shows as CSV (RFC 4180): NULL is nothing, an empty text is `""`, and nothing that a spreadsheet runs. */
function sheet(table: HTMLTableElement): string {
  const cell = (each: HTMLTableCellElement): string => {
    if (each.querySelector(".query-null")) return "";
    const text = (each.querySelector("pre") ?? each).textContent ?? "";
    const number = each.classList.contains("query-number") && /^-?[0-9.]+(e[-+][0-9]+)?$/i.test(text);
    const runs = !number && (/^[\t\r\n]/.test(text) || /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(text));
    return `"${(runs ? "'" : "") + text.replaceAll('"', '""')}"`;
  };
  return `\ufeff${[...table.rows].map((row) => `${[...row.cells].map(cell).join(",")}\r\n`).join("")}`;
}

function download(name: string, text: string): void {
  const made = document.createElement("a");
  made.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  made.download = name;
  made.click();
  setTimeout(() => URL.revokeObjectURL(made.href), 10_000);
}
