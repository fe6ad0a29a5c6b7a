/** Section 5: the tree over the leaves, its proofs, and the compact range. Hashes are buffers. */
import { sha256 } from './canonical.mjs';
import { must } from './refused.mjs';

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

export function leafOf(header, bodyHash) {
  return sha256(LEAF, header, bodyHash);
}

export function dataLeaf(data) {
  return sha256(LEAF, data);
}

export function nodeOf(left, right) {
  return sha256(NODE, left, right);
}

/** A tree that grows: perfect subtrees, from left to right. */
export class Growing {
  constructor() {
    this.size = 0;
    this.subtrees = [];
  }

  /** Pushes a perfect subtree of 2^k leaves. */
  push(hash, k = 0) {
    let joined = hash;
    const leaves = 2 ** k;
    must(this.size % leaves === 0, '', 'a subtree out of its place');
    for (let bit = leaves; Math.floor(this.size / bit) % 2 === 1; bit *= 2) {
      joined = nodeOf(this.subtrees.pop(), joined);
    }
    this.subtrees.push(joined);
    this.size += leaves;
  }

  root() {
    if (this.subtrees.length === 0) return sha256();
    return this.subtrees.reduceRight((right, left) => nodeOf(left, right));
  }
}

export function rootOf(leaves) {
  const tree = new Growing();
  for (const leaf of leaves) tree.push(leaf);
  return tree.root();
}

/** The k of the fewest perfect subtrees of [begin, end), from left to right. */
export function spans(begin, end) {
  const found = [];
  for (let place = begin; place < end; ) {
    let k = 0;
    while (2 ** (k + 1) <= end - place && place % 2 ** (k + 1) === 0) k += 1;
    found.push(k);
    place += 2 ** k;
  }
  return found;
}

/**
 * The tree of n leaves in which these leaves are [first, first + leaves.length); `seen(size, tree)` is called for every
 * size from first to the end of the range.
 */
export function rangeTree(first, leaves, n, left, right, seen = () => {}) {
  const before = spans(0, first);
  const after = spans(first + leaves.length, n);
  must(left.length === before.length, '', `left has ${left.length} hashes, not ${before.length}`);
  must(right.length === after.length, '', `right has ${right.length} hashes, not ${after.length}`);
  const tree = new Growing();
  before.forEach((k, i) => tree.push(left[i], k));
  seen(tree.size, tree);
  for (const leaf of leaves) {
    tree.push(leaf);
    seen(tree.size, tree);
  }
  after.forEach((k, i) => tree.push(right[i], k));
  return tree;
}

/** The root that RFC 9162 section 2.1.3.2 computes; null where the proof does not fit. */
export function inclusionRoot(index, size, leaf, proof) {
  if (index >= size || proof.length > 63) return null;
  let [fn, sn, r] = [BigInt(index), BigInt(size) - 1n, leaf];
  for (const p of proof) {
    if (sn === 0n) return null;
    if (fn & 1n || fn === sn) {
      r = nodeOf(p, r);
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      r = nodeOf(r, p);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n ? r : null;
}

/** Whether the new tree begins with the old one: RFC 9162 section 2.1.4.2. */
export function consistent(old, oldRoot, size, root, proof) {
  if (old > size || proof.length > 63) return false;
  if (old === 0) return proof.length === 0 && oldRoot.equals(sha256());
  if (old === size) return proof.length === 0 && oldRoot.equals(root);
  const path = Number.isInteger(Math.log2(old)) ? [oldRoot, ...proof] : [...proof];
  if (path.length === 0) return false;
  let [fn, sn] = [BigInt(old) - 1n, BigInt(size) - 1n];
  while (fn & 1n) [fn, sn] = [fn >> 1n, sn >> 1n];
  let [fr, sr] = [path[0], path[0]];
  for (const c of path.slice(1)) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      [fr, sr] = [nodeOf(c, fr), nodeOf(c, sr)];
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      sr = nodeOf(sr, c);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && fr.equals(oldRoot) && sr.equals(root);
}
