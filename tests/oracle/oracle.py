#!/usr/bin/env python3
"""A second implementation of the format, which shares no code with the first: see README.md beside it.

    oracle.py vectors DIR
    oracle.py bundle PATH --key VKEY [--key VKEY ...] [--checkpoint OLDNOTE] [--actor-key ACTOR=KEY] [--compromised VKEY@SIZE] [--partial]

Exit codes: 0 all holds; 1 something is false, and the record and rule are named; 2 it could not be judged.
"""

import argparse
import pathlib
import sys

import bundle
import vectors
from actor import trusted
from note import VerifierKey
from refused import Refused


def main():
    arguments = parse()
    return run_vectors(arguments) if arguments.command == "vectors" else run_bundle(arguments)


def parse():
    parser = argparse.ArgumentParser(description="Checks golden vectors and bundles, independently of Probity.")
    commands = parser.add_subparsers(dest="command", required=True)
    on_vectors = commands.add_parser("vectors", help="run the golden vectors")
    on_vectors.add_argument("directory", help="schemas/vectors")
    on_bundle = commands.add_parser("bundle", help="judge a bundle")
    on_bundle.add_argument("path", help="a bundle directory or .tar")
    on_bundle.add_argument("--key", action="append", default=[], help="a verifier key that you trust")
    on_bundle.add_argument("--actor-key", action="append", default=[], help="ACTOR=KEY: what this actor answers must be signed")
    on_bundle.add_argument("--compromised", action="append", default=[], help="VKEY@SIZE: a key that is not trusted above a size")
    on_bundle.add_argument("--checkpoint", help="a file with an older checkpoint that you kept")
    on_bundle.add_argument("--partial", action="store_true", help="the bundle may be a part of a log")
    return parser.parse_args()


def run_vectors(arguments):
    try:
        tally = vectors.run(arguments.directory)
    except (OSError, ValueError, KeyError) as error:
        print(f"not judged: {error}")
        return bundle.NOT_JUDGED
    for story in tally.wrong:
        print(f"false: {story}")
    print(f"vectors: {tally.run} run, {len(tally.wrong)} wrong, {tally.passed_over} passed over (rules about bodies)")
    return bundle.FALSE if tally.wrong else bundle.HOLDS


def run_bundle(arguments):
    try:
        keys = [VerifierKey(text) for text in arguments.key]
        compromised = [(VerifierKey(text).text, int(size)) for text, _, size in (each.rpartition("@") for each in arguments.compromised)]
        actors = [trusted(text) for text in arguments.actor_key]
        kept = pathlib.Path(arguments.checkpoint).read_text(encoding="utf-8") if arguments.checkpoint else None
    except (Refused, OSError, ValueError) as error:
        print(f"not judged: a key or checkpoint that you brought cannot be read: {error}")
        return bundle.NOT_JUDGED
    options = {"actors": actors, "compromised": compromised, "partial": arguments.partial}
    return bundle.judge(arguments.path, keys, kept, **options)


if __name__ == "__main__":
    sys.exit(main())
