"""``fill`` and ``issue``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from casefile import codes
from casefile.cli.base import Command, Help, Settings, show_line, warn_pending
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


def _blank_list(type_id: str, target: Path, context: Context, settings: Settings) -> None:
    from casefile import catalogue
    from casefile.cases import party_list

    party_list.blank(type_id, target, context, catalogue.load())
    show_line(
        f"已生成空白名单 {target}：每行填一个当事人，不填的列取案件数据，填好后用 --from {target}",
        f"made {target}; one party a row, then --from {target}",
        settings,
    )


def _fill_list(case_no: str, type_id: str, source: Path, context: Context, settings: Settings) -> int:
    """A line for each row that went wrong, a sum, and the whole in a workbook beside the drafts."""
    from casefile import pipeline
    from casefile.cases import party_list
    from casefile.context import write_whole

    done = pipeline.fill_list(case_no, type_id, source, context)
    wrong = {
        line.row: "；".join(codes.rendered(f, settings.lang)["message"] for f in line.findings)
        for line in done.taken.lines
        if line.findings
    }
    for line in done.taken.lines:
        if line.row in wrong:
            text = f"第{line.row}行 {line.name}：{wrong[line.row]}"
            show_line(text, text, settings)
    states = {draft.id: _STATES[draft.state][0].strip("　") for draft in done.drafts}
    target = context.workspace.case(case_no).documents / f"{type_id}-名单结果.xlsx"
    write_whole(target, party_list.report(done.taken, states, wrong, context.now()))
    place = context.workspace.relative(target)
    zh = f"名单 {len(done.taken.lines)} 行：生成 {len(states)} 份，有误 {len(wrong)} 行；逐行结果见 {place}"
    show_line(zh, f"{len(states)} drafts, {len(wrong)} rows wrong; see {place}", settings)
    return 3 if wrong else 0


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
        source: str = typer.Option("", "--from", metavar=say("metavar.xlsx"), help=say("option.from")),
        form: str = typer.Option("", "--blank-list", metavar=say("metavar.xlsx"), help=say("option.list")),
    ) -> None:
        from casefile import pipeline

        settings: Settings = ctx.obj
        if bool(case_no) == every:
            raise UsageError("CLI-FILL-WHAT", subject="fill")
        if (source or form) and (every or len(ids or []) != 1):
            raise UsageError("CLI-FILL-LIST", subject="fill")
        with settings.open() as context:
            if every:
                raise typer.Exit(_fill_all(context, settings))
            if form:
                _blank_list(ids[0], Path(form), context, settings)
                return
            warn_pending(case_no, context, settings)
            if source:
                raise typer.Exit(_fill_list(case_no, ids[0], Path(source), context, settings))
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
            warn_pending(case_no, context, settings)
            document = pipeline.issue(case_no, document_id, context)
            place = context.workspace.relative(document.signed or document.pdf)
        show_line(
            f"已定稿：{document.title} {document.doc_no} {document.pages}页 {place}",
            f"issued: {document.title} {document.doc_no} {document.pages} pages {place}",
            settings,
        )
