/** Section 1: Ed25519 as RFC 8032 has it, and no key that has two encodings or is of small order. */
import { createPublicKey, verify } from 'node:crypto';

const PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const P = 2n ** 255n - 19n;
// The y of the eight points whose order divides 8: 1, -1, 0, and both of order eight.
const SMALL = [1n, P - 1n, 0n, 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n];
SMALL.push(P - SMALL[3]);
const keys = new Map();

/** The key as Node has it; null where it is not one that counts. */
function keyOf(bytes) {
  const name = bytes.toString('hex');
  if (!keys.has(name)) keys.set(name, usable(bytes) ? imported(bytes) : null);
  return keys.get(name);
}

function usable(bytes) {
  if (bytes.length !== 32) return false;
  const y = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`) & (2n ** 255n - 1n);
  return y < P && !SMALL.includes(y);
}

function imported(bytes) {
  try {
    return createPublicKey({ key: Buffer.concat([PREFIX, bytes]), format: 'der', type: 'spki' });
  } catch {
    return null;
  }
}

/** Whether the signature over the message is of the key. OpenSSL holds S against L, and R as it stands against its own. */
export function holds(key, message, signature) {
  const imported = keyOf(key);
  return imported !== null && signature.length === 64 && verify(null, message, imported, signature);
}
