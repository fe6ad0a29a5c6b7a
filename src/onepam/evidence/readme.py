"""The page for the auditor that lies in every pack."""

README = """\
An evidence pack of OnePAM
==========================

This pack holds reports about privileged access and how it is governed, and the proof that what they say stands in
an append-only log whose every entry is accounted for.

How to verify it
  1. Take verify.py from the release of OnePAM and compare its SHA-256 with the one published there. The copy in this
     pack was put here by whoever made the pack: do not run it unless its SHA-256 is the published one.
  2. Obtain the log's verifier key, and the witness's if there is one, from the company outside this pack (for the
     witness: from whoever operates it).
  3. python3 -I verify.py PACK.zip --log-key KEY --witness-key KEY
     Without Python: open verify.html, from the same release, in a browser. It runs the same file, without network.

     exit 0   verified, with keys and an anchor from outside the pack
     exit 7   nothing is wrong, but the pack lacks or leaves out something, so not all was judged: it is said first
     exit 3   consistent in itself, but a key or an anchor from outside is missing
     exit 6   not broken, but a right was used that the history did not give: see the line lawful
     exit 5   not broken, but a recording is missing, cut or altered: see the line recordings
     exit 2   nothing was judged: the arguments are wrong, the file is no pack, or Python is older than 3.9
     exit 4   nothing was judged, or the answer could not be written: memory, disk or output failed
     exit 1   refused; the last line says why

The verdict begins with what the pack lacks or leaves out. The output has two lists. Read both: PROVED, and NOT PROVED.
What is proved is that the log is whole, never that everything that happened was logged.

What is in it
  manifest.json    which system, log, period and checkpoint; every file with its SHA-256
  checkpoint       the log's signed size and root, with the cosignatures of witnesses
  headers.jsonl    the header of every entry of the range: no personal data
  bodies.sha256    32 bytes per entry: the hash of its body
  range.json       the hashes that connect the range with the checkpoint's root
  entries.jsonl    the bodies of the entries that the reports rest on, of those that show that none was hidden, and of
                   those that give, use or end a right
  batches.bin      which node wrote which entries, with its signature
  payloads.jsonl   the personal data of the former: handle with care. An erased one names the entry that erased it
  reports/         each report as CSV and JSON lines, with its envelope: who drew it, when, how, and what was left out
  verify.py        a copy of the verifier

The column "ledger" of a report names the entries that a row rests on, first the one that put it there.
"""
