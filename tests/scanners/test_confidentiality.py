"""The confidentiality scanners against their own examples, and the laws behind them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefile.codes import codes
from casefile.model.text import PageText
from scanners import _checksum
from scanners.confidentiality import resident_id, secrecy_mark

MODULES = (resident_id, secrecy_mark)
FLAGS = [(m, code, text) for m in MODULES for code, text in m.FLAGS]
CLEAN = [(m, text) for m in MODULES for text in m.CLEAN]


def found(module, text):
    return list(module.scanner.scan_text([PageText("证据.pdf", "第1页", text)]))


@pytest.mark.parametrize(("module", "code", "text"), FLAGS)
def test_flagged(module, code, text):
    assert [f.code for f in found(module, text)] == [code]


@pytest.mark.parametrize(("module", "text"), CLEAN)
def test_clean(module, text):
    assert found(module, text) == []


@pytest.mark.parametrize("module", MODULES)
def test_every_code_has_an_example_and_a_sentence(module):
    assert {code for code, _ in module.FLAGS} == set(module.scanner.codes)
    assert set(module.scanner.codes) <= set(codes())


@pytest.mark.parametrize(("module", "code", "text"), FLAGS)
def test_a_finding_holds_nothing_of_the_text(module, code, text):
    for finding in found(module, text):
        shown = " ".join([finding.subject, *finding.params.values()])
        digits = "".join(c for c in text if c.isdigit())
        assert len(digits) < 4 or digits not in shown
        assert text not in shown


def test_the_masked_form_shows_three_and_four():
    (finding,) = found(resident_id, "身份证号：61070219800101123X")
    assert finding.params["masked"] == "610***********123X"


seventeen = st.builds(
    lambda region, year, month, day, serial: f"{region}{year}{month:02}{day:02}{serial:03}",
    st.sampled_from(["610702", "110101", "440305", "659001"]),
    st.integers(1920, 2020),
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(0, 999),
)


@given(seventeen, st.sampled_from(["", " ", "-", "\n", "　"]), st.integers(1, 16))
def test_every_valid_number_is_found_in_any_grouping(first17, separator, at):
    number = first17 + _checksum.resident_id_check(first17)
    text = f"张三（{number[:at]}{separator}{number[at:]}）"
    assert len(found(resident_id, text)) == 1


@given(seventeen, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_no_number(first17, at, by):
    number = first17 + _checksum.resident_id_check(first17)
    wrong = number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :]
    assert found(resident_id, f"编号{wrong}。") == []


@given(st.text(max_size=200))
def test_any_text_is_taken(text):
    for module in MODULES:
        found(module, text)


def test_hostile_text_takes_no_longer_than_its_length():
    hostile = [
        "密级" * 50_000,
        "机 " * 100_000,
        "1 " * 100_000,
        "秘密" + " " * 200_000,
        "密" * 100_000 + "★",
        "1\n" * 50_000,
        "机密前" * 40_000,
        "\n[ " * 50_000 + "密",
    ]
    started = time.process_time()
    for text in hostile:
        for module in MODULES:
            found(module, text)
    assert time.process_time() - started < 5
