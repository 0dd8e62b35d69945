"""A report through the handler's hands: written whole or not at all, drawn page by page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from capt_engine.errors import BadRequest, Cancelled
from capt_engine.jobs import reporting
from capt_engine.jobs.context import JobContext
from capt_engine.jobs.reporting import handle_report
from capt_engine.records import JobId, PagesReady, ReportRequest, ReportResult
from tests.engine.reports.made_runs import kept


class Ticks:
    """A tick that counts, and cancels at the call it is told to."""

    def __init__(self, stop_at: int = 0) -> None:
        self.n, self._stop_at = 0, stop_at

    def __call__(self, done: int = 0, total: int = 0, note: str = "") -> None:
        """Once more."""
        del done, total, note
        self.n += 1
        if self.n == self._stop_at:
            raise Cancelled


def made(request: ReportRequest, ticks: Ticks, on_event: Callable[[Any], None] = lambda _: None) -> ReportResult:
    """The result of a request."""
    return handle_report(JobContext(JobId(1), on_event, ticks), request)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    return kept(tmp_path_factory.mktemp("kept") / "run", 6)


def test_a_report_is_written(run: Path, tmp_path: Path) -> None:
    """In the format of its ending, with the sections that were asked for; the result says how large it is."""
    result = made(ReportRequest((str(run),), str(tmp_path / "r.pdf"), ("verdict", "limits")), Ticks())
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")
    assert result.n_bytes == (tmp_path / "r.pdf").stat().st_size
    assert result.pages >= 1
    assert [one.id for one in result.sections if one.present] == ["verdict", "limits"]
    made(ReportRequest((str(run), str(run)), str(tmp_path / "r.csv")), Ticks())
    assert (tmp_path / "r.csv").read_bytes().count(b"\r\n") == 2 * (run / "rows.csv").read_bytes().count(b"\r\n") - 1


def test_a_preview_is_drawn_page_by_page(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All pages, in order, at the width asked for; no file is written."""
    monkeypatch.setattr(reporting, "_PAGES_AT_ONCE", 2)
    got: list[tuple[int, int, int]] = []

    def on_pages(event: PagesReady) -> None:
        got.append((event.first, event.total, len(event.pages)))
        assert all(page.width == 200 and len(page.rgb) == page.width * page.height * 3 for page in event.pages)

    request = ReportRequest(
        (str(run),), "x.pdf", ("verdict", "data", "results", "classes"), preview=True, page_width=200
    )
    result = made(request, Ticks(), on_pages)
    assert [first for first, _, _ in got] == list(range(0, result.pages, 2))
    assert sum(n for _, _, n in got) == result.pages == got[0][1]
    assert result.out == ""


@pytest.mark.parametrize("stop_at", [1, 2, 3, 4])
def test_cancelled_anywhere_the_old_file_stays(run: Path, tmp_path: Path, stop_at: int) -> None:
    """Before building, before drawing, before and while writing."""
    target = tmp_path / "r.json"
    target.write_bytes(b"old")
    with pytest.raises(Cancelled):
        made(ReportRequest((str(run),), str(target)), Ticks(stop_at))
    assert target.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["r.json"]


def test_what_cannot_be_reported_is_refused(run: Path, tmp_path: Path) -> None:
    """No run, an unknown ending, a folder that holds none."""
    for runs, out in (
        ((), "r.pdf"),
        ((str(run),), "r.docx"),
        ((str(tmp_path),), "r.pdf"),
        ((str(run),), str(tmp_path)),
    ):
        with pytest.raises(BadRequest):
            made(ReportRequest(runs, out), Ticks())
