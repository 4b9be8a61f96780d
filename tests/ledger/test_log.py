"""The log as a bureau keeps it, and as somebody with the database file would bend it."""

from __future__ import annotations

import copy
import hashlib
import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from casefile import codes, database, ledger
from casefile.context import Context
from casefile.ledger import log, merkle
from casefile.model.terms import Outcome

CASE = "示自然资罚〔2026〕1号"


def digest(word: object) -> str:
    return hashlib.sha256(str(word).encode()).hexdigest()


def fill(book: Context, count: int) -> None:
    for number in range(count):
        ledger.append("package", f"案{number % 3}", digest(number), book)


def found(book: Context) -> set[tuple[str, str]]:
    report = ledger.check(book, lambda token, root: None)
    assert {f.code for f in report.findings} <= codes.codes().keys()
    return {(f.code, f.params.get("seq", "")) for f in report.findings}


def test_numbers_from_one_and_the_same_fact_once(book: Context) -> None:
    assert ledger.append("package", CASE, digest(1), book, {"version": "v1"}) == 1
    assert ledger.append("issue", CASE, digest(1), book) == 2
    assert ledger.append("package", CASE, digest(1), book, {"version": "v1"}) == 1
    assert ledger.append("package", CASE, digest(2), book, {"version": "v2"}) == 3
    newest = ledger.last(CASE, "package", book)
    assert newest is not None
    assert (newest.seq, newest.object_sha256, newest.detail) == (3, digest(2), {"version": "v2"})
    assert ledger.last("案", "package", book) is None
    assert ledger.check(book).outcome(codes.severities()) is Outcome.PASSED


def test_entries_hold_no_case_number_and_one_spelling(book: Context) -> None:
    ledger.append("package", CASE, digest(1), book, {"b": 1, "a": "甲"})
    with database.session(book) as session:
        entry = session.get(database.LedgerEntry, 1)
        assert entry is not None
        body = entry.body
    assert CASE.encode() not in body and "自然资罚".encode() not in body
    said = json.loads(body)
    assert body == json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(TypeError):
        ledger.append("package", CASE, digest(2), book, {"share": 0.5})  # type: ignore[dict-item]
    assert ledger.head(book).size == 1


def test_a_mistaken_update_or_delete_is_stopped(book: Context) -> None:
    fill(book, 2)
    for statement in ("update ledger_entries set action = 'x'", "delete from ledger_nodes"):
        with pytest.raises((IntegrityError, OperationalError)), database.session(book) as session:
            session.execute(text(statement))
    assert not found(book)


def test_erasing_a_salt_keeps_every_proof(book: Context) -> None:
    fill(book, 4)
    with database.session(book) as session:
        session.execute(text("delete from ledger_salts where seq = 2"))
    assert not found(book)
    proof = ledger.prove("案1", book)
    assert proof["entries"][0]["salt"] is None
    assert ledger.complaints(proof) == []


@pytest.mark.parametrize("changed", [1, 6, 7])
def test_an_altered_entry_is_named(book: Context, owner: Callable[[str], None], changed: int) -> None:
    fill(book, 7)
    owner(f"update ledger_entries set body = replace(body, 'package', 'pockage') where seq = {changed}")
    assert found(book) == {("LEDGER-ALTERED", str(changed))}


def test_an_altered_entry_with_its_leaf_redone_is_named_by_the_tree(
    book: Context, owner: Callable[[str], None]
) -> None:
    fill(book, 7)
    body = _other_body(book, 5)
    leaf = merkle.leaf_hash(body)
    owner(f"update ledger_entries set body = x'{body.hex()}', leaf = x'{leaf.hex()}' where seq = 5")
    assert found(book) == {("LEDGER-ALTERED", "5")}


