"""Every sentence that people read, by id; ready for translation."""

from initlab.messages._causes import CAUSES, CauseId, cause_sentence
from initlab.messages._checks import CHECKS, SEVERITIES, FindingCause, Severity
from initlab.messages._console import print_whole
from initlab.messages._findings import (
    FINDINGS,
    FROZEN,
    NOTHING,
    SOUND,
    SOUND_NEXT,
    finding_fix,
    finding_formula,
    finding_sentence,
    shown_name,
)
from initlab.messages._report import (
    ASK_MORE_MEMBERS,
    GRID_CAVEAT,
    PAIRED_CAVEAT,
    about_cells,
    about_profiles,
    about_target,
    grid_question,
    grid_title,
    needs_arrays,
    needs_function,
    orders_shown,
    question_of,
    title_of,
)
from initlab.messages._signals import (
    SIGNAL_CAVEAT,
    SIGNAL_QUESTION,
    SIGNALS,
    VerdictId,
    signal_sentence,
    signal_title,
)
from initlab.messages._statements import STATEMENTS, StatementId, statement_sentence
from initlab.messages._words import REACHES

__all__ = [
    "ASK_MORE_MEMBERS",
    "CAUSES",
    "CHECKS",
    "FINDINGS",
    "FROZEN",
    "GRID_CAVEAT",
    "NOTHING",
    "PAIRED_CAVEAT",
    "REACHES",
    "SEVERITIES",
    "SIGNALS",
    "SIGNAL_CAVEAT",
    "SIGNAL_QUESTION",
    "SOUND",
    "SOUND_NEXT",
    "STATEMENTS",
    "CauseId",
    "FindingCause",
    "Severity",
    "StatementId",
    "VerdictId",
    "about_cells",
    "about_profiles",
    "about_target",
    "cause_sentence",
    "finding_fix",
    "finding_formula",
    "finding_sentence",
    "grid_question",
    "grid_title",
    "needs_arrays",
    "needs_function",
    "orders_shown",
    "print_whole",
    "question_of",
    "shown_name",
    "signal_sentence",
    "signal_title",
    "statement_sentence",
    "title_of",
]
