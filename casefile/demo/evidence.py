"""What lies in the inboxes of the demo cases: scans, photographs, a map, letters; all made when the demo runs."""

from __future__ import annotations

from pathlib import Path

from casefile.demo import pictures
from casefile.demo.pictures import write
from casefile.formats.office import plain_docx

_EVIDENCE_YAML = """\
# 证据说明：file 是收件箱里的文件；type 是外来文书的文种；不写 type 的按证据处理。
items:
  - file: 01 线索/违法线索登记表.pdf
    title: 违法线索登记表
    kind: 书证
    type: clue_registration
    source: 执法科日常巡查
    collected_by: 示例乙
    collected_at: "2026-03-02"
    volume: 副卷
  - file: 02 主体/营业执照.jpg
    title: 营业执照（复制件）
    kind: 书证
    type: party_identity_proof
    source: 示范市云栖仓储有限公司
    collected_by: 示例乙、示例丙
    collected_at: "2026-03-12"
    proves: 当事人的主体资格
  - file: 03 书证/土地租用协议.tif
    title: 土地租用协议（复制件）
    kind: 书证
    source: 示范市云栖仓储有限公司
    collected_by: 示例乙、示例丙
    collected_at: "2026-03-12"
    proves: 当事人租用集体土地的事实
  - file: 04 现场/现场照片1.jpg
    title: 现场照片1：仓库正面
    kind: 视听资料
    source: 现场拍摄
    collected_by: 示例乙、示例丙
    collected_at: "2026-03-11 09:42"
    place: 云栖村一组
    proves: 仓库的建设现状
  - file: 04 现场/现场照片2.jpg
    title: 现场照片2：仓库侧面
    kind: 视听资料
    source: 现场拍摄
    collected_by: 示例乙、示例丙
    collected_at: "2026-03-11 09:48"
    place: 云栖村一组
    proves: 仓库的建设现状
  - file: 04 现场/勘测定界图.png
    title: 勘测定界图
    kind: 勘验笔录、现场笔录
    type: site_survey_map
    source: 现场测量
    collected_by: 示例己
    collected_at: "2026-03-11"
    proves: 占地位置和面积
  - file: 05 认定/规划与地类认定意见.pdf
    title: 规划与地类认定意见
    kind: 书证
    type: land_status_opinion
    source: 示范市自然资源局规划科
    collected_by: 示例乙、示例丙
    collected_at: "2026-03-20"
    proves: 占用地类和规划符合情况
  - file: 06 听证/听证申请书.jpg
    title: 听证申请书
    kind: 当事人的陈述
    type: hearing_application
    source: 示范市云栖仓储有限公司
    collected_at: "2026-04-22"
  - file: 06 听证/听证通知书.docx
    title: 行政处罚听证通知书
    kind: 书证
    type: hearing_notice
    source: 示范市自然资源局
    collected_at: "2026-04-24"
  - file: 06 听证/听证笔录.docx
    title: 听证笔录
    kind: 当事人的陈述
    type: hearing_record
    source: 示范市自然资源局
    collected_at: "2026-05-13"
  - file: 06 听证/听证报告.docx
    title: 听证报告
    kind: 书证
    type: hearing_report
    source: 示范市自然资源局
    collected_at: "2026-05-15"
    volume: 副卷
  - file: 07 审批/法制审核送审表.docx
    title: 法制审核送审表
    kind: 书证
    type: legal_review_submission
    source: 示范市自然资源局
    collected_at: "2026-05-18"
    volume: 副卷
  - file: 07 审批/集体讨论记录.docx
    title: 负责人集体讨论记录
    kind: 书证
    type: collective_discussion_record
    source: 示范市自然资源局
    collected_at: "2026-05-25"
    volume: 副卷
  - file: 07 审批/处罚决定审批表.docx
    title: 案件处理（处罚决定）审批表
    kind: 书证
    type: decision_approval
    source: 示范市自然资源局
    collected_at: "2026-05-26"
    volume: 副卷
  - file: 07 审批/公示保密审查表.docx
    title: 执法信息公示（保密）审查表
    kind: 书证
    type: penalty_publicity_review
    source: 示范市自然资源局
    collected_at: "2026-06-02"
    volume: 副卷
  - file: 08 执行/罚没款票据.pdf
    title: 罚没款票据
    kind: 书证
    type: fine_receipt
    source: 示范银行滨江支行（虚构）
    collected_at: "2026-06-08"
"""