def test_a_log_rewritten_whole_is_caught_by_its_anchor(book: Context, owner: Callable[[str], None]) -> None:
    fill(book, 6)
    assert ledger.anchor(book, lambda root: b"token over " + root) is not None
    fill(book, 9)
    body = _other_body(book, 3)
    with database.session(book) as session:
        leaves = [row.leaf for row in session.query(database.LedgerEntry).order_by(database.LedgerEntry.seq)]
    leaves[2] = merkle.leaf_hash(body)
    owner(f"update ledger_entries set body = x'{body.hex()}', leaf = x'{leaves[2].hex()}' where seq = 3")
    for level, row in enumerate(merkle.levels(leaves)):
        for position, value in enumerate(row):
            owner(
                f"update ledger_nodes set hash = x'{value.hex()}' "
                f"where level = {level} and position = {position}"
            )
    assert found(book) == {("LEDGER-FORKED", "")}


def test_a_cut_tail_is_told_from_an_altered_log(book: Context, owner: Callable[[str], None]) -> None:
    fill(book, 9)
    ledger.anchor(book, lambda root: b"token")
    owner("delete from ledger_salts where seq > 7")
    owner("delete from ledger_entries where seq > 7")
    owner("delete from ledger_nodes where (position + 1) * (1 << level) > 7")
    assert found(book) == {("LEDGER-TRUNCATED", "")}


def test_a_hole_and_a_case_renamed_beside_its_entry_are_told(
    book: Context, owner: Callable[[str], None]
) -> None:
    fill(book, 5)
    owner("update ledger_entries set case_no = '别案' where seq = 2")
    assert found(book) == {("LEDGER-CASE", "2")}
    owner("delete from ledger_salts where seq = 4")
    owner("delete from ledger_entries where seq = 4")
    assert ("LEDGER-GAP", "") in found(book)


def test_a_changed_or_lost_node_is_told(book: Context, owner: Callable[[str], None]) -> None:
    fill(book, 8)
    owner("update ledger_nodes set hash = zeroblob(32) where level = 2 and position = 1")
    assert found(book) == {("LEDGER-NODE", "")}
    owner("delete from ledger_nodes where level = 1")
    assert found(book) == {("LEDGER-NODE", "")}


def test_an_anchor_without_judge_is_not_looked_at(book: Context) -> None:
    assert ledger.anchor(book, lambda root: b"x") is None
    fill(book, 3)
    first = ledger.anchor(book, lambda root: b"one")
    again = ledger.anchor(book, lambda root: b"two")
    assert first == again
    report = ledger.check(book)
    assert report.outcome(codes.severities()) is Outcome.INDETERMINATE


def test_a_proof_stands_alone_and_can_not_be_bent(book: Context) -> None:
    fill(book, 5)
    ledger.anchor(book, lambda root: b"token")
    fill(book, 11)
    proof = ledger.prove("案1", book)
    assert len(proof["entries"]) == 4 and len(proof["checkpoints"]) == 1
    assert ledger.complaints(json.loads(json.dumps(proof))) == []
    bent = copy.deepcopy(proof)
    bent["case_no"] = "案2"
    assert set(ledger.complaints(bent)) == {"LEDGER-PROOF-CASE"}
    bent = copy.deepcopy(proof)
    bent["entries"][0]["body"] = bent["entries"][0]["body"].replace("package", "pockage")
    assert ledger.complaints(bent) == ["LEDGER-PROOF-ENTRY"]
    bent = copy.deepcopy(proof)
    bent["checkpoints"][0]["root"] = "00" * 32
    assert ledger.complaints(bent) == ["LEDGER-PROOF-CHECKPOINT"]
    assert ledger.complaints({"entries": 3}) == ["LEDGER-PROOF-SHAPE"]


def _writer(root: str, name: str) -> None:
    with Context.open(Path(root)) as context:
        for number in range(10):
            ledger.append("package", name, digest((name, number)), context)


def test_two_writers_queue_up(book: Context) -> None:
    ledger.head(book)
    spawn = multiprocessing.get_context("spawn")
    root = str(book.workspace.root)
    writers = [spawn.Process(target=_writer, args=(root, name)) for name in ("甲", "乙")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert ledger.head(book).size == 20
    assert not found(book)


def _other_body(book: Context, seq: int) -> bytes:
    with database.session(book) as session:
        entry = session.get(database.LedgerEntry, seq)
        assert entry is not None
        said = json.loads(entry.body)
    said["object_sha256"] = "0" * 64
    return log.canonical(said)
