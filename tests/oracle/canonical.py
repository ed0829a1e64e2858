"""Canonical JSON, checked the long way round: decode with the standard library, encode again by RFC 8785, compare.

The Rust reader never decodes; that the two agree on every vector is what this file is for. Numbers are kept as their
literals while decoding, so that no digit is lost before it is judged.
"""

import decimal
import json
import re

from refused import Refused

DEPTH_MAX = 64
INTEGER_MAX = 2**53 - 1
FOREIGN_BYTES_MAX = 16 * 1024 * 1024
NUMBER_DIGITS_MAX = 17


class Number:
    """A number by its literal."""

    def __init__(self, literal):
        self.literal = literal


def check(line):
    """Refuses bytes that are not exactly one canonical JSON value; answers the value."""
    text = decode_utf8(line)
    value = decode(text)
    if encode(value, as_it_stands) != text:
        raise Refused("NotCanonical", "another spelling is canonical")
    return value


def canonicalize(foreign):
    """The canonical text of foreign JSON."""
    if len(foreign) > FOREIGN_BYTES_MAX:
        raise Refused("NotCanonical", "too long")
    return encode(decode(decode_utf8(foreign)), number_of_foreign)


def decode_utf8(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("NotCanonical", "not UTF-8") from error


def decode(text):
    def members(pairs):
        keys = [key for key, _ in pairs]
        if len(set(keys)) != len(keys):
            raise Refused("NotCanonical", "duplicate key")
        return dict(pairs)

    def constant(name):
        raise Refused("NotCanonical", f"{name} is not JSON")

    try:
        return json.loads(
            text, object_pairs_hook=members, parse_int=Number, parse_float=Number, parse_constant=constant
        )
    except RecursionError as error:
        raise Refused("NotCanonical", "nested too deep") from error
    except ValueError as error:
        raise Refused("NotCanonical", str(error)) from error


def encode(value, number, depth=0):
    """The canonical text of a decoded value; `number` says how a literal is written."""
    if isinstance(value, Number):
        return number(value.literal)
    if isinstance(value, str):
        return encode_string(value)
    if isinstance(value, (dict, list)) and depth == DEPTH_MAX:
        raise Refused("NotCanonical", "nested too deep")
    if isinstance(value, dict):
        keys = sorted(value, key=utf16)
        members = (f"{encode_string(key)}:{encode(value[key], number, depth + 1)}" for key in keys)
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(encode(item, number, depth + 1) for item in value) + "]"
    return {None: "null", True: "true", False: "false"}[value]


def utf16(text):
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError as error:
        raise Refused("NotCanonical", "lone surrogate") from error


def encode_string(text):
    utf16(text)
    return json.dumps(text, ensure_ascii=False)


def as_it_stands(literal):
    """A literal of a record: its own digits, laid out as ECMAScript lays digits out. Whether a fraction is the shortest
    one of its double is not asked here."""
    if re.fullmatch(r"-?[0-9]+", literal):
        return safe_integer(literal)
    not_zero(literal)
    digits = decimal.Decimal(literal)
    if len(digits.normalize(WIDE).as_tuple().digits) > NUMBER_DIGITS_MAX:
        raise Refused("NotCanonical", "more digits than a double needs")
    return layout(digits)


def number_of_foreign(literal):
    """A literal of foreign JSON, written as ECMAScript writes its double, if that has the same decimal value."""
    if not re.search("[1-9]", re.split("[eE]", literal)[0]):
        return "0"
    if re.fullmatch(r"-?[0-9]+", literal):
        return safe_integer(literal)
    shortest = decimal.Decimal(repr(not_zero(literal)))
    if shortest != decimal.Decimal(literal):
        raise Refused("NotCanonical", "more digits than a double keeps")
    text = layout(shortest)
    return safe_integer(text) if re.fullmatch(r"-?[0-9]+", text) else text


def not_zero(literal):
    """The double of a literal, neither zero nor infinite."""
    value = float(literal)
    if value in (0.0, float("inf"), float("-inf")):
        raise Refused("NotCanonical", "zero, or out of the range of a double")
    return value


def safe_integer(literal):
    if len(literal) > NUMBER_DIGITS_MAX or abs(int(literal)) > INTEGER_MAX:
        raise Refused("NotCanonical", "integer beyond 2^53 - 1")
    return str(int(literal))


WIDE = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)


def layout(value):
    """Number::toString of ECMAScript, for digits that are already known."""
    sign, digits, power = value.normalize(WIDE).as_tuple()
    digits = "".join(map(str, digits))
    minus = "-" if sign else ""
    point = len(digits) + power
    if 0 < point <= 21:
        digits = digits.ljust(point, "0")
        fraction = digits[point:]
        return minus + digits[:point] + (f".{fraction}" if fraction else "")
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if digits[1:] else ""
    return f"{minus}{digits[0]}{fraction}e{point - 1:+d}"
