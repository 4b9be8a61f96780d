"""Each bad example of a manifest raises the code in its name and no other; the good one raises none."""

from __future__ import annotations

from pathlib import Path

import pytest

from casefile import codes, resources
from casefile.model.finding import Finding
from casefile.verify import schema
from casefile.verify.subject import opened

EXAMPLES = resources.root("archive_schema") / "examples"


def raised(path: Path, tmp_path: Path) -> set[str]:
    (tmp_path / "manifest.xml").write_bytes(path.read_bytes())
    subject = opened(tmp_path)
    complaints = [*subject.complaints, *schema.check(subject)]
    assert all(isinstance(one, Finding) and one.subject == "manifest.xml" for one in complaints)
    return {one.code for one in complaints if isinstance(one, Finding)}


def test_the_good_manifest_is_good(tmp_path: Path) -> None:
    assert raised(EXAMPLES / "good" / "manifest.xml", tmp_path) == set()


@pytest.mark.parametrize("path", sorted((EXAMPLES / "bad").glob("*.xml")), ids=lambda path: path.stem)
def test_a_bad_manifest_raises_what_its_name_says(path: Path, tmp_path: Path) -> None:
    code = path.stem.partition("_")[0]
    assert code in codes.codes()
    assert raised(path, tmp_path) == {code}
