"""Runs every golden vector through this implementation: each good one must pass, each bad one must be refused, and
where this program has a name for the rule it must be the same name."""

import json
import pathlib

import actor
import canonical
import disclosure
import tree
from bundle import HOLDS, judge
from note import Checkpoint, Note, Receipt, VerifierKey, within
from record import Log, Record
from refused import Refused
from witness import Policy, Request, cosigned

# Rules about bodies, which this program does not know.
BODIES = ("BadType", "BadData")


class Tally:
    """What was run, and what came out otherwise than it must."""

    def __init__(self):
        self.run = 0
        self.passed_over = 0
        self.wrong = []

    def holds(self, story, step, expected=None):
        """The step does not refuse; where a result is expected, it is that."""
        self.run += 1
        try:
            found = step()
            if expected is not None and found != expected:
                self.wrong.append(f"{story}: {found}, not {expected}")
        except Refused as error:
            self.wrong.append(f"{story}: refused: {error}")

    def refuses(self, story, rule, step):
        self.run += 1
        try:
            step()
        except Refused as error:
            if error.rule != rule:
                self.wrong.append(f"{story}: refused by {error.rule}, not {rule}")
        else:
            self.wrong.append(f"{story}: accepted, breaks {rule}")


def run(directory):
    """Runs all; answers the tally."""
    directory, tally = pathlib.Path(directory), Tally()
    for name, step in STEPS.items():
        step(tally, json.loads((directory / f"{name}.json").read_text(encoding="utf-8")))
    bundle(tally, directory)
    return tally


def given(item):
    """The bytes of a specimen."""
    form = item["input"]
    if "hex" in form:
        return bytes.fromhex(form["hex"])
    if "text" in form:
        return form["text"].encode()
    return (form["before"] + form["repeat"] * form["count"] + form["after"]).encode()


def hashes(items):
    return [tree.decode_hash(item) for item in items]


def run_canonical(tally, vectors):
    for line in vectors["canonical"]:
        tally.holds(line[:80], lambda: canonical.check(line.encode()))
        tally.holds(line[:80], lambda: canonical.canonicalize(line.encode()), line)
    for item in vectors["foreign"]:
        tally.holds(item["text"], lambda: canonical.canonicalize(item["text"].encode()), item["canonical"])
    for item in vectors["malformed"]:
        tally.refuses(str(item)[:80], "NotCanonical", lambda: canonical.check(given(item)))
    for item in vectors["refused"]:
        tally.refuses(str(item)[:80], "NotCanonical", lambda: canonical.canonicalize(given(item)))


def run_hashes(tally, vectors):
    import hashlib

    for item in vectors["sha256"]:
        digest = hashlib.sha256(item["text"].encode())
        tally.holds(item, lambda: (digest.hexdigest(), tree.encode_hash(digest.digest())), (item["hex"], item["hash"]))
    for item in vectors["leaf"]:
        tally.holds(item, lambda: tree.leaf_hash(item["text"].encode()), tree.decode_hash(item["hash"]))
    for item in vectors["node"]:
        left, right, node = hashes((item["left"], item["right"], item["hash"]))
        tally.holds(item, lambda: tree.node_hash(left, right), node)
    for item in vectors["request_digest"]:
        salted = tree.decode_hash(item["salt"]) + item["request"].encode()
        tally.holds(item, lambda: hashlib.sha256(salted).digest(), tree.decode_hash(item["hash"]))
    for text in vectors["refused"]:
        tally.refuses(text, "Base64", lambda: within("Base64", tree.decode_hash, text))


def run_trees(tally, vectors):
    leaves = [tree.leaf_hash(item["text"].encode()) for item in vectors["leaves"]]
    for size, root in enumerate(hashes(vectors["roots"])):
        tally.holds(f"root {size}", lambda: tree.root_of(leaves[:size]), root)
        growing = tree.Roots()
        for leaf in leaves[:size]:
            growing.append(leaf)
        tally.holds(f"growing root {size}", lambda: growing.root(), root)

    def inclusion(item):
        leaf, root = hashes((item["leaf"], item["root"]))
        tree.verify_inclusion(item["index"], item["size"], leaf, hashes(item["proof"]), root)

    def consistency(item):
        old, new = hashes((item["old_root"], item["new_root"]))
        tree.verify_consistency(item["old"], item["new"], hashes(item["proof"]), old, new)

    for name, step in (("inclusion", inclusion), ("consistency", consistency)):
        for item in vectors[name]:
            tally.holds(item, lambda: step(item))
        for item in vectors[f"{name}_refused"]:
            tally.refuses(item, item["rule"], lambda: step(item))


def run_keys(tally, vectors):
    for item in vectors["keys"]:
        tally.holds(item, lambda: VerifierKey(item["vkey"]).name, item["name"])
    for item in vectors["refused"]:
        tally.refuses(item, item["rule"], lambda: VerifierKey(item["vkey"]))


def keys(item):
    return [VerifierKey(text) for text in item["keys"]]


