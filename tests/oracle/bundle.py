"""A bundle of a log or of a part of one: read as a directory or a tar, and judged against a key that the auditor brought."""

import json
import pathlib
import re
import tarfile

from actor import Signatures, Unknown
from attachment import Attachments
from disclosure import Disclosures
from note import Checkpoint, Note
from part import Part
from record import RECORD_BYTES_MAX, Log, Record
from refused import Refused
from signer import Signers
from tree import Roots, encode_hash

HOLDS, FALSE, NOT_JUDGED = 0, 1, 2
FORMAT = 1

# In the order in which they stand in a tar.
MEMBERS = (
    r"bundle\.json",
    r"checkpoint",
    r"checkpoints/(0|[1-9][0-9]*)",
    r"timestamps/(0|[1-9][0-9]*)\.tsr",
    r"proofs\.jsonl",
    r"records\.jsonl",
    r"disclosures\.jsonl",
    r"attachments/[0-9a-f]{64}",
    r"schemas/[a-z]+\.[a-z]+\.v[1-9][0-9]*\.json",
)


class NotJudged(Exception):
    """The bundle could not be judged."""


def judge(path, keys, kept=None, say=print, actors=(), partial=False, compromised=()):
    """Judges a bundle; `kept` is the text of a checkpoint that the auditor kept. Answers the exit code."""
    try:
        judged = Judgement(keys, kept, actors, partial, compromised)
        for place, name, content in members(pathlib.Path(path)):
            judged.member(place, name, content)
        for line in judged.close():
            say(line)
    except Refused as error:
        say(f"false: {error}")
        return FALSE
    except (NotJudged, Unknown, OSError, tarfile.TarError, EOFError, UnicodeDecodeError) as error:
        say(f"not judged: {error}")
        return NOT_JUDGED
    say("holds")
    return HOLDS


def members(path):
    """(place in the order, name, open file) of each member, in order."""
    if path.is_dir():
        files = [(place_of(name), name, each) for name, each in files_below(path)]
        for place, name, each in sorted(files):
            with each.open("rb") as content:
                yield place, name, content
        return
    before = None
    with tarfile.open(path, "r|") as archive:
        for entry in archive:
            if entry.isdir():
                continue
            name = entry.name.removeprefix("./")
            if not entry.isreg():
                raise NotJudged(f"{name} is not a plain file")
            place = place_of(name)
            if before is not None and place <= before:
                raise NotJudged(f"{name} stands out of order, or twice")
            before = place
            yield place, name, archive.extractfile(entry)


def files_below(path):
    for each in path.rglob("*"):
        if each.is_symlink() or not (each.is_file() or each.is_dir()):
            raise NotJudged(f"{each} is not a plain file")
        if each.is_file():
            yield each.relative_to(path).as_posix(), each


def place_of(name):
    for place, pattern in enumerate(MEMBERS):
        found = re.fullmatch(pattern, name)
        if found:
            numbered = pattern.startswith(("checkpoints", "timestamps"))
            return place, int(found[1]) if numbered else 0, name
    raise NotJudged(f"{name} is not a member of a bundle")


