"""The golden part of a log, forged in every way that verifier/tests/judge/part.rs knows: each must be refused."""

import json
import pathlib
import tempfile
import unittest

from bundle import FALSE, HOLDS, NOT_JUDGED, judge
from note import VerifierKey
from tree import EMPTY, encode_hash, leaf_hash

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "schemas" / "vectors"
LOG = VerifierKey(json.loads((VECTORS / "keys.json").read_text())["keys"][0]["vkey"])
CASE = "deploy/42"
# The lines of the golden part: three of the case, the seal, and one of the case after it.
FIRST, SECOND, THIRD, SEAL = 0, 1, 2, 3


class Part:
    """The golden part, to be tampered with."""

    def __init__(self):
        self.members = {each.name: each.read_bytes() for each in (VECTORS / "part").iterdir()}
        self.lines = self.members["records.jsonl"].splitlines(keepends=True)
        proofs = [json.loads(line) for line in self.members["proofs.jsonl"].splitlines()]
        self.records, self.runs = proofs[: len(self.lines)], proofs[len(self.lines) :]

    def drop(self, *places):
        for at in sorted(places, reverse=True):
            del self.lines[at], self.records[at]

    def judged(self, partial=True, **other):
        proofs = [json.dumps(one, separators=(",", ":"), sort_keys=True) + "\n" for one in self.records + self.runs]
        files = {**self.members, "proofs.jsonl": "".join(proofs).encode(), "records.jsonl": b"".join(self.lines), **other}
        with tempfile.TemporaryDirectory() as name:
            for path, content in files.items():
                if content is not None:
                    (pathlib.Path(name) / path).write_bytes(content)
            said = []
            return judge(name, [LOG], say=said.append, partial=partial), said


def swap(items, one, other):
    items[one], items[other] = items[other], items[one]


def invent_a_run(part):
    """A run of one entry, which truly is in it."""
    run = part.runs[-1]
    entry = run["entries"][0]
    text = f"{CASE} {entry['revision']} {entry['leaf']}"
    root = encode_hash(leaf_hash(text.encode()))
    part.runs[-1] = run | {"count": 1, "entries": [entry | {"index": 0, "path": []}], "root": root}


FORGERIES = {
    "a record dropped": ("CaseIncomplete", lambda part: part.drop(SECOND)),
    "the sealed tail dropped": ("CaseIncomplete", lambda part: part.drop(THIRD)),
    "the whole tail dropped": ("CaseIncomplete", lambda part: part.drop(THIRD, 4)),
    "the head dropped": ("CaseIncomplete", lambda part: part.drop(FIRST)),
    "the whole case dropped": ("CaseIncomplete", lambda part: part.drop(FIRST, SECOND, THIRD, 4)),
    "a line without its proof": ("NotTheProvedLine", lambda part: part.records.pop()),
    "a proof without its line": ("ProvedLineMissing", lambda part: part.lines.pop()),
    "proofs exchanged": ("NotTheProvedLine", lambda part: swap(part.records, FIRST, SECOND)),
    "paths exchanged": ("RootMismatch", lambda part: part.records[0].update(path=part.records[2]["path"])),
    "a path cut off": ("WrongLength", lambda part: part.records[0]["path"].pop()),
    "lines exchanged": ("SequenceGap", lambda part: (swap(part.lines, FIRST, SECOND), swap(part.records, FIRST, SECOND))),
    "a changed record": ("NotTheProvedLine", lambda part: part.lines.__setitem__(1, part.lines[1].replace(b"checked", b"skipped"))),
    "a run of another root": ("RootMismatch", lambda part: part.runs[0].update(root=encode_hash(EMPTY))),
    "a run made up": ("OtherRun", invent_a_run),
    "the seal left out": ("SealMissing", lambda part: part.drop(SEAL)),
    "the newest run left out": ("OtherRun", lambda part: part.runs.pop(0)),
    "the run that holds it left out": ("OtherRun", lambda part: part.runs.pop()),
    "runs exchanged": ("ProofOrder", lambda part: swap(part.runs, 0, 1)),
    "a run twice": ("ProofOrder", lambda part: part.runs.append(part.runs[-1])),
    "a neighbour left out": ("RunShowsNothing", lambda part: part.runs[0]["entries"].pop()),
    "a record's proof at the end": ("ProofOrder", lambda part: part.runs.append(part.records.pop())),
    "another member": ("ProofLine", lambda part: part.records[0].update(more=1)),
}


class Parts(unittest.TestCase):
    def test_the_case_is_whole(self):
        exit_code, said = Part().judged()
        self.assertEqual(exit_code, HOLDS, said)
        self.assertIn(f"{CASE}: complete as of size 12", said)
        self.assertEqual(Part().judged(partial=False)[0], NOT_JUDGED)

    def test_without_runs_nothing_is_shown(self):
        part = Part()
        part.runs.clear()
        exit_code, said = part.judged()
        self.assertEqual(exit_code, HOLDS, said)
        self.assertIn(f"{CASE}: not shown to be complete", said)

    def test_every_forgery_is_refused(self):
        for story, (rule, forge) in FORGERIES.items():
            with self.subTest(story):
                part = Part()
                forge(part)
                exit_code, said = part.judged()
                self.assertEqual(exit_code, FALSE, said)
                self.assertIn(f"false: {rule}", said[-1])

    def test_what_is_no_part(self):
        self.assertEqual(Part().judged(**{"proofs.jsonl": None})[0], NOT_JUDGED)
        self.assertEqual(Part().judged(**{"records.jsonl": b"", "proofs.jsonl": b""})[0], NOT_JUDGED)

    def test_every_changed_byte_of_a_proof_is_seen(self):
        content = Part().members["proofs.jsonl"]
        for at in range(0, len(content), 3):
            changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
            self.assertEqual(Part().judged(**{"proofs.jsonl": changed})[0], FALSE, at)


if __name__ == "__main__":
    unittest.main()
