"""What actors sign: keys that the log registers, answers and reports signed with them, and keys that the auditor brought."""

import datetime
import decimal
import hashlib
import re
import urllib.parse

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
SKEW_SECONDS = 300
PLAIN = "~:@"
TIME = re.compile("([0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.]([0-9]+))?(Z|[+-][0-9]{2}:[0-9]{2})")
OUTCOMES = {"tool_execution_completed": "completed", "tool_execution_failed": "failed"}
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


class Reports:
    """Reports that say they are signed by their producer."""

    def __init__(self):
        self.skew = SKEW_SECONDS
        self.told = set()
        self.all = self.noted = self.by_auditor = self.by_log = 0

    def check(self, record, proof):
        """What the record shows by itself; the key that signed."""
        try:
            return self.checked(record, proof)
        except (KeyError, TypeError, AttributeError) as error:
            raise Refused("ReportShape", str(error)) from error

    @staticmethod
    def checked(record, proof):
        try:
            payload, key = proof["payload"], signed(proof)
        except Refused as error:
            if error.rule == "Algorithm":
                raise Unknown(f"a signature by {proof['alg']}") from error
            raise Refused("BadReportSignature", str(error)) from error
        producer = "adapter:" + urllib.parse.quote(payload["adapter_id"], safe=PLAIN)
        if producer != record.fields["actor"] or payload["tenant_id"] != record.fields["source"].split("/")[1]:
            raise Refused("ReportElsewhere", "signed by another producer, or for another tenant")
        said = REPORTS[record.fields["type"]](record.fields["data"], payload, proof["payload_type"])
        for part, (recorded, stated) in said.items():
            if recorded != stated:
                raise Refused("ReportTold", f"{part} is not what was signed")
        return key

    def once(self, record, proof):
        issued, time = moment(proof["issued_at"]), moment(record.fields["time"])
        if abs(issued - time) > self.skew * 1_000_000:
            raise Refused("ReportExpired")
        if envelope(proof) in self.told:
            raise Refused("ReportReplayed")
        self.told.add(envelope(proof))


def signed(proof):
    """The key that signed, if it did; the rules are those of FORMAT.md."""
    if any(len(proof[name].encode()) > 256 for name in ("adapter_version", "issued_at", "sig")):
        raise Refused("TooLong")
    if proof["alg"] not in ("ed25519", "ES256"):
        raise Refused("Algorithm", proof["alg"])
    try:
        key = ActorKey(proof["key"])
    except Refused as error:
        raise Refused("Key") from error
    if key.alg != proof["alg"]:
        raise Refused("Key", "of another algorithm")
    named = ("adapter_id", "execution_id", "tenant_id", "trace_id")
    if not all(isinstance(proof["payload"].get(name), str) for name in named):
        raise Refused("Payload")
    if not key.verifies(envelope(proof), decode_base64(proof["sig"])):
        raise Refused("False", "not signed by this key")
    return key


def envelope(proof):
    """The bytes that a producer signs."""
    payload = proof["payload"]
    header = {
        "adapter_id": payload["adapter_id"],
        "adapter_version": proof["adapter_version"],
        "envelope_version": "v1",
        "execution_id": payload["execution_id"],
        "issued_at": proof["issued_at"],
        "payload_hash": "sha256:" + hashlib.sha256(as_bytes(payload)).hexdigest(),
        "payload_type": proof["payload_type"],
        "trace_id": payload["trace_id"],
    }
    return as_bytes(header)


def as_bytes(value):
    text = canonical.encode(value, canonical.as_it_stands)
    return text.encode() if isinstance(text, str) else text


def moment(text):
    """Microseconds since 1970 of an RFC 3339 time; further digits are dropped."""
    found = TIME.fullmatch(text.upper())
    if not found:
        raise Refused("ReportTime", text)
    whole = datetime.datetime.fromisoformat(found[1] + ("+00:00" if found[3] == "Z" else found[3]))
    return int(whole.timestamp()) * 1_000_000 + int((found[2] or "").ljust(6, "0")[:6])


