"""The folder of a case on disk."""

from __future__ import annotations

import unicodedata

from casefile.cases.skeleton import skeleton
from casefile.context import CaseFolder, Context, write_whole
from casefile.errors import BadInput, Conflict
from casefile.model.case import RegisterRow
from casefile.model.catalogue import Catalogue

_EVIDENCE = """\
# 证据说明（选填）。把收到的文件放进本文件夹（可分子文件夹），需要说明的在这里写一项。
# 系统不会改动、改名或删除这里的任何文件。去掉行首的“# ”即可启用。
#
# items:
#   - file: "现场照片/IMG_0001.jpg"
#     title: "现场照片（东侧）"
#     # 证据种类：书证、物证、视听资料、电子数据、证人证言、当事人的陈述、鉴定意见、勘验笔录、现场笔录
#     kind: "书证"
#     # 外来文书填文种标识，如 party_identity_proof
#     type: ""
#     source: "当事人提供"
#     collected_by: "张三、李四"
#     collected_at: "2026-03-05 14:30"
#     place: "现场"
#     proves: "证明当事人身份"
#     # 本案自制文书的签字扫描件，写文书标识（如 filing_approval、service_receipt-2），装订时代替打印件
#     document: ""
#     # 卷别：正卷、副卷
#     volume: "正卷"
#     # 文件有打开密码时填写
#     password: ""
#     note: ""
#   # 录音录像（音像记录）另填以下各项，程序据此核对时长、查中断
#   - file: "执法记录仪/20260305_143000.MP4"
#     title: "现场勘验全过程录像"
#     kind: "视听资料"
#     place: "现场"
#     # 音像编号：笔录、送达回证中引用的编号
#     av_no: ""
#     # 开始时间、结束时间；分段的录像逐段各写一项
#     started_at: "2026-03-05 14:30"
#     ended_at: "2026-03-05 15:12"
#     # 是否中断：是、否；中断的写明起止时间、原因和在何处作了说明
#     interrupted: "否"
#     interruption: ""
#     # 设备及编号、记录人
#     device: "执法记录仪 01"
#     recorded_by: "张三"
"""


def create(row: RegisterRow, context: Context, catalogue: Catalogue) -> CaseFolder:
    """Make the case folder of a register row: ``case.yaml``, ``inbox/``, ``documents/``, ``work/``.

    case.yaml is written last and whole: a run that was killed is simply run again.

    Raises:
        BadInput: CASE-NUMBER, CASE-PROCEDURE, CASE-FOLDER (it can't be made).
        Conflict: CASE-EXISTS, when there is a case.yaml; nothing is ever overwritten.
    """
    folder = context.workspace.case(row.case_no)
    text = skeleton(row, catalogue, context.config)
    if folder.data.exists():
        raise Conflict("CASE-EXISTS", subject=row.case_no)
    try:
        with context.locked(row.case_no, new=True):
            if folder.data.exists():
                raise Conflict("CASE-EXISTS", subject=row.case_no)
            folder.inbox.mkdir(parents=True, exist_ok=True)
            folder.documents.mkdir(exist_ok=True)
            example = folder.inbox / "evidence.yaml"
            if not example.exists():
                write_whole(example, _EVIDENCE.encode())
            write_whole(folder.data, text.encode())
    except OSError as error:
        raise BadInput("CASE-FOLDER", subject=row.case_no, reason=error.strerror or error) from None
    return folder


def folders(context: Context) -> tuple[str, ...]:
    """Case numbers that have a folder, sorted."""
    return tuple(name for name, is_case in _names(context) if is_case)


def stray_folders(context: Context) -> tuple[str, ...]:
    """Names under ``cases/`` that can't be a case number, sorted; hidden ones left out."""
    return tuple(name for name, is_case in _names(context) if not is_case)


def _names(context: Context) -> list[tuple[str, bool]]:
    try:
        entries = [e for e in context.workspace.cases.iterdir() if not e.name.startswith(".")]
    except FileNotFoundError:
        return []
    found = []
    for entry in entries:
        name = unicodedata.normalize("NFC", entry.name)
        if not entry.is_dir():
            found.append((name, False))
            continue
        try:
            context.workspace.case(name)
        except BadInput:
            found.append((name, False))
        else:
            found.append((name, True))
    return sorted(found)
