"""``templates list``, ``show``, ``check``, ``add`` and ``sample``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer

from casefile.cli.base import Command, Group, Help, Settings, leave, show_line
from casefile.errors import UsageError
from casefile.model.catalogue import DocumentType

_MADE = {"bureau": "本局", "outside": "外来件", "binding": "装订时"}
_STAGES = ("启动", "取证", "审决", "送执", "归档")


def unchecked(kind: DocumentType) -> bool:
    """True when nobody has compared the basis with the text of the law yet."""
    return any(not basis.checked for basis in kind.basis)


def _told(kind: DocumentType) -> Iterator[str]:
    yield f"制作：{_MADE[kind.made]}" + (f"　签署：{'、'.join(kind.signers)}" if kind.signers else "")
    need = kind.need.zh + (f"（{kind.condition}）" if kind.condition else "")
    yield f"送达：{kind.service.zh}　卷别：{kind.volume.zh if kind.volume else '—'}　必备：{need}"
    if kind.number_word:
        yield f"文号：{kind.number_pattern.replace('{word}', kind.number_word)}"
    if kind.valid_from or kind.valid_to:
        until = f"至 {kind.valid_to}" if kind.valid_to else "起"
        yield f"适用：{kind.valid_from or ''} {until}"
    for basis in kind.basis:
        yield f"依据：{basis.text}" + ("" if basis.checked else "【待核：请法制机构对照原文】")


def add(app: typer.Typer, say: Help) -> None:
    """Add the commands."""
    family = typer.Typer(cls=Group, help=say("templates"), no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(family, name="templates")

    @family.command("list", cls=Command, help=say("templates.list"))
    def _list(ctx: typer.Context) -> None:
        from casefile import catalogue
        from casefile.formats.terminal import print_table

        types = catalogue.load().types.values()
        print_table(
            ("文种", "名称", "阶段", "卷别", "送达", "必备", "制作", "待核"),
            [
                (
                    t.id,
                    t.name,
                    t.stage,
                    t.volume.zh if t.volume else "—",
                    t.service.zh,
                    t.need.zh + (f"（{t.condition}）" if t.condition else ""),
                    _MADE[t.made],
                    "待核" if unchecked(t) else "",
                )
                for t in sorted(types, key=lambda t: (_STAGES.index(t.stage), t.procedures, t.id))
            ],
        )

    @family.command("show", cls=Command, help=say("templates.show"))
    def _show(ctx: typer.Context, type_id: str = typer.Argument(..., metavar=say("metavar.type"))) -> None:
        from casefile import catalogue
        from casefile.formats.terminal import print_table

        known = catalogue.load()
        if type_id not in known.types:
            raise UsageError("TYPE-UNKNOWN", subject=type_id)
        kind = known.types[type_id]
        print(f"{kind.name}（{kind.id}）" + (f"，又称 {'、'.join(kind.aliases)}" if kind.aliases else ""))
        for line in _told(kind):
            print(f"  {line}")
        print_table(
            ("字段", "名称", "类型", "必备", "来源或说明"),
            [
                (
                    f.name,
                    f.zh,
                    f.kind,
                    "手填" if f.by_hand else f.need.zh,
                    f.source or "、".join(f.choices) or f.hint,
                )
                for f in known.fields_of(type_id)
            ],
        )

    @family.command("check", cls=Command, help=say("templates.check"))
    def _check(
        ctx: typer.Context, as_json: bool = typer.Option(False, "--json", help=say("option.json"))
    ) -> None:
        from casefile import assemble, catalogue
        from casefile.assemble.templates import with_own
        from casefile.context import Workspace

        settings: Settings = ctx.obj
        known = with_own(catalogue.load(), Workspace(settings.folder).templates)
        leave(assemble.check_templates(known), settings, as_json=as_json)

    @family.command("add", cls=Command, help=say("templates.add"))
    def _add(
        ctx: typer.Context,
        type_id: str = typer.Argument(..., metavar=say("metavar.type")),
        source: str = typer.Argument(..., metavar=say("metavar.file")),
    ) -> None:
        from casefile import assemble

        settings: Settings = ctx.obj
        with settings.open() as context:
            report = assemble.register_template(type_id, Path(source), context)
        show_line(f"已启用 {source}", f"taken: {source}", settings)
        leave(report, settings, as_json=False)

    @family.command("sample", cls=Command, help=say("templates.sample"))
    def _sample(
        ctx: typer.Context,
        type_id: str = typer.Argument(..., metavar=say("metavar.type")),
        target: str = typer.Option("", "-o", "--output", metavar=say("metavar.file"), help=say("option.pdf")),
    ) -> None:
        from casefile import assemble

        settings: Settings = ctx.obj
        place = Path(target or f"{type_id}.pdf")
        with settings.open() as context:
            assemble.sample(type_id, context, place)
        show_line(f"已生成 {place}", f"made {place}", settings)