_LEASE = (
    ("甲方：云栖村一组村民小组", "乙方：示范市云栖仓储有限公司",
     "一、甲方将位于本组村道北侧的土地约五亩租给乙方使用。", "二、租期十年，自2025年9月1日起。",
     "三、租金每年每亩一千元，按年支付。", "四、乙方应当依法办理建设手续。"),
    ("五、本协议一式两份，双方各执一份。", "甲方代表：示例丑", "乙方代表：示例甲", "2025年8月28日"),
)  # fmt: skip

_LETTERS = {
    "06 听证/听证通知书.docx": (
        "行政处罚听证通知书",
        ("示范市云栖仓储有限公司：", "你单位于2026年4月22日提出的听证申请，本机关已经受理。",
         "听证定于2026年5月13日9时在示范市自然资源局三楼会议室公开举行，由示例寅主持。",
         "你单位可以委托一至二名代理人参加听证；认为主持人与本案有直接利害关系的，有权申请回避。",
         "无正当理由不到场的，视为放弃听证权利。", "示范市自然资源局", "2026年4月24日"),
    ),
    "06 听证/听证笔录.docx": (
        "听证笔录",
        ("时间：2026年5月13日9时至10时20分　地点：三楼会议室　公开举行", "主持人：示例寅　记录员：示例庚",
         "主持人：宣布听证开始，核对当事人身份，宣布听证纪律和权利。当事人不申请回避。",
         "调查人员示例乙：陈述当事人违法事实、证据和处罚建议。",
         "当事人示例甲：对占地面积和违法事实没有异议，公司初次违法，请求减少罚款。",
         "调查人员示例丙：拟定罚款为每平方米100元，属一般情形。", "当事人示例甲：没有其他意见。",
         "以上笔录经核对无误。当事人：示例甲　调查人员：示例乙、示例丙　主持人：示例寅　记录员：示例庚"),
    ),
    "06 听证/听证报告.docx": (
        "听证报告",
        ("本次听证程序合法，当事人到场陈述了意见。",
         "当事人请求减少罚款，没有提出新的事实和证据，建议维持拟定的处罚。", "听证主持人：示例寅", "2026年5月15日"),
    ),
    "07 审批/法制审核送审表.docx": (
        "法制审核送审表",
        ("送审机构：执法科　送审日期：2026年5月18日", "审核情形：没收违法用地上新建的建筑物；经过听证。",
         "材料：调查报告、拟处罚决定文本、证据、听证笔录和报告、法律依据。", "送审人：示例乙　接收人：示例癸"),
    ),
    "07 审批/集体讨论记录.docx": (
        "负责人集体讨论记录",
        ("时间：2026年5月25日15时　地点：三楼会议室　主持人：示例戊", "参加人：示例卯、示例辰、示例戊　记录人：示例庚",
         "示例丁汇报案情和法制审核意见（通过）。", "示例卯：同意处罚建议。示例辰：同意。示例戊：同意。",
         "结论：一致同意没收新建的建筑物和其他设施，并处罚款324050.00元。"),
    ),
    "07 审批/处罚决定审批表.docx": (
        "案件处理（处罚决定）审批表",
        ("承办人意见：建议按集体讨论结论作出处罚决定。示例乙、示例丙　2026年5月26日",
         "承办机构意见：同意。示例丁　2026年5月26日", "法制机构意见：已审核通过。示例癸　2026年5月26日",
         "机关负责人意见：同意。示例戊　2026年5月26日"),
    ),
    "07 审批/公示保密审查表.docx": (
        "执法信息公示（保密）审查表",
        ("拟公示内容：行政处罚决定摘要。", "审查意见：不涉及国家秘密、商业秘密和个人隐私，可以公示。",
         "审查人：示例癸　2026年6月2日"),
    ),
}  # fmt: skip

