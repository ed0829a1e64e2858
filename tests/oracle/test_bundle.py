"""The golden bundle, broken in every way a bundle can be: each must be refused, with the exit code that fits.

    python -m unittest discover --start-directory tests/oracle
"""

import base64
import json
import pathlib
import tarfile
import tempfile
import unittest

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import vectors
from bundle import FALSE, HOLDS, NOT_JUDGED, judge
from note import VerifierKey
from tree import Roots, encode_hash, leaf_hash

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "schemas" / "vectors"
MEMBERS = ("bundle.json", "checkpoint", "records.jsonl")
KEYS = [VerifierKey(item["vkey"]) for item in json.loads((VECTORS / "keys.json").read_text())["keys"]]
LOG, WITNESS, STRANGER = KEYS


def golden():
    return {name: (VECTORS / "bundle" / name).read_bytes() for name in MEMBERS}


def lines():
    return golden()["records.jsonl"].splitlines(keepends=True)


def signed(text, key=LOG, secret_byte=1):
    """A note over a text, under one of the fixed test keys."""
    signature = Ed25519PrivateKey.from_private_bytes(bytes([secret_byte]) * 32).sign(text.encode())
    blob = base64.b64encode(key.key_id + signature).decode()
    return f"{text}\n\u2014 {key.name} {blob}\n".encode()


def sealed(records, origin=LOG.name, **by):
    """A bundle whose checkpoint truly covers these lines, whatever they say."""
    roots = Roots()
    for line in records:
        roots.append(leaf_hash(line.rstrip(b"\n")))
    checkpoint = signed(f"{origin}\n{roots.size}\n{encode_hash(roots.root())}\n", **by)
    return {**golden(), "checkpoint": checkpoint, "records.jsonl": b"".join(records)}


