"""``register import``, ``list`` and ``export``."""

from __future__ import annotations

from pathlib import Path

import typer

from casefile.cli.base import Command, Group, Help, Settings, leave, show_line


def add(app: typer.Typer, say: Help) -> None:
    """Add the commands."""
    family = typer.Typer(cls=Group, help=say("register"), no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(family, name="register")

    @family.command("import", cls=Command, help=say("register.import"))
    def _import(
        ctx: typer.Context,
        file: str = typer.Argument(..., metavar=say("metavar.file")),
        as_json: bool = typer.Option(False, "--json", help=say("option.json")),
    ) -> None:
        from casefile import register

        settings: Settings = ctx.obj
        with settings.open() as context:
            report = register.import_file(Path(file), context)
        leave(report, settings, as_json=as_json)

    @family.command("list", cls=Command, help=say("register.list"))
    def _list(ctx: typer.Context) -> None:
        from casefile import register
        from casefile.formats.terminal import print_table

        settings: Settings = ctx.obj
        with settings.open() as context:
            rows = register.rows(context)
        headings = ("案号", "案件名称", "当事人", "立案日期", "结案日期", "状态")
        if settings.lang == "en":
            headings = ("case no.", "title", "party", "filed", "closed", "status")
        print_table(
            headings,
            [
                (r.case_no, r.title, r.party, str(r.filed_on or ""), str(r.closed_on or ""), r.status)
                for r in rows
            ],
        )

    @family.command("export", cls=Command, help=say("register.export"))
    def _export(ctx: typer.Context, file: str = typer.Argument(..., metavar=say("metavar.xlsx"))) -> None:
        from casefile import register

        settings: Settings = ctx.obj
        with settings.open() as context:
            register.export(Path(file), context)
        show_line(f"已导出到 {file}", f"written to {file}", settings)
