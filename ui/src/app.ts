import "./app.css";
import htmx from "htmx.org";
import { startBack } from "./back";
import { startConfirm } from "./confirm";
import { startCopy } from "./copy";
import { hearEarly } from "./fields";
import { startMenus } from "./menus";
import { startPalette } from "./palette";
import { startSearch } from "./search";
import { startTime } from "./time";
import { startTyped } from "./typed";
import { startWaiting } from "./waiting";

// Islands load only on pages that hold one.
const islands: Record<string, () => Promise<{ mount: (host: HTMLElement) => void }>> = {
  editor: () => import("./islands/editor"),
  go: () => import("./islands/go"),
  inbox: () => import("./islands/inbox"),
  lanes: () => import("./islands/readout"),
  matrix: () => import("./islands/readout"),
  passkey: () => import("./islands/passkey"),
  player: () => import("./islands/player"),
  query: () => import("./islands/query"),
};

function mountIslands(root: ParentNode): void {
  for (const host of root.querySelectorAll<HTMLElement>("[data-island]:not([data-mounted])")) {
    host.dataset.mounted = "no";
    void islands[host.dataset.island ?? ""]?.().then((island) => {
      island.mount(host);
      host.dataset.mounted = "yes";
    });
  }
}

startMenus();
startBack();
startCopy();
startConfirm();
startPalette();
startSearch();
startTime();
startTyped();
startWaiting();
mountIslands(document);

htmx.onLoad((element) => {
  if (!(element instanceof HTMLElement)) return;
  mountIslands(element);
  hearEarly(element);
});
