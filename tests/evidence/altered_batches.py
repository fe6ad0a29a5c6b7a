"""Altered packs whose alteration lies in the batches, or in what only the rules of lawful read."""

import json
from hashlib import sha256
from random import Random
from typing import Any

from onepam.evidence.verifier.batches import RECORD
from tests.evidence.alteration import Altered, flip, kind, not_the_tree
from tests.evidence.forge import Forge


@kind
def _a_batch_altered(dice: Random, f: Forge) -> Altered:
    head, _, records = f.files["batches.bin"].partition(b"\n")
    batches = list(RECORD.iter_unpack(records))
    at = dice.randrange(len(batches) - 1)
    first, count, node, signature = batches[at]
    said = dice.choice(["signature", "length", "node", "dropped", "signature of another", "swapped", "cut"])
    if said == "signature":
        batches[at] = first, count, node, flip(dice, signature)
    elif said == "length":
        batches[at] = first, count - 1, node, signature
    elif said == "node":
        batches[at] = first, count, node + 1, signature
    elif said == "dropped":
        del batches[at]
    elif said == "signature of another":
        batches[at] = first, count, node, batches[at + 1][3]
    elif said == "swapped":
        batches[at], batches[at + 1] = batches[at + 1], batches[at]
    f.files["batches.bin"] = head + b"\n" + b"".join(RECORD.pack(*each) for each in batches)
    if said == "cut":
        f.files["batches.bin"] = f.files["batches.bin"][: -dice.randrange(1, RECORD.size)]
    return Altered(f"a batch: {said}", f.seal(), "batch")


@kind
def _a_body_that_a_rule_of_lawful_reads(dice: Random, f: Forge) -> Altered:
    """Its hash is made to fit: then the tree does not."""
    kinds = [json.loads(line)["kind"] for line in f.files["headers.jsonl"].splitlines()]
    lies = {"session.opened": "person", "request.approved": "by", "grant.started": "request", "binding.added": "role"}

    def change(entries: list[Any]) -> None:
        one = dice.choice([each for each in entries if kinds[each["index"]] in lies])
        index = one["index"]
        body = json.loads(one["body"]) | {lies[kinds[index]]: "mallory"}
        one["body"] = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        hashes = f.files["bodies.sha256"]
        digest = sha256(one["body"].encode()).digest()
        f.files["bodies.sha256"] = hashes[: 32 * index] + digest + hashes[32 * index + 32 :]

    f.lines("entries.jsonl", change)
    return not_the_tree("a body that a rule of lawful reads, and its hash", f)
