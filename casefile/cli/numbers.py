"""``numbers list``, ``reserve`` and ``void``: the register of document numbers."""

from __future__ import annotations

import typer

from casefile.cli.base import Command, Group, Help, Settings, leave, show_line
from casefile.errors import BadInput
from casefile.model.catalogue import Catalogue, DocumentType

_STATES = {"given": ("已编", "given"), "reserved": ("预留", "reserved"), "void": ("作废", "void")}


def add(app: typer.Typer, say: Help) -> None:
    """Add the commands."""
    family = typer.Typer(cls=Group, help=say("numbers"), no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(family, name="numbers")

    @family.command("list", cls=Command, help=say("numbers.list"))
    def _list(
        ctx: typer.Context,
        word: str = typer.Argument("", metavar=say("metavar.word")),
        year: int = typer.Option(0, "--year", help=say("option.year")),
        as_json: bool = typer.Option(False, "--json", help=say("option.json")),
    ) -> None:
        from casefile.assemble import number
        from casefile.model.finding import Finding, Report

        settings: Settings = ctx.obj
        with settings.open() as context:
            known = number.register(context, year or None, _type(word).number_word if word else "")
        findings = tuple(
            Finding("NUMBER-GAPS", f"{w}〔{y}〕{seq}", params={"word": w, "year": str(y), "seq": str(seq)})
            for w, y, seq in number.gaps(known)
        )
        if not as_json:
            for entry in known:
                zh, en = _STATES[entry.state]
                of = " ".join(t for t in (entry.case_no, entry.document_id, entry.reason, entry.by) if t)
                show_line(
                    f"{zh}  {entry.doc_no}  {entry.at[:10]}  {of}",
                    f"{en}  {entry.doc_no}  {entry.at[:10]}  {of}",
                    settings,
                )
        leave(Report(subjects=len(known), findings=findings), settings, as_json=as_json)

    @family.command("reserve", cls=Command, help=say("numbers.reserve"))
    def _reserve(
        ctx: typer.Context,
        word: str = typer.Argument(..., metavar=say("metavar.word")),
        count: int = typer.Argument(..., metavar=say("metavar.count")),
        reason: str = typer.Option("", "--reason", help=say("option.reason")),
        year: int = typer.Option(0, "--year", help=say("option.year")),
    ) -> None:
        from casefile.assemble import number

        settings: Settings = ctx.obj
        kind = _type(word)
        with settings.open() as context:
            taken = number.reserve(
                kind.number_word,
                year or context.now().year,
                count,
                reason,
                context.operator,
                context,
                kind.number_pattern,
            )
        show_line(f"已预留：{taken[0]} 至 {taken[-1]}", f"reserved: {taken[0]} to {taken[-1]}", settings)

    @family.command("void", cls=Command, help=say("numbers.void"))
    def _void(
        ctx: typer.Context,
        doc_no: str = typer.Argument(..., metavar=say("metavar.number")),
        reason: str = typer.Option("", "--reason", help=say("option.reason")),
    ) -> None:
        from casefile.assemble import number

        settings: Settings = ctx.obj
        with settings.open() as context:
            entry = number.void(doc_no, reason, context.operator, context, _forms())
        show_line(f"已作废：{entry.doc_no}（{entry.reason}）", f"void: {entry.doc_no}", settings)


def _forms() -> tuple[tuple[str, str], ...]:
    """The words of numbers with their patterns."""
    from casefile import catalogue

    known: Catalogue = catalogue.load()
    kinds = known.types.values()
    return tuple(dict.fromkeys((k.number_word, k.number_pattern) for k in kinds if k.number_word))


def _type(word: str) -> DocumentType:
    """The type that is meant by its id, its name or the word of its numbers.

    Raises:
        BadInput: NUMBER-WORD.
    """
    from casefile import catalogue

    known: Catalogue = catalogue.load()
    for kind in known.types.values():
        if kind.number_word and word in (kind.id, kind.name, kind.number_word):
            return kind
    raise BadInput("NUMBER-WORD", subject=word)
