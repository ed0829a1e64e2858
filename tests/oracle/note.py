"""Verifier keys, signed notes, checkpoints and receipts (C2SP), with Ed25519 from the `cryptography` package.

Keys of small order, keys that are not canonically encoded, and signatures whose R is such a point are refused here by
plain arithmetic, because that package lets them pass.
"""

import hashlib
import re
import unicodedata

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from refused import Refused
from tree import EMPTY, PROOF_HASHES_MAX, decode_base64, decode_hash, verify_inclusion

NAME_BYTES_MAX = 255
NOTE_BYTES_MAX = 1_000_000
NOTE_SIGNATURES_MAX = 64
TIME_BYTES = 8
TREE_SIZE_MAX = 2**63
ED25519, COSIGNATURE, ML_DSA_44 = 0x01, 0x04, 0x06
TYPES = (ED25519, 0x02, COSIGNATURE, 0x05, ML_DSA_44, 0xFF)

FIELD = 2**255 - 19
CURVE_D = -121665 * pow(121666, -1, FIELD) % FIELD


def safe_point(encoded):
    """Whether 32 bytes are the canonical encoding of a point that is not of small order."""
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    if y >= FIELD:
        return False
    x = square_root((y * y - 1) * pow(CURVE_D * y * y + 1, -1, FIELD) % FIELD)
    if x is None:
        return False
    for _ in range(3):
        x, y = double(x, y)
    return (x, y) != (0, 1)


