/** Section 10: what leavers held, and when it ended. */
import { NO_END, timeText } from './canonical.mjs';

const SYSTEMS = { ssh: 'ssh', console: 'console', cli: 'command_line' };
const ENDS = { 'sign_in.closed': 'sign_in.opened', 'session.closed': 'session.opened', 'session.failed': 'session.opened' };
const BEGINS = [...new Set(Object.values(ENDS))];
const DAY = 86400000000;

/** Whether the entry is of a sign-in or session that begins or ends. */
export function isOfWays({ kind }) {
  return kind in ENDS || BEGINS.includes(kind);
}

/** What ran of each person, by the entries in their order; at each head what of it is held. */
export class Leaving {
  constructor(pack) {
    this.last = pack.entries[pack.entries.length - 1].header.time;
    this.held = new Map();
    this.ways = [];
    for (const { header, body } of pack.entries) {
      if (header.kind === 'person.disabled') this.held.set(header.index, this.heldBy(body.person, header.time));
      if (isOfWays(header)) this.heed(header, body);
    }
  }

  heldBy(person, time) {
    const mine = this.ways.filter((way) => way.person === person && !way.over);
    return [...new Map(mine.map((way) => [way.name, way])).values()].filter((way) => way.expires > time);
  }

  heed({ kind, index, time }, body) {
    const name = `${ENDS[kind] ?? kind} ${body.session}`;
    if (BEGINS.includes(kind)) {
      const [system, expires] = kind === 'sign_in.opened' ? [body.kind, body.expires ?? NO_END] : ['ssh', NO_END];
      this.ways.push({ name, person: body.person, system, expires, over: null });
      return;
    }
    const byte = kind === 'session.closed' ? (body.last_byte ?? null) : null;
    const over = { index, time, byte, unseen: kind === 'session.closed' && byte === null };
    for (const way of this.ways) {
      if (way.name === name && !(kind === 'sign_in.closed' && way.over)) way.over = over;
    }
  }

  /** When it ended; no end where it runs at the newest entry of the range. */
  ended({ system, expires, over }) {
    if (system === 'ssh') return over?.byte ?? over?.time ?? NO_END;
    const end = Math.min(over?.time ?? NO_END, expires);
    return end <= this.last ? end : NO_END;
  }

  of(head, system) {
    return this.held.get(head.header.index).filter((way) => way.system === system);
  }

  /** The indexes of the entries that ended it. */
  *ends(head) {
    for (const system of Object.keys(SYSTEMS)) {
      const over = this.of(head, system).filter((way) => way.over).sort((a, b) => a.over.index - b.over.index);
      if (over.length) yield over.at(-1).over.index;
      if (over.length && system === 'ssh') yield over.sort((a, b) => this.ended(a) - this.ended(b)).at(-1).over.index;
    }
  }

  /** The columns by rule. */
  cells(head) {
    const removed = head.header.time;
    const cells = {};
    let latest = removed;
    for (const [system, name] of Object.entries(SYSTEMS)) {
      const ways = this.of(head, system);
      const ended = Math.max(removed, ...ways.map((way) => this.ended(way)));
      const unseen = ways.some((way) => way.over?.unseen && this.ended(way) === ended);
      cells[`${name}_held`] = String(ways.length);
      cells[`${name}_removed`] = timeText(removed);
      cells[`${name}_ended`] = ended === NO_END ? 'runs still' : `${unseen ? 'unknown, before ' : ''}${timeText(ended)}`;
      latest = Math.max(latest, ended);
    }
    const sessions = this.of(head, 'ssh');
    const closed = sessions.length && sessions.every((way) => way.over);
    cells.recordings_verified = closed ? timeText(Math.max(...sessions.map((way) => way.over.time))) : '';
    const { left_at: left, notified } = head.body;
    const span = latest - Math.min(removed, left ?? removed, notified ?? removed);
    cells.milliseconds = latest === NO_END ? '' : String(Math.floor(span / 1000));
    cells.within_24_hours = latest === NO_END || span > DAY ? 'no' : 'yes';
    return cells;
  }
}
