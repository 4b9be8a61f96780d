"""What every command shares: language, workspace, errors in one sentence, reports, progress bars."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
import re
import sys
import tempfile
import tomllib
import traceback
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from casefile import resources
from casefile.codes import explained, rendered
from casefile.errors import BadInput, CasefileError, ExitCode, UsageError

if TYPE_CHECKING:
    from casefile.context import Context
    from casefile.model.finding import Report

_HEADINGS = (
    ("Usage:", "用法："),
    ("Options:", "选项："),
    ("Arguments:", "参数："),
    ("Commands:", "命令："),
    ("Show this message and exit.", "显示本帮助"),
    ("[OPTIONS]", "[选项]"),
    ("COMMAND [ARGS]...", "命令 …"),
    ("[required]", "（必填）"),
)


class Help:
    """Help texts in one language, from ``archive_schema/help.toml``."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def __call__(self, name: str) -> str:
        """The text ``name``, such as ``close`` or ``option.json``."""
        return _help_texts()[name][self.lang]


@cache
def _help_texts() -> dict[str, dict[str, str]]:
    path = resources.root("archive_schema") / "help.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


class _WideFormatter(typer._click.HelpFormatter):
    """Lines columns up by what a terminal shows: a Chinese character is two cells wide."""

    def write_dl(self, rows: Any, col_max: int = 30, col_spacing: int = 2) -> None:
        """Write options or commands with their explanation."""
        rows = list(rows)
        column = max((_cells(first) for first, _ in rows), default=0) + col_spacing
        for first, second in rows:
            gap = " " * (column - _cells(first)) if second else ""
            self.write(f"{'':>{self.current_indent}}{first}{gap}{second}\n")


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _page(command: Any, ctx: Any) -> str:
    formatter = _WideFormatter()
    command.format_help(ctx, formatter)
    return _translated(formatter.getvalue().rstrip("\n"))


class Group(typer.core.TyperGroup):
    """A command group whose help speaks Chinese when its texts do."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Commands in the order of the work, not of the alphabet."""
        order = list(_help_texts())
        return sorted(self.commands, key=lambda name: order.index(name) if name in order else len(order))

    def get_help(self, ctx: Any) -> str:
        """The help page."""
        return _page(self, ctx)


class Command(typer.core.TyperCommand):
    """A command whose help speaks Chinese when its texts do."""

    def get_help(self, ctx: Any) -> str:
        """The help page."""
        return _page(self, ctx)


def _translated(page: str) -> str:
    page = re.sub(r" <[^>]+>", "", page).replace("…...", "…").replace("{", "").replace("}", "")
    if not any("\u4e00" <= character <= "\u9fff" for character in page):
        return page
    for english, chinese in _HEADINGS:
        page = page.replace(english, chinese)
    return re.sub(r"\[default: (.*?)\]", r"（默认 \1）", page)


@dataclass(frozen=True, slots=True)
class Settings:
    """Options that stand before the command."""

    folder: Path
    lang: str
    clock: dt.datetime | None
    operator: str = ""

    @classmethod
    def of(cls, *, folder: str, lang: str, clock: str, operator: str = "") -> Settings:
        """Check and keep the options.

        Raises:
            UsageError: CLI-CLOCK or CLI-LANG.
        """
        from casefile.context import CHINA_TIME

        if lang not in ("zh", "en"):
            raise UsageError("CLI-LANG", subject=lang)
        moment = None
        if clock:
            try:
                moment = dt.datetime.fromisoformat(clock)
            except ValueError:
                raise UsageError("CLI-CLOCK", subject=clock) from None
            moment = moment if moment.tzinfo else moment.replace(tzinfo=CHINA_TIME)
        return cls(Path(folder), lang, moment, " ".join(operator.split()))

    def open(self, *, progress: bool = True) -> Context:
        """Open the workspace; with a progress bar when a person watches."""
        from casefile.context import Context

        moment = self.clock
        context = Context.open(
            self.folder, now=(lambda: moment) if moment is not None else None, lang=self.lang
        )
        if self.operator:
            context.operator = self.operator
        if progress and sys.stderr.isatty():
            from casefile.cli.progress import Bar

            context.progress = Bar()
        return context

    def open_or_plain(self, folder: Path) -> Context:
        """Open the workspace if there is one, else do without its settings."""
        from casefile.context import Context, Workspace

        if Workspace(self.folder).settings.exists():
            return self.open()
        return Context.without_workspace(folder, self.lang)


@dataclass(slots=True)
class Shown:
    """The exit code so far."""

    code: int = int(ExitCode.CLEAN)


