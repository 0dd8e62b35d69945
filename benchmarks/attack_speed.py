"""Our PGD beside the same loop written by hand, torchattacks, foolbox and ART: time at equal work, time to the same verdict, peak memory.

Speed and memory are taken on ViT-B/32 with random weights. Verdicts are taken on the models of `--model`: the bundled demo model and its
own pictures, the photograph models on the sample pictures (`--folder`: on yours), ViT-B/32 on random ones; the last two with the model's
own answers as labels. `--half` looks for the budget at which half of the pictures survive. `--parts`, `--model` and `--against` choose
some of it. All ask the same classifier, in turns, and each round gives one ratio; what is printed is the median of the rounds and how far
they lie apart. foolbox comes with `uv run --isolated --group oracles python benchmarks/attack_speed.py`; torchattacks has to be put beside
it without what it asks for (`uv pip install --no-deps torchattacks`, in an environment of its own), as it asks for a very old version of
requests; ART is `adversarial-robustness-toolbox`.
"""

from __future__ import annotations

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch, as in the program

# isort: split

import argparse
import contextlib
import gc
import itertools
import json
import logging
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tuning_step import forget_peak

from capt_engine.attacks.base import LINF, PictureRngs, Threat
from capt_engine.attacks.losses import adversarial_margin
from capt_engine.attacks.pgd import PGD
from capt_engine.demo import world
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import load_backbone
from capt_engine.progress import no_progress

PARTS = ("work", "verdict", "memory", "ceiling")
EPS = 4 / 255
SEED = 0


class Counting(torch.nn.Module):
    """A classifier as others want it. It counts the pictures that it is shown, `with_gradient` and `without`.

    stamps: when it was asked for a gradient; on a CPU in seconds of the processor, which others at work on it disturb less.
    """

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier
        # Some ask a parameter for the device.
        self.weight = torch.nn.Parameter(torch.zeros(1, device=classifier.device), requires_grad=False)
        self._now = time.process_time if classifier.device.type == "cpu" else time.perf_counter
        self.forget()
        self.eval()

    def forget(self) -> None:
        """Count from here."""
        self.with_gradient = self.without = 0
        self.stamps: list[float] = []

    def step_s(self) -> float:
        """A step, with all that is done between two gradients; the median."""
        gaps = [after - before for before, after in itertools.pairwise(self.stamps)]
        return statistics.median(gaps) if gaps else float("nan")

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        if images.requires_grad:
            self.with_gradient += len(images)
            self.stamps.append(self._now())
        else:
            self.without += len(images)
        return self.classifier(images)


@dataclass(frozen=True)
class Problem:
    """What each is given: images (n, 3, h, w) in [0, 1], labels (n,), and steps of ε/4."""

    model: Counting
    images: Tensor
    labels: Tensor
    steps: int
    eps: float = EPS


def ours(problem: Problem, *, stop: bool = False) -> Tensor:
    rngs = PictureRngs.of(SEED, [str(i) for i in range(len(problem.images))])
    attack = PGD(steps=problem.steps, step_size=problem.eps / 4, stop_early=stop)
    return attack.run(problem.model, problem.images, problem.labels, Threat(LINF, problem.eps), rngs, no_progress)


def ours_stopping(problem: Problem) -> Tensor:
    return ours(problem, stop=True)


def by_hand(problem: Problem) -> Tensor:
    """The loop of a notebook: the point after the last step, strongest or not; nothing is asked beyond the steps."""
    images, eps = problem.images, problem.eps
    at = (images + torch.empty_like(images).uniform_(-eps, eps)).clamp(0, 1)
    for _ in range(problem.steps):
        at.requires_grad_()
        loss = F.cross_entropy(problem.model(at), problem.labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, at)
        at = (images + (at.detach() + eps / 4 * gradient.sign() - images).clamp(-eps, eps)).clamp(0, 1)
    return at


