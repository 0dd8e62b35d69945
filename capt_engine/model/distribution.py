"""Out-of-distribution detection: does a picture lie far from those that a model was trained on, or nearer to pictures of another world?

Both are asked of the unit image features, which the clean forward pass gives anyway. Two Gaussians describe them: that of the model's own
training pictures, and a background, pictures of a kind that it was not trained on. A distance is Mahalanobis' (Lee et al., NeurIPS 2018,
arXiv 1807.03888), with the covariance of probabilistic PCA (Tipping & Bishop 1999): known in a few directions, the same in all others.
Alone it fails where pictures are simpler than the training pictures, as renders are beside photographs; their distance divided by that
to the background tells them (relative Mahalanobis distance; Ren et al. 2021, arXiv 2106.09022, who subtract the squares).

Each threshold is the conformal quantile of pictures that were held back, for half of the false-alarm rate: of new pictures of the same
kind at most the whole rate lies beyond one of them, on average.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from json import dumps
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.model.devices import exact
from capt_engine.model.numerics import product_of_rows
from capt_engine.model.tensor_file import require_finite, sound, write_tensors
from capt_engine.reading import decode

FILE = "distribution.safetensors"
_KEY = "about"
_LONGEST = 4_000_000
_HINT = "Copy the model again; a file of it was changed."
_OWN, _BACKGROUND = "own", "background"
_PARTS = ("mean", "directions", "gains", "rest")


@dataclass(frozen=True)
class Gaussian:
    """Mean and whitening of features of d dimensions, of which the covariance is known in r directions.

    mean (d,), directions (d, r). With z a feature vector minus the mean, rest · z + directions · (gains ∘ directionsᵀ z) is white;
    gains (r,), rest ().
    """

    mean: Tensor
    directions: Tensor
    gains: Tensor
    rest: Tensor

    @classmethod
    def fit(cls, features: Tensor, rank: int) -> Gaussian:
        """Fit mean and covariance.

        Args:
            features: (n, d), n > rank.
            rank: r, the directions of largest variance that are kept, 0 < r < d.

        Returns:
            The Gaussian in double precision.

        Raises:
            BadRequest: too few pictures.
        """
        if len(features) <= rank:
            raise BadRequest(
                f"{len(features)} pictures are too few.", f"More than {rank} are needed for the statistics."
            )
        x = exact(features)
        mean = x.mean(0)
        variances, directions = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x))
        variances, directions = variances.flip(0).clamp_min(1e-12), directions.flip(1)[:, :rank]
        rest = variances[rank:].mean() ** -0.5
        return cls(mean, directions, variances[:rank] ** -0.5 - rest, rest)

    def distances(self, features: Tensor) -> Tensor:
        """Compute Mahalanobis distances from the mean.

        Args:
            features: (n, d), double precision.

        Returns:
            Distances (n,).
        """
        z = features - self.mean
        # The score stands in a picture's row, whose bits do not depend on its batch.
        along = product_of_rows(z, self.directions) * self.gains
        white = self.rest * z + product_of_rows(along, self.directions.T)
        distances: Tensor = torch.linalg.vector_norm(white, dim=1)
        return distances


@dataclass(frozen=True)
class About:
    """A description of the statistics.

    Attributes:
        model_sha256: of the model's weights; with others the statistics mean nothing.
        false_alarm: the share of pictures of the model's own kind that may lie beyond a threshold.
        source: the pictures in words, with the seed.
        pictures, background, held_back: how many pictures of each kind.
        far: the threshold of the distance to the model's own pictures.
        nearer: the threshold of that distance divided by the distance to the background.
    """

    model_sha256: str
    false_alarm: float
    source: str
    pictures: int = 0
    background: int = 0
    held_back: int = 0
    far: float = math.inf
    nearer: float = math.inf


@dataclass(frozen=True)
class Distribution:
    """Statistics of the pictures that a model was trained on, and of others."""

    about: About
    own: Gaussian
    background: Gaussian

    @classmethod
    def fit(cls, about: About, own: Tensor, held_back: Tensor, background: Tensor, *, rank: int) -> Distribution:
        """Fit both Gaussians and set the thresholds.

        Args:
            about: what they are of; counts and thresholds are filled in here.
            own: unit features (n, d) of pictures of the kind that the model was trained on.
            held_back: unit features (m, d) of others of that kind, which decide the thresholds alone.
            background: unit features (l, d) of pictures of a kind that the model was not trained on.
            rank: directions in which a covariance is known.

        Returns:
            Statistics in double precision.

        Raises:
            BadRequest: too few pictures for the statistics or the thresholds.
        """
        half = about.false_alarm / 2
        place = math.ceil((len(held_back) + 1) * (1 - half))
        if place > len(held_back):
            raise BadRequest(
                f"{len(held_back)} pictures are too few for the thresholds.", f"{math.ceil(1 / half) - 1} are needed."
            )
        about = replace(about, pictures=len(own), background=len(background), held_back=len(held_back))
        found = cls(about, Gaussian.fit(own, rank), Gaussian.fit(background, rank))
        far, nearer = (some.sort().values[place - 1].item() for some in found._distances(held_back))
        return replace(found, about=replace(about, far=far, nearer=nearer))

    def scores(self, features: Tensor) -> Tensor:
        """Compute how unlike the model's own training pictures some pictures are.

        Args:
            features: unit features (n, d), on any device.

        Returns:
            Scores (n,), double precision, on the CPU: the larger of distance and relative distance, each over its threshold. Above 1
            a picture is out of distribution.
        """
        far, nearer = self._distances(features)
        return torch.maximum(far / self.about.far, nearer / self.about.nearer)

    def write(self, path: Path) -> None:
        """Write the statistics to a safetensors file in single precision; raises CannotWrite."""
        tensors = {
            f"{name}.{part}": getattr(getattr(self, name), part).float()
            for name in (_OWN, _BACKGROUND)
            for part in _PARTS
        }
        write_tensors(path, tensors, {_KEY: dumps(asdict(self.about))})

    @classmethod
    def read(cls, path: Path, model_sha256: str) -> Distribution | None:
        """Read the statistics from a file; None where there is no file, or it belongs to a model with other weights.

        Raises BadCheckpoint where the file is damaged.
        """
        if not path.is_file():
            return None
        if path.stat().st_size > _LONGEST:
            raise BadCheckpoint(f"{str(path)!r} is larger than such statistics can be.", _HINT)
        wanted = {f"{name}.{part}" for name in (_OWN, _BACKGROUND) for part in _PARTS}
        with sound(str(path), _HINT), safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY, "")
            if set(file.keys()) != wanted:
                raise BadCheckpoint(f"{str(path)!r} does not hold a model's statistics.", _HINT)
            tensors = {name: file.get_tensor(name).double() for name in sorted(wanted)}
        about = decode(text, About, called=repr(str(path)), error=BadCheckpoint, hint=_HINT, finite=True)
        require_finite(tensors, str(path), _HINT)
        own, background = (Gaussian(*(tensors[f"{name}.{part}"] for part in _PARTS)) for name in (_OWN, _BACKGROUND))
        if (
            not (_fits(own) and _fits(background) and own.mean.shape == background.mean.shape)
            or min(about.far, about.nearer) <= 0
        ):
            raise BadCheckpoint(f"{str(path)!r} holds statistics that do not fit together.", _HINT)
        return cls(about, own, background) if about.model_sha256 == model_sha256 else None

    def _distances(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The distance (n,) to the model's own pictures, and that divided by the one to the background."""
        # Apple's GPUs have no double precision.
        x = features.detach().float().cpu().double()
        own = self.own.distances(x)
        return own, own / self.background.distances(x)


def _fits(one: Gaussian) -> bool:
    return (
        one.mean.ndim == one.gains.ndim == 1
        and one.rest.ndim == 0
        and one.directions.shape == (len(one.mean), len(one.gains))
        and float(one.rest) > 0
    )
