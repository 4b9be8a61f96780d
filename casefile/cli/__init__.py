"""The command line: thin. Each family of commands is a module; :func:`main` turns errors into exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from casefile.cli import cases, checks, documents, dossier, ledger, numbers, register, templates, workspace
from casefile.cli.base import Group, Help, Settings, errors_shown, usage_error


def build(lang: str) -> typer.Typer:
    """The whole command, with its help in one language."""
    say = Help(lang)
    app = typer.Typer(
        name="casefile",
        cls=Group,
        help=say("casefile"),
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def _options(
        ctx: typer.Context,
        folder: str = typer.Option(
            ".", "-w", "--workspace", metavar=say("metavar.folder"), help=say("option.workspace")
        ),
        lang: str = typer.Option("zh", "--lang", metavar="zh|en", help=say("option.lang")),
        clock: str = typer.Option("", "--clock", metavar=say("metavar.time"), help=say("option.clock")),
        operator: str = typer.Option(
            "",
            "--by",
            metavar=say("metavar.person"),
            envvar="CASEFILE_BY",
            show_envvar=False,
            help=say("option.by"),
        ),
    ) -> None:
        ctx.obj = Settings.of(folder=folder, lang=lang, clock=clock, operator=operator)

    for family in (workspace, register, cases, templates, documents, numbers, dossier, checks, ledger):
        family.add(app, say)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run the command and give its exit code; nothing but a programming error ever shows a traceback."""
    lang = _language(arguments)
    command = typer.main.get_command(build(lang))
    with errors_shown(lang) as shown:
        try:
            code = command.main(args=arguments, prog_name="casefile", standalone_mode=False)
        except typer.TyperException as error:
            raise usage_error(error) from None
        shown.code = code if isinstance(code, int) else 0
    return shown.code


def _language(arguments: Sequence[str]) -> str:
    """The language must be known before the help texts are made."""
    for place, word in enumerate(arguments):
        if word == "--lang" and place + 1 < len(arguments):
            return "en" if arguments[place + 1] == "en" else "zh"
        if word.startswith("--lang="):
            return "en" if word == "--lang=en" else "zh"
    return "en" if os.environ.get("CASEFILE_LANG") == "en" else "zh"
