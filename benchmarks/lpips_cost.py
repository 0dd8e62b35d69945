"""What LPIPS adds to a row: its time beside one forward pass, and one attack step, of the demo model and of a ViT-B/32.

Weights cannot change how long a pass takes, so random ones serve; nothing is fetched. Eight pictures, the fastest of several rounds.
"""

from __future__ import annotations

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch, as in the program

# isort: split

import argparse
import logging
import time
from collections.abc import Callable

import torch

from capt_engine.model import imports
from capt_engine.model.clip import load_backbone
from capt_engine.model.devices import describe_device, pick_device
from capt_engine.model.lpips import NETS, Lpips

_PICTURES = 8


def fastest_ms(work: Callable[[], object], rounds: int, device: torch.device) -> float:
    """Milliseconds a picture, after one round that does not count."""
    found = []
    for _ in range(rounds + 1):
        started_s = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        found.append(time.perf_counter() - started_s)
    return 1000 * min(found[1:]) / _PICTURES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    logging.disable(logging.WARNING)  # open_clip remarks that the weights are random
    device = pick_device(args.device)
    torch.manual_seed(0)
    vit = imports.open_clip().create_model("ViT-B-32", load_weights=False).visual.eval().to(device)
    towers = (("demo", 64, load_backbone("demo", device).clip.visual), ("ViT-B/32", 224, vit))
    print(describe_device(device).label)
    for name, size, tower in towers:
        tower.requires_grad_(requires_grad=False)
        images = torch.rand((_PICTURES, 3, size, size), device=device)
        others = (images + 0.02 * torch.randn_like(images)).clamp(0, 1)
        moved = images.clone().requires_grad_()
        with torch.no_grad():
            forward = fastest_ms(lambda tower=tower, images=images: tower(images), args.rounds, device)
        step = fastest_ms(
            lambda tower=tower, moved=moved: torch.autograd.grad(tower(moved).sum(), moved), args.rounds, device
        )
        print(f"{name}, {size} pixels: forward pass {forward:.2f} ms a picture, attack step {step:.2f} ms")
        for net in NETS.values():
            shapes = {**net.backbone_shapes, **net.linear_shapes}
            lpips = Lpips(net, {key: 0.02 * torch.rand(shape) for key, shape in shapes.items()}, device)
            row = fastest_ms(lambda lpips=lpips, x=images, y=others: lpips(x, y), args.rounds, device)
            print(f"    LPIPS on {net.label}: {row:.2f} ms a row = {row / forward:.1f} passes = {row / step:.2f} steps")


if __name__ == "__main__":
    main()
