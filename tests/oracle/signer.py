"""The keys of the log's signer (FORMAT.md, section 12): followed from one that the auditor brought, never backwards."""

from note import Checkpoint, Note, VerifierKey
from refused import Refused

SIGNERS_MAX = 1_000


class Term:
    """A key, the record that names it, and whether no other key handed it on."""

    def __init__(self, key, sequence, begins):
        self.key, self.sequence, self.begins = key, sequence, begins
        self.until = self.limit = None
        self.trusted = False


class Signers:
    """The keys as records name them; after `follow`, which of them are trusted."""

    def __init__(self, keys, compromised=()):
        self.keys, self.known = keys, compromised
        self.is_part = False
        self.terms = []
        self.gap = None

    def hear(self, record):
        kind, body = record.fields["type"], record.fields["data"]
        if kind in ("log.opened.v1", "log.restored.v1"):
            self.terms.append(Term(VerifierKey(body["signer"]), record.sequence, True))
        elif kind == "signer.rotated.v1":
            self.rotate(VerifierKey(body["signer"]), body["previous"], record.sequence)
        elif kind == "signer.compromised.v1":
            self.compromise(body["key"], int(body["last_trusted_size"].literal))

    def rotate(self, key, previous, sequence):
        if key.public is None or key.text in [term.key.text for term in self.terms] or len(self.terms) >= SIGNERS_MAX:
            raise Refused("Rotation", "the new key cannot follow the ones before")

        def is_before(other):
            return (other.name, other.key_id.hex()) == (key.name, previous)

        if not self.terms or not is_before(self.terms[-1].key):
            if not self.is_part:
                raise Refused("Rotation", f"{previous} is not the key in force")
            # Records in between are not here: only a key that was brought can be the one before.
            brought = [other for other in self.keys if is_before(other)]
            if not brought:
                self.terms.append(Term(key, sequence, True))
                return
            self.terms.append(Term(brought[0], 0, True))
        self.terms[-1].until = sequence + 1
        self.terms.append(Term(key, sequence, False))

    def compromise(self, text, size):
        if self.is_part:
            self.known = [*self.known, (text, size)]
            return
        for term, after in zip(self.terms, self.terms[1:]):
            if term.key.text == text and size <= after.sequence + 1:
                term.limit = size if term.limit is None else min(size, term.limit)
                return
        raise Refused("Compromised", "the key is in force, or never signed so many records")

    def follow(self, older, tied):
        """`older` has the texts of the bundle's older checkpoints by size; `tied` says whether a record is the last one under one."""
        brought = [key.text for key in self.keys]
        if not self.terms:
            self.terms = [Term(key, 0, True) for key in self.keys]
        for text, size in self.known:
            for term in self.terms:
                if term.key.text == text:
                    term.limit = size if term.limit is None else min(size, term.limit)
        before = None
        for term in self.terms:
            if not term.begins:
                term.trusted = self.is_handed_over(before, term, older, tied) and self.hands_on(before, term)
            if term.key.text in brought:
                term.trusted, self.gap = True, None
            before = term

    def is_handed_over(self, before, term, older, tied):
        size, at = term.sequence + 1, f"record {term.sequence}"
        if size not in older:
            if self.is_part:
                return False
            raise Refused("Handover", f"{at}: there is no checkpoint of size {size}")
        note = Note(older[size])
        checkpoint = Checkpoint(note.text)
        shown = tied(term.sequence, checkpoint)
        if shown is None:
            return False
        if (checkpoint.origin, checkpoint.size) != (term.key.name, size) or not shown:
            raise Refused("Handover", f"{at}: the checkpoint of size {size} is of other records")
        for key in (before.key, term.key):
            try:
                note.verify([key])
            except Refused as error:
                raise Refused("Handover", f"{at}: it is not signed by {key.key_id.hex()}") from error
        return True

    def hands_on(self, before, term):
        if not before.trusted:
            return False
        if before.limit is not None and before.limit < term.sequence + 1:
            self.gap = f"{before.key.text} is trusted up to size {before.limit} only: bring a later key"
            return False
        self.gap = None
        return True

    def signer(self, note, checkpoint):
        """The key that signed a checkpoint: one that is trusted for its size, or one that was brought and is not named."""
        good, distrusted = None, None
        for term in self.terms:
            if not term.trusted or term.key.name != checkpoint.origin:
                continue
            try:
                note.verify([term.key])
            except Refused as error:
                if error.rule == "NoTrustedKey":
                    continue
                raise
            if term.until is not None and checkpoint.size > term.until:
                raise Refused("RetiredKey", f"record {term.until - 1} took {term.key.text} out of force")
            if term.limit is not None and checkpoint.size > term.limit:
                distrusted = term
            else:
                good = term.key
        if good:
            return good
        if distrusted:
            raise Refused("CompromisedKey", f"{distrusted.key.text} is trusted up to size {distrusted.limit}")
        return checkpoint.signer(note, self.keys)

    def names(self, key):
        return key.text in [term.key.text for term in self.terms]
