"""What the Models page knows: the list, downloads from waiting to their end, the lock and the ledger."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import Bench
from offers import DEMO, ENTRY, FETCHED, LARGE, LISTED, LOCKED, SMALL
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_gui.view_models.models.models_model import PAUSED, RUNNING, WAITING, comfort, size, standing


def last(bench: Bench) -> r.JobId:
    """The latest job."""
    return r.JobId(len(bench.engine.requests))


def test_the_list_is_asked_for_and_taken(bench: Bench) -> None:
    """Nothing is known before the first answer."""
    models = bench.desk.models
    assert models.offered == ()
    models.refresh()
    assert bench.engine.requests[-1] == r.ListModelsRequest()
    bench.engine.emit(r.JobFinished(last(bench), LISTED))
    assert models.offer("small") == SMALL
    assert models.offer("nothing") is None


def test_a_download_goes_from_waiting_to_installed(bench: Bench, qtbot: QtBot) -> None:
    """Progress, a pause, going on; in the end the list and the catalogue are asked for again."""
    models = bench.desk.models
    models.download("small")
    job = last(bench)
    assert models.underway["small"].state == WAITING
    models.download("small")
    assert bench.engine.requests.count(r.DownloadRequest("small")) == 1
    bench.engine.emit(r.JobProgress(job, 10, 100, "10 of 100 MB", None))
    assert (models.underway["small"].state, models.underway["small"].done) == (RUNNING, 10)
    models.underway["small"].job.pause()
    assert bench.engine.paused == [job]
    bench.engine.emit(r.JobPaused(job))
    assert models.underway["small"].state == PAUSED
    models.underway["small"].job.resume()
    bench.engine.emit(r.JobContinued(job))
    assert models.underway["small"].state == RUNNING
    with qtbot.waitSignal(models.installed) as told:
        bench.engine.emit(r.JobFinished(job, FETCHED))
    assert told.args == [FETCHED]
    assert not models.underway
    assert bench.engine.requests[-3:] == [r.ListModelsRequest(), r.CatalogueRequest(), r.SanityRequest("small")]
    score = r.SanityScore("the demo pictures", 12, 12, 11, 1 / 12, 1e-9)
    with qtbot.waitSignal(models.scored) as tried:
        bench.engine.emit(r.JobFinished(last(bench), score))
    assert tried.args == ["small", score]


def test_a_failure_and_a_cancel_leave_nothing_underway(bench: Bench, qtbot: QtBot) -> None:
    """The failure is told with the model's name; a cancel is what the user wanted."""
    models = bench.desk.models
    models.download("small")
    failure = r.Failure("BadRequest", "The server sent a web page.", "Sign in first.")
    with qtbot.waitSignal(models.failed) as told:
        bench.engine.emit(r.JobFailed(last(bench), failure))
    assert told.args == ["small", failure]
    models.download("large")
    job = last(bench)
    models.underway["large"].job.cancel()
    assert bench.engine.cancelled == [job]
    bench.engine.emit(r.JobCancelled(job))
    assert not models.underway


def test_the_lock_is_looked_at_again_once_it_is_set(bench: Bench) -> None:
    """Locked or not is what the engine says."""
    models = bench.desk.models
    models.set_offline(True)
    assert bench.engine.requests[-1] == r.OfflineRequest(True)
    bench.engine.emit(r.JobFinished(last(bench), r.OfflineSet(True)))
    assert bench.engine.requests[-1] == r.ListModelsRequest()
    bench.engine.emit(r.JobFinished(last(bench), LOCKED))
    assert models.listed is not None
    assert models.listed.offline


def test_the_ledger_arrives(bench: Bench, qtbot: QtBot) -> None:
    """Every download, newest first, as the engine tells it."""
    bench.desk.models.read_ledger()
    with qtbot.waitSignal(bench.desk.models.recorded):
        bench.engine.emit(r.JobFinished(last(bench), r.Ledger((ENTRY,))))
    assert bench.desk.models.ledger == (ENTRY,)


@pytest.mark.parametrize(
    ("n_bytes", "estimated", "words"),
    [(605_143_284, False, "605 MB"), (1_710_466_052, True, "about 1.71 GB"), (None, False, "size not known")],
)
def test_sizes_are_said_as_people_say_them(n_bytes: int | None, estimated: bool, words: str) -> None:
    """Megabytes up to a thousand of them, and "about" where nobody knows exactly."""
    assert size(n_bytes, estimated=estimated) == words


def test_a_standing_and_a_comfort_for_each() -> None:
    """Words for every state, and for what this machine makes of a model."""
    partial = replace(SMALL, state="partial", have_bytes=10_000_000)
    said = [standing(one, None) for one in (DEMO, SMALL, partial, replace(SMALL, state="installed"))]
    assert said == ["Ships with the app", "Not downloaded", "10 MB of it are here", "Installed"]
    assert comfort(LARGE).startswith("Too large")
    assert comfort(SMALL).startswith("Comfortable")
    assert comfort(replace(SMALL, comfort="slow")).startswith("Slow")
