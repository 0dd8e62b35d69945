"""Explore looks closer: saliency maps on demand, the nearest known budget at once, an attack step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from acted_closer import saliency, steps
from conftest import Bench
from fakes import READY, make_row, picture
from finding import button, words
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from capt_engine.records import (
    AnalyzeRequest,
    Event,
    Failure,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobId,
    JobStarted,
    PictureSet,
    ReplayRequest,
    ReplayResult,
    ReplayStepsReady,
    RowsReady,
    SaliencyRequest,
    SignedPicture,
    ThreatModel,
)
from capt_gui.pages.explore.page import ExplorePage
from capt_gui.widgets.image_tools import SALIENCY, WIPE

PATH = "/somewhere/a.png"


def set_of(value: int) -> PictureSet:
    """Grey pictures that can be told apart."""
    return PictureSet(picture(), SignedPicture(8, 6, 4 / 255, bytes(144)), picture(value=value))


def play(bench: Bench, *events: Event) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


@pytest.fixture
def page(bench: Bench, qtbot: QtBot) -> Iterator[ExplorePage]:
    """The page with one picture that was attacked at the chosen budget."""
    page = ExplorePage(bench.desk)
    qtbot.addWidget(page)
    page.resize(1280, 740)
    page.show()
    qtbot.waitExposed(page)
    play(bench, READY)
    gallery = bench.desk.gallery
    gallery.add([PATH])
    request = bench.desk.choices.request(())
    row = replace(make_row(PATH), threat=request.options.threat, pictures=set_of(130))
    gallery.put_rows([row], request)
    page.gallery.view.select_path(PATH)
    QCoreApplication.processEvents()
    yield page
    page.leave()


def pick_saliency(page: ExplorePage, method: str = "gradient") -> None:
    """Choose the saliency view and a method, as a user does."""
    triptych = page.result.triptych
    QTest.mouseClick(triptych.tools.modes.buttons[SALIENCY], Qt.MouseButton.LeftButton)
    picker = triptych.saliency.method
    keys = [str(picker.itemData(row)) for row in range(picker.count())]
    picker.setCurrentIndex(next(row for row, key in enumerate(keys) if key.startswith(method)))
    picker.on_activated(picker.currentIndex())


def asked(bench: Bench, kind: type) -> list[object]:
    """The requests of a kind."""
    return [one for one in bench.engine.requests if isinstance(one, kind)]


def answer_saliency(bench: Bench) -> None:
    """Answer the last request with maps."""
    job = JobId(len(bench.engine.requests))
    request = bench.engine.requests[-1]
    assert isinstance(request, SaliencyRequest)
    play(bench, JobStarted(job), JobFinished(job, saliency(request)))


def test_saliency_is_asked_for_when_it_is_looked_at(page: ExplorePage, bench: Bench) -> None:
    """Not before; then maps lie over both pictures on one scale, and the read-out tells their values."""
    assert not asked(bench, SaliencyRequest)
    pick_saliency(page)
    (request,) = asked(bench, SaliencyRequest)
    assert isinstance(request, SaliencyRequest)
    assert (request.method, request.of, request.label) == ("gradient", "margin", "class 0")
    view = page.result.triptych.saliency
    assert view.cancel.isVisible()
    answer_saliency(bench)
    assert view.bar.isVisible()
    assert not view.cancel.isVisible()
    assert view.titles[0].text() == "Clean: class 0 80.0 %"
    QTest.keyClick(view.panes[0], Qt.Key.Key_Right)
    assert "saliency clean" in page.result.triptych.readout()
    pick_saliency(page, "drift")
    answer_saliency(bench)
    assert view.part.currentText() == "block 3 of 3"
    pick_saliency(page)
    assert len(asked(bench, SaliencyRequest)) == 2


def test_a_saliency_map_that_cannot_be_is_explained(page: ExplorePage, bench: Bench) -> None:
    """The sentence stands where the scale would; cancelled work can be begun again."""
    pick_saliency(page, "rollout")
    job = JobId(len(bench.engine.requests))
    play(bench, JobStarted(job), JobFailed(job, Failure("BadRequest", "No attention.", "Choose occlusion.")))
    assert "No attention. Choose occlusion." in words(page)
    pick_saliency(page, "occlusion")
    view = page.result.triptych.saliency
    view.cancel.click()
    n = len(bench.engine.requests)
    assert bench.engine.cancelled[-1] == JobId(n)
    play(bench, JobStarted(JobId(n)), JobCancelled(JobId(n)))
    view.again.click()
    assert len(bench.engine.requests) == n + 1


def test_the_slider_shows_the_nearest_known_budget_at_once(page: ExplorePage, bench: Bench) -> None:
    """A budget that was tried in the background stands for the chosen one, and the page says at which budget it is."""
    curve, eps = bench.desk.margins, bench.desk.choices.attack.eps
    curve.go_on()
    tried = bench.engine.requests[-1]
    assert isinstance(tried, AnalyzeRequest)
    job = JobId(len(bench.engine.requests))
    held = make_row(PATH, success=False)
    row = replace(held, threat=replace(ThreatModel(), eps=tried.options.threat.eps), pictures=set_of(129))
    play(bench, JobStarted(job), RowsReady(job, (row,)))
    assert "changed" in page.result.headline.text()
    bench.desk.choices.attack.set_eps(eps / 2)
    assert page.result.headline.text().startswith("still class 0")
    assert "Shown at ε = " in page.result.outdated_note.text()
    bench.desk.choices.attack.set_eps(eps)
    assert "changed" in page.result.headline.text()
    assert "Shown at" not in page.result.outdated_note.text()


def test_an_attack_is_played_again_over_the_pictures(page: ExplorePage, bench: Bench) -> None:
    """The picture of the step stands in the place of the adversarial one, until the user goes back or elsewhere."""
    card = page.result.replay
    page.result.charts.tabs.setCurrentIndex(page.result.charts.tabs.count() - 1)
    button(page, "Replay the attack").click()
    request = bench.engine.requests[-1]
    assert isinstance(request, ReplayRequest)
    assert request.run.paths == (PATH,)
    job = JobId(len(bench.engine.requests))
    play(
        bench,
        JobStarted(job),
        ReplayStepsReady(job, steps(request, set_of(200))),
        JobFinished(job, ReplayResult(11, 10)),
    )
    card.slider.setValue(7)
    assert not bench.desk.replay.is_playing
    assert page.result.triptych.titles[2].text() == "Adversarial, step 7 of 10"
    assert "step 7 of 10: cone 50.0 %, loss 2.90, margin −0.500" in words(page)
    pane = page.result.triptych.panes[0]
    QTest.keyClick(pane, Qt.Key.Key_Right)
    assert "adversarial 200" in page.result.triptych.readout()
    card.end.click()
    assert "adversarial 130" in page.result.triptych.readout()
    assert page.result.triptych.titles[2].text() == "Adversarial"


def test_the_whole_window_is_a_menu_entry_too(page: ExplorePage) -> None:
    """F11 in the View menu fills the window with the view that is chosen."""
    QTest.mouseClick(page.result.triptych.tools.modes.buttons[WIPE], Qt.MouseButton.LeftButton)
    action = next(one for one in page.actions_by_menu["&View"] if one is not None and "window" in one.text())
    action.trigger()
    assert page.result.filler.is_filling
    action.trigger()
    assert not page.result.filler.is_filling
