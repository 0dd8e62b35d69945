"""The pictures as they are shown: filters that combine, order by any column, and how little work that is for ten thousand."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace

import pytest
from fakes import METRICS, make_row, picture
from PySide6.QtCore import QItemSelectionModel
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from capt_engine.records import AnalyzeRequest, FailedPicture, Preview, RunOptions
from capt_gui.settings import Condition, SavedView
from capt_gui.view_models.explore.gallery_columns import USUAL, columns
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.view_models.explore.gallery_rows import GalleryRows

ALONE = AnalyzeRequest(())
BOTH = replace(ALONE, options=RunOptions(compare="capt"))


@pytest.fixture
def gallery(qapp: QApplication) -> GalleryModel:
    """An empty gallery."""
    return GalleryModel(qapp)


@pytest.fixture
def rows(gallery: GalleryModel) -> GalleryRows:
    """Its rows, watched by Qt for broken promises."""
    model = GalleryRows(gallery, lambda: METRICS, gallery)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning, model)
    return model


def names(rows: GalleryRows) -> list[str]:
    """The names that are shown, from the top."""
    return [rows.index(row, 0).data() for row in range(rows.rowCount())]


def compared(gallery: GalleryModel) -> None:
    """Four labelled pictures whose answers differ: A lost and B held, the other way round, both held, both lost."""
    outcomes = {"a": (True, False), "b": (False, True), "c": (False, False), "d": (True, True)}
    gallery.set_labels(dict.fromkeys(outcomes, "class 0"))
    gallery.add(outcomes)
    for name, (first, second) in outcomes.items():
        gallery.put_rows([make_row(name, success=first), make_row(name, success=second)], BOTH)


def test_a_broken_and_b_held(gallery: GalleryModel, rows: GalleryRows) -> None:
    """Conditions of several columns must all hold; those of one column are alternatives; a chip that goes widens the choice."""
    compared(gallery)
    broken, held = Condition("outcome.a", ("broken",)), Condition("outcome.b", ("held",))
    rows.add_condition(broken)
    assert names(rows) == ["a", "d"]
    rows.add_condition(held)
    assert names(rows) == ["a"]
    assert [rows.describe(one) for one in rows.wanted.conditions] == ["A · Outcome: fooled", "B · Outcome: held"]
    rows.add_condition(Condition("outcome.a", ("held",)))
    assert names(rows) == ["a", "c"]
    rows.remove_condition(held)
    assert names(rows) == ["a", "b", "c", "d"]
    rows.clear_filter()
    assert not rows.is_filtered


def test_filters_of_every_kind_combine(gallery: GalleryModel, rows: GalleryRows) -> None:
    """Label, answer, tag, failure, a range of confidence and words narrow the choice one after the other."""
    gallery.add(["cat.png", "dog.png", "cow.png"], [FailedPicture("bad.png", "No picture.")])
    gallery.set_labels({"cat.png": "class 0", "dog.png": "class 0"})
    gallery.set_tags({"cat.png": ("blurred", "odd"), "cow.png": ("odd",)})
    gallery.put_rows([make_row("cat.png"), make_row("dog.png", success=False), make_row("cow.png")], ALONE)
    sure = max(make_row("x").clean.probabilities)
    for condition, shown in (
        (Condition("label", ("class 0",)), ["cat.png", "dog.png"]),
        (Condition("label", ("",)), ["cow.png", "bad.png"]),
        (Condition("tags", ("odd",)), ["cat.png", "cow.png"]),
        (Condition("tags", ("",)), ["dog.png", "bad.png"]),
        (Condition("answer.a", ("class 0",)), ["cat.png", "dog.png", "cow.png"]),
        (Condition("attacked.a", ("class 1",)), ["cat.png", "cow.png"]),
        (Condition("state", ("failed",)), ["bad.png"]),
        (Condition("confidence.a", (), sure - 0.01, sure + 0.01), ["cat.png", "dog.png", "cow.png"]),
        (Condition("confidence.a", (), None, sure - 0.01), []),
        (Condition("margin.of a plug-in that is gone", ("x",)), []),
    ):
        rows.want(SavedView("", conditions=(condition,)))
        assert names(rows) == shown, condition
    rows.want(SavedView("", text="odd FOOLED", conditions=(Condition("tags", ("odd",)),)))
    assert names(rows) == ["cat.png"]
    assert rows.texts_of("tags") == [("", 2), ("odd", 2), ("blurred", 1)]
    assert rows.describe(Condition("confidence.a", (), 0.5, 0.9)) == "Confidence: 50.0 % to 90.0 %"


def test_every_column_orders_both_ways(gallery: GalleryModel, rows: GalleryRows) -> None:
    """Upwards and downwards are each other's mirror among pictures with a value; those without one stand last in both."""
    chance = random.Random(3)
    gallery.add(["none.png", *(f"{number}.png" for number in range(8))])
    gallery.put_previews([Preview(f"{number}.png", number + 1, 9 - number, picture()) for number in range(8)])
    gallery.set_tags({f"{number}.png": (chance.choice("xyz"),) for number in range(8)})
    for number in range(8):
        metrics = tuple((info.name, chance.choice([0.0, 1.5, math.nan, chance.random()])) for info in METRICS)
        pair = [
            replace(make_row(f"{number}.png", success=chance.random() < 0.5), metrics=metrics, time_s=chance.random())
            for _ in "ab"
        ]
        gallery.put_rows(pair, BOTH)
    for column in columns(METRICS, compared=True).values():
        rows.set_order(column.key)
        up = [column.value(item) for item in rows.items()]
        rows.set_order(column.key, descending=True)
        down = [column.value(item) for item in rows.items()]

        def has(value: object) -> bool:
            return value not in (None, "") and value == value

        known = [value for value in up if has(value)]
        assert [value for value in down if has(value)] == known[::-1], column.key
        assert all(map(has, up[: len(known)])), column.key
        assert all(map(has, down[: len(known)])), column.key
        if column.is_number:
            assert known == sorted(known), column.key
    rows.set_order("")
    assert names(rows)[:2] == ["none.png", "0.png"]