LAND_OPINION = (
    "规划与地类认定意见",
    ("执法科：", "你科送来的云栖村一组地块勘测定界成果收悉。经套合最新年度国土变更调查成果和国土空间规划：",
     "一、该地块总面积3240.50平方米，地类为其他草地，不涉及耕地和永久基本农田。",
     "二、该地块在国土空间规划中为仓储用地，符合规划。", "规划科　2026年3月20日"),
)  # fmt: skip
"""Rendered to a PDF by the caller, who has the office pool."""


def fill_complete(inbox: Path) -> Path:
    """Everything but the rendered opinion; gives the place where that belongs."""
    write(inbox / "evidence.yaml", _EVIDENCE_YAML.encode())
    write(
        inbox / "01 线索/违法线索登记表.pdf",
        pictures.scanned_pdf(
            "违法线索登记表",
            [("编号：SF-XS-2026-0021　登记时间：2026年3月2日", "来源：日常巡查　登记人：示例乙",
              "内容：云栖村一组村道北侧有新建仓库，疑似未办理用地审批手续。", "初步处置建议：现场核查。",
              "负责人批示：请执法科核查。示例丁")],
            seed=11,
        ),
    )  # fmt: skip
    write(
        inbox / "02 主体/营业执照.jpg",
        pictures.scanned_jpeg(
            "营业执照（副本）",
            ("统一社会信用代码：91610000MA00DEM017", "名称：示范市云栖仓储有限公司（虚构）", "类型：有限责任公司",
             "法定代表人：示例甲", "住所：示范市滨江区示范镇云栖村一组", "与原件核对无异。提供人：示例甲　2026年3月12日"),
            seed=12, stamp="演示用",
        ),
    )  # fmt: skip
    write(inbox / "03 书证/土地租用协议.tif", pictures.scanned_tiff("土地租用协议", _LEASE, seed=13))
    write(inbox / "04 现场/现场照片1.jpg", pictures.photograph("2026-03-11 09:42 云栖村一组（演示）", seed=1))
    write(
        inbox / "04 现场/现场照片2.jpg",
        pictures.photograph("2026-03-11 09:48 云栖村一组（演示）", seed=2, turned=True),
    )
    write(inbox / "04 现场/勘测定界图.png", pictures.survey_map("勘测定界图（演示）"))
    write(
        inbox / "06 听证/听证申请书.jpg",
        pictures.scanned_jpeg(
            "听证申请书",
            ("示范市自然资源局：", "我公司于2026年4月20日收到你局的行政处罚听证告知书，现要求举行听证。",
             "申请人：示范市云栖仓储有限公司", "法定代表人：示例甲", "2026年4月22日"),
            seed=14,
        ),
    )  # fmt: skip
    for place, (title, paragraphs) in _LETTERS.items():
        write(inbox / place, plain_docx.written(title, paragraphs))
    write(
        inbox / "08 执行/罚没款票据.pdf",
        pictures.scanned_pdf(
            "罚没款票据（演示）",
            [("票据号：SF-00324050　日期：2026年6月8日", "缴款人：示范市云栖仓储有限公司",
              "决定书金额：324050.00元", "大写：叁拾贰万肆仟零伍拾元整", "代收银行：示范银行滨江支行（虚构）")],
            seed=15,
        ),
    )  # fmt: skip
    return inbox / "05 认定/规划与地类认定意见.pdf"


def fill_incomplete(inbox: Path) -> None:
    """A few pieces, and one file that bears a secrecy mark and must be refused."""
    write(inbox / "现场照片.jpg", pictures.photograph("2026-05-08 15:10 柳湾村二组（演示）", seed=3))
    write(
        inbox / "测绘成果说明.docx",
        plain_docx.written(
            "测绘成果说明",
            ("秘密★10年", "本文件为演示用的假想涉密件，内容虚构，用来说明带密级标志的文件会被拒收。"),
        ),
    )
