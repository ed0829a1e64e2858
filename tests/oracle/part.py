"""A part of a log: each line is proved to be in the checkpoint's tree, and of each subject it is said whether all of it is there."""

import json

import canonical
from record import RECORD_BYTES_MAX, Record
from refused import Refused
from tree import decode_hash, leaf_hash, verify_inclusion

PROOF_LINE_BYTES_MAX = 16 * 1024

RECORD_PROOF = {"leaf": str, "path": list, "sequence": int}
RUN_PROOF = {"count": int, "entries": list, "root": str, "run": int, "seal": int, "subject": str}
HANDOVER = {"handover": int, "path": list}
ENTRY = {"index": int, "leaf": str, "path": list, "revision": int, "subject": str}
SEALED = {"runs": list, "size": int}
RUN = {"count": int, "first": int, "length": int, "root": str}


def shaped(value, form, rule):
    """The value, if it is an object of exactly these members."""
    if not isinstance(value, dict) or list(value) != list(form):
        raise Refused(rule, "other members")
    for name, kind in form.items():
        if type(value[name]) is not kind or (kind is int and value[name] < 0):
            raise Refused(rule, name)
    return value


def hashes(texts, rule):
    try:
        return [decode_hash(text) for text in texts]
    except (Refused, TypeError) as error:
        raise Refused(rule, "no hash") from error


class Stream:
    """The records of one subject, as far as they are here."""

    def __init__(self):
        self.entries = {}
        self.sequences = {}
        self.newest = None

    def append(self, record):
        if self.newest is not None:
            if record.revision <= self.newest:
                raise Refused("RevisionGap")
            if record.revision == self.newest + 1 and record.subject_previous != self.entries[self.newest]:
                raise Refused("BadSubjectPrevious")
        self.newest = record.revision
        self.entries[record.revision] = record.leaf
        self.sequences[record.revision] = record.sequence