def test_columns_are_chosen_and_copied(gallery: GalleryModel, rows: GalleryRows) -> None:
    """B's columns come with the first comparison; chosen columns stay chosen; copied rows have a header and all digits."""
    assert not any(column.side == "b" for column in rows.shown_columns)
    compared(gallery)
    assert [column.key for column in rows.shown_columns] == list(USUAL)
    rows.set_columns(["confidence.a", "time_s.b", "no such column"])
    assert [column.key for column in rows.shown_columns] == ["name", "confidence.a", "time_s.b"]
    header, line, end = rows.tsv(["a"]).split("\n")
    assert header.split("\t")[:3] == ["path", "Picture", "A · Confidence"]
    assert line.split("\t")[:2] == ["a", "a"]
    assert float(line.split("\t")[2]) == max(make_row("a").clean.probabilities)
    assert end == ""
    gallery.set_tags({"b": ("two\twords",)})
    rows.set_columns(["tags"])
    assert rows.tsv(["b"]).split("\n")[1] == "b\tb\ttwo words"


def test_what_is_chosen_stays_chosen(gallery: GalleryModel, rows: GalleryRows) -> None:
    """Whatever order and filter come and go, a chosen picture that is shown is chosen, and no other."""
    gallery.add([f"{number:03}" for number in range(60)])
    selection = QItemSelectionModel(rows)
    flag = QItemSelectionModel.SelectionFlag
    wanted = {"003", "017", "018", "059"}
    for path in wanted:
        selection.select(rows.index(rows.row_of(path), 0), flag.Select | flag.Rows)
    selection.setCurrentIndex(rows.index(17, 0), flag.NoUpdate)

    def chosen() -> set[str]:
        return {rows.item_at(index.row()).path for index in selection.selectedIndexes()}

    rows.set_order("name", descending=True)
    assert (chosen(), selection.currentIndex().data()) == (wanted, "017")
    rows.set_text("01")
    assert names(rows) == [*(f"{number:03}" for number in range(19, 9, -1)), "001"]
    assert (chosen(), selection.currentIndex().data()) == ({"017", "018"}, "017")
    gallery.remove(["017"])
    assert chosen() == {"018"}
    assert not selection.currentIndex().isValid()


def test_ten_thousand_are_filtered_and_ordered_with_little_work(gallery: GalleryModel) -> None:
    """A key press looks at each picture once and tells the views once; news of a thousand pictures is told once, too."""
    rows = GalleryRows(gallery, lambda: METRICS, gallery)
    paths = [f"/pictures/{number:05}.png" for number in range(10_000)]
    heard: Counter[str] = Counter()
    for model, name in ((gallery, "gallery"), (rows, "rows")):
        for signal in ("dataChanged", "rowsInserted", "rowsRemoved", "layoutChanged", "modelReset"):
            getattr(model, signal).connect(lambda *_, key=f"{name} {signal}": heard.update([key]))
    gallery.counts_changed.connect(lambda: heard.update(["counts"]))
    gallery.result_changed.connect(lambda _: heard.update(["results"]))
    gallery.add(paths)
    assert heard == {"gallery rowsInserted": 1, "rows rowsInserted": 1, "counts": 1}
    heard.clear()
    gallery.put_rows([make_row(path, with_pictures=False) for path in paths[:1000]], ALONE)
    assert heard == {"gallery dataChanged": 1, "rows dataChanged": 1, "counts": 1, "results": 1}
    heard.clear()
    gallery.set_labels(dict.fromkeys(paths[:500], "class 0"))
    gallery.set_tags(dict.fromkeys(paths[:500], ("odd",)))
    assert heard == {"gallery dataChanged": 2, "rows dataChanged": 2, "counts": 2, "results": 2}
    heard.clear()
    visited: list[str] = []
    confidence = rows.columns["confidence.a"]
    rows.columns["confidence.a"] = replace(
        confidence, value=lambda item: visited.append(item.path) or confidence.value(item)
    )
    for typed in ("0", "00", "000", "0001"):
        rows.set_text(typed)
    rows.set_order("confidence.a", descending=True)
    assert rows.rowCount() == sum("0001" in path for path in paths)
    assert len(visited) == rows.rowCount()
    assert heard.keys() == {"rows layoutChanged"}
    assert heard["rows layoutChanged"] <= 5
    heard.clear()
    gallery.remove(paths[::2])
    assert sum(heard.values()) <= 3
    assert rows.rowCount() == sum("0001" in path for path in paths[1::2])


def test_the_record_of_a_gallery_comes_back_whole(gallery: GalleryModel) -> None:
    """All that is known of pictures, given out and taken back, is what it was: answers, labels, tags, failures, thumbnails, counts."""
    compared(gallery)
    gallery.add([], [FailedPicture("bad", "No picture.", "Save it as PNG.")])
    gallery.put_previews([Preview("a", 640, 480, picture())])
    gallery.set_tags({"a": ("odd", "blurred")})
    kept = gallery.entries()
    again = GalleryModel(gallery)
    again.restore(kept)
    assert again.entries() == kept
    assert again.count_text() == gallery.count_text()
    assert again.item("a").state == gallery.item("a").state
    again.restore(kept)
    assert again.rowCount() == 5
    # a label that is taken back afterwards is taken back
    again.set_labels({"a": ""})
    assert again.item("a").state == "changed"
