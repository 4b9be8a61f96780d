"""State-secret marks (国家秘密标志).

A carrier of a state secret bears its level, a star and a term, a day or a condition: ``机密★20年``,
``秘密★2030年1月1日``, ``绝密★长期``; a level and a star alone mean the longest term (保守国家秘密法
arts. 20, 23 and its 实施条例). A system that is not approved for secrets may not store or process such a
carrier (保守国家秘密法 art. 31 item 3), so the finding gives place and level and never the text.

People also write marks wrongly: no star, star in front, ``密级：机密``. A wrong mark may still be a secret,
so it counts as one under a code of its own. The star belongs to state secrets alone: ``商业秘密★`` is a
misuse. The bare words 秘密 and 保密 mark nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from casefile.model.finding import Finding
from casefile.model.text import PageText

# Gaps are made narrow before the search, so that no pattern can run along a page of blanks.
_WIDE_GAP = re.compile(r"\s{2,}")
_GAP = r"[\s_\-]{0,4}"
_LEVEL = rf"(?P<level>[绝絕]{_GAP}密|[机機]{_GAP}密|秘{_GAP}密)"
_STAR = "[★☆⭐✩✪✫✬✭✮✯✰⋆⭑⭒]"
_ASTERISK = r"[*∗﹡✱✲]"
_TERM = (
    rf"(?:长{_GAP}期|\d[\d\s]{{0,3}}(?:年|个?{_GAP}月)|\d{{4}}{_GAP}年|\d{{8}}|\d{{4}}[-./]\d|"
    rf"[一二三四五六七八九十]{{1,3}}{_GAP}年|[^\s★☆]{{2,20}}[前后])"
)
_MARK = re.compile(
    rf"{_LEVEL}{_GAP}(?:{_STAR}|{_ASTERISK}{_GAP}{_TERM}|{_ASTERISK}[ \t]*$)",
    re.MULTILINE,
)
_OPTION = r"(?!\s*[□☐口○、，,/／或|]\s*[绝絕机機秘无非])(?!\s*[□☐○])"
_WRONG = (
    # 密级：机密, also in a table where the cell follows on the next line
    re.compile(
        rf"(?:密|保密等|涉密等|秘密等|机密等){_GAP}[级級](?:标[志识])?{_GAP}[::]?{_GAP}[★☆\[【(]?{_GAP}{_LEVEL}{_OPTION}"
    ),
    # ★机密 10年
    re.compile(rf"{_STAR}{_GAP}{_LEVEL}"),
    # 机密 10年 on a line of its own
    re.compile(rf"^[\s\[【(〔]{{0,4}}{_LEVEL}[\s:、\-]{{0,4}}{_TERM}[\s\]】)〕]{{0,4}}$", re.MULTILINE),
)
# A level alone in the first lines of a page stands where a mark stands (党政机关公文格式 GB/T 9704).
_ALONE = re.compile(rf"[\s\[【(〔]{{0,4}}{_LEVEL}[\s\]】)〕]{{0,4}}")
_HEAD_LINES = 4
_OTHER_SECRETS = ("商业", "工作", "技术", "个人", "通信", "审判", "警务", "贸易", "行业", "业务")
_LEVELS = {"绝密": "绝密", "絕密": "绝密", "机密": "机密", "機密": "机密", "秘密": "秘密"}
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f"))


class SecrecyMark:
    """Finds marks of state secrets, right and wrong ones, and the star where it may not stand."""

    codes = ("SECRECY-MARK", "SECRECY-MARK-FORM", "SECRECY-MISUSE")

    def scan_text(self, pages: Iterable[PageText]) -> Iterator[Finding]:
        """Yield one finding for each page, code and level."""
        for page in pages:
            for code, level in dict.fromkeys(_marks(page.text)):
                yield Finding(
                    code,
                    subject=f"{page.subject} {page.place}".strip(),
                    case_no=page.case_no,
                    params={"level": level, "place": page.place},
                )


def _marks(raw: str) -> list[tuple[str, str]]:
    text = unicodedata.normalize("NFKC", raw)
    # Every level ends in this character: most pages are done here.
    if "密" not in text:
        return []
    text = _WIDE_GAP.sub(_narrow, text.translate(_UNSEEN))
    marks = []
    for found in _MARK.finditer(text):
        other = text[: found.start("level")].rstrip().endswith(_OTHER_SECRETS)
        misused = _level(found) == "秘密" and other
        marks.append(("SECRECY-MISUSE" if misused else "SECRECY-MARK", _level(found)))
    if marks:
        return marks
    for pattern in _WRONG:
        marks += [("SECRECY-MARK-FORM", _level(found)) for found in pattern.finditer(text)]
    head = [line for line in text.splitlines() if line.strip()][:_HEAD_LINES]
    if len(head) > 1:
        alone = (_ALONE.fullmatch(line) for line in head)
        marks += [("SECRECY-MARK-FORM", _level(found)) for found in alone if found is not None]
    return marks


def _narrow(gap: re.Match[str]) -> str:
    return "\n" if "\n" in gap.group() else " "


def _level(found: re.Match[str]) -> str:
    return _LEVELS[re.sub(r"[\s_\-]", "", found["level"])]


scanner = SecrecyMark()

FLAGS = (
    ("SECRECY-MARK", "机密★20年"),
    ("SECRECY-MARK", "秘密★1年\n汉中市自然资源局文件"),
    ("SECRECY-MARK", "绝密★长期"),
    ("SECRECY-MARK", "机密★会议开始前"),
    ("SECRECY-MARK", "秘密★2030年1月1日"),
    ("SECRECY-MARK", "秘密★"),
    ("SECRECY-MARK", "机 密 ★ 1 0 年"),
    ("SECRECY-MARK", "机　密　☆　１０年"),
    ("SECRECY-MARK", "秘密＊１０年"),
    ("SECRECY-MARK", "秘密*10年"),
    ("SECRECY-MARK", "机密*\n关于某项目的函"),
    ("SECRECY-MARK", "机\n密\n★\n二十年"),
    ("SECRECY-MARK", "秘密\n★10年"),
    ("SECRECY-MARK", "秘\u200b密★10年"),
    ("SECRECY-MARK", "國家機密★20年"),
    ("SECRECY-MARK", "附件：机密★5年 地形图.pdf"),
    ("SECRECY-MARK-FORM", "密级：机密"),
    ("SECRECY-MARK-FORM", "密  级：　秘密　10年"),
    ("SECRECY-MARK-FORM", "密级\n机密\n份号 000001"),
    ("SECRECY-MARK-FORM", "保密等级：秘密"),
    ("SECRECY-MARK-FORM", "密级:【绝密】"),
    ("SECRECY-MARK-FORM", "★机密 10年"),
    ("SECRECY-MARK-FORM", "机密 10年\n关于印发测绘成果的通知"),
    ("SECRECY-MARK-FORM", "【机密】\n关于某地形图的说明"),
    ("SECRECY-MISUSE", "商业秘密★5年"),
    ("SECRECY-MISUSE", "工作秘密★"),
)

CLEAN = (
    "本案涉及商业秘密，当事人申请不公开审理。",
    "执法人员应当保守在执法活动中知悉的国家秘密、商业秘密和个人隐私。",
    "国家秘密的密级分为绝密、机密、秘密三级。",
    "密级：无",
    "密级：",
    "密级：□绝密 □机密 □秘密",
    "密级（绝密/机密/秘密）：无",
    "密级：秘密□ 机密□ 绝密□",
    "评分★★★★★ 满意",
    "予以保密，保密期限10年",
    "当事人保守秘密10年，未向他人透露。",
    "时机密切相关★",
    "商业秘密*见附注",
    "精密★仪器",
    "保密协议",
    "统一社会信用代码",
)
