// The text of access.yaml with the numbers of its lines, and each problem beside the line that it is in.
// The problems are list items with data-line and data-column; without script they are read above the text.
import { onClick } from "../hands";

export function mount(host: HTMLElement): void {
  const text = host.querySelector("textarea");
  if (!text) return;
  const gutter = document.createElement("div");
  gutter.className = "editor-lines";
  gutter.setAttribute("aria-hidden", "true");
  const numbers = document.createElement("div");
  gutter.append(numbers);
  text.before(gutter);

  const problems = new Map<number, string[]>();
  for (const one of document.querySelectorAll<HTMLElement>("[data-problem]")) {
    const line = Number(one.dataset.line);
    problems.set(line, [...(problems.get(line) ?? []), one.dataset.problem ?? ""]);
  }
  const judged = text.value;

  const draw = (): void => {
    const count = text.value.split("\n").length;
    // what was edited since was not judged: marks would stand beside the wrong lines
    const marked = text.value === judged;
    numbers.replaceChildren(
      ...Array.from({ length: count }, (_, index) => {
        const row = document.createElement("span");
        row.textContent = String(index + 1);
        const said = marked ? problems.get(index + 1) : undefined;
        if (said) {
          row.className = "is-wrong";
          const words = document.createElement("em");
          words.textContent = said.join(" ");
          row.append(words);
        }
        return row;
      }),
    );
    follow();
  };
  const follow = (): void => {
    numbers.style.transform = `translateY(${-text.scrollTop}px)`;
  };
  const goTo = (line: number, column: number): void => {
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0) + Math.max(0, column - 1);
    text.focus();
    text.setSelectionRange(start, start);
    text.scrollTop = Math.max(0, (text.scrollHeight / lines.length) * (line - 4));
    follow();
  };

  text.addEventListener("input", draw);
  text.addEventListener("scroll", follow);
  draw();
  const first = Math.min(...problems.keys());
  const at = document.querySelector<HTMLElement>(`[data-line="${first}"]`);
  if (at) goTo(first, Number(at.dataset.column));
  onClick("[data-problem]", (one) => goTo(Number(one.dataset.line), Number(one.dataset.column)));
}
