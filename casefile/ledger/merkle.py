"""The Merkle tree of RFC 6962 section 2.1: pure functions over hashes, no storage.

Only perfect subtrees are ever named: node ``position`` at ``level`` covers the leaves
``position * 2**level`` up to, not including, ``(position + 1) * 2**level``. They never change once they
exist, so a log that stores them only ever appends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

Nodes = Callable[[int, int], bytes]
"""Hash of the perfect subtree ``position`` at ``level``; level 0 holds the leaves."""

EMPTY = sha256(b"").digest()


def leaf_hash(body: bytes) -> bytes:
    """Hash of one entry. The 0x00 keeps a leaf from ever passing for an inner node."""
    return sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def appended(index: int, leaf: bytes, nodes: Nodes) -> Iterator[tuple[int, int, bytes]]:
    """The perfect subtrees that leaf ``index`` completes, itself first: level, position, hash."""
    level, position, value = 0, index, leaf
    yield level, position, value
    while position & 1:
        value = node_hash(nodes(level, position - 1), value)
        level, position = level + 1, position >> 1
        yield level, position, value


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Every perfect subtree over ``leaves``, level by level, computed afresh."""
    rows = [list(leaves)]
    while len(rows[-1]) > 1:
        row = rows[-1]
        rows.append([node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)])
    return rows


def root(size: int, nodes: Nodes) -> bytes:
    """Root over the first ``size`` leaves."""
    return EMPTY if size == 0 else _subtree(0, size, nodes)


def inclusion(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """The audit path of leaf ``index`` in the tree over ``size`` leaves (RFC 6962 section 2.1.1).

    Raises:
        ValueError: when there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            path.append(_subtree(middle, last, nodes))
            last = middle
        else:
            path.append(_subtree(first, middle, nodes))
            first = middle
    return path[::-1]


def consistency(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """Proof that the tree over ``old`` leaves is a beginning of that over ``new`` (section 2.1.2).

    Raises:
        ValueError: when ``old`` is not between 1 and ``new``.
    """
    if not 0 < old <= new:
        raise ValueError(f"no proof from {old} to {new}")
    path: list[bytes] = []
    first, last, whole = 0, new, True
    while old != last:
        middle = first + _split(last - first)
        if old <= middle:
            path.append(_subtree(middle, last, nodes))
            last = middle
        else:
            path.append(_subtree(first, middle, nodes))
            first, whole = middle, False
    if not whole:
        path.append(_subtree(first, last, nodes))
    return path[::-1]


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], wanted: bytes) -> bool:
    """True when ``path`` leads from ``leaf`` to the root ``wanted`` (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, end, value = index, size - 1, leaf
    for other in path:
        if end == 0:
            return False
        if here & 1 or here == end:
            value = node_hash(other, value)
            while not here & 1 and here:
                here, end = here >> 1, end >> 1
        else:
            value = node_hash(value, other)
        here, end = here >> 1, end >> 1
    return end == 0 and value == wanted


def extends(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """True when ``path`` proves that the newer tree begins with the older (RFC 9162 section 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    proof = list(path)
    if old & (old - 1) == 0:
        proof.insert(0, old_root)
    if not proof:
        return False
    here, end = old - 1, new - 1
    while here & 1:
        here, end = here >> 1, end >> 1
    older = newer = proof[0]
    for other in proof[1:]:
        if end == 0:
            return False
        if here & 1 or here == end:
            older, newer = node_hash(other, older), node_hash(other, newer)
            while not here & 1 and here:
                here, end = here >> 1, end >> 1
        else:
            newer = node_hash(newer, other)
        here, end = here >> 1, end >> 1
    return end == 0 and older == old_root and newer == new_root


def _split(count: int) -> int:
    """The largest power of two below ``count``."""
    return 1 << (count - 1).bit_length() - 1


def _subtree(first: int, last: int, nodes: Nodes) -> bytes:
    count = last - first
    level = count.bit_length() - 1
    if count == 1 << level and first % count == 0:
        return nodes(level, first >> level)
    middle = first + _split(count)
    return node_hash(_subtree(first, middle, nodes), _subtree(middle, last, nodes))
