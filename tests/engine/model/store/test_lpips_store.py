"""Where LPIPS weights are kept: whole or not at all, never over others, and never used once they have changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch

from capt_engine.errors import BadCheckpoint, BadRequest, UnknownName
from capt_engine.folders import lpips_dir
from capt_engine.jobs import catalogue
from capt_engine.model.importers.lpips import LpipsWeights, read_lpips
from capt_engine.model.lpips import ALEX, NETS, digest
from capt_engine.model.store import lpips_store
from capt_engine.records import LPIPS_NETS
from tests.engine.model.perceptual import files, random_state

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of this test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data-home"))


@pytest.fixture
def weights(tmp_path: Path) -> LpipsWeights:
    """AlexNet's, as they are read from two files."""
    return read_lpips(*files(tmp_path, ALEX))


def test_every_network_can_be_asked_for() -> None:
    """The names that a request may use are those of the networks, the cheap one first."""
    assert tuple(NETS) == LPIPS_NETS


def test_what_was_installed_is_what_is_loaded(weights: LpipsWeights) -> None:
    """The same weights, named by the hash of their values and of both files."""
    assert lpips_store.names() == ()
    one = lpips_store.install(weights)
    assert lpips_store.names() == catalogue.catalogue().lpips == ("alex",)
    assert [path.name for path in lpips_dir().iterdir()] == ["alex.safetensors"]
    found = lpips_store.load("alex", CPU)
    assert found.facts == {
        "net": "alex",
        "sha256": digest(random_state(ALEX)),
        "backbone_sha256": weights.backbone[1],
        "linear_sha256": weights.linear[1],
    }
    assert one.facts["backbone"] == ALEX.file
    assert lpips_store.remove("alex") == one.path
    assert lpips_store.names() == ()


def test_nothing_is_written_over(weights: LpipsWeights) -> None:
    """A second import of the same network is refused, and the first stays as it was."""
    path = lpips_store.install(weights).path
    before = path.read_bytes()
    with pytest.raises(BadRequest, match="capt lpips remove alex"):
        lpips_store.install(weights)
    assert path.read_bytes() == before
    assert len(list(lpips_dir().iterdir())) == 1


def test_absent_weights_say_how_to_bring_them(weights: LpipsWeights) -> None:
    """And which others are here; a network that is none gets the names of those that are."""
    with pytest.raises(BadCheckpoint, match="none are shipped and none are fetched"):
        lpips_store.load("alex", CPU)
    lpips_store.install(weights)
    with pytest.raises(BadCheckpoint) as refused:
        lpips_store.load("vgg", CPU)
    assert "capt lpips import vgg16-397923af.pth vgg.pth" in refused.value.hint
    assert "--lpips alex" in refused.value.hint
    with pytest.raises(UnknownName):
        lpips_store.path_of("../alex")


def test_a_changed_or_damaged_file_is_not_used(weights: LpipsWeights) -> None:
    """One bit, a shortened file, foreign contents, another network's file: each is refused, with what to do."""
    path = lpips_store.install(weights).path
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[-3] ^= 1
    foreign = safetensors.torch.save({"a": torch.zeros(3)})
    spoilt = dict(lpips_store.stored("alex").facts)
    hollow = safetensors.torch.save({"a": torch.zeros(3)}, spoilt)
    for content in (bytes(flipped), whole[:-100], whole[:50], b"", foreign, hollow):
        path.write_bytes(content)
        with pytest.raises(BadCheckpoint) as refused:
            lpips_store.load("alex", CPU)
        assert "capt lpips remove" in refused.value.hint
    (lpips_dir() / "vgg.safetensors").write_bytes(whole)
    with pytest.raises(BadCheckpoint, match="VGG16"):
        lpips_store.load("vgg", CPU)
    path.write_bytes(whole)
    assert lpips_store.load("alex", CPU).sha256 == digest(weights.state)
