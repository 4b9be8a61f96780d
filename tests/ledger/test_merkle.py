"""The tree against the vectors of RFC 6962's reference log, and its laws."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from casefile.ledger import merkle

# Inputs and roots of the reference implementation's merkle_tree_test (certificate-transparency).
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def tree(bodies: list[bytes]) -> merkle.Nodes:
    rows = merkle.levels([merkle.leaf_hash(body) for body in bodies])
    return lambda level, position: rows[level][position]


def test_roots_of_the_reference_log() -> None:
    assert merkle.EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for size, wanted in enumerate(ROOTS, start=1):
        assert merkle.root(size, tree(INPUTS[:size])).hex() == wanted


def test_paths_of_the_reference_log() -> None:
    nodes = tree(INPUTS)
    assert [step.hex() for step in merkle.inclusion(5, 8, nodes)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [step.hex() for step in merkle.consistency(6, 8, nodes)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


logs = st.lists(st.binary(max_size=12), min_size=1, max_size=70)


@given(logs)
def test_appending_one_by_one_gives_the_tree_computed_at_once(bodies: list[bytes]) -> None:
    stored: dict[tuple[int, int], bytes] = {}
    for index, body in enumerate(bodies):
        grown = merkle.appended(
            index, merkle.leaf_hash(body), lambda level, position: stored[level, position]
        )
        for level, position, value in grown:
            assert (level, position) not in stored
            stored[level, position] = value
    rows = merkle.levels([merkle.leaf_hash(body) for body in bodies])
    assert stored == {(level, at): value for level, row in enumerate(rows) for at, value in enumerate(row)}


@given(logs, st.data())
def test_every_leaf_is_proved_and_no_other_passes(bodies: list[bytes], data: st.DataObject) -> None:
    nodes, size = tree(bodies), len(bodies)
    index = data.draw(st.integers(0, size - 1))
    root, path = merkle.root(size, nodes), merkle.inclusion(index, size, nodes)
    leaf = merkle.leaf_hash(bodies[index])
    assert merkle.includes(leaf, index, size, path, root)
    assert not merkle.includes(merkle.leaf_hash(bodies[index] + b"!"), index, size, path, root)
    assert not merkle.includes(leaf, index, size, [*path, leaf], root)
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        bent = [*path]
        bent[at] = bytes([bent[at][0] ^ 1]) + bent[at][1:]
        assert not merkle.includes(leaf, index, size, bent, root)
        assert not merkle.includes(leaf, index, size, path[:-1], root)


@given(logs, st.data())
def test_a_flipped_leaf_changes_every_root_that_covers_it(bodies: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(bodies) - 1))
    size = data.draw(st.integers(index + 1, len(bodies)))
    flipped = [*bodies]
    flipped[index] = bodies[index] + b"\x00"
    assert merkle.root(size, tree(bodies)) != merkle.root(size, tree(flipped))


@settings(max_examples=60)
@given(logs, st.data())
def test_a_longer_log_proves_its_beginning_and_nothing_else(bodies: list[bytes], data: st.DataObject) -> None:
    nodes, new = tree(bodies), len(bodies)
    old = data.draw(st.integers(1, new))
    roots = merkle.root(old, nodes), merkle.root(new, nodes)
    path = merkle.consistency(old, new, nodes)
    assert merkle.extends(old, roots[0], new, roots[1], path)
    rewritten = tree([b"other" + bodies[0], *bodies[1:]])
    assert not merkle.extends(old, merkle.root(old, rewritten), new, roots[1], path)
    if path:
        assert not merkle.extends(old, roots[0], new, roots[1], path[:-1])
