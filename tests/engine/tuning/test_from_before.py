"""Files that an earlier version wrote, under the names that it used, are still read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from capt_engine.attacks.base import LINF, Threat
from capt_engine.errors import BadCheckpoint, Cancelled
from capt_engine.model.checkpoints import read
from capt_engine.model.text import class_features
from capt_engine.reading import decode
from capt_engine.records import TuneStep
from capt_engine.records.tuning import OLD_NAMES
from capt_engine.runs.command_line import command_of
from capt_engine.runs.tuning_text import request_of
from capt_engine.tuning import state as states
from capt_engine.tuning.image_tower import TowerTuning, tower_recipe
from capt_engine.tuning.inner_attack import InnerAttack
from tests.engine.tuning.conftest import Runs

BEFORE = Path(__file__).parent / "from_before"


def test_a_stopped_run_of_before_is_known_by_todays_names(runs: Runs) -> None:
    """Its settings have the names, and where nothing else differs the values, of the same run stopped today."""

    def progress(_: int, __: int, note: str) -> None:
        if note.startswith("epoch 2"):
            raise Cancelled

    with pytest.raises(Cancelled):
        runs(progress, epochs=3)
    ours, theirs = states.read(states.state_path(runs.out)), states.read(BEFORE / "before.safetensors.state")
    # What depends on how a PNG is packed here may differ.
    by_bytes = ("data", "validation data", "model", "reference model")
    assert theirs.settings.keys() == ours.settings.keys()
    assert {n: v for n, v in theirs.settings.items() if n not in by_bytes} == {
        n: v for n, v in ours.settings.items() if n not in by_bytes
    }
    assert theirs.batch_size == 3
    assert theirs.prompts.keys() == ours.prompts.keys()


def test_prompts_of_before_say_their_settings_under_todays_names() -> None:
    """Shape and settings are found, and the command that makes them again names every one of them."""
    document = read(BEFORE / "capt.safetensors").document
    assert document.shape.n_ctx == 2
    assert not set(document.settings) & set(OLD_NAMES)
    assert (document.settings["lambda_"], document.settings["lr"], document.settings["batch_size"]) == (2.5, 0.02, 3)
    request = request_of(document, "p.safetensors")
    assert (request.lambda_, request.lr, request.batch_size, request.n_ctx) == (2.5, 0.02, 3, 2)
    assert "--length 2" in command_of(request)


def test_a_step_in_a_log_of_before_is_read() -> None:
    """The curves of a kept run have the learning rate and the reference's term under their old names."""
    line = '{"epoch": 1, "step": 2, "rate": 0.02, "loss": 1.0, "cross_entropy": 0.5, "train": 0.1, "guide": 0.2}'
    rest = dict.fromkeys(
        (
            "alpha_mean",
            "alpha_p10",
            "alpha_p90",
            "gradient_norm",
            "zero_gradients",
            "clean_accuracy",
            "robust_accuracy",
        ),
        0.5,
    )
    step = decode(json.dumps(json.loads(line) | rest), TuneStep, called="a step")
    assert (step.lr, step.reference) == (0.02, 0.2)


def test_a_towers_checkpoint_of_before_is_read(runs: Runs, tmp_path: Path) -> None:
    """Its epoch, weights, optimiser and log are taken up where it was left by the same pictures; a run of others refuses it."""
    path = tmp_path / "tower-checkpoint.safetensors"
    shutil.copyfile(BEFORE / path.name, path)
    with safe_open(path, framework="pt") as file:
        said = json.loads(file.metadata()["tower"])
        weight = file.get_tensor("weight/proj")
    attack = InnerAttack(Threat(LINF, 4 / 255), 4 / 255, 1)
    recipe = tower_recipe(attack, epochs=3, batch_size=3, lr=0.001, seed=0)
    images, labels = torch.zeros(6, 3, 24, 24, dtype=torch.uint8), torch.arange(6) % 3
    text = class_features(runs.backbone, ("blue", "green", "red"), "a photo of a {}.")
    tuning = TowerTuning(runs.backbone, images, labels, text, recipe)
    with pytest.raises(BadCheckpoint, match="other pictures"):
        tuning.resume(path)
    # How a PNG is packed here decides the hash of the pictures: this run's own takes its place.
    own = tmp_path / "own.safetensors"
    tuning.save(own)
    with safe_open(own, framework="pt") as file:
        run = json.loads(file.metadata()["tower"])["run"]
    said["run"] |= {"pictures": run["pictures"], "model": run["model"]}
    save_file(load_file(path), path, {"tower": json.dumps(said)})
    tuning.resume(path)
    assert (tuning.epoch, tuning.logs[0].lr) == (1, 0.001)
    assert torch.equal(tuning.tuned.clip.visual.proj, weight)
    assert tuning.advance(lambda *_: None).epoch == 2
