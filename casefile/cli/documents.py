"""``fill`` and ``issue``."""

from __future__ import annotations

import typer

from casefile.cli.base import Command, Help, Settings, show_line

_STATES = {
    "written": ("已生成", "written"),
    "unchanged": ("未变　", "unchanged"),
    "kept": ("保留您的修改", "your edits kept"),
    "issued": ("已定稿", "issued"),
}


def add(app: typer.Typer, say: Help) -> None:
    """Add the commands."""

    @app.command("fill", cls=Command, help=say("fill"))
    def _fill(
        ctx: typer.Context,
        case_no: str = typer.Argument(..., metavar=say("metavar.case")),
        ids: list[str] = typer.Argument(None, metavar=say("metavar.types")),
    ) -> None:
        from casefile import assemble, pipeline

        settings: Settings = ctx.obj
        with settings.open() as context, context.locked(case_no):
            drafts = assemble.fill(pipeline.read(case_no, context), context, ids or None)
            for draft in drafts:
                zh, en = _STATES[draft.state]
                lacking = f"（待补：{'、'.join(draft.lacking)}）" if draft.lacking else ""
                place = context.workspace.relative(draft.path)
                show_line(f"{zh}  {place}{lacking}", f"{en}  {place}", settings)

    @app.command("issue", cls=Command, help=say("issue"))
    def _issue(
        ctx: typer.Context,
        case_no: str = typer.Argument(..., metavar=say("metavar.case")),
        document_id: str = typer.Argument(..., metavar=say("metavar.type")),
    ) -> None:
        from casefile import assemble, pipeline

        settings: Settings = ctx.obj
        with settings.open() as context, context.locked(case_no):
            document = assemble.issue(pipeline.read(case_no, context), document_id, context)
            place = context.workspace.relative(document.pdf)
        show_line(
            f"已定稿：{document.title} {document.doc_no} {document.pages}页 {place}",
            f"issued: {document.title} {document.doc_no} {document.pages} pages {place}",
            settings,
        )