def units(number, places):
    """A JSON number in units of 10^-places, rounded half up; zero if there is none."""
    scaled = decimal.Decimal(number.literal if number else 0).scaleb(places)
    return int(scaled.to_integral_value(decimal.ROUND_HALF_UP))


def ids(body, payload, kind, expected):
    return {
        "type": (kind, expected),
        "execution": (body["execution"], payload["execution_id"]),
        "trace": (body["trace"], payload["trace_id"]),
    }


def audit(body, payload, kind):
    return ids(body, payload, kind, "audit") | {
        "event": (body["event"], payload["event_type"]),
        "message": (body.get("message"), payload.get("message")),
        "occurred": (moment(body["occurred"]), moment(payload["occurred_at"])),
        "body": (as_bytes(body.get("body")), as_bytes(payload.get("event_data"))),
    }


def outcome(body, payload, kind):
    return audit(body, payload, kind) | {"status": (OUTCOMES.get(body["event"]), body["status"])}


def violation(body, payload, kind):
    if kind == "audit":
        said = body["message"]
        rest = ": " + payload["message"] if "message" in payload else ""
        return ids(body, payload, kind, "audit") | {
            "violation": (body["violation"], "outcome_without_allow"),
            "event": (payload["event_type"] in OUTCOMES and said.startswith(payload["event_type"] + " ("), True),
            "message": (said.endswith(rest), True),
            "occurred": (moment(body["occurred"]), moment(payload["occurred_at"])),
            "body": (as_bytes(body.get("body")), as_bytes(payload.get("event_data"))),
        }
    return ids(body, payload, kind, "violations") | {
        "violation": (body["violation"], payload["violation_type"]),
        "message": (body["message"], payload["message"]),
        "occurred": (moment(body["occurred"]), moment(payload["occurred_at"])),
        "body": (as_bytes(body.get("body")), as_bytes(payload.get("data"))),
    }


def cost(body, payload, kind):
    return ids(body, payload, kind, "cost") | {
        "cost": (units(body["cost_micros"], 0), units(payload["cost_usd"], 6)),
        "occurred": (moment(body["occurred"]), moment(payload["recorded_at"])),
        "tokens_in": (units(body["tokens_in"], 0), units(payload.get("input_tokens"), 0)),
        "tokens_out": (units(body["tokens_out"], 0), units(payload.get("output_tokens"), 0)),
        "model": (body.get("model"), payload.get("model")),
        "provider": (body.get("provider"), payload.get("provider")),
    }


def metric(body, payload, kind):
    return ids(body, payload, kind, "metrics") | {
        "steps": (units(body["steps"], 0), units(payload["step_count"], 0)),
        "duration": (units(body["duration_micros"], 0), units(payload["duration_ms"], 3)),
        "occurred": (moment(body["occurred"]), moment(payload["recorded_at"])),
    }


def trace(body, payload, kind):
    told = payload["trace"]
    usage, optional = told["usage"], lambda read, value: None if value is None else read(value)
    return ids(body, payload, kind, "trace") | {
        "id": (body["trace"], told["id"]),
        "bytes": (units(body["attachment"]["bytes"], 0), len(as_bytes(told))),
        "agent_role": (body.get("agent_role"), told.get("agentRole")),
        "started": (moment(body["started"]), moment(told["startedAt"])),
        "completed": (optional(moment, body.get("completed")), optional(moment, told.get("completedAt"))),
        "duration": (optional(lambda n: units(n, 0), body.get("duration_micros")), optional(lambda n: units(n, 3), told.get("durationMs"))),
        "model": (body["model"], told["model"]),
        "provider": (body["provider"], told["provider"]),
        "error": (body.get("error"), told.get("error")),
        "steps": (units(body["steps"], 0), len(told["steps"])),
        "violations": (units(body["violations"], 0), len(told.get("violations", []))),
        "tokens_in": (units(body["tokens_in"], 0), units(usage["inputTokens"], 0)),
        "tokens_out": (units(body["tokens_out"], 0), units(usage["outputTokens"], 0)),
        "cost": (units(body["cost_micros"], 0), units(usage["totalCost"], 6)),
    }


