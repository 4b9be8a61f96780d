"""What a clerk types around documents: numbers, templates, drafts of every case."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from casefile.cli import run


@pytest.fixture
def desk(workspace: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert (
        run(["-w", str(workspace), "--by", "示例庚", "numbers", "reserve", "罚", "2", "--reason", "纸质已编"])
        == 0
    )
    capsys.readouterr()
    return ["-w", str(workspace)]


def test_the_register_of_numbers_tells_who_and_why(
    desk: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*desk, "--by", "示例辛", "numbers", "void", "示自然资罚〔2026〕2号", "--reason", "印坏"]) == 0
    assert run([*desk, "numbers", "list", "行政处罚决定书"]) == 0
    out = capsys.readouterr().out
    assert "预留  示自然资罚〔2026〕1号" in out and "纸质已编 示例庚" in out
    assert "作废  示自然资罚〔2026〕2号" in out and "印坏 示例辛" in out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["numbers", "void", "示自然资罚〔2026〕1号"], 3, "没有写明"),
        (["numbers", "void", "示自然资罚〔2026〕9号", "--reason", "x"], 3, "登记簿里没有"),
        (["numbers", "reserve", "没有这个字", "1", "--reason", "x"], 3, "没有哪种文书"),
        (["numbers", "reserve", "罚", "0", "--reason", "x"], 3, "不能预留 0 个"),
        (["fill"], 2, "没有写明案号"),
        (["fill", "2026-PG-0001", "--all"], 2, "没有写明案号"),
        (["templates", "add", "penalty_decision", "没有.docx"], 3, "找不到文书模板"),
        (["templates", "add", "fine_receipt", "没有.docx"], 2, "fine_receipt"),
        (["slip", "2026-PG-0009"], 3, "2026-PG-0009"),
    ],
)
def test_a_slip_of_the_hand_is_told_in_one_sentence(
    desk: list[str], arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*desk, *arguments]) == code
    err = capsys.readouterr().err
    assert says in err and "下一步：" in err and "Traceback" not in err


def test_a_type_shows_what_nobody_compared_with_the_law(
    desk: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*desk, "templates", "show", "filing_approval"]) == 0
    out = capsys.readouterr().out
    assert "待核" in out and "文号：{short}立〔{year}〕{seq}号" in out and "手填" in out
    assert run([*desk, "templates", "list"]) == 0
    listed = capsys.readouterr().out
    assert "外来件" in listed and "装订时" in listed and "待核" in listed


def test_one_case_that_cannot_be_filled_does_not_stop_the_others(
    desk: list[str], workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Path(__file__).resolve().parents[2] / "casefile" / "demo" / "data" / "incomplete.yaml"
    good = workspace / "cases" / "2026-PG-0002"
    good.mkdir(parents=True)
    shutil.copy(data, good / "case.yaml")
    (workspace / "cases" / "2026-PG-0001").mkdir()
    assert run([*desk, "fill", "--all"]) == 3
    out = capsys.readouterr().out
    assert "2026-PG-0001  案件 2026-PG-0001 没有" in out and "完成 1 件，未完成 1 件" in out
    assert (good / "documents" / "filing_approval.docx").exists()
    assert (good / "documents" / "service_receipt.penalty_prior_notice.docx").exists()
    assert run([*desk, "fill", "--all"]) == 3
    assert "新生成 0 份" in capsys.readouterr().out, "run again, it goes on where it stopped"