def square_root(square):
    root = pow(square, (FIELD + 3) // 8, FIELD)
    if root * root % FIELD != square:
        root = root * pow(2, (FIELD - 1) // 4, FIELD) % FIELD
    return root if root * root % FIELD == square else None


def double(x, y):
    product = CURVE_D * x * x * y * y
    twice_x = 2 * x * y * pow(1 + product, -1, FIELD)
    twice_y = (y * y + x * x) * pow(1 - product, -1, FIELD)
    return twice_x % FIELD, twice_y % FIELD


def is_name(name):
    refused = any(each.isspace() or unicodedata.category(each) == "Cc" or each == "+" for each in name)
    return 0 < len(name.encode()) <= NAME_BYTES_MAX and not refused


class VerifierKey:
    """A key that an auditor brought."""

    def __init__(self, text):
        parts = text.split("+", 2)
        if len(parts) != 3 or not re.fullmatch("[0-9a-f]{8}", parts[1]):
            raise Refused("Shape")
        self.text, self.name, self.key_id = text, parts[0], bytes.fromhex(parts[1])
        if not is_name(self.name):
            raise Refused("Name")
        typed = decode_base64(parts[2])
        if not typed:
            raise Refused("Length")
        if typed[0] not in TYPES:
            raise Refused("UnknownType")
        signed = typed[1:] if typed[0] == 0x02 else self.name.encode() + b"\n" + typed
        if hashlib.sha256(signed).digest()[:4] != self.key_id:
            raise Refused("KeyId")
        self.type = typed[0]
        self.public = typed[1:] if typed[0] in (ED25519, COSIGNATURE) else None
        if self.public is not None and len(self.public) != 32:
            raise Refused("Length")
        if self.public is not None and not safe_point(self.public):
            raise Refused("UnsafeKey")

    def verifies(self, text, signature):
        """Whether this is the key's signature over a note's text; a witness signs the time with it."""
        if self.type == COSIGNATURE:
            time, signature = signature[:TIME_BYTES], signature[TIME_BYTES:]
            text = b"cosignature/v1\ntime %d\n" % int.from_bytes(time, "big") + text
        return verifies_ed25519(self.public, text, signature)


def verifies_ed25519(public, message, signature):
    if len(signature) != 64 or not safe_point(signature[:32]):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


class Note:
    """A signed note; `signatures` are (name, key id, signature), none of them verified."""

    def __init__(self, text):
        if len(text.encode()) > NOTE_BYTES_MAX:
            raise Refused("TooLong")
        if re.search("[\x00-\x09\x0b-\x1f]", text):
            raise Refused("ControlCharacter")
        body, empty_line, lines = text.rpartition("\n\n")
        if not empty_line or not lines.endswith("\n"):
            raise Refused("NoSignatures")
        lines = lines[:-1].split("\n")
        if len(lines) > NOTE_SIGNATURES_MAX:
            raise Refused("TooManySignatures")
        self.text = body + "\n"
        self.signatures = [self.signature(line) for line in lines]

    @staticmethod
    def signature(line):
        found = re.fullmatch("\u2014 ([^ ]+) ([^ ]+)", line)
        if not found or not is_name(found[1]):
            raise Refused("BadSignatureLine")
        try:
            blob = decode_base64(found[2])
        except Refused as error:
            raise Refused("BadSignatureLine") from error
        if len(blob) < 5:
            raise Refused("BadSignatureLine")
        return found[1], blob[:4], blob[4:]

    def verify(self, keys):
        """The keys among `keys` that signed; a false signature by one of them spoils the note."""
        verified = []
        for key, _ in self.signed_by(keys):
            if key not in verified:
                verified.append(key)
        if not verified:
            raise Refused("NoTrustedKey")
        return verified

    def signed_by(self, keys):
        """Each signature by a key among `keys`, with that key."""
        for name, key_id, signature in self.signatures:
            named = {key.text: key for key in keys if (key.name, key.key_id) == (name, key_id)}
            if len(named) > 1:
                raise Refused("AmbiguousKey")
            for key in named.values():
                if key.public is None:
                    continue
                if not key.verifies(self.text.encode(), signature):
                    raise Refused("BadSignature", name)
                yield key, signature


class Checkpoint:
    """Three lines: origin, size, root."""

    def __init__(self, text):
        lines = text.split("\n")
        if len(lines) != 4 or lines[3]:
            raise Refused("Shape")
        self.origin, size, root, _ = lines
        if not 0 < len(self.origin.encode()) <= NAME_BYTES_MAX:
            raise Refused("Origin")
        self.size = decimal(size, "Size", TREE_SIZE_MAX)
        try:
            self.root = decode_hash(root)
        except Refused as error:
            raise Refused("Root") from error
        if self.size == 0 and self.root != EMPTY:
            raise Refused("EmptyRoot")

    def signer(self, note, keys):
        """The log's own key among `keys`, if it signed the note around this checkpoint."""
        for key in note.verify(keys):
            if key.type == ED25519 and key.name == self.origin:
                return key
        raise Refused("NotByTheLog")


def decimal(text, rule, most=2**64 - 1):
    if not re.fullmatch("0|[1-9][0-9]*", text) or int(text) > most:
        raise Refused(rule)
    return int(text)


class Receipt:
    """A tlog-proof: index, inclusion proof and checkpoint."""

    def __init__(self, text):
        head, empty_line, note = text.partition("\n\n")
        lines = head.split("\n")
        if not empty_line or lines.pop(0) != "c2sp.org/tlog-proof@v1":
            raise Refused("Shape")
        if lines and lines[0].startswith("extra "):
            self.pass_over(lines.pop(0)[6:])
        if not lines or not lines[0].startswith("index "):
            raise Refused("Shape")
        self.index = decimal(lines.pop(0)[6:], "Index")
        self.proof = []
        for line in lines:
            if len(self.proof) == PROOF_HASHES_MAX:
                raise Refused("TooManyHashes")
            self.proof.append(self.hash(line))
        self.note = within("Note", Note, note)

    @staticmethod
    def pass_over(extra):
        try:
            decode_base64(extra)
        except Refused as error:
            raise Refused("Shape") from error

    @staticmethod
    def hash(line):
        try:
            return decode_hash(line)
        except Refused as error:
            raise Refused("Hash") from error

    def verify(self, leaf, keys):
        checkpoint = within("Checkpoint", Checkpoint, self.note.text)
        within("Checkpoint", checkpoint.signer, self.note, keys)
        within("Proof", verify_inclusion, self.index, checkpoint.size, leaf, self.proof, checkpoint.root)


def within(rule, step, *arguments):
    """Runs a step whose refusal is, for the one who asks, of another name."""
    try:
        return step(*arguments)
    except Refused as error:
        raise Refused(rule, str(error)) from error
