"""The figures that a GPU has to show, in at most ten minutes; without one nothing of it is measured.

    python benchmarks/gpu.py [--device cuda] [--out gpu.json] [--within 560]

On ViT-B/16 with random weights: PGD-50 and APGD-50 on 1,000 pictures in fp32, tf32 and bf16 (pictures a second, the share of the fastest
matrix product of the same precision, waits of the host a step as torch's profiler counts them, memory), and a step of CAPT at 1,000
classes in batches of 32. On the demo model: the share of 200 pictures with equal verdicts on the processor and on the GPU. Each figure is
printed, and written, as soon as it is there; what the time does not allow is named. tests/devices runs it in tiny sizes.
"""

from __future__ import annotations

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch, as in the program

# isort: split

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

import capt_engine as capt
from capt_engine.attacks.apgd import APGDCE
from capt_engine.attacks.base import LINF, Attack, PictureRngs, Threat
from capt_engine.attacks.pgd import PGD
from capt_engine.data.class_lists import IMAGENET, names_of
from capt_engine.errors import CaptError
from capt_engine.model.clip import Backbone, load_backbone
from capt_engine.model.devices import pick_device
from capt_engine.model.memory import peak_bytes, start_counting
from capt_engine.model.numerics import accelerator_facts, computing, switches
from capt_engine.progress import no_progress

TEMPLATE = "a photo of a {}."
PRECISIONS = ("fp32", "tf32", "bf16")
WAITING = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")


@dataclass(frozen=True)
class Sizes:
    """How much is done. batch: pictures of an attack at once; side: of the matrix whose product is the peak."""

    pictures: int = 1000
    batch: int = 128
    steps: int = 50
    side: int = 8192
    classes: int = 1000
    tuning_batch: int = 32
    verdicts: int = 200


def measured(
    clip: Backbone, judge: str, device: torch.device, sizes: Sizes, left_s: Callable[[], float]
) -> Iterator[dict[str, Any]]:
    """Yield the figures one after the other. clip: on `device`; judge: the id of the model of the verdicts; left_s: seconds left."""
    for precision in PRECISIONS:
        for name, attack in (("PGD", PGD(steps=sizes.steps)), ("APGD", APGDCE(steps=sizes.steps))):
            about = {"figure": f"{name}-{sizes.steps}", "precision": precision}
            yield about | _unless_late(left_s, lambda p=precision, a=attack: attacked(clip, p, a, sizes))
    yield {"figure": "CAPT step"} | _unless_late(left_s, lambda: tuned(clip, sizes))
    yield {"figure": "equal verdicts"} | _unless_late(left_s, lambda: verdicts(judge, device, sizes))


