"""open_clip comes without what this program never runs, and everything left out still works for those who ask."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LEAN = """
import os, sys, warnings
warnings.simplefilter("ignore")
os.environ.pop("MKL_CBWR", None)
from capt_engine.jobs.worker_threads import science
from capt_engine.records import EngineReady
events = []
handler = science("cpu", events.append)
assert any(isinstance(one, EngineReady) and one.catalogue.prompts for one in events)
assert "open_clip" in sys.modules
for name in ("torch._dynamo", "sympy", "timm", "transformers", "torchvision.models", "huggingface_hub"):
    assert name not in sys.modules, name
assert os.environ["MKL_CBWR"] == "AUTO,STRICT"
import open_clip
assert sys.modules.get("timm", 0) is not None
"""

REST = """
import sys, warnings
warnings.simplefilter("ignore")
from capt_engine.model import imports
open_clip = imports.open_clip()
import torch, torchvision
boxes = torch.tensor([[0.0, 0.0, 0.0, 4.0, 4.0]])
ramp = torch.arange(64.0).view(1, 1, 8, 8)
assert torchvision.ops.roi_align(ramp, boxes, 2, aligned=True).tolist() == [[[[4.5, 6.5], [20.5, 22.5]]]]
double = torch.compile(lambda x: x * 2, backend="eager")
assert double(torch.ones(3)).tolist() == [2, 2, 2]
assert torchvision.models.resnet18().fc.out_features == 1000
from torchvision.datasets import ImageFolder
import huggingface_hub
assert open_clip.pretrained.hf_hub_download.func is not huggingface_hub.hf_hub_download
try:
    open_clip.pretrained.hf_hub_download("no/such\\0name", "x", local_files_only=True)
except huggingface_hub.errors.HFValidationError:
    pass
else:
    raise AssertionError("the real function was not called")
assert "torch._dynamo" in sys.modules
assert sys.modules["torch._dynamo"].__spec__ is not None
imports.allow_timm()
tower = open_clip.timm_model.TimmModel("resnet10t", embed_dim=8, image_size=32, pretrained=False).eval()
assert tower(torch.zeros(1, 3, 32, 32)).shape == (1, 8)
"""


def run(program: str) -> None:
    """Run a program in an interpreter that has loaded nothing yet."""
    done = subprocess.run(
        [sys.executable, "-c", program], env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_worker_loads_no_compiler_and_no_timm() -> None:
    """Seconds of start-up are saved, and the flag that keeps rows independent of their neighbours is set in time."""
    run(LEAN)


@pytest.mark.heavy
def test_what_was_left_out_still_works() -> None:
    """torchvision's operators, torch.compile and timm's towers work after the lean import."""
    run(REST)
