"""What every test lives with: no network, no user's folders, no display, no thread left behind, and a CLIP made in milliseconds."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from torch import Tensor

    from capt_engine.model.classifier import Classifier
    from capt_engine.model.clip import Backbone

_HOME = tempfile.TemporaryDirectory(prefix="capt-tests-")

# Set before any test module is imported, and inherited by the programs that tests start. One thread: the models are so small that
# handing work to a second one costs more than it saves.
os.environ.update(
    {f"XDG_{kind}_HOME": str(Path(_HOME.name) / kind.lower()) for kind in ("CONFIG", "DATA", "CACHE", "STATE")}
)
os.environ["HF_HUB_OFFLINE"] = "1"
# What other packages of this environment add is not ours to test.
os.environ["CAPT_NO_PLUGINS"] = "1"
# A test computes what it looks at; those of the result store turn it on, in a folder of their own.
os.environ["CAPT_NO_CACHE"] = "1"
for _variable in ("CAPT_CACHE_DIR", "CAPT_CACHE_SIZE"):
    os.environ.pop(_variable, None)
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
# A machine that keeps no compiled Python beside its source would compile torch anew in every program that a test starts, and all tests in
# every worker.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
# A shell that starts the tests in the background has interrupts ignored, and the programs that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
# What capt_engine.model.devices sets too; it is read once, at the first matrix product, which may belong to a test that never loads it.
os.environ["MKL_CBWR"] = "AUTO,STRICT"

# Minutes of programs, models and type checks: begun first, so that no worker is left with one of them at the end.
LONG_FIRST = ("flow", "oracles", "house")

TINY_CLASSES = ("a cube", "a sphere", "a cone", "a heart", "a star", "a mug", "a donut")
TINY_CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 16,
        "quick_gelu": False,
        "vision_cfg": {"image_size": 24, "patch_size": 8, "width": 32, "head_width": 16, "layers": 2, "mlp_ratio": 2.0},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
    },
    "preprocess_cfg": {
        "mean": [0.48, 0.46, 0.41],
        "std": [0.27, 0.26, 0.28],
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    },
}

# The same examples on every machine, and no law of theirs about time: workers share cores.
hypothesis.settings.register_profile(
    "house", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long tests first; all others stay in their order."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(here).parts[0] not in LONG_FIRST)


def pytest_unconfigure() -> None:
    """Take away the folders that stood in for the user's."""
    _HOME.cleanup()


class NetworkUsed(BaseException):
    """A test reached for another machine. Not an Exception, so that no code under test can swallow it."""


def _stays_here(address: object) -> bool:
    host = address[0] if isinstance(address, tuple) else address
    return not isinstance(address, tuple) or host in ("localhost", "::1", "") or str(host).startswith("127.")


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Fail a test that connects to anything but this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        yield


def _guarded(real: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, *arguments: Any) -> Any:
        if not _stays_here(arguments[-1]):
            raise NetworkUsed(f"a test reached for {arguments[-1]!r}")
        return real(self, *arguments)

    return guarded


@pytest.fixture(autouse=True)
def no_engine_left() -> Iterator[None]:
    """Fail a test that leaves a thread of ours running: the engine's workers, the reader of a download, the charts' import."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread.name.startswith("capt-") and thread not in before]
    assert not left, "a test left an engine running"


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An open_clip folder holding a seeded, untrained CLIP of two layers a tower, for 24-pixel pictures and 16 tokens."""
    import torch
    from safetensors.torch import save_file

    from capt_engine.model.clip import open_clip

    folder = tmp_path_factory.mktemp("tiny-clip")
    (folder / "open_clip_config.json").write_text(json.dumps(TINY_CONFIG), encoding="utf-8")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        weights = open_clip.CLIP(**TINY_CONFIG["model_cfg"]).state_dict()
    # As sharp as a trained CLIP: at the initial scale of 14 all classes would be nearly equal.
    weights["logit_scale"] = torch.tensor(100.0).log()
    save_file({name: value.contiguous() for name, value in weights.items()}, folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture(scope="session")
def tiny_backbone(tiny_folder: Path) -> Backbone:
    """The tiny CLIP, through the same loader as any other."""
    import torch

    from capt_engine.model.clip import load_backbone

    return load_backbone(f"local-dir:{tiny_folder}", torch.device("cpu"))


@pytest.fixture(scope="session")
def tiny_classifier(tiny_backbone: Backbone) -> Classifier:
    """The tiny CLIP over seven classes."""
    from capt_engine.model.classifier import Classifier

    return Classifier(tiny_backbone, TINY_CLASSES, "a photo of {}.")


@pytest.fixture(scope="session")
def pixels() -> Callable[..., Tensor]:
    """A function of (n, size=24, seed=0): random pictures (n, 3, size, size) in [0, 1], some values at the very ends."""
    import torch

    def draw(n: int, size: int = 24, seed: int = 0) -> Tensor:
        stream = torch.Generator().manual_seed(seed)
        return (torch.rand((n, 3, size, size), generator=stream) * 1.2 - 0.1).clamp(0, 1)

    return draw
