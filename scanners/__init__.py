"""Scanners (扫描器): one file, one rule.

A scanner reads what it is given and yields findings. There are two kinds, and an object may be both:

* a text scanner has ``scan_text(pages)`` and reads :class:`casefile.model.text.PageText`: the pages of PDF
  files, headers and comments of Word files, file names;
* a case scanner has ``scan_case(facts)`` and reads :class:`casefile.model.text.CaseFacts`: what register,
  case folder, archive and ledger know of one case number.

Both have ``codes``, every finding code that they can raise; the sentences stand in ``archive_schema``.

To write one, in this project or in a package of your own::

    class Watermark:
        codes = ("OUR-WATERMARK",)

        def scan_text(self, pages):
            for page in pages:
                if "内部资料" in page.text:
                    yield Finding("OUR-WATERMARK", f"{page.subject} {page.place}", page.case_no)

    scanner = Watermark()

and name it under the entry-point group ``casefile.scanners``::

    [project.entry-points."casefile.scanners"]
    watermark = "our_scanners.watermark:scanner"

Three rules. A finding never holds the secret that it found: give the place and a masked form. A scanner
imports ``casefile.model`` and libraries, nothing else of casefile. Each file ends with ``FLAGS`` (pairs of a
code and what must raise it) and ``CLEAN`` (what must pass): they are its tests and its documentation.
"""
