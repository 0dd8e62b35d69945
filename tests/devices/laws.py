"""A program that proves one law of the engine on the pretended device: `python -m tests.devices.laws LAW FOLDER_OF_A_CLIP` prints JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

import capt_engine as capt
from capt_engine.attacks import ATTACKS
from capt_engine.attacks.base import L2, LINF, Attack, PictureRngs, Threat
from capt_engine.attacks.pgd import PGD
from capt_engine.attacks.square import Square
from capt_engine.errors import DeviceProblem
from capt_engine.model import devices
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone, load_backbone
from capt_engine.progress import no_progress
from capt_engine.wrappers.quantized import run_attack
from tests.devices import pretend

CLASSES = ("mug", "cross", "arch", "cube", "star")
SIZE = 24
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


def backbone(device: torch.device) -> Backbone:
    """The CLIP in the folder that was named, on a device."""
    return load_backbone(f"local-dir:{sys.argv[2]}", device)


def classifier(device: torch.device) -> Classifier:
    """The model on a device."""
    return Classifier(backbone(device), CLASSES, TEMPLATE)


def pictures(n: int) -> Tensor:
    """Some random pixels."""
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (n, 3, SIZE, SIZE), generator=generator) / 255


def cases() -> Iterator[tuple[str, Attack, Threat]]:
    """Every attack, with every norm that it has and both roundings."""
    for name in ATTACKS.names():
        kind = ATTACKS[name]
        known = {one.name for one in fields(kind)}
        attack = kind(**{key: value for key, value in _BRIEF.items() if key in known})
        for norm, eps in ((LINF, 4 / 255), (L2, 0.5)):
            if norm.name in (kind.norms or (LINF.name,)):
                for eight_bits in (False, True):
                    yield f"{name} {norm.name} {eight_bits}", attack, Threat(norm, eps, eight_bits=eight_bits)


def attacks() -> dict[str, object]:
    """Each attack on the device and on the processor: the largest difference of a pixel, and whether both broke the same pictures."""
    there, here = classifier(pretend.install()), classifier(torch.device("cpu"))
    x = pictures(3)
    with torch.no_grad():
        y = here(x).argmax(dim=1)
    seen: dict[str, object] = {}
    for name, attack, threat in cases():
        found = []
        for model, device in ((there, pretend.NAME), (here, "cpu")):
            rngs = PictureRngs.of(0, ["a", "b", "c"])
            adversarial = run_attack(attack, model, x.to(device), y.to(device), threat, rngs, no_progress).cpu()
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


def evaluation() -> dict[str, object]:
    """The rows and checks of an evaluation there and here."""
    device = pretend.install()
    return {"there": _evaluated(device), "here": _evaluated(torch.device("cpu"))}


def memory() -> dict[str, object]:
    """Rows with the memory running out at ever later operations, in the words of CUDA and of Apple's GPUs; in place of rows a sentence."""
    device = pretend.install()
    whole = _evaluated(device)["rows"]
    seen: dict[str, object] = {"whole": whole}
    errors: dict[str, Callable[[], BaseException]] = {
        "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory."),
        "mps": lambda: RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
    }
    for words, error in errors.items():
        pretend.DEVICE.out_of_memory = error
        for after in (0, 20, 300, 1500):
            pretend.DEVICE.memory_left = after
            model = None
            try:
                model = classifier_with_memory(device)
                pretend.DEVICE.memory_left = after
                seen[f"{words} {after}"] = _evaluated(device, model)["rows"]
            except DeviceProblem as problem:
                seen[f"{words} {after}"] = problem.message
            pretend.DEVICE.memory_left = None
    return seen


def classifier_with_memory(device: torch.device) -> Classifier:
    """The model, made while there is memory."""
    pretend.DEVICE.memory_left = None
    return classifier(device)


def tuning() -> dict[str, object]:
    """The values that a few epochs of CAPT learn there and here."""
    device = pretend.install()
    found: dict[str, object] = {}
    x = pictures(8)
    y = torch.arange(8) % 4
    for name, at in (("there", device), ("here", torch.device("cpu"))):
        clip = backbone(at)
        pretend.DEVICE.clear()
        prompts = capt.tune(clip, [(x, y)], CLASSES[:4], TEMPLATE, method="capt", epochs=2, eps=2 / 255, batch_size=4)
        if at is device:
            files = ("tuning/loop.py", "tuning/inner_attack.py", "tuning/objective.py", "tuning/prompted.py")
            found["waits"] = [place for _, place in pretend.DEVICE.waits if place.startswith(files)]
            found["read"] = pretend.DEVICE.from_device["tuning/loop.py:_read_out"]
        model = capt.Classifier(clip, CLASSES[:4], TEMPLATE, prompts=prompts)
        with torch.no_grad():
            found[name] = model(x.to(at)).cpu().tolist()
    return found


def _evaluated(device: torch.device, model: Classifier | None = None) -> dict[str, Any]:
    x, model = pictures(4), model or classifier(device)
    after, pretend.DEVICE.memory_left = pretend.DEVICE.memory_left, None
    with torch.no_grad():
        y = model(x.to(device)).argmax(dim=1).cpu()
    pretend.DEVICE.memory_left = after
    result = capt.evaluate(model, [(x, y)], attacks=[PGD(steps=4), Square(queries=20)], eps=[2 / 255], checks="cheap")
    rows = [{key: value for key, value in row.items() if key not in ("time_s", "wall_s")} for row in result.rows()]
    checks = {one.name: one.status for one in result.summary.checks}
    return {"rows": rows, "checks": checks}


def waits() -> dict[str, object]:
    """How often the host waits in each attack with few steps, and with twice as many."""
    there = classifier(pretend.install())
    x = pictures(2).to(pretend.NAME)
    with torch.no_grad():
        y = there(x).argmax(dim=1)
    found: dict[str, object] = {}
    for name, brief, threat in cases():
        if hasattr(brief, "steps") and not threat.eight_bits:
            counts = []
            for attack in (brief, replace(brief, steps=2 * brief.steps)):  # type: ignore[type-var]
                with pretend.counted() as device:
                    attack.run(there, x, y, threat, PictureRngs.of(0, ["a", "b"]), no_progress)
                counts.append(sum(device.waits.values()) + sum(device.from_device.values()))
            found[name.removesuffix(" False")] = (counts[1] - counts[0]) / brief.steps
    return found


LAWS = {law.__name__: law for law in (attacks, evaluation, memory, tuning, waits)}

if __name__ == "__main__":
    torch.set_num_threads(1)
    pretend.DEVICE.forbids_double = True
    devices.WITHOUT_DOUBLE.add(pretend.NAME)
    sys.stdout.write(json.dumps(LAWS[sys.argv[1]](), default=str))
