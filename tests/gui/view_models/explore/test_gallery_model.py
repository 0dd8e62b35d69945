"""The gallery's rows, states and counts; and that its memory does not grow with its length."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fakes import make_row, picture
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from capt_engine.records import (
    AnalyzeRequest,
    FailedPicture,
    Preview,
    RunOptions,
)
from capt_gui.roles import GalleryRole
from capt_gui.view_models.explore import picture_sets
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.view_models.explore.packed_row import PackedRow
from capt_gui.view_models.thumbnails import Thumbnails

REQUEST = AnalyzeRequest(())


@pytest.fixture
def gallery(qapp: QApplication) -> GalleryModel:
    """An empty gallery that Qt itself watches for broken promises."""
    model = GalleryModel(qapp)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning, model)
    return model


def states(model: QAbstractItemModel) -> list[str]:
    """The states, row by row."""
    return [model.index(row, 0).data(GalleryRole.STATE) for row in range(model.rowCount())]


def test_the_life_of_a_card(gallery: GalleryModel) -> None:
    """Found, previewed, running, changed: each state follows its event."""
    gallery.add(["/p/a.png"])
    index = gallery.index(0)
    assert (states(gallery), index.data(GalleryRole.THUMBNAIL)) == (["waiting"], None)
    gallery.put_previews([Preview("/p/a.png", 640, 480, picture())])
    assert states(gallery) == ["ready"]
    assert isinstance(index.data(GalleryRole.THUMBNAIL), QImage)
    assert "640 × 480" in index.data(Qt.ItemDataRole.ToolTipRole)
    gallery.set_pending(["/p/a.png"], "running")
    assert states(gallery) == ["running"]
    gallery.put_rows([make_row("/p/a.png")], REQUEST)
    assert states(gallery) == ["changed"]
    assert (index.data(GalleryRole.NAME), index.data(GalleryRole.CAPTION)) == ("a.png", "class 0 → class 1")
    assert gallery.item("/p/a.png").request is REQUEST
    assert gallery.count_text() == "1 of 1 · 1 changed"


@pytest.mark.parametrize(("success", "state"), [(None, "ready"), (False, "kept"), (True, "changed")])
def test_outcomes(gallery: GalleryModel, success: bool | None, state: str) -> None:
    """Without an attack a card is ready, with one its answer is kept or changed."""
    gallery.add(["a"])
    gallery.put_rows([make_row("a", success=success)], REQUEST)
    assert states(gallery) == [state]


def test_a_bad_file_is_one_failed_card(gallery: GalleryModel) -> None:
    """Failures of the walk, the preview and the analysis all become cards with a sentence; the others go on."""
    gallery.add(["a", "b", "c"], [FailedPicture("d", "No entry.", "Change its rights.")])
    gallery.put_previews([FailedPicture("a", "Not a picture.", "Save it as PNG."), Preview("b", 1, 1, picture())])
    gallery.put_rows([FailedPicture("c", "Broken."), make_row("b", success=False)], REQUEST)
    assert states(gallery) == ["failed", "kept", "failed", "failed"]
    assert gallery.index(0).data(GalleryRole.MESSAGE) == "Not a picture. Save it as PNG."
    assert gallery.index(1).data(GalleryRole.MESSAGE) == ""
    assert gallery.usable_paths() == ("b",)
    assert gallery.count_text() == "1 of 4 · 0 changed · 3 unreadable"


def test_the_same_picture_twice_is_one_card(gallery: GalleryModel) -> None:
    """Dropping a folder again adds only what is new."""
    gallery.add(["a", "b", "a"])
    gallery.add(["b", "c"])
    assert gallery.paths() == ("a", "b", "c")


def test_a_cancelled_card_shows_its_last_outcome(gallery: GalleryModel) -> None:
    """Pending covers an outcome only as long as it lasts."""
    gallery.add(["a"])
    gallery.put_rows([make_row("a")], REQUEST)
    gallery.set_pending(["a", "unknown"], "waiting")
    assert states(gallery) == ["waiting"]
    gallery.set_pending(["a"], "")
    assert states(gallery) == ["changed"]


def test_removing_keeps_rows_and_counts_right(gallery: GalleryModel) -> None:
    """Any subset can go; results for what has gone are ignored."""
    gallery.add("abcdefg")
    gallery.put_rows([make_row(name) for name in "abc"], REQUEST)
    gallery.put_previews([FailedPicture("f", "Bad.")])
    gallery.remove(["b", "d", "e", "f", "unknown"])
    assert gallery.paths() == ("a", "c", "g")
    assert gallery.count_text() == "2 of 3 · 2 changed"
    gallery.put_rows([make_row("b")], REQUEST)
    gallery.put_previews([Preview("d", 1, 1, picture())])
    assert gallery.item("g").state == "waiting"
    gallery.clear()
    assert (gallery.rowCount(), gallery.count_text()) == (0, "")


def test_a_result_that_comes_again_is_counted_once(gallery: GalleryModel) -> None:
    """Running twice replaces the outcome."""
    gallery.add(["a"])
    gallery.put_rows([make_row("a", success=True)], REQUEST)
    gallery.put_rows([make_row("a", success=False)], REQUEST)
    assert gallery.count_text() == "1 of 1 · 0 changed"


def test_a_label_says_what_is_good_and_what_is_bad(gallery: GalleryModel) -> None:
    """What changed is red only where the right answer was lost; what stays is green only where it was right; unlabelled it is neither."""
    rows = {"lost": True, "stays": False, "wrong stays": False, "made right": True, "nobody knows": True}
    gallery.set_labels({"lost": "class 0", "stays": "Class_0", "wrong stays": "class 1", "made right": "class 1"})
    gallery.add(rows)
    gallery.put_rows([make_row(name, success=success) for name, success in rows.items()], REQUEST)
    assert states(gallery) == ["broken", "held", "wrong", "corrected", "changed"]
    assert gallery.count_text() == "5 of 5 · 3 changed"
    # Typed afterwards, and taken back.
    gallery.set_labels({"nobody knows": "class 2"})
    assert states(gallery)[-1] == "wrong"
    assert gallery.count_text() == "5 of 5 · 1 fooled"
    gallery.set_labels({"nobody knows": "a word that is not among the names", "lost": ""})
    assert states(gallery) == ["changed", "held", "wrong", "corrected", "changed"]
    gallery.remove(["stays"])
    gallery.add(["stays"])
    assert gallery.item("stays").label == ""
    gallery.clear()
    assert gallery.count_text() == ""


def test_of_two_sides_each_is_judged_by_the_label(gallery: GalleryModel) -> None:
    """A lost the right answer and B held it; the card has the worse of both, and the count is of both sides."""
    gallery.add(["a"])
    gallery.set_labels({"a": "class 0"})
    both = replace(REQUEST, options=RunOptions(compare="capt"))
    gallery.put_rows([make_row("a"), make_row("a", success=False)], both)
    sides = gallery.index(0).data(GalleryRole.SIDES)
    assert [own for own, _ in sides] == ["broken", "held"]
    assert (states(gallery), gallery.count_text()) == (["broken"], "1 of 1 · fooled: A 1, B 0")


def test_big_pictures_are_kept_for_the_latest_only(gallery: GalleryModel) -> None:
    """However many results arrive, 256 picture sets are kept, the most recent ones; rows stay."""
    names = [str(number) for number in range(300)]
    gallery.add(names)
    gallery.put_rows([make_row(name) for name in names[:256]], REQUEST)
    assert gallery.pictures("0") is not None
    gallery.put_rows([make_row(name) for name in names[256:]], REQUEST)
    kept = [name for name in names if gallery.pictures(name) is not None]
    assert len(kept) == picture_sets.CAPACITY == 256
    assert "0" in kept
    assert "1" not in kept
    assert gallery.item("1").row == replace(make_row("1"), pictures=None)


def test_rows_with_very_many_classes_go_with_their_pictures(gallery: GalleryModel) -> None:
    """A thousand classes make a row heavy too, so it is asked for again; card and count stay."""
    names = [str(number) for number in range(258)]
    gallery.add(names)
    gallery.put_rows([make_row(name, classes=201) for name in names], REQUEST)
    assert gallery.item("0").row is None
    assert gallery.item("0").state == "changed"
    assert gallery.item("0").request is REQUEST
    assert gallery.item("2").row is not None


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("logits", [(1.5, -0.25, 3.0), (0.1, 1e300, -0.0)], ids=["of 32 bits", "of 64 bits"])
def test_a_packed_row_loses_nothing(logits: tuple[float, ...]) -> None:
    """Whatever its numbers are, all of them come back, and a metric is read without the others."""
    for success in (None, True):
        row = make_row("a", success=success, with_pictures=False)
        row = replace(row, clean=replace(row.clean, logits=logits), metrics=(("margin", 0.1), ("drop", math.pi)))
        packed = PackedRow(row)
        assert packed.unpack() == row
        assert repr(packed.unpack().clean.logits) == repr(logits)
        assert (packed.metric("drop"), packed.metric("other")) == (math.pi, None)


def test_thumbnails_stay_small() -> None:
    """A thousand thumbnails are all there, packed, and only some are unpacked."""
    thumbnails = Thumbnails()
    for number in range(1000):
        thumbnails.put(str(number), picture(160, 120, number % 250))
    assert sum(packed.capacity() for packed in thumbnails._packed.values()) < 5_000_000
    assert len(thumbnails._unpacked) == 256
    image = thumbnails.get("7")
    assert image is not None
    assert (image.width(), image.height()) == (160, 120)
    assert abs(image.pixelColor(80, 60).red() - 7) <= 2
    assert len(thumbnails._unpacked) == 256