class Bundles(unittest.TestCase):
    """Each bundle is judged as a directory and as a tar."""

    def judged(self, members, keys=(LOG,), kept=None):
        with tempfile.TemporaryDirectory() as name:
            place = pathlib.Path(name)
            (place / "bundle").mkdir()
            with tarfile.open(place / "bundle.tar", "w") as archive:
                for path, content in members.items():
                    (place / "bundle" / path).parent.mkdir(parents=True, exist_ok=True)
                    (place / "bundle" / path).write_bytes(content)
                    archive.add(place / "bundle" / path, path)
            said = []
            exits = [judge(place / each, list(keys), kept, said.append) for each in ("bundle", "bundle.tar")]
        self.assertEqual(exits[0], exits[1], said)
        return exits[0]

    def test_vectors(self):
        tally = vectors.run(VECTORS)
        self.assertEqual(tally.wrong, [])
        self.assertGreater(tally.run, 400)

    def test_the_golden_bundle_holds(self):
        self.assertEqual(self.judged(golden()), HOLDS)
        self.assertEqual(self.judged(golden(), keys=(STRANGER, LOG)), HOLDS)
        self.assertEqual(self.judged(sealed(lines())), HOLDS)
        kept = sealed(lines()[:3])["checkpoint"].decode()
        self.assertEqual(self.judged(golden(), kept=kept), HOLDS)

    def test_every_changed_byte_of_a_record_is_seen(self):
        content = golden()["records.jsonl"]
        for at in range(0, len(content), 7):
            changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
            self.assertEqual(self.judged({**golden(), "records.jsonl": changed}), FALSE, at)

    def test_every_changed_byte_of_a_checkpoint_is_seen(self):
        content = golden()["checkpoint"]
        for at in range(len(content)):
            changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
            self.assertIn(self.judged({**golden(), "checkpoint": changed}), (FALSE, NOT_JUDGED), at)

    def test_lines_out_of_place(self):
        records = lines()
        for story, changed in {
            "swapped": [*records[:2], records[3], records[2], *records[4:]],
            "dropped": records[:2] + records[3:],
            "dropped at the start": records[1:],
            "doubled": records[:3] + records[2:],
            "cut off": records[:4],
            "one too many": [*records, records[-1]],
            "no line feed at the end": [*records[:-1], records[-1][:-1]],
            "an empty line": [*records, b"\n"],
        }.items():
            with self.subTest(story):
                self.assertEqual(self.judged({**golden(), "records.jsonl": b"".join(changed)}), FALSE)

    def test_a_signer_cannot_seal_what_is_not_a_log(self):
        records = lines()
        for story, changed in {
            "swapped": [*records[:2], records[3], records[2], *records[4:]],
            "dropped": records[:2] + records[3:],
            "the last one changed out of order": [*records[:5], records[5].replace(b'"revision":"0"', b'"revision":"7"')],
            "not canonical": [*records[:5], records[5].replace(b'{"actor"', b'{ "actor"')],
            "another log's record": [*records[:5], records[5].replace(b"example/acme", b"example/evil")],
        }.items():
            with self.subTest(story):
                self.assertEqual(self.judged(sealed(changed)), FALSE)

    def test_personal_values(self):
        item = json.loads((VECTORS / "disclosures.json").read_text())["withheld"][0]
        records = lines()
        last = json.loads(records[5])
        last |= {"type": "observation.recorded.v1", "data": {"body": json.loads(item["withheld"]), "kind": "mail"}}
        records[5] = (json.dumps(last, separators=(",", ":"), sort_keys=True) + "\n").encode()
        shown = sorted(f'{{"disclosure":"{one}","sequence":5}}\n'.encode() for one in item["disclosures"])
        honest = sealed(records)
        for good in ([], shown[:1], shown):
            self.assertEqual(self.judged({**honest, "disclosures.jsonl": b"".join(good)}), HOLDS)
        for story, bad in {
            "twice": [shown[0], shown[0]],
            "out of order": shown[::-1],
            "of another record": [shown[0].replace(b":5", b":4")],
            "changed": [shown[0].replace(b"WyJB", b"WyJC")],
            "no line feed": [shown[0][:-1]],
            "another member": [shown[0].replace(b"}", b',"x":1}')],
        }.items():
            with self.subTest(story):
                self.assertEqual(self.judged({**honest, "disclosures.jsonl": b"".join(bad)}), FALSE)

    def test_an_older_checkpoint(self):
        forked = [*lines()[:2], lines()[2].replace(b"Coder", b"Other")]
        self.assertEqual(self.judged(golden(), kept=sealed(forked)["checkpoint"].decode()), FALSE)
        self.assertEqual(self.judged(sealed(lines()[:4]), kept=golden()["checkpoint"].decode()), FALSE)
        elsewhere = sealed(lines(), origin=STRANGER.name, key=STRANGER, secret_byte=3)["checkpoint"].decode()
        self.assertEqual(self.judged(golden(), keys=(LOG, STRANGER), kept=elsewhere), NOT_JUDGED)
        self.assertEqual(self.judged(golden(), kept=elsewhere), NOT_JUDGED)
        self.assertEqual(self.judged(golden(), kept="not a note"), NOT_JUDGED)

    def test_checkpoints_and_keys_of_others(self):
        stranger = {"key": STRANGER, "secret_byte": 3}
        self.assertEqual(self.judged(golden(), keys=(STRANGER,)), NOT_JUDGED)
        self.assertEqual(self.judged(golden(), keys=()), NOT_JUDGED)
        self.assertEqual(self.judged(sealed(lines(), **stranger), keys=(LOG, STRANGER)), NOT_JUDGED)
        other_log = sealed(lines(), origin=STRANGER.name, **stranger)
        self.assertEqual(self.judged(other_log, keys=(LOG, STRANGER)), FALSE)
        self.assertEqual(self.judged({**golden(), "checkpoint": b"not a note\n"}), FALSE)

    def test_what_is_no_bundle(self):
        for story, members in {
            "empty": {},
            "without records": {**golden(), "records.jsonl": b""},
            "without a checkpoint": {name: golden()[name] for name in ("bundle.json", "records.jsonl")},
            "without a manifest": {name: golden()[name] for name in ("checkpoint", "records.jsonl")},
            "with a stranger's file": {**golden(), "zzz": b""},
            "of a later format": {**golden(), "bundle.json": b'{"format":2}'},
            "of a part": {**golden(), "bundle.json": golden()["bundle.json"].replace(b'"first":0', b'"first":1')},
        }.items():
            with self.subTest(story):
                self.assertEqual(self.judged(members), NOT_JUDGED)
        self.assertEqual(judge("no such file", [LOG], say=lambda _: None), NOT_JUDGED)

    def test_a_tar_out_of_order_or_cut_off(self):
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "bundle.tar"
            for order in (("checkpoint", "bundle.json", "records.jsonl"), (*MEMBERS, "checkpoint")):
                with tarfile.open(path, "w") as archive:
                    for member in order:
                        archive.add(VECTORS / "bundle" / member, member)
                self.assertEqual(judge(path, [LOG], say=lambda _: None), NOT_JUDGED)
            whole = path.read_bytes()
            for length in (0, 100, 512, 3000):
                path.write_bytes(whole[:length])
                self.assertEqual(judge(path, [LOG], say=lambda _: None), NOT_JUDGED, length)


if __name__ == "__main__":
    unittest.main()
