"""Typographic attack: a wrong class name printed on the picture.

A model that learned to read may believe it (Goh et al. 2021, Multimodal Neurons; Materzyńska et al. 2022, arXiv 2206.07835).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.gradients import ProgressCounter
from capt_engine.attacks.losses import without_label
from capt_engine.attacks.settings import stop_param
from capt_engine.attacks.worst import Worst
from capt_engine.errors import BadRequest
from capt_engine.formatting import exact_percent
from capt_engine.progress import Progress
from capt_engine.registry import param
from capt_engine.resources import resource

_PLACES = {"anywhere": None, "top": 0.0, "middle": 0.5, "bottom": 1.0}
_WIDEST = 0.96
_SMALLEST_PT = 4


@dataclass(frozen=True)
class Typographic(Attack):
    """Prints the target, or the wrong classes that the model finds likeliest, at several places, and keeps the worst.

    Needs a model with `classes`, one name a class. Cost: words × places forward passes, and one of the clean pictures.
    """

    name = "typographic"
    label = "Typographic"
    summary = "Pastes a printed wrong label on the picture: anyone can see it, and some models read instead of look."
    knowledge = "scores"
    norms = ()

    size: float = param(
        0.15,
        "Height",
        low=0.02,
        high=1.0,
        help="The label's height as a share of the picture's; long names are set smaller to fit.",
    )
    opacity: float = param(1.0, "Opacity", low=0.0, high=1.0, help="1 hides what is under the label, 0 cannot be seen.")
    places: int = param(
        8, "Places", low=1, high=1_000, help="How many places are tried; the one that hurts most is kept."
    )
    place: str = param(
        "anywhere",
        "Where",
        choices=tuple(_PLACES),
        help="In which row of the picture; along the row it may stand anywhere.",
    )
    words: int = param(
        1,
        "Words",
        low=1,
        high=1_000,
        help="Wrong class names tried, likeliest first; only the target where there is one.",
    )
    paper: bool = param(True, "On paper", help="Black on a white label; otherwise black letters with a white rim.")
    control: bool = param(
        False, "Print the right name", help="A control: what a label does merely by covering a part of the picture."
    )
    stop_early: bool = stop_param()

    @property
    def work(self) -> int:
        """Return how often `run` calls `progress` for one batch at most: words × places."""
        return self.words * self.places

    @property
    def budget(self) -> str:
        """Return the label in words, as no ε bounds it: "a class name printed 15 % of the picture high, worst of 8"."""
        seen = "" if self.opacity == 1 else f", opacity {self.opacity:.3g}"
        name = "the right class name" if self.control else "a class name"
        return f"{name} printed {exact_percent(self.size)} of the picture high{seen}, worst of {self.work}"

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Attack one batch by printing class names on each picture, and keep the print that hurts most.

        Args:
            model: pixels (n, 3, h, w) in [0, 1] → logits (n, k), with `classes`, one name a class.
            images: the clean pictures, (n, 3, h, w) in [0, 1].
            labels: class indices (n,) to get away from; when `threat.targeted`, the classes to reach.
            threat: only its goal counts; norm and budget are not used.
            rngs: one random stream per picture.
            progress: called `work` times at most; an exception that it raises ends the attack.

        Returns:
            Adversarial pictures (n, 3, h, w) in [0, 1]; the clean picture where nothing better was found.

        Raises:
            BadRequest: the model has no class names.
        """
        names: Sequence[str] | None = getattr(model, "classes", None)
        if not names:
            raise BadRequest(
                "The typographic attack prints class names, and this model has none.",
                "Give it a model with `classes`, one name a class, or choose another attack.",
            )
        criterion, counter = Criterion(labels, threat.targeted), ProgressCounter(progress, self.work)
        worst = Worst(model, images, criterion)
        printed = self._printed(worst.clean_logits, labels, threat.targeted)
        for rank in range(printed.shape[1]):
            for place in range(self.places):
                # Drawn for every picture, finished or not, so that what a picture gets does not depend on the others.
                chance = rngs.uniform(images[:, 0, 0, :1].expand(-1, 2))
                active = worst.active(self.stop_early)
                if not len(active):
                    return worst.pictures
                counter(f"place {place + 1} of {self.places}")
                labelled = [
                    self._with_label(images[i], names[int(printed[i, rank])], chance[i]) for i in active.tolist()
                ]
                worst.try_out(torch.stack(labelled), active)
        return worst.pictures

    def _printed(self, clean: Tensor, labels: Tensor, targeted: bool) -> Tensor:
        """The classes whose names are printed on each picture, first things first, (n, up to words)."""
        if self.control:
            return clean.argmax(dim=1)[:, None] if targeted else labels[:, None]
        if targeted:
            return labels[:, None]
        return without_label(clean, labels).topk(min(self.words, clean.shape[1] - 1)).indices

    def _with_label(self, picture: Tensor, word: str, chance: Tensor) -> Tensor:
        """The picture (3, h, w) with the word on it, at a place by chance (2,) in [0, 1)."""
        height, width = picture.shape[1:]
        label = printed_label(word, max(1, round(self.size * height)), width, self.paper).to(picture)
        high, wide = label.shape[1:]
        row = _PLACES[self.place]
        top = int((float(chance[0]) if row is None else row) * (height - high + (row is None)))
        start = int(float(chance[1]) * (width - wide + 1))
        under = picture[:, top : top + high, start : start + wide]
        cover = label[3:] * self.opacity
        result = picture.clone()
        result[:, top : top + high, start : start + wide] = under * (1 - cover) + label[:3] * cover
        return result.clamp(0, 1)


@lru_cache(maxsize=2_048)
def printed_label(word: str, height: int, room: int, paper: bool) -> Tensor:
    """Print a word as a label: as high as asked, or smaller where it would be too wide.

    Args:
        word: the text.
        height: the label's height in pixels, at most.
        room: the picture's width in pixels, which the label stays within; what does not fit in the smallest letters is
            cut off.
        paper: True for black letters on white, False for black letters with a white rim on nothing.

    Returns:
        Red, green, blue and cover, (4, ≤ height, ≤ room), in [0, 1]; a cached tensor, not to be changed.
    """
    bold = resource("fonts", "DejaVuSans-Bold.ttf")
    for points in range(max(height, _SMALLEST_PT), _SMALLEST_PT - 1, -1):
        font = ImageFont.truetype(bold, points)
        rim = 0 if paper else max(1, points // 12)
        left, top, right, bottom = font.getbbox(word, stroke_width=rim)
        margin = max(1, points // 6) if paper else 0
        wide, high = round(right - left) + 2 * margin, round(bottom - top) + 2 * margin
        if high <= height and wide <= max(_WIDEST * room, 1):
            break
    sheet = Image.new("RGBA", (max(wide, 1), max(high, 1)), (255, 255, 255, 255 if paper else 0))
    ImageDraw.Draw(sheet).text(
        (margin - left, margin - top), word, font=font, fill="black", stroke_width=rim, stroke_fill="white"
    )
    # What does not fit even in the smallest letters is cut off, as it would be by the edge of a real label.
    sheet = sheet.crop((0, 0, min(wide, room), min(high, height)))
    return torch.from_numpy(np.asarray(sheet).copy()).permute(2, 0, 1).float() / 255
