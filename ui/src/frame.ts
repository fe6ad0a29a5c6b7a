// Inside the sandboxed frame: plays what it is handed. No network, no storage, no cookies, no parent but for messages.
import "asciinema-player/dist/bundle/asciinema-player.css";
import "./frame.css";
import { create, type Player } from "asciinema-player";
import { squeeze, type Squeeze } from "./squeeze";
import { tame } from "./tame";

interface Load {
  data: string;
  poster: number;
  markers: [at: number, label: string][];
  idle: number;
  speed: number;
}

const place = document.querySelector<HTMLElement>("#player");
let loaded: Load | null = null;
let player: Player | null = null;
let times: Squeeze | null = null;

const post = (message: unknown): void => parent.postMessage(message, "*");

/** `startAt` is in the recording's own time, as everything the page says. */
function show(startAt: number, playing: boolean): void {
  if (!place || !loaded) return;
  player?.dispose();
  const { played } = (times = squeeze(loaded.data, loaded.idle));
  player = create({ data: loaded.data, parser: "asciicast" }, place, {
    fit: "both",
    theme: "asciinema",
    idleTimeLimit: loaded.idle || undefined,
    speed: loaded.speed,
    markers: loaded.markers.map(([at, label]) => [played(at), label]),
    startAt,
    preload: true,
    autoPlay: playing,
    controls: true,
    poster: `npt:${played(startAt || loaded.poster)}`,
    terminalFontFamily: "ui-monospace, 'JetBrains Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  });
  player.addEventListener("ended", () => post({ type: "ended" }));
}

/** Tells the page how wide the player would be for its height, so that its place has no empty margins. */
function shape(): void {
  const terminal = place?.querySelector(".ap-player");
  if (terminal?.clientWidth) post({ type: "loaded", ratio: terminal.clientWidth / terminal.clientHeight });
}

addEventListener("message", (event: MessageEvent<{ type?: string; at?: number } & Partial<Load>>) => {
  if (event.source !== parent) return;
  const { type, at } = event.data;
  if (type === "hello") post({ type: "ready" });
  else if (type === "load") {
    const { data = "", markers = [], idle = 2, speed = 1, poster = 0.1 } = event.data;
    try {
      const tamed = tame(data);
      loaded = { data: tamed.data, markers, idle, speed, poster };
      if (tamed.said.length) post({ type: "tamed", words: tamed.said.join(" ") });
      show(0, false);
      new ResizeObserver(shape).observe(document.body);
      setTimeout(shape, 100);
      setTimeout(shape, 600);
    } catch (error) {
      post({ type: "failed", words: error instanceof Error ? error.message : String(error) });
    }
  } else if (type === "seek" && player) {
    void player.seek(times?.played(at ?? 0) ?? 0).then(() => player?.play());
  } else if (type === "again" && loaded) {
    const now = times?.recorded(player?.getCurrentTime() ?? 0) ?? 0;
    loaded = { ...loaded, idle: event.data.idle ?? loaded.idle, speed: event.data.speed ?? loaded.speed };
    show(now, true);
  }
});

setInterval(() => {
  if (player && times) post({ type: "time", at: times.recorded(player.getCurrentTime()) });
  else post({ type: "alive" });
}, 250);
addEventListener("error", (event) => post({ type: "failed", words: event.message }));
addEventListener("unhandledrejection", (event) => post({ type: "failed", words: String(event.reason) }));
post({ type: "ready" });