def run_notes(tally, vectors):
    def verified(item, text):
        return [key.name for key in Note(text).verify(keys(item))]

    for item in vectors["notes"]:
        tally.holds(item, lambda: verified(item, item["note"]), item["verified"])
    for item in vectors["refused"]:
        tally.refuses(str(item)[:80], item["rule"], lambda: verified(item, given(item).decode()))


def run_checkpoints(tally, vectors):
    def opened(item, text):
        note = within("Note", Note, text)
        checkpoint = Checkpoint(note.text)
        signed = within("Note", note.verify, keys(item))
        if checkpoint.origin not in [key.name for key in signed]:
            raise Refused("NotByTheLog")
        return checkpoint.origin, checkpoint.size, tree.encode_hash(checkpoint.root)

    for item in vectors["checkpoints"]:
        expected = item["origin"], item["size"], item["root"]
        tally.holds(item, lambda: opened(item, item["note"]), expected)
    for item in vectors["refused"]:
        tally.refuses(item, item["rule"], lambda: opened(item, given(item).decode()))


def run_receipts(tally, vectors):
    def verify(item, text):
        Receipt(text).verify(tree.decode_hash(item["leaf"]), keys(item))

    for item in vectors["receipts"]:
        tally.holds(item, lambda: verify(item, item["receipt"]))
    for item in vectors["refused"]:
        tally.refuses(item, item["rule"], lambda: verify(item, given(item).decode()))


def run_records(tally, vectors):
    for item in vectors["malformed"]:
        if item["rule"] in BODIES:
            tally.passed_over += 1
        else:
            tally.refuses(str(item)[:80], item["rule"], lambda: Record(given(item)))
    for item in vectors["broken"]:
        records = [Record(line.encode()) for line in item["lines"]]
        log = Log()
        for record in records[: item["sequence"]]:
            tally.holds(item["rule"], lambda: log.append(record))
        tally.refuses(item["rule"], item["rule"], lambda: log.append(records[item["sequence"]]))


def run_disclosures(tally, vectors):
    for item in vectors["disclosures"]:
        expected = item["digest"], item["name"], item["value"]

        def opened():
            one = disclosure.Disclosure(item["disclosure"])
            return one.digest, one.name, one.value

        tally.holds(item, opened, expected)
    for item in vectors["refused"]:
        tally.refuses(str(item)[:80], item["rule"], lambda: disclosure.Disclosure(given(item).decode()))
    for item in vectors["withheld"]:
        made = [disclosure.Disclosure(text) for text in item["disclosures"]]
        standing = sorted(disclosure.digests(json.loads(item["withheld"])))
        tally.holds(item, lambda: standing, sorted((one.digest, one.place) for one in made))


def run_reports(tally, vectors):
    for item in vectors["reports"]:
        proof = canonical.check(item["proof"].encode())
        tally.holds(item, lambda: actor.envelope(proof).decode(), item["message"])
        tally.holds(item, lambda: actor.signed(proof).id, actor.ActorKey(proof["key"]).id)
    for item in vectors["refused"]:
        tally.refuses(item, item["rule"], lambda: actor.signed(canonical.check(item["proof"].encode())))


def run_witnesses(tally, vectors):
    def seen(item):
        return [{"name": name, "time": time} for name, time in cosigned(Note(item["note"]), keys(item))]

    def asked(item):
        request = Request(item["text"])
        return request.old, request.proof

    for item in vectors["cosigned"]:
        tally.holds(item, lambda: seen(item), item["cosigned"])
    for item in vectors["refused_cosignatures"]:
        tally.refuses(item, item["rule"], lambda: seen(item))
    for item in vectors["requests"]:
        tally.holds(item, lambda: asked(item), (item["old"], hashes(item["proof"])))
    for item in vectors["refused_requests"]:
        tally.refuses(str(item)[:80], item["rule"], lambda: Request(given(item).decode()))
    for item in vectors["policies"]:
        tally.holds(item, lambda: Policy(item["text"]).is_satisfied_by(item["cosigned"]), item["satisfied"])
    for item in vectors["refused_policies"]:
        tally.refuses(str(item)[:80], item["rule"], lambda: Policy(given(item).decode()))


def bundle(tally, directory):
    """The golden bundles hold, under the key that keys.json gives for their origin."""
    known = json.loads((directory / "keys.json").read_text(encoding="utf-8"))["keys"]
    key = VerifierKey(known[0]["vkey"])
    said = []
    tally.holds("bundle", lambda: judge(directory / "bundle", [key], say=said.append), HOLDS)
    tally.holds("part", lambda: judge(directory / "part", [key], say=said.append, partial=True), HOLDS)
    tally.holds("case", lambda: "deploy/42: complete as of size 12" in said, True)


STEPS = {
    "canonical": run_canonical,
    "hashes": run_hashes,
    "trees": run_trees,
    "keys": run_keys,
    "notes": run_notes,
    "checkpoints": run_checkpoints,
    "receipts": run_receipts,
    "records": run_records,
    "disclosures": run_disclosures,
    "reports": run_reports,
    "witnesses": run_witnesses,
}
