"""Which prompts for my data, and what to hand to whoever decides: variants ranked, their pictures, and a report of two pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from guest import Guest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QCheckBox

Shot = Callable[..., None]


def test_variants_are_ranked_and_reported_on_two_pages(
    guest: Guest, shot: Shot, labelled: Path, tmp_path: Path
) -> None:
    """A folder, two variants ticked, one table with the best first, the pictures of a count, and the PDF of two pages on the disk."""
    desk, ranking = guest.desk, guest.desk.evaluation.ranking
    guest.window.show_page("evaluate")
    desk.evaluation.choices.attack.set_attack("fgsm")
    desk.evaluation.choices.set_checks("off")
    desk.evaluation.choices.set_limit(20)
    guest.drop(labelled)
    guest.settle()

    def tick() -> None:
        dialog = guest.dialog()
        for number, box in enumerate(dialog.findChildren(QCheckBox)):
            box.setChecked(number < 2)
        shot("rank-choose", dialog)
        guest.click("Rank them", dialog)

    QTimer.singleShot(200, tick)
    guest.click("Rank several variants…")
    guest.until(lambda: not ranking.is_running)
    assert ranking.result is not None, ranking.failure
    view = guest.window.page.ranking  # type: ignore[attr-defined]
    assert len(view.table.shown(0)) == 2
    assert "is right most often" in guest.words()
    shot("rank-table")
    counts = next(
        (row, column) for column in (2, 3) for row, text in enumerate(view.table.shown(column)) if text.isdigit()
    )
    view.table.activated.emit(view.table.model().index(*counts))
    assert ": " in view.pictures.title.text()
    shot("rank-pictures")
    guest.click("Open report")
    reports = desk.reports
    guest.until(lambda: len(reports.chosen) == 2 and reports.state == "shown")
    shot("report-everything")
    guest.click("Length: Two pages")
    guest.until(lambda: reports.state == "shown" and reports.pages == 2)
    shot("report-two-pages")
    out = tmp_path / "for the board.pdf"
    reports.write(str(out))
    guest.until(lambda: not reports.writing.is_running)
    assert out.read_bytes().startswith(b"%PDF-1.7")
