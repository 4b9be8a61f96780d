"""A bureau's own template: checked at the door, stripped, and then used in the place of the shipped one."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from docx import Document as new_docx
from small_house import draw

from casefile import assemble, catalogue
from casefile.assemble.templates import catalogue_of
from casefile.context import Context
from casefile.errors import BadInput, Refused, UsageError
from casefile.formats.office import docx

TYPE = "publicity_record"


def own(folder: Path, *paragraphs: str) -> Path:
    """Made with Word's own default styles, some hundred of them."""
    return draw(folder / "本局公示记录.docx", *paragraphs)


def test_a_good_template_is_stripped_and_used(context: Context, tmp_path: Path) -> None:
    path = own(tmp_path, "公示记录（本局式样）", "平台：{{ platform }}", "{{ published_at|date_cn }}")
    report = assemble.register_template(TYPE, path, context)
    assert {f.code for f in report.findings} == {"TEMPLATE-UNUSED-FIELD"}, "only notes on what it leaves out"
    taken = catalogue_of(context).template(TYPE)
    assert taken == context.workspace.templates / f"{TYPE}.docx"
    assert taken.stat().st_size < path.stat().st_size / 2
    with zipfile.ZipFile(io.BytesIO(taken.read_bytes())) as package:
        assert b"<w:style " in package.read("word/styles.xml")
        assert "word/stylesWithEffects.xml" not in package.namelist()
    assert docx.paragraphs(taken.read_bytes(), TYPE)[0] == "公示记录（本局式样）"
    new_docx(str(taken))  # opens in a reader that is not ours


def test_the_former_template_is_kept(context: Context, tmp_path: Path) -> None:
    assemble.register_template(TYPE, own(tmp_path, "第一版 {{ platform }}"), context)
    first = (context.workspace.templates / f"{TYPE}.docx").read_bytes()
    assemble.register_template(TYPE, own(tmp_path, "第二版 {{ platform }}"), context)
    (former,) = (context.workspace.templates / "former").iterdir()
    assert former.read_bytes() == first and former.name.startswith(TYPE)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{{ platfrom }}", "TEMPLATE-UNDEFINED"),
        ("｛｛ platform ｝｝", "TEMPLATE-WIDE-BRACES"),
        ("金额￥100", "TEMPLATE-YEN"),
    ],
)
def test_a_faulty_template_is_refused_and_nothing_changes(
    context: Context, tmp_path: Path, text: str, code: str
) -> None:
    with pytest.raises(BadInput) as caught:
        assemble.register_template(TYPE, own(tmp_path, text), context)
    assert caught.value.code == "TEMPLATE-REFUSED"
    assert code in {f.code for f in caught.value.findings}
    assert list(context.workspace.templates.rglob("*.docx")) == []


def test_code_and_macros_do_not_come_in(context: Context, tmp_path: Path) -> None:
    with pytest.raises((Refused, BadInput)) as caught:
        assemble.register_template(TYPE, own(tmp_path, "{{ cycler.__init__.__globals__ }}"), context)
    assert {f.code for f in caught.value.findings} == {"TEMPLATE-CODE"}
    path = own(tmp_path, "公示")
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("word/vbaProject.bin", b"\0")
    with pytest.raises(Refused) as macro:
        assemble.register_template(TYPE, path, context)
    assert macro.value.code == "DOCX-ACTIVE"


def test_tracked_changes_and_tags_that_nothing_fills_do_not_come_in(context: Context, tmp_path: Path) -> None:
    path = own(tmp_path, "{{ platform }}")
    with zipfile.ZipFile(path, "a") as package:
        package.writestr(
            "word/footnotes.xml",
            '<w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
            "<w:p><w:ins><w:r><w:t>{{ platform }}</w:t></w:r></w:ins></w:p></w:footnotes>",
        )
    with pytest.raises(BadInput) as caught:
        assemble.register_template(TYPE, path, context)
    assert {"TEMPLATE-PART", "TEMPLATE-TRACKED"} <= {f.code for f in caught.value.findings}
    assert list(context.workspace.templates.rglob("*.docx")) == []


def test_a_type_without_a_form_and_a_file_that_is_not_there(context: Context, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        assemble.register_template("fine_receipt", own(tmp_path, "票据"), context)
    with pytest.raises(BadInput) as caught:
        assemble.register_template(TYPE, tmp_path / "没有.docx", context)
    assert caught.value.code == "TEMPLATE-MISSING"


def test_shipped_templates_lose_nothing_when_stripped() -> None:
    for type_id, path in catalogue.load().templates.items():
        raw = path.read_bytes()
        assert docx.paragraphs(docx.pruned(raw, type_id), type_id) == docx.paragraphs(raw, type_id)