def _unless_late(left_s: Callable[[], float], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The figures of a part of the work, or why there are none."""
    if left_s() <= 0:
        return {"not measured": "the time was over"}
    try:
        return work()
    except CaptError as failure:
        return {"not measured": failure.message}


def attacked(clip: Backbone, precision: str, attack: Attack, sizes: Sizes) -> dict[str, Any]:
    """Attack random pictures, whose labels are the model's own answers."""
    model = capt.Classifier(clip, names_of(IMAGENET)[:100], TEMPLATE, precision=precision)
    device = model.device
    x = drawn(sizes.batch, clip.size).to(device)
    with torch.no_grad():
        y = model(x).argmax(dim=1)
    keys = [str(i) for i in range(len(x))]

    def run(some: Attack = attack) -> None:
        some.run(model, x, y, Threat(LINF, 4 / 255), PictureRngs.of(0, keys), no_progress)

    with FlopCounterMode(display=False) as counter:
        model(at := x[:1].clone().requires_grad_()).sum().backward()
    del at
    run(type(attack)(steps=1))
    start_counting(device)
    rounds = -(-sizes.pictures // sizes.batch)
    taken_s = timed(device, lambda: [run() for _ in range(rounds)])
    a_second = rounds * sizes.batch / taken_s
    peak = product_rate(device, precision, sizes.side)
    return {
        "pictures a second": a_second,
        "share of the peak": counter.get_total_flops() * attack.work * a_second / peak,
        "peak FLOP/s": peak,
        "waits a step": waits(device, run) / sizes.steps,
        "memory, GiB": peak_bytes(device) / 2**30,
    }


def tuned(clip: Backbone, sizes: Sizes) -> dict[str, Any]:
    """CAPT with its usual settings, one random picture a class; the second epoch counts, when everything is set up."""
    classes = names_of(IMAGENET)[: sizes.classes]
    n = len(classes)
    # Few different pictures, for a thousand large ones take long to draw.
    x, y = drawn(min(n, sizes.tuning_batch), clip.size)[torch.arange(n) % min(n, sizes.tuning_batch)], torch.arange(n)
    ends: list[float] = []
    start_counting(clip.mean.device)
    capt.tune(
        clip, (x, y), classes, TEMPLATE, method="capt", epochs=2, batch_size=sizes.tuning_batch,
        on_epoch=lambda _: ends.append(time.perf_counter()),
    )  # fmt: skip
    steps = -(-n // sizes.tuning_batch)
    return {"seconds a step": (ends[-1] - ends[-2]) / steps, "memory, GiB": peak_bytes(clip.mean.device) / 2**30}


def verdicts(judge: str, device: torch.device, sizes: Sizes) -> dict[str, Any]:
    """The same evaluation on the processor and on the device: the share of pictures with the same clean and attacked answer."""
    found: list[list[tuple[Any, Any]]] = []
    y: Tensor | None = None
    for at in (torch.device("cpu"), device):
        clip = load_backbone(judge, at)
        x = drawn(sizes.verdicts, clip.size)
        model = capt.Classifier(clip, names_of(IMAGENET)[:10], TEMPLATE)
        if y is None:
            # What is right is what the processor says, on both.
            with torch.no_grad():
                y = torch.cat([model(some).argmax(dim=1) for some in x.split(32)])
        rows = capt.evaluate(model, (x, y), attacks=PGD(steps=10), eps=[1 / 255], checks="off", cache=False).rows()
        found.append([(row["clean_pred"], row["success"]) for row in rows])
    same = sum(one == other for one, other in zip(*found, strict=True))
    return {"share": same / sizes.verdicts, "pictures": sizes.verdicts}


def drawn(n: int, side: int) -> Tensor:
    """Random pictures (n, 3, side, side)."""
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(0))


def product_rate(device: torch.device, precision: str, side: int) -> float:
    """The fastest of five rounds of matrix products, in FLOP/s."""
    one, other = (torch.randn(side, side).to(device) for _ in range(2))
    if precision == "bf16":
        one, other = one.bfloat16(), other.bfloat16()
    with computing("fp32" if precision == "bf16" else precision, device):
        return max(2 * side**3 * 10 / timed(device, lambda: [one @ other for _ in range(10)]) for _ in range(5))


def waits(device: torch.device, work: Callable[[], object]) -> float:
    """Count the waits of the host for the device in `work`, as torch's profiler sees it; NaN on another device than CUDA."""
    if device.type != "cuda":
        return float("nan")
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
        work()
    # The profiler's own last wait is not ours.
    return max(0, sum(one.count for one in seen.key_averages() if one.key in WAITING) - 1)


def timed(device: torch.device, work: Callable[[], object]) -> float:
    """The seconds that `work` takes, until the device is idle."""
    settle(device)
    started_s = time.perf_counter()
    work()
    settle(device)
    return max(time.perf_counter() - started_s, 1e-9)


def settle(device: torch.device) -> None:
    """Wait until the device is idle."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    else:
        torch.zeros(1, device=device).item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--within", type=float, default=560, help="seconds; a figure that was begun is finished")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    args = parser.parse_args()
    end_s = time.monotonic() + args.within
    try:
        device = pick_device(args.device)
    except CaptError as failure:
        raise SystemExit(f"{failure} Nothing was measured.") from None
    from full_size import write_folder

    found = [{"device": str(device), **accelerator_facts(device), **switches(), "torch": torch.__version__}]
    with tempfile.TemporaryDirectory() as spare:
        write_folder("ViT-B-16", folder := Path(spare) / "model")
        clip = load_backbone(f"local-dir:{folder}", device)
        for one in measured(clip, "demo", device, Sizes(), lambda: end_s - time.monotonic()):
            print(json.dumps(one), flush=True)
            found.append(one)
            if args.out is not None:
                args.out.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
