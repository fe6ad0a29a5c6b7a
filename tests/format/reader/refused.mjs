/** What a verifier says no to: `where` is the file, with the entry, line or row of it; `why` says what does not hold. */
export class Refused extends Error {
  constructor(where, why) {
    super(where ? `${where}: ${why}` : why);
    this.where = where;
    this.why = why;
  }
}

/** Refuses. */
export function refuse(where, why) {
  throw new Refused(where, why);
}

/** Refuses unless it is so. */
export function must(so, where, why) {
  if (!so) refuse(where, why);
}

/** What `act` gives; whatever it refuses without saying where is refused at `where`. */
export function at(where, act) {
  try {
    return act();
  } catch (error) {
    if (error instanceof Refused && !error.where) throw new Refused(where, error.why);
    throw error;
  }
}
