"""The frame of a PDF/A-3b file: output intent, metadata, language, the attached list of contents."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from xml.sax.saxutils import escape

import pikepdf
from pikepdf import Array, Dictionary, Name

NAMESPACE = "urn:casefile:dossier:1"
"""Of our own XMP properties, prefix ``casefile``."""

_GONE = (
    "/Names", "/AA", "/OpenAction", "/Perms", "/Legal", "/Threads", "/PieceInfo", "/Extensions", "/AcroForm",
    "/StructTreeRoot", "/MarkInfo", "/Requirements", "/Collection", "/Dests",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside of the PDF that states the same content as data (ISO 19005-3, AFRelationship Data)."""

    name: str
    description: str
    xml: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """What the file says of itself. ``properties`` are name, value and description."""

    title: str
    subject: str
    creator: str
    created: dt.datetime
    properties: Sequence[tuple[str, str, str]]
    attachment: Attachment


def frame(pdf: pikepdf.Pdf, told: Frame) -> None:
    """Put the frame around the pages."""
    root = pdf.Root
    for key in _GONE:
        if key in root:
            del root[key]
    profile = pdf.make_stream(srgb())
    profile.N = 3
    root.OutputIntents = Array([
        pdf.make_indirect(
            Dictionary(
                Type=Name.OutputIntent, S=Name.GTS_PDFA1, OutputConditionIdentifier=pikepdf.String("sRGB"),
                Info=pikepdf.String("sRGB"), DestOutputProfile=profile,
            )
        )
    ])  # fmt: skip
    metadata = pdf.make_stream(_xmp(told).encode())
    metadata.Type = Name.Metadata
    metadata.Subtype = Name.XML
    root.Metadata = metadata
    date = _pdf_date(told.created)
    pdf.trailer.Info = pdf.make_indirect(
        Dictionary(
            Title=told.title, Subject=told.subject, Creator=told.creator, Producer=told.creator,
            CreationDate=date, ModDate=date,
        )
    )  # fmt: skip
    root.Lang = pikepdf.String("zh-CN")
    root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    root.PageMode = Name.UseOutlines
    _attach(pdf, told.attachment, date)


def srgb() -> bytes:
    """The sRGB profile, version 2, that comes with pikepdf."""
    # Named as a file: importing pikepdf.pdfa for it would take longer than binding a hundred pages.
    return (files("pikepdf") / "pdfa" / "data" / "sRGB.icc").read_bytes()


def _attach(pdf: pikepdf.Pdf, attachment: Attachment, date: str) -> None:
    stream = pdf.make_stream(attachment.xml)
    stream.Type = Name.EmbeddedFile
    stream.Subtype = Name("/text/xml")
    checksum = hashlib.md5(attachment.xml, usedforsecurity=False).digest()
    stream.Params = Dictionary(ModDate=date, Size=len(attachment.xml), CheckSum=pikepdf.String(checksum))
    specification = pdf.make_indirect(
        Dictionary(
            Type=Name.Filespec, F=attachment.name, UF=attachment.name, Desc=attachment.description,
            AFRelationship=Name.Data, EF=Dictionary(F=stream, UF=stream),
        )
    )  # fmt: skip
    pdf.Root.Names = Dictionary(
        EmbeddedFiles=Dictionary(Names=Array([pikepdf.String(attachment.name), specification]))
    )
    pdf.Root.AF = Array([specification])


def _pdf_date(at: dt.datetime) -> str:
    zone = at.strftime("%z") or "+0000"
    return at.strftime("D:%Y%m%d%H%M%S") + f"{zone[:3]}'{zone[3:5]}'"


def _xmp(told: Frame) -> str:
    date = told.created.isoformat(timespec="seconds")
    own = "\n".join(
        f"   <casefile:{name}>{escape(value)}</casefile:{name}>" for name, value, _ in told.properties
    )
    schema = "\n".join(
        f"""        <rdf:li rdf:parseType="Resource">
         <pdfaProperty:name>{name}</pdfaProperty:name>
         <pdfaProperty:valueType>Text</pdfaProperty:valueType>
         <pdfaProperty:category>external</pdfaProperty:category>
         <pdfaProperty:description>{escape(description)}</pdfaProperty:description>
        </rdf:li>"""
        for name, _, description in told.properties
    )
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
    xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
    xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
    xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"
    xmlns:casefile="{NAMESPACE}">
   <pdfaid:part>3</pdfaid:part>
   <pdfaid:conformance>B</pdfaid:conformance>
   <dc:format>application/pdf</dc:format>
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(told.title)}</rdf:li></rdf:Alt></dc:title>
   <dc:description>
    <rdf:Alt><rdf:li xml:lang="x-default">{escape(told.subject)}</rdf:li></rdf:Alt>
   </dc:description>
   <dc:language><rdf:Bag><rdf:li>zh-CN</rdf:li></rdf:Bag></dc:language>
   <xmp:CreateDate>{date}</xmp:CreateDate>
   <xmp:ModifyDate>{date}</xmp:ModifyDate>
   <xmp:MetadataDate>{date}</xmp:MetadataDate>
   <xmp:CreatorTool>{escape(told.creator)}</xmp:CreatorTool>
   <pdf:Producer>{escape(told.creator)}</pdf:Producer>
{own}
   <pdfaExtension:schemas>
    <rdf:Bag>
     <rdf:li rdf:parseType="Resource">
      <pdfaSchema:schema>casefile dossier</pdfaSchema:schema>
      <pdfaSchema:namespaceURI>{NAMESPACE}</pdfaSchema:namespaceURI>
      <pdfaSchema:prefix>casefile</pdfaSchema:prefix>
      <pdfaSchema:property>
       <rdf:Seq>
{schema}
       </rdf:Seq>
      </pdfaSchema:property>
     </rdf:li>
    </rdf:Bag>
   </pdfaExtension:schemas>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""