class Judgement:
    """What is known after each member."""

    def __init__(self, keys, kept, actors, partial, compromised):
        if not keys:
            raise NotJudged("no trusted key was given")
        self.keys = keys
        self.partial, self.is_part, self.part = partial, False, None
        self.seen = set()
        self.passed_over = set()
        self.unjudged = []
        self.note = self.checkpoint = None
        self.kept_note = None
        self.kept = self.read_kept(kept) if kept is not None else None
        self.older, self.older_roots = {}, {}
        self.signers = Signers(keys, compromised)
        self.kept_root = None
        self.log, self.roots = Log(), Roots()
        self.signatures = Signatures(actors)
        self.disclosures, self.attachments = Disclosures(), Attachments()

    def read_kept(self, kept):
        """The older checkpoint, if it can be read and says anything; whether it is trusted is seen at the end."""
        try:
            self.kept_note = Note(kept)
            checkpoint = Checkpoint(self.kept_note.text)
        except Refused as error:
            self.unjudged.append(f"the older checkpoint is not trusted: {error}")
            return None
        if checkpoint.size == 0:
            self.unjudged.append("the older checkpoint covers no record: nothing to compare")
            return None
        return checkpoint

    def member(self, place, name, content):
        self.seen.add(name)
        if name == "bundle.json":
            self.manifest(content.read())
        elif name == "checkpoint":
            self.read_checkpoint(content.read())
        elif name.startswith("checkpoints/"):
            self.older[int(name.split("/")[1])] = content.read().decode("utf-8")
        elif name == "proofs.jsonl" and self.is_part:
            self.require("checkpoint")
            self.part = Part(self.checkpoint)
            self.part.proofs(content)
        elif name == "records.jsonl" and self.is_part:
            self.require("bundle.json", "checkpoint", "proofs.jsonl")
            self.signers.is_part = self.signatures.is_part = True
            self.part.records(content, self.hear_part)
        elif name == "records.jsonl":
            self.require("bundle.json", "checkpoint")
            self.records(content)
        elif name == "disclosures.jsonl":
            self.require("records.jsonl")
            self.disclosures.read(content)
        elif name.startswith("attachments/"):
            self.require("records.jsonl")
            self.attachments.member(name.removeprefix("attachments/"), content)
        elif not name.startswith("schemas/"):
            self.passed_over.add(re.split("[/.]", name)[0])

    def manifest(self, content):
        try:
            manifest = json.loads(content)
            newer, first, part = manifest["format"] > FORMAT, manifest["first"], manifest.get("filter")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise NotJudged(f"bundle.json cannot be read: {error}") from error
        if newer:
            raise NotJudged(f"format {manifest['format']} is newer than this program")
        self.is_part = first != 0 or part is not None
        if self.is_part and not self.partial:
            raise NotJudged("the bundle says that it is a part of a log, and nobody asked for one (--partial)")

    def read_checkpoint(self, content):
        try:
            self.note = Note(content.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise Refused("checkpoint", "not UTF-8") from error
        self.checkpoint = Checkpoint(self.note.text)

    def records(self, content):
        while line := content.readline(RECORD_BYTES_MAX + 2):
            if not line.endswith(b"\n"):
                raise Refused("TooLong" if len(line) > RECORD_BYTES_MAX else "NoLineFeed", f"record {self.roots.size}")
            try:
                record = Record(line[:-1])
                self.log.append(record)
                self.hear(record)
            except Refused as error:
                raise Refused(error.rule, f"record {self.roots.size}: {error.detail or 'broken'}") from error
            self.beside(self.roots.size, line)
            self.roots.append(record.leaf)
            if self.kept and self.roots.size == self.kept.size:
                self.kept_root = self.roots.root()
            if self.roots.size in self.older:
                self.older_roots[self.roots.size] = self.roots.root()

    def beside(self, sequence, line):
        """What a record says of things that are kept beside it."""
        self.disclosures.record(sequence, line)
        try:
            self.attachments.record(line)
        except (KeyError, TypeError, AttributeError) as error:
            raise Refused("BadData", f"no body of its type: {error}") from error

    def hear(self, record):
        try:
            self.signatures.hear(record)
            self.signers.hear(record)
        except (KeyError, TypeError) as error:
            raise Refused("BadData", f"no body of its type: {error}") from error

    def hear_part(self, record, line):
        self.beside(record.sequence, line)
        try:
            self.signatures.hear(record)
            self.signers.hear(record)
        except (KeyError, TypeError) as error:
            raise Refused("BadData", f"record {record.sequence}: no body of its type: {error}") from error

    def require(self, *names):
        for name in names:
            if name not in self.seen:
                raise NotJudged(f"{name} is missing")

    def close(self):
        """What only the whole can tell; answers the lines of the report."""
        self.require("bundle.json", "checkpoint", "records.jsonl")
        if self.is_part:
            yield from self.close_part()
            return
        if self.roots.size == 0:
            raise NotJudged("there are no records")
        self.check_size()
        if self.roots.root() != self.checkpoint.root:
            raise Refused("RootMismatch", "the records are not those that were signed")
        if self.checkpoint.origin != self.log.origin:
            raise Refused("OtherOrigin", f"the checkpoint is of {self.checkpoint.origin}")
        self.signers.follow(self.older, lambda sequence, checkpoint: self.older_roots[sequence + 1] == checkpoint.root)
        signer = self.signer()
        if signer and not self.signers.names(signer):
            raise Refused("OtherSigner", f"the log names {self.log.signer} as its signer")
        self.check_kept()
        if self.unjudged:
            raise NotJudged("; ".join(self.unjudged))
        yield f"records: {self.roots.size}, each canonical, linked and in order"
        yield f"tree: root {encode_hash(self.checkpoint.root)}"
        yield f"checkpoint: {self.checkpoint.origin}, signed by {signer.text}"
        yield f"signer: {len(self.signers.terms)} keys, each handed on by the one before"
        yield f"older checkpoint: {'is of this history' if self.kept else 'not made, none was given'}"
        yield from self.close_signatures()
        yield from self.close_disclosures()

    def close_part(self):
        """What only the whole of a part can tell."""
        if self.part.count == 0:
            raise NotJudged("there are no records")
        subjects = list(self.part.close())
        self.signers.follow(self.older, self.part.is_handed_over)
        signer = self.signer()
        if self.kept:
            self.unjudged.append("a part of a log does not show what an older checkpoint covers")
        missing = self.signatures.missing
        if self.signatures.brought and missing:
            self.unjudged.append(f"signatures of records {missing}: their keys, or what they answer, are not in this part")
        if self.unjudged:
            raise NotJudged("; ".join(self.unjudged))
        yield f"records: {self.part.count}, each canonical and in the tree of {self.checkpoint.size}"
        yield f"checkpoint: {self.checkpoint.origin}, signed by {signer.text}"
        for subject, size in subjects:
            yield f"{subject}: " + ("not shown to be complete" if size is None else f"complete as of size {size}")
        yield from self.close_signatures()
        if missing:
            yield f"not made: signatures of records {missing}"
        yield from self.close_disclosures()

    def close_signatures(self):
        heard = self.signatures
        yield f"answers: {heard.by_auditor} signed by a key that was brought, {heard.by_log} by a key of the log's, {heard.unsigned} not signed"
        reports = heard.reports
        yield f"reports: {reports.by_auditor} signed by a key that was brought, {reports.by_log} by a key of the log's; {reports.all} in all, {reports.noted} noted as badly signed"

    def close_disclosures(self):
        shown, all_of_them = self.disclosures.shown, len(self.disclosures.standing)
        yield f"disclosures: {shown} shown, {all_of_them - shown} withheld or erased"
        yield self.attachments.close()
        yield "not made: bodies by type, decisions" + "".join(f", {name}" for name in sorted(self.passed_over))

    def check_size(self):
        if self.roots.size != self.checkpoint.size:
            raise Refused("Incomplete", f"{self.roots.size} records, and {self.checkpoint.size} are signed")

    def signer(self):
        """The log's own key, one that was brought or that one of those handed on, if it signed the checkpoint."""
        try:
            return self.signers.signer(self.note, self.checkpoint)
        except Refused as error:
            if error.rule in ("BadSignature", "RetiredKey", "CompromisedKey"):
                raise
            self.unjudged.append(self.signers.gap or f"no key that was brought is the log's: {error}")
            return None

    def check_kept(self):
        if not self.kept:
            return
        try:
            self.signers.signer(self.kept_note, self.kept)
        except Refused as error:
            self.unjudged.append(f"the older checkpoint is not trusted: {error}")
            return
        if self.kept.size > self.checkpoint.size:
            raise Refused("Shorter", f"{self.kept.size} records were signed before, now {self.checkpoint.size}")
        if self.kept.origin not in self.log.origins:
            self.unjudged.append(f"the older checkpoint is of another log, {self.kept.origin}")
        elif self.kept_root != self.kept.root:
            raise Refused("RootMismatch", f"the first {self.kept.size} records are not those of the older checkpoint")
