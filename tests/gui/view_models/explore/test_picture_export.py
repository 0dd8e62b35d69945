"""Pictures of results as files: what is in memory at once, the rest drawn again, and nothing of the user's replaced unasked."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Bench
from fakes import READY, make_row
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QImage

from capt_engine.records import (
    AnalyzeRequest,
    AnalyzeResult,
    AttackSpec,
    FailedPicture,
    JobFinished,
    JobId,
    RowsReady,
    RunOptions,
    SignedPicture,
    ThreatModel,
    amplified,
    values_csv,
)
from capt_gui.view_models.explore.picture_export import KINDS, PictureExport, Saved, Wanted

REQUEST = AnalyzeRequest((), attack=AttackSpec(), options=RunOptions(with_pictures=True))
BOTH = replace(REQUEST, options=replace(REQUEST.options, compare="capt"))
DONE = AnalyzeResult(1, 0, "model", 1.0, None, 0.5, None, (), (), ThreatModel(), "demo", "none", "cpu", 1.0, 2.0)


@pytest.fixture
def export(bench: Bench) -> PictureExport:
    """The export of a window whose gallery has three results: one of two sides, one whose pictures are gone, and a failure."""
    gallery = bench.desk.gallery
    bench.engine.emit(READY)
    QCoreApplication.processEvents()
    gallery.add(["/one/cat.png", "/two/cat.png"], [FailedPicture("/one/bad.png", "No picture.")])
    gallery.put_rows([make_row("/one/cat.png"), make_row("/one/cat.png")], BOTH)
    gallery.put_rows([make_row("/two/cat.png", with_pictures=False)], REQUEST)
    return bench.desk.picture_export


def test_all_kinds_of_all_results_are_written(bench: Bench, export: PictureExport, tmp_path: Path) -> None:
    """Names say picture, kind and side; what is not in memory is asked for with the settings of then; pixels come back exactly."""
    heard: list[Saved] = []
    export.finished.connect(heard.append)
    wanted = Wanted(tmp_path / "out", KINDS, 20)
    items = bench.desk.gallery.items()
    export.start(items, wanted)
    asked = bench.engine.requests[-1]
    assert asked == replace(REQUEST, paths=("/two/cat.png",))
    assert not heard
    job = JobId(len(bench.engine.requests))
    bench.engine.emit(RowsReady(job, (make_row("/two/cat.png"),)))
    bench.engine.emit(JobFinished(job, DONE))
    QCoreApplication.processEvents()
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    sides = [
        f"cat-{word}-{side}.{ending}"
        for side in "ab"
        for word, ending in (
            ("adversarial", "png"),
            ("perturbation", "png"),
            ("perturbation-x20", "png"),
            ("perturbation", "csv"),
        )
    ]
    alone = [
        "cat-2-seen.png",
        "cat-2-adversarial.png",
        "cat-2-perturbation.png",
        "cat-2-perturbation-x20.png",
        "cat-2-perturbation.csv",
    ]
    assert names == sorted(["cat-seen.png", *sides, *alone])
    assert sorted(export.names([item for item in items if item.failure is None], wanted)) == names
    assert heard == [Saved(tmp_path / "out", len(names), 0, 0)]
    saved = QImage(str(tmp_path / "out" / "cat-2-adversarial.png")).convertToFormat(QImage.Format.Format_RGB888)
    assert {saved.pixelColor(x, y).red() for x in range(8) for y in range(6)} == {130}


def test_files_of_before_stay_unless_they_may_go(bench: Bench, export: PictureExport, tmp_path: Path) -> None:
    """A file of that name is kept as it is, and replaced only where that was said; a folder that cannot be is a sentence."""
    (tmp_path / "cat-seen.png").write_bytes(b"mine")
    heard: list[object] = []
    export.finished.connect(heard.append)
    export.failed.connect(heard.append)
    items = bench.desk.gallery.items()[:1]
    export.start(items, Wanted(tmp_path))
    assert heard.pop() == Saved(tmp_path, 2, 1, 0)
    assert (tmp_path / "cat-seen.png").read_bytes() == b"mine"
    export.start(items, Wanted(tmp_path, replaces=True))
    assert heard.pop() == Saved(tmp_path, 3, 0, 0)
    assert (tmp_path / "cat-seen.png").read_bytes().startswith(b"\x89PNG")
    export.start(items, Wanted(tmp_path / "cat-seen.png" / "below"))
    assert "cannot be used" in heard.pop().message


def test_an_amplified_perturbation_is_grey_where_nothing_changed() -> None:
    """Twice a change of 1/8 upwards is a quarter above grey; what leaves the range is cut; the table has the values themselves."""
    change = SignedPicture(2, 1, 0.125, bytes([127, 0, 129, 0, 64, 192]))
    assert list(amplified(change, 2).rgb) == [191, 128, 64, 128, 160, 95]
    assert list(amplified(change, 100).rgb)[:3] == [255, 128, 0]
    rows = list(csv.DictReader(values_csv(change).splitlines()))
    assert [(row["x"], row["y"]) for row in rows] == [("0", "0"), ("1", "0")]
    assert [float(rows[0][name]) for name in ("red", "green", "blue")] == [0.125, 0.0, -0.125]
