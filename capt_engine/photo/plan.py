"""The settings that decide which weights come out of a training run of the photograph model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SIZE = 224
CONTEXT_LENGTH = 32
VOCAB_SIZE = 49408
TOKENS_A_SIDE = 7
MEAN, STD = 127 / 255, 128 / 255
PREPROCESS = {
    "mean": [MEAN] * 3,
    "std": [STD] * 3,
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


@dataclass(frozen=True)
class Plan:
    """Seed, sizes and steps; the steps of a stage decide its learning rates, so a run is resumed under the same plan only."""

    seed: int = 0
    crops: int = 8
    width: int = 384
    heads: int = 6
    image_layers: int = 2
    text_layers: int = 2
    joint_steps: int = 1500
    text_steps: int = 2000
    tower_steps: int = 600

    def model_cfg(self) -> dict[str, Any]:
        """The architecture as open_clip writes it."""
        return {
            "embed_dim": self.width,
            "quick_gelu": False,
            "vision_cfg": {
                "image_size": SIZE,
                "patch_size": SIZE // TOKENS_A_SIDE,
                "width": self.width,
                "head_width": self.width // self.heads,
                "layers": self.image_layers,
                "mlp_ratio": 4.0,
                "no_ln_pre": True,
                "pool_type": "avg",
                "final_ln_after_pool": True,
            },
            "text_cfg": {
                "context_length": CONTEXT_LENGTH,
                "vocab_size": VOCAB_SIZE,
                "width": self.width,
                "heads": self.heads,
                "layers": self.text_layers,
            },
        }
