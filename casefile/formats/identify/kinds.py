"""The kinds of files that are told apart: media types, and what people call them."""

from __future__ import annotations

PDF = "application/pdf"
POSTSCRIPT = "application/postscript"
OFD = "application/ofd"
XPS = "application/vnd.ms-xpsdocument"

JPEG = "image/jpeg"
PNG = "image/png"
TIFF = "image/tiff"
GIF = "image/gif"
BMP = "image/bmp"
WEBP = "image/webp"
HEIC = "image/heic"
HEIF = "image/heif"
AVIF = "image/avif"
JP2 = "image/jp2"
J2K = "image/j2c"
DWG = "image/vnd.dwg"

_OOXML = "application/vnd.openxmlformats-officedocument."
DOCX = f"{_OOXML}wordprocessingml.document"
DOTX = f"{_OOXML}wordprocessingml.template"
DOCM = "application/vnd.ms-word.document.macroEnabled.12"
DOTM = "application/vnd.ms-word.template.macroEnabled.12"
XLSX = f"{_OOXML}spreadsheetml.sheet"
XLTX = f"{_OOXML}spreadsheetml.template"
XLSM = "application/vnd.ms-excel.sheet.macroEnabled.12"
XLTM = "application/vnd.ms-excel.template.macroEnabled.12"
XLSB = "application/vnd.ms-excel.sheet.binary.macroEnabled.12"
PPTX = f"{_OOXML}presentationml.presentation"
PPSX = f"{_OOXML}presentationml.slideshow"
POTX = f"{_OOXML}presentationml.template"
PPTM = "application/vnd.ms-powerpoint.presentation.macroEnabled.12"
PPSM = "application/vnd.ms-powerpoint.slideshow.macroEnabled.12"
POTM = "application/vnd.ms-powerpoint.template.macroEnabled.12"
ODT = "application/vnd.oasis.opendocument.text"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
ODP = "application/vnd.oasis.opendocument.presentation"

OLE = "application/x-ole-storage"
DOC = "application/msword"
XLS = "application/vnd.ms-excel"
PPT = "application/vnd.ms-powerpoint"
WPS = "application/wps-office.wps"
ET = "application/wps-office.et"
DPS = "application/wps-office.dps"
MSG = "application/vnd.ms-outlook"
ENCRYPTED_OOXML = "application/x-ooxml-encrypted"
"""A docx, xlsx or pptx with a password to open it: an OLE file around the enciphered one."""

RTF = "application/rtf"
TEXT = "text/plain"
CSV = "text/csv"
HTML = "text/html"
XML = "application/xml"
EML = "message/rfc822"
MHTML = "multipart/related"

ZIP = "application/zip"
SEVEN_ZIP = "application/x-7z-compressed"
RAR = "application/vnd.rar"
GZIP = "application/gzip"
TAR = "application/x-tar"
EPUB = "application/epub+zip"
JAR = "application/java-archive"
APK = "application/vnd.android.package-archive"

WAV = "audio/wav"
MP3 = "audio/mpeg"
M4A = "audio/mp4"
AAC = "audio/aac"
AMR = "audio/amr"
OGG = "audio/ogg"
FLAC = "audio/flac"
AIFF = "audio/aiff"
WMA = "audio/x-ms-wma"
MP4 = "video/mp4"
MOV = "video/quicktime"
THREE_GP = "video/3gpp"
THREE_G2 = "video/3gpp2"
AVI = "video/x-msvideo"
MKV = "video/x-matroska"
WEBM = "video/webm"
FLV = "video/x-flv"
MPEG = "video/mpeg"
MPEG_TS = "video/mp2t"
WMV = "video/x-ms-wmv"
ASF = "video/x-ms-asf"
OGV = "video/ogg"

PROGRAM = "application/x-executable"
WINDOWS_PROGRAM = "application/x-msdownload"
EMPTY = "application/x-empty"
UNKNOWN = "application/octet-stream"

WORDS = frozenset({DOCX, DOTX, DOCM, DOTM})
WORKBOOKS = frozenset({XLSX, XLTX, XLSM, XLTM})
SLIDES = frozenset({PPTX, PPSX, POTX, PPTM, PPSM, POTM})
OOXML = WORDS | WORKBOOKS | SLIDES
"""Office Open XML that is XML throughout; ``XLSB`` is not."""

