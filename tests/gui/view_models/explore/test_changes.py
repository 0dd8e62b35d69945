"""Every removal from the gallery and every edit of the classes can be undone, and nothing that a run brings meanwhile is lost."""

from __future__ import annotations

import time

import pytest
from conftest import Bench
from fakes import READY, SHAPES, make_row
from PySide6.QtCore import QCoreApplication

from capt_engine.records import AnalyzeRequest, FailedPicture, Picture, Preview
from capt_gui.roles import GalleryRole
from capt_gui.view_models.explore.changes import ExploreChanges
from capt_gui.view_models.explore.gallery_model import GalleryModel

PATHS = [f"/p/{number}.png" for number in range(8)]
ASKED = AnalyzeRequest(tuple(PATHS))


@pytest.fixture
def gallery(bench: Bench) -> GalleryModel:
    """Eight pictures: the last could not be read, the others have previews, and four have results."""
    bench.engine.emit(READY)
    QCoreApplication.processEvents()
    gallery = bench.desk.gallery
    gallery.add(PATHS[:-1], [FailedPicture(PATHS[-1], "broken", "")])
    gallery.put_previews([Preview(path, 4, 4, Picture(4, 4, bytes(48)), ()) for path in PATHS[:-1]])
    gallery.put_rows([make_row(path) for path in PATHS[:4]], ASKED)
    return gallery


@pytest.fixture
def changes(bench: Bench) -> ExploreChanges:
    """The changes of the page."""
    return bench.desk.changes


def state(gallery: GalleryModel) -> list[object]:
    """All that is known of the pictures, in their order."""
    return [gallery.item(path) for path in gallery.paths()]


def thumbnails(gallery: GalleryModel) -> list[bool]:
    """True for each picture that has a thumbnail."""
    rows = (gallery.index(row, 0) for row in range(gallery.rowCount()))
    return [gallery.data(row, GalleryRole.THUMBNAIL) is not None for row in rows]


@pytest.mark.parametrize("gone", [PATHS, PATHS[2:5], PATHS[:1], PATHS[-1:], [PATHS[6], PATHS[1], PATHS[4]], []])
def test_what_was_removed_comes_back_as_it_was(gallery: GalleryModel, changes: ExploreChanges, gone: list[str]) -> None:
    """In its place, with results, failures, counts and thumbnails; again and again."""
    before, counts = state(gallery), gallery.count_text()
    changes.remove(gone)
    left = [path for path in PATHS if path not in gone]
    for _ in range(2):
        assert list(gallery.paths()) == left
        changes.undo.undo()
        assert state(gallery) == before
        assert gallery.count_text() == counts
        assert thumbnails(gallery) == [True] * 7 + [False]
        changes.undo.redo()


def test_removals_are_undone_one_after_the_other(gallery: GalleryModel, changes: ExploreChanges) -> None:
    """The last first; pictures that came meanwhile stay, and one that was dropped again is not there twice."""
    changes.remove(PATHS[:2])
    changes.remove(PATHS[3:6])
    gallery.add(["/p/new.png", PATHS[4]])
    changes.undo.undo()
    changes.undo.undo()
    assert sorted(gallery.paths()) == sorted([*PATHS, "/p/new.png"])
    assert gallery.rowCount() == 9


def test_results_that_come_while_a_picture_is_away_are_kept(gallery: GalleryModel, changes: ExploreChanges) -> None:
    """A run under way goes on with it: put back, it has its answer, and waits for nothing."""
    gallery.set_pending(PATHS[4:6], "waiting")
    changes.remove(PATHS[4:6])
    gallery.put_rows([make_row(PATHS[4])], ASKED)
    gallery.set_pending([PATHS[5]], "")
    changes.undo.undo()
    done, stopped = gallery.item(PATHS[4]), gallery.item(PATHS[5])
    assert done is not None
    assert stopped is not None
    assert done.row is not None
    assert (done.pending, stopped.pending) == ("", "")
    assert gallery.count_text().startswith("5 of 8")


def test_edits_of_classes_are_undone(bench: Bench, gallery: GalleryModel, changes: ExploreChanges) -> None:
    """Lists, restoring, and typing, which is one change as long as it goes on; also after another model was chosen."""
    del gallery
    choices = bench.desk.choices
    told: list[tuple[str, ...]] = []
    choices.changed.connect(lambda: told.append(choices.classes))
    changes.set_class_list("everyday")
    everyday = choices.classes
    changes.write_classes(("a", "b"), "a {}.")
    changes.write_classes(("a", "bc"), "a {}.")
    changes.restore_classes()
    assert choices.classes == SHAPES
    changes.restore_classes()
    assert changes.undo.count() == 3
    changes.undo.undo()
    assert (choices.classes, choices.template) == (("a", "bc"), "a {}.")
    changes.undo.undo()
    assert choices.classes == everyday
    changes.undo.redo()
    assert choices.classes == ("a", "bc")
    bench.desk.model.set_model("photos")
    changes.undo.undo()
    changes.undo.undo()
    bench.desk.model.set_model("demo")
    assert choices.classes == SHAPES
    assert told


def test_typing_after_a_pause_is_another_change(
    bench: Bench, gallery: GalleryModel, changes: ExploreChanges, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is typed and taken back in one go is none."""
    del gallery
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    changes.write_classes(("a", "b"), "a {}.")
    now[0] += 10
    changes.write_classes(("a", "c"), "a {}.")
    assert changes.undo.count() == 2
    now[0] += 1
    changes.write_classes(("a", "b"), "a {}.")
    assert changes.undo.count() == 1
    assert bench.desk.choices.classes == ("a", "b")
