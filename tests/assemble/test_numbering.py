"""Numbers under several clerks at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefile import codes, database
from casefile.assemble import number
from casefile.cli import run
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
    assert number._read(text, short, word, pattern) == (year if "{year}" in pattern else None, seq)


@pytest.mark.parametrize(
    "mistyped",
    [
        "示自然资罚〔２０２６〕1号",
        "示自然资罚〔2026〕１号",
        "示自然资罚〔2026〕01号",
        "示自然资罚〔2026〕0号",
        "示自然资罚〔2026〕 1号",
        " 示自然资罚〔2026〕1号",
        "示自然资罚[2026]1号",
        "示自然资罚(2026)1号",
        "示自然资罚（2026）1号",
        "示自然资罚【2026】1号",
        "示自然资罚〔2026〕第1号",
        "示自然资罚〔2026〕1",
        "示自然资罚\u200b〔2026〕1号",
        "示自然资罚〔2026〕1号\ufeff",
    ],
)
def test_a_number_that_is_mistyped_is_not_one_of_another_kind(context: Context, mistyped: str) -> None:
    with pytest.raises(BadInput) as caught:
        number.give(number.Wanted("2026-PG-0001", "d", "罚", 2026, mistyped), context)
    assert (caught.value.code, caught.value.params["form"]) == ("NUMBER-FORM", "示自然资罚〔2026〕1号")
    assert "应写作“示自然资罚〔2026〕1号”" in codes.explained(caught.value)[0]
    assert number.register(context) == ()


def test_a_padded_number_is_written_padded(context: Context) -> None:
    wanted = number.Wanted(
        "2026-PS-0001", "d", "当罚", 2026, "示自然资当罚20261", "{short}{word}{year}{seq:04d}"
    )
    with pytest.raises(BadInput) as caught:
        number.give(wanted, context)
    assert caught.value.params["form"] == "示自然资当罚20260001"


@pytest.mark.parametrize("explicit", ["旧" * 61, "（旧）罚字第9号\u200b", "（旧）罚字第9号\n"])
def test_a_number_of_another_kind_is_short_and_all_of_it_is_seen(context: Context, explicit: str) -> None:
    with pytest.raises(BadInput) as caught:
        number.give(number.Wanted("2026-PG-0001", "d", "罚", 2026, explicit), context)
    assert caught.value.code == "NUMBER-FORM"


def test_a_number_of_another_year_than_the_document_is_refused(context: Context) -> None:
    with pytest.raises(BadInput) as caught:
        number.give(number.Wanted("2026-PG-0001", "d", "罚", 2026, "示自然资罚〔2025〕1号"), context)
    assert (caught.value.code, caught.value.params["other"]) == ("NUMBER-YEAR", "2025")
    assert number.register(context) == ()


def _left_by_an_older_program(context: Context, seq: int, **more: str) -> None:
    row = {"state": "given", "case_no": f"2026-PG-{seq:04d}", "document_id": "d", "reason": "", **more}
    with database.session(context) as session:
        session.add(
            database.DocumentNumber(
                doc_no=number.written("示自然资", "罚", 2026, seq),
                word="罚",
                year=2026,
                seq=seq,
                given_at="2026-01-05T09:00:00+08:00",
                by="",
                **{k: v or None if k == "document_id" else v for k, v in row.items()},
            )
        )


def test_a_gap_that_an_older_program_left_is_closed_with_its_reason(context: Context) -> None:
    _left_by_an_older_program(context, 3)
    number.give(number.Wanted("2026-PG-0009", "d", "告", 2026), context)
    assert number.gaps(number.register(context)) == (("罚", 2026, 1), ("罚", 2026, 2))
    forms = [("告", number.PATTERN), ("罚", "")]
    for seq in (1, 2):
        entry = number.void(f"示自然资罚〔2026〕{seq}号", "旧版本跳号", "示例庚", context, forms)
        assert (entry.state, entry.seq, entry.reason, entry.by) == ("void", seq, "旧版本跳号", "示例庚")
    assert number.gaps(number.register(context)) == ()
    for never in ("示自然资罚〔2026〕4号", "示自然资罚〔2025〕1号", "示自然资罚[2026]1号"):
        with pytest.raises(BadInput) as caught:
            number.void(never, "没有这个号", "示例庚", context, forms)
        assert caught.value.code == "NUMBER-UNKNOWN"
    with pytest.raises(Conflict) as again:
        number.void("示自然资罚〔2026〕1号", "又一次", "示例庚", context, forms)
    assert again.value.code == "NUMBER-VOID"


def test_the_command_closes_a_gap_by_the_catalogue(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    _left_by_an_older_program(context, 2)
    desk = ["-w", str(context.workspace.root), "--by", "示例庚", "numbers"]
    assert run([*desk, "list"]) == 1
    assert run([*desk, "void", "示自然资罚〔2026〕1号", "--reason", "旧版本跳号"]) == 0
    capsys.readouterr()
    assert run([*desk, "list"]) == 0
    assert "旧版本跳号" in capsys.readouterr().out


def test_a_number_void_before_reasons_were_kept_is_listed_in_words(context: Context) -> None:
    _left_by_an_older_program(context, 1, state="void", document_id="", reason="penalty_decision#void1")
    _left_by_an_older_program(context, 2, state="void", document_id="", reason="印错了#void")
    reasons = [e.reason for e in number.register(context)]
    assert reasons == ["由旧版本作废（penalty_decision）", "印错了#void"], "a clerk's own words stay"