ZIPPED = OOXML | {XLSB, ODT, ODS, ODP, OFD, ZIP}
"""Zip files that somebody here opens."""

READABLE = frozenset({TEXT, CSV, HTML, XML})
"""Kinds whose bytes are characters, to be read as they stand."""

NAMES = {
    PDF: "PDF",
    POSTSCRIPT: "PostScript 文件",
    OFD: "OFD 版式文件",
    XPS: "XPS 版式文件",
    JPEG: "JPEG 图片",
    PNG: "PNG 图片",
    TIFF: "TIFF 图片",
    GIF: "GIF 图片",
    BMP: "BMP 图片",
    WEBP: "WebP 图片",
    HEIC: "HEIC 照片",
    HEIF: "HEIF 照片",
    AVIF: "AVIF 图片",
    JP2: "JPEG 2000 图片",
    J2K: "JPEG 2000 码流",
    DWG: "CAD 图（DWG）",
    DOCX: "Word 文档（docx）",
    DOTX: "Word 模板（dotx）",
    DOCM: "带宏的 Word 文档（docm）",
    DOTM: "带宏的 Word 模板（dotm）",
    XLSX: "Excel 工作簿（xlsx）",
    XLTX: "Excel 模板（xltx）",
    XLSM: "带宏的 Excel 工作簿（xlsm）",
    XLTM: "带宏的 Excel 模板（xltm）",
    XLSB: "Excel 二进制工作簿（xlsb）",
    PPTX: "PPT 演示文稿（pptx）",
    PPSX: "PPT 放映文件（ppsx）",
    POTX: "PPT 模板（potx）",
    PPTM: "带宏的 PPT 演示文稿（pptm）",
    PPSM: "带宏的 PPT 放映文件（ppsm）",
    POTM: "带宏的 PPT 模板（potm）",
    ODT: "ODF 文本文档（odt）",
    ODS: "ODF 电子表格（ods）",
    ODP: "ODF 演示文稿（odp）",
    OLE: "旧版复合文档",
    DOC: "旧版 Word 文档（doc）",
    XLS: "旧版 Excel 工作簿（xls）",
    PPT: "旧版 PPT 演示文稿（ppt）",
    WPS: "WPS 文字文档（wps）",
    ET: "WPS 表格（et）",
    DPS: "WPS 演示（dps）",
    MSG: "Outlook 邮件（msg）",
    ENCRYPTED_OOXML: "设有打开密码的 Office 文件",
    RTF: "RTF 文档",
    TEXT: "纯文本",
    CSV: "CSV 表格",
    HTML: "网页（HTML）",
    XML: "XML 文件",
    EML: "电子邮件（eml）",
    MHTML: "单文件网页（MHTML）",
    ZIP: "ZIP 压缩包",
    SEVEN_ZIP: "7z 压缩包",
    RAR: "RAR 压缩包",
    GZIP: "GZIP 压缩包",
    TAR: "TAR 归档包",
    EPUB: "电子书（EPUB）",
    JAR: "Java 程序包",
    APK: "安卓安装包（APK）",
    WAV: "录音（WAV）",
    MP3: "录音（MP3）",
    M4A: "录音（M4A）",
    AAC: "录音（AAC）",
    AMR: "录音（AMR）",
    OGG: "录音（OGG）",
    FLAC: "录音（FLAC）",
    AIFF: "录音（AIFF）",
    WMA: "录音（WMA）",
    MP4: "录像（MP4）",
    MOV: "录像（MOV）",
    THREE_GP: "录像（3GP）",
    THREE_G2: "录像（3G2）",
    AVI: "录像（AVI）",
    MKV: "录像（MKV）",
    WEBM: "录像（WebM）",
    FLV: "录像（FLV）",
    MPEG: "录像（MPEG）",
    MPEG_TS: "录像（MPEG-TS）",
    WMV: "录像（WMV）",
    ASF: "录音录像（ASF）",
    OGV: "录像（OGV）",
    PROGRAM: "程序",
    WINDOWS_PROGRAM: "Windows 程序",
    EMPTY: "空文件",
    UNKNOWN: "无法识别的文件",
}
