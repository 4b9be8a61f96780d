"""``templates list``, ``show``, ``check`` and ``sample``."""

from __future__ import annotations

from pathlib import Path

import typer

from casefile.cli.base import Command, Group, Help, Settings, leave, show_line
from casefile.errors import UsageError


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
            ("文种", "名称", "阶段", "卷别", "送达", "必备", "模板"),
            [
                (
                    t.id,
                    t.name,
                    t.stage[1:],
                    t.volume.zh if t.volume else "—",
                    t.service.zh,
                    t.need.zh + (f"（{t.condition}）" if t.condition else ""),
                    "有" if t.has_template else "外来件",
                )
                for t in sorted(types, key=lambda t: (t.stage, t.id))
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
        for basis in kind.basis:
            print(f"  依据：{basis.text}" + ("" if basis.checked else "【待核】"))
        print_table(
            ("字段", "名称", "类型", "必备", "来源或说明"),
            [
                (f.name, f.zh, f.kind, f.need.zh, f.source or "、".join(f.choices) or f.hint)
                for f in known.fields_of(type_id)
            ],
        )

    @family.command("check", cls=Command, help=say("templates.check"))
    def _check(
        ctx: typer.Context, as_json: bool = typer.Option(False, "--json", help=say("option.json"))
    ) -> None:
        from casefile import assemble, catalogue

        leave(assemble.check_templates(catalogue.load()), ctx.obj, as_json=as_json)

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
