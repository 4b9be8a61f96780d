"""The command as a person meets it: help, usage errors, exit codes, languages."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from casefile.cli import run
from casefile.cli.base import _help_texts
from casefile.codes import codes


def test_help_names_every_command_in_the_order_of_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    page = capsys.readouterr().out
    names = [
        "init",
        "register",
        "new",
        "fill",
        "gather",
        "bind",
        "sign",
        "archive",
        "close",
        "verify",
        "audit",
    ]
    places = [page.index(f"\n  {name} ") for name in names]
    assert places == sorted(places)
    assert "用法：" in page and "Usage" not in page


def test_help_speaks_english_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--lang", "en", "--help"]) == 0
    page = capsys.readouterr().out
    assert "Usage:" in page and not any("\u4e00" <= c <= "\u9fff" for c in page)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nosuch"], 2, "没有命令“nosuch”"),
        (["close"], 2, "缺少“案号”"),
        (["audit", "--nosuch"], 2, "没有选项 --nosuch"),
        (["--clock", "yesterday", "audit"], 2, "“yesterday”不是时间"),
        (["export", "X"], 2, "--bag"),
        (["-w", "/nonexistent-workspace", "audit"], 3, "不是工作区"),
    ],
)
def test_wrong_usage_is_one_sentence_and_a_next_step(
    arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == code
    complaint = capsys.readouterr().err
    assert says in complaint and "下一步：" in complaint and "Traceback" not in complaint


def test_a_wrong_setting_is_named(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = workspace / "casefile.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8") + "\n[binding]\nprofil = 'A'\n", encoding="utf-8"
    )
    assert run(["-w", str(workspace), "audit"]) == 3
    assert "binding.profil" in capsys.readouterr().err


def test_init_makes_a_workspace_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "新工作区"
    assert run(["init", str(place)]) == 0
    assert (place / "casefile.toml").is_file() and (place / "cases").is_dir()
    before = (place / "casefile.toml").read_bytes()
    assert run(["init", str(place)]) == 7
    assert (place / "casefile.toml").read_bytes() == before


def test_an_unregistered_case_is_sent_to_the_register(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-w", str(workspace), "new", "2026-PG-0009"]) == 3
    assert "台账中没有案号 2026-PG-0009" in capsys.readouterr().err


def test_a_case_number_can_not_leave_the_workspace(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-w", str(workspace), "bind", "../../etc"]) == 3
    assert not (workspace.parent.parent / "etc").exists()


def test_json_report_has_the_agreed_shape(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-w", str(workspace), "audit", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"outcome", "subjects", "findings", "not_looked_at"}
    assert report["outcome"] == "passed" and report["subjects"] == 0


def test_the_program_starts_as_a_process(command: list[str]) -> None:
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert "有案必有卷" in done.stdout


def test_starting_imports_no_heavy_library(command: list[str]) -> None:
    """``--help`` must answer at once: the stages and their libraries wait until they are needed."""
    python = Path(command[0]).parent / "python"
    script = (
        "import sys; from casefile.cli import run; run(['--help']);"
        "print(sorted({'pikepdf', 'sqlalchemy', 'pyhanko', 'lxml', 'typst', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_sentence_exists_in_both_languages() -> None:
    for code in codes().values():
        assert all((code.zh, code.en, code.next_zh, code.next_en)), code.id
        # Names of fonts, statutes and marks stay Chinese in an English sentence; the sentence doesn't.
        assert re.search(r"[A-Za-z]{2,}", code.en) and code.en != code.zh, code.id
    for name, texts in _help_texts().items():
        assert set(texts) == {"zh", "en"}, name


def test_a_new_workspace_must_be_filled_in_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "新工作区"
    assert run(["init", str(place)]) == 0
    assert run(["-w", str(place), "audit"]) == 3
    said = capsys.readouterr().err
    assert "bureau.name" in said and "还没有填写" in said
