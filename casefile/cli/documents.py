"""``fill`` and ``issue``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from casefile import codes
from casefile.cli.base import Command, Help, Settings, show_line

if TYPE_CHECKING:
    from casefile.assemble import Draft

_STATES = {
    "written": ("已生成", "written"),
    "unchanged": ("未变　", "unchanged"),
    "kept": ("保留您的修改", "your edits kept"),
    "issued": ("已定稿", "issued"),
}


def _show(draft: Draft, place: str, settings: Settings) -> None:
    zh, en = _STATES[draft.state]
    zh_told, en_told = [], []
    if draft.lacking:
        zh_told.append(f"待补：{'、'.join(draft.lacking)}")
        en_told.append(f"{len(draft.lacking)} still to come from other documents")
    if draft.by_hand:
        zh_told.append(f"印出后手写 {len(draft.by_hand)} 处")
        en_told.append(f"{len(draft.by_hand)} to be written by hand")
    zh_more = f"（{'；'.join(zh_told)}）" if zh_told else ""
    en_more = f" ({'; '.join(en_told)})" if en_told else ""
    show_line(f"{zh}  {place}{zh_more}", f"{en}  {place}{en_more}", settings)
    if draft.stale:
        show_line(
            "  注意：您改过这份草稿，之后案件数据又变了，草稿没有跟着变。"
            "把您的改动写进案件数据，删去草稿后再运行",
            "  note: the data changed after you edited this draft; the draft did not follow",
            settings,
        )
    for note in draft.notes:
        told = codes.rendered(note, settings.lang)
        line = f"  {told['message']}。{told['next_step']}"
        show_line(line, line, settings)


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
                _show(draft, context.workspace.relative(draft.path), settings)

    @app.command("issue", cls=Command, help=say("issue"))
    def _issue(
        ctx: typer.Context,
        case_no: str = typer.Argument(..., metavar=say("metavar.case")),
        document_id: str = typer.Argument(..., metavar=say("metavar.type")),
    ) -> None:
        from casefile import pipeline

        settings: Settings = ctx.obj
        with settings.open() as context:
            document = pipeline.issue(case_no, document_id, context)
            place = context.workspace.relative(document.signed or document.pdf)
        show_line(
            f"已定稿：{document.title} {document.doc_no} {document.pages}页 {place}",
            f"issued: {document.title} {document.doc_no} {document.pages} pages {place}",
            settings,
        )
