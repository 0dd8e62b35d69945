"""The two files of LPIPS: in whatever order and form, and what is refused instead."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.model.importers.lpips import read_lpips
from capt_engine.model.lpips import ALEX, VGG, Net, digest
from tests.engine.model.perceptual import files, random_state


@pytest.fixture
def alex(tmp_path: Path) -> tuple[Path, Path]:
    """AlexNet's two files."""
    return files(tmp_path, ALEX)


@pytest.mark.parametrize("net", [ALEX, VGG], ids=lambda net: net.name)
def test_both_halves_are_found_in_either_order(tmp_path: Path, net: Net) -> None:
    """The network, which is told by its first layer, and the channels; the classifier is left out, both files are named by hash."""
    backbone, linear = files(tmp_path, net)
    found, turned = read_lpips(backbone, linear), read_lpips(linear, backbone)
    assert found.net is turned.net is net
    assert found.state.keys() == net.backbone_shapes.keys() | net.linear_shapes.keys()
    assert digest(found.state) == digest(turned.state) == digest(random_state(net))
    for told, path in ((found.backbone, backbone), (found.linear, linear)):
        assert told == (path.name, hashlib.sha256(path.read_bytes()).hexdigest())
    assert (turned.backbone, turned.linear) == (found.backbone, found.linear)


def test_older_and_safer_forms_are_read(tmp_path: Path, alex: tuple[Path, Path]) -> None:
    """The pickles torch wrote before 1.6, in which the published channels came, and safetensors: the same weights."""
    backbone, linear = alex
    state = random_state(ALEX)
    old = tmp_path / "old.pth"
    torch.save({name: state[name] for name in ALEX.linear_shapes}, old, _use_new_zipfile_serialization=False)
    safer = tmp_path / "alexnet.safetensors"
    safetensors.torch.save_file({name: state[name] for name in ALEX.backbone_shapes}, safer)
    assert digest(read_lpips(safer, old).state) == digest(read_lpips(backbone, linear).state)


@pytest.mark.parametrize(
    ("half", "changes", "words"),
    [
        (0, {"features.3.bias": torch.full((192,), torch.nan)}, "'features.3.bias' that are not finite numbers"),
        (0, {"features.10.bias": None}, "lacks 'features.10.bias'"),
        (0, {"features.3.weight": torch.zeros(192, 64, 3, 3)}, "192×64×3×3; AlexNet's is 192×64×5×5"),
        (0, {"features.12.weight": torch.zeros(2, 2)}, "'features.12.weight', which AlexNet does not have"),
        (0, {"features.0.weight": torch.zeros(96, 3, 7, 7)}, "'net.pth' is neither AlexNet nor VGG16"),
        (0, {"features.0.weight": None}, "'net.pth' is no half of LPIPS; it holds 9 tensors: 'features.0.bias'"),
        (1, {"lin1.model.1.weight": torch.full((1, 192, 1, 1), -2.0)}, "negative weights in 'lin1.model.1.weight'"),
        (1, {"lin5.model.1.weight": torch.ones(1, 512, 1, 1)}, "6 places with 64, 192, 384, 256, 256, 512 channels"),
        (1, {name: torch.ones(shape) for name, shape in VGG.linear_shapes.items()}, "VGG16's; 'net.pth' is AlexNet"),
    ],
)
def test_other_weights_are_refused(tmp_path: Path, half: int, changes: dict[str, Tensor | None], words: str) -> None:
    """One sentence that says what is wrong with which file, and a hint that says which file to take."""
    state = random_state(ALEX)
    halves = [{name: state[name] for name in shapes} for shapes in (ALEX.backbone_shapes, ALEX.linear_shapes)]
    spoilt = {**halves[half], **changes}
    halves[half] = {name: value for name, value in spoilt.items() if value is not None}
    for one, name in zip(halves, ("net.pth", "lin.pth"), strict=True):
        torch.save(one, tmp_path / name)
    with pytest.raises(BadCheckpoint) as refused:
        read_lpips(tmp_path / "net.pth", tmp_path / "lin.pth")
    assert words in refused.value.message
    assert refused.value.hint


def test_what_is_no_checkpoint_is_refused(tmp_path: Path, alex: tuple[Path, Path]) -> None:
    """Twice the same half, no file, a web page, a file that ends early, and one that would run a program: none of it is run."""

    class Evil:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    backbone, linear = alex
    (tmp_path / "page.pth").write_bytes(b"<!DOCTYPE html><html></html>")
    (tmp_path / "short.pth").write_bytes(backbone.read_bytes()[:100_000])
    torch.save({"lin0.model.1.weight": torch.ones(1, 64, 1, 1), "x": Evil()}, tmp_path / "evil.pth")
    for one, other, words in (
        (linear, linear, "both hold weights of channels"),
        (backbone, backbone, "both hold a network"),
        (backbone, tmp_path / "none.pth", "There is no file"),
        (tmp_path / "page.pth", linear, "is a web page"),
        (tmp_path / "short.pth", linear, "is damaged"),
        (backbone, tmp_path / "evil.pth", "nothing was run"),
    ):
        with pytest.raises(BadCheckpoint) as refused:
            read_lpips(one, other)
        assert words in str(refused.value)
        assert refused.value.hint
    assert not (tmp_path / "ran").exists()
