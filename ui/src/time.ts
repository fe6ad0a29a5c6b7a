// Times are written relative to now, with the absolute time in the reader's own zone on hover.
// The words are those that the server writes, whichever language the browser speaks: 20 November 2026 14:05:03 CET.
const british = new Intl.DateTimeFormat("en-GB", {
  year: "numeric", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
});

/** An instant in the reader's own zone, as the server would write it. */
export function absolute(at: number): string {
  const part = Object.fromEntries(british.formatToParts(at).map((each) => [each.type, each.value]));
  return `${part.day} ${part.month} ${part.year} ${part.hour}:${part.minute}:${part.second} ${part.timeZoneName}`;
}

const steps: [unit: string, seconds: number, until: number][] = [
  ["s", 1, 90],
  ["min", 60, 90 * 60],
  ["h", 3600, 36 * 3600],
  ["days", 86400, 60 * 86400],
  ["months", 30.44 * 86400, 700 * 86400],
  ["years", 365.25 * 86400, Infinity],
];

/** The words for a distance in seconds: "in 42 min", "3 h ago", "now"; the same words as rendering.py writes. */
export function relative(seconds: number): string {
  const size = Math.abs(seconds);
  if (size < 5) return "now";
  const [unit, length] = steps.find(([, , until]) => size < until) ?? ["years", 365.25 * 86400];
  const words = `${Math.max(1, Math.round(size / length))} ${unit}`;
  return seconds > 0 ? `in ${words}` : `${words} ago`;
}

/** A length of time in seconds, to the minute: "3 h 8 min"; the same words as rendering.py writes. */
export function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0 || seconds >= 60 * 86400) return relative(seconds).replace(/^in /, "");
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor(minutes / 60) % 24;
  const rest = minutes % 60;
  const parts = [days ? `${days} ${days === 1 ? "day" : "days"}` : "", hours ? `${hours} h` : "", rest && !days ? `${rest} min` : ""];
  return parts.filter(Boolean).join(" ");
}

function refresh(): void {
  const page = document.documentElement.dataset;
  // Under "as of" the page stands still: distances are read from that instant, as the server wrote them.
  const now = page.asOf ? Date.parse(page.asOf) : Date.now();
  for (const element of document.querySelectorAll<HTMLTimeElement>("time[datetime]")) {
    const at = Date.parse(element.dateTime);
    if (Number.isNaN(at)) continue;
    element.title = absolute(at);
    if (element.dataset.show === "relative") element.textContent = relative((at - now) / 1000);
    if (element.dataset.show === "left") {
      element.textContent = at <= now ? "ended" : `${duration((at - now) / 1000)} left`;
    }
  }
}

export function startTime(): void {
  refresh();
  setInterval(refresh, 10_000);
  document.addEventListener("htmx:after:swap", refresh);
}
