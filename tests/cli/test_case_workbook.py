"""A clerk's way with Excel, by the commands: new, export, import, and what each says and leaves with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from casefile.cases import workbook
from casefile.cli import run
from casefile.context import CaseFolder
from casefile.formats.office import sheet

NUMBER = "2026-PG-0001"
MINIMAL = {"case_source": "巡查", "cause": "非法占地", "party_type": "法人", "party_address": "某村1号"}


@pytest.fixture
def clerk(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs commands in the workspace; gives exit code and everything that was said."""

    def says(*arguments: str) -> tuple[int, str]:
        code = run(["-w", str(workspace), *arguments])
        told = capsys.readouterr()
        return code, told.out + told.err

    register = workspace / "台账.csv"
    register.write_text(
        f"案号,案件名称,程序,当事人,承办人\n{NUMBER},某案,普通程序,某甲,张三、李四\n", encoding="utf-8"
    )
    assert says("register", "import", str(register))[0] == 0
    return says


def typed(folder: CaseFolder, values: dict[str, str]) -> None:
    """Fill in cells of the workbook on disk by their hidden keys, as plain cells."""
    import xlsxwriter

    path = workbook.place(folder)
    sheets = sheet.read(path, spread=False)
    left = dict(values)
    with xlsxwriter.Workbook(path) as book:
        for one in sheets:
            page = book.add_worksheet(one.name)
            for row in one.rows:
                cells = list(row.cells)
                key = cells[3] if len(cells) > 3 else None
                if isinstance(key, str) and key in left:
                    cells[1] = left.pop(key)
                for column, cell in enumerate(cells):
                    if cell is not None:
                        page.write_string(row.number - 1, column, str(cell))
            if not one.visible:
                page.hide()
    assert not left


def test_from_new_to_import(clerk: Callable[..., tuple[int, str]], workspace: Path) -> None:
    code, told = clerk("new", NUMBER)
    assert code == 0 and f"casefile case import {NUMBER}" in told
    folder = CaseFolder(workspace / "cases" / NUMBER)
    assert workbook.place(folder).is_file() and not workbook.pending(folder)
    before = folder.data.read_bytes()

    code, told = clerk("case", "import", NUMBER)
    assert code == 3 and "工作表“案件”B" in told and "“案由”" in told and "没有导入" in told
    assert "Traceback" not in told and folder.data.read_bytes() == before

    clerks = {**MINIMAL, "uscc": "91999999MA0000001N", "party_phone": "0000-1234567", "legal_rep": "示例甲"}
    typed(folder, clerks)
    assert workbook.pending(folder)
    code, told = clerk("case", "import", NUMBER)
    # The certificate numbers are still missing: one complaint each, and nothing is written.
    assert code == 3 and told.count("执法证号”（") == 2 and folder.data.read_bytes() == before


def test_import_refuses_what_changed_and_force_keeps_both(
    clerk: Callable[..., tuple[int, str]], workspace: Path
) -> None:
    clerk("new", NUMBER)
    folder = CaseFolder(workspace / "cases" / NUMBER)
    text = folder.data.read_text(encoding="utf-8").replace('cert_no: ""', 'cert_no: "001"')
    folder.data.write_text(text.replace('cert_no: "001"', 'cert_no: "002"', 1), encoding="utf-8")
    assert clerk("case", "export", NUMBER)[0] == 0
    typed(
        folder,
        {**MINIMAL, "uscc": "91999999MA0000001N", "party_phone": "0000-1234567", "legal_rep": "示例甲"},
    )
    code, told = clerk("case", "export", NUMBER)
    assert code == 7 and "还没有导入" in told and "--force" in told
    mine = folder.data.read_text(encoding="utf-8")
    folder.data.write_text(mine + "# 同事加的\n", encoding="utf-8")
    code, told = clerk("case", "import", NUMBER)
    assert (
        code == 7 and "又有改动" in told and folder.data.read_text(encoding="utf-8").endswith("# 同事加的\n")
    )
    code, told = clerk("case", "import", NUMBER, "--force")
    assert code == 0 and "work/history/" in told and "已导入" in told
    (kept,) = (folder.work / "history").iterdir()
    assert kept.read_text(encoding="utf-8").endswith("# 同事加的\n")
    assert '  cause: "非法占地"' in folder.data.read_text(encoding="utf-8")
    code, told = clerk("case", "import", NUMBER)
    assert code == 0 and "没有改动" in told


def test_another_file_and_another_language(
    clerk: Callable[..., tuple[int, str]], workspace: Path, tmp_path: Path
) -> None:
    clerk("new", NUMBER)
    target = tmp_path / "填写.xlsx"
    code, told = clerk("case", "export", NUMBER, str(target))
    assert code == 0 and target.is_file() and str(target) in told
    code, told = clerk("--lang", "en", "case", "import", NUMBER, str(target))
    assert code == 3 and "填写.xlsx sheet 案件 B" in told and "lacks cause" in told
    assert clerk("case", "export", NUMBER, str(tmp_path / "a.csv"))[0] == 3
    code, told = clerk("case", "import", NUMBER, str(tmp_path / "没有.xlsx"))
    assert code == 3 and "casefile case export" in told
    assert clerk("case", "export", "2026-PG-0404")[0] == 3
    assert clerk("case", "import", "2026-PG-0404")[0] == 3
    assert not (workspace / "cases" / "2026-PG-0404").exists()


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["case", "import", "--help"]) == 0
    page = capsys.readouterr().out
    assert "用法：" in page and "--force" in page and "work/history" in page
