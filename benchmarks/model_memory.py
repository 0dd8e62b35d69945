"""What the offered architectures take on this machine: peak memory and seconds of one attack step, random weights, one thread, fp32.

The figures `memory_mb` of resources/models.toml are the peaks with 8 pictures. Each architecture runs in a process of its own.
"""

from __future__ import annotations

import argparse
import logging
import resource
import subprocess
import sys
import time

ARCHITECTURES = ("ViT-B-32", "ViT-B-16", "ViT-L-14", "MobileCLIP2-S0")


def child(architecture: str, pictures: int) -> None:
    """Build the model, take one gradient step, print."""
    import torch

    from capt_engine.model import imports

    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    open_clip = imports.open_clip()
    if architecture.startswith("MobileCLIP"):
        imports.allow_timm()
    clip = open_clip.create_model(architecture, load_weights=False, pretrained_text=False).eval().requires_grad_(False)
    size = clip.visual.image_size
    side = size if isinstance(size, int) else size[0]
    images = torch.rand(pictures, 3, side, side, requires_grad=True)
    started_s = time.perf_counter()
    torch.autograd.grad(clip.encode_image(images).sum(), images)
    seconds = time.perf_counter() - started_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    parameters = sum(value.numel() for value in clip.parameters())
    print(f"{architecture:<16}{parameters:>13,}{pictures:>5} pictures{peak_mb:>8.0f} MB{seconds:>8.2f} s a step")


def main() -> None:
    """Run each architecture with one picture and with eight."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", nargs=2, metavar=("ARCHITECTURE", "PICTURES"))
    chosen = parser.parse_args().child
    if chosen:
        child(chosen[0], int(chosen[1]))
        return
    for architecture in ARCHITECTURES:
        for pictures in (1, 8):
            subprocess.run([sys.executable, __file__, "--child", architecture, str(pictures)], check=True)


if __name__ == "__main__":
    main()
