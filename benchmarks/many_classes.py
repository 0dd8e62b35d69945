"""Tuning on 1,000 classes with one picture each, ViT-B/32 with random weights: peak memory and time of a step.

Text is what grows with the classes; the pictures are all held, as in a real run. The tuning runs in a process of its own.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from full_size import write_folder

TEMPLATE = "a photo of a {}."
LIMIT_GIB = 16


def child(folder: str, classes: int, batch: int, attack_steps: int, steps: int) -> None:
    """Compute the reference logits, take the steps, print."""
    import torch

    from capt_engine.attacks.base import LINF, Threat
    from capt_engine.data.class_lists import IMAGENET, names_of
    from capt_engine.errors import Cancelled
    from capt_engine.model.clip import load_backbone
    from capt_engine.model.prompts import Prompts, PromptShape, PromptTokens
    from capt_engine.model.text import sentences
    from capt_engine.tuning.inner_attack import InnerAttack
    from capt_engine.tuning.loop import Recipe, Reference, Tuning
    from capt_engine.tuning.objective import OBJECTIVES, Settings
    from capt_engine.tuning.prompted import PromptedClip, PromptLearner

    backbone = load_backbone(f"local-dir:{folder}", torch.device("cpu"))
    known = names_of(IMAGENET)
    names = [name if copy == 0 else f"{name} {copy}" for copy in range(1 + classes // len(known)) for name in known]
    ids = backbone.tokenize(sentences(names[:classes], TEMPLATE))
    clip = PromptedClip(backbone, ids)
    stream = torch.Generator().manual_seed(0)
    images = torch.rand(classes, 3, backbone.size, backbone.size, generator=stream)

    started_s = time.perf_counter()
    plain = PromptTokens()
    with torch.no_grad():
        frozen_text = clip.text(plain)

    def reference_logits(x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return torch.cat([clip.logits(part, plain, frozen_text)[0] for part in torch.split(x, 16)])

    reference = reference_logits(images)
    reference_s = time.perf_counter()

    shape = PromptShape("vision_to_text", 2, 9)
    prompts = Prompts(backbone, shape, backbone.clip.token_embedding(ids[0, 1 : 1 + shape.n_ctx]), stream)
    attack = InnerAttack(Threat(LINF, 4 / 255), 2.67 / 255, attack_steps)
    recipe = Recipe(OBJECTIVES["capt"], Settings(), attack, batch_size=batch)
    tuning = Tuning(
        PromptLearner(clip, prompts), recipe, images, torch.arange(classes), Reference(reference, reference_logits)
    )
    stamps: list[float] = []

    def progress(done: int, *_: object) -> None:
        stamps.append(time.perf_counter())
        if done == steps:
            raise Cancelled

    try:
        for _ in tuning.epochs(progress):
            pass
    except Cancelled:
        pass
    seconds = [after - before for before, after in itertools.pairwise(stamps)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"reference logits of all pictures, once a run: {reference_s - started_s:.1f} s")
    print(
        f"{statistics.median(seconds):.2f} s a step, median of {len(seconds)} ({min(seconds):.2f} to {max(seconds):.2f})"
    )
    print(f"peak memory: {peak:.2f} GiB of the {LIMIT_GIB} it may take (largest resident size of the whole process)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--attack-steps", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.child, args.classes, args.batch, args.attack_steps, args.steps)
        return
    logging.getLogger().setLevel(logging.ERROR)  # open_clip remarks that the weights are random, as they should be
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "ViT-B-32"
        write_folder("ViT-B-32", folder)
        print(
            f"ViT-B/32, {args.classes} classes with one picture each, batch {args.batch}, PGD-{args.attack_steps}, "
            f"{os.environ.get('OMP_NUM_THREADS') or os.cpu_count()} threads",
            flush=True,
        )
        given = [
            f"--{name}={getattr(args, name.replace('-', '_'))}"
            for name in ("classes", "batch", "attack-steps", "steps")
        ]
        command = [sys.executable, __file__, *given, "--child", str(folder)]
        print(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


if __name__ == "__main__":
    main()
