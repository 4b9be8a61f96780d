"""The catalogue, whole: each entry of the field's own list is there as data, each form renders as it should."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from casefile import assemble, catalogue
from casefile.assemble import accept
from casefile.catalogue import Catalogue
from casefile.context import Context
from casefile.formats.office import docx
from casefile.formats.pdf import pdf_text
from casefile.tools import verapdf
from casefile.tools.fonts import fonts_of

LIST = Path(__file__).resolve().parents[3] / "shared" / "facts" / "document_catalogue.json"
PROCEDURES = {
    "PG": "general_penalty", "PS": "summary_penalty", "PH": "hearing", "LI": "licence", "EM": "coercive_measure",
    "EE": "coercive_execution", "IN": "inspection", "EX": "expropriation", "FE": "fee", "*": "*",
}  # fmt: skip
NEEDS = {"M": "required", "O": "optional", "C": "when"}
SERVICE = {"Y": "required", "场": "on_site", "N": "none", "—": "none", "院": "other_authority",
           "警": "other_authority", "府": "other_authority"}  # fmt: skip
VOLUMES = {"正": "main", "副": "internal", "—": None}
IN_ANOTHER_VOLUME = {"case_closing_approval"}
"""Profile A follows the order of the flow, which has it in 正卷; the list says 副卷."""
# A form of another organ, a label or a book: nobody dates these as a document.
UNDATED = {"seal_strip", "evidence_bag_label"}


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return catalogue.load()


@pytest.fixture(scope="module")
def listed() -> list[dict[str, Any]]:
    if not LIST.is_file():
        pytest.skip("the field's list of documents is not beside this checkout")
    entries: list[dict[str, Any]] = json.loads(LIST.read_text(encoding="utf-8"))
    return entries


def test_every_entry_of_the_list_is_in_the_catalogue(
    shipped: Catalogue, listed: list[dict[str, Any]]
) -> None:
    assert [e["id"] for e in listed if e["id"] not in shipped.types] == []
    assert len(shipped.types) == 166
    for entry in listed:
        kind = shipped.types[entry["id"]]
        # One name on the page; what the list puts in brackets or behind a stroke stays findable.
        assert {entry["name"], *entry["aliases"]} <= {kind.name, *kind.aliases}, kind.id
        assert kind.procedures == tuple(PROCEDURES[p] for p in entry["procedures"]), kind.id
        assert kind.stage == entry["stage"][1:], kind.id
        assert kind.need.value == NEEDS[entry["need"][0]], kind.id
        assert kind.service.value == SERVICE[entry["serve"]], kind.id
        volume = kind.volume.value if kind.volume else None
        assert volume == VOLUMES[entry["volume"]] or kind.id in IN_ANOTHER_VOLUME, kind.id


def test_every_document_that_the_bureau_makes_has_a_form_and_no_other(shipped: Catalogue) -> None:
    for kind in shipped.types.values():
        assert kind.has_template is (kind.made == "bureau"), kind.id
        assert bool(kind.date_field) is kind.has_template or kind.id in UNDATED, kind.id
    made = Counter(kind.made for kind in shipped.types.values())
    assert made == {"bureau": 149, "outside": 14, "binding": 3}


def test_every_entry_says_on_what_it_rests_and_whether_somebody_looked(shipped: Catalogue) -> None:
    assert [k.id for k in shipped.types.values() if not k.basis] == []
    for kind in shipped.types.values():
        for basis in kind.basis:
            assert re.match("《.+》", basis.text), (kind.id, basis.text)


def test_no_two_types_share_the_word_of_their_numbers(shipped: Catalogue) -> None:
    words = Counter(k.number_word for k in shipped.types.values() if k.number_word)
    assert {word for word, count in words.items() if count > 1} == set()


def test_every_procedure_is_there_and_offers_what_it_requires(shipped: Catalogue) -> None:
    assert set(shipped.procedures) == set(PROCEDURES.values()) - {"*"}
    for procedure in shipped.procedures.values():
        ways = {way for requirement in procedure.required for way in requirement.split("|")}
        assert {t for t in ways if shipped.types[t].has_template} <= set(procedure.documents), procedure.id


def test_what_people_sign_may_stay_blank_until_they_did(shipped: Catalogue) -> None:
    for type_id in shipped.templates:
        for field in shipped.fields_of(type_id):
            assert field.by_hand or field.kind != "signature", f"{type_id}.{field.name}"


def _sample(type_id: str, shipped: Catalogue, context: Context) -> dict[str, Any]:
    bureau = context.config.bureau
    values = {
        f.name: getattr(bureau, (f.source or "").removeprefix("config.bureau."))
        for f in shipped.fields_of(type_id)
        if (f.source or "").startswith("config.bureau.")
    }
    return {
        **{f.name: None for f in shipped.fields_of(type_id)},
        **values,
        **catalogue.sample(type_id, shipped),
    }


def test_every_form_becomes_whole_pages_of_pdf_a(
    shipped: Catalogue, context: Context, tmp_path: Path
) -> None:
    """Rendered in one go by the pool: every word that was filled in stands on the pages, in an allowed font."""
    from casefile.formats.pdf.pdf_canonical import canonicalise
    from casefile.tools.office import office_of

    moment = context.now()
    printed = {}
    for type_id in sorted(shipped.templates):
        properties = docx.Properties("样张", "", moment)
        filled = docx.load(shipped.template(type_id)).render(_sample(type_id, shipped, context), properties)
        (tmp_path / f"{type_id}.docx").write_bytes(filled.docx)
        printed[type_id] = [p for p in filled.printed if p.text.strip()]
    jobs = [(tmp_path / f"{t}.docx", tmp_path / f"{t}.pdf") for t in printed]
    office_of(context).render_many(jobs, seconds=120, then=lambda _: None)
    wrong: dict[str, list[str]] = {}
    for type_id, texts in printed.items():
        pdf = tmp_path / f"{type_id}.pdf"
        result = canonicalise(pdf, moment)
        pdf.write_bytes(result.data)
        found = list(accept.complaints(pdf, result, texts, fonts_of(context), type_id))
        told = [f"{f.code} {dict(f.params)}" for f in found]
        verdict = verapdf.check(pdf, "3b")
        if not verdict.compliant:
            told.append(f"not PDF/A-3b: {verdict.failures[:2]}")
        if "None" in "".join(pdf_text.texts(pdf)):
            told.append("prints None")
        if told:
            wrong[type_id] = told
    assert wrong == {}


def test_a_blank_of_every_form_can_be_printed_and_filled_in_by_hand(
    shipped: Catalogue, context: Context
) -> None:
    """With nothing but what cannot be left blank, no form prints a stray word for what nobody said."""
    for type_id in sorted(shipped.templates):
        values = _sample(type_id, shipped, context)
        for field in shipped.fields_of(type_id):
            if field.by_hand or field.need.value == "optional":
                values[field.name] = None
        properties = docx.Properties("样张", "", context.now())
        text = docx.load(shipped.template(type_id)).render(values, properties).docx
        shown = "\n".join(docx.paragraphs(text, type_id))
        assert "None" not in shown and "{" not in shown and "；。" not in shown, type_id


def test_the_shipped_templates_have_no_fault(shipped: Catalogue) -> None:
    report = assemble.check_templates(shipped)
    assert [(f.code, f.subject, dict(f.params)) for f in report.findings if f.code != "FONT-STAND-IN"] == []
