"""Content beside the records: each has the BLAKE3 hash it is named by, the length its record states, and a record that names it."""

import json
import re

from blake3 import blake3

from refused import Refused

CHUNK = 1 << 20


class Attachments:
    """What records name, and what of it was found."""

    def __init__(self):
        self.named = {}
        self.found = set()
        self.erased = set()

    def record(self, line):
        record = json.loads(line)
        data = record["data"]
        if record["type"] == "trace.ingested.v1":
            references = [data["attachment"]]
        elif record["type"] == "observation.recorded.v1":
            references = data.get("attachments", [])
        elif record["type"] == "personal.erased.v1":
            self.erase(data.get("attachments", []))
            return
        else:
            return
        for reference in references:
            self.name(reference["blake3"], reference["bytes"])

    def erase(self, names):
        """Of what is named again later, that later record counts."""
        if names != sorted(set(names)) or not all(re.fullmatch("[0-9a-f]{64}", name) for name in names):
            raise Refused("attachments.name", "an erasure's attachments are no ascending names")
        self.erased.update(names)

    def name(self, name, length):
        self.erased.discard(name)
        if not re.fullmatch("[0-9a-f]{64}", name):
            raise Refused("attachments.name", name)
        if self.named.setdefault(name, length) != length:
            raise Refused("attachments.length", f"{name}: two records state different lengths")

    def member(self, name, content):
        digest, length = blake3(), 0
        while chunk := content.read(CHUNK):
            digest.update(chunk)
            length += len(chunk)
        if digest.hexdigest() != name:
            raise Refused("attachments.content", f"{name}: the content has another hash")
        if name not in self.named:
            raise Refused("attachments.unnamed", f"{name}: no record names it")
        if self.named[name] != length:
            raise Refused("attachments.length", f"{name}: its record states another length")
        self.found.add(name)

    def close(self):
        missing = set(self.named) - self.found
        erased = missing & self.erased
        told = f"{len(erased)} erased, as records say; " if erased else ""
        return f"attachments: {len(self.found)} have the content their records name; {told}{len(missing) - len(erased)} withheld"
