"""`capt evaluate --suite quick` beside the same attacks written by hand, on the bundled photograph model; and its forward pass.

    python benchmarks/photo_speed.py LABELS.csv [--n 200] [--classes imagenet] [--threads N]

Both read the same files, in batches of the same size, and take turns; times are of the processor, which others at work on it disturb
less. The loop by hand knows no rows, measurements or checks: it decodes, predicts, takes FGSM's step on what is right, and PGD's ten
steps, with the same early stop, on what is still right. It is run once so, and once with four more forward passes of each picture that
was broken, as the program asks each of those again after PNG, JPEG 95, JPEG 75 and resizing.
"""

from __future__ import annotations

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch, as in the program

# isort: split

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from capt_engine.data.class_lists import judged_among
from capt_engine.data.labelled_set import Item
from capt_engine.data.sources import labelled
from capt_engine.evaluation.analysis import evaluate
from capt_engine.evaluation.checks import live_checks, some_of
from capt_engine.evaluation.choice import chosen
from capt_engine.evaluation.plan import Plan, Variant, plan_evaluation
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import load_backbone
from capt_engine.progress import no_progress
from capt_engine.records import NO_PROMPTS, EvaluateRequest, RunOptions
from capt_engine.runs.option_values import class_list
from capt_engine.wrappers.reencoding import SAVINGS

BATCH, STEPS, EPS = 8, 10, 4 / 255


def gradient(model: Classifier, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Logits and the gradient of the cross-entropy in the pixels."""
    x = x.detach().requires_grad_()
    logits = model(x)
    return logits.detach(), torch.autograd.grad(F.cross_entropy(logits, y, reduction="sum"), x)[0]


def ask_saved(model: Classifier, broken: Tensor) -> None:
    """The same pictures again, as they are after each way of saving."""
    if len(broken):
        with torch.no_grad():
            for saved in SAVINGS.values():
                model(saved(broken))


def by_hand(model: Classifier, items: Sequence[Item], *, with_saved: bool = False) -> None:
    """The quick suite on one batch."""
    pictures = [model.backbone.view(Image.open(item.path).convert("RGB")) for item in items]
    x, y = torch.stack(pictures), torch.tensor([item.label for item in items])
    with torch.no_grad():
        right = model(x).argmax(1) == y
    x, y = x[right], y[right]
    if not len(x):
        return
    _, grad = gradient(model, x, y)
    attacked = (x + EPS * grad.sign()).clamp(0, 1)
    with torch.no_grad():
        right = model(attacked).argmax(1) == y
    if with_saved:
        ask_saved(model, attacked[~right])
    x, y = x[right], y[right]
    delta = torch.empty_like(x).uniform_(-EPS, EPS)
    for _ in range(STEPS):
        if not len(x):
            return
        attacked = (x + delta).clamp(0, 1)
        logits, grad = gradient(model, attacked, y)
        right = logits.argmax(1) == y
        if with_saved:
            ask_saved(model, attacked[~right])
        x, y = x[right], y[right]
        delta = (delta[right] + EPS / 4 * grad[right].sign()).clamp(-EPS, EPS)
    if len(x):
        attacked = (x + delta).clamp(0, 1)
        with torch.no_grad():
            right = model(attacked).argmax(1) == y
        if with_saved:
            ask_saved(model, attacked[~right])


def plan_of(model: Classifier, data: str) -> Plan:
    """What `capt evaluate DATA --suite quick` does, on this model."""
    options = RunOptions(batch_size=BATCH)
    request = EvaluateRequest(data, suite="quick", attacks=(), skip_broken=True, checks="cheap", options=options)
    return plan_evaluation(request, [Variant(NO_PROMPTS, model)], model, "csv")


def forward_ms(model: Classifier) -> float:
    """The least milliseconds of the clock that a picture took in batches of the same size, of ten."""
    x = torch.rand(BATCH, 3, model.size, model.size)
    least = float("inf")
    with torch.no_grad():
        for _ in range(10):
            started = time.perf_counter()
            model(x)
            least = min(least, time.perf_counter() - started)
    return 1000 * least / BATCH


def main() -> None:
    parser = argparse.ArgumentParser(description="The quick suite beside the loop by hand, on the photograph model")
    parser.add_argument("data", help="a labelled set, as capt evaluate takes it")
    parser.add_argument("--classes", default="imagenet")
    parser.add_argument("--n", type=int, default=200, help="pictures")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    names = class_list(args.classes)
    data, _ = labelled(args.data)
    items = chosen(judged_among(data, names), args.n, (1, 1), 0)
    model = Classifier(load_backbone("photo", torch.device("cpu")), names, data.template)
    work = plan_of(model, args.data)
    no_checks = replace(work, checks="off")
    by_hand(model, items[:BATCH])  # the first passes choose their kernels

    def measured(do: Callable[..., object], *given: object, **named: bool) -> float:
        started = time.process_time()
        do(*given, **named)
        return time.process_time() - started

    hand_s = saved_s = program_s = 0.0
    for start in range(0, len(items), BATCH):
        some = items[start : start + BATCH]
        hand_s += measured(by_hand, model, some)
        saved_s += measured(by_hand, model, some, with_saved=True)
        program_s += measured(evaluate, no_checks, some, lambda _: None, no_progress)
    checks_s = measured(live_checks, work, some_of(work, items), no_progress)
    n = len(items)
    print(f"{n} pictures, {args.threads} threads of {os.cpu_count()} cores, seconds of the processor:")
    print(
        f"by hand {hand_s:.1f}, with saved forms {saved_s:.1f}; capt evaluate {program_s + checks_s:.1f}, of it checks {checks_s:.1f}"
    )
    for name, by in (("the loop by hand", hand_s), ("that with saved forms", saved_s)):
        print(f"ratio to {name}: {(program_s + checks_s) / by:.2f}, without checks {program_s / by:.2f}")
    print(f"forward pass, batches of {BATCH}: {forward_ms(model):.1f} ms a picture")


if __name__ == "__main__":
    main()
