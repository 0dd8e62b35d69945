"""Stage 3: transformer blocks over the trunk's 49 places, which answer as the whole trunk does when they see half of them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from capt_engine.model.trunk import Trunk
from capt_engine.photo.joint_space import JointSpace, mixed
from capt_engine.photo.plan import Plan
from capt_engine.photo.stage import Stage
from capt_engine.progress import Progress

_BATCH = 64
_NEAR_IDENTITY = 0.1
_HIDDEN_SHARE = 0.5
_LR, _COSINE = 3e-4, 4.0
_STREAM = 3


class ImageTower:
    """The image half of a CLIP over maps of the trunk's last block."""

    def __init__(self, plan: Plan, clip: Any, trunk: Trunk, joint: JointSpace, maps: Tensor, classes: Tensor) -> None:
        """maps (n, 320, 7, 7): of the training crops; classes (1000, width): unit text features of the classes' names."""
        self._plan, self._clip, self._trunk, self._joint, self._maps, self._classes = (
            plan,
            clip,
            trunk,
            joint,
            maps,
            classes,
        )
        self._mean_map = maps[: len(maps) // plan.crops].float().mean((0, 2, 3))[None, :, None, None]
        visual = clip.visual
        with torch.no_grad():
            trunk.project.weight.copy_(joint.weight[:, :, None, None])
            cast(Tensor, trunk.project.bias).copy_(joint.bias)
            visual.positional_embedding.zero_()
            visual.proj.copy_(torch.eye(plan.width))
            clip.logit_scale.copy_(joint.log_scale)
            for block in visual.transformer.resblocks:
                for last in (block.attn.out_proj, block.mlp.c_proj):
                    last.weight.mul_(_NEAR_IDENTITY)
                    last.bias.zero_()
        # Over maps, the trunk's head and projection are what a ViT's patches are over pixels.
        visual.conv1 = nn.Sequential(trunk.head, trunk.project)

    def train(self, checkpoint: Path, progress: Progress) -> None:
        """Train projection, blocks and scale; the trunk stays as it is."""
        clip = self._clip
        tensors = {name: value for name, value in clip.visual.named_parameters() if not name.startswith("conv1.0.")}
        tensors["logit_scale"] = clip.logit_scale
        for value in tensors.values():
            value.requires_grad_()
        lr = {name.split(".")[0]: _LR for name in tensors} | {"logit_scale": 3e-3}
        stage = Stage("image", self._plan, self._plan.tower_steps, tensors, lr, weight_decay=0.01)
        clip.visual.train()
        stage.run(self._loss, checkpoint, progress)
        clip.visual.eval()
        for value in tensors.values():
            value.requires_grad_(False)
        with torch.no_grad():
            clip.logit_scale.clamp_(max=math.log(100))

    def finish(self) -> None:
        """Put the whole trunk in the place of `conv1`, so that the tower takes pixels."""
        self._clip.visual.conv1 = self._trunk

    def encode(self, maps: Tensor) -> Tensor:
        """Unit features (n, width) of maps (n, 320, 7, 7)."""
        return F.normalize(self._clip.visual(maps.float()), dim=1)

    def _loss(self, step: int) -> Tensor:
        generator = torch.Generator().manual_seed(self._plan.seed * 1_000_003 + _STREAM * 100_003 + step)
        maps = mixed(self._maps, _BATCH, generator)
        with torch.no_grad():
            features = self._trunk.head(maps).mean((2, 3))
            answers, wanted = self._joint.answers(features), self._joint.encode(features)
        hidden = (
            torch.rand(_BATCH, 1, 7, 7, generator=generator)
            < _HIDDEN_SHARE * torch.rand(_BATCH, 1, 1, 1, generator=generator) * 2
        )
        # A place that is hidden gives the map of the mean picture.
        encoded = self.encode(torch.where(hidden, self._mean_map, maps))
        logits = self._clip.logit_scale.exp() * encoded @ self._classes.T
        divergence = F.kl_div(F.log_softmax(logits, dim=1), answers, reduction="batchmean")
        return divergence + _COSINE * (1 - (encoded * wanted).sum(1)).mean()
