"""The one error of the oracle: a rule of FORMAT.md that does not hold, by the rule's name."""


class Refused(Exception):
    """Something is false."""

    def __init__(self, rule, detail=""):
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule = rule
        self.detail = detail
