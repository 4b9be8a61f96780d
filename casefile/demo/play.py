"""Three fictitious cases from register row to archive, so that anybody can see the whole way.

The complete case is closed, signed, archived and verified; one lacks documents and holds a file with a
secrecy mark; one stands in the register and has no file at all. The audit must find exactly that.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from casefile import audit, cases, catalogue, pipeline, register, verify
from casefile.codes import rendered, severities
from casefile.context import Context, Workspace, write_whole
from casefile.demo import evidence, pki_service, sample
from casefile.errors import ExitCode
from casefile.formats.office import plain_docx
from casefile.gather import Gathered
from casefile.model.finding import Report
from casefile.model.terms import Outcome


@dataclass(slots=True)
class Step:
    """One line of the table that the demo prints."""

    what: str
    place: str
    seconds: float


@dataclass(slots=True)
class Story:
    """What the demo did and found."""

    steps: list[Step] = field(default_factory=list)
    gathered: Gathered | None = None
    verified: Report | None = None
    audited: Report | None = None

    def timed(self, what: str, place: str, work: Callable[[], Any]) -> Any:
        """Do ``work`` and write down how long it took."""
        start = time.perf_counter()
        made = work()
        self.steps.append(Step(what, place, time.perf_counter() - start))
        return made


def play(folder: Path, *, number: int = 3) -> Story:
    """Make the workspace (or go on with it) and take ``number`` cases through everything."""
    story = Story()
    workspace = Workspace(folder.absolute())
    if not workspace.settings.exists():
        Workspace.create(workspace.root)
    service = story.timed(
        "演示证书、时间戳、OCSP、CRL", "keys/ trust/", lambda: pki_service.Service(workspace.root).start()
    )
    try:
        write_whole(workspace.settings, sample.settings(service.pki, workspace.root).encode())
        with Context.open(workspace.root) as context:
            _cases(context, story, number)
    finally:
        service.close()
    return story


def _cases(context: Context, story: Story, number: int) -> None:
    root = context.workspace.root
    book = root / "执法台账.xlsx"
    sample.write_register(book, number)
    story.timed("导入台账", book.name, lambda: register.import_file(book, context))
    for case_no, text, fill in sample.cases(number):
        _prepare(case_no, text, fill, context)
    for case_no in sample.complete_numbers(number):
        story.timed("结案归档", f"cases/{case_no}/", partial(pipeline.run, case_no, context))
    story.gathered = story.timed(
        "收集（含一份涉密件，应拒收）",
        f"cases/{sample.INCOMPLETE}/",
        lambda: pipeline.gathered(sample.INCOMPLETE, context),
    )
    story.verified = story.timed(
        "验证完整案件", sample.COMPLETE, lambda: verify.case(sample.COMPLETE, context)
    )
    story.audited = story.timed("核对有案必有卷", "四方核对", lambda: audit.audit(context))


def _prepare(case_no: str, text: str, fill: Callable[[Path], Path | None], context: Context) -> None:
    folder = context.workspace.case(case_no)
    if not folder.data.exists():
        row = register.row(case_no, context)
        assert row is not None
        cases.create(row, context, catalogue.load())
        write_whole(folder.data, text.encode())
    if any(path.suffix == ".jpg" for path in folder.inbox.rglob("*")):
        return
    opinion = fill(folder.inbox)
    if opinion is not None:
        _render_opinion(opinion, context)


def _render_opinion(target: Path, context: Context) -> None:
    from casefile.tools.office import office_of

    letter = context.workspace.root / "keys" / "opinion.docx"
    write_whole(letter, plain_docx.written(*evidence.LAND_OPINION))
    target.parent.mkdir(parents=True, exist_ok=True)
    office_of(context).render(letter, target, seconds=120)
    letter.unlink()


def show(folder: Path, *, cases: int = 3, lang: str = "zh") -> int:
    """Play the demo and tell a person what came of it; give the exit code of the whole."""
    from casefile.audit import report_text
    from casefile.formats.terminal import print_table

    story = play(folder, number=cases)
    assert story.gathered is not None and story.verified is not None and story.audited is not None
    print_table(
        ("步骤", "位置", "用时（秒）"),
        [(s.what, s.place, f"{s.seconds:.2f}") for s in story.steps],
        title=f"演示工作区 {folder}",
    )
    print("收件箱里的涉密件：" + "；".join(rendered(f, lang)["message"] for f in story.gathered.findings))
    print("\n完整案件的验证结果：")
    report_text.show(story.verified, lang)
    print("\n核对有案必有卷（应当只发现预先埋下的问题）：")
    report_text.show(story.audited, lang)
    audited = story.audited.outcome(severities())
    left_with = ExitCode.FINDINGS if audited is Outcome.FAILED else ExitCode.CLEAN
    print(f"\ncasefile audit 的退出码：{int(left_with)}")
    _what_next(folder)
    passed = story.verified.outcome(severities()) is Outcome.PASSED
    planted = sample.planted() == {(f.case_no, f.code) for f in story.audited.findings}
    return int(ExitCode.CLEAN if passed and planted and story.gathered.refused else ExitCode.FINDINGS)


def _what_next(folder: Path) -> None:
    signed = sorted((folder / "cases" / sample.COMPLETE / "work" / "signed").rglob("*.pdf"))
    print("\n接下来可以看：")
    for path in signed:
        print(f"  {path}")
    print(f"  {folder / 'cases' / sample.COMPLETE / 'case.yaml'}")
    program = "casefile" if shutil.which("casefile") else sys.argv[0]
    print(f"  {program} -w {folder} verify {sample.COMPLETE}")
    print(f"  {program} -w {folder} audit --html 核对.html")


def serve(folder: Path, lang: str = "zh") -> None:
    """Answer timestamp, OCSP and CRL requests of the demo certificates until stopped."""
    service = pki_service.Service(folder.absolute()).start()
    sentence = f"演示服务在 {service.url}，按 Ctrl+C 停止"
    print(sentence if lang == "zh" else f"serving on {service.url}; Ctrl+C stops", flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        service.close()
