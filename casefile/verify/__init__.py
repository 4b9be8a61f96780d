"""Everything checked, nothing trusted (核验): written apart from whatever makes, and importing none of it."""

from __future__ import annotations

from pathlib import Path

from casefile import ledger
from casefile.context import Context
from casefile.errors import BadInput, CasefileError
from casefile.formats.containers import ocfl
from casefile.model.finding import Finding, Report, merge
from casefile.verify import archival, checks, pages, signatures
from casefile.verify.subject import opened

__all__ = ["case", "package", "pdf"]


def case(case_no: str, context: Context, *, deep: bool = True) -> Report:
    """What the archive holds of a case, from the outside in.

    Without ``deep`` the volumes are not opened, which goes on record as not looked at.
    """
    object_id = f"urn:casefile:{context.config.bureau.fonds_no}:{case_no}"
    root = context.workspace.archive
    folder = ocfl.object_folder(root, object_id)
    if not folder.is_dir():
        return _gone(case_no, context)
    subject = opened(folder, case_no=case_no, object_id=object_id, in_ledger=True)
    return merge([_root(root, case_no), checks.run(subject, context, deep=deep)])


def package(folder: Path, context: Context, *, deep: bool = True) -> Report:
    """A package in a folder, or an OCFL object that holds one, from wherever it came.

    Raises:
        BadInput: VERIFY-NO-PACKAGE, when there is no folder.
    """
    if not folder.is_dir():
        raise BadInput("VERIFY-NO-PACKAGE", subject=str(folder))
    return checks.run(opened(folder.resolve()), context, deep=deep)


def pdf(path: Path, context: Context) -> Report:
    """One volume on its own: signatures, pages against the list inside of it, PDF/A.

    Nothing but its manifest can tell whether a last signature was cut off.

    Raises:
        BadInput: VERIFY-NO-PACKAGE, when there is no file.
    """
    if not path.is_file():
        raise BadInput("VERIFY-NO-PACKAGE", subject=str(path))
    name = path.name
    said = checks.safely(name, lambda: signatures.check_file(path, name, "", context))
    said += checks.safely(name, lambda: pages.check_file(path, name))
    said += checks.safely(name, lambda: archival.check_file(path, name, ""))
    return checks.report(said, 1, context.lang)


def _gone(case_no: str, context: Context) -> Report:
    try:
        entry = ledger.last(case_no, ledger.PACKAGE, context)
    except CasefileError as error:
        return Report(0, (Finding(error.code, error.subject, case_no, error.params),))
    code = "VERIFY-NOT-ARCHIVED" if entry is None else "VERIFY-GONE"
    params = {} if entry is None else {"seq": str(entry.seq), "at": entry.at}
    return Report(0, (Finding(code, case_no, case_no, params),))


def _root(root: Path, case_no: str) -> Report:
    said = ocfl.root_complaints(root)
    return Report(0, tuple(Finding("VERIFY-OCFL", "archive", case_no, {"reason": text}) for text in said))