def by_hand_strongest(problem: Problem) -> Tensor:
    """The same loop keeping the strongest point met, the clean picture and the last one among them: the passes that ours makes."""
    images, labels, eps = problem.images, problem.labels, problem.eps
    with torch.no_grad():
        best, reached = images.clone(), adversarial_margin(problem.model(images), labels)
    at = (images + torch.empty_like(images).uniform_(-eps, eps)).clamp(0, 1)
    for step in range(problem.steps + 1):
        with torch.set_grad_enabled(step < problem.steps):
            logits = problem.model(at.requires_grad_(step < problem.steps))
        here = adversarial_margin(logits.detach(), labels)
        best = torch.where((here > reached)[:, None, None, None], at.detach(), best)
        reached = torch.maximum(reached, here)
        if step < problem.steps:
            (gradient,) = torch.autograd.grad(F.cross_entropy(logits, labels, reduction="sum"), at)
            at = (images + (at.detach() + eps / 4 * gradient.sign() - images).clamp(-eps, eps)).clamp(0, 1)
    return best


def by_torchattacks(problem: Problem) -> Tensor:
    import torchattacks

    attack = torchattacks.PGD(problem.model, eps=problem.eps, alpha=problem.eps / 4, steps=problem.steps)
    return attack(problem.images, problem.labels)


def by_foolbox(problem: Problem) -> Tensor:
    import foolbox

    model = foolbox.PyTorchModel(problem.model, bounds=(0, 1), device=problem.images.device)
    attack = foolbox.attacks.LinfPGD(rel_stepsize=0.25, steps=problem.steps)
    return attack(model, problem.images, problem.labels, epsilons=[problem.eps])[1][0]


def by_art(problem: Problem) -> Tensor:
    import numpy as np
    from art.attacks.evasion import ProjectedGradientDescent
    from art.estimators.classification import PyTorchClassifier

    images = problem.images
    with torch.no_grad():
        n_classes = problem.model.classifier(images[:1]).shape[1]
    estimator = PyTorchClassifier(
        model=problem.model, loss=torch.nn.CrossEntropyLoss(), input_shape=tuple(images.shape[1:]), nb_classes=n_classes,
        clip_values=(0.0, 1.0), device_type="gpu" if images.device.type == "cuda" else "cpu",
    )  # fmt: skip
    attack = ProjectedGradientDescent(
        estimator, norm=np.inf, eps=problem.eps, eps_step=problem.eps / 4, max_iter=problem.steps, num_random_init=1,
        batch_size=len(images), verbose=False,
    )  # fmt: skip
    found = attack.generate(x=images.cpu().numpy(), y=problem.labels.cpu().numpy())
    return torch.from_numpy(found).to(images)


WAYS: dict[str, Callable[[Problem], Tensor]] = {
    "ours": ours,
    "ours, stop at success": ours_stopping,
    "by hand": by_hand,
    "by hand, strongest kept": by_hand_strongest,
    "torchattacks": by_torchattacks,
    "foolbox": by_foolbox,
    "art": by_art,
}
OTHERS = ("torchattacks", "foolbox", "art")
MODELS = ("demo", "photo", "photo-robust", "vit-b-32")


def present(ways: Sequence[str]) -> list[str]:
    """Those that can be run here; the others are named with the reason."""
    found = []
    for way in ways:
        if way in OTHERS and find_spec(way) is None:
            print(f"{way}: left out, not installed here")
        else:
            found.append(way)
    return found


def timed(way: str, problem: Problem) -> tuple[Tensor, float, float]:
    """The pictures, seconds on the wall, and seconds of the processor."""
    _settle(problem.images.device)
    wall_s, processor_s = time.perf_counter(), time.process_time()
    found = WAYS[way](problem)
    _settle(problem.images.device)
    return found.detach(), time.perf_counter() - wall_s, time.process_time() - processor_s


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _ratios(seconds: dict[str, list[float]], way: str, base: str) -> str:
    return _spread([theirs / mine for theirs, mine in zip(seconds[way], seconds[base], strict=True)])


