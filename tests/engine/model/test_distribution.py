"""Statistics of a model's training pictures: distances, thresholds, the file, and what a model says by them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import load_backbone
from capt_engine.model.distribution import FILE, About, Distribution, Gaussian

ABOUT = About("0" * 64, 0.02, "random numbers")


def rows(n: int, seed: int, shift: float = 0.0, width: int = 5) -> Tensor:
    """Correlated random features (n, width) around `shift`."""
    stream = torch.Generator().manual_seed(seed)
    mix = torch.randn(width, width, generator=torch.Generator().manual_seed(99))
    return torch.randn(n, width, generator=stream) @ mix + shift


@pytest.fixture(scope="module")
def known() -> Distribution:
    """Own pictures around 0, the background around 8."""
    return Distribution.fit(ABOUT, rows(400, 0), rows(199, 1), rows(300, 2, 8), rank=3)


def mahalanobis(x: np.ndarray, some: np.ndarray, rank: int) -> np.ndarray:
    """The distance by its definition, the smallest variances replaced by their mean."""
    variances, directions = np.linalg.eigh(np.cov(x.T, bias=True))
    variances[: len(variances) - rank] = variances[: len(variances) - rank].mean()
    inverse = directions @ np.diag(1 / variances) @ directions.T
    centred = some - x.mean(0)
    return np.sqrt(np.einsum("ij,jk,ik->i", centred, inverse, centred))


@pytest.mark.parametrize("rank", [1, 3, 4])
def test_distances_are_mahalanobis_distances(rank: int) -> None:
    """They are numpy's, for a covariance known in some directions and, with all but one, for the whole one."""
    x, some = rows(400, 0), rows(50, 3) * 2
    found = Gaussian.fit(x, rank).distances(some.double()).numpy()
    assert found == pytest.approx(mahalanobis(x.double().numpy(), some.double().numpy(), rank), rel=1e-6)


def test_the_score_is_the_worse_of_distance_and_relative_distance(known: Distribution) -> None:
    """Each is divided by the conformal quantile of the held-back pictures at half of the false-alarm rate."""
    own, held, other, some = (
        one.double().numpy() for one in (rows(400, 0), rows(199, 1), rows(300, 2, 8), rows(50, 3, 4))
    )

    def both(of: np.ndarray) -> np.ndarray:
        far = mahalanobis(own, of, 3)
        return np.stack([far, far / mahalanobis(other, of, 3)])

    # Of 199 held back, ⌈200 · 0.99⌉ = 198 lie within each threshold.
    thresholds = np.sort(both(held), axis=1)[:, 197]
    expected = (both(some) / thresholds[:, None]).max(0)
    assert known.scores(rows(50, 3, 4)).numpy() == pytest.approx(expected, rel=1e-5)
    assert 1 <= int((known.scores(rows(199, 1)) > 1).sum()) <= 2
    assert (known.about.pictures, known.about.held_back, known.about.background) == (400, 199, 300)


def test_pictures_that_are_not_far_but_nearer_to_others_are_out_of_distribution() -> None:
    """Simple pictures inside a wide distribution are told by the background alone, as renders among photographs."""
    wide, simple = rows(400, 0) * 10, rows(300, 2) * 0.1 + 1
    found = Distribution.fit(ABOUT, wide, rows(199, 1) * 10, simple, rank=3)
    new = rows(50, 4) * 0.1 + 1
    assert float((found.own.distances(new.double()) / found.about.far).max()) < 0.3
    assert bool((found.scores(new) > 1).all())


@pytest.mark.parametrize(("own", "held", "other"), [(3, 199, 300), (400, 98, 300), (400, 199, 3)])
def test_too_few_pictures_are_refused(own: int, held: int, other: int) -> None:
    """Statistics want more pictures than directions, and a threshold of 1 % at least 99."""
    with pytest.raises(BadRequest, match="too few"):
        Distribution.fit(ABOUT, rows(own, 0), rows(held, 1), rows(other, 2), rank=3)


