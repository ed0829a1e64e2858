"""Witnesses (C2SP tlog-cosignature, tlog-witness, tlog-policy): cosignatures, requests for them, and whom an auditor trusts."""

import re

from note import COSIGNATURE, ED25519, ML_DSA_44, TIME_BYTES, Note, VerifierKey, decimal, within
from refused import Refused
from tree import PROOF_HASHES_MAX, decode_hash

POLICY_BYTES_MAX = 256 * 1024
EACH_MAX = 64
NONE = "none"


def cosigned(note, keys):
    """(name, seconds since the epoch) of each cosignature by a witness among `keys`."""
    signed = note.signed_by(keys)
    return [(key.name, int.from_bytes(signature[:TIME_BYTES], "big")) for key, signature in signed if key.type == COSIGNATURE]


class Request:
    """The body of add-checkpoint."""

    def __init__(self, text):
        head, empty_line, note = text.partition("\n\n")
        old, *lines = head.split("\n")
        if not empty_line or not old.startswith("old "):
            raise Refused("Shape")
        self.old = decimal(old[4:], "OldSize")
        self.proof = []
        for line in lines:
            if len(self.proof) == PROOF_HASHES_MAX:
                raise Refused("TooManyHashes")
            self.proof.append(within("Hash", decode_hash, line))
        self.note = within("Note", Note, note)


class Policy:
    """A policy file: logs, witnesses, groups, and the quorum."""

    def __init__(self, text):
        if len(text.encode()) > POLICY_BYTES_MAX:
            raise Refused("TooLong")
        self.logs, self.witnesses, self.groups = [], {}, {}
        self.placed = set()
        self.quorums = []
        for line in text.split("\n"):
            if re.search("[\x00-\x08\x0a-\x1f\x7f]", line):
                raise Refused("ControlCharacter")
            words = re.findall("[^ \t]+", line)
            if words and not words[0].startswith("#"):
                self.take(*words)
        if not self.quorums:
            raise Refused("Quorum")

    def take(self, kind, *words):
        if kind == "log" and len(words) in (1, 2):
            self.logs.append(self.key(words[0], (ED25519,), self.logs))
            self.at_most(self.logs)
        elif kind == "witness" and len(words) in (2, 3):
            self.new(words[0])
            self.witnesses[words[0]] = self.key(words[1], (COSIGNATURE, ML_DSA_44), self.witnesses.values())
            self.at_most(self.witnesses)
        elif kind == "group" and len(words) > 2:
            self.group(*words)
            self.at_most(self.groups)
        elif kind == "quorum" and len(words) == 1:
            if words[0] != NONE:
                self.known(words[0])
            if self.quorums:
                raise Refused("Quorum")
            self.quorums.append(words[0])
        else:
            raise Refused("Shape")

    @staticmethod
    def key(text, types, others):
        key = within("Key", VerifierKey, text)
        if key.type not in types:
            raise Refused("KeyType")
        same = (key.text == other.text or key.public is not None and key.public == other.public for other in others)
        if any(same):
            raise Refused("DuplicateKey")
        return key

    def group(self, name, threshold, *members):
        self.new(name)
        for member in members:
            self.known(member)
            if member in self.placed:
                raise Refused("MemberTwice")
            self.placed.add(member)
        named = {"all": len(members), "any": 1}
        count = named[threshold] if threshold in named else decimal(threshold, "Threshold")
        if not 1 <= count <= len(members):
            raise Refused("Threshold")
        self.groups[name] = count, members

    def new(self, name):
        if name == NONE or name in self.witnesses or name in self.groups:
            raise Refused("DuplicateName")

    def known(self, name):
        if name not in self.witnesses and name not in self.groups:
            raise Refused("UnknownName")

    @staticmethod
    def at_most(some):
        if len(some) > EACH_MAX:
            raise Refused("TooMany")

    def is_satisfied_by(self, names):
        """Whether the quorum is shown when the witnesses whose keys have these names cosigned."""

        def shown(name):
            if name in self.witnesses:
                return self.witnesses[name].name in names
            count, members = self.groups[name]
            return sum(shown(member) for member in members) >= count

        return self.quorums[0] == NONE or shown(self.quorums[0])
