"""A report as one JSON object, for a script: every section, every row, the manifests. The fields: docs/report-schema.md."""

from __future__ import annotations

import base64
import csv
import dataclasses
import io
import json
from typing import Any

from capt_engine.reading import decode
from capt_engine.records import Picture, SignedPicture
from capt_engine.reports.document import Report
from capt_engine.runs.reader import MANIFEST, ROWS, SUMMARY

SCHEMA = "capt-report/1"
# What scripts know these blocks by.
_NAMES = {"HeatMap": "Heat", "ConfusionMatrix": "Matrix"}


def write(report: Report) -> bytes:
    """Return `report` as a JSON file: its sections, and the manifest, summary and rows of each run.

    The fields are those of docs/report-schema.md; the same report gives the same bytes.
    """
    files = {one.name: one.content for one in report.attachments}
    marks = [name.removeprefix("manifest").removesuffix(".json") for name in files if name.startswith("manifest")]
    content = {
        "schema": SCHEMA,
        "id": report.id,
        "title": report.title,
        "subtitle": report.subtitle,
        "made": report.made,
        "sections": [
            {"id": one.id, "title": one.title, "blocks": [_plain(block) for block in one.blocks]}
            for one in report.sections
        ],
        "runs": [
            {
                "manifest": decode(files[MANIFEST.replace(".", f"{mark}.")], dict[str, Any], called=MANIFEST),
                "summary": decode(files[SUMMARY.replace(".", f"{mark}.")], dict[str, Any], called=SUMMARY),
                "rows": list(csv.DictReader(io.StringIO(files[ROWS.replace(".", f"{mark}.")].decode(), newline=""))),
            }
            for mark in marks
        ],
    }
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode(
        "utf-8", "backslashreplace"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value) if not field.metadata
        }
        # Under a name of its own, as a paragraph has a `kind` already.
        kind = type(value).__name__
        return fields if isinstance(value, Picture | SignedPicture) else {"block": _NAMES.get(kind, kind), **fields}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value
