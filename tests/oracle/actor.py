"""What actors sign: keys that the log registers, answers signed with them, and keys that the auditor brought."""

import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

import canonical
from note import safe_point, verifies_ed25519
from refused import Refused
from tree import decode_base64, encode_hash

APPROVAL = "application/vnd.probity.approval.v1+json"
ED25519 = bytes.fromhex("302a300506032b6570032100")
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
ANSWERS = {"approval.granted.v1": "approve", "approval.denied.v1": "deny"}


class Unknown(Exception):
    """A signature of a kind that this program does not know."""


class ActorKey:
    """A public key, by the base64 of its SubjectPublicKeyInfo."""

    def __init__(self, text):
        self.der = decode_base64(text)
        self.id = hashlib.sha256(self.der).hexdigest()
        if self.der.startswith(ED25519) and len(self.der) == 44 and safe_point(self.der[12:]):
            self.alg = "ed25519"
        elif self.der.startswith(P256) and len(self.der) == 91:
            self.alg = "ES256"
            try:
                load_der_public_key(self.der)
            except ValueError as error:
                raise Refused("ActorKey", "no point of P-256") from error
        else:
            raise Refused("ActorKey", "no key of an actor")

    def verifies(self, message, signature):
        if self.alg == "ed25519":
            return verifies_ed25519(self.der[12:], message, signature)
        try:
            load_der_public_key(self.der).verify(signature, message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


def trusted(text):
    """ACTOR=KEY or ACTOR=KEY@N, as (actor, key, first record)."""
    found = re.fullmatch("([^=]+)=([^@]+)(?:@([0-9]+))?", text)
    if not found:
        raise Refused("ActorKey", "expected ACTOR=KEY")
    return found[1], ActorKey(found[2]), int(found[3] or 0)


def pre_authentication(kind, body):
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(body), body)


class Signatures:
    """Keys in force, decisions that wait, and what was signed."""

    def __init__(self, brought):
        self.brought = brought
        self.log = None
        self.keys = {}
        self.waiting = {}
        self.by_auditor = self.by_log = self.unsigned = 0

    def hear(self, record):
        kind, subject, body = (record.fields[name] for name in ("type", "subject", "data"))
        if kind == "log.opened.v1":
            self.log = body.get("log_id")
        elif kind == "key.registered.v1":
            self.register(subject, body)
        elif kind == "key.revoked.v1":
            self.keys.pop(subject, None)
        elif kind == "decision.made.v1":
            self.waiting[subject] = record.leaf
        elif kind in ANSWERS:
            self.answer(record, ANSWERS[kind], body.get("signature"))

    def register(self, subject, body):
        key = ActorKey(body["key"])
        if (key.id, key.alg) != (body["keyid"], body["alg"]):
            raise Refused("ActorKey", "alg or keyid are not those of the key")
        self.keys[subject] = body["actor"], body["purpose"], key

    def answer(self, record, action, signature):
        actor = record.fields["actor"]
        held = [key.der for whose, key, first in self.brought if whose == actor and first <= record.sequence]
        decision = self.waiting.pop(record.fields["subject"], None)
        if signature is None:
            if held:
                raise Refused("NotSigned", f"{actor} did not sign this")
            self.unsigned += 1
            return
        if signature["alg"] not in ("ed25519", "ES256"):
            raise Unknown(f"a signature by {signature['alg']}")
        key = self.key_of(actor, signature)
        if record.time > signature["expires"]:
            raise Refused("SignatureExpired")
        if decision is None or not key.verifies(self.message(record, action, decision, signature), decode_base64(signature["sig"])):
            raise Refused("BadActorSignature", f"{actor} did not sign this")
        if held and key.der not in held:
            raise Refused("OtherActorKey", f"signed by a key of {actor} that was not brought")
        self.by_auditor += bool(held)
        self.by_log += not held

    def key_of(self, actor, signature):
        for whose, purpose, key in self.keys.values():
            if (whose, purpose, key.id, key.alg) == (actor, "approval", signature["keyid"], signature["alg"]):
                return key
        raise Refused("ActorKeyUnknown", f"no such key of {actor} is in force")

    def message(self, record, action, decision, signature):
        statement = {
            "action": action,
            "decision": encode_hash(decision),
            "expires": signature["expires"],
            "log": self.log,
            "origin": record.fields["source"],
        }
        body = canonical.encode(statement, canonical.as_it_stands)
        return pre_authentication(APPROVAL, body.encode() if isinstance(body, str) else body)
