"""What reports say around the findings, in both languages."""

from __future__ import annotations

_WORDS: dict[str, tuple[str, str]] = {
    # Why something was not looked at
    "no_scanners": (
        "没有安装任何案件检查项，一件都没有检查",
        "no case scanner is installed: nothing was checked",
    ),
    "scanner_failed": ("检查项 {scanner} 出错（{error}）", "scanner {scanner} failed ({error})"),
    "case_open": (
        "case.yaml 还有 {count} 处没有填好，没有检查文书是否齐全；第一处：{first}",
        "case.yaml has {count} open places, its documents were not checked; first: {first}",
    ),
    "case_unread": (
        "读 case.yaml 出错（{error}），没有检查文书是否齐全",
        "case.yaml can't be read ({error})",
    ),
    "case_archived_only": (
        "没有案件文件夹，没有检查文书是否齐全",
        "there is no case folder, so its documents were not checked",
    ),
    "unknown_procedure": ("不认识程序 {procedure}，没有检查必备文书", "procedure {procedure} is not known"),
    "evidence_list": ("inbox/evidence.yaml 读不出（{error}）", "inbox/evidence.yaml can't be read ({error})"),
    "link": ("是链接，没有跟随", "it is a link and was not followed"),
    "unreadable": ("打不开（{error}）", "it can't be opened ({error})"),
    "no_text_scanners": ("没有安装保密检查项", "no confidentiality scanner is installed"),
    "unsettled": ("还在变化，下次再检查", "it is still changing and will be looked at next time"),
    "vanished": ("检查时已不在", "it was gone when it should be looked at"),
    # Headings
    "title": ("检查报告", "Report"),
    "made_at": ("生成时间", "Made at"),
    "outcome": ("结论", "Outcome"),
    "passed": ("通过", "passed"),
    "failed": ("未通过", "failed"),
    "indeterminate": ("无法判定", "indeterminate"),
    "indeterminate_note": (
        "有内容没有检查到，不等于通过",
        "something was not looked at, which is not the same as clean",
    ),
    "subjects": ("检查对象", "Looked at"),
    "error": ("错误", "error"),
    "warning": ("警告", "warning"),
    "note": ("提示", "note"),
    "not_looked_at": ("未检", "not looked at"),
    "not_looked_at_title": ("未检（不等于通过）", "Not looked at (which is not clean)"),
    "findings": ("问题清单", "Findings"),
    "summary": ("汇总", "Summary"),
    "by_code": ("按问题类别", "By kind"),
    "no_case": ("不属于某一案件", "Of no single case"),
    "no_findings": ("没有发现问题", "no findings"),
    "case_no": ("案号", "Case"),
    "severity": ("级别", "Severity"),
    "message": ("问题", "Finding"),
    "next_step": ("下一步", "Next step"),
    "clause": ("依据", "Basis"),
    "code": ("代码", "Code"),
    "subject": ("位置", "Place"),
    "reason": ("原因", "Reason"),
    "count": ("数量", "Count"),
    "cases": ("涉及案件", "Cases"),
    "parts": ("归档转换", "Parts"),
    "input": ("收到的文件", "Received"),
    "output": ("归档件", "Part"),
    "route": ("方式", "Route"),
    "pages": ("页数", "Pages"),
    "difference": ("灰度差", "Difference"),
    "cut": ("……（太长，全文见 JSON 报告）", "… (too long, see the JSON report)"),
}


def say(word: str, lang: str, **params: object) -> str:
    """The phrase ``word``, filled."""
    zh, en = _WORDS[word]
    return (zh if lang == "zh" else en).format_map(params)
