"""Numbers under several clerks at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from casefile.assemble import number
from casefile.context import Context
from casefile.errors import Conflict

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