def in_turns(
    base: str, ways: Sequence[str], problem: Problem, rounds: int, *, steps_alike: bool
) -> dict[str, list[float]]:
    """Print for each way its passes, verdicts and times, and its time over that of `base`; back come the seconds on the wall."""
    on_cpu = problem.images.device.type == "cpu"
    wall_s: dict[str, list[float]] = {way: [] for way in ways}
    processor_s: dict[str, list[float]] = {way: [] for way in ways}
    step_s: dict[str, list[float]] = {way: [] for way in ways}
    fooled: dict[str, Tensor] = {}
    passes: dict[str, tuple[int, int]] = {}
    for turn in range(rounds):
        for way in [*ways[turn % len(ways) :], *ways[: turn % len(ways)]]:
            problem.model.forget()
            found, wall, processor = timed(way, problem)
            passes[way] = problem.model.with_gradient, problem.model.without
            wall_s[way].append(wall)
            processor_s[way].append(processor)
            step_s[way].append(problem.model.step_s())
            with torch.no_grad():
                fooled[way] = problem.model(found).argmax(dim=1) != problem.labels
    for way in ways:
        line = f"  {way}: {passes[way][0]} pictures with gradient + {passes[way][1]} without, {_spread(wall_s[way])} s"
        if way != base:
            line += f"; over {base}: time {_ratios(wall_s, way, base)}"
            if on_cpu:
                line += f", processor time {_ratios(processor_s, way, base)}"
            if steps_alike:
                line += f", a step {_ratios(step_s, way, base)}"
            line += f"; same verdict on {int((fooled[way] == fooled[base]).sum())} of {len(fooled[base])}"
        print(f"{line}; fooled {int(fooled[way].sum())}", flush=True)
    return wall_s


def full_size(folder: str, args: argparse.Namespace) -> Problem:
    """ViT-B/32 with random weights, random pictures, and the model's own answers as labels."""
    backbone = load_backbone(f"local-dir:{folder}", torch.device(args.device))
    # As sharp as a trained CLIP: at the initial scale of 14 all classes would be nearly equal.
    backbone.clip.logit_scale.fill_(torch.tensor(100.0).log())
    classes = [f"thing {i}" for i in range(args.classes)]
    classifier = Classifier(backbone, classes, "a photo of a {}.", precision=args.precision)
    stream = torch.Generator().manual_seed(SEED)
    images = torch.rand(args.pictures, 3, backbone.size, backbone.size, generator=stream).to(args.device)
    with torch.no_grad():
        labels = classifier(images).argmax(dim=1)
    return Problem(Counting(classifier), images, labels, args.steps)


def demo(args: argparse.Namespace, eps: float) -> Problem:
    """The bundled CLIP on its own test pictures of shapes, with their true labels."""
    from PIL import Image

    task, device = world.TASKS["shapes"], torch.device(args.device)
    backbone = load_backbone("demo", device)
    pixels, labels = world.pictures("shapes", "test", args.verdict_pictures)
    images = torch.stack([backbone.view(Image.fromarray(one)) for one in pixels]).to(device)
    classifier = Classifier(backbone, task.classes, task.template, precision=args.precision)
    return Problem(Counting(classifier), images, torch.tensor(labels, device=device), args.steps, eps)