def test_a_file_gives_the_same_scores(known: Distribution, tmp_path: Path) -> None:
    """Read again, the description is the same and the scores differ by rounding alone; nothing is read for other weights."""
    known.write(tmp_path / FILE)
    again = Distribution.read(tmp_path / FILE, ABOUT.model_sha256)
    assert again is not None
    assert again.about == known.about
    assert again.scores(rows(50, 2)).numpy() == pytest.approx(known.scores(rows(50, 2)).numpy(), rel=1e-5)
    assert Distribution.read(tmp_path / FILE, "1" * 64) is None
    assert Distribution.read(tmp_path / "none.safetensors", ABOUT.model_sha256) is None


def test_a_damaged_file_is_refused(known: Distribution, tmp_path: Path) -> None:
    """A cut file, a tensor too few, one of another size, an infinite value, or no description end in a sentence."""
    path = tmp_path / FILE
    known.write(path)
    whole, tensors = path.read_bytes(), load_file(path)
    with safe_open(path, framework="pt") as file:
        kept = file.metadata()
    path.write_bytes(whole[:200])
    with pytest.raises(BadCheckpoint, match="sound safetensors"):
        Distribution.read(path, ABOUT.model_sha256)
    save_file({name: one for name, one in tensors.items() if name != "own.mean"}, path, kept)
    with pytest.raises(BadCheckpoint, match="does not hold"):
        Distribution.read(path, ABOUT.model_sha256)
    odd = {"own.mean": torch.zeros(6), "background.gains": torch.full((3,), math.inf), "own.rest": torch.tensor(0.0)}
    for name, value in odd.items():
        save_file(tensors | {name: value}, path, kept)
        with pytest.raises(BadCheckpoint):
            Distribution.read(path, ABOUT.model_sha256)
    save_file(tensors, path)
    with pytest.raises(BadCheckpoint):
        Distribution.read(path, ABOUT.model_sha256)


def test_a_folder_with_statistics_is_judged_by_them(
    tiny_classifier: Classifier, tiny_folder: Path, pixels: Callable[..., Tensor], tmp_path: Path
) -> None:
    """A model that has them scores features, one without makes no claim, and a weights file of any name is still found beside them."""

    def features(images: Tensor) -> Tensor:
        with torch.no_grad():
            return tiny_classifier.forward(images).features

    assert tiny_classifier.ood_scores(features(pixels(2))) is None
    noise, grey = features(pixels(400, seed=5)), features(pixels(200, seed=6) * 0.02 + 0.5)
    about = replace(ABOUT, model_sha256=tiny_classifier.sha256)
    found = Distribution.fit(about, noise[:200], noise[200:], grey, rank=4)
    for one in tiny_folder.iterdir():
        name = "weights.safetensors" if one.suffix == ".safetensors" else one.name
        (tmp_path / name).write_bytes(one.read_bytes())
    found.write(tmp_path / FILE)
    model = Classifier(load_backbone(str(tmp_path), torch.device("cpu")), ("a cat", "a dog"), "{}")
    scores = model.ood_scores(torch.cat([features(pixels(3, seed=7)), features(pixels(3, seed=8) * 0.02 + 0.5)]))
    assert scores is not None
    assert (scores > 1).tolist() == [False] * 3 + [True] * 3


@pytest.mark.parametrize("model", ["demo", "photo"])
def test_a_score_does_not_depend_on_the_batch(model: str) -> None:
    """It stands in a picture's row: the same bits among any number of others, by the statistics of the bundled models."""
    backbone = load_backbone(model, torch.device("cpu"))
    assert backbone.distribution is not None
    stream = torch.Generator().manual_seed(5)
    features = torch.nn.functional.normalize(
        torch.randn(20, len(backbone.distribution.own.mean), generator=stream), dim=1
    )
    scores = backbone.distribution.scores(features)
    assert [n for n in range(1, 20) if not torch.equal(backbone.distribution.scores(features[:n]), scores[:n])] == []
