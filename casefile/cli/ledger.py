"""``ledger check``, ``prove`` and ``anchor``."""

from __future__ import annotations

import typer

from casefile.cli.base import Command, Group, Help, Settings, leave, show_line
from casefile.errors import BadInput


def add(app: typer.Typer, say: Help) -> None:
    """Add the commands."""
    family = typer.Typer(cls=Group, help=say("ledger"), no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(family, name="ledger")

    @family.command("check", cls=Command, help=say("ledger.check"))
    def _check(
        ctx: typer.Context, as_json: bool = typer.Option(False, "--json", help=say("option.json"))
    ) -> None:
        from casefile import ledger

        settings: Settings = ctx.obj
        with settings.open() as context:
            report = ledger.check(context)
        leave(report, settings, as_json=as_json)

    @family.command("prove", cls=Command, help=say("ledger.prove"))
    def _prove(ctx: typer.Context, case_no: str = typer.Argument(..., metavar=say("metavar.case"))) -> None:
        import json

        from casefile import ledger

        settings: Settings = ctx.obj
        with settings.open() as context:
            proof = ledger.prove(case_no, context)
        if not proof["entries"]:
            raise BadInput("LEDGER-NO-ENTRY", subject=case_no)
        print(json.dumps(proof, ensure_ascii=False, indent=2))

    @family.command("anchor", cls=Command, help=say("ledger.anchor"))
    def _anchor(ctx: typer.Context) -> None:
        from casefile import pipeline

        settings: Settings = ctx.obj
        with settings.open() as context:
            anchored = pipeline.anchor(context)
        if anchored is None:
            show_line("账本是空的，没有可锚定的内容", "the ledger is empty", settings)
            return
        root = anchored.root.hex()
        show_line(
            f"已锚定：{anchored.size} 条，根 {root}",
            f"anchored: {anchored.size} entries, root {root}",
            settings,
        )
