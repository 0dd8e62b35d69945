"""Does a JSON report have the fields that docs/report-schema.md names? A small checker of structure, for tests."""

from __future__ import annotations

import base64
from typing import Any

MAYBE = (float, type(None))
BLOCKS: dict[str, dict[str, Any]] = {
    "Paragraph": {"text": str, "kind": str},
    "Facts": {"pairs": [[str]]},
    "Lights": {"summary": str, "lights": [{"block": str, "name": str, "status": str, "value": str, "message": str}]},
    "Grid": {
        "caption": str,
        "columns": [{"block": str, "title": str, "align": str, "sort": str}],
        "rows": [[str]],
        "total": (int, type(None)),
    },
    "Heat": {
        "caption": str,
        "corner": str,
        "columns": [str],
        "rows": [
            {"block": str, "name": str, "shares": [MAYBE], "last": str, "value": MAYBE, "low": MAYBE, "high": MAYBE},
        ],
        "alt": str,
        "last": str,
        "note": str,
    },
    "LineChart": {
        "caption": str,
        "x_title": str,
        "y_title": str,
        "series": [{"block": str, "name": str, "points": [[(int, float)]]}],
        "alt": str,
        "x_scale": str,
        "y_scale": str,
        "percent": bool,
        "levels": [{"block": str, "name": str, "value": float}],
        "x_labels": [str],
    },
    "BarChart": {
        "caption": str,
        "bars": [{"block": str, "name": str, "value": float, "low": float, "high": float, "series": int}],
        "alt": str,
        "percent": bool,
        "series": [str],
        "x_title": str,
    },
    "Histogram": {
        "caption": str,
        "x_title": str,
        "y_title": str,
        "bins": [{"block": str, "start": float, "end": float, "value": float, "low": float, "high": float}],
        "alt": str,
        "percent": bool,
    },
    "Matrix": {"caption": str, "names": [str], "counts": [[int]], "alt": str},
    "Strip": {
        "side_by_side": bool,
        "caption": str,
        "examples": [
            {
                "block": str,
                "name": str,
                "clean": dict,
                "perturbation": (dict, type(None)),
                "adversarial": (dict, type(None)),
                "words": str,
                "alt": str,
            }
        ],
    },
}
TOP = {
    "schema": str,
    "id": str,
    "title": str,
    "subtitle": str,
    "made": str,
    "sections": [{"id": str, "title": str, "blocks": [dict]}],
    "runs": [{"manifest": dict, "summary": dict, "rows": [dict]}],
}


def check(report: Any) -> None:
    """Fail with the place of the first field that is missing, unknown or of another type."""
    _fits(report, TOP, "report")
    assert report["schema"] == "capt-report/1"
    for section in report["sections"]:
        for i, block in enumerate(section["blocks"]):
            place = f"{section['id']}[{i}]"
            _fits(block, {"block": str, **BLOCKS[block["block"]]}, place)
            for example in block.get("examples", []):
                _picture(example, place)
    for run in report["runs"]:
        assert all(isinstance(cell, str) for row in run["rows"] for cell in row.values())


def _fits(value: Any, shape: Any, place: str) -> None:
    if isinstance(shape, dict):
        assert isinstance(value, dict), place
        assert value.keys() == shape.keys(), place
        for name, one in shape.items():
            _fits(value[name], one, f"{place}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list), place
        for i, one in enumerate(value):
            _fits(one, shape[0], f"{place}[{i}]")
    else:
        assert isinstance(value, shape), f"{place}: {value!r}"


def _picture(example: dict[str, Any], place: str) -> None:
    for name, field in (("clean", "rgb"), ("perturbation", "values"), ("adversarial", "rgb")):
        if example[name] is not None:
            size = example[name]["width"] * example[name]["height"] * 3
            assert len(base64.b64decode(example[name][field])) == size, f"{place}.{name}"
