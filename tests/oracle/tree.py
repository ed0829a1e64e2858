"""SHA-256 leaves, nodes, roots and proofs of RFC 6962, written as the RFC defines them: by recursion from the root."""

import base64
import binascii
import hashlib

from refused import Refused

EMPTY = hashlib.sha256(b"").digest()
PROOF_HASHES_MAX = 63


def leaf_hash(line):
    return hashlib.sha256(b"\x00" + line).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size):
    """The largest power of two below size."""
    return 1 << ((size - 1).bit_length() - 1)


def root_of(leaves):
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    left = split(len(leaves))
    return node_hash(root_of(leaves[:left]), root_of(leaves[left:]))


class Roots:
    """The root of a growing list of leaves, without keeping them."""

    def __init__(self):
        self.size = 0
        self.stack = []

    def append(self, leaf):
        size, node = self.size, leaf
        while size & 1:
            node = node_hash(self.stack.pop(), node)
            size >>= 1
        self.stack.append(node)
        self.size += 1

    def root(self):
        if not self.stack:
            return EMPTY
        root = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            root = node_hash(left, root)
        return root


def verify_inclusion(index, size, leaf, proof, root):
    if index >= size:
        raise Refused("IndexOutOfRange")
    if len(proof) > PROOF_HASHES_MAX:
        raise Refused("TooManyHashes")
    if climb(index, size, leaf, list(proof)) != root:
        raise Refused("RootMismatch")


def climb(index, size, leaf, proof):
    """The root that a proof leads to; its last hash is the sibling nearest the root."""
    if size == 1:
        nothing_left(proof)
        return leaf
    sibling = last(proof)
    left = split(size)
    if index < left:
        return node_hash(climb(index, left, leaf, proof), sibling)
    return node_hash(sibling, climb(index - left, size - left, leaf, proof))


def verify_consistency(old, new, proof, old_root, new_root):
    if old > new:
        raise Refused("NotAPrefix")
    if len(proof) > PROOF_HASHES_MAX:
        raise Refused("TooManyHashes")
    if old == 0:
        nothing_left(proof)
        if old_root != EMPTY:
            raise Refused("OldRootMismatch")
        if new == 0 and new_root != EMPTY:
            raise Refused("RootMismatch")
        return
    found_old, found_new = both_roots(old, new, list(proof), old_root, True)
    if found_old != old_root:
        raise Refused("OldRootMismatch")
    if found_new != new_root:
        raise Refused("RootMismatch")


def both_roots(old, size, proof, old_root, whole):
    """The roots of the old leaves and of all leaves below one node; `whole`: the old leaves are the whole old tree."""
    if old == size:
        node = old_root if whole else last(proof)
        nothing_left(proof)
        return node, node
    sibling = last(proof)
    left = split(size)
    if old <= left:
        old_node, node = both_roots(old, left, proof, old_root, whole)
        return old_node, node_hash(node, sibling)
    old_node, node = both_roots(old - left, size - left, proof, old_root, False)
    return node_hash(sibling, old_node), node_hash(sibling, node)


def last(proof):
    if not proof:
        raise Refused("WrongLength")
    return proof.pop()


def nothing_left(proof):
    if proof:
        raise Refused("WrongLength")


def decode_base64(text):
    """Standard base64 in its only spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("Base64") from error
    if base64.b64encode(data).decode() != text:
        raise Refused("Base64")
    return data


def decode_hash(text):
    data = decode_base64(text)
    if len(data) != 32:
        raise Refused("Hash")
    return data


def encode_hash(digest):
    return base64.b64encode(digest).decode()
