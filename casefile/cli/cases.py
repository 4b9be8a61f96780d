"""``new``."""

from __future__ import annotations

import typer

from casefile.cli.base import Command, Help, Settings, show_line
from casefile.errors import BadInput


def add(app: typer.Typer, say: Help) -> None:
    """Add the command."""

    @app.command("new", cls=Command, help=say("new"))
    def _new(ctx: typer.Context, case_no: str = typer.Argument(..., metavar=say("metavar.case"))) -> None:
        from casefile import cases, catalogue, register

        settings: Settings = ctx.obj
        with settings.open() as context:
            row = register.row(case_no, context)
            if row is None:
                raise BadInput("CASE-NOT-REGISTERED", subject=case_no)
            folder = cases.create(row, context, catalogue.load())
            place = context.workspace.relative(folder.data)
        show_line(f"已建立 {place}，请填写后运行 casefile fill {case_no}", f"made {place}", settings)
