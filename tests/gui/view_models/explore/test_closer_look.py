"""What looks closer at one picture: margins around the flip, saliency maps that are kept, an attack that is played again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import Bench
from fakes import READY, make_row, picture
from PySide6.QtCore import QCoreApplication

from capt_engine.records import (
    AnalyzeRequest,
    AnalyzeResult,
    Failure,
    JobFailed,
    JobFinished,
    JobId,
    JobStarted,
    PictureRow,
    PictureSet,
    ReplayRequest,
    ReplayResult,
    ReplayStep,
    ReplayStepsReady,
    RowsReady,
    SaliencyRequest,
    SaliencyResult,
    SignedPicture,
    StoredAnswer,
    StoredAnswers,
    StoredAnswersRequest,
    StoredPictures,
    StoredPicturesRequest,
    ThreatModel,
    ValueMap,
    Verdict,
)
from capt_gui.view_models.explore.gallery_item import Item
from capt_gui.view_models.explore.margin_curve import MarginCurve
from capt_gui.view_models.explore.margins import margin, next_budget, smallest_flip
from capt_gui.view_models.explore.packed_row import PackedRow
from capt_gui.view_models.explore.replay_model import ReplayModel
from capt_gui.view_models.explore.saliency_model import Question, SaliencyModel

EPS = 4 / 255
DONE = AnalyzeResult(1, 0, "model", 1.0, None, 0.5, None, (), (), ThreatModel(), "demo", "none", "cpu", 1.0, 2.0)
PICTURES = PictureSet(picture(), SignedPicture(8, 6, EPS, bytes(144)), picture(value=130))


def row_at(eps: float, margin_there: float, path: str = "/a.png") -> PictureRow:
    """A row whose label wins by 3 before the attack and by so many logits at this budget."""
    row = make_row(path)
    clean, after = (Verdict((lead, 0.0, -1.0), (0.5, 0.3, 0.2)) for lead in (3.0, margin_there))
    return replace(row, clean=clean, attacked=after, threat=ThreatModel(eps=eps), width=8, height=6)


def item_of(row: PictureRow) -> Item:
    """A picture of the gallery that was analysed."""
    return Item(row.path, seen=True, a=PackedRow(row), request=AnalyzeRequest(()))


def play(bench: Bench, *events: object) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)  # type: ignore[arg-type]
    QCoreApplication.processEvents()


def test_the_margin_is_that_of_the_label_or_what_is_missing_to_the_target() -> None:
    """2 − 0.5 for the label; with a target the best other logit less the target's."""
    row = make_row("/a.png")
    verdict = Verdict((2.0, 0.5, -1.0), (0.7, 0.2, 0.1))
    assert margin(row, verdict) == 1.5
    aimed = replace(row, threat=ThreatModel(target="class 2"))
    assert margin(aimed, verdict) == 3.0
    assert margin(aimed, Verdict((0.0, 0.5, 2.0), (0.1, 0.2, 0.7))) == -1.5


def test_the_flip_is_searched_by_doubling_and_then_by_halving() -> None:
    """Held: twice as far. Flipped without anything that held: half. Between the two: their geometric mean, to 5 %."""
    assert next_budget({0.0: 3.0, 0.01: 1.0}, 1.0) == 0.02
    assert next_budget({0.0: 3.0, 0.6: 1.0}, 1.0) == 1.0
    assert next_budget({0.0: 3.0, 1.0: 1.0}, 1.0) is None
    assert next_budget({0.0: 3.0, 0.01: -1.0}, 1.0) == 0.005
    assert next_budget({0.0: 3.0, 0.01: 1.0, 0.04: -1.0}, 1.0) == pytest.approx(0.02)
    assert next_budget({0.0: 3.0, 0.0100: 1.0, 0.0104: -1.0}, 1.0) is None
    assert next_budget({0.0: -1.0, 0.01: -2.0}, 1.0) is None
    assert smallest_flip({0.0: 3.0, 0.01: 1.0, 0.02: -0.5, 0.04: -1.0}) == (0.01, 0.02)
    assert smallest_flip({0.0: 3.0, 0.01: 1.0}) is None


