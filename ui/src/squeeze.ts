// With idle time skipped the player counts a shorter time than the recording. The timeline speaks of the recording's own
// time, so marks, jumps and the place reached are carried over between the two.

export interface Squeeze {
  /** Seconds of the player for seconds of the recording. */
  played: (recorded: number) => number;
  /** And back. */
  recorded: (played: number) => number;
}

/** From asciicast v3 (each event holds the seconds since the one before) and the longest pause kept; 0 keeps all. */
export function squeeze(cast: string, idle: number): Squeeze {
  const from = [0];
  const to = [0];
  let recorded = 0;
  let played = 0;
  for (const line of cast.split("\n")) {
    if (line[0] !== "[") continue;
    const pause = Number((JSON.parse(line) as unknown[])[0]) || 0;
    recorded += pause;
    played += idle > 0 ? Math.min(pause, idle) : pause;
    if (idle > 0 && pause > idle) {
      // Within a long pause the player stands at the pause's end after `idle` seconds.
      from.push(recorded - pause + idle);
      to.push(played);
    }
    from.push(recorded);
    to.push(played);
  }
  return { played: (at) => between(from, to, at), recorded: (at) => between(to, from, at) };
}

function between(from: number[], to: number[], at: number): number {
  let low = 0;
  let high = from.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((from[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  const [start = 0, end = Infinity] = [from[low], from[low + 1]];
  const [first = 0, last = first] = [to[low], to[low + 1]];
  return end > start && end !== Infinity ? first + ((at - start) / (end - start)) * (last - first) : first;
}
