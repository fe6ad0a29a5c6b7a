// What lies in the page beside it: compressed, in base64, in blocks that no browser runs.

/** The bytes of a block by its name. */
export async function part(name: string): Promise<Uint8Array> {
  const text = document.getElementById(`part-${name}`)?.textContent ?? "";
  const letters = atob(text);
  const packed = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) packed[at] = letters.charCodeAt(at);
  const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}
