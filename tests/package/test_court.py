"""The copy for a court: plain PDF/A-2b files under a limit, with the numbers of the archived volume."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pikepdf
import pytest
from archived_case import CASE_NO
from hypothesis import given
from hypothesis import strategies as st

from casefile import package
from casefile.context import Context
from casefile.errors import Conflict
from casefile.formats.pdf.pdf_copy import Leaf
from casefile.formats.pdf.second_reader import SecondReader
from casefile.package.court import Unit, plan
from casefile.tools import verapdf


def test_every_file_is_plain_pdfa_and_keeps_the_numbers(archived: Context, tmp_path: Path) -> None:
    target = tmp_path / "court"
    made = package.court_copy(CASE_NO, archived, target, max_bytes=1)
    assert len(made) > 2, "with no room at all every page is a file"
    names = [one.name for one in made]
    assert names == sorted(names) and all(name.isascii() for name in names)
    stamped = []
    for one in made:
        path = target / one.name
        assert verapdf.check(path, "2b").compliant is True
        assert hashlib.sha256(path.read_bytes()).hexdigest() == one.sha256 and one.over
        reader = SecondReader(path)
        labels = reader.labels()
        assert labels[0] == "说明-1" and reader.sheets() == one.front + sum(len(p.sheets) for p in one.pieces)
        stamped += [int(label) for label in labels if label.isdecimal()]
        with pikepdf.open(path) as pdf:
            assert not pdf.attachments and "/AcroForm" not in pdf.Root
            kept = {page.obj.objgen for page in pdf.pages}
            links = [a for page in pdf.pages for a in page.obj.get("/Annots", pikepdf.Array()).as_list()]
            assert all(link.Subtype == "/Link" and link.Dest[0].objgen in kept for link in links)
    filed = package.filed(CASE_NO, archived)
    assert filed is not None
    main = filed.volumes[0]
    assert stamped == list(range(1, main.bound.placements[-1].pages.last + 1))
    told = (target / "说明.txt").read_text(encoding="utf-8")
    assert main.sha256 in told and "不含副卷" in told and all(one.sha256 in told for one in made)
    assert (target / "目录.xlsx").is_file()


def test_the_same_again_is_the_same_and_nothing_is_overwritten(archived: Context, tmp_path: Path) -> None:
    one = package.court_copy(CASE_NO, archived, tmp_path / "one", max_bytes=35_000_000, internal=True)
    two = package.court_copy(CASE_NO, archived, tmp_path / "two", max_bytes=35_000_000, internal=True)
    assert one == two and len(one) == 2 and not any(file.over for file in one)
    with pytest.raises(Conflict) as caught:
        package.court_copy(CASE_NO, archived, tmp_path / "one", max_bytes=35_000_000)
    assert caught.value.code == "EXPORT-EXISTS"


@given(
    st.lists(st.lists(st.integers(0, 900_000), min_size=1, max_size=6), min_size=1, max_size=12),
    st.integers(300_000, 2_000_000),
)
def test_every_page_goes_into_exactly_one_file_and_items_are_cut_only_where_needed(
    items: list[list[int]], limit: int
) -> None:
    leaves, whole = [], []
    for seq, sizes in enumerate(items, 1):
        begin = len(leaves)
        leaves += [Leaf(str(begin + n + 1), frozenset({((begin + n, 0), s)})) for n, s in enumerate(sizes)]
        whole.append(Unit(str(seq), f"件{seq}", None, range(begin, len(leaves))))
    files = plan(whole, leaves, limit)
    assert [at for pieces in files for piece in pieces for at in piece.sheets] == list(range(len(leaves)))
    for pieces in files:
        sheets = [at for piece in pieces for at in piece.sheets]
        held = sum(size for at in sheets for _, size in leaves[at].streams)
        assert held <= limit or len(sheets) == 1
        for piece in pieces:
            own = sum(size for at in piece.unit.sheets for _, size in leaves[at].streams)
            assert piece.whole or own + 200_000 + 1_500 * len(piece.unit.sheets) > limit
