"""The running number of a Type 1 font is replaced and nothing else of the program."""

from __future__ import annotations

from fontTools.misc import eexec
from hypothesis import given
from hypothesis import strategies as st

from casefile.formats.pdf.pdf_canonical import calm_type1


def program(number: bytes, outlines: bytes) -> tuple[bytes, int, int]:
    clear = b"%!FontType1-1.0: Fang\n/UniqueID " + number + b" def\ncurrentfile eexec\n"
    plain = b"HDU dup\n/Private 14 dict dup begin\n/UniqueID " + number + b" def\n" + outlines
    hidden, _ = eexec.encrypt(plain, 55665)
    return clear + hidden + b"0" * 32 + b"cleartomark", len(clear), len(hidden)


@given(
    first=st.integers(4100001, 4999999),
    second=st.integers(4100001, 4999999),
    outlines=st.binary(max_size=4000),
)
def test_two_runs_become_one(first: int, second: int, outlines: bytes) -> None:
    one, clear, hidden = program(str(first).encode(), outlines)
    two, _, _ = program(str(second).encode(), outlines)
    calmed = calm_type1(one, clear, hidden)
    assert calmed == calm_type1(two, clear, hidden)
    assert calmed == calm_type1(calmed, clear, hidden)
    plain, _ = eexec.decrypt(calmed[clear : clear + hidden], 55665)
    assert plain.endswith(b" def\n" + outlines)
    assert plain.split(b"/UniqueID ")[1][:7] == calmed.split(b"/UniqueID ")[1][:7]


@given(st.binary(max_size=300))
def test_other_programs_stay(data: bytes) -> None:
    assert calm_type1(data, 10, 100) == data
