"""One optimisation step on ViT-B/32 with random weights, 100 classes, batch 4, PGD-2: ours beside the way of the public code.

The public code (FAP, APT, MaPLe) runs the text tower again in every forward: at each step of the inner attack, for the clean, for
the attacked pictures and for the frozen reference model, always over all 77 places, with the prompts' graph kept and walked
through. Here that is written out as plain code. Both ways start from the same prompts, pictures and first points, so loss and
gradients must agree.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import gc
import json
import logging
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from capt_engine.model.clip import Backbone
    from capt_engine.model.prompts import Prompts, PromptTokens
    from capt_engine.tuning.inner_attack import InnerAttack

SEED = 1
WEIGHT = 2.5
TEMPLATE = "a photo of a {}."


@dataclass(frozen=True)
class Problem:
    """What both ways are given: ids (k, 77), pictures (n, 3, h, w) in [0, 1], labels (n,), and where the inner attack starts."""

    backbone: Backbone
    prompts: Prompts
    attack: InnerAttack
    ids: Tensor
    images: Tensor
    labels: Tensor
    start: Tensor


def problem_of(folder: str, classes: int, batch: int, inner: str) -> Problem:
    """Seeded prompts (length 2, depth 9, vision to text), the first ImageNet class names, and random pictures."""
    import torch

    from capt_engine.attacks.base import LINF, PictureRngs, Threat
    from capt_engine.data.class_lists import IMAGENET, names_of
    from capt_engine.model.clip import load_backbone
    from capt_engine.model.prompts import Prompts, PromptShape
    from capt_engine.model.text import sentences
    from capt_engine.tuning.inner_attack import InnerAttack

    backbone = load_backbone(f"local-dir:{folder}", torch.device("cpu"))
    # As sharp as a trained CLIP: at the initial scale of 14 all classes would be nearly equal.
    backbone.clip.logit_scale.fill_(torch.tensor(100.0).log())
    ids = backbone.tokenize(sentences(names_of(IMAGENET)[:classes], TEMPLATE))
    stream = torch.Generator().manual_seed(SEED)
    shape = PromptShape("vision_to_text", 2, 9)
    prompts = Prompts(backbone, shape, backbone.clip.token_embedding(ids[0, 1 : 1 + shape.n_ctx]), stream)
    images = torch.rand(batch, 3, backbone.size, backbone.size, generator=stream)
    labels = torch.randint(classes, (batch,), generator=stream)
    attack = InnerAttack(Threat(LINF, 1 / 255), 1 / 255, 2, inner)
    rngs = PictureRngs.of(SEED, [f"1:{i}" for i in range(batch)])
    return Problem(backbone, prompts, attack, ids, images, labels, LINF.random(rngs, images, attack.threat.eps))


def our_steps(problem: Problem, steps: int) -> Iterator[float]:
    """The loss of each step of the tuning loop itself; the gradients stay in the prompts until the next."""
    import torch

    from capt_engine.model.prompts import PromptTokens
    from capt_engine.tuning.loop import Recipe, Reference, Tuning
    from capt_engine.tuning.objective import OBJECTIVES, Settings
    from capt_engine.tuning.prompted import PromptedClip, PromptLearner

    clip = PromptedClip(problem.backbone, problem.ids)
    with torch.no_grad():
        frozen_text = clip.text(PromptTokens())

    def reference_logits(images: Tensor) -> Tensor:
        with torch.no_grad():
            return clip.logits(images, PromptTokens(), frozen_text)[0]

    recipe = Recipe(
        OBJECTIVES["capt"], Settings(WEIGHT), problem.attack, epochs=steps, batch_size=len(problem.images), seed=SEED
    )
    reference = reference_logits(problem.images)
    # One batch is the whole set, so an epoch is a step.
    tuning = Tuning(
        PromptLearner(clip, problem.prompts),
        recipe,
        problem.images,
        problem.labels,
        Reference(reference, reference_logits),
    )
    for (log,) in tuning.epochs(lambda *_: None):
        yield log.loss


def public_steps(problem: Problem, steps: int) -> Iterator[float]:
    """The same steps as the public code takes them."""
    import torch
    import torch.nn.functional as F

    from capt_engine.model.prompts import PromptTokens
    from capt_engine.tuning.loop import MOMENTUM, WEIGHT_DECAY
    from capt_engine.tuning.schedule import learning_rate

    prompts, images, labels = problem.prompts, problem.images, problem.labels
    optimiser = torch.optim.SGD(prompts.parameters(), lr=0.0, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    for step in range(1, steps + 1):
        optimiser.param_groups[0]["lr"] = learning_rate(step, steps, 0.0035)
        attacked = public_attack(problem)
        adversarial = public_logits(problem, attacked, prompts())
        clean = public_logits(problem, images, prompts())
        with torch.no_grad():
            frozen = public_logits(problem, images, PromptTokens())
            label_prob = [logits.softmax(dim=1).gather(1, labels[:, None])[:, 0] for logits in (clean, frozen)]
            alpha = label_prob[1] / (label_prob[0] + label_prob[1])
        log_adversarial = adversarial.log_softmax(dim=1)
        train = F.kl_div(log_adversarial, clean.softmax(dim=1), reduction="none").sum(dim=1)
        reference = F.kl_div(log_adversarial, frozen.softmax(dim=1), reduction="none").sum(dim=1)
        loss = F.cross_entropy(clean, labels) + WEIGHT * ((1 - alpha) * train + alpha * reference).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        yield float(loss.detach())


def public_attack(problem: Problem) -> Tensor:
    """PGD whose every backward also walks through the text tower and the prompts; for the KL loss, clean pictures too, every time."""
    import torch.nn.functional as F

    attack, prompts, images = problem.attack, problem.prompts, problem.images
    eps = attack.threat.eps
    delta = (images + problem.start).clamp(0, 1) - images
    delta.requires_grad_()
    for _ in range(attack.steps):
        logits = public_logits(problem, images + delta, prompts())
        if attack.loss == "kl":
            clean = public_logits(problem, images, prompts())
            loss = F.kl_div(logits.log_softmax(dim=1), clean.softmax(dim=1), reduction="batchmean")
        else:
            loss = F.cross_entropy(logits, problem.labels)
        loss.backward()
        assert delta.grad is not None
        moved = (delta.detach() + attack.step_size * delta.grad.sign()).clamp(-eps, eps)
        delta.data.copy_((images + moved).clamp(0, 1) - images)
        delta.grad.zero_()
    # The public code leaves δ in the graph of the last forward.
    return images + delta


def public_logits(problem: Problem, images: Tensor, tokens: PromptTokens) -> Tensor:
    """A whole forward, both towers; without tokens, of the frozen CLIP."""
    import torch.nn.functional as F

    text = F.normalize(public_text(problem, tokens.text), dim=-1)
    image = F.normalize(public_image(problem, images, tokens.vision), dim=-1)
    return problem.backbone.clip.logit_scale.exp() * image @ text.T


def public_text(problem: Problem, tokens: Sequence[Tensor]) -> Tensor:
    """The text tower over all 77 places."""
    import torch

    clip, ids = problem.backbone.clip, problem.ids

    def put(x: Tensor, given: Tensor) -> Tensor:
        return torch.cat([x[:, :1], given.expand(len(ids), -1, -1), x[:, 1 + len(given) :]], dim=1)

    x = clip.token_embedding(ids)
    if tokens:
        x = put(x, tokens[0])
    x = x + clip.positional_embedding
    for layer, block in enumerate(clip.transformer.resblocks):
        if 0 < layer < len(tokens):
            x = put(x, tokens[layer])
        x = block(x, attn_mask=clip.attn_mask)
    return clip.ln_final(x)[torch.arange(len(ids)), ids.argmax(dim=-1)] @ clip.text_projection


def public_image(problem: Problem, images: Tensor, tokens: Sequence[Tensor]) -> Tensor:
    """The image tower with the learned tokens behind the patches."""
    import torch

    visual, n = problem.backbone.clip.visual, len(images)
    x = visual.conv1((images - problem.backbone.mean) / problem.backbone.std).flatten(2).transpose(1, 2)
    x = torch.cat([visual.class_embedding.expand(n, 1, -1), x], dim=1) + visual.positional_embedding
    if tokens:
        x = torch.cat([x, tokens[0].expand(n, -1, -1)], dim=1)
    x = visual.ln_pre(x)
    for layer, block in enumerate(visual.transformer.resblocks):
        if 0 < layer < len(tokens):
            given = tokens[layer]
            x = torch.cat([x[:, : -len(given)], given.expand(n, -1, -1)], dim=1)
        x = block(x)
    return visual.ln_post(x[:, 0]) @ visual.proj


WAYS = {"ours": our_steps, "public": public_steps}


def peak_gib() -> float:
    """The largest resident size so far, or since `forget_peak`."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def forget_peak() -> None:
    """Count the largest resident size from here, where the system can (Linux): reading weights takes twice their size for a moment."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def compare(folder: str, args: argparse.Namespace) -> None:
    """Loss and gradients of the first step, then the time of the later ones, one way after the other in turn."""
    problem = problem_of(folder, args.classes, args.batch, args.inner)
    problems = {
        "ours": problem,
        "public": Problem(**{**vars(problem), "prompts": copy.deepcopy(problem.prompts)}),
    }
    running = {way: WAYS[way](problems[way], args.steps + 1) for way in WAYS}
    losses = {way: next(steps) for way, steps in running.items()}
    print(f"loss: ours {losses['ours']:.6f}, public {losses['public']:.6f}")
    ours, public = (
        {name: value.grad for name, value in problems[way].prompts.named_parameters()} for way in ("ours", "public")
    )
    apart = {name: float((ours[name] - public[name]).abs().max() / public[name].abs().max()) for name in public}
    worst = max(apart, key=lambda name: apart[name])
    print(
        f"gradients of {len(apart)} parameters: largest difference over largest entry, worst {apart[worst]:.1e} ({worst}), "
        f"median {statistics.median(apart.values()):.1e}"
    )
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(args.steps):
        for way, steps in running.items():
            started_s = time.perf_counter()
            next(steps)
            seconds[way].append(time.perf_counter() - started_s)
    medians = {way: statistics.median(times) for way, times in seconds.items()}
    for way, times in seconds.items():
        print(f"{way}: {medians[way]:.2f} s a step, median of {args.steps} ({min(times):.2f} to {max(times):.2f})")
    print(f"time, public over ours: {medians['public'] / medians['ours']:.1f}")


def memory(folder: str, args: argparse.Namespace, way: str) -> None:
    """Print, as JSON, the largest resident size once the model stands and after one step of one way."""
    problem = problem_of(folder, args.classes, args.batch, args.inner)
    gc.collect()
    forget_peak()
    loaded = peak_gib()
    for _ in WAYS[way](problem, 1):
        pass
    print(json.dumps({"loaded": loaded, "total": peak_gib()}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=3, help="steps that are timed, after one that is not")
    parser.add_argument("--inner", choices=["ce", "kl"], default="ce", help="the loss that the inner attack climbs")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        what, folder = args.child
        if what == "compare":
            compare(folder, args)
        else:
            memory(folder, args, what)
        return
    logging.getLogger().setLevel(logging.ERROR)  # open_clip remarks that the weights are random, as they should be
    from full_size import write_folder

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "ViT-B-32"
        write_folder("ViT-B-32", folder)
        given = [f"--{name}={getattr(args, name)}" for name in ("classes", "batch", "steps", "inner")]

        def run(what: str) -> str:
            command = [sys.executable, __file__, *given, "--child", what, str(folder)]
            return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

        print(
            f"ViT-B/32, {args.classes} classes, batch {args.batch}, PGD-2 on {args.inner}, "
            f"{os.environ.get('OMP_NUM_THREADS') or os.cpu_count()} threads",
            flush=True,
        )
        print(run("compare"), flush=True)
        found = {way: json.loads(run(way)) for way in WAYS}
        for way, sizes in found.items():
            above = sizes["total"] - sizes["loaded"]
            print(
                f"{way}: peak {sizes['total']:.2f} GiB, {above:.2f} above the {sizes['loaded']:.2f} of the loaded model"
            )
        above = {way: sizes["total"] - sizes["loaded"] for way, sizes in found.items()}
        print(
            f"peak memory, public over ours: {found['public']['total'] / found['ours']['total']:.1f} in all, "
            f"{above['public'] / above['ours']:.1f} above the loaded model "
            "(largest resident size of one step in a process of its own)"
        )


if __name__ == "__main__":
    main()
