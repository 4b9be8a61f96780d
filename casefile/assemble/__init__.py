"""Case data and templates to documents, filled, numbered, rendered and frozen (制作文书).

values ─► check ─► fill ─► render ─► accept ─► freeze
"""

from casefile.assemble.fill import Draft, fill
from casefile.assemble.issue import issue, issue_all, parts
from casefile.assemble.lint import check_templates
from casefile.assemble.own import register as register_template
from casefile.assemble.sample import sample
from casefile.assemble.service import effective_service_date
from casefile.assemble.signed import complaints as unsigned
from casefile.assemble.signed import refuse_misplaced, with_scans
from casefile.assemble.slip import slips

__all__ = [
    "Draft",
    "check_templates",
    "effective_service_date",
    "fill",
    "issue",
    "issue_all",
    "parts",
    "refuse_misplaced",
    "register_template",
    "sample",
    "slips",
    "unsigned",
    "with_scans",
]