def test_a_curve_begins_with_what_is_known_and_asks_around_the_flip(bench: Bench) -> None:
    """Clean and attacked margin at once; then one short analysis at half the budget, whose answer is kept with its pictures."""
    play(bench, READY)
    curve = MarginCurve(bench.desk.bridge)
    curve.show(item_of(row_at(EPS, -2.0)), 1.0)
    assert curve.margins("a") == {0.0: 3.0, EPS: -2.0}
    assert curve.flip("a") == (0.0, EPS)
    assert not [one for one in bench.engine.requests if isinstance(one, AnalyzeRequest)]
    curve.go_on()
    asked = bench.engine.requests[-1]
    assert isinstance(asked, AnalyzeRequest)
    assert (asked.paths, asked.options.keep, asked.options.with_pictures) == (("/a.png",), "", True)
    assert asked.options.threat.eps == pytest.approx(EPS / 2)
    job = JobId(len(bench.engine.requests))
    found = replace(row_at(asked.options.threat.eps, 1.0), pictures=PICTURES)
    play(bench, JobStarted(job), RowsReady(job, (found,)), JobFinished(job, DONE))
    assert curve.flip("a") == (asked.options.threat.eps, EPS)
    assert [row.threat.eps for row in curve.nearest(EPS / 3)] == [asked.options.threat.eps]
    assert curve.pictures(curve.nearest(EPS / 3), "a") is PICTURES
    assert curve.nearest(EPS) == ()
    curve.deleteLater()


def test_a_curve_stops_when_the_user_moves_on(bench: Bench) -> None:
    """Another picture cancels the look; back at the first one its margins are still known, and only the pictures are not."""
    play(bench, READY)
    curve = MarginCurve(bench.desk.bridge)
    first = item_of(row_at(EPS, -2.0))
    curve.show(first, 1.0)
    curve.go_on()
    job = JobId(len(bench.engine.requests))
    found = replace(row_at(EPS / 2, 1.0), pictures=PICTURES)
    play(bench, JobStarted(job), RowsReady(job, (found,)), JobFinished(job, DONE))
    curve.go_on()
    curve.show(item_of(row_at(EPS, 2.0, "/b.png")), 1.0)
    assert bench.engine.cancelled[-1] == JobId(len(bench.engine.requests))
    assert list(curve.margins("a").values()) == [3.0, 2.0]
    curve.show(first, 1.0)
    assert len(curve.margins("a")) == 3
    assert curve.nearest(EPS / 2) == ()
    curve.deleteLater()


def test_the_curve_waits_while_the_page_has_other_work(bench: Bench) -> None:
    """An analysis that the user asked for comes first; a failed look says why and is not repeated by itself."""
    play(bench, READY)
    curve = MarginCurve(bench.desk.bridge)
    curve.set_busy(True)
    curve.show(item_of(row_at(EPS, -2.0)), 1.0)
    n = len(bench.engine.requests)
    curve.on_idle()
    assert len(bench.engine.requests) == n
    curve.set_busy(False)
    curve.on_idle()
    assert len(bench.engine.requests) == n + 1
    play(bench, JobFailed(JobId(n + 1), Failure("BadImage", "The file is gone.")))
    assert curve.failure == Failure("BadImage", "The file is gone.")
    curve.on_idle()
    assert len(bench.engine.requests) == n + 1
    curve.deleteLater()


def question(method: str = "gradient") -> Question:
    """A question about one picture."""
    return Question("/a.png", AnalyzeRequest(()), "a", "class 0", method, "margin", 0)


def maps() -> SaliencyResult:
    """An answer of one map each."""
    one = ValueMap(1, 1, b"\x00\x00\x80\x3f")
    return SaliencyResult((one,), (one,), (picture(), picture()), (("class 0", 0.5), ("class 1", 0.6)))


