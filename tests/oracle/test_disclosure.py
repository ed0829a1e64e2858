"""Where digests stand in records, by their types."""

import json
import unittest

from disclosure import ELEMENT, MEMBERS, Disclosures

FIRST, SECOND = "A" * 43, "B" * 42 + "A"


class Standing(unittest.TestCase):
    def standing(self, kind, data):
        disclosures = Disclosures()
        disclosures.record(7, json.dumps({"type": kind, "data": data}, separators=(",", ":")).encode())
        return disclosures.standing

    def test_in_what_somebody_else_wrote_and_nowhere_else(self):
        body = {"to": {MEMBERS: [FIRST]}, "all": [{ELEMENT: SECOND}]}
        both = {(7, FIRST): MEMBERS, (7, SECOND): ELEMENT}
        for kind in ("observation.recorded", "audit.ingested", "violation.ingested", "outcome.recorded"):
            self.assertEqual(self.standing(f"{kind}.v1", {"body": body}), both, kind)
        self.assertEqual(self.standing("setting.changed.v1", {"body": body}), {})

    def test_in_both_bodies_of_a_request(self):
        request = {"action": "letter", "context": {MEMBERS: [FIRST]}, "metadata": {"all": [{ELEMENT: SECOND}]}}
        made = {"facts": {"request": request}}
        self.assertEqual(self.standing("decision.made.v1", made), {(7, FIRST): MEMBERS, (7, SECOND): ELEMENT})
        for part in ("context", "metadata"):
            left = {"facts": {"request": {name: value for name, value in request.items() if name != part}}}
            self.assertEqual(len(self.standing("decision.made.v1", left)), 1)


if __name__ == "__main__":
    unittest.main()