REPORTS = {
    "outcome.recorded.v1": outcome,
    "trace.ingested.v1": trace,
    "audit.ingested.v1": audit,
    "cost.ingested.v1": cost,
    "metric.ingested.v1": metric,
    "violation.ingested.v1": violation,
}


class Signatures:
    """Keys in force, decisions that wait, and what was signed."""

    def __init__(self, brought):
        self.brought = brought
        self.log = None
        self.keys = {}
        self.waiting = {}
        self.by_auditor = self.by_log = self.unsigned = 0
        self.reports = Reports()
        # Of a part of a log: what was registered or decided in it, and what cannot be judged for want of that.
        self.is_part, self.registered, self.decided, self.missing = False, set(), set(), []

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
            self.decided.add(subject)
        elif kind == "setting.changed.v1" and body["name"] == "telemetry.skew.seconds":
            self.reports.skew = int(body.get("value") or SKEW_SECONDS)
        elif kind in ANSWERS:
            self.answer(record, ANSWERS[kind], body.get("signature"))
        elif kind in REPORTS:
            self.report(record, body.get("signature"))

    def register(self, subject, body):
        key = ActorKey(body["key"])
        if (key.id, key.alg) != (body["keyid"], body["alg"]):
            raise Refused("ActorKey", "alg or keyid are not those of the key")
        self.keys[subject] = body["actor"], body["purpose"], key, body.get("version")
        self.registered.add(key.id)

    def lacks(self, record, keyid, decision=None):
        """Whether a part lacks what it takes to judge a signature; noted if so."""
        if not self.is_part:
            return False
        lacks = keyid not in self.registered or (decision is not None and (self.log is None or decision not in self.decided))
        if lacks:
            self.missing.append(record.sequence)
        return lacks

    def answer(self, record, action, signature):
        actor = record.fields["actor"]
        held = self.held(record)
        decision = self.waiting.pop(record.fields["subject"], None)
        if signature is None:
            if held:
                raise Refused("NotSigned", f"{actor} did not sign this")
            self.unsigned += 1
            return
        if signature["alg"] not in ("ed25519", "ES256"):
            raise Unknown(f"a signature by {signature['alg']}")
        if self.lacks(record, signature["keyid"], record.fields["subject"]):
            return
        key = self.key_of(actor, signature)
        if record.time > signature["expires"]:
            raise Refused("SignatureExpired")
        if decision is None or not key.verifies(self.message(record, action, decision, signature), decode_base64(signature["sig"])):
            raise Refused("BadActorSignature", f"{actor} did not sign this")
        if held and key.der not in held:
            raise Refused("OtherActorKey", f"signed by a key of {actor} that was not brought")
        self.by_auditor += bool(held)
        self.by_log += not held

    def held(self, record):
        actor = record.fields["actor"]
        return [key.der for whose, key, first in self.brought if whose == actor and first <= record.sequence]

    def report(self, record, signature):
        reports, held = self.reports, self.held(record)
        reports.all += 1
        if signature is None or "fault" in signature:
            if held:
                raise Refused("NotSigned", f"{record.fields['actor']} did not sign this")
            reports.noted += signature is not None
            return
        proof = signature["verified"]
        key = reports.check(record, proof)
        if self.lacks(record, key.id):
            return
        speaks = [
            of
            for of in self.keys.values()
            if (of[0], of[1], of[2].der) == (record.fields["actor"], "telemetry", key.der)
            and of[3] in (None, proof["adapter_version"])
        ]
        if not speaks:
            raise Refused("ReportKeyUnknown", "no such key of its producer is in force")
        reports.once(record, proof)
        if held and key.der not in held:
            raise Refused("OtherActorKey", "signed by a key that was not brought")
        reports.by_auditor += bool(held)
        reports.by_log += not held

    def key_of(self, actor, signature):
        for whose, purpose, key, _ in self.keys.values():
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