class Part:
    """Proofs first, then the records that they are of."""

    def __init__(self, checkpoint):
        self.tree = checkpoint
        self.places = []
        self.shown = {}
        self.newest_shown = None
        self.count = 0
        self.before = None
        self.streams = {}
        self.seals = {}
        self.handovers = {}
        self.rotations = {}

    def proofs(self, content):
        while line := content.readline(PROOF_LINE_BYTES_MAX + 2):
            if not line.endswith(b"\n") or len(line) > PROOF_LINE_BYTES_MAX + 1:
                raise Refused("ProofLine", "no whole line, or too long")
            canonical.check(line[:-1])
            proof = json.loads(line)
            if isinstance(proof, dict) and "sequence" in proof:
                self.place(shaped(proof, RECORD_PROOF, "ProofLine"))
            elif isinstance(proof, dict) and "handover" in proof:
                self.handover(shaped(proof, HANDOVER, "ProofLine"))
            else:
                self.run(shaped(proof, RUN_PROOF, "ProofLine"))

    def place(self, proof):
        """A record is in the tree."""
        if self.shown or self.handovers:
            raise Refused("ProofOrder", "a record's proof stands behind those of subjects")
        leaf, *path = hashes([proof["leaf"], *proof["path"]], "ProofLine")
        verify_inclusion(proof["sequence"], self.tree.size, leaf, path, self.tree.root)
        self.places.append((proof["sequence"], leaf))

    def run(self, proof):
        """What one run holds of a subject."""
        if self.handovers:
            raise Refused("ProofOrder", "a run stands behind the handovers of keys")
        subject, (root,) = proof["subject"], hashes([proof["root"]], "ProofLine")
        for entry in proof["entries"]:
            shaped(entry, ENTRY, "ProofLine")
            text = f"{entry['subject']} {entry['revision']} {entry['leaf']}"
            _, *path = hashes([entry["leaf"], *entry["path"]], "ProofLine")
            verify_inclusion(entry["index"], proof["count"], leaf_hash(text.encode()), path, root)
        own = held(proof)
        if subject != self.newest_shown:
            if self.newest_shown is not None and subject < self.newest_shown:
                raise Refused("ProofOrder", subject)
            self.newest_shown, self.shown[subject] = subject, []
        before = self.shown[subject]
        if before and (before[-1]["own"] is not None or before[-1]["seal"] != proof["seal"]):
            raise Refused("ProofOrder", f"{subject}: run {proof['run']}")
        before.append(proof | {"own": own})

    def handover(self, proof):
        """A record is the last one under an older checkpoint; whether it is, is seen with that."""
        if any(before >= proof["handover"] for before in self.handovers):
            raise Refused("ProofOrder", f"handover {proof['handover']}")
        self.handovers[proof["handover"]] = hashes(proof["path"], "ProofLine")

    def is_handed_over(self, sequence, checkpoint):
        """Whether a record is shown to be the last one under a checkpoint; nothing where nothing is shown."""
        if sequence not in self.handovers:
            return None
        try:
            verify_inclusion(sequence, checkpoint.size, self.rotations[sequence], self.handovers[sequence], checkpoint.root)
        except Refused:
            return False
        return True

    def records(self, content, hear):
        """Takes the lines in; `hear` is told of each record and its line."""
        while line := content.readline(RECORD_BYTES_MAX + 2):
            if not line.endswith(b"\n"):
                raise Refused("TooLong" if len(line) > RECORD_BYTES_MAX else "NoLineFeed", f"line {self.count}")
            record = Record(line[:-1])
            if self.count >= len(self.places) or self.places[self.count] != (record.sequence, record.leaf):
                raise Refused("NotTheProvedLine", f"record {record.sequence}")
            self.count += 1
            self.append(record)
            if record.fields["type"] == "signer.rotated.v1":
                self.rotations[record.sequence] = record.leaf
            if record.fields["type"] == "subjects.sealed.v1":
                self.seal(record.sequence, json.loads(line)["data"])
            hear(record, line)

    def seal(self, sequence, body):
        sealed = shaped(body, SEALED, "BadData")
        for run in sealed["runs"]:
            shaped(run, RUN, "BadData")
        self.seals[sequence] = sealed

    def append(self, record):
        fields, before = record.fields, self.before
        if fields["source"].split("/")[:2] != self.tree.origin.split("/")[:2]:
            raise Refused("OtherOrigin", f"record {record.sequence}")
        if before:
            if record.sequence <= before.sequence:
                raise Refused("SequenceGap", f"record {record.sequence}")
            if record.sequence == before.sequence + 1 and record.previous != before.leaf:
                raise Refused("BadPrevious", f"record {record.sequence}")
            if record.id <= before.id:
                raise Refused("IdNotIncreasing", f"record {record.sequence}")
            if record.time < before.time:
                raise Refused("TimeGoesBack", f"record {record.sequence}")
        self.before = record
        self.streams.setdefault(fields["subject"], Stream()).append(record)

    def close(self):
        """Of each subject, in order, the size as of which it is complete, or nothing."""
        if self.count != len(self.places):
            raise Refused("ProvedLineMissing", f"{len(self.places)} are proved, {self.count} are here")
        if set(self.handovers) - set(self.rotations):
            raise Refused("Handover", "a handover is proved, and no record here hands a key on")
        for subject in self.shown:
            if subject not in self.streams:
                raise Refused("CaseIncomplete", f"{subject}: no record of it is here")
        for subject, stream in sorted(self.streams.items()):
            yield subject, self.complete(subject, stream)

    def complete(self, subject, stream):
        shown = self.shown.get(subject)
        if shown is None:
            return None
        sealed = self.seals.get(shown[0]["seal"])
        if sealed is None:
            raise Refused("SealMissing", subject)
        stated = list(enumerate(sealed["runs"]))
        for proof in shown:
            number, run = stated.pop() if stated else (None, {})
            if (proof["run"], proof["count"], proof["root"]) != (number, run.get("count"), run.get("root")):
                raise Refused("OtherRun", f"{subject}: run {proof['run']}")
        own = shown[-1]["own"]
        if own is None:
            raise Refused("OtherRun", f"{subject}: the run that holds it is not shown")
        present = all(revision in stream.entries for revision in range(min(own["revision"], len(stream.entries)) + 1))
        if not present or stream.entries.get(own["revision"]) != decode_hash(own["leaf"]):
            raise Refused("CaseIncomplete", f"{subject}: revisions 0 to {own['revision']} are not all here")
        if stream.sequences.get(own["revision"] + 1, sealed["size"]) < sealed["size"]:
            raise Refused("SealOlder", f"{subject}: a newer record stands before the seal's size")
        return sealed["size"]


def held(proof):
    """The subject's own entry, or none where its neighbours leave no room for one."""
    subject, count = proof["subject"], proof["count"]
    match [(entry["index"], entry["subject"]) for entry in proof["entries"]]:
        case [(_, name)] if name == subject:
            return proof["entries"][0]
        case [(0, name)] if name > subject:
            return None
        case [(index, name)] if index + 1 == count and name < subject:
            return None
        case [(index, name), (after, other)] if index + 1 == after and name < subject < other:
            return None
    raise Refused("RunShowsNothing", f"{subject}: run {proof['run']}")
