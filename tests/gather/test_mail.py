"""A mail is read as far as it goes: fields, words, attachments; hostile ones cost nothing."""

from __future__ import annotations

import base64
import contextlib
import time
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefile import scanning
from casefile.errors import BadInput, CasefileError, Refused
from casefile.formats.office import mail


def written() -> bytes:
    message = EmailMessage()
    message["From"] = "张三 <a@example.cn>"
    message["To"] = "b@example.cn"
    message["Subject"] = "关于地块的说明"
    message["Date"] = "Thu, 05 Mar 2026 10:00:00 +0800"
    message["Message-ID"] = "<1@example.cn>"
    message.set_content("正文第一行\n")
    message.add_alternative("<p>正文<b>第一</b>行</p>", subtype="html")
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="附图.pdf")
    inner = EmailMessage()
    inner["From"] = "c@example.cn"
    inner.set_content("inner")
    message.add_attachment(inner, filename="../../转发.eml")
    return message.as_bytes()


def test_fields_words_and_attachments():
    read = mail.parse(written(), "a.eml")
    assert (read.sender, read.subject) == ("张三 <a@example.cn>", "关于地块的说明")
    assert read.sent_at == "2026-03-05T10:00:00+08:00"
    assert read.text.strip() == "正文第一行"
    assert "<b>第一</b>" in read.html
    assert [a.name for a in read.attachments] == ["附图.pdf", "转发.eml"]
    assert read.attachments[0].data == b"%PDF-1.4"
    assert read.whole
    assert mail.parse(read.attachments[1].data, "b").text.strip() == "inner"
    data = written()
    assert mail.parse(data, "a.eml") == mail.parse(data, "a.eml")


def parts(*told: tuple[str, str]) -> bytes:
    head = 'From: a@example.cn\nContent-Type: multipart/mixed; boundary="b"\n\n'
    bodies = (f"--b\nContent-Type: {kind}; charset=utf-8\n\n{text}\n" for kind, text in told)
    return f"{head}{''.join(bodies)}--b--\n".encode()


def test_a_page_that_no_text_repeats_is_not_lost():
    # A list server puts its footer behind a mail that is nothing but a web page.
    read = mail.parse(parts(("text/html", "<p>决定</p>"), ("text/plain", "footer")), "a.eml")
    assert read.text.strip() == "footer" and not read.html
    assert [(a.name, a.data.strip()) for a in read.attachments] == [("正文1.html", "<p>决定</p>".encode())]
    read = mail.parse(parts(("text/html", "<p>一</p>"), ("text/html", "<p>二</p>")), "a.eml")
    assert "一" in read.html
    assert ["二" in a.data.decode() for a in read.attachments] == [True]


def test_no_word_of_a_long_mail_is_left_out():
    read = mail.parse(parts(("text/plain", "line of words\n" * 500_000 + "机密★10年")), "a.eml")
    assert read.text.rstrip().endswith("机密★10年")


def test_an_empty_text_stands_for_no_page():
    data = parts(("text/plain", " "), ("text/html", "<p>决定</p>"))
    read = mail.parse(data.replace(b"multipart/mixed", b"multipart/alternative"), "a.eml")
    assert not read.text and "决定" in read.html and not read.attachments


def test_what_chinese_clients_send():
    name = "=?gb18030?B?" + base64.b64encode("现场.jpg".encode("gb18030")).decode() + "?="
    raw = (
        (
            "From: =?gb2312?B?"
            + base64.b64encode("李四".encode("gb18030")).decode()
            + "?= <x@example.cn>\r\n"
            'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=gb2312\r\n'
            "Content-Transfer-Encoding: 8bit\r\n\r\n"
        ).encode()
        + "镕基\r\n".encode("gb18030")
        + (
            f'--b\r\nContent-Type: image/jpeg; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n/9j/\r\n'
        ).encode()
        + '--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename="平面图.png"\r\n\r\nx\r\n--b--\r\n'.encode(
            "gb18030"
        )
    )
    read = mail.parse(raw, "a.eml")
    assert read.sender == "李四 <x@example.cn>"
    assert read.text.strip() == "镕基"
    assert [a.name for a in read.attachments] == ["现场.jpg", "平面图.png"]


def test_bounds():
    nested = b"Content-Type: text/plain\n\nx"
    for number in range(60):
        mark = b"b%d" % number
        nested = (
            b"Content-Type: multipart/mixed; boundary="
            + mark
            + b"\n\n--"
            + mark
            + b"\n"
            + nested
            + b"\n--"
            + mark
            + b"--\n"
        )
    many = b"From: a\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 5000 + b"--b--\n"
    for data in (nested, many):
        with pytest.raises(Refused):
            mail.parse(data, "a.eml")
    with pytest.raises(Refused):
        mail.parse(written(), "a.eml", most_bytes=4)


@pytest.mark.parametrize(
    "piece", ["From: <", "To: a,\n ", "(", '"', "=?utf-8?q?", "Subject: =?gb2312?B?//\n", "--b\n", "\r"]
)
def test_no_field_takes_long(piece):
    started = time.process_time()
    with contextlib.suppress(CasefileError):
        mail.parse(("Content-Type: multipart/mixed; boundary=b\n" + piece * 40_000).encode(), "a.eml")
    assert time.process_time() - started < 3


@settings(max_examples=150, deadline=3000)
@given(st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 255)), max_size=10), st.integers(0, 1500))
def test_nothing_breaks_it(changes, length):
    data = bytearray(written())
    for at, value in changes:
        data[at % len(data)] = value
    try:
        read = mail.parse(bytes(data[:length]), "a.eml")
    except (BadInput, Refused):
        return
    assert all(a.name and "/" not in a.name for a in read.attachments)
    assert all(c.isprintable() for c in read.subject + read.sender)


def test_the_scanners_read_what_is_encoded(tmp_path):
    message = EmailMessage()
    message["From"] = "a@example.cn"
    message["To"] = "b@example.cn"
    message["Date"] = "Thu, 05 Mar 2026 10:00:00 +0800"
    message.set_content("见附件")
    message.add_attachment(
        "机密★10年".encode(), maintype="application", subtype="octet-stream", filename="x.txt"
    )
    (tmp_path / "a.eml").write_bytes(message.as_bytes())
    scanned = scanning.scan_text(scanning.read(tmp_path / "a.eml").pages)
    assert [f.code for f in scanned.findings] == ["SECRECY-MARK"]
