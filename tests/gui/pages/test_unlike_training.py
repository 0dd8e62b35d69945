"""A picture that the model cannot know: the verdict's place says that first, and offers what helps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Bench
from fakes import CATALOGUE, PHOTO_CLASSES, PROMPTS, READY, analyse, analyse_both, make_row, picture, summary
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from capt_engine.records import (
    PHOTOGRAPHS,
    TOY_WORLD,
    AnalyzeRequest,
    Event,
    JobFinished,
    JobId,
    JobStarted,
    ModelInfo,
    OutOfDistribution,
    PictureRow,
    PicturesFound,
    Preview,
    PreviewResult,
    PreviewsReady,
    RowsReady,
)
from capt_gui.pages.explore.page import ExplorePage
from capt_gui.view_models.explore.unlike_training import helps
from capt_gui.view_models.navigation import MODELS

ONE, TWO = JobId(1), JobId(2)
DEMO = replace(CATALOGUE.models[0], knows=TOY_WORLD)
PHOTO = ModelInfo("photo", "Photo CLIP", "For photographs.", PHOTO_CLASSES, "a photo of a {}.", knows=PHOTOGRAPHS)
BUNDLED = replace(CATALOGUE, models=(DEMO, replace(DEMO, id="demo-robust"), PHOTO))


@pytest.fixture
def page(bench: Bench, qtbot: QtBot) -> Iterator[ExplorePage]:
    """The page, in the smallest window, on an engine with the bundled models."""
    page = ExplorePage(bench.desk)
    qtbot.addWidget(page)
    page.resize(960, 540)
    page.show()
    qtbot.waitExposed(page)
    bench.engine.emit(replace(READY, catalogue=BUNDLED))
    bench.desk.model.set_model("demo")
    yield page
    page.leave()


def play(bench: Bench, *events: Event) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def fill(bench: Bench, page: ExplorePage, folder: Path, score: float | None) -> AnalyzeRequest:
    """Drop a picture, and let it be analysed and judged."""
    path = str(folder / "a.png")
    image = QImage(64, 48, QImage.Format.Format_RGB32)
    image.fill(0xFF4040)
    image.save(path)
    page.open_paths([path])
    preview = Preview(path, 64, 48, picture(160, 120))
    play(bench, PicturesFound(ONE, (path,)), PreviewsReady(ONE, (preview,)), JobFinished(ONE, PreviewResult(1, 0)))
    request = bench.engine.requests[-1]
    assert isinstance(request, AnalyzeRequest)
    made = analyse_both(path, request, 32) if request.options.compare is not None else (analyse(path, request, 32),)
    rows = tuple(replace(row, ood_score=score) for row in made if isinstance(row, PictureRow))
    odd = None if score is None else OutOfDistribution(int(score > 1), 1)
    result = replace(summary(request), n=1, compared=None, out_of_distribution=odd)
    play(bench, JobStarted(TWO), RowsReady(TWO, rows), JobFinished(TWO, result))
    return request


def test_it_is_said_first_and_the_answer_smaller(bench: Bench, page: ExplorePage, tmp_path: Path) -> None:
    """The sentence takes the verdict's place, the answer stands below it in plain type, and a summary of several counts them."""
    request = fill(bench, page, tmp_path, 2.0)
    box, result = page.result.unlike_training, page.result
    assert box.isVisible()
    assert box.headline.text() == "This model has never seen anything like this picture."
    assert box.headline.property("textRole") == "title"
    assert "ε = 4/255" in box.figures.text()
    assert "About 1 %" in box.caption.text()
    assert not result.headline.isVisible()
    assert not result.summary.isVisible()
    result.show_summary(replace(summary(request), n=4, compared=None, out_of_distribution=OutOfDistribution(3, 4)))
    assert result.summary.text().startswith("3 of 4 pictures look like nothing this model was trained on.")
    assert box.geometry().bottom() < result.splitter.geometry().top()
    assert [one.text() for one in box.buttons if one.isVisible()] == [
        "Use the photograph model",
        "Download a real CLIP",
    ]


@pytest.mark.parametrize("score", [0.9, None])
def test_what_is_known_or_not_judged_has_its_usual_verdict(
    bench: Bench, page: ExplorePage, tmp_path: Path, score: float | None
) -> None:
    """Below the threshold, and where the model has no statistics, nothing is claimed."""
    fill(bench, page, tmp_path, score)
    assert not page.result.unlike_training.isVisible()
    assert page.result.headline.isVisible()
    assert "was trained on" not in page.result.summary.text()


def test_two_compared_sets_of_prompts_share_the_sentence(bench: Bench, page: ExplorePage, tmp_path: Path) -> None:
    """Both answers stand below it, in one line."""
    play(bench, replace(READY, catalogue=replace(BUNDLED, prompts=PROMPTS)))
    fill(bench, page, tmp_path, 2.0)
    box = page.result.unlike_training
    assert box.isVisible()
    assert not page.result.pair.isVisible()
    assert "A: " in box.figures.text()
    assert "B: " in box.figures.text()
    assert not page.result.summary.isVisible()
    assert page.minimumSizeHint().height() <= 540


def test_the_photograph_model_is_asked_at_once(bench: Bench, page: ExplorePage, tmp_path: Path) -> None:
    """Its button chooses it and asks it about the gallery."""
    before = fill(bench, page, tmp_path, 2.0)
    page.result.unlike_training.buttons[0].click()
    after = bench.engine.requests[-1]
    assert isinstance(after, AnalyzeRequest)
    assert (after.options.model, after.paths) == ("photo", before.paths)
    assert bench.desk.model.info == PHOTO


def test_the_download_goes_to_the_page_of_models(bench: Bench, page: ExplorePage, tmp_path: Path, qtbot: QtBot) -> None:
    """Where no real CLIP is installed, its button leads to where one can be had."""
    fill(bench, page, tmp_path, 2.0)
    with qtbot.waitSignal(bench.desk.navigation.requested) as asked:
        page.result.unlike_training.buttons[1].click()
    assert asked.args == [MODELS]


def test_help_fits_the_model_that_was_asked() -> None:
    """Nobody is sent to a model of the same world; an installed CLIP is offered in place of a download, and a missing model is not."""
    real = CATALOGUE.models[1]

    def offered(asked: str, *models: ModelInfo) -> list[tuple[str, str]]:
        row = replace(make_row("/a.png"), model_id=asked)
        return [(one.text, one.model) for one in helps(row, replace(CATALOGUE, models=models))]

    download, toys = ("Download a real CLIP", ""), ("Try the toy world", "demo")
    robust = replace(DEMO, id="demo-robust")
    assert offered("demo-robust", DEMO, robust, PHOTO) == [("Use the photograph model", "photo"), download]
    assert offered("photo", DEMO, robust, PHOTO) == [toys, download]
    assert offered("photo", DEMO, PHOTO, real) == [toys, ("Use ViT-B/32", "photos")]
    assert offered("demo", DEMO) == [download]