def test_saliency_is_computed_once(bench: Bench) -> None:
    """The same question is answered from what is kept; another one takes its place in the engine."""
    model = SaliencyModel(bench.desk.bridge)
    model.ask(question(), PICTURES)
    model.ask(question(), PICTURES)
    assert [type(one) for one in bench.engine.requests] == [SaliencyRequest]
    play(bench, JobStarted(JobId(1)), JobFinished(JobId(1), maps()))
    assert model.answer(question()) == maps()
    model.ask(question("occlusion"), PICTURES)
    model.ask(question(), PICTURES)
    assert bench.engine.cancelled == [JobId(2)]
    assert len(bench.engine.requests) == 2
    model.deleteLater()


def test_why_there_is_no_map_is_kept_too(bench: Bench) -> None:
    """A model without attention is not asked again and again."""
    model = SaliencyModel(bench.desk.bridge)
    model.ask(question("rollout"), PICTURES)
    play(bench, JobFailed(JobId(1), Failure("BadRequest", "No attention.")))
    model.ask(question("rollout"), PICTURES)
    assert len(bench.engine.requests) == 1
    assert not model.can_be_asked(question("rollout"))
    assert model.failure(question("rollout")) == Failure("BadRequest", "No attention.")
    assert model.answer(question("rollout")) is None
    model.ask(question("drift"), PICTURES)
    play(bench, JobFailed(JobId(2), Failure("DeviceProblem", "Out of memory.")))
    assert model.can_be_asked(question("drift"))
    model.ask(question("drift"), PICTURES)
    assert len(bench.engine.requests) == 3
    model.deleteLater()


def steps(n: int) -> tuple[ReplayStep, ...]:
    """Steps of falling margin; every second has its pictures."""
    return tuple(
        ReplayStep(f"step {i}", 0.1 * i, 1.0 - i, "class 0", 0.5, PICTURES if i % 2 == 0 else None) for i in range(n)
    )


def test_a_replay_plays_its_steps_as_they_come(bench: Bench) -> None:
    """One step a tick, a wait at the last one that there is, an end at the last of all; the slider goes anywhere."""
    replay = ReplayModel(bench.desk.bridge)
    request = ReplayRequest(AnalyzeRequest(("/a.png",)))
    replay.begin(request)
    play(bench, JobStarted(JobId(1)), ReplayStepsReady(JobId(1), steps(2)))
    assert replay.is_of(request)
    replay.on_tick()
    replay.on_tick()
    assert (replay.position, replay.is_playing) == (1, True)
    assert replay.pictures is PICTURES
    play(bench, JobFinished(JobId(1), ReplayResult(2, 1)))
    replay.on_tick()
    assert not replay.is_playing
    assert replay.kept == 1
    replay.play()
    assert replay.position == 0
    replay.go_to(7)
    assert replay.step == steps(2)[1]
    replay.forget()
    assert (replay.steps, replay.step, replay.is_of(request)) == ([], None, False)
    replay.deleteLater()


def test_what_the_store_knows_is_there_at_once(bench: Bench) -> None:
    """Margins of earlier runs are drawn without work; their pictures come when a budget is looked at."""
    play(bench, READY)
    curve = MarginCurve(bench.desk.bridge)
    row = replace(row_at(EPS, -2.0), store_key="key")
    curve.show(item_of(row), 1.0)
    n = len(bench.engine.requests)
    assert bench.engine.requests[-1] == StoredAnswersRequest("key")
    after = Verdict((1.0, 0.5, -1.0), (0.5, 0.3, 0.2))
    play(bench, JobFinished(JobId(n), StoredAnswers("key", None, (StoredAnswer(EPS / 2, 0.5, False, after, True),))))
    assert curve.margins("a") == {0.0: 3.0, EPS / 2: 0.5, EPS: -2.0}
    assert curve.flip("a") == (EPS / 2, EPS)
    (near,) = curve.nearest(EPS / 3)
    assert (near.threat.eps, near.attacked, near.pictures) == (EPS / 2, after, None)
    assert bench.engine.requests[-1] == StoredPicturesRequest("key", EPS / 2)
    play(bench, JobFinished(JobId(n + 1), StoredPictures("key", EPS / 2, PICTURES)))
    assert curve.pictures(curve.nearest(EPS / 3), "a") is PICTURES
    assert len(bench.engine.requests) == n + 1
    curve.deleteLater()