def photographs(model: str, args: argparse.Namespace, eps: float) -> Problem:
    """A bundled photograph model on the sample pictures, each in several places of its frame, with its own answers as labels."""
    from PIL import Image

    from capt_engine.data.images import read_photo
    from capt_engine.resources import resource

    device = torch.device(args.device)
    backbone = load_backbone(model, device)
    classes = ("cat", "dog", "bird", "car", "flower", "fruit", "mug", "boat", "tree", "house")
    classifier = Classifier(backbone, classes, "a photo of a {}.", precision=args.precision)
    files = sorted(
        one
        for one in (args.folder or resource("samples")).rglob("*")
        if one.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")
    )[: args.verdict_pictures]
    whole = torch.stack([backbone.view(Image.fromarray(read_photo(one).rgb)) for one in files])
    shifts = [torch.roll(whole, 16 * turn, dims=3) for turn in range(-(-args.verdict_pictures // len(files)))]
    images = torch.cat(shifts)[: args.verdict_pictures].to(device)
    with torch.no_grad():
        labels = classifier(images).argmax(dim=1)
    return Problem(Counting(classifier), images, labels, args.steps, eps)


def halved(problem: Problem) -> float:
    """The budget at which half of the pictures survive our attack, in [0, 1], to an eighth of 1/255."""
    low, high = 0.0, 64 / 255
    while high - low > 0.125 / 255:
        middle = (low + high) / 2
        with torch.no_grad():
            fooled = problem.model(ours_stopping(replace(problem, eps=middle))).argmax(dim=1) != problem.labels
        low, high = (low, middle) if fooled.float().mean() >= 0.5 else (middle, high)
    return high


def problem_of(model: str, folder: str, args: argparse.Namespace, eps: float) -> Problem:
    """The pictures and the model that verdicts are taken on."""
    if model == "demo":
        return demo(args, eps)
    if model == "vit-b-32":
        return replace(full_size(folder, args), eps=eps)
    return photographs(model, args, eps)


def work(folder: str, args: argparse.Namespace) -> None:
    """Equal work on ViT-B/32."""
    problem = full_size(folder, args)
    ways = present(
        [way for way in WAYS if way != "ours, stop at success" and (way not in OTHERS or way in args.against)]
    )
    # Nobody pays for what is set up at the first call.
    for way in ways:
        WAYS[way](Problem(problem.model, problem.images, problem.labels, 1))
    print(f"equal work: PGD-{args.steps}, {args.pictures} pictures of 224 pixels, {args.rounds} rounds")
    wall_s = in_turns("ours", ways, problem, args.rounds, steps_alike=True)
    speed = args.pictures * args.steps / statistics.median(wall_s["ours"])
    print(f"  ours: {speed:.1f} pictures a second and step")


def verdict(folder: str, args: argparse.Namespace) -> None:
    """Time until each picture's verdict is known."""
    ways = present(["ours, stop at success", "ours", *args.against])
    for model in args.model:
        for eps in [0.0] if args.half else args.verdict_eps:
            problem = problem_of(model, folder, args, eps / 255)
            if args.half:
                problem = replace(problem, eps=halved(problem))
            print(
                f"verdict: {model}, PGD-{args.steps}, ε = {255 * problem.eps:g}/255, {len(problem.images)} pictures, "
                f"{args.rounds} rounds"
            )
            in_turns("ours, stop at success", ways, problem, args.rounds, steps_alike=False)


def peak_gib() -> float:
    """The largest resident size; as Linux counts it for this program alone, where ru_maxrss begins at the size of its parent."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def memory(folder: str, args: argparse.Namespace, way: str) -> None:
    """Print, as JSON, the peak once the model stands and that of three steps; more steps need no more."""
    problem = full_size(folder, argparse.Namespace(**{**vars(args), "steps": 3}))
    on_cpu = problem.images.device.type == "cpu"
    gc.collect()
    if on_cpu:
        forget_peak()
        loaded = peak_gib()
    else:
        torch.cuda.reset_peak_memory_stats()
        loaded = torch.cuda.memory_allocated() / 2**30
    WAYS[way](problem)
    total = peak_gib() if on_cpu else torch.cuda.max_memory_allocated() / 2**30
    print(json.dumps({"loaded": loaded, "total": total}))


def ceiling(folder: str, args: argparse.Namespace) -> None:
    """How near a step comes to this machine's matrix products in this precision: a large square one, and the tower's own largest."""
    from torch.utils.flop_counter import FlopCounterMode

    problem = full_size(folder, args)
    with FlopCounterMode(display=False) as counter:
        at = problem.images.clone().requires_grad_()
        problem.model(at).sum().backward()
    a_picture = counter.get_total_flops() / len(problem.images)
    device = problem.images.device
    on_cpu = device.type == "cpu"
    # On a CPU by the processor's seconds, as if all threads had been at work all the time: others at work on it disturb that less.
    now, threads = (time.process_time, torch.get_num_threads()) if on_cpu else (time.perf_counter, 1)
    side = 2048 if on_cpu else 8192
    kind = torch.bfloat16 if args.precision == "bf16" else torch.float32
    one, other = (torch.randn(side, side, device=device).to(kind) for _ in range(2))
    # Half of a ViT's work are its perceptrons, whose first product this is.
    tokens, width = problem.model.classifier.backbone.clip.visual.positional_embedding.shape
    given = torch.randn(len(problem.images) * tokens, width, device=device).to(kind)
    weights = torch.randn(4 * width, width, device=device).to(kind)
    rates, own_rates, steps = [], [], []
    short = Problem(problem.model, problem.images, problem.labels, min(args.steps, 5))
    for _ in range(args.rounds):
        _settle(device)
        started_s = now()
        for _ in range(1 if on_cpu else 20):
            one @ other
        _settle(device)
        taken_s = (now() - started_s) / threads
        rates.append(2 * side**3 * (1 if on_cpu else 20) / taken_s)
        _settle(device)
        started_s = now()
        for _ in range(20):
            F.linear(given, weights)
        _settle(device)
        own_rates.append(2 * given.numel() * len(weights) * 20 * threads / (now() - started_s))
        _, wall_s, processor_s = timed("ours", short)
        steps.append(short.steps * len(short.images) / (processor_s / threads if on_cpu else wall_s))
    best, speed = max(rates), max(steps)
    print(
        f"ceiling: {args.precision} matrix product {best / 1e9:,.0f} GFLOP/s ({side} × {side}, best of {len(rates)}); "
        f"a picture and step needs {a_picture / 1e9:.1f} GFLOP, so {best / a_picture:,.1f} of them a second at most; "
        f"ours {speed:,.2f}, best of {len(steps)}: {a_picture * speed / best:.0%}; "
        f"of {max(own_rates) / 1e9:,.0f} GFLOP/s in its own shape {len(given)} × {width} × {4 * width}: "
        f"{a_picture * speed / max(own_rates):.0%}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--verdict-pictures", type=int, default=32)
    parser.add_argument("--model", nargs="+", choices=MODELS, default=["demo"], help="of the part verdict")
    parser.add_argument("--against", nargs="*", choices=OTHERS, default=list(OTHERS))
    parser.add_argument("--folder", type=Path, help="photographs for the models photo and photo-robust")
    parser.add_argument("--half", action="store_true", help="the budget at which half of the pictures survive")
    parser.add_argument("--verdict-eps", type=float, nargs="+", default=[2, 4, 8], help="of 255")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    # open_clip remarks that the weights are random, as they should be; what others warn of is theirs.
    logging.getLogger().setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    if args.child:
        memory(args.child[1], args, args.child[0])
        return
    if args.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("There is no GPU here that torch can use; --device cpu measures on the processor.")
    from full_size import write_folder

    place = torch.cuda.get_device_name() if args.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    load = ""
    with contextlib.suppress(OSError, AttributeError):
        load = f", {os.getloadavg()[0]:.1f} processes at work on {os.cpu_count()} cores at the start"
    no_gpu = "" if torch.cuda.is_available() else "; no GPU here"
    print(f"{place}, {args.precision}, torch {torch.__version__}{load}{no_gpu}", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "ViT-B-32"
        write_folder("ViT-B-32", folder)
        if "work" in args.parts:
            work(str(folder), args)
        if "verdict" in args.parts:
            verdict(str(folder), args)
        if "memory" in args.parts:
            memories(str(folder), args)
        if "ceiling" in args.parts:
            ceiling(str(folder), args)


def memories(folder: str, args: argparse.Namespace) -> None:
    """The peak of each way, in a process of its own."""
    print(f"memory: {args.pictures} pictures of 224 pixels, a process each")
    given = [f"--{name}={getattr(args, name)}" for name in ("pictures", "classes", "device", "precision")]
    for way in present([way for way in WAYS if way != "ours, stop at success"]):
        command = [sys.executable, __file__, *given, "--child", way, folder]
        found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        above = 1024 * (found["total"] - found["loaded"])
        print(f"  {way}: peak {found['total']:.2f} GiB, {above:.0f} MiB above the loaded model", flush=True)


if __name__ == "__main__":
    main()
