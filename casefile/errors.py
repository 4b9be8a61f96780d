"""Exit codes and the exceptions that carry them.

Every exception names a code of ``archive_schema/codes.toml``, where its sentence stands in Chinese and
English, and the parameters that the sentence needs. Whoever raises never writes prose.

    CasefileError
    ├── UsageError       2  the command itself is wrong
    ├── BadInput         3  a file or a field is wrong
    ├── MissingTool      4  an outside program or font is not installed
    ├── Refused          5  unsafe: state secret, path escape, bomb
    ├── SigningFailed    6  key, certificate, timestamp
    ├── Conflict         7  archive or ledger: somebody else, or something else, is there already
    └── Undecided        8  could not be checked
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from casefile.model.finding import Finding


class ExitCode(IntEnum):
    """What the command tells the shell."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    BAD_INPUT = 3
    MISSING_TOOL = 4
    REFUSED = 5
    SIGNING = 6
    CONFLICT = 7
    INDETERMINATE = 8


class CasefileError(Exception):
    """One clear sentence: ``code`` finds it, ``params`` fill it; ``findings`` hold further complaints.

    ``subject`` is the file, field or case that is meant (a path inside the workspace, never a secret).
    """

    exit_code = ExitCode.BAD_INPUT

    def __init__(
        self, code: str, /, *, subject: str = "", findings: Sequence[Finding] = (), **params: object
    ) -> None:
        super().__init__(code, subject, params)
        self.code = code
        self.subject = subject
        self.params: dict[str, str] = {name: str(value) for name, value in params.items()}
        self.findings = tuple(findings)


class UsageError(CasefileError):
    """The command or an option is wrong."""

    exit_code = ExitCode.USAGE


class BadInput(CasefileError):
    """A file or a field is wrong."""

    exit_code = ExitCode.BAD_INPUT


class MissingTool(CasefileError):
    """An outside program or a font is not installed."""

    exit_code = ExitCode.MISSING_TOOL


class Refused(CasefileError):
    """The input is unsafe to take in."""

    exit_code = ExitCode.REFUSED


class SigningFailed(CasefileError):
    """A key, a certificate or a timestamp could not be had."""

    exit_code = ExitCode.SIGNING


class Conflict(CasefileError):
    """The archive or the ledger already holds something else, or somebody else is writing."""

    exit_code = ExitCode.CONFLICT


class Undecided(CasefileError):
    """A check could not be made."""

    exit_code = ExitCode.INDETERMINATE
