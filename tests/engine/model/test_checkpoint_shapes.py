"""Shapes that only imported prompts have, on disk: they come back, make sense together, and leave other files as they were."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from capt_engine.errors import BadCheckpoint
from capt_engine.model.checkpoints import Document, MadeFor, load, read, save
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import Prompts, PromptShape, TowerSizes

CLASSES = ("a cube", "a mug", "a star")


def saved(backbone: Backbone, path: Path, shape: PromptShape, classes: tuple[str, ...] = CLASSES) -> Path:
    """Blank prompts of a shape."""
    document = Document("coop", MadeFor.of(backbone), shape, "{}.", classes=classes)
    save(path, Prompts.blank(TowerSizes.of(backbone), shape), document)
    return path


def described(path: Path) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Header, document and values of a file."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    return header, json.loads(header["__metadata__"]["capt_prompts"]), content[8 + length :]


@pytest.mark.parametrize(
    "shape",
    [
        PromptShape("text_only", 3, 1, "middle"),
        PromptShape("text_only", 3, 1, "front", n_classes=3),
        PromptShape("independent", 3, 1, vision_n_ctx=2, vision_depth=2),
        PromptShape("vision_only", 3, 1, frame=24),
    ],
)
def test_an_imported_shape_comes_back(tiny_backbone: Backbone, tmp_path: Path, shape: PromptShape) -> None:
    """Position, own classes, another length and depth in the image tower, and a frame."""
    prompts, document = load(saved(tiny_backbone, tmp_path / "p.safetensors", shape), tiny_backbone)
    assert document.shape == prompts.shape == shape
    assert prompts.classes == (CLASSES if shape.n_classes else ())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"position": "behind"}, "no class position"),
        ({"position": "front"}, "cannot be"),
        ({"n_classes": 2}, "cannot be"),
        ({"n_classes": 3}, "cannot be"),
        ({"frame": -1}, "cannot be"),
        ({"frame": 24}, "cannot be"),
        ({"vision_n_ctx": 1 << 40}, "expected `int` <= 1024"),
        ({"vision_depth": 1}, "cannot be"),
        ({"vision_depth": True}, "expected `int`"),
        ({"elsewhere": 1}, "unknown field"),
        ({"coupling": "text_only", "n_ctx": 3, "depth": 1, "n_classes": 2}, "does not name the classes"),
    ],
)
def test_shapes_that_cannot_be_are_refused(
    tiny_backbone: Backbone, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    """What a description says must make sense together."""
    path = saved(tiny_backbone, tmp_path / "p.safetensors", PromptShape("vision_to_text", 3, 2))
    header, document, values = described(path)
    document["shape"] |= change
    header["__metadata__"]["capt_prompts"] = json.dumps(document)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + values)
    with pytest.raises(BadCheckpoint, match=told):
        read(path)


def test_a_usual_shape_is_written_as_before(tiny_backbone: Backbone, tmp_path: Path) -> None:
    """A file of ours does not mention what only imported ones have, so that its bytes are those of earlier versions."""
    _, document, _ = described(saved(tiny_backbone, tmp_path / "p.safetensors", PromptShape("vision_to_text", 3, 2)))
    assert document["shape"] == {"coupling": "vision_to_text", "n_ctx": 3, "depth": 2}


def test_a_frame_of_another_size_is_refused(tiny_backbone: Backbone, tmp_path: Path) -> None:
    """Values for every pixel fit only pictures of their size."""
    path = saved(tiny_backbone, tmp_path / "p.safetensors", PromptShape("vision_only", 2, 1, frame=30))
    with pytest.raises(BadCheckpoint, match="30 pixels"):
        load(path, tiny_backbone)
