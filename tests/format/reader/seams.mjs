/** Sections 8 and 10: seams of the range, and the system that the log knows. */
import { checkSeam, SEAM } from './batches.mjs';
import { must } from './refused.mjs';

/** Where the range gives the root of so many entries it is the seam's if none is lost, and another if some are. */
function checkRoot({ roots }, { size, root, kept }, where) {
  const here = size > 0 ? roots.get(size)?.toString('hex') : undefined;
  if (here === undefined) return;
  must(kept < size || root === here, where, `another root of the ${size} entries that it keeps`);
  must(kept === size || root !== here, where, 'it declares as lost what is here');
}

/** The seams of the range, in order; each continues the log that the one before began. */
export function judgeSeams(pack) {
  const seams = pack.entries.filter((entry) => entry.header.kind === SEAM);
  seams.forEach(({ header, body }, i) => {
    const where = `entries.jsonl entry ${header.index}`;
    checkSeam(body, header.index, where);
    checkRoot(pack, body, where);
    must(i === 0 || body.before === seams[i - 1].body.origin, where, 'it continues another log than the seam before began');
  });
  const last = seams[seams.length - 1];
  if (last) must(last.body.origin === pack.checkpoint.origin, `entries.jsonl entry ${last.header.index}`, 'it leads to another log');
  return seams.map(({ header, body }) => ({ index: header.index, ...body }));
}

/** Says where the system of the manifest is not what the newest start of each node says. */
export function judgeSystem(pack) {
  const { id, version, environment } = pack.manifest.system;
  const newest = new Map();
  for (const { header, body } of pack.entries) if (header.kind === 'system.started') newest.set(body.node, body);
  const known = [...newest.values()].some(
    (body) => body.origin === id && body.release === version && body.environment === environment,
  );
  if (!known) pack.notes.push(`the log knows no system ${id}, release ${version}, environment ${environment}`);
}
