"""Published prompts made anew: each family's module after its paper's equations, random, at a small size, in its own container.

Nothing here uses the program's own prompts: the towers' blocks are open_clip's, everything between them is written out once more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from capt_engine.model.clip import Backbone

CLASSES = ("abyssinian", "great_pyrenees", "t-shirt", "sea lion")
WIDTH, VISION, LAYERS = 32, 48, 3


def random_tokens(*shape: int, seed: int = 0) -> Tensor:
    """As large as the model's own embeddings, so that they matter."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.5


@dataclass
class Paper:
    """A prompted CLIP by its equations: first (k, n, d_t) at `places`, deeper text prompts, and vision prompts of every layer."""

    backbone: Backbone
    sentences: Sequence[str]
    first: Tensor | None = None
    rows: Tensor | None = None
    deep_text: Sequence[Tensor] = ()
    vision: Sequence[Tensor] = ()
    border: Tensor | None = None

    def logits(self, images: Tensor) -> Tensor:
        """exp(s) · cos of both towers."""
        text, image = self._text(), self._image(images)
        text, image = text / text.norm(dim=-1, keepdim=True), image / image.norm(dim=-1, keepdim=True)
        return self.backbone.clip.logit_scale.exp() * image @ text.t()

    def _text(self) -> Tensor:
        clip = self.backbone.clip
        ids = self.backbone.tokenize(list(self.sentences))
        x = clip.token_embedding(ids)
        if self.rows is not None:
            x = self.rows
        elif self.first is not None:
            n = self.first.shape[-2]
            x = torch.cat([x[:, :1], self.first.expand(len(ids), -1, -1), x[:, 1 + n :]], dim=1)
        x = x + clip.positional_embedding
        for layer, block in enumerate(clip.transformer.resblocks):
            if 1 <= layer <= len(self.deep_text):
                deep = self.deep_text[layer - 1]
                x = torch.cat([x[:, :1], deep.expand(len(ids), -1, -1), x[:, 1 + len(deep) :]], dim=1)
            x = block(x, attn_mask=clip.attn_mask)
        x = clip.ln_final(x)
        return x[torch.arange(len(ids)), ids.argmax(dim=-1)] @ clip.text_projection

    def _image(self, images: Tensor) -> Tensor:
        visual = self.backbone.clip.visual
        seen = (images - self.backbone.mean) / self.backbone.std
        x = visual.conv1(seen if self.border is None else seen + self.border)
        x = x.reshape(len(x), x.shape[1], -1).permute(0, 2, 1)
        x = torch.cat([visual.class_embedding.expand(len(x), 1, -1), x], dim=1) + visual.positional_embedding
        patches = x.shape[1]
        if self.vision:
            x = torch.cat([x, self.vision[0].expand(len(x), -1, -1)], dim=1)
        x = visual.ln_pre(x)
        for layer, block in enumerate(visual.transformer.resblocks):
            if 1 <= layer < len(self.vision):
                x = torch.cat([x[:, :patches], self.vision[layer].expand(len(x), -1, -1)], dim=1)
            x = block(x)
        return visual.ln_post(x[:, 0]) @ visual.proj


def words_of(backbone: Backbone, sentences: Sequence[str], n: int, *, half: bool = True) -> dict[str, Tensor]:
    """The buffers that CoOp and its relatives save beside `ctx`."""
    table = backbone.clip.token_embedding.weight.detach()
    rows = (table.half() if half else table)[backbone.tokenize(list(sentences))]
    return {"token_prefix": rows[:, :1].clone(), "token_suffix": rows[:, 1 + n :].clone()}


def whole_clip(backbone: Backbone) -> dict[str, Tensor]:
    """The model as Dassl trainers save it around a prompt learner: fp16 weights, fp32 norms."""
    state = {}
    for name, value in backbone.clip.state_dict().items():
        if name.startswith("token_embedding"):
            continue
        kept = value if "ln_" in name or name == "logit_scale" else value.half()
        if name == "logit_scale":
            state[name] = kept
        elif name.startswith("visual."):
            state["image_encoder." + name.removeprefix("visual.")] = kept
        else:
            state["text_encoder." + name] = kept
    return state


def dassl(path: Path, state: dict[str, Tensor], *, zipped: bool = True, parallel: bool = False) -> Path:
    """Dassl's `save_checkpoint`: beside the weights a live scheduler that holds the live optimiser, as its warm-up wrapper leaves it."""
    weight = torch.nn.Parameter(torch.zeros(2, 3))
    optimiser = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    weight.sum().backward()
    optimiser.step()
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 5)
    named = OrderedDict((f"module.{name}" if parallel else name, value) for name, value in state.items())
    held: dict[str, Any] = {
        "state_dict": named,
        "epoch": 5,
        "optimizer": optimiser.state_dict(),
        "scheduler": {"successor": scheduler, "warmup_epoch": 1, "last_epoch": 5},
        "val_result": 91.25,
    }
    torch.save(held, path, _use_new_zipfile_serialization=zipped)
    return path
