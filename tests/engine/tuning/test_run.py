"""A whole tuning run: what it writes, what it refuses, and that nothing which happens on the way changes the result."""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from capt_engine.errors import BadRequest, Cancelled, DeviceProblem, UnknownName
from capt_engine.metrics.interval import wilson
from capt_engine.model import checkpoints
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone, Base
from capt_engine.records import Share, TuneEpoch, TuneForecast, TuneStep, TuneStrip
from capt_engine.tuning import loop, validation
from capt_engine.tuning import run as running
from capt_engine.tuning.objective import OBJECTIVES, Settings, Terms, Views
from capt_engine.tuning.outcome import overfits
from capt_engine.tuning.prompted import PromptedClip
from capt_engine.tuning.state import read, state_path
from tests.engine.tuning.conftest import Runs, write_pictures


def share(k: int, n: int = 12) -> Share:
    """k of n."""
    return Share(k, n, *wilson(k, n))


def test_a_run_writes_prompts_that_say_how_they_were_made(runs: Runs) -> None:
    """The file loads onto its model and tells method, settings, data, seed, versions and figures; no state is left behind."""
    result = runs(name="Mine", notes="a trial", licence="MIT", seed=3)
    _, document = checkpoints.load(runs.out, runs.backbone)
    assert (document.method, document.seed, document.licence) == ("capt", 3, "MIT")
    assert document.classes == ("blue", "green", "red")
    assert document.notes.startswith("a trial\nValidation pictures were drawn")
    assert document.settings["eps"] == 4 / 255
    assert document.settings["lambda_"] == 2.5
    assert document.settings["batch_size"] == 3
    assert len(document.data) == 64
    assert document.versions["torch"] != "absent"
    assert document.figures["n_train"] == 6
    assert (result.n_train, result.n_val, result.kept_epoch, result.epochs) == (6, 6, 2, 2)
    assert result.clean is not None
    assert (result.clean.n, (result.clean.low, result.clean.high)) == (6, wilson(result.clean.k, 6))
    assert result.prompts is not None
    assert result.prompts.summary.startswith("Mine, 2 pictures per class")
    assert result.zero_shot_clean is not None
    assert result.memory_bytes > 10**7
    assert not state_path(runs.out).exists()


