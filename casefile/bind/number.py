"""The archival code of a case (档号), after DA/T 13-2022: fonds, class, year, retention, file number."""

from __future__ import annotations

from sqlalchemy import func, select

from casefile.context import Context
from casefile.database import ArchivalNumber, session
from casefile.model.case import Case
from casefile.model.terms import Volume

_RETENTION = {"永久": "Y", "30年": "D30", "10年": "D10"}
_CLASSES = (
    # A case with several procedures is filed under the first of these: what decides it comes first.
    ("XZCF", ("general_penalty", "summary_penalty", "hearing")),
    ("XZXK", ("licence",)),
    ("XZZS", ("expropriation",)),
    ("XZQZ", ("coercive_measure", "coercive_execution")),
    ("XZSF", ("fee",)),
    ("XZJC", ("inspection",)),
)


def archival_code(case: Case, context: Context) -> str:
    """The code of the case: given out at the first call, the same ever after."""
    year = context.now().year
    with session(context) as database:
        given = database.get(ArchivalNumber, case.case_no)
        if given is not None:
            return given.code
        last = database.scalar(select(func.max(ArchivalNumber.seq)).where(ArchivalNumber.year == year))
        seq = (last or 0) + 1
        code = (
            f"{context.config.bureau.fonds_no}-ZY·{_class(case)}-{year}"
            f"-{_RETENTION[context.config.binding.retention]}-{seq:04d}"
        )
        database.add(ArchivalNumber(case_no=case.case_no, year=year, seq=seq, code=code))
        return code


def volume_code(code: str, volume: Volume, context: Context) -> str:
    """The code of one volume: main and internal volume share the file number."""
    suffix = next((s for v, s in context.config.binding.volume_suffix.items() if v == volume.value), "")
    return f"{code}-{suffix}" if suffix else code


def _class(case: Case) -> str:
    return next((word for word, procedures in _CLASSES if set(procedures) & set(case.procedures)), "XZQT")
