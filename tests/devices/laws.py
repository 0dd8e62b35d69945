"""A program that proves laws of the engine on the pretended device, and prints JSON.

`python -m tests.devices.laws FOLDER_OF_A_CLIP LAW …`; with `--brief` few cases of each kind stand for all.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import capt_engine as capt
from capt_engine import folders
from capt_engine.attacks import ATTACKS
from capt_engine.attacks.base import L2, LINF, Attack, PictureRngs, Threat
from capt_engine.attacks.pgd import PGD
from capt_engine.attacks.square import Square
from capt_engine.errors import DeviceProblem
from capt_engine.metrics import METRICS
from capt_engine.metrics.base import Outcomes
from capt_engine.model import devices
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone, load_backbone
from capt_engine.model.learned_prompts import LearnedPrompts
from capt_engine.progress import no_progress
from capt_engine.tuning.methods import METHODS
from capt_engine.wrappers.quantized import run_attack
from tests.devices import pretend

CLASSES = ("mug", "cross", "arch", "cube", "star")
TEMPLATE = "a photo of a {}."
# Short settings, for what is proven is that every line runs there.
_BRIEF = {
    "steps": 4,
    "queries": 24,
    "searches": 2,
    "targets": 2,
    "turns": 3,
    "shifts": 3,
    "places": 3,
    "draws": 2,
    "probes": 8,
}


_HALF = {"steps": 2, "queries": 8}
# One attack for each way of stepping; the others are run where there is time.
_FEW = ("pgd", "apgd-ce", "apgd-t", "cw", "fab", "square")
BRIEF = "--brief" in sys.argv


def backbone(device: torch.device) -> Backbone:
    """The CLIP in the folder that was named, on a device."""
    return load_backbone(f"local-dir:{sys.argv[1]}", device)


def classifier(device: torch.device) -> Classifier:
    """The model on a device."""
    return Classifier(backbone(device), CLASSES, TEMPLATE)


def pictures(n: int) -> Tensor:
    """Some random pixels, as large as the model takes them."""
    config = json.loads((Path(sys.argv[1]) / "open_clip_config.json").read_text(encoding="utf-8"))
    size = config["model_cfg"]["vision_cfg"]["image_size"]
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (n, 3, size, size), generator=generator) / 255


def cases(shorter: dict[str, int] | None = None) -> Iterator[tuple[str, Attack, Threat]]:
    """Every attack, with every norm that it has and both roundings; where it is to be brief, some with one of each.

    shorter: other numbers of steps and queries.
    """
    for name in _FEW if BRIEF else ATTACKS.names():
        kind = ATTACKS[name]
        known = {one.name for one in fields(kind)}
        settings = _BRIEF | (shorter or {})
        attack = kind(**{key: value for key, value in settings.items() if key in known})
        norms = kind.norms or (LINF.name,)
        for norm, eps in ((LINF, 4 / 255), (L2, 0.5)):
            if norm.name in (norms[:1] if BRIEF else norms):
                for eight_bits in (name == "pgd",) if BRIEF else (False, True):
                    yield f"{name} {norm.name} {eight_bits}", attack, Threat(norm, eps, eight_bits=eight_bits)


def attacks(device: torch.device) -> dict[str, object]:
    """Each attack on the device and on the processor: the largest difference of a pixel, and whether both broke the same pictures."""
    there, here = classifier(device), classifier(torch.device("cpu"))
    x = pictures(3)
    with torch.no_grad():
        y = here(x).argmax(dim=1)
    seen: dict[str, object] = {}
    for name, attack, threat in cases():
        found = []
        for model in (there, here):
            rngs = PictureRngs.of(0, ["a", "b", "c"])
            some, labels = x.to(model.device), y.to(model.device)
            adversarial = run_attack(attack, model, some, labels, threat, rngs, no_progress).cpu()
            with torch.no_grad():
                found.append((adversarial, (here(adversarial).argmax(dim=1) != y).tolist()))
        (one, broken), (other, alike) = found
        delta = one - x
        size = float(threat.norm.norm(delta).max()) if attack.norms else 0.0
        seen[name] = {
            "differs": float((one - other).abs().max()),
            "alike": broken == alike,
            "within": size <= threat.eps * (1 + 1e-5) + 1e-6,
        }
    return seen


def evaluation(device: torch.device) -> dict[str, object]:
    """The rows and checks of an evaluation there and here."""
    return {"there": _evaluated(classifier(device)), "here": _evaluated(classifier(torch.device("cpu")))}


def checks(device: torch.device) -> dict[str, object]:
    """The outcome of each check, at the level that makes all, of tuned prompts there and here."""
    return {name: _checked(at) for name, at in (("there", device), ("here", torch.device("cpu")))}


def _checked(device: torch.device) -> dict[str, str]:
    x = pictures(24)
    model = capt.Classifier(clip := backbone(device), CLASSES, TEMPLATE, prompts=_prompts(clip, epochs=1))
    with torch.no_grad():
        y = model(x.to(device)).argmax(dim=1).cpu()
    attacks = [PGD(steps=4), Square(queries=20)]
    found = capt.evaluate(model, [(x, y)], attacks=attacks, eps=[2 / 255], checks="full", cache=False)
    return {one.name: one.status for one in found.summary.checks}


def metrics(device: torch.device) -> dict[str, object]:
    """Each metric of values that lie on the device, which may or may not know float64, and on the processor."""
    n, k, d = 5, len(CLASSES), 16
    generator = torch.Generator().manual_seed(5)

    def drawn(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator)

    x = pictures(n)
    unit = [torch.nn.functional.normalize(drawn(n, d) - 0.5, dim=1) for _ in range(2)]
    logits = [20 * drawn(n, k) for _ in range(5)]
    attacked = (x + (drawn(*x.shape) - 0.5) / 32).clamp(0, 1)
    given = (x, attacked, torch.arange(n) % k, *logits[:2], *unit, *logits[2:])
    found: dict[str, object] = {}
    for name, at, forbids in (("here", "cpu", False), ("there", device, True), ("with float64", device, False)):
        _forbid_double(forbids)
        outcomes = Outcomes(*(one.to(at) for one in given), lpips=_apart)
        found[name] = {one.name: one.measure(outcomes).cpu().tolist() for one in METRICS}
    _forbid_double(True)
    return found


def _apart(one: Tensor, other: Tensor) -> Tensor:
    """Something in the place of LPIPS, whose weights nobody brought."""
    return (one - other).abs().mean(dim=(1, 2, 3))


ERRORS: dict[str, Callable[[], BaseException]] = {
    "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "mps": lambda: RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
    "xpu": lambda: torch.OutOfMemoryError("XPU out of memory. Tried to allocate 2.00 GiB."),
    "level zero": lambda: RuntimeError(
        "level_zero backend failed with error: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)"
    ),
    "cublas": lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
}
"""The words in which a device without memory says so."""


def memory(device: torch.device) -> dict[str, object]:
    """Rows where memory runs out once, by the kind of what there was no memory for, at three places; and where there is too little.

    In the place of rows may be a sentence.
    """
    model = classifier(device)
    with pretend.counted() as counts:
        whole = _evaluated(model, checks="off")
        made, largest = {kind: counts.made[kind] for kind in pretend.KINDS}, counts.largest
    seen: dict[str, object] = {"made": made, "whole": whole["rows"]}
    for words, kind in itertools.product(ERRORS, pretend.KINDS):
        if BRIEF and words != [*ERRORS][pretend.KINDS.index(kind) % len(ERRORS)]:
            continue
        for share in (0.0, 0.5, 0.9) if words == "cuda" and not BRIEF else (0.5,):
            seen[f"{words}, {kind} at {share:.0%}"] = _starved(model, words, kind, left=int(share * made[kind]))
    for name, share in (("three quarters", 0.75), ("a third", 0.34), ("none", 0.0)):
        if not BRIEF or name != "three quarters":
            seen[name] = _starved(model, "mps", memory=int(share * largest))
    return seen


def remembered(device: torch.device) -> dict[str, object]:
    """Runs over eight pictures with too little memory: the rows, how often it ran out, and the largest batch, in the order of the runs.

    The device says nothing of its memory, then tells what is free.
    """
    _forget()
    gc.collect()
    model = classifier(device)
    x = pictures(8)
    with torch.no_grad():
        y = model(x.to(device)).argmax(dim=1).cpu()
    sizes: list[int] = []
    plain = model.forward

    def forward(images: Tensor) -> Any:
        sizes.append(len(images))
        return plain(images)

    model.forward = forward  # type: ignore[method-assign]

    def run(parts: tuple[int, ...], **more: int) -> dict[str, object]:
        batches = list(zip(x.split(parts), y.split(parts), strict=True))
        with pretend.counted() as counts:
            sizes.clear()
            result = capt.evaluate(model, batches, attacks=PGD(steps=1), eps=2 / 255, checks="off", cache=False, **more)
            rows = [{key: value for key, value in row.items() if key != "time_s"} for row in result.rows()]
            return {"rows": rows, "failures": counts.failures, "largest": max(sizes)}

    pretend.DEVICE.peak = start = pretend.DEVICE.held
    whole = run((8,))
    taken = pretend.DEVICE.peak - start
    pretend.DEVICE.out_of_memory = ERRORS["cuda"]
    pretend.DEVICE.total, pretend.DEVICE.tells = start + int(0.6 * taken), False
    found = {"whole": whole, "first": run((8,)), "second": run((8,)), "asked for less": run((8,), batch_size=2)}
    _forget()
    pretend.DEVICE.tells = True
    found["told"] = run((1, 2, 5))
    pretend.DEVICE.total = None
    return {**found}


def _forget() -> None:
    """Forget the batches that fitted in the cases before."""
    (folders.data_dir() / "batch-sizes.json").unlink(missing_ok=True)


def _starved(
    model: Classifier, words: str, kind: str = "", left: int | None = None, memory: int | None = None
) -> dict[str, object]:
    """The rows, or the sentence in their place, with as much memory, and how often there was none."""
    device = pretend.DEVICE
    _forget()
    with pretend.counted():
        device.out_of_memory, device.fails, device.memory_left, device.memory = ERRORS[words], kind, left, memory
        try:
            result = _evaluated(model, checks="off")["rows"]
        except DeviceProblem as problem:
            result = problem.message
        device.memory_left = device.memory = None
        return {"result": result, "failures": device.failures}


def tuning(device: torch.device) -> dict[str, object]:
    """The logits by what a few steps of CAPT learn there, there with too little memory, and here; and the waits of them there."""
    found: dict[str, object] = {}
    x = pictures(8)
    _forget()
    made = 0
    for name, at in (("there", device), ("starved", device), ("here", torch.device("cpu"))):
        clip = backbone(at)
        pretend.DEVICE.clear()
        if name == "starved":
            pretend.DEVICE.memory_left, pretend.DEVICE.out_of_memory = made // 2, ERRORS["mps"]
        prompts = _prompts(clip, epochs=2)
        pretend.DEVICE.memory_left = None
        if name == "starved":
            found["failures"] = pretend.DEVICE.failures
        made = sum(pretend.DEVICE.made.values())
        if name == "there":
            files = ("tuning/loop.py", "tuning/inner_attack.py", "tuning/objective.py", "tuning/prompted.py")
            found["waits"] = [place for _, place in pretend.DEVICE.waits if place.startswith(files)]
            found["read"] = pretend.DEVICE.from_device["tuning/loop.py:_read_out"]
        model = capt.Classifier(clip, CLASSES, TEMPLATE, prompts=prompts)
        with torch.no_grad():
            found[name] = model(x.to(at)).cpu().tolist()
    return found


def methods(device: torch.device) -> dict[str, object]:
    """The logits by what each method of tuning prompts learns in one step there and here."""
    found: dict[str, dict[str, object]] = {"there": {}, "here": {}}
    x = pictures(4)
    for side, at in (("there", device), ("here", torch.device("cpu"))):
        clip = backbone(at)
        for method in (one for one in METHODS.names() if not METHODS[one].learns_tower):
            prompts = _prompts(clip, epochs=1, method=method, n_ctx=2)
            with torch.no_grad():
                found[side][method] = capt.Classifier(clip, CLASSES, TEMPLATE, prompts=prompts)(x.to(at)).cpu().tolist()
    return {**found}


def _prompts(
    clip: Backbone, *, epochs: int, method: str = "capt", n: int = 10, n_ctx: int | None = None
) -> LearnedPrompts:
    """Prompts that were tuned for a few steps, on n pictures in batches of 5."""
    x, y = pictures(n), torch.arange(n) % len(CLASSES)
    return capt.tune(
        clip, [(x, y)], CLASSES, TEMPLATE, method=method, epochs=epochs, eps=2 / 255, batch_size=5, n_ctx=n_ctx
    )


def _evaluated(model: Classifier, checks: str = "cheap") -> dict[str, Any]:
    x = pictures(4)
    # Labels come from a device that has memory.
    device = pretend.DEVICE
    left, memory, device.memory_left, device.memory = device.memory_left, device.memory, None, None
    with torch.no_grad():
        y = model(x.to(model.device)).argmax(dim=1).cpu()
    device.memory_left, device.memory = left, memory
    attacks = [PGD(steps=2), Square(queries=2)]
    result = capt.evaluate(model, [(x, y)], attacks=attacks, eps=[2 / 255], checks=checks, cache=False)
    rows = [{key: value for key, value in row.items() if key not in ("time_s", "wall_s")} for row in result.rows()]
    return {"rows": rows, "checks": {one.name: one.status for one in result.summary.checks}}


def waits(device: torch.device) -> dict[str, object]:
    """Waits of the host, and copies to the device: in loading a model, and in a step or query of each attack and of tuning."""
    with pretend.counted() as counts:
        clip = backbone(device)
        found: dict[str, object] = {"loading a model": _counts(counts)}
    there = Classifier(clip, CLASSES, TEMPLATE)
    x = pictures(2).to(device)
    with torch.no_grad():
        y = there(x).argmax(dim=1)
    for name, brief, threat in cases(_HALF if BRIEF else None):
        unit = next((one for one in ("steps", "queries") if hasattr(brief, one)), "")
        if not unit or (threat.eight_bits and not BRIEF):
            continue
        most = getattr(brief, unit)
        several = []
        for attack in (brief, replace(brief, **{unit: 2 * most})):  # type: ignore[type-var]
            with pretend.counted() as counts:
                attack.run(there, x, y, threat, PictureRngs.of(0, ["a", "b"]), no_progress)
                several.append(_counts(counts))
        each = {key: round((several[1][key] - several[0][key]) / most, 3) for key in several[0]}
        found[f"{name.rpartition(' ')[0]}, a {'step' if unit == 'steps' else 'query'}"] = each
    several = []
    for epochs, n in ((1, 5), (1, 10), (2, 5)):
        with pretend.counted() as counts:
            _prompts(clip, epochs=epochs, n=n)
            several.append(_counts(counts))
    first, longer, again = several
    found["tuning, a step"] = {key: longer[key] - first[key] for key in first}
    # An epoch here is one step.
    found["tuning, an epoch beside its steps"] = {key: again[key] - longer[key] for key in first}
    return found


def gpu_script(device: torch.device) -> dict[str, object]:
    """The figures of benchmarks/gpu.py in tiny sizes."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    gpu = importlib.import_module("gpu")
    sizes = gpu.Sizes(pictures=2, batch=2, steps=1, side=8, classes=5, tuning_batch=4, verdicts=2)
    return {
        f"{one['figure']} {one.get('precision', '')}": one
        for one in gpu.measured(backbone(device), f"local-dir:{sys.argv[1]}", device, sizes, lambda: 1.0)
    }


def _counts(device: pretend.Pretend) -> dict[str, int]:
    return {"waits": device.halts, "copies to it": sum(device.to_device.values())}


def _forbid_double(forbids: bool) -> None:
    pretend.DEVICE.forbids_double = forbids
    (devices.WITHOUT_DOUBLE.add if forbids else devices.WITHOUT_DOUBLE.discard)(pretend.NAME)


LAWS = {
    law.__name__: law
    for law in (attacks, evaluation, checks, metrics, memory, remembered, tuning, methods, waits, gpu_script)
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    spare = tempfile.TemporaryDirectory()
    folders.data_dir = lambda: Path(spare.name)
    at = pretend.install()
    _forbid_double(True)
    wanted = [one for one in sys.argv[2:] if one in LAWS]
    found: dict[str, object] = {}
    for name in wanted:
        began = time.process_time()
        found[name] = LAWS[name](at)
        sys.stderr.write(f"{name}: {time.process_time() - began:.1f} s of the processor\n")
    sys.stdout.write(json.dumps(found, default=str))
