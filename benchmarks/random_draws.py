"""Random values of pictures: Philox in tensor operations beside torch's own generators, on any device.

Both fill the same tensor, in turns; each round gives one ratio, and the median of the rounds is shown with their range.
"""

from __future__ import annotations

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch, as in the program

# isort: split

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from capt_engine.attacks.base import PictureRngs


def seconds(draw: Callable[[], object], device: torch.device) -> float:
    """The time of one draw, with the device's queue empty before and after."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    started_s = time.perf_counter()
    draw()
    wait()
    return time.perf_counter() - started_s


def compare(name: str, ours: Callable[[], Tensor], theirs: Callable[[], Tensor], rounds: int) -> None:
    """Print both times for one value, and their ratio."""
    like = ours()
    theirs()
    pairs = [(seconds(ours, like.device), seconds(theirs, like.device)) for _ in range(rounds)]
    ratios = sorted(one / other for one, other in pairs)
    ns = [statistics.median(column) / like.numel() * 1e9 for column in zip(*pairs, strict=True)]
    spread = f"{ratios[0]:.1f} to {ratios[-1]:.1f}"
    print(f"{name:34} {ns[0]:9.2f} ns {ns[1]:9.2f} ns   × {statistics.median(ratios):.1f} ({spread})")


def main() -> None:
    """Draw for a batch of pictures, a single picture, and five numbers a picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=11)
    args = parser.parse_args()
    device = torch.device(args.device)
    print(f"torch {torch.__version__}, {device}, {torch.get_num_threads()} threads; a value: Philox, torch, ratio")
    side = (3, args.side, args.side)
    for name, shape in (
        (f"{args.pictures} pictures of {args.side} pixels", (args.pictures, *side)),
        (f"1 picture of {args.side} pixels", (1, *side)),
        (f"5 numbers for each of {args.pictures}", (args.pictures, 5)),
    ):
        like = torch.empty(shape, device=device)
        rngs = PictureRngs.of(0, [str(i) for i in range(len(like))])
        compare(
            f"uniform, {name}",
            lambda rngs=rngs, like=like: rngs.uniform(like),
            lambda like=like: torch.rand_like(like),
            args.rounds,
        )
        compare(
            f"normal, {name}",
            lambda rngs=rngs, like=like: rngs.normal(like),
            lambda like=like: torch.randn_like(like),
            args.rounds,
        )


if __name__ == "__main__":
    main()
