"""Ways to a faster forward or backward pass on a CPU, each beside how the program computes, in turns: ratios of processor time.

    uv run python benchmarks/cpu_ways.py [--ways channels-last …] [--rounds 7] [--threads 2]

A ratio above 1 means that the program's way takes less. Beside it stands how often, on the same pictures, the top class is the same. The
pictures are smooth random ones, so that only times and agreement mean something.
"""

from __future__ import annotations

from capt_engine import torch_settings as _torch_settings  # noqa: F401 - before any torch, as in the program

# isort: split

import argparse
import copy
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import load_backbone
from capt_engine.model.text import class_features
from capt_engine.runs.option_values import class_list

BATCH = 8
Pass = Callable[[], Tensor]


def classifier_of(name: str, precision: str = "fp32") -> Classifier:
    return Classifier(load_backbone(name, torch.device("cpu")), CLASSES[name], "a photo of a {}.", precision=precision)


def pictures_of(model: Classifier) -> Tensor:
    """Smooth random pictures (BATCH, 3, size, size)."""
    stream = torch.Generator().manual_seed(0)
    rough = torch.rand(BATCH, 3, model.size // 16, model.size // 16, generator=stream)
    return F.interpolate(rough, model.size, mode="bicubic").clamp(0, 1)


CLASSES = {"demo": ("circle", "square", "triangle", "star"), "photo": class_list("everyday")}


def forward(model: Callable[[Tensor], Tensor], x: Tensor) -> Pass:
    def run() -> Tensor:
        with torch.no_grad():
            return model(x)

    return run


def backward(model: Callable[[Tensor], Tensor], x: Tensor) -> Pass:
    def run() -> Tensor:
        at = x.clone().requires_grad_()
        logits = model(at)
        torch.autograd.grad(F.cross_entropy(logits, torch.zeros(len(x), dtype=torch.long), reduction="sum"), at)
        return logits.detach()

    return run


def in_turns(title: str, ours: Pass, other: Pass, rounds: int) -> None:
    """Print the other way's processor time over ours, the median and range of the rounds, and how the answers agree."""
    same, far = ours(), other()
    other()
    ratios = []
    for turn in range(rounds):
        seconds = {}
        for way in (ours, other) if turn % 2 else (other, ours):
            started = time.process_time()
            way()
            seconds[way] = time.process_time() - started
        ratios.append(seconds[other] / seconds[ours])
    agree = float((same.argmax(1) == far.argmax(1)).float().mean())
    bits = "same bits" if torch.equal(same, far) else f"at most {float((same - far).abs().max()):.1e} logits apart"
    shown = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    print(f"  {title}: {shown}; {bits}, top class the same of {agree:.0%}", flush=True)


def without(model: Classifier, change: Callable[[nn.Module], None]) -> Classifier:
    """The same classifier whose image tower is a changed copy."""
    other = copy.copy(model)
    other.backbone = copy.copy(model.backbone)
    object.__setattr__(other.backbone, "clip", copy.deepcopy(model.backbone.clip))
    change(other.backbone.clip)
    return other


def channels_last(rounds: int) -> None:
    model = classifier_of("photo")
    x = pictures_of(model)

    def plain(clip: nn.Module) -> None:
        trunk = clip.visual.conv1
        trunk.to(memory_format=torch.contiguous_format)
        trunk.features = lambda x: trunk.head(trunk.blocks(trunk.stem(x.contiguous())))

    other = without(model, plain)
    in_turns("contiguous trunk, forward", forward(model, x), forward(other, x), rounds)
    in_turns("contiguous trunk, with gradient", backward(model, x), backward(other, x), rounds)


def inference_mode(rounds: int) -> None:
    for name in ("demo", "photo"):
        model = classifier_of(name)
        x = pictures_of(model)

        def run(model: Classifier = model, x: Tensor = x) -> Tensor:
            with torch.inference_mode():
                return model(x)

        in_turns(f"torch.inference_mode, {name}", forward(model, x), run, rounds)


def attention(rounds: int) -> None:
    from full_size import write_folder

    def apart(clip: nn.Module) -> None:
        for module in clip.visual.modules():
            if isinstance(module, nn.MultiheadAttention):
                module._forward_pre_hooks.clear()

    with tempfile.TemporaryDirectory() as place:
        write_folder("ViT-B-32", Path(place) / "ViT-B-32")
        full_size = load_backbone(f"local-dir:{place}/ViT-B-32", torch.device("cpu"))
    for name, model in (
        ("demo", classifier_of("demo")),
        ("ViT-B/32, random weights", Classifier(full_size, CLASSES["demo"], "a photo of a {}.")),
    ):
        other = without(model, apart)
        for n in (1, 2, 4, BATCH):
            x = pictures_of(model)[:n]
            title = f"attention's tokens apart, {name}, {n} pictures, with gradient"
            in_turns(title, backward(model, x), backward(other, x), rounds)


class _Unfolded(nn.Module):
    """A convolution and a batch norm that changes nothing behind it, as if it had not been folded in."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.layer, self.norm = layer, nn.BatchNorm2d(layer.out_channels, eps=0.0).eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        linear, self.layer.linear = self.layer.linear, True
        y = self.norm(self.layer(x))
        self.layer.linear = linear
        return y if linear else F.relu6(y, inplace=True)


def folded(rounds: int) -> None:
    model = classifier_of("photo")
    x = pictures_of(model)

    def unfold(clip: nn.Module) -> None:
        trunk = clip.visual.conv1
        for block in trunk.blocks:
            for name in ("expand", "depthwise", "project"):
                if getattr(block, name) is not None:
                    setattr(block, name, _Unfolded(getattr(block, name)))

    other = without(model, unfold)
    in_turns("norms not folded, forward", forward(model, x), forward(other, x), rounds)
    in_turns("norms not folded, with gradient", backward(model, x), backward(other, x), rounds)


def text(rounds: int) -> None:
    model = classifier_of("photo")
    x, names = pictures_of(model), CLASSES["photo"]
    ratios = []
    for _ in range(rounds):
        started = time.process_time()
        class_features(model.backbone, names, "a photo of a {}.")
        between = time.process_time()
        forward(model, x)()
        ratios.append((between - started) / (time.process_time() - between) * len(x))
    print(
        f"  text features of {len(names)} classes: as much as {statistics.median(ratios):.0f} forward passes of a picture"
    )


def bf16(rounds: int) -> None:
    for name in ("demo", "photo"):
        model = classifier_of(name)
        x = pictures_of(model)
        in_turns(f"bf16, forward, {name}", forward(model, x), forward(model.in_precision("bf16"), x), rounds)


def int8(rounds: int) -> None:
    for name in ("demo", "photo"):
        model = classifier_of(name)
        x = pictures_of(model)

        def quantize(clip: nn.Module) -> None:
            torch.ao.quantization.quantize_dynamic(clip.visual, {nn.Linear}, dtype=torch.qint8, inplace=True)

        in_turns(
            f"int8 in linear layers, forward, {name}", forward(model, x), forward(without(model, quantize), x), rounds
        )


def compiled(rounds: int) -> None:
    for name in ("demo", "photo"):
        model = classifier_of(name)
        x = pictures_of(model)
        started = time.process_time()
        other = torch.compile(model.__call__)
        try:
            forward(other, x)()
        except Exception as error:  # no compiler, or code that it does not take: the rest goes on
            print(f"  torch.compile, {name}: not made here ({str(error).splitlines()[0][:100]})", flush=True)
            continue
        print(
            f"  torch.compile, {name}: {time.process_time() - started:.0f} s of the processor before the first answer"
        )
        in_turns(f"torch.compile, forward, {name}", forward(model, x), forward(other, x), rounds)


def onednn(rounds: int) -> None:
    model = classifier_of("photo")
    x = pictures_of(model)

    def run() -> Tensor:
        with torch.backends.mkldnn.flags(enabled=False):
            return forward(model, x)()

    in_turns("without oneDNN, forward, photo", forward(model, x), run, rounds)


WAYS: dict[str, Callable[[int], None]] = {
    "channels-last": channels_last,
    "inference-mode": inference_mode,
    "folded": folded,
    "attention": attention,
    "text": text,
    "bf16": bf16,
    "int8": int8,
    "onednn": onednn,
    "compile": compiled,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    warnings.simplefilter("ignore")  # what torch says of its own quantization
    print(
        f"{args.threads} threads, torch {torch.__version__}, batches of {BATCH}: the other way's processor time over the program's"
    )
    for way in args.ways:
        print(way)
        WAYS[way](args.rounds)


if __name__ == "__main__":
    main()
