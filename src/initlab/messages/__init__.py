"""Every sentence that people read, by id; ready for translation."""

from initlab.messages._causes import CAUSES, GOOD, cause_sentence

__all__ = ["CAUSES", "GOOD", "cause_sentence"]
