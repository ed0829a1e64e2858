"""Records: one line in itself, and a line in its place in the log."""

import datetime
import re
import unicodedata
import uuid

import canonical
from note import is_name
from refused import Refused
from tree import EMPTY, decode_hash, leaf_hash

RECORD_BYTES_MAX = 65_535
SUBJECT_BYTES_MAX = 1024
LABEL_BYTES_MAX = 1024

TEXTS = ("actor", "id", "revision", "sequence", "source", "specversion", "subject", "surface", "time", "type")
OPTIONAL_TEXTS = ("causationid", "correlationid", "traceparent", "workspace")
HASHES = ("previous", "subjectprevious")

ID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIME = re.compile("([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\\.[0-9]{6}Z")
TENANT = re.compile("[a-z0-9][a-z0-9._-]{0,62}")
PLAIN = "A-Za-z0-9._~:@%-"
SUBJECT = re.compile(f"[a-z-]+/[{PLAIN}/]+")
ACTOR = re.compile(f"system|(adapter|agent|user):[{PLAIN}]+")
TYPE = re.compile(r"[a-z]+\.[a-z]+\.v[1-9][0-9]*")


class Record:
    """A line that is well-formed in itself."""

    def __init__(self, line):
        if len(line) > RECORD_BYTES_MAX:
            raise Refused("TooLong")
        self.leaf = leaf_hash(line)
        self.fields = fields = canonical.check(line)
        check_shape(fields)
        check_positions(fields)
        check_names(fields)
        if not TYPE.fullmatch(fields["type"]):
            raise Refused("BadType")
        if not isinstance(fields["data"], dict):
            raise Refused("BadData", "data is not an object")
        self.sequence = int(fields["sequence"])
        self.revision = int(fields["revision"])
        self.id = uuid.UUID(fields["id"]).int
        self.time = fields["time"]
        self.previous = decode_hash(fields["previous"])
        before = fields.get("subjectprevious")
        self.subject_previous = decode_hash(before) if before else None


def check_shape(fields):
    """Every attribute is there, is known, and is of its JSON type."""
    if not isinstance(fields, dict):
        raise Refused("Shape", "not an object")
    if isinstance(fields.get("time"), str) and not is_time(fields["time"]):
        raise Refused("BadTime")
    for name in (*TEXTS, "previous", "data"):
        if name not in fields:
            raise Refused("Shape", f"{name} is missing")
    for name, value in fields.items():
        if name in HASHES:
            check_hash(name, value)
        elif name in TEXTS + OPTIONAL_TEXTS:
            if not isinstance(value, str):
                raise Refused("Shape", f"{name} is not a string")
        elif name != "data":
            raise Refused("Shape", f"{name} is not an attribute")


def check_hash(name, value):
    try:
        decode_hash(value)
    except (Refused, TypeError) as error:
        raise Refused("Shape", f"{name} is not a hash") from error


def is_time(text):
    found = TIME.fullmatch(text)
    try:
        # strptime lets a leap second pass, which has no microsecond of its own.
        return bool(found and datetime.datetime.strptime(found[1], "%Y-%m-%dT%H:%M:%S")) and text[17] < "6"
    except ValueError:
        return False


def check_positions(fields):
    if not ID.fullmatch(fields["id"]):
        raise Refused("BadId")
    if not re.fullmatch("[0-9]{16}", fields["sequence"]):
        raise Refused("BadSequence")
    if not re.fullmatch("0|[1-9][0-9]*", fields["revision"]) or int(fields["revision"]) >= 2**53:
        raise Refused("BadRevision")
    if fields["specversion"] != "1.0":
        raise Refused("BadSpecVersion")
    if ("subjectprevious" in fields) != (fields["revision"] != "0"):
        raise Refused("BadSubjectPrevious")


def check_names(fields):
    if not is_origin(fields["source"]):
        raise Refused("BadOrigin")
    if not SUBJECT.fullmatch(fields["subject"]) or len(fields["subject"]) > SUBJECT_BYTES_MAX:
        raise Refused("BadSubject")
    if not ACTOR.fullmatch(fields["actor"]) or len(fields["actor"]) > SUBJECT_BYTES_MAX:
        raise Refused("BadActor")
    if not is_label(fields["surface"]):
        raise Refused("BadSurface")
    for name in ("causationid", "correlationid", "traceparent"):
        if name in fields and not is_label(fields[name]):
            raise Refused("BadExtension")
    if "workspace" in fields and not TENANT.fullmatch(fields["workspace"]):
        raise Refused("BadTenant")


def is_origin(text):
    name, tenant, *generation = text.split("/") if "/" in text else (text, "")
    numbered = not generation or (len(generation) == 1 and re.fullmatch("[1-9][0-9]*", generation[0]))
    above_one = not generation or 1 < int(generation[0] if numbered else 0) < 2**53
    return is_name(name) and bool(TENANT.fullmatch(tenant) and numbered and above_one)


def is_label(text):
    return 0 < len(text.encode()) <= LABEL_BYTES_MAX and all(unicodedata.category(each) != "Cc" for each in text)


class Log:
    """What the next record of a log must link to. Keeps one entry a subject."""

    def __init__(self):
        self.next = 0
        self.previous = EMPTY
        self.id = 0
        self.time = ""
        self.origin = None
        self.origins = []
        self.signer = None
        self.subjects = {}

    def append(self, record):
        self.check_chain(record)
        self.check_origin(record)
        self.check_subject(record)
        self.next, self.previous = record.sequence + 1, record.leaf
        self.id, self.time = record.id, record.time
        self.subjects[record.fields["subject"]] = record.revision, record.leaf

    def check_chain(self, record):
        if record.sequence != self.next:
            raise Refused("SequenceGap", f"{record.sequence} where {self.next} must stand")
        if record.previous != self.previous:
            raise Refused("BadPrevious", "previous is not the leaf hash of the record before; one of the two was changed")
        if record.id <= self.id:
            raise Refused("IdNotIncreasing")
        if record.time < self.time:
            raise Refused("TimeGoesBack")

    def check_origin(self, record):
        kind, source, body = (record.fields[name] for name in ("type", "source", "data"))
        if (kind == "log.opened.v1") != (record.sequence == 0):
            raise Refused("BadOpening")
        if kind == "log.opened.v1" and body.get("origin") != source:
            raise Refused("BadOpening")
        if kind == "log.restored.v1":
            if (body.get("origin"), body.get("previous_origin")) != (source, self.origin):
                raise Refused("OtherOrigin")
        elif record.sequence > 0 and source != self.origin:
            raise Refused("OtherOrigin")
        if source != self.origin:
            self.origin, self.signer = source, body.get("signer")
            self.origins.append(source)

    def check_subject(self, record):
        revision, leaf = self.subjects.get(record.fields["subject"], (-1, None))
        if record.revision != revision + 1:
            raise Refused("RevisionGap")
        if record.subject_previous != leaf:
            raise Refused("BadSubjectPrevious")
