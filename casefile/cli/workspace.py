"""``init`` and ``demo``."""

from __future__ import annotations

from pathlib import Path

import typer

from casefile.cli.base import Command, Help, Settings, show_line


def add(app: typer.Typer, say: Help) -> None:
    """Add the commands."""

    @app.command("init", cls=Command, help=say("init"))
    def _init(ctx: typer.Context, folder: str = typer.Argument(..., metavar=say("metavar.folder"))) -> None:
        from casefile.context import Workspace

        settings: Settings = ctx.obj
        made = Workspace.create(Path(folder)).root
        show_line(f"已建立工作区 {made}，请先在 casefile.toml 中填写本局信息", f"made {made}", settings)

    @app.command("demo", cls=Command, help=say("demo"))
    def _demo(
        ctx: typer.Context,
        folder: str = typer.Argument("demo-workspace", metavar=say("metavar.folder")),
        cases: int = typer.Option(3, "--cases", min=3, help=say("option.cases")),
        serve: bool = typer.Option(False, "--serve", help=say("option.serve")),
    ) -> None:
        from casefile.demo import play

        settings: Settings = ctx.obj
        if serve:
            play.serve(Path(folder), settings.lang)
            return
        raise typer.Exit(play.show(Path(folder), cases=cases, lang=settings.lang))
