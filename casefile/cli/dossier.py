"""``normalise``, ``gather``, ``bind``, ``sign``, ``archive``, ``close``, ``supplement`` and ``export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from casefile.cli.base import Command, Help, Settings, leave, show_line, warn_pending
from casefile.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from casefile.context import Context

_MOST_MB = 2000


def add(app: typer.Typer, say: Help) -> None:
    """Add the commands."""

    @app.command("normalise", cls=Command, help=say("normalise"))
    def _normalise(
        ctx: typer.Context,
        files: list[str] = typer.Argument(..., metavar=say("metavar.files")),
        target: str = typer.Option(
            ..., "-o", "--output", metavar=say("metavar.folder"), help=say("option.out")
        ),
        as_json: bool = typer.Option(False, "--json", help=say("option.json")),
        no_ocr: bool = typer.Option(False, "--no-ocr", help=say("option.no_ocr")),
    ) -> None:
        from casefile import pipeline

        settings: Settings = ctx.obj
        with settings.open_or_plain(Path(target)) as context:
            _unread(context, no_ocr)
            report, refused = pipeline.normalise([Path(f) for f in files], Path(target), context)
        leave(report, settings, as_json=as_json, least=ExitCode.REFUSED if refused else ExitCode.CLEAN)

    @app.command("gather", cls=Command, help=say("gather"))
    def _gather(
        ctx: typer.Context,
        case_no: str = typer.Argument(..., metavar=say("metavar.case")),
        as_json: bool = typer.Option(False, "--json", help=say("option.json")),
        no_ocr: bool = typer.Option(False, "--no-ocr", help=say("option.no_ocr")),
    ) -> None:
        from casefile import pipeline

        settings: Settings = ctx.obj
        with settings.open(progress=not as_json) as context:
            _unread(context, no_ocr)
            gathered = pipeline.gathered(case_no, context)
        least = ExitCode.REFUSED if gathered.refused else ExitCode.CLEAN
        leave(gathered.report(), settings, as_json=as_json, least=least)

    for name in ("bind", "sign", "archive", "close"):
        _add_stage(app, say, name)

    @app.command("supplement", cls=Command, help=say("supplement"))
    def _supplement(
        ctx: typer.Context,
        case_no: str = typer.Argument(..., metavar=say("metavar.case")),
        reason: str = typer.Option("", "--reason", help=say("option.reason.supplement")),
        as_json: bool = typer.Option(False, "--json", help=say("option.json")),
        no_ocr: bool = typer.Option(False, "--no-ocr", help=say("option.no_ocr")),
    ) -> None:
        from casefile import pipeline

        settings: Settings = ctx.obj
        with settings.open(progress=not as_json) as context:
            _unread(context, no_ocr)
            done = pipeline.supplement(case_no, reason, context)
            if not as_json:
                for place, digest in done.made(context):
                    print(f"{digest[:16]}  {place}")
        leave(done.report, settings, as_json=as_json)

    @app.command("export", cls=Command, help=say("export"))
    def _export(
        ctx: typer.Context,
        case_no: str = typer.Argument(..., metavar=say("metavar.case")),
        bag: str = typer.Option("", "--bag", metavar=say("metavar.folder"), help=say("option.bag")),
        archive: str = typer.Option("", "--zip", metavar=say("metavar.file"), help=say("option.zip")),
        court: str = typer.Option("", "--court", metavar=say("metavar.folder"), help=say("option.court")),
        max_mb: float = typer.Option(
            35.0, "--max-mb", metavar=say("metavar.count"), help=say("option.max_mb")
        ),
        internal: bool = typer.Option(False, "--with-internal", help=say("option.internal")),
    ) -> None:
        from casefile import pipeline

        settings: Settings = ctx.obj
        if sum(map(bool, (bag, archive, court))) != 1:
            raise UsageError("CLI-BAG-OR-ZIP")
        if not 1 <= max_mb <= _MOST_MB:
            raise UsageError("CLI-MEGABYTES", subject=f"{max_mb:g}")
        with settings.open() as context:
            if court:
                size = int(max_mb * 1_000_000)
                files = pipeline.court_copy(case_no, context, Path(court), max_bytes=size, internal=internal)
                for one in files:
                    print(f"{one.sha256[:16]}  {one.size / 1_000_000:6.2f} MB  {one.name}")
                show_line(f"已导出 {court}", f"exported {court}", settings)
                return
            made = pipeline.export(case_no, context, Path(bag or archive), zipped=bool(archive))
        show_line(f"已导出 {made}", f"exported {made}", settings)


def _unread(context: Context, no_ocr: bool) -> None:
    """Leave scans unread in this run, whatever the settings say."""
    if no_ocr:
        context.config = context.config.model_copy(
            update={"gather": context.config.gather.model_copy(update={"ocr": "off"})}
        )


def _add_stage(app: typer.Typer, say: Help, name: str) -> None:
    @app.command(name, cls=Command, help=say(name))
    def _stage(
        ctx: typer.Context,
        case_no: str = typer.Argument(..., metavar=say("metavar.case")),
        as_json: bool = typer.Option(False, "--json", help=say("option.json")),
        no_ocr: bool = typer.Option(False, "--no-ocr", help=say("option.no_ocr")),
    ) -> None:
        from casefile import pipeline

        settings: Settings = ctx.obj
        with settings.open(progress=not as_json) as context:
            _unread(context, no_ocr)
            warn_pending(case_no, context, settings)
            done = pipeline.run(case_no, context, until=pipeline.Stage[name.upper()])
            if not as_json:
                for place, digest in done.made(context):
                    print(f"{digest[:16]}  {place}")
        leave(done.report, settings, as_json=as_json)
