/** Sections 8 and 11: what anchors a pack from outside. */
import { COSIGNATURE, ED25519 } from './note.mjs';
import { must } from './refused.mjs';

const MOST_OLDER = 86400000000;

/** How a head of `before` fits a seam: `covered` by entries here, `lost`, or refused. */
function atSeam(seam, head, root) {
  const where = `entries.jsonl entry ${seam.index}`;
  must(head.size <= seam.size, where, 'more was lost than it says');
  must(root === undefined || !root.equals(head.root), where, 'it declares as lost what is here');
  must(head.size < seam.size || head.root.toString('hex') === seam.root, where, 'what was lost had another root');
  return 'lost';
}

/** Whether a head that names no log is of what a seam says is lost. */
function seamOf(pack, head) {
  const root = pack.roots.get(head.size);
  return pack.seams.find((seam) => {
    if (head.origin !== undefined) return seam.before === head.origin && head.size > seam.kept;
    const here = root !== undefined && root.equals(head.root) && head.size > seam.index;
    return seam.kept < head.size && head.size <= seam.size && !here;
  });
}

/** Whether the head anchors the pack. Refuses where its root is another. */
function fits(pack, head) {
  const { checkpoint, roots, end } = pack;
  const seam = seamOf(pack, head);
  if (seam) return atSeam(seam, head, roots.get(head.size)) !== 'lost';
  const root = head.size === checkpoint.size ? checkpoint.root : roots.get(head.size);
  if (root === undefined || head.size === 0) return false;
  must(root.equals(head.root), 'checkpoint', `an anchor of ${head.size} entries has another root`);
  if (head.size === checkpoint.size && head.size > end) return true;
  const newest = pack.entry(end - 1).header.time;
  const last = pack.entry(head.size - 1)?.header.time;
  return last !== undefined && newest - last <= MOST_OLDER;
}

/** Says what the acceptance rests on. */
export function anchor(pack, keys, heads) {
  const anchored = heads.map((head) => fits(pack, head)).some(Boolean) || keys.some((key) => key.algorithm === COSIGNATURE);
  if (!keys.some((key) => key.algorithm === ED25519 && key.name === pack.checkpoint.origin)) {
    pack.notes.push('the author was not checked: the key of the log is not given');
  }
  if (!anchored) pack.notes.push('not anchored');
}
