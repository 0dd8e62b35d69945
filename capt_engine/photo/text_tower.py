"""Stage 2: a text tower that sends each name, in any sentence, to its target vector in the joint space."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from numpy.random import PCG64, Generator
from torch import Tensor, nn

from capt_engine.model import imports
from capt_engine.photo.captions import TEMPLATES, names
from capt_engine.photo.plan import CONTEXT_LENGTH, Plan
from capt_engine.photo.stage import Stage
from capt_engine.progress import Progress

open_clip = imports.open_clip()

_BATCH = 256
_SCALE, _COSINE = 40.0, 4.0
_LR, _WEIGHT_DECAY = 2e-3, 0.02
_CLASS_SHARE, _USUAL_SHARE, _UNKNOWN_SHARE = 0.3, 0.5, 0.01
_STREAM = 2


class TextTower:
    """The text half of a CLIP, whose token table has a row for each token of the training sentences and one for all others."""

    def __init__(self, plan: Plan, clip: nn.Module, vectors: Tensor) -> None:
        """clip: open_clip's, untrained; its table is replaced by a short one. vectors (targets, width): where the names belong."""
        self._plan, self._clip, self._vectors = plan, clip, F.normalize(vectors, dim=1)
        self.ids = torch.tensor(trained_tokens())
        self._row = {token: row for row, token in enumerate(self.ids.tolist())}
        self._named = [target for target, some in enumerate(names()) if some]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(plan.seed)
            table = nn.Embedding(len(self.ids) + 1, plan.width)
            nn.init.normal_(table.weight, std=0.02)
        clip.token_embedding = table

    def train(self, checkpoint: Path, progress: Progress) -> None:
        """Train the tower."""
        tensors = {
            name: value
            for name, value in self._clip.named_parameters()
            if not name.startswith("visual.") and name != "logit_scale"
        }
        for value in tensors.values():
            value.requires_grad_()
        lr = {name.split(".")[0]: _LR for name in tensors}
        stage = Stage("text", self._plan, self._plan.text_steps, tensors, lr, weight_decay=_WEIGHT_DECAY, warm_up=100)
        stage.run(self._loss, checkpoint, progress)
        for value in tensors.values():
            value.requires_grad_(False)

    def encode(self, sentences: Sequence[str], unknown: Generator | None = None) -> Tensor:
        """Unit features (n, width) of sentences; `unknown` replaces a few tokens by one that was never trained."""
        clip: Any = self._clip
        rows = [_tokens(one) for one in sentences]
        length = max(map(len, rows))
        ids = torch.tensor([[self._row[one] for one in row] + [0] * (length - len(row)) for row in rows])
        ends = torch.tensor([len(row) - 1 for row in rows])
        if unknown is not None:
            lost = torch.from_numpy(unknown.random(ids.shape) < _UNKNOWN_SHARE)
            lost[:, 0] = False
            lost[torch.arange(len(rows)), ends] = False
            ids = ids.masked_fill(lost, len(self.ids))
        x = clip.token_embedding(ids) + clip.positional_embedding[:length]
        x = clip.ln_final(clip.transformer(x, attn_mask=clip.attn_mask[:length, :length]))
        return F.normalize(x[torch.arange(len(rows)), ends] @ clip.text_projection, dim=-1)

    def _loss(self, step: int) -> Tensor:
        rng = Generator(PCG64([self._plan.seed, _STREAM, step]))
        wanted, sentences = [], []
        for _ in range(_BATCH):
            any_class = rng.random() < _CLASS_SHARE
            target = int(rng.integers(1000)) if any_class else self._named[int(rng.integers(len(self._named)))]
            mine = names()[target]
            name = mine[0] if rng.random() < _USUAL_SHARE else mine[int(rng.integers(len(mine)))]
            wanted.append(target)
            sentences.append(TEMPLATES[int(rng.integers(len(TEMPLATES)))].format(name))
        target_of = torch.tensor(wanted)
        encoded = self.encode(sentences, rng)
        cosine = (encoded * self._vectors[target_of]).sum(1)
        apart = F.cross_entropy(_SCALE * encoded @ self._vectors[self._named].T, self._column(target_of))
        return apart + _COSINE * (1 - cosine).mean()

    def _column(self, targets: Tensor) -> Tensor:
        column = torch.full((len(self._vectors),), -1)
        column[self._named] = torch.arange(len(self._named))
        return column[targets]


@lru_cache(maxsize=1)
def trained_tokens() -> tuple[int, ...]:
    """Every token of every name in every sentence, in ascending order."""
    sentences = {template.format(name) for template in TEMPLATES for some in names() for name in some}
    return tuple(sorted({token for one in sentences for token in _tokens(one)}))


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    return open_clip.SimpleTokenizer(context_length=CONTEXT_LENGTH)


@cache
def _tokens(sentence: str) -> tuple[int, ...]:
    row = _tokenizer()(sentence)[0]
    return tuple(row[: int(row.argmax()) + 1].tolist())