def test_a_run_tells_what_it_does_in_order(runs: Runs) -> None:
    """First the forecast, then steps and epochs, numbered as they come."""
    runs()
    kinds = [type(one) for one in runs.news]
    an_epoch = [TuneStep, TuneStep, TuneEpoch, TuneStrip]
    assert kinds == [TuneEpoch, TuneStrip, TuneForecast, *an_epoch, *an_epoch]
    assert [one.epoch for one in runs.news if isinstance(one, TuneEpoch | TuneStrip)] == [0, 0, 1, 1, 2, 2]
    forecast = runs.news[2]
    assert isinstance(forecast, TuneForecast)
    assert (forecast.steps, forecast.batch_size) == (4, 3)
    assert forecast.seconds > 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"out": "p.bin"}, "must end in .safetensors"),
        ({"out": "no/such/folder/p.safetensors"}, "no folder"),
        ({"data": "no-such-data"}, "no such file or folder"),
        ({"data": "dtd"}, "nothing says where the benchmarks lie"),
        ({"method": "magic"}, "no method called 'magic'"),
        ({"shots": 0}, "too few"),
        ({"eps": 4.0}, "budget"),
        ({"epochs": 0}, "epochs"),
        ({"batch_size": 0}, "batch"),
        ({"lr": 0.0}, "learning rate"),
        ({"depth": 3}, "2 layers"),
        ({"alpha": "guess"}, "rule for α"),
        ({"augment": "blur"}, "augmentation"),
        ({"subsample_classes": "third"}, "half of the classes"),
        ({"seed": -1}, "seed"),
        ({"template": "no place"}, "template"),
        ({"patience": 2, "validate": False}, "no validation pictures"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(runs: Runs, changes: dict[str, object], words: str) -> None:
    """Each wrong setting is named before any step is made, and nothing is written."""
    with pytest.raises(BadRequest, match=words):
        runs(**changes)
    assert not any(isinstance(one, TuneStep) for one in runs.news)
    assert not runs.out.exists()


def test_nothing_is_written_over(runs: Runs) -> None:
    """A finished file is left as it is, also with --resume, which has nothing to go on with."""
    runs.out.write_bytes(b"mine")
    for resume in (False, True):
        with pytest.raises(BadRequest, match="is there already"):
            runs(resume=resume)
    assert runs.out.read_bytes() == b"mine"


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are made the POSIX way")
def test_a_link_or_a_pipe_is_refused_before_any_work(runs: Runs) -> None:
    """As the place of the prompts or of the state beside them."""
    for place in (runs.out, state_path(runs.out)):
        place.symlink_to("nowhere")
        with pytest.raises(BadRequest, match="is a link"):
            runs()
        place.unlink()
        os.mkfifo(place)
        with pytest.raises(BadRequest, match="is a pipe"):
            runs(resume=True)
        place.unlink()
    assert not any(isinstance(one, TuneStep) for one in runs.news)


def test_the_forecast_changes_nothing(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without the dry run the file is the same, byte for byte."""
    forecast = runs.bytes_of("a.safetensors")
    monkeypatch.setattr(running.Run, "_forecast", lambda _: None)
    assert runs.bytes_of("b.safetensors") == forecast


def test_stopped_and_resumed_is_unbroken(runs: Runs) -> None:
    """Cancelled within the second epoch and resumed, the run writes the same bytes; another request's state is refused by name."""
    unbroken = runs.bytes_of("a.safetensors", epochs=3)

    def progress(done: int, _: int, note: str) -> None:
        if note.startswith("epoch 2") and done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        runs(progress, epochs=3)
    assert read(state_path(runs.out)).epoch == 1
    with pytest.raises(BadRequest, match="Give --resume"):
        runs(epochs=3)
    with pytest.raises(BadRequest, match=r"lambda was 2\.5, now it is 1\.0"):
        runs(epochs=3, lambda_=1.0, resume=True)
    write_pictures(runs.folder.with_name("others"), 6, seed=9)
    with pytest.raises(BadRequest, match="data was"):
        runs(epochs=3, resume=True, data=str(runs.folder.with_name("others")))
    result = runs(epochs=3, resume=True)
    assert runs.out.read_bytes() == unbroken
    assert "Going on after epoch 1 of 3." in runs.news
    assert result.epochs == 3
    assert not state_path(runs.out).exists()


def test_killed_after_its_last_epoch(runs: Runs) -> None:
    """Where file and state are both there, --resume ends the run if no epoch is left, and else leaves the file alone."""
    unbroken = runs.bytes_of("a.safetensors")

    def progress(_: int, __: int, note: str) -> None:
        if note.startswith("epoch 2"):
            raise Cancelled

    with pytest.raises(Cancelled):
        runs(progress)
    runs.out.write_bytes(b"mine")
    with pytest.raises(BadRequest, match="is there already"):
        runs(resume=True)
    assert runs.out.read_bytes() == b"mine"
    runs.out.unlink()
    kept: list[bytes] = []

    def keep(*_: object) -> None:
        if state_path(runs.out).exists() and read(state_path(runs.out)).epoch == 2:
            kept.append(state_path(runs.out).read_bytes())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running.LearnedPrompts, "save", lambda *_: keep())
        runs(resume=True)
    state_path(runs.out).write_bytes(kept[-1])
    runs.out.write_bytes(unbroken)
    runs(resume=True)
    assert runs.out.read_bytes() == unbroken
    assert not state_path(runs.out).exists()


def test_resume_without_a_state_starts(runs: Runs) -> None:
    """A script may always give --resume: where nothing was stopped, the run starts and says so."""
    runs(resume=True)
    assert runs.out.exists()
    assert any(isinstance(one, str) and "starting from the beginning" in one for one in runs.news)


def test_a_broken_picture_is_skipped_and_reported(runs: Runs) -> None:
    """The draw stays the same, the picture is missing from it, and the result names it; a class without any is refused."""
    whole = runs(shots=None)
    broken = runs.folder / "red" / "1.png"
    broken.write_bytes(b"\x89PNG, or so it says")
    result = runs(shots=None, out=str(runs.out.with_name("q.safetensors")))
    assert result.n_train == whole.n_train - 1
    assert [failed.path for failed in result.failed] == [str(broken)]
    for file in (runs.folder / "red").iterdir():
        file.write_bytes(b"no picture")
    with pytest.raises(BadRequest, match="'red'"):
        runs(out=str(runs.out.with_name("r.safetensors")))


def room_for(monkeypatch: pytest.MonkeyPatch, pictures: int) -> None:
    """Let memory run out where more pictures go through the image tower at once with gradients."""
    real = PromptedClip.logits

    def logits(self: PromptedClip, images: torch.Tensor, *rest: Any) -> tuple[torch.Tensor, torch.Tensor]:
        if torch.is_grad_enabled() and len(images) > pictures:
            raise torch.OutOfMemoryError("no more")
        return real(self, images, *rest)

    monkeypatch.setattr(PromptedClip, "logits", logits)


def test_out_of_memory_changes_no_recipe(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch goes through the model in parts: the prompts are those of a run with enough memory, but for the order of sums."""
    runs(batch_size=4, epochs=2, shots=4, out=str(runs.out.with_name("a.safetensors")))
    # A picture is shown clean and attacked.
    room_for(monkeypatch, 2)
    result = runs(batch_size=4, epochs=2, shots=4)
    assert [note for note in result.notes if "in parts of 1" in note]
    ours, document = checkpoints.load(runs.out, runs.backbone)
    theirs, _ = checkpoints.load(runs.out.with_name("a.safetensors"), runs.backbone)
    assert document.settings["batch_size"] == 4
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_out_of_memory_with_one_picture_is_the_device(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no smaller part is left, a sentence says what else to try."""
    room_for(monkeypatch, 0)
    with pytest.raises(DeviceProblem, match="single picture"):
        runs(batch_size=4)


def test_early_stop_keeps_the_best(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a patience of 2 a run whose second epoch was best ends after the fourth and keeps the second's prompts."""
    scripted = iter([share(1), share(5), share(9), share(6), share(7), share(1), share(1)])
    seen: list[Classifier] = []

    def measure(_: object, classifier: Classifier, *__: object) -> validation.Measured:
        seen.append(classifier)
        return validation.Measured(share(6), next(scripted))

    monkeypatch.setattr(validation.Validator, "measure", measure)
    result = runs(epochs=6, patience=2)
    assert (result.epochs, result.kept_epoch) == (4, 2)
    assert "stopped early" in result.ended
    assert result.robust == share(9)
    prompts, document = checkpoints.load(runs.out, runs.backbone)
    assert document.figures["kept_epoch"] == 2
    # seen[0] is plain text.
    assert torch.equal(Classifier(runs.backbone, result.classes, document.template, prompts=prompts).text, seen[2].text)
    assert not torch.equal(seen[2].text, seen[4].text)


def test_collapse_is_said_once(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss that stands at ln k while nothing is left between clean and attacked is noticed, with advice, one time."""

    def constant(views: Views, _: Settings) -> Terms:
        chance = torch.tensor(math.log(3))
        return Terms(views.clean.sum() * 0 + chance, chance, torch.tensor(0.0), torch.tensor(0.0), torch.zeros(3))

    monkeypatch.setitem(OBJECTIVES, "capt", constant)
    result = runs(epochs=3)
    said = [one for one in runs.news if isinstance(one, str) and "collapsed" in one]
    assert len(said) == 1
    assert "coupling vision_to_text" in said[0]
    assert "--" not in said[0]
    assert said[0] in result.notes


def test_robust_overfitting_is_three_epochs_in_a_row() -> None:
    """Clean up and robust down three times running is over-fitting; twice, or with one exception, it is not."""

    def epochs(*pairs: tuple[int, int]) -> list[TuneEpoch]:
        return [TuneEpoch(i, 9, 1.0, share(c), share(r), False) for i, (c, r) in enumerate(pairs, 1)]

    assert overfits(epochs((1, 9), (2, 8), (3, 7), (4, 6)))
    assert not overfits(epochs((2, 8), (3, 7), (4, 6)))
    assert not overfits(epochs((1, 9), (2, 8), (3, 8), (4, 6)))
    assert not overfits([TuneEpoch(i, 9, 1.0, None, None, False) for i in range(4)])


def test_a_loss_that_is_no_number_keeps_the_last_epoch(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run fails with a sentence that names the state it leaves, which is that of the last whole epoch."""
    real, calls = OBJECTIVES["capt"], iter(range(1, 100))

    def objective(views: Views, settings: Settings) -> Terms:
        terms = real(views, settings)
        return replace(terms, loss=terms.loss * float("nan")) if next(calls) > 6 else terms

    monkeypatch.setitem(OBJECTIVES, "capt", objective)
    with pytest.raises(loop.TuningFailed, match=r"not a number.*after epoch 1 is kept"):
        runs(epochs=3)
    assert read(state_path(runs.out)).epoch == 1
    assert not runs.out.exists()


def test_where_validation_pictures_come_from(runs: Runs, tmp_path: Path) -> None:
    """A part called val is drawn from; else the training pictures that are left; else there are none, and a note says so."""
    assert runs(shots=2).n_val == 6
    nothing = runs(shots=4, out=str(tmp_path / "b.safetensors"))
    assert nothing.n_val == 0
    assert nothing.clean is None
    assert any("nothing is validated" in note for note in nothing.notes)
    for part, count in (("train", 3), ("val", 5), ("test", 1)):
        write_pictures(tmp_path / "parts" / part, count, seed=count)
    parts = runs(data=str(tmp_path / "parts"), shots=None, out=str(tmp_path / "c.safetensors"))
    assert (parts.n_train, parts.n_val) == (9, 12)
    assert not parts.notes
    only_test = tmp_path / "only"
    write_pictures(only_test / "test", 2)
    with pytest.raises(BadRequest, match="no training pictures"):
        runs(data=str(only_test), out=str(tmp_path / "d.safetensors"))


def test_half_of_the_classes(runs: Runs) -> None:
    """The base half is the first of the sorted classes, rounded up."""
    assert runs(subsample_classes="base").classes == ("blue", "green")


def test_augmented_pictures_make_another_result_that_can_be_repeated(runs: Runs) -> None:
    """Crops and flips depend on the seed alone, and do change what is learned."""
    crops = runs.bytes_of("a.safetensors", augment="crop-flip")
    assert runs.bytes_of("b.safetensors", augment="crop-flip") == crops
    runs()
    with safe_open(runs.out, "pt") as plain, safe_open(runs.out.with_name("a.safetensors"), "pt") as cropped:
        assert not torch.equal(plain.get_tensor("context"), cropped.get_tensor("context"))


@pytest.mark.parametrize("method", ["coop", "apt", "fap", "pmg-aft"])
def test_relatives_write_their_own_kind(runs: Runs, method: str) -> None:
    """Another method's file says so; the tiny CLIP has 16 tokens, so its text prompts are short."""
    n_ctx = 4 if method in ("coop", "apt") else None
    depth = 1 if method in ("coop", "apt") else 2
    runs(method=method, n_ctx=n_ctx, depth=depth, epochs=1)
    document = checkpoints.read_document(runs.out)
    assert document.method == method
    assert document.settings["attack_loss"] == ("kl" if method == "fap" else "ce")


def test_the_guide_of_a_robust_model_is_the_one_it_came_from(runs: Runs, tiny_backbone: Backbone) -> None:
    """A reference "original" loads the base, "same" nothing, and a guide of another input size is refused."""
    loaded: list[str] = []

    def load(model: str) -> Backbone:
        loaded.append(model)
        return replace(tiny_backbone, size=48) if model == "large" else tiny_backbone

    robust = replace(tiny_backbone, base=Base("the-original", "0" * 64))
    runs(backbone=robust, load=load, epochs=1)
    assert loaded == ["the-original"]
    runs(backbone=robust, load=load, reference="same", epochs=1, out=str(runs.out.with_name("q.safetensors")))
    assert loaded == ["the-original"]
    with pytest.raises(BadRequest, match="48 pixels"):
        runs(load=load, reference="large", out=str(runs.out.with_name("r.safetensors")))


def test_half_precision_runs(runs: Runs) -> None:
    """bf16 is for the image tower; what is kept is fp32 and finite."""
    runs(precision="bf16", epochs=1)
    assert checkpoints.read(runs.out).document.settings["precision"] == "bf16"
    with pytest.raises(UnknownName):
        runs(precision="fp8", out=str(runs.out.with_name("q.safetensors")))


def test_no_time_is_written(runs: Runs) -> None:
    """Two runs write the same bytes, and nothing in the document speaks of seconds."""
    first = runs.bytes_of("a.safetensors", epochs=1)
    assert runs.bytes_of("b.safetensors", epochs=1) == first
    with safe_open(runs.out.with_name("a.safetensors"), "pt") as file:
        assert "second" not in json.dumps(file.metadata())
