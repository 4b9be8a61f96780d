"""The judge of PDF/A must agree with the corpus that its makers named, and never say yes by mistake."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pikepdf
import pytest

from casefile.errors import MissingTool
from casefile.tools import verapdf


def test_it_agrees_with_the_names_of_its_corpus(corpora: Path) -> None:
    for name, wanted in (("pass", True), ("fail", False)):
        for file in sorted((corpora / "verapdf-pdfa-2b" / name).glob("*.pdf"))[::4]:
            verdict = verapdf.check(file, "2b")
            assert verdict.compliant is wanted, file.name
            assert bool(verdict.failures) is not wanted


def test_the_broken_rule_is_named(corpora: Path) -> None:
    verdict = verapdf.check(corpora / "verapdf-pdfa-2b" / "fail" / "6-1-12-t01-fail-a.pdf", "2b")
    assert verdict.rules == ("6.1.12-1",)
    assert verdict.failures[0].startswith("6.1.12-1 ")


def test_what_can_not_be_checked_is_no_pass(tmp_path: Path) -> None:
    (tmp_path / "no.pdf").write_bytes(b"no pdf at all")
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(tmp_path / "plain.pdf")
        pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(user="u", owner="o"))
    (tmp_path / "cut.pdf").write_bytes((tmp_path / "plain.pdf").read_bytes()[:200])
    for name in ("no.pdf", "locked.pdf", "cut.pdf", "missing.pdf", "."):
        verdict = verapdf.check(tmp_path / name)
        assert verdict.compliant is None, name
        assert verdict.reason
    assert verapdf.check(tmp_path / "plain.pdf").compliant is False
    assert verapdf.check(tmp_path / "plain.pdf", "no such flavour").compliant is None


def test_threads_may_all_ask(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(tmp_path / "plain.pdf")
    with ThreadPoolExecutor(4) as threads:
        verdicts = list(threads.map(verapdf.check, [tmp_path / "plain.pdf"] * 12))
    assert {v.rules for v in verdicts} == {verdicts[0].rules}


def test_a_missing_library_is_said_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    verapdf.require()
    monkeypatch.setattr(verapdf, "_jar", lambda: None)
    with pytest.raises(MissingTool) as raised:
        verapdf.require()
    assert raised.value.code == "TOOL-VERAPDF"


_ENDING = """
import jpype
from casefile.tools import verapdf
verapdf._start()
held = jpype.JClass("java.util.ArrayList")()
for _ in range(60000):
    held.add(jpype.JProxy("java.lang.Runnable", dict={"run": lambda: None}))
held.clear()
jpype.JClass("java.lang.System").gc()
"""


def test_a_process_ends_in_peace_while_java_collects() -> None:
    done = subprocess.run([sys.executable, "-c", _ENDING], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