@contextmanager
def errors_shown(lang: str) -> Iterator[Shown]:
    """Turn every exception into sentences on stderr and an exit code."""
    shown = Shown()
    try:
        yield shown
    except CasefileError as error:
        _tell(error, lang)
        shown.code = int(error.exit_code)
    except BrokenPipeError:
        # The reader of our output went away; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        shown.code = int(ExitCode.CLEAN)
    except OSError as error:
        _tell(_from_system(error), lang)
        shown.code = int(ExitCode.CONFLICT if error.errno == errno.ENOSPC else ExitCode.BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        sentence = "已中断。再运行一次同样的命令即可接着做完。"
        print(sentence if lang == "zh" else "Stopped. Run it again to go on.", file=sys.stderr)
        shown.code = 130
    except Exception:
        log = Path(tempfile.gettempdir()) / f"casefile-error-{os.getpid()}.log"
        with contextlib.suppress(OSError):
            log.write_text(traceback.format_exc(), encoding="utf-8")
            log.chmod(0o600)
        _tell(BadInput("CLI-BUG", subject=log.name, log=log), lang)
        shown.code = 70


def _from_system(error: OSError) -> CasefileError:
    name = str(error.filename or "")
    if error.errno == errno.ENOSPC:
        return BadInput("CLI-DISK-FULL", subject=name)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return BadInput("CLI-NOT-ALLOWED", subject=name)
    if error.errno == errno.ENOENT:
        return BadInput("CLI-NO-FILE", subject=name)
    return BadInput("CLI-SYSTEM", subject=name, reason=error.strerror or type(error).__name__)


def _tell(error: CasefileError, lang: str) -> None:
    if error.code == "CLI-HELP":
        print(error.subject, file=sys.stderr)
        return
    sentence, step = explained(error, lang)
    print(f"{'错误' if lang == 'zh' else 'Error'}：{sentence}", file=sys.stderr)
    for finding in error.findings:
        shown = rendered(finding, lang)
        print(f"  · {shown['message']}（{shown['next_step']}）", file=sys.stderr)
    print(f"{'下一步' if lang == 'zh' else 'Next'}：{step}", file=sys.stderr)


def usage_error(error: typer.TyperException) -> UsageError:
    """The parser's complaint as one of ours."""
    kind = type(error).__name__
    if kind == "NoArgsIsHelpError":
        return UsageError("CLI-HELP", subject=error.message)
    if kind == "NoSuchOption":
        return UsageError("CLI-NO-OPTION", subject=getattr(error, "option_name", ""))
    parameter = getattr(error, "param", None)
    name = (parameter.metavar or parameter.name or "") if parameter is not None else ""
    if kind == "MissingParameter":
        return UsageError("CLI-MISSING", subject=name)
    if kind == "BadParameter":
        return UsageError("CLI-VALUE", subject=name, reason=error.message)
    words = error.message.split("'")
    if error.message.startswith("No such command") and len(words) > 1:
        return UsageError("CLI-NO-COMMAND", subject=words[1])
    return UsageError("CLI-USAGE", subject=error.message)


def leave(report: Report, settings: Settings, *, as_json: bool, least: ExitCode = ExitCode.CLEAN) -> None:
    """Print a report and leave with its exit code, or with ``least`` when that is heavier."""
    from casefile.audit import report_json, report_text
    from casefile.codes import severities
    from casefile.model.terms import Outcome

    if as_json:
        print(report_json.written(report, settings.lang))
    else:
        report_text.show(report, settings.lang)
    code = {
        Outcome.PASSED: ExitCode.CLEAN,
        Outcome.FAILED: ExitCode.FINDINGS,
        Outcome.INDETERMINATE: ExitCode.INDETERMINATE,
    }[report.outcome(severities())]
    raise typer.Exit(int(least if least is not ExitCode.CLEAN else code))


def show_line(zh: str, en: str, settings: Settings) -> None:
    """One line on stdout."""
    print(zh if settings.lang == "zh" else en)


def warn_pending(case_no: str, context: Context, settings: Settings) -> None:
    """Say on stderr that case.xlsx holds work that this command doesn't see."""
    from casefile import codes
    from casefile.cases import workbook
    from casefile.model.finding import Finding

    if workbook.pending(context.workspace.case(case_no)):
        told = codes.rendered(
            Finding("WORKBOOK-PENDING", "case.xlsx", case_no, {"case_no": case_no}), settings.lang
        )
        print(f"{told['message']}。{told['next_step']}", file=sys.stderr)
