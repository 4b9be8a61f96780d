"""Numbers under several clerks at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefile.assemble import number
from casefile.context import Context
from casefile.errors import BadInput, Conflict

_CLERK = """
import sys
from pathlib import Path
from casefile.assemble import number
from casefile.context import Context
with Context.open(Path(sys.argv[1])) as context:
    for n in range(15):
        wanted = number.Wanted(f"2026-PG-{sys.argv[2]}{n:03d}", "penalty_decision", "罚", 2026)
        print(number.give(wanted, context))
"""


def test_two_processes_never_share_a_number(context: Context) -> None:
    number.known("2026-PG-0001", context)  # brings the database up
    clerks = [
        subprocess.Popen(
            [sys.executable, "-c", _CLERK, str(context.workspace.root), name],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
        )
        for name in "AB"
    ]
    given = [line for clerk in clerks for line in clerk.communicate(timeout=60)[0].split()]
    assert all(clerk.returncode == 0 for clerk in clerks)
    assert sorted(given) == sorted(f"示自然资罚〔2026〕{n}号" for n in range(1, 31))


def test_each_word_and_year_runs_by_itself(context: Context) -> None:
    def give(case_no: str, word: str, year: int) -> str:
        return number.give(number.Wanted(case_no, "d", word, year), context)

    assert give("2026-PG-0001", "罚", 2026) == "示自然资罚〔2026〕1号"
    assert give("2026-PG-0002", "告", 2026) == "示自然资告〔2026〕1号"
    assert give("2026-PG-0003", "罚", 2027) == "示自然资罚〔2027〕1号"
    assert give("2026-PG-0004", "罚", 2026) == "示自然资罚〔2026〕2号"
    assert give("2026-PG-0001", "罚", 2026) == "示自然资罚〔2026〕1号", "asked again, the same"


def test_a_replaced_number_is_void_and_never_used_again(context: Context) -> None:
    first = number.Wanted("2026-PG-0001", "d", "罚", 2026)
    assert number.give(first, context).endswith("1号")
    own = number.Wanted("2026-PG-0001", "d", "罚", 2026, explicit="（旧）罚字第9号")
    assert number.give(own, context) == "（旧）罚字第9号"
    assert number.give(number.Wanted("2026-PG-0002", "d", "罚", 2026), context).endswith("2号")
    with pytest.raises(Conflict) as caught:
        number.give(number.Wanted("2026-PG-0003", "d", "罚", 2026, "示自然资罚〔2026〕1号"), context)
    assert caught.value.code == "DOC-NUMBER-TAKEN"


def test_a_number_that_skips_others_is_refused_until_they_are_accounted_for(context: Context) -> None:
    later = number.Wanted("2026-PG-0001", "d", "罚", 2026, explicit="示自然资罚〔2026〕37号")
    with pytest.raises(Conflict) as caught:
        number.give(later, context)
    assert (caught.value.code, caught.value.params["count"]) == ("DOC-NUMBER-GAP", "36")
    number.reserve("罚", 2026, 36, "上线前纸质登记簿已编用", "示例庚", context)
    assert number.give(later, context) == "示自然资罚〔2026〕37号"
    assert number.gaps(number.register(context)) == ()


def test_a_reserved_number_is_used_once_by_the_document_that_names_it(context: Context) -> None:
    pattern = "{short}当罚{year}{seq:04d}"
    book = number.reserve("当罚", 2026, 3, "当场处罚决定书第1本", "示例庚", context, pattern)
    assert book == ("示自然资当罚20260001", "示自然资当罚20260002", "示自然资当罚20260003")

    def wanted(case_no: str, explicit: str = "") -> number.Wanted:
        return number.Wanted(case_no, "d", "当罚", 2026, explicit, pattern)

    assert number.give(wanted("2026-PS-0001", book[1]), context) == book[1]
    with pytest.raises(Conflict) as caught:
        number.give(wanted("2026-PS-0002", book[1]), context)
    assert caught.value.code == "DOC-NUMBER-TAKEN"
    assert number.give(wanted("2026-PS-0003"), context) == "示自然资当罚20260004", "the book is left alone"


def test_a_void_number_keeps_its_reason_and_its_place(context: Context) -> None:
    first = number.Wanted("2026-PG-0001", "d", "罚", 2026)
    assert number.give(first, context).endswith("1号")
    with pytest.raises(BadInput) as nothing_said:
        number.void("示自然资罚〔2026〕1号", "  ", "示例庚", context)
    assert nothing_said.value.code == "NUMBER-REASON"
    entry = number.void("示自然资罚〔2026〕1号", "打印时写错当事人", "示例庚", context)
    assert (entry.state, entry.by) == ("void", "示例庚") and "打印时写错当事人" in entry.reason
    assert number.give(first, context).endswith("2号")
    with pytest.raises(Conflict) as again:
        number.void("示自然资罚〔2026〕1号", "又一次", "", context)
    assert again.value.code == "NUMBER-VOID"
    assert [e.state for e in number.register(context, 2026, "罚")] == ["void", "given"]


@given(
    short=st.text("示自然资局（）〔", min_size=1, max_size=6),
    word=st.text("罚告听催", min_size=1, max_size=3),
    year=st.integers(1000, 9999),
    seq=st.integers(1, 9999),
    pattern=st.sampled_from(
        [number.PATTERN, "{short}{word}{year}{seq:04d}", "{word}字（{year}）第{seq}号", "{short}{word}.{seq}"]
    ),
)
def test_a_written_number_is_read_back(short: str, word: str, year: int, seq: int, pattern: str) -> None:
    text = number.written(short, word, year, seq, pattern)
    form = number._form(pattern, short, word).fullmatch(text)
    assert form is not None and int(form["seq"]) == seq
    assert "{year}" not in pattern or int(form["year"]) == year
