"""``fill`` and ``issue``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from casefile import codes
from casefile.cli.base import Command, Help, Settings, show_line
from casefile.errors import UsageError

if TYPE_CHECKING:
    from casefile.assemble import Draft
    from casefile.context import Context

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


def _fill_all(context: Context, settings: Settings) -> int:
    """A line for each case and a sum; the exit code is that of the worst case."""
    from casefile import pipeline
    from casefile.errors import CasefileError

    filled, failed, code = 0, 0, 0
    for case_no, done in pipeline.fill_all(context):
        if isinstance(done, CasefileError):
            failed, code = failed + 1, max(code, int(done.exit_code))
            for line in codes.explained(done, settings.lang):
                show_line(f"{case_no}  {line}", f"{case_no}  {line}", settings)
            continue
        filled += 1
        written = sum(draft.state == "written" for draft in done)
        kept = sum(draft.state == "kept" for draft in done)
        show_line(
            f"{case_no}  新生成 {written} 份，保留修改 {kept} 份，其余 {len(done) - written - kept} 份未变",
            f"{case_no}  {written} written, {kept} kept, {len(done) - written - kept} unchanged",
            settings,
        )
    show_line(f"完成 {filled} 件，未完成 {failed} 件", f"{filled} cases done, {failed} not done", settings)
    return code


def add(app: typer.Typer, say: Help) -> None:
    """Add the commands."""

    @app.command("fill", cls=Command, help=say("fill"))
    def _fill(
        ctx: typer.Context,
        case_no: str = typer.Argument("", metavar=say("metavar.case")),
        ids: list[str] = typer.Argument(None, metavar=say("metavar.types")),
        every: bool = typer.Option(False, "--all", help=say("option.all")),
    ) -> None:
        from casefile import pipeline

        settings: Settings = ctx.obj
        if bool(case_no) == every:
            raise UsageError("CLI-FILL-WHAT", subject="fill")
        with settings.open() as context:
            if every:
                raise typer.Exit(_fill_all(context, settings))
            for draft in pipeline.fill(case_no, context, ids or None):
                _show(draft, context.workspace.relative(draft.path), settings)

    @app.command("slip", cls=Command, help=say("slip"))
    def _slip(ctx: typer.Context, case_no: str = typer.Argument(..., metavar=say("metavar.case"))) -> None:
        from casefile import pipeline

        settings: Settings = ctx.obj
        with settings.open() as context:
            made = pipeline.slips(case_no, context)
            place = context.workspace.relative(made) if made else ""
        if made:
            show_line(f"已生成 {place}", f"made {place}", settings)
        else:
            show_line(
                "收件箱里没有登记为外来件的文件；在 inbox/evidence.yaml 里给它写 type",
                "no piece in the inbox is listed as a document from outside",
                settings,
            )

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
