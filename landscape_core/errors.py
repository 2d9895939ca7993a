"""Errors that a user caused and can mend: shown as a sentence, never as a traceback."""

from __future__ import annotations


class UserError(Exception):
    """Says what was wrong and what is accepted. The CLI and the UI print only the message."""
