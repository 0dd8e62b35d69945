"""Facts that the path of a published file, and the cfg.yaml that APT leaves beside a run, state and the file itself does not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from capt_engine.formatting import budget
from capt_engine.model.prompts import POSITIONS

# As in output/imagenet/APT/vit_b32_16shots/nctx16_cscTrue_ctpend/eps4_alpha2.67_step3/seed1/prompt_learner/model.pth.tar-50
_POSITION = re.compile(r"(?:^|_)ctp(end|middle|front)(?:_|$)")
_EPS = re.compile(r"(?:^|_)eps-?(\d+(?:\.\d+)?)(?:_|$)")
_SETTING = re.compile(r"^\s*(CLASS_TOKEN_POSITION|EPS)\s*:\s*[\"']?([A-Za-z0-9./]+)[\"']?\s*$", re.MULTILINE)
# The trainers whose files of one layer look the same, as Dassl names folders after them.
_TRAINERS = {"FAP": "fap", "MaPLe": "maple"}
_CONFIGS = ("cfg.yaml", "config.yaml")
_ABOVE, _LONGEST = 3, 200_000


@dataclass(frozen=True)
class Hints:
    """position: of the class name; eps: in pixel units [0, 1]; said: where they were found, in sentences. Empty where nothing was.

    trainer: the family of prompts that a folder is named after.
    """

    position: str = ""
    eps: float | None = None
    said: tuple[str, ...] = ()
    trainer: str = ""


def hints(path: Path) -> Hints:
    """Read class position and budget of a published prompts file from its folders' names and a cfg.yaml nearby.

    path: the file; a configuration in one of the three folders above it counts more than folder names. What is not
    found is empty in the result.
    """
    found: dict[str, tuple[str, str]] = {}
    for part in path.absolute().parts:
        for name, like in (("position", _POSITION), ("eps", _EPS)):
            if match := like.search(part):
                found[name] = (match[1], f"the folder {part!r}")
    for folder in [*path.absolute().parents][:_ABOVE]:
        config = next((folder / name for name in _CONFIGS if (folder / name).is_file()), None)
        if config is not None:
            for key, value in _SETTING.findall(_text(config)):
                found["eps" if key == "EPS" else "position"] = (value, config.name)
            break
    position, where = found.get("position", ("", ""))
    position = position if position in POSITIONS else ""
    said = [f"The class position is {position!r}, as {where} says."] if position else []
    value, where = found.get("eps", ("", ""))
    eps = _budget(value)
    if eps is not None:
        said.append(f"They were tuned for ε = {budget(eps)}, as {where} says.")
    trainer = next((part for part in reversed(path.absolute().parts[:-1]) if part in _TRAINERS), "")
    return Hints(position, eps, tuple(said), _TRAINERS.get(trainer, ""))


def _budget(text: str) -> float | None:
    """In the relatives a budget of 1 and more is in 1/255."""
    try:
        value = float(text)
    except ValueError:
        return None
    eps = value / 255 if value >= 1 else value
    return eps if 0 < eps <= 1 else None


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_LONGEST)
    except OSError:
        return ""
