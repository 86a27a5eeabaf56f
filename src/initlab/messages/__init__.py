"""Every sentence that people read, by id; ready for translation."""

from initlab.messages._causes import CAUSES, cause_sentence
from initlab.messages._report import (
    ASK_MORE_MEMBERS,
    PAIRED_CAVEAT,
    question_of,
    title_of,
)

__all__ = [
    "ASK_MORE_MEMBERS",
    "CAUSES",
    "PAIRED_CAVEAT",
    "cause_sentence",
    "question_of",
    "title_of",
]
