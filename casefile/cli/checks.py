"""``verify``, ``scan``, ``watch`` and ``audit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from casefile.cli.base import Command, Help, Settings, leave
from casefile.errors import ExitCode

if TYPE_CHECKING:
    from casefile.context import Context


def _is_case(subject: str, context: Context) -> bool:
    from casefile.errors import BadInput

    try:
        return context.workspace.case(subject).root.is_dir()
    except BadInput:
        return False


def add(app: typer.Typer, say: Help) -> None:
    """Add the commands."""

    @app.command("verify", cls=Command, help=say("verify"))
    def _verify(
        ctx: typer.Context,
        subject: str = typer.Argument(..., metavar=say("metavar.verify")),
        as_json: bool = typer.Option(False, "--json", help=say("option.json")),
    ) -> None:
        from casefile import verify

        settings: Settings = ctx.obj
        with settings.open(progress=not as_json) as context:
            path = Path(subject)
            # A bare name is a case first: standing in cases/ must not turn it into a folder.
            known = "/" not in subject and bool(subject) and _is_case(subject, context)
            if known:
                report = verify.case(subject, context)
            elif path.is_dir():
                report = verify.package(path, context)
            elif path.is_file():
                report = verify.pdf(path, context)
            else:
                report = verify.case(subject, context)
        leave(report, settings, as_json=as_json)

    @app.command("scan", cls=Command, help=say("scan"))
    def _scan(
        ctx: typer.Context,
        subjects: list[str] = typer.Argument(..., metavar=say("metavar.scan")),
        as_json: bool = typer.Option(False, "--json", help=say("option.json")),
    ) -> None:
        from casefile import pipeline

        settings: Settings = ctx.obj
        with settings.open(progress=not as_json) as context:
            report = pipeline.scan(subjects, context)
        leave(report, settings, as_json=as_json)

    @app.command("watch", cls=Command, help=say("watch"))
    def _watch(
        ctx: typer.Context,
        once: bool = typer.Option(False, "--once", help=say("option.once")),
        as_json: bool = typer.Option(False, "--json", help=say("option.json")),
    ) -> None:
        from casefile import watch

        settings: Settings = ctx.obj
        with settings.open(progress=False) as context:
            if once:
                report = watch.watch_once(context)
            else:
                watch.follow(context, as_json=as_json)
                raise typer.Exit(int(ExitCode.CLEAN))
        leave(report, settings, as_json=as_json)

    @app.command("audit", cls=Command, help=say("audit"))
    def _audit(
        ctx: typer.Context,
        as_json: bool = typer.Option(False, "--json", help=say("option.json")),
        xlsx: str = typer.Option("", "--xlsx", metavar=say("metavar.file"), help=say("option.xlsx")),
        html: str = typer.Option("", "--html", metavar=say("metavar.file"), help=say("option.html")),
    ) -> None:
        from casefile import audit

        settings: Settings = ctx.obj
        with settings.open(progress=not as_json) as context:
            report = audit.audit(context)
        if xlsx:
            from casefile.audit import report_xlsx

            report_xlsx.write(report, Path(xlsx), settings.lang)
        if html:
            from casefile.audit import report_html

            report_html.write(report, Path(html), settings.lang)
        leave(report, settings, as_json=as_json)
