"""Salted digests of personal values, and what opens them (FORMAT.md, section 8)."""

import base64
import hashlib
import json
import re

import canonical
from refused import Refused

BYTES_MAX = 96 * 1024
SALT_CHARACTERS_MIN = 22
MEMBERS, ELEMENT = "_sd", "..."


def digest_of(text):
    """What stands in a record for this disclosure."""
    return unpadded(hashlib.sha256(text.encode()).digest())


def unpadded(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Disclosure:
    """Salt, perhaps a name, and a value; the value in canonical form."""

    def __init__(self, text):
        if len(text.encode()) > BYTES_MAX:
            raise Refused("TooLong")
        self.digest = digest_of(text)
        content = decode(text)
        try:
            canonical.canonicalize(content)
            parts = json.loads(content)
        except (Refused, ValueError) as error:
            raise Refused("Shape") from error
        if not isinstance(parts, list) or len(parts) not in (2, 3) or not all(isinstance(part, str) for part in parts[:-1]):
            raise Refused("Shape")
        if len(parts[0]) < SALT_CHARACTERS_MIN:
            raise Refused("Salt")
        self.name = parts[1] if len(parts) == 3 else None
        if self.name in (MEMBERS, ELEMENT):
            raise Refused("Reserved")
        self.value = canonical.canonicalize(json.dumps(parts[-1]).encode())

    @property
    def place(self):
        return ELEMENT if self.name is None else MEMBERS


def decode(text):
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise Refused("Base64") from error
    if unpadded(content) != text:
        raise Refused("Base64")
    return content


def digests(value):
    """(digest, place) of each digest in a body."""
    if isinstance(value, dict):
        listed = value.get(MEMBERS)
        if isinstance(listed, list) and all(isinstance(one, str) for one in listed):
            yield from ((one, MEMBERS) for one in listed if is_digest(one))
        for member in value.values():
            yield from digests(member)
    elif isinstance(value, list):
        for element in value:
            if isinstance(element, dict) and list(element) == [ELEMENT] and is_digest(element[ELEMENT]):
                yield element[ELEMENT], ELEMENT
            yield from digests(element)


def is_digest(text):
    """32 bytes as base64url without padding; the last character holds two bits of padding, which are zero."""
    return isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]", text) is not None


BODIES = ("observation.recorded.v1", "audit.ingested.v1", "violation.ingested.v1", "outcome.recorded.v1")


def bodies(record):
    """The parts of a record that somebody else wrote and in which digests may stand."""
    if record["type"] in BODIES:
        return [record["data"].get("body")]
    if record["type"] == "decision.made.v1":
        request = record["data"]["facts"]["request"]
        return [request.get("context"), request.get("metadata")]
    return []


class Disclosures:
    """The digests of a log's records, and which of them were opened."""

    def __init__(self):
        self.standing = {}
        self.shown = 0

    def record(self, sequence, line):
        if b'"_sd":' not in line and b'"...":' not in line:
            return
        record = json.loads(line)
        for body in bodies(record):
            self.standing.update(((sequence, digest), place) for digest, place in digests(body))

    def read(self, content):
        """Checks `disclosures.jsonl`."""
        before = None
        for line in content:
            if not line.endswith(b"\n"):
                raise Refused("NoLineFeed", "disclosures.jsonl")
            canonical.check(line[:-1])
            item = json.loads(line)
            if not isinstance(item, dict) or list(item) != ["disclosure", "sequence"]:
                raise Refused("DisclosureLine", "it has other members")
            now = (item["sequence"], item["disclosure"])
            if type(now[0]) is not int or not isinstance(now[1], str):
                raise Refused("DisclosureLine", "its members are of other types")
            if before is not None and before >= now:
                raise Refused("DisclosureOrder", f"record {now[0]}")
            before = now
            disclosure = Disclosure(now[1])
            if self.standing.get((now[0], disclosure.digest)) != disclosure.place:
                raise Refused("DisclosureDigest", f"{disclosure.digest} does not stand in record {now[0]}")
            self.shown += 1
