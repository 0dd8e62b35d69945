"""Stop and keep the best: the unfinished epoch is dropped, the best so far is written, and the same can be asked for beforehand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from capt_engine.errors import Cancelled, Stopped
from capt_engine.metrics.interval import wilson
from capt_engine.model import checkpoints
from capt_engine.records import Share, TuneEpoch, TuneResult, TuneStrip
from capt_engine.tuning import validation
from capt_engine.tuning.state import read, state_path
from tests.engine.tuning.conftest import Runs

TOWER: dict[str, object] = {"method": "tecoa", "depth": None, "lr": 0.001, "attack_steps": 1}


def stopping_in(epoch: int, step: int = 1, error: type[Cancelled] = Stopped) -> Callable[..., None]:
    """A tick that from a step of an epoch on is told to stop."""
    told = []

    def progress(done: int = 0, _: int = 0, note: str = "") -> None:
        if note.startswith(f"epoch {epoch} ") and done % 2 == step:
            told.append(note)
        if told:
            raise error

    return progress


def script_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on validation finds the second epoch best, whatever the prompts; plain text comes first."""
    found = iter((1, 3, 9, 5, 6))

    def measure(_: object, __: object, progress: Callable[[], None]) -> validation.Measured:
        progress()
        k = next(found)
        return validation.Measured(Share(6, 12, *wilson(6, 12)), Share(k, 12, *wilson(k, 12)))

    monkeypatch.setattr(validation.Validator, "measure", measure)


def stopped(runs: Runs, name: str, progress: Callable[..., None], **changes: object) -> tuple[TuneResult, bytes]:
    """The result of a run, and what it wrote."""
    out = runs.out.with_name(name)
    result = runs(progress, out=str(out), **changes)
    assert not state_path(out).exists()
    return result, out.read_bytes()


def test_a_stop_within_an_epoch_is_stop_after_the_one_before(runs: Runs) -> None:
    """To the byte, with the learning rates of all the epochs that were asked for; and it is another file than three whole epochs'."""
    result, ours = stopped(runs, "a.safetensors", stopping_in(4), epochs=6)
    assert (result.epochs, result.stopped_after, result.ended) == (
        3,
        3,
        "stopped after epoch 3 of 6, as asked, and kept the best",
    )
    asked, theirs = stopped(runs, "b.safetensors", lambda *_: None, epochs=6, stop_after=3)
    assert ours == theirs
    assert (asked.kept_epoch, asked.ended, asked.stopped_after) == (result.kept_epoch, result.ended, 3)
    _, short = stopped(runs, "c.safetensors", lambda *_: None, epochs=3)
    assert short != ours
    document = checkpoints.read_document(runs.out.with_name("a.safetensors"))
    assert (document.settings["epochs"], document.settings["stop_after"]) == (6, 3)


