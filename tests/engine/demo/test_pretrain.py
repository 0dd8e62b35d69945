"""Training the tiny CLIP: it resumes as if it had never stopped, and what it exports is what open_clip opens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from capt_engine.demo import pretrain, training_set
from capt_engine.demo.domains import Subject
from capt_engine.demo.pretrain import Plan, Pretraining, encode_sentences, export
from capt_engine.demo.world import UNSEEN_PAIRS
from capt_engine.errors import BadCheckpoint
from capt_engine.model.clip import load_backbone

TINY = Plan(pictures=16, steps=2, batch=8, warm_up=1, width=32, layers=1, text_width=16, text_layers=1)


def _ignore(done: int, total: int, note: str) -> None:
    """Takes progress and says nothing."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The first 16 pre-training pictures."""
    return training_set.load(16, 0, tmp_path_factory.mktemp("shards"), 1, _ignore)


def _weights(training: Pretraining) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in training.average.state_dict().items()}


def test_a_resumed_run_ends_equal_to_an_unbroken_one(pictures: np.ndarray, tmp_path: Path) -> None:
    """Two steps in one go and two with a stop between them give the same weights, bit for bit, and they are not the first ones."""
    unbroken = Pretraining(TINY, pictures, tmp_path / "unbroken.pt")
    before = _weights(unbroken)
    unbroken.run(_ignore)
    Pretraining(TINY, pictures, tmp_path / "broken.pt").run(_ignore, until=1)
    resumed = Pretraining(TINY, pictures, tmp_path / "broken.pt")
    assert resumed.step == 1
    resumed.run(_ignore)
    after = _weights(resumed)
    assert all(torch.equal(value, after[name]) for name, value in _weights(unbroken).items())
    assert not torch.equal(before["visual.proj"], after["visual.proj"])
    assert not torch.equal(before["text_projection"], after["text_projection"])


def test_a_checkpoint_of_another_plan_is_refused(pictures: np.ndarray, tmp_path: Path) -> None:
    """A checkpoint belongs to its plan; only the number of steps may change."""
    Pretraining(TINY, pictures, tmp_path / "run.pt").run(_ignore, until=1)
    assert Pretraining(replace(TINY, steps=3), pictures, tmp_path / "run.pt").step == 1
    with pytest.raises(BadCheckpoint, match="other settings"):
        Pretraining(replace(TINY, lr=1.0), pictures, tmp_path / "run.pt")


def test_a_pair_never_shown_is_not_evidence_against_itself() -> None:
    """Without unmet classes the loss is torch's own; an unmet class changes nothing and gets no gradient."""
    logits = torch.tensor([[1.0, 2.0, 0.5], [0.2, -1.0, 3.0]], requires_grad=True)
    target = torch.tensor([1, 0])
    nothing = torch.zeros(2, 3, dtype=torch.bool)
    expected = torch.nn.functional.cross_entropy(logits, target, label_smoothing=0.1)
    torch.testing.assert_close(pretrain._cross_entropy(logits, target, nothing, 0.1), expected)
    unmet = torch.tensor([[False, False, True], [False, False, False]])
    pretrain._cross_entropy(logits, target, unmet, 0.1).backward()
    assert logits.grad is not None
    assert logits.grad[0, 2] == 0
    assert (logits.grad[1] != 0).all()


def test_unmet_classes_are_the_unseen_pairs() -> None:
    """For shapes, colours and shape with material, the columns left out are those of the picture's unseen pairs."""
    shape, colour = next(iter(UNSEEN_PAIRS))
    like_colour, like_shape = Subject("sphere", colour, "wood"), Subject(shape, "purple", "wood")
    assert pretrain._unmet("shapes", [shape, "sphere"], [like_colour])[0][0]
    assert pretrain._unmet("colours", [colour, "green"], [like_shape])[0][0]
    assert pretrain._unmet("shape-material", [f"wood {shape}", "metal sphere"], [like_colour])[0][0]
    assert not any(pretrain._unmet("materials", ["wood", "metal"], [like_colour])[0])


def test_an_exported_model_opens_and_says_the_same(pictures: np.ndarray, tmp_path: Path) -> None:
    """Through open_clip's folder format, text features agree with training's own short encoding to half precision."""
    training = Pretraining(TINY, pictures, tmp_path / "run.pt")
    export(training.average, TINY, tmp_path / "model", 0)
    backbone = load_backbone(f"local-dir:{tmp_path / 'model'}", torch.device("cpu"))
    assert (backbone.size, backbone.context_length) == (64, 32)
    sentences = ["a photo of a red cube.", "a wooden star."]
    with torch.no_grad():
        ours = encode_sentences(training.average, sentences, torch.device("cpu"))
        theirs = backbone.clip.encode_text(backbone.tokenize(sentences), normalize=True)
    torch.testing.assert_close(ours, theirs, atol=5e-3, rtol=0)


def test_shards_are_kept_and_missing_ones_are_drawn(pictures: np.ndarray, tmp_path: Path) -> None:
    """A second load reads the shards instead of drawing, and a lost shard comes back the same."""
    first = training_set.load(4, 0, tmp_path, 1, _ignore)
    (shard,) = tmp_path.glob("*.npy")
    written = shard.stat().st_mtime_ns
    training_set.load(4, 0, tmp_path, 1, _ignore)
    assert shard.stat().st_mtime_ns == written
    shard.unlink()
    np.testing.assert_array_equal(training_set.load(4, 0, tmp_path, 1, _ignore), first)
    np.testing.assert_array_equal(first, pictures[:4])
