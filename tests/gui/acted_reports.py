"""What the acting engine answers about kept runs and reports: believable pages, and small files in the right place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter

from capt_engine import records as r

SECTIONS = (
    r.SectionInfo("summary", "Summary", True),
    r.SectionInfo("data", "Pictures and classes", True),
    r.SectionInfo("models", "Models", True),
    r.SectionInfo("attacks", "Attacks", True),
    r.SectionInfo("results", "Results", True),
    r.SectionInfo("curve", "Accuracy at each budget", False),
    r.SectionInfo("classes", "Class by class", True),
    r.SectionInfo("examples", "Examples", True),
    r.SectionInfo("checks", "Checks", True),
    r.SectionInfo("repeat", "How to repeat it", True),
    r.SectionInfo("glossary", "Glossary", True),
)
COLORS = ("#0b6fb8", "#c96a00", "#00786a", "#5847d6")


def kept(folder: str, title: str, n: int, ended: str = "", *, labelled: bool = False) -> r.KeptRun:
    """A run that ended now, or when it is said."""
    return r.KeptRun(folder, ended or datetime.now().astimezone().isoformat(timespec="seconds"), title, n, labelled)


CHANGES = (
    r.ListRunsRequest,
    r.NoteRunRequest,
    r.DeleteRunsRequest,
    r.RestoreRunsRequest,
    r.EmptyTrashRequest,
)


def changed(runs: list[r.KeptRun], trash: list[r.KeptRun], request: r.Request) -> r.RunsListed:
    """The list after a change, which is made in `runs` and `trash` (the last deleted first)."""
    if isinstance(request, r.NoteRunRequest):
        runs[:] = [replace(one, notes=request.notes) if one.folder == request.run else one for one in runs]
    if isinstance(request, r.EmptyTrashRequest):
        trash.clear()
    if isinstance(request, r.DeleteRunsRequest | r.RestoreRunsRequest):
        source, target = (runs, trash) if isinstance(request, r.DeleteRunsRequest) else (trash, runs)
        target[:0] = [one for one in source if one.folder in request.runs]
        source[:] = [one for one in source if one.folder not in request.runs]
    now = datetime.now().astimezone().isoformat()
    gone = tuple(r.TrashedRun(one.folder, one.notes.name or one.title, now, one.n_bytes) for one in trash)
    return r.RunsListed(tuple(runs), gone)


def kept_analysis(request: r.AnalyzeRequest) -> r.KeptRun:
    """How an analysis is listed."""
    sides = request.options.prompts or "plain text"
    if request.options.compare is not None:
        sides += f" and {request.options.compare}"
    return kept(request.options.keep, f"{request.options.model}, {sides}", len(request.paths))


def drawn(request: r.ReportRequest) -> Iterator[r.Picture]:
    """The pages: one for every two sections."""
    titles = [s.title for s in SECTIONS if s.present and (not request.sections or s.id in request.sections)]
    for number in range(math.ceil(len(titles) / 2)):
        yield _page(titles[2 * number : 2 * number + 2], number, request)


def written(request: r.ReportRequest) -> r.ReportResult:
    """Write a few bytes where the report should be."""
    out = Path(request.out)
    out.write_text("a report\n", encoding="utf-8")
    pages = 5 if out.suffix == ".pdf" else 0
    return r.ReportResult(request.out, out.stat().st_size, pages, SECTIONS)


def _page(titles: list[str], number: int, request: r.ReportRequest) -> r.Picture:
    width = request.page_width
    height = round(width * 297 / 210)
    image = QImage(width, height, QImage.Format.Format_RGB888)
    image.fill(QColor("#ffffff"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    unit = width / 100
    font = QFont()
    for row, title in enumerate(titles):
        top = (8 + 62 * row) * unit
        font.setPixelSize(round(3.4 * unit))
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor("#1a1d24"))
        painter.drawText(QRectF(9 * unit, top, 82 * unit, 6 * unit), Qt.AlignmentFlag.AlignLeft, title)
        painter.setPen(Qt.PenStyle.NoPen)
        for line in range(9):
            painter.setBrush(QColor("#c9cdd6"))
            length = 82 - 17 * (line % 4 == 3) - 3 * (line % 3)
            painter.drawRect(QRectF(9 * unit, top + (8 + 2.4 * line) * unit, length * unit, 0.9 * unit))
        for bar in range(6):
            tall = (6 + 11 * abs(math.sin(bar + number + row))) * unit
            painter.setBrush(QColor(COLORS[bar % len(COLORS)]))
            painter.drawRect(QRectF((12 + 12 * bar) * unit, top + 50 * unit - tall, 8 * unit, tall))
    font.setPixelSize(round(1.7 * unit))
    font.setBold(False)
    painter.setFont(font)
    painter.setPen(QColor("#596171"))
    words = f"{len(request.runs)} run{'s' * (len(request.runs) > 1)} · page {number + 1}"
    painter.drawText(QRectF(9 * unit, height - 7 * unit, 82 * unit, 3 * unit), Qt.AlignmentFlag.AlignLeft, words)
    painter.end()
    lines = [bytes(image.constScanLine(y))[: width * 3] for y in range(height)]
    return r.Picture(width, height, b"".join(lines))
