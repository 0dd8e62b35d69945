"""What tests of tuning share: a folder of coloured pictures, and one short run on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capt_engine.model.clip import Backbone
from capt_engine.records import TuneRequest, TuneResult
from capt_engine.tuning.callbacks import News
from capt_engine.tuning.run import tune

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}


@dataclass
class Runs:
    """Runs requests on the tiny CLIP and keeps what was told."""

    backbone: Backbone
    folder: Path
    out: Path
    news: list[News] = field(default_factory=list)

    def request(self, **changes: object) -> TuneRequest:
        """A short run: one shot a class, two epochs."""
        given: dict[str, object] = {
            "data": str(self.folder),
            "out": str(self.out),
            "shots": 2,
            "epochs": 2,
            "batch_size": 3,
            "depth": 2,
            "eps": 4 / 255,
            "lr": 0.02,
        }
        return TuneRequest(**(given | changes))  # type: ignore[arg-type]

    def __call__(
        self,
        progress: Callable[..., None] = lambda *_: None,
        backbone: Backbone | None = None,
        load: Callable[[str], Backbone] | None = None,
        **changes: object,
    ) -> TuneResult:
        """Run to the end."""
        self.news.clear()
        return tune(
            self.request(**changes),
            backbone or self.backbone,
            load or (lambda _: self.backbone),
            self.news.append,
            progress,
        )

    def bytes_of(self, name: str, **changes: object) -> bytes:
        """What an unbroken run writes to a file of this name."""
        out = self.out.with_name(name)
        self(out=str(out), **changes)
        return out.read_bytes()


def write_pictures(folder: Path, per_class: int, seed: int = 0) -> None:
    """Class folders of noisy pictures of one colour each."""
    rng = np.random.default_rng(seed)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for i in range(per_class):
            noise = rng.integers(-40, 40, (26, 30, 3))
            Image.fromarray((np.array(colour) + noise).clip(0, 255).astype(np.uint8)).save(folder / name / f"{i}.png")


@pytest.fixture
def runs(tiny_backbone: Backbone, tmp_path: Path) -> Runs:
    """Six pictures of each of three classes, undivided, and what tunes on them."""
    write_pictures(tmp_path / "colours", 6)
    return Runs(tiny_backbone, tmp_path / "colours", tmp_path / "p.safetensors")
