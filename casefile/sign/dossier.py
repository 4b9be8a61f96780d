"""Signing all volumes of a dossier."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Sequence
from pathlib import Path

from casefile.context import CHINA_TIME, Context, move_whole
from casefile.errors import SigningFailed, Undecided
from casefile.formats.signatures import pades, pades_verify
from casefile.model.dossier import AppliedSignature, BoundVolume, Dossier, SignedDossier, SignedVolume
from casefile.model.terms import Role, Volume
from casefile.sign import record
from casefile.sign.signers import Desk, Turn, desk, turns
from casefile.tools import verapdf


def sign(dossier: Dossier, context: Context) -> SignedDossier:
    """Sign every volume (签章): fields, signatures in the order of the settings, PDF/A and proof after all.

    A volume that was signed before, of the same bytes by the same signers, is taken as it is. Anything less
    than a complete and valid result leaves nothing behind.

    Raises:
        SigningFailed: with the reason.
        Undecided: SIGN-PDFA-UNCHECKED, when PDF/A can't be checked.
    """
    signers = context.config.signing.signers
    plans = [(volume, turns(volume, signers)) for volume in dossier.volumes]
    folder = context.workspace.case(dossier.case_no).work / "signed"
    context.progress.start("sign", sum(len(plan) for _, plan in plans))
    try:
        volumes = tuple(_volume(volume, plan, folder, context) for volume, plan in plans)
    finally:
        context.progress.done()
    whole = sorted((*volumes, *dossier.kept), key=_order)
    return SignedDossier(dossier.case_no, dossier.title, tuple(whole), dossier.bound_at, dossier.supplements)


def _order(volume: SignedVolume) -> tuple[int, int]:
    return list(Volume).index(volume.bound.volume), volume.bound.book


def _volume(bound: BoundVolume, plan: Sequence[Turn], folder: Path, context: Context) -> SignedVolume:
    target = folder / bound.sha256
    made = record.read(target, bound, plan)
    if made is not None:
        for _ in plan:
            context.progress.step()
        return made
    if record.sha256(bound.pdf) != bound.sha256:
        raise SigningFailed("SIGN-CHANGED", subject=context.workspace.relative(bound.pdf))
    bench = folder / f".{bound.sha256}"
    for leftover in (bench, target):  # of a run that was killed, or of other signers
        shutil.rmtree(leftover, ignore_errors=True)
    bench.mkdir(parents=True)
    try:
        signed = _signed(bound, plan, bench, context)
        pdf = bench / f"{bound.name}.pdf"
        _still_archivable(signed, plan, bench)
        move_whole(signed, pdf)
        applied = proven(pdf, plan, desk(context), context.now())
        for step in bench.glob("step-*.pdf"):
            step.unlink()
        final = SignedVolume(bound, pdf, record.sha256(pdf), applied)
        record.write(bench, final, plan)
        bench.replace(target)
    finally:
        shutil.rmtree(bench, ignore_errors=True)
    return SignedVolume(bound, target / pdf.name, final.sha256, applied)


def _signed(bound: BoundVolume, plan: Sequence[Turn], bench: Path, context: Context) -> Path:
    """Make the signatures one after the other, each in a file of its own."""
    signing = desk(context)
    current = bench / "step-0.pdf"
    pades.create_fields(bound.pdf, current, [turn.box for turn in plan])
    for number, turn in enumerate(plan, 1):
        following = bench / f"step-{number}.pdf"
        pades.sign_field(
            current,
            following,
            name=turn.box.name,
            key=signing.key(turn.signer),
            level=turn.level,
            services=signing.services(),
            at=context.now(),
            appearance=_appearance(turn, signing, context.now()),
            certify=turn.certify,
            reason=signing.settings.reason,
        )
        current = following
        context.progress.step(turn.box.name)
    return current


def _still_archivable(signed: Path, plan: Sequence[Turn], bench: Path) -> None:
    """The file is PDF/A-3b after all signatures.

    A signature only ever adds to what was there, so one look at the result is enough when it is good: a look
    takes many seconds for a thick volume. When it isn't, the steps tell whose signature broke it.

    Raises:
        SigningFailed: SIGN-NOT-PDFA with the first signature after which it isn't.
        Undecided: SIGN-PDFA-UNCHECKED.
    """
    try:
        archivable(signed, plan[-1].box.name)
    except SigningFailed as last:
        raise _first_to_break(plan, bench) or last from None


def _first_to_break(plan: Sequence[Turn], bench: Path) -> SigningFailed | None:
    for number, turn in enumerate(plan[:-1], 1):
        try:
            archivable(bench / f"step-{number}.pdf", turn.box.name)
        except SigningFailed as broken:
            return broken
    return None


def archivable(signed: Path, name: str) -> None:
    """The file is PDF/A-3b with the signature of field ``name``.

    Raises:
        SigningFailed: SIGN-NOT-PDFA.
        Undecided: SIGN-PDFA-UNCHECKED.
    """
    verdict = verapdf.check(signed, "3b")
    if verdict.compliant is None:
        raise Undecided("SIGN-PDFA-UNCHECKED", subject=name, reason=verdict.reason)
    if not verdict.compliant:
        raise SigningFailed("SIGN-NOT-PDFA", subject=name, reason="; ".join(verdict.failures[:3]))


def _appearance(turn: Turn, signing: Desk, now: dt.datetime) -> pades.Appearance:
    if turn.box.role is Role.BUREAU:
        return pades.Appearance(picture=signing.seal())
    lines = (turn.signer.name, f"{now.year}年{now.month}月{now.day}日")
    return pades.Appearance(lines, signing.font("".join(lines)))


def proven(pdf: Path, plan: Sequence[Turn], signing: Desk, at: dt.datetime) -> tuple[AppliedSignature, ...]:
    """Read the result back as a stranger would, without any network.

    Raises:
        SigningFailed: SIGN-NOT-PROVEN.
    """
    verdicts = pades_verify.validate(pdf, signing.trust_roots)
    found = {verdict.field: verdict for verdict in verdicts}
    applied = []
    for turn in plan:
        verdict = found.pop(turn.box.name, None)
        if verdict is None or not _good_enough(verdict, turn):
            problem = verdict.problem if verdict else "SIGN-VERDICT-EMPTY"
            raise SigningFailed("SIGN-NOT-PROVEN", subject=turn.box.name, reason=problem)
        applied.append(
            AppliedSignature(
                turn.box.name,
                turn.box.role,
                verdict.signer,
                verdict.certificate_sha256,
                verdict.level,
                (verdict.time or at).astimezone(CHINA_TIME).replace(microsecond=0),
            )
        )
    for verdict in found.values():
        if not verdict.bottom_line:
            raise SigningFailed("SIGN-NOT-PROVEN", subject=verdict.field, reason=verdict.problem)
    return tuple(applied)


def _good_enough(verdict: pades_verify.SignatureVerdict, turn: Turn) -> bool:
    """Proven at the level that was asked for; B-B and B-T hold no revocation answers to prove more by."""
    if turn.level in ("B-B", "B-T"):
        bare = verdict.problem in ("SIGN-VERDICT-NO-TIME", "SIGN-VERDICT-NO-REVOCATION")
        whole = verdict.intact and verdict.covers and verdict.modification_ok and verdict.docmdp_ok
        return verdict.bottom_line or (bare and whole)
    reached = verdict.level in pades.LEVELS and pades.LEVELS.index(verdict.level)
    return verdict.bottom_line and reached >= pades.LEVELS.index(turn.level)
