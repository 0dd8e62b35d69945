"""Pictures are decoded in one place, so that no other reader forgets a bound, a turn or a colour profile."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DECODES = re.compile(
    r"\bImage\.open\(|\bQImageReader\b|\bQMovie\b|\bQ(?:Image|Pixmap)\((?:str\(|[\"']|path)|\.loadFromData\(|\bfromData\("
)
ELSEWHERE = {
    "capt_gui/panels/help/help_browser.py": "the pictures of the guide, which ship with the program",
    "capt_gui/view_models/chart_file.py": "the chart that the engine has just drawn, on its way to the clipboard",
    "capt_gui/view_models/thumbnails.py": "small views that the window has packed itself, to hold many of them",
    "capt_engine/attacks/corruptions/digital.py": "the JPEG that it has just written itself, as the corruption is defined by Pillow's own",
}


def test_nothing_else_decodes_pictures() -> None:
    """Every other module that decodes has its reason, and every reason its module."""
    files = [file for package in ("capt_engine", "capt_gui") for file in sorted((ROOT / package).rglob("*.py"))]
    found = {file.relative_to(ROOT).as_posix() for file in files if DECODES.search(file.read_text(encoding="utf-8"))}
    assert found == {"capt_engine/data/images.py", *ELSEWHERE}
