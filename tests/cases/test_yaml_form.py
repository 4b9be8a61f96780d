"""YAML as a form: what a clerk mistypes is named with its line, and nothing is taken in silently changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefile import codes
from casefile.errors import BadInput
from casefile.formats import yaml
from casefile.formats.written import unseen_character
from casefile.formats.yaml import Leaf, Listing, Table

SLIPS = [
    ("case:\n\tcause: 非法占地\n", "YAML-TAB", 2),
    ("case:\n  cause：非法占地\n  title: x\n", "YAML-WIDE-COLON", 2),
    ("case:\n  title: x\n  cause：非法占地\n", "YAML-WIDE-COLON", 3),
    ("case:\n  title: x\n    cause：非法占地\n", "YAML-WIDE-COLON", 3),
    ("case:\n  cause:非法占地\n  title: x\n", "YAML-SPACE", 2),
    ("case:\n  laws:\n    -《法》\n    - b\n  c: d\n", "YAML-SPACE", 3),
    ("case:\n  facts: | 非法占地\n  title: x\n", "YAML-BAR", 2),
    ('case:\n  cause: "某"公司"占地\n', "YAML-QUOTE", 2),
    ('case:\n  cause: "没有收尾\n  title: x\n', "YAML-QUOTE", 2),
    ("case:\n  cause: [2026]12号\n", "YAML-QUOTE", 2),
    ("case:\n  cause: @某\n", "YAML-QUOTE", 2),
    ("case:\n  cause: 甲: 乙\n", "YAML-QUOTE", 2),
    ("case:\n  a: 1\n c: 2\n", "YAML-SYNTAX", 3),
    ("a: &x 1\nb: 2\n", "YAML-ANCHOR", 1),
    ("a: 1\nb: *x\n", "YAML-ANCHOR", 2),
    ("a: !!python/object:os.system x\n", "YAML-TAG", 1),
    ("a: !x 1\n", "YAML-TAG", 1),
    ("a: 1\n---\nb: 2\n", "YAML-DOCUMENTS", 2),
    ("a: 1\nb: 2\na: 3\n", "YAML-DUPLICATE", 3),
    ("[a]: 1\n", "YAML-KEY", 1),
    ("'': 1\n", "YAML-KEY", 1),
    ("a: 第一行\n   第二行\n", "YAML-FOLDED", 1),
    ("a: >\n   第一行\n   第二行\n", "YAML-FOLDED", 1),
    ('a: "第一行\n   第二行"\n', "YAML-FOLDED", 1),
    ("place: 示范路 #1号\n", "YAML-CUT", 1),
    ("a: b\n" + "c: x\u202ey\n", "YAML-CHARACTER", 2),
]


@pytest.mark.parametrize(("text", "code", "line"), SLIPS)
def test_slip_is_named_with_file_and_line(text: str, code: str, line: int) -> None:
    with pytest.raises(BadInput) as caught:
        yaml.parse(text.encode(), "甲/case.yaml")
    assert (caught.value.code, caught.value.params["line"]) == (code, str(line))
    sentence, next_step = codes.explained(caught.value)
    assert "甲/case.yaml" in sentence and f"第{line}行" in sentence and next_step
    assert "{" not in sentence + next_step


def test_every_scalar_is_text_and_knows_its_place() -> None:
    tree = yaml.parse(b"a: no\nb:\n  - 2026-03-05\n  - 0x1F\nc: '~'\n", "x")
    assert isinstance(tree, Table)
    assert tree.entries["a"].value == Leaf("no", 1, 4)
    assert tree.entries["b"].value == Listing((Leaf("2026-03-05", 3, 5), Leaf("0x1F", 4, 5)), 3, 3)
    assert tree.entries["c"].line == 5


def test_comments_and_long_text_are_allowed() -> None:
    text = "# 说明\na: b # 说明\nc: |\n  第一段\n  # 不是注释\n\n  第二段\nd: 'x'\n"
    tree = yaml.parse(text.encode(), "x")
    assert isinstance(tree, Table)
    assert tree.entries["a"].value == Leaf("b", 2, 4)
    assert tree.entries["c"].value == Leaf("第一段\n# 不是注释\n\n第二段\n", 3, 4)


@pytest.mark.parametrize("data", [b"", b"# only a comment\n", b"\xef\xbb\xbf"])
def test_nothing_is_an_empty_table(data: bytes) -> None:
    assert yaml.parse(data, "x") == Table({}, 1, 1)


def test_windows_line_ends_and_mark() -> None:
    tree = yaml.parse("\ufeffa: 1\r\nb: |\r\n  甲\r\n  乙\r\n".encode(), "x")
    assert isinstance(tree, Table)
    assert tree.entries["b"].value == Leaf("甲\n乙\n", 2, 4)


def test_gbk_is_told_apart() -> None:
    with pytest.raises(BadInput) as caught:
        yaml.parse(b"a: b\n" + "cause: 非法占地\n".encode("gbk"), "x")
    assert (caught.value.code, caught.value.params["line"]) == ("YAML-ENCODING", "2")


def test_too_big_and_too_deep() -> None:
    with pytest.raises(BadInput, match="YAML-SIZE"):
        yaml.parse(b"a: " + b"x" * 100, "x", max_bytes=50)
    with pytest.raises(BadInput, match="YAML-DEPTH"):
        yaml.parse(b"a: " + b"[" * 500_000, "x")


@given(st.binary(max_size=200))
def test_any_bytes_give_a_tree_or_one_clear_error(data: bytes) -> None:
    try:
        yaml.parse(data, "x")
    except BadInput as error:
        assert error.code in codes.codes()


@given(st.text(alphabet="ab:：-# \t\n|>\"'[]{},&*!%@`甲", max_size=60))
def test_any_typing_gives_a_tree_or_one_clear_error(text: str) -> None:
    try:
        yaml.parse(text.encode(), "x")
    except BadInput as error:
        assert error.code in codes.codes()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_quoted_text_reads_back_equal(text: str) -> None:
    tree = yaml.parse(f"a:\n  - {yaml.quoted(text)}\n".encode(), "x")
    assert isinstance(tree, Table)
    listing = tree.entries["a"].value
    assert isinstance(listing, Listing)
    assert isinstance(listing.items[0], Leaf) and listing.items[0].text == text


def test_what_can_not_be_seen_is_found() -> None:
    assert unseen_character("张三\u202e李四") == "U+202E"
    assert unseen_character("张三\n\t𠮷〔2026〕1号") is None
