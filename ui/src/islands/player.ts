// The page's half of the player. The recording is fetched here (with the reader's cookies) and handed to the sandboxed
// frame, whose origin is opaque: it can neither read the console nor ask it for anything.
// To the frame: {type: "load", data, markers, poster, idle, speed} | {type: "seek", at}.
// From it: ready | loaded | time | alive | ended | tamed | failed.
// Whatever cannot be shown is said, with the way to the recording as it is: also when the frame has stopped answering.
import { onClick } from "../hands";

const SILENT_MILLISECONDS = 10_000;

export function mount(host: HTMLElement): void {
  const frame = host.querySelector("iframe");
  const said = host.querySelector<HTMLElement>("[data-said]");
  if (!frame) return;
  const jumps = [...document.querySelectorAll<HTMLElement>("[data-seek]")];
  let ready = false;
  let heard = Infinity;
  let silent = false;
  let lasting = "";
  let loaded = false;
  let wanted: number | null = null; // a jump asked for before there was something to jump in

  const post = (message: unknown): void => frame.contentWindow?.postMessage(message, "*");
  const say = (words: string): void => {
    if (!said || (!said.hidden && said.textContent?.startsWith(words))) return;
    const raw = document.createElement("a");
    raw.href = `${host.dataset.recording ?? ""}?download=1`;
    raw.download = "";
    raw.textContent = "Take the recording as it is.";
    said.replaceChildren(`${words} `, raw);
    said.hidden = false;
  };
  const sayOfRecording = (words: string): void => {
    lasting = words;
    say(words);
  };
  // Read where they stand: they may have been changed before there was a player.
  const idle = (): number => (host.querySelector<HTMLInputElement>("[name=idle]")?.checked === false ? 0 : 2);
  const speed = (): number => Number(host.querySelector<HTMLSelectElement>("[name=speed]")?.value ?? 1);
  const load = async (): Promise<void> => {
    const answer = await fetch(host.dataset.recording ?? "");
    if (!answer.ok) return sayOfRecording(`The recording could not be opened (${answer.status}).`);
    const middle = jumps[Math.floor(jumps.length * 0.6)];
    const markers = jumps.map((jump) => [Number(jump.dataset.seek), jump.dataset.label ?? ""]);
    post({
      type: "load",
      data: await answer.text(),
      markers,
      poster: Math.max(0.1, Number(middle?.dataset.seek ?? 0)),
      idle: idle(),
      speed: speed(),
    });
  };
  const follow = (at: number): void => {
    let last: HTMLElement | null = null;
    for (const jump of jumps) if (Number(jump.dataset.seek) <= at + 0.05) last = jump;
    for (const jump of jumps) jump.classList.toggle("is-now", jump === last);
  };

  addEventListener("message", (event: MessageEvent<{ type?: string; at?: number; ratio?: number; words?: string }>) => {
    if (event.source !== frame.contentWindow) return;
    heard = Date.now();
    if (silent) {
      silent = false;
      if (lasting) say(lasting);
      else if (said) said.hidden = true;
    }
    if (event.data.type === "ready" && !ready) {
      ready = true;
      void load();
    } else if (event.data.type === "loaded") {
      const ratio = Math.min(2.4, Math.max(1.1, Number(event.data.ratio) || 1.6));
      if (frame.parentElement) frame.parentElement.style.aspectRatio = String(ratio);
      loaded = true;
      if (wanted !== null) post({ type: "seek", at: wanted });
      wanted = null;
    }
    else if (event.data.type === "time") follow(event.data.at ?? 0);
    else if (event.data.type === "tamed") sayOfRecording(`Not all is shown as it was recorded. ${event.data.words ?? ""}`);
    else if (event.data.type === "failed") sayOfRecording(`The recording could not be played: ${event.data.words ?? ""}`);
  });
  onClick("[data-seek]", (jump) => {
    if (loaded) post({ type: "seek", at: Number(jump.dataset.seek) });
    else wanted = Number(jump.dataset.seek);
  });
  host.addEventListener("change", () => post({ type: "again", speed: speed(), idle: idle() }));
  setInterval(() => {
    silent ||= Date.now() - heard > SILENT_MILLISECONDS;
    if (silent) say("The player has stopped answering.");
  }, 1000);
  post({ type: "hello" });
}
