"""A device is one that is there, or a sentence."""

from __future__ import annotations

import pytest
import torch

from capt_engine.errors import DeviceProblem
from capt_engine.model.devices import describe_device, pick_device


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any accelerator."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("bare")
def test_a_bare_machine_computes_on_its_processor() -> None:
    """Auto finds the CPU, and the CPU can be asked for."""
    assert pick_device("auto").type == pick_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["cuda", "mps", "tpu", ""])
@pytest.mark.usefixtures("bare")
def test_what_is_not_there_is_refused(name: str) -> None:
    """Nobody computes elsewhere in silence than where the user said."""
    with pytest.raises(DeviceProblem) as caught:
        pick_device(name)
    assert caught.value.hint.endswith(".")


def test_auto_prefers_the_fastest(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA before Apple's GPU before the processor."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto").type == pick_device("mps").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device("auto").type == pick_device("cuda").type == "cuda"


def test_the_processor_describes_itself() -> None:
    """Its threads are counted in words."""
    info = describe_device(torch.device("cpu"))
    assert (info.name, info.memory_bytes) == ("cpu", None)
    assert info.label.startswith(f"CPU, {torch.get_num_threads()} thread")
