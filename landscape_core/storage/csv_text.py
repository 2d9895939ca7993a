"""Tables as text, one way for every export."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]], about: Mapping[str, object] | None = None) -> str:
    """Comma-separated lines below a head, and above it what the table is `about` as lines "# what: value"."""
    text = io.StringIO()
    for what, value in (about or {}).items():
        text.write(f"# {what}: {str(value).replace(chr(10), ' ')}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
