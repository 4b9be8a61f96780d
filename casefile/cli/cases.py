"""``new``, ``case export`` and ``case import``."""

from __future__ import annotations

from pathlib import Path

import typer

from casefile.cli.base import Command, Group, Help, Settings, show_line
from casefile.errors import BadInput


def add(app: typer.Typer, say: Help) -> None:
    """Add the commands."""

    @app.command("new", cls=Command, help=say("new"))
    def _new(ctx: typer.Context, case_no: str = typer.Argument(..., metavar=say("metavar.case"))) -> None:
        from casefile import cases, catalogue, register
        from casefile.cases import workbook

        settings: Settings = ctx.obj
        with settings.open() as context:
            row = register.row(case_no, context)
            if row is None:
                raise BadInput("CASE-NOT-REGISTERED", subject=case_no)
            folder = cases.create(row, context, catalogue.load())
            place = context.workspace.relative(folder.data)
            book = context.workspace.relative(workbook.export(case_no, context, catalogue.load()))
        show_line(f"已建立 {place}，请填写后运行 casefile fill {case_no}", f"made {place}", settings)
        show_line(
            f"也可以用 Excel/WPS 填写 {book}，保存后运行 casefile case import {case_no}",
            f"or fill in {book} and run casefile case import {case_no}",
            settings,
        )

    family = typer.Typer(cls=Group, help=say("case"), no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(family, name="case")

    @family.command("add", cls=Command, help=say("case.add"))
    def _add(
        ctx: typer.Context,
        case_no: str = typer.Argument(..., metavar=say("metavar.case")),
        types: list[str] = typer.Argument(..., metavar=say("metavar.types")),
    ) -> None:
        from casefile import catalogue
        from casefile.cases import adding

        settings: Settings = ctx.obj
        with settings.open() as context:
            added = adding.add(case_no, types, context, catalogue.load())
        if added:
            names = "、".join(f"《{name}》" for name in added)
            show_line(f"已添加 {names}，请填写 case.yaml 或 case.xlsx 中的各项", f"added {names}", settings)
        else:
            show_line("这些文书已经在案件数据里了", "these documents have their place already", settings)

    @family.command("export", cls=Command, help=say("case.export"))
    def _export(
        ctx: typer.Context,
        case_no: str = typer.Argument(..., metavar=say("metavar.case")),
        file: str = typer.Argument("", metavar=say("metavar.xlsx"), show_default=False),
        force: bool = typer.Option(False, "--force", help=say("option.force.export")),
    ) -> None:
        from casefile import catalogue
        from casefile.cases import workbook

        settings: Settings = ctx.obj
        with settings.open() as context:
            target = Path(file) if file else None
            path = workbook.export(case_no, context, catalogue.load(), target, force=force)
            place = file or context.workspace.relative(path)
        more = f" {file}" if file else ""
        show_line(
            f"已导出 {place}，请用 Excel/WPS 填写，保存后运行 casefile case import {case_no}{more}",
            f"written to {place}; fill it in and run casefile case import {case_no}{more}",
            settings,
        )

    @family.command("import", cls=Command, help=say("case.import"))
    def _import(
        ctx: typer.Context,
        case_no: str = typer.Argument(..., metavar=say("metavar.case")),
        file: str = typer.Argument("", metavar=say("metavar.xlsx"), show_default=False),
        force: bool = typer.Option(False, "--force", help=say("option.force.import")),
    ) -> None:
        from casefile import catalogue, codes
        from casefile.cases import workbook

        settings: Settings = ctx.obj
        with settings.open() as context:
            source = Path(file) if file else None
            done = workbook.load(case_no, context, catalogue.load(), source, force=force)
            kept = context.workspace.relative(done.former) if done.former is not None else ""
        zh, en = (
            f"{done.fields} 项、{done.documents} 份文书",
            f"{done.fields} fields, {done.documents} documents",
        )
        if kept:
            show_line(
                f"已导入：{zh}。原来的 case.yaml 保存在 {kept}",
                f"imported: {en}. The former case.yaml is {kept}",
                settings,
            )
        else:
            show_line(f"填写表与 case.yaml 内容相同（{zh}），没有改动", f"nothing changed ({en})", settings)
        for note in done.notes:
            told = codes.rendered(note, settings.lang)
            line = f"  · {told['message']}。{told['next_step']}"
            show_line(line, line, settings)
        show_line(
            f"接着运行 casefile fill {case_no} 生成文书草稿", f"next: casefile fill {case_no}", settings
        )
