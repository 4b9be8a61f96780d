"""What the electronic signatures of a received PDF are worth, before its pages are bound without them.

Only the file itself is asked: whether what was signed is still there unchanged. Whom to trust is not known of
signatures from outside, so no root of ours vouches for the signer, and the record says so.
"""

from __future__ import annotations

from pathlib import Path

from casefile.formats.signatures import in_time, pades_verify
from casefile.formats.signatures.pades_verify import SignatureVerdict

_MOST_BYTES = 200_000_000
_MOST_SECONDS = 20
_MOST_NAMED = 8
_UNREADABLE = "无法识别"
_CHANGED = "签名后有改动"
_BROKEN = "签名无效（内容与签名不符）"
_INTACT = "完整（签名后未改动）"


def judged(source: Path) -> tuple[str, list[tuple[str, str]]]:
    """A code for the record, empty when every signature is intact, and what was found, by key.

    A file that is too large to be judged, or asks for more than some seconds, is said to be so.
    """
    if source.stat().st_size > _MOST_BYTES:
        return "PART-SIGNATURE-UNCLEAR", [("signatures", "文件过大，未验证")]
    try:
        with in_time.within(_MOST_SECONDS):
            verdicts = [v for v in pades_verify.integrity(source) if v.kind != "empty"]
    except TimeoutError:
        return "PART-SIGNATURE-UNCLEAR", [("signatures", "验证耗时过长，未完成")]
    told = [_told(verdict) for verdict in verdicts]
    words = "；".join(text for _, text in told[:_MOST_NAMED]) or _UNREADABLE
    states = {state for state, _ in told} or {_UNREADABLE}
    facts = [("signatures", words + ("等" if len(told) > _MOST_NAMED else ""))]
    if states & {_BROKEN, _CHANGED}:
        return "PART-SIGNATURE-CHANGED", facts
    return ("PART-SIGNATURE-UNCLEAR" if _UNREADABLE in states else "PART-SIGNATURE-INTACT"), facts


def _told(verdict: SignatureVerdict) -> tuple[str, str]:
    if verdict.problem == "SIGN-VERDICT-UNREADABLE":
        state = _UNREADABLE
    elif not verdict.intact:
        state = _BROKEN
    elif not (verdict.covers and verdict.modification_ok and verdict.docmdp_ok):
        state = _CHANGED
    else:
        state = _INTACT
    who = "".join(c for c in verdict.signer if c.isprintable())[:60] or "签名人不明"
    when = f"，时间戳 {verdict.time:%Y-%m-%d %H:%M}" if verdict.time else ""
    kind = "时间戳" if verdict.kind == "timestamp" else "签名"
    return state, f"{kind} {who}{when}：{state}"
