"""Two sides in words, and two sides in the gallery."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Bench
from fakes import TWO_SIDES, analyse_both, make_row, picture, summary
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QImage

from capt_engine.records import (
    AnalyzeRequest,
    FailedPicture,
    JobId,
    PictureRow,
    PictureSet,
    RowsReady,
    RunOptions,
    SignedPicture,
    ThreatModel,
    Verdict,
)
from capt_gui.roles import GalleryRole
from capt_gui.view_models.explore import comparison
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.view_models.explore.picture_sets import CAPACITY

BOTH = AnalyzeRequest((), options=RunOptions(compare="capt"))
A = replace(
    make_row("a"),
    classes=("capsule", "torus"),
    clean=Verdict((3.0, 1.0), (0.93, 0.07)),
    attacked=Verdict((1.0, 3.0), (0.39, 0.61)),
    prompt_id="none",
    aimed_at="none",
)
B = replace(
    A, attacked=Verdict((3.0, 1.0), (0.88, 0.12)), success=False, prompt_id="capt", aimed_at="capt"
)  # fmt: skip


def label(name: str) -> str:
    """What prompts are called."""
    return {"none": "plain text"}.get(name, name.upper())


def test_the_headline_names_both() -> None:
    """One sentence says what became of A and of B."""
    assert comparison.headline(A, B) == "A: capsule 93.0 % → torus 61.0 %, changed · B: capsule 88.0 %, kept"
    hit = replace(A, threat=ThreatModel(target="torus"))
    assert comparison.verdict(hit).endswith("target reached")
    assert comparison.verdict(replace(A, attacked=None)) == "capsule 93.0 %"


def test_at_whom_the_attack_was_aimed_is_said() -> None:
    """Each its own, or computed on one of them and a transfer for the other; nothing without an attack."""
    assert comparison.aim(A, B).startswith("Each was attacked on its own")
    assert comparison.contest(A, B, label).startswith("A: plain text, B: CAPT. Each")
    assert comparison.aim(A, replace(B, aimed_at="none")).endswith("for B it is a transfer.")
    assert comparison.aim(replace(A, aimed_at="capt"), B).endswith("for A it is a transfer.")
    assert comparison.aim(replace(A, attacked=None), B) == ""
    meanings = {comparison.aim_meaning(choice) for choice in ("each", "a", "b")}
    assert len(meanings) == 3


def test_the_details_say_what_is_shared_once() -> None:
    """Model, attack and seed stand once; what survives saving stands by side where it differs."""
    assert comparison.details(A, B, "Demo", "PGD") == "Demo · PGD, L∞ 4/255, 10 steps · seed 0"
    lost = replace(A, survives_png=False)
    assert comparison.details(lost, B, "Demo", "PGD").endswith("A: lost once saved as PNG")
    both = comparison.details(lost, replace(lost, prompt_id="capt"), "Demo", "PGD")
    assert both.count("lost once saved as PNG") == 1
    assert "A: lost" not in both


def test_the_summary_has_intervals_and_the_paired_test() -> None:
    """What each side kept, of how many, and whether the difference could be chance."""
    result = summary(AnalyzeRequest(("x",) * 50, options=RunOptions(compare="capt")))
    words = "A kept 31.0 % [20.0–45.0 %] · B kept 57.0 % [43.0–70.0 %] of 50 pictures' own answers (paired p = 0.0023)"
    assert comparison.summary(result) == words
    assert result.compared is not None
    untested = replace(result, n=1, label_source="folder", compared=replace(result.compared, robust=None))
    assert comparison.summary(untested).endswith("of 1 picture's right answers")
    assert comparison.summary(replace(result, robust_accuracy=None)) == ""
    assert comparison.summary(summary(AnalyzeRequest(("x",)))) == ""


@pytest.fixture
def gallery(bench: Bench) -> GalleryModel:
    """A gallery with one picture."""
    bench.desk.gallery.add(["a"])
    return bench.desk.gallery


def drawn(row: PictureRow, value: int) -> PictureRow:
    """The row with pictures of one grey."""
    pictures = PictureSet(picture(), SignedPicture(8, 6, 4 / 255, bytes(144)), picture(value=value))
    return replace(row, pictures=pictures)


def test_a_pair_is_one_card(gallery: GalleryModel) -> None:
    """The card knows both outcomes and is called changed when either is; the counts are by side."""
    gallery.put_rows([A, B], BOTH)
    index = gallery.index(0)
    assert index.data(GalleryRole.SIDES) == (("changed", "capsule → torus"), ("kept", "capsule 88.0 %"))
    assert index.data(GalleryRole.STATE) == "changed"
    assert index.data(GalleryRole.CAPTION) == "A capsule → torus · B capsule 88.0 %"
    assert gallery.count_text() == "1 of 1 · changed: A 1, B 0"
    item = gallery.item("a")
    assert item is not None
    assert (item.row, item.other) == (replace(A, pictures=None), replace(B, pictures=None))
    gallery.set_pending(["a"], "running")
    assert index.data(GalleryRole.SIDES) == ()
    gallery.put_rows([A], AnalyzeRequest(()))
    assert (index.data(GalleryRole.SIDES), item.other, gallery.count_text()) == ((), None, "1 of 1 · 1 changed")


def test_a_pair_that_cannot_be_read_is_one_failure(gallery: GalleryModel) -> None:
    """A refusal stands for both sides."""
    gallery.put_rows([FailedPicture("a", "Bad.")], BOTH)
    assert gallery.index(0).data(GalleryRole.STATE) == "failed"


def test_each_side_has_its_pictures(gallery: GalleryModel) -> None:
    """Two attacks are two sets of pictures; one attack on both is one."""
    gallery.put_rows([drawn(A, 1), drawn(B, 2)], BOTH)
    kept = [gallery.pictures("a", side) for side in "ab"]
    assert [pictures.adversarial.rgb[0] for pictures in kept if pictures is not None] == [1, 2]
    gallery.put_rows([drawn(A, 3), drawn(B, 3)], replace(BOTH, options=replace(BOTH.options, aim="a")))
    assert gallery.pictures("a", "a") is gallery.pictures("a", "b")
    assert gallery.is_drawn("a")


def test_two_sets_count_as_two(gallery: GalleryModel) -> None:
    """Comparing keeps as many pictures in memory as not comparing; half a pair does not count as drawn."""
    names = [str(number) for number in range(CAPACITY)]
    gallery.add(names)
    for name in names:
        gallery.put_rows([drawn(replace(A, path=name), 1), drawn(replace(B, path=name), 2)], BOTH)
    kept = sum(gallery.pictures(name, side) is not None for name in names for side in "ab")
    assert kept == CAPACITY
    assert sum(gallery.is_drawn(name) for name in names) == CAPACITY // 2
    assert not gallery.is_drawn("0")


def test_a_lost_pair_is_drawn_again(bench: Bench, tmp_path: Path) -> None:
    """An old comparison is asked for with both of its sides and its aim."""
    file = tmp_path / "a.png"
    image = QImage(8, 8, QImage.Format.Format_RGB888)
    image.fill(0x808080)
    image.save(str(file))
    path = str(file)
    bench.engine.emit(TWO_SIDES)
    bench.desk.gallery.add([path])
    bench.desk.model.sides.set_aim("b")
    request = bench.desk.choices.request((path,))
    bench.desk.gallery.put_rows(
        [replace(row, pictures=None) for row in analyse_both(path, request, 8) if isinstance(row, PictureRow)], request
    )
    bench.desk.model.sides.set_b(None)
    bench.desk.analysis.redraw(path)
    asked = bench.engine.requests[-1]
    assert asked == request
    bench.engine.emit(RowsReady(JobId(len(bench.engine.requests)), analyse_both(path, request, 8)))
    QCoreApplication.processEvents()
    assert bench.desk.gallery.is_drawn(path)
