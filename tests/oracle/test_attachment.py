"""An attachment as its record names it, and changed in every way it can be."""

import io
import json
import unittest

from blake3 import blake3

from attachment import Attachments
from refused import Refused

CONTENT = b"a picture of the screen"
NAME = blake3(CONTENT).hexdigest()
OTHER = blake3(b"other").hexdigest()


def observed(*references):
    named = [{"blake3": name, "bytes": length, "media_type": "image/png"} for name, length in references]
    return json.dumps({"type": "observation.recorded.v1", "data": {"attachments": named, "body": {}, "kind": "shot"}})


def erased(*names):
    return json.dumps({"type": "personal.erased.v1", "data": {"attachments": list(names), "basis": "asked", "disclosures": 0}})


class Attached(unittest.TestCase):
    def setUp(self):
        self.attachments = Attachments()
        self.attachments.record(observed((NAME, len(CONTENT))))

    def refused(self, rule, call, *arguments):
        with self.assertRaises(Refused) as caught:
            call(*arguments)
        self.assertEqual(caught.exception.rule, rule)

    def member(self, name, content):
        self.attachments.member(name, io.BytesIO(content))

    def test_content_of_its_name(self):
        self.assertIn("0 have the content their records name; 1 withheld", self.attachments.close())
        self.member(NAME, CONTENT)
        self.assertIn("1 have the content their records name; 0 withheld", self.attachments.close())

    def test_a_trace_names_one_too(self):
        trace = {"type": "trace.ingested.v1", "data": {"attachment": {"blake3": blake3(b"t").hexdigest(), "bytes": 1}}}
        self.attachments.record(json.dumps(trace))
        self.member(blake3(b"t").hexdigest(), b"t")

    def test_other_content(self):
        for changed in (CONTENT[:-1], CONTENT + b"x", b"b" + CONTENT[1:], b""):
            self.refused("attachments.content", self.member, NAME, changed)

    def test_content_that_nobody_names(self):
        self.refused("attachments.unnamed", self.member, blake3(b"x").hexdigest(), b"x")

    def test_lengths(self):
        self.refused("attachments.length", self.attachments.record, observed((NAME, 1)))
        self.attachments.record(observed((OTHER, 6)))
        self.refused("attachments.length", self.member, OTHER, b"other")

    def test_erased_until_it_is_named_again(self):
        self.attachments.record(erased(*sorted((NAME, OTHER))))
        self.assertIn("0 have the content their records name; 1 erased, as records say; 0 withheld", self.attachments.close())
        self.attachments.record(observed((NAME, len(CONTENT)), (OTHER, 5)))
        self.assertIn("0 have the content their records name; 2 withheld", self.attachments.close())
        for names in ((NAME, NAME), (NAME.upper(),), sorted((NAME, OTHER), reverse=True)):
            self.refused("attachments.name", self.attachments.record, erased(*names))

    def test_names(self):
        for name in (NAME.upper(), NAME[1:], "../" + NAME[3:]):
            self.refused("attachments.name", self.attachments.record, observed((name, 1)))


if __name__ == "__main__":
    unittest.main()
