"""A report as CSV: the rows of the run, complete, and nothing else."""

from __future__ import annotations

from capt_engine.reports.document import Report


def write(report: Report) -> bytes:
    """Return the rows attached to `report` as a CSV file, and nothing else of the report.

    The rows of several runs follow one another under one header.
    """
    rows = [one.content for one in report.attachments if one.name.startswith("rows") and one.name.endswith(".csv")]
    return b"".join(content if not i else content.partition(b"\r\n")[2] for i, content in enumerate(rows))
