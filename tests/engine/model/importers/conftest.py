"""A CLIP whose towers differ in every size that could be mistaken for another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.model.importers.published import LAYERS, VISION, WIDTH

if TYPE_CHECKING:
    from capt_engine.model.clip import Backbone


@pytest.fixture(scope="session")
def uneven_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An open_clip folder of a seeded CLIP with QuickGELU: three layers, text 32 wide, vision 48 wide, 24 tokens, 24 pixels."""
    import torch
    from safetensors.torch import save_file

    from capt_engine.model.clip import open_clip

    folder = tmp_path_factory.mktemp("uneven-clip")
    vision = {"image_size": 24, "patch_size": 8, "width": VISION, "head_width": 16, "layers": LAYERS, "mlp_ratio": 2.0}
    text = {"context_length": 24, "vocab_size": 49408, "width": WIDTH, "heads": 2, "layers": LAYERS}
    model = {"embed_dim": 16, "quick_gelu": True, "vision_cfg": vision, "text_cfg": text}
    look = {
        "mean": [0.48, 0.46, 0.41],
        "std": [0.27, 0.26, 0.28],
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    }
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model, "preprocess_cfg": look}), "utf-8")
    with torch.random.fork_rng():
        torch.manual_seed(1)
        weights = open_clip.CLIP(**model).state_dict()
    weights["logit_scale"] = torch.tensor(100.0).log()
    weights["token_embedding.weight"] *= 20  # so that words matter beside their places
    # Whatever fp16 cannot hold would differ between a file of fp16 and the model.
    weights = {name: value.half().float().contiguous() for name, value in weights.items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture(scope="session")
def uneven(uneven_folder: Path) -> Backbone:
    """That CLIP, loaded."""
    import torch

    from capt_engine.model.clip import load_backbone

    return load_backbone(f"local-dir:{uneven_folder}", torch.device("cpu"))