def test_it_keeps_the_best_of_the_validated_epochs(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of three was best: its prompts are written, as a stop right after it would have."""
    script_validation(monkeypatch)
    result = runs(stopping_in(4), epochs=5)
    assert (result.epochs, result.kept_epoch) == (3, 2)
    assert result.robust is not None
    assert result.robust.k == 9
    kept = checkpoints.read(runs.out).state
    script_validation(monkeypatch)
    second = runs.out.with_name("second.safetensors")
    runs(out=str(second), epochs=5, stop_after=2)
    assert all(bool((value == kept[name]).all()) for name, value in checkpoints.read(second).state.items())


def test_without_validation_the_last_epoch_is_kept(runs: Runs) -> None:
    """Nothing says which was best, so it is the last whole one; some training pictures are shown all the same."""
    result = runs(stopping_in(3), epochs=5, validate=False)
    assert (result.epochs, result.kept_epoch, result.clean) == (2, 2, None)
    strips = [one for one in runs.news if isinstance(one, TuneStrip)]
    assert [len(one.samples) for one in strips] == [6, 6, 6]


@pytest.mark.parametrize("epoch", [1, 0])
def test_before_the_first_epoch_has_ended_there_is_nothing_to_keep(runs: Runs, epoch: int) -> None:
    """It is a cancel that says why, and nothing is written."""

    def at_once(*_: object) -> None:
        raise Stopped

    with pytest.raises(Stopped, match=r"Stopped before .* keep"):
        runs(stopping_in(1) if epoch else at_once)
    assert not runs.out.exists()
    assert not state_path(runs.out).exists()


def test_a_resumed_run_can_be_stopped_too(runs: Runs) -> None:
    """Cancelled in the second epoch, resumed, stopped in the fourth: the bytes of stop_after=3."""
    _, whole = stopped(runs, "a.safetensors", lambda *_: None, epochs=6, stop_after=3)
    with pytest.raises(Cancelled):
        runs(stopping_in(2, error=Cancelled), epochs=6)
    result = runs(stopping_in(4), epochs=6, resume=True)
    assert result.stopped_after == 3
    assert runs.out.read_bytes() == whole


def test_what_a_cancelled_run_left_can_be_kept_without_going_on(runs: Runs) -> None:
    """resume with stop_after ends at once, also where the state is further than was asked."""
    for name, asked in (("a.safetensors", 2), ("b.safetensors", 1)):
        out = str(runs.out.with_name(name))
        with pytest.raises(Cancelled):
            runs(stopping_in(3, error=Cancelled), epochs=6, out=out)
        assert read(state_path(runs.out.with_name(name))).epoch == 2
        result = runs(epochs=6, out=out, resume=True, stop_after=asked)
        assert (result.epochs, result.stopped_after) == (2, 2)
    _, told = stopped(runs, "c.safetensors", lambda *_: None, epochs=6, stop_after=2)
    assert runs.out.with_name("a.safetensors").read_bytes() == told
    assert runs.out.with_name("b.safetensors").read_bytes() == told


def test_a_stop_while_validating_drops_that_epoch_too(runs: Runs) -> None:
    """An epoch counts once it has been looked at."""

    def progress(_: int = 0, __: int = 0, note: str = "") -> None:
        if note == "validating" and len([one for one in runs.news if isinstance(one, TuneEpoch)]) == 3:
            raise Stopped

    result = runs(progress, epochs=6)
    assert (result.epochs, result.stopped_after) == (2, 2)


def test_a_tower_keeps_its_last_whole_epoch(runs: Runs) -> None:
    """It is moved in place, so what the unfinished epoch did to it is undone; the same as stop_after, weight by weight."""
    ours, theirs, nothing = (runs.out.with_name(name) for name in ("ours", "theirs", "nothing"))
    result = runs(stopping_in(3), **TOWER, out=str(ours), epochs=5)
    assert (result.epochs, result.stopped_after, result.kept_epoch) == (2, 2, 2)
    assert result.ended == "stopped after epoch 2 of 5, as asked, and kept it"
    asked = runs(**TOWER, out=str(theirs), epochs=5, stop_after=2)
    assert (asked.ended, asked.clean, asked.robust) == (result.ended, result.clean, result.robust)
    for name in ("tower.safetensors", "tower.json"):
        assert (ours / name).read_bytes() == (theirs / name).read_bytes()
    with pytest.raises(Stopped, match="nothing to keep"):
        runs(stopping_in(1), **TOWER, out=str(nothing))


def test_the_strip_is_the_same_pictures_each_time_and_true(runs: Runs) -> None:
    """Six pictures over all classes; the clean ones never change, the attacked stay within the budget, answers agree with the shares."""
    result = runs(epochs=1)
    strips = [one for one in runs.news if isinstance(one, TuneStrip)]
    assert [one.epoch for one in strips] == [0, 1]
    first, last = (one.samples for one in strips)
    assert [one.clean for one in first] == [one.clean for one in last]
    assert sorted(one.label for one in first) == ["blue", "blue", "green", "green", "red", "red"]
    for one in (*first, *last):
        assert (one.clean.width, one.clean.height) == (one.attacked.width, one.attacked.height)
        moved = max(abs(a - b) for a, b in zip(one.clean.rgb, one.attacked.rgb, strict=True))
        assert 0 < moved <= 4
    # Here the six are all there are.
    assert result.clean is not None
    assert result.robust is not None
    assert sum(one.clean_answer == one.label for one in last) == result.clean.k
    both = [one for one in last if one.clean_answer == one.attacked_answer == one.label]
    assert len(both) == result.robust.k


@pytest.mark.parametrize(
    ("labels", "n", "expected"),
    [
        ([0, 0, 1, 1, 2, 2], 6, (0, 1, 2, 3, 4, 5)),
        ([0, 0, 0, 1], 3, (0, 1, 3)),
        ([0, 1, 2, 3, 4, 5, 6, 7], 4, (0, 2, 4, 6)),
        ([], 6, ()),
    ],
)
def test_pictures_are_spread_over_the_classes(labels: list[int], n: int, expected: tuple[int, ...]) -> None:
    """One of each before a second of any; of many classes those at even distances."""
    assert validation.spread(labels, n) == expected
