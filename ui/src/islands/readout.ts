// The role matrix and a person's lanes: what is pointed at or focused is told in words below, and its row and column light up.
export function mount(host: HTMLElement): void {
  const readout = host.querySelector<HTMLElement>("[data-readout]");
  const rest = readout?.textContent ?? "";

  const point = (element: Element | null): void => {
    const cell = element?.closest<HTMLElement | SVGElement>("[data-says]") ?? null;
    if (readout) readout.textContent = cell?.dataset.says ?? rest;
    for (const lit of host.querySelectorAll(".is-lit")) lit.classList.remove("is-lit");
    const { row, column } = cell?.dataset ?? {};
    if (row) for (const one of host.querySelectorAll(`[data-row="${CSS.escape(row)}"]`)) one.classList.add("is-lit");
    if (column) for (const one of host.querySelectorAll(`[data-column="${CSS.escape(column)}"]`)) one.classList.add("is-lit");
  };
  host.addEventListener("pointerover", (event) => point(event.target as Element));
  host.addEventListener("pointerleave", () => point(null));
  host.addEventListener("focusin", (event) => point(event.target as Element));
  host.addEventListener("focusout", () => point(null));
}
