"""ViT-B/32 and ViT-B/16 with random weights, saved as open_clip folders: loading, time per PGD step, peak memory.

Weights cannot change how long a step takes, so random ones serve; each model runs in a process of its own, so that peaks do not mix.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def write_folder(arch: str, folder: Path) -> None:
    """An open_clip folder of that architecture with random weights."""
    import torch
    from safetensors.torch import save_file

    from capt_engine.model import imports

    open_clip = imports.open_clip()
    torch.manual_seed(0)
    model = open_clip.create_model(arch, load_weights=False)
    folder.mkdir(parents=True)
    save_file(
        {name: value.contiguous() for name, value in model.state_dict().items()}, folder / "open_clip_model.safetensors"
    )
    config = {"model_cfg": open_clip.get_model_config(arch), "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))


def child(folder: str, steps: int, pictures: int) -> None:
    """Load, attack random pictures, print."""
    import torch

    from capt_engine.attacks.base import PictureRngs, Threat
    from capt_engine.attacks.pgd import PGD
    from capt_engine.model.classifier import Classifier
    from capt_engine.model.clip import load_backbone
    from capt_engine.model.devices import describe_device, pick_device

    device = pick_device("auto")
    started_s = time.perf_counter()
    backbone = load_backbone(f"local-dir:{folder}", device)
    loaded_s = time.perf_counter()
    classifier = Classifier(backbone, [f"thing {i}" for i in range(100)], "a photo of a {}.")
    encoded_s = time.perf_counter()
    images = torch.rand(pictures, 3, classifier.size, classifier.size, generator=torch.Generator().manual_seed(0)).to(
        device
    )
    labels = classifier(images).argmax(dim=1)
    stamps: list[float] = []
    PGD(steps=steps).run(
        classifier,
        images,
        labels,
        Threat(),
        PictureRngs.of(0, [str(i) for i in range(pictures)]),
        lambda *_: stamps.append(time.perf_counter()),
    )
    gaps = sorted(after - before for before, after in itertools.pairwise(stamps[1:]))
    peak = (
        torch.cuda.max_memory_allocated() / 2**30
        if device.type == "cuda"
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    )
    print(
        f"{describe_device(device).label}: load {loaded_s - started_s:.1f} s, text of 100 classes {encoded_s - loaded_s:.2f} s, "
        f"PGD step for {pictures} pictures {1000 * gaps[len(gaps) // 2]:.0f} ms "
        f"(fastest {1000 * gaps[0]:.0f}, slowest {1000 * gaps[-1]:.0f}), peak {peak:.2f} GiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", nargs="+", default=["ViT-B-32", "ViT-B-16"])
    parser.add_argument("--pictures", type=int, default=1)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--keep", type=Path, help="keep the model folders here")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.child, args.steps, args.pictures)
        return
    with tempfile.TemporaryDirectory() as place:
        for arch in args.arch:
            folder = (args.keep or Path(place)) / arch
            if not folder.exists():
                write_folder(arch, folder)
            command = [
                sys.executable,
                __file__,
                "--child",
                str(folder),
                "--steps",
                str(args.steps),
                "--pictures",
                str(args.pictures),
            ]
            print(
                arch,
                "·",
                subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip(),
                flush=True,
            )


if __name__ == "__main__":
    main()
