"""Controlled words. The value of each member is what stands in files; ``zh`` is what people read."""

from __future__ import annotations

from enum import StrEnum


class Term(StrEnum):
    """A word with a Chinese name."""

    zh: str

    def __new__(cls, value: str, zh: str = "") -> Term:
        """Make the member ``value`` and hang its Chinese name on it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.zh = zh
        return member


class Volume(Term):
    """Which half of the dossier a part belongs to (卷别)."""

    MAIN = "main", "正卷"
    INTERNAL = "internal", "副卷"


class Service(Term):
    """How a type is served (送达要求)."""

    REQUIRED = "required", "须送达"
    ON_SITE = "on_site", "当场交付"
    OTHER_AUTHORITY = "other_authority", "送其他机关"
    NONE = "none", "内部"


class ServiceMode(Term):
    """How a document reached its addressee (送达方式), 民事诉讼法 arts. 88-95."""

    DIRECT = "direct", "直接送达"
    LEAVING = "leaving", "留置送达"
    POST = "post", "邮寄送达"
    ENTRUSTED = "entrusted", "委托送达"
    FORWARDED = "forwarded", "转交送达"
    ELECTRONIC = "electronic", "电子送达"
    ANNOUNCEMENT = "announcement", "公告送达"


class Need(Term):
    """Whether a procedure needs a document or a document needs a field (必备)."""

    REQUIRED = "required", "必备"
    WHEN = "when", "条件必备"
    OPTIONAL = "optional", "可选"


class EvidenceKind(Term):
    """The eight kinds of evidence (证据种类), 行政处罚法 art. 46."""

    DOCUMENTARY = "documentary", "书证"
    PHYSICAL = "physical", "物证"
    AUDIOVISUAL = "audiovisual", "视听资料"
    ELECTRONIC = "electronic", "电子数据"
    WITNESS = "witness", "证人证言"
    STATEMENT = "statement", "当事人的陈述"
    APPRAISAL = "appraisal", "鉴定意见"
    INSPECTION = "inspection", "勘验笔录、现场笔录"


class Route(Term):
    """How an input became PDF/A pages (归档转换方式)."""

    KEPT = "kept", "原样保留"
    REPAIRED = "repaired", "修复"
    CONVERTED = "converted", "转换"
    GHOSTSCRIPT = "ghostscript", "重写"
    RASTER = "raster", "转为图像"
    PLACEHOLDER = "placeholder", "占位页"
    REFUSED = "refused", "拒收"


class Severity(Term):
    """How heavy a finding weighs (严重程度)."""

    ERROR = "error", "错误"
    WARNING = "warning", "警告"
    NOTE = "note", "提示"


class Outcome(Term):
    """The answer of a check (结论). Not looked at is never clean."""

    PASSED = "passed", "通过"
    FAILED = "failed", "未通过"
    INDETERMINATE = "indeterminate", "无法判定"


class Secrecy(Term):
    """Level of secrecy (密级), 保守国家秘密法 art. 13; ``WORK`` (工作秘密) art. 64."""

    NONE = "none", "无"
    WORK = "work", "工作秘密"
    SECRET = "secret", "秘密"
    CONFIDENTIAL = "confidential", "机密"
    TOP_SECRET = "top_secret", "绝密"


class Role(Term):
    """Who signs the dossier (签署角色)."""

    COMPILER = "compiler", "立卷人"
    CHECKER = "checker", "检查人"
    BUREAU = "bureau", "单位公章"


class FactKey(Term):
    """What a file says of itself (文件自带信息): keys of ``Evidence.facts``.

    Nobody vouches for any of it; it is shown beside what the collector wrote and never in its place. Times
    are ISO 8601, with the offset where the file tells it; sizes are ``width x height`` in pixels; durations
    ``1:02:03.4`` in hours, minutes and seconds; degrees are decimal, north and east positive.
    """

    TAKEN_AT = "taken_at", "拍摄时间"
    LATITUDE = "latitude", "纬度"
    LONGITUDE = "longitude", "经度"
    ALTITUDE = "altitude", "海拔（米）"
    MAKE = "make", "设备厂商"
    MODEL = "model", "设备型号"
    SOFTWARE = "software", "处理软件"
    PIXELS = "pixels", "像素尺寸"
    RESOLUTION = "resolution", "分辨率（点/英寸）"
    FRAMES = "frames", "图像帧数"
    TITLE = "title", "文件标题"
    AUTHOR = "author", "作者"
    LAST_MODIFIED_BY = "last_modified_by", "最后修改者"
    CREATED = "created", "创建时间"
    MODIFIED = "modified", "修改时间"
    PRODUCER = "producer", "PDF生成程序"
    APPLICATION = "application", "制作软件"
    PAGES = "pages", "页数"
    FORMAT_VERSION = "format_version", "格式版本"
    MAIL_FROM = "mail_from", "发件人"
    MAIL_TO = "mail_to", "收件人"
    MAIL_DATE = "mail_date", "发件时间"
    MAIL_SUBJECT = "mail_subject", "邮件主题"
    MESSAGE_ID = "message_id", "邮件标识"
    MEMBERS = "members", "内含文件数"
    DURATION = "duration", "时长"
    RECORDED_AT = "recorded_at", "录制时间"
    CONTAINER = "container", "封装格式"
    VIDEO_CODEC = "video_codec", "视频编码"
    AUDIO_CODEC = "audio_codec", "音频编码"
    FRAME_SIZE = "frame_size", "画面尺寸"
    FRAME_RATE = "frame_rate", "帧率（帧/秒）"
    SAMPLE_RATE = "sample_rate", "采样率（赫兹）"
