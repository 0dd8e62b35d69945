"""Stage 1: the joint space of pictures and names, distilled from the trunk's own answers.

A crop's pooled features f (1280) become e = centred(A f + c) / ‖·‖, a name's target vector is v / ‖v‖, and softmax(s e·v) is trained to
give what the trunk answers: for classes its probabilities, for a wider concept the sum over its classes. The search starts at the
singular vectors of the trunk's classifier.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.photo.captions import targets
from capt_engine.photo.plan import Plan
from capt_engine.photo.stage import Stage
from capt_engine.progress import Progress

_BATCH = 256
_LIST = 60
_LEAST_MASS = 0.3
_START_SCALE = 30.0


class JointSpace:
    """The map of pooled features into the joint space, and the target vector of each name."""

    def __init__(self, plan: Plan, rows: Tensor, biases: Tensor, features: Tensor) -> None:
        """rows (1000, 1280) and biases (1000,): the trunk's classifier; features (n, 1280): pooled, of the training crops."""
        self._plan, self._rows, self._biases, self._features = plan, rows, biases, features
        self._covers = covers()
        self._meets = (self._covers @ self._covers.T > 0).tolist()
        directions = F.normalize(rows - rows.mean(0), dim=1)
        basis = torch.linalg.svd(directions, full_matrices=False)[2][: plan.width]
        vectors = F.normalize(directions @ basis.T, dim=1)
        wide = F.normalize(self._covers[1000:] @ vectors, dim=1)
        self.weight = basis.clone()
        self.bias = -(basis @ features.mean(0))
        self.vectors = torch.cat([vectors, wide])
        self.log_scale = torch.tensor(math.log(_START_SCALE))

    def train(self, checkpoint: Path, progress: Progress) -> None:
        """Train the map, the vectors and the scale."""
        tensors = {"weight": self.weight, "bias": self.bias, "vectors": self.vectors, "log_scale": self.log_scale}
        for tensor in tensors.values():
            tensor.requires_grad_()
        lr = {"weight": 1e-3, "bias": 1e-3, "vectors": 2e-3, "log_scale": 1e-2}
        Stage("joint space", self._plan, self._plan.joint_steps, tensors, lr).run(self._loss, checkpoint, progress)
        for tensor in tensors.values():
            tensor.requires_grad_(False)

    def encode(self, features: Tensor) -> Tensor:
        """Unit vectors (n, width) of pooled features (n, 1280)."""
        return F.normalize(centred(F.linear(features, self.weight, self.bias)), dim=1)

    def answers(self, features: Tensor) -> Tensor:
        """The trunk's probabilities (n, 1000) for pooled features (n, 1280)."""
        return F.softmax(F.linear(features, self._rows, self._biases), dim=1)

    def _loss(self, step: int) -> Tensor:
        generator = torch.Generator().manual_seed(self._plan.seed * 1_000_003 + step)
        features = mixed(self._features, _BATCH, generator)
        encoded, answers = self.encode(features), self.answers(features)
        vectors, scale = F.normalize(self.vectors, dim=1), self.log_scale.exp()
        fine = _divergence(scale * encoded @ vectors[:1000].T, answers)
        chosen = self._disjoint(generator)
        mass = answers @ self._covers[chosen].T
        whole = mass.sum(1)
        kept = whole > _LEAST_MASS
        wide = _divergence(scale * encoded[kept] @ vectors[chosen].T, mass[kept] / whole[kept, None])
        return fine + wide

    def _disjoint(self, generator: torch.Generator) -> list[int]:
        """Some names, drawn at random, of which no two cover the same class."""
        chosen: list[int] = []
        for one in torch.randperm(len(self._covers), generator=generator).tolist():
            if not any(self._meets[one][other] for other in chosen):
                chosen.append(one)
            if len(chosen) == _LIST:
                break
        return chosen


def covers() -> Tensor:
    """Return the classes that each target covers, (targets, 1000), as 0 and 1."""
    matrix = torch.zeros(len(targets()), 1000)
    for index, one in enumerate(targets()):
        matrix[index, list(one.classes)] = 1
    return matrix


def centred(x: Tensor) -> Tensor:
    """Vectors (n, d) without the mean over their d values, as the layer norm behind the tower leaves them."""
    return x - x.mean(dim=-1, keepdim=True)


def mixed(features: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`count` rows drawn from features (n, …), half of them mixed with another row by a uniform share (mixup)."""
    one, other = (torch.randint(len(features), (count,), generator=generator) for _ in range(2))
    shape = (count, *[1] * (features.ndim - 1))
    share, whole = torch.rand(shape, generator=generator), torch.rand(shape, generator=generator) < 0.5
    share = torch.where(whole, torch.ones(()), share)
    return share * features[one].float() + (1 - share) * features[other].float()


def _divergence(logits: Tensor, wanted: Tensor) -> Tensor:
    """Mean KL divergence of softmax(logits) (n, k) from probabilities (n, k)."""
    return F.kl_div(F.log_softmax(logits, dim=1), wanted, reduction="batchmean")
