// Inside the sandboxed frame: plays what it is handed. No network, no storage, no cookies, no parent but for messages.
import "asciinema-player/dist/bundle/asciinema-player.css";
import "./frame.css";
import { create, type Marker, type Player } from "asciinema-player";

interface Load {
  data: string;
  markers: Marker[];
  idle: number;
  speed: number;
}

const place = document.querySelector<HTMLElement>("#player");
let loaded: Load | null = null;
let player: Player | null = null;

const post = (message: unknown): void => parent.postMessage(message, "*");

function show(startAt: number, playing: boolean): void {
  if (!place || !loaded) return;
  player?.dispose();
  player = create({ data: loaded.data, parser: "asciicast" }, place, {
    fit: "both",
    theme: "asciinema",
    idleTimeLimit: loaded.idle || undefined,
    speed: loaded.speed,
    markers: loaded.markers,
    startAt,
    preload: true,
    autoPlay: playing,
    controls: true,
    poster: `npt:${Math.max(startAt, 0.1)}`,
    terminalFontFamily: "ui-monospace, 'JetBrains Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  });
  player.addEventListener("ended", () => post({ type: "ended" }));
}

addEventListener("message", (event: MessageEvent<{ type?: string; at?: number } & Partial<Load>>) => {
  if (event.source !== parent) return;
  const { type, at } = event.data;
  if (type === "hello") post({ type: "ready" });
  else if (type === "load") {
    const { data = "", markers = [], idle = 2, speed = 1 } = event.data;
    loaded = { data, markers, idle, speed };
    try {
      show(0, false);
      post({ type: "loaded" });
    } catch (error) {
      post({ type: "failed", words: error instanceof Error ? error.message : String(error) });
    }
  } else if (type === "seek" && player) {
    void player.seek(at ?? 0).then(() => player?.play());
  } else if (type === "again" && loaded) {
    const now = player?.getCurrentTime() ?? 0;
    loaded = { ...loaded, idle: event.data.idle ?? loaded.idle, speed: event.data.speed ?? loaded.speed };
    show(now, true);
  }
});

setInterval(() => {
  if (player) post({ type: "time", at: player.getCurrentTime() });
}, 250);
post({ type: "ready" });
