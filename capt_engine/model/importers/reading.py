"""Published files as tensors and plain values, read by a process of its own that can do nothing else (`pickled`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import safetensors.torch
from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.files import cannot_write, refused
from capt_engine.model import tensor_file
from capt_engine.model.importers import pickled

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from capt_engine.model.importers import pickled as p; import json; "
)
_GO = "p.main(sys.argv[2], sys.argv[3], p.Limits(**json.loads(sys.argv[4])))"
_PACKAGES = Path(pickled.__file__).resolve().parents[3]
_SPARE_S = 30.0
_BEAT_S = 0.1
_ENVIRONMENT = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_FORBIDDEN = 86
_LONGEST_HEADER = 32 << 20
# The dictionaries that training programs wrap their weights in.
_CONTAINERS = (
    "state_dict",
    "vision_encoder_state_dict",
    "add_prompter",
    "model",
    "model_state",
    "model_state_dict",
    "prompter",
)
# What wrappers put in front of every name: nn.DataParallel, and torch.compile, which may also wrap a part of a model.
_PARALLEL, _COMPILED = "module.", "_orig_mod."
_HINT = "The file is damaged or was made to do harm; get it again from where its authors put it."


@dataclass(frozen=True)
class Contents:
    """The content of a file. groups: tensors (fp32 where they were floats) by name, for each dictionary around them, "" being none.

    values: plain values by their path. pickled: it was a pickle.
    """

    groups: Mapping[str, Mapping[str, Tensor]]
    values: Mapping[str, object]
    pickled: bool

    @property
    def state(self) -> Mapping[str, Tensor]:
        """Return the tensors by name of the dictionary that holds most of them.

        TeCoA's visual prompts, which are in two dictionaries, are given as one.
        """
        if self._prompter:
            added = {f"add_prompter.{name}": value for name, value in self.groups["add_prompter"].items()}
            return {**self.groups.get("state_dict", {}), **added}
        return self.groups[self._largest]

    @property
    def beside(self) -> str:
        """Return the path of a tensor that may be learned and is not in `state`; "" where there is none.

        Single numbers, such as the best accuracy, and integers are not learned.
        """
        taken = ("state_dict", "add_prompter") if self._prompter else (self._largest,)
        for group, tensors in self.groups.items():
            for name, value in tensors.items():
                if group not in taken and value.is_floating_point() and value.numel() > 1:
                    return f"{group}/{name}" if group else name
        return ""

    def below_one_module(self, *marks: str) -> tuple[Contents, str]:
        """Take the name of a module away that stands in front of every tensor of `state`, as Lightning's "model." does.

        marks: names of which one is there without it. Returns the contents and that name, or the same contents and ""
        where no tensor has a marked name below a module, or not all of them stand below it.
        """
        for name in self.state:
            prefix = next((name.removesuffix(mark) for mark in marks if name.endswith(f".{mark}")), "")
            if prefix and all(one.startswith(prefix) for one in self.state):
                plain = {one.removeprefix(prefix): value for one, value in self.state.items()}
                return replace(self, groups={**self.groups, self._largest: plain}), prefix.rstrip(".")
        return self, ""

    @property
    def _prompter(self) -> bool:
        return "add_prompter" in self.groups and "vision_encoder_state_dict" not in self.groups

    @property
    def _largest(self) -> str:
        return max(self.groups, key=lambda group: sum(one.numel() > 1 for one in self.groups[group].values()))


def read_published(
    path: Path, limits: pickled.Limits | None = None, progress: Callable[[], None] = lambda: None
) -> Contents:
    """Read a torch or safetensors file that may come from a stranger; nothing in it is run.

    limits: sizes, memory and time beyond which a torch file is refused; None for the usual ones. progress: called
    several times a second while a torch file is read in a process of its own; what it raises ends that process. Raises
    BadCheckpoint where the file is missing, damaged or refused, CannotWrite where there is no room for the copy.
    """
    if not path.is_file():
        raise BadCheckpoint(f"There is no file {str(path)!r}.", "Check the name.")
    if _is_safetensors(path):
        return Contents(grouped(_loaded(path, path.name), "."), {}, pickled=False)
    with refused(path), tempfile.TemporaryDirectory(prefix="capt-import-") as scratch:
        out = Path(scratch) / "taken.safetensors"
        values = _taken(path, out, limits or pickled.Limits(), progress)
        return Contents(grouped(_loaded(out, path.name), "/"), values, pickled=True)


def _taken(path: Path, out: Path, limits: pickled.Limits, progress: Callable[[], None]) -> Mapping[str, object]:
    arguments = (str(_PACKAGES), str(path.absolute()), str(out), json.dumps(asdict(limits)))
    command = [sys.executable, "-I", "-B", "-c", _START + _GO, *arguments]
    # No more of the environment than starting an interpreter takes.
    env = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    ends_s = time.monotonic() + limits.seconds + _SPARE_S
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    ) as done:
        try:
            while True:
                try:
                    stdout, stderr = done.communicate(timeout=max(0, min(_BEAT_S, ends_s - time.monotonic())))
                    break
                except subprocess.TimeoutExpired:
                    progress()
                    if time.monotonic() > ends_s:
                        raise BadCheckpoint(
                            f"{path.name!r} took longer than {limits.seconds} s to read and was given up.", _HINT
                        ) from None
        finally:
            done.kill()
    if done.returncode == _FORBIDDEN:
        raise BadCheckpoint(
            f"{path.name!r} made its reader try something that reading does not need; it was stopped.", _HINT
        )
    try:
        answer = json.loads(stdout)
    except ValueError as error:
        last = stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise BadCheckpoint(f"{path.name!r} could not be read: {last[0][:200]}.", _HINT) from error
    if "unwritten" in answer:
        raise cannot_write(out, OSError(answer["unwritten"], os.strerror(answer["unwritten"])))
    if "refused" in answer:
        raise BadCheckpoint(f"{path.name!r} {answer['refused']}.", answer["hint"])
    values: dict[str, object] = answer["values"]
    return values


def _is_safetensors(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise BadCheckpoint(f"{str(path)!r} cannot be read: {error.strerror or error}.", "Check its rights.") from error
    return start[8:] == b"{" and int.from_bytes(start[:8], "little") <= _LONGEST_HEADER


def _loaded(path: Path, name: str) -> dict[str, Tensor]:
    with tensor_file.sound(name, _HINT):
        state = safetensors.torch.load_file(path)
    return finite(state, name)


def finite(state: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """Check that all values are finite, and convert floating-point tensors to fp32.

    Args:
        state: tensors of any shape by name.
        name: the file that they are from, for the message.

    Returns:
        The tensors by the same names; integers stay as they are.

    Raises:
        BadCheckpoint: a value is no finite number.
    """
    floats = {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
    tensor_file.require_finite(floats, name, _HINT)
    return floats


def grouped(state: Mapping[str, Tensor], joint: str) -> dict[str, dict[str, Tensor]]:
    """Sort the tensors of a file by the dictionary around them, such as "state_dict", that training programs use.

    Args:
        state: tensors of any shape by their path in the file.
        joint: what joins the steps of a path, "/" or "."; with "." all tensors are in no dictionary.

    Returns:
        For each dictionary ("" for none), its tensors by name, without the "module." that nn.DataParallel adds and the
        "_orig_mod." of torch.compile.

    Raises:
        BadCheckpoint: two tensors have one name without these.
    """
    groups: dict[str, dict[str, Tensor]] = {}
    for path, value in state.items():
        group, joined, name = path.partition("/") if joint == "/" else ("", "", path)
        if not joined or group not in _CONTAINERS:
            group, name = "", path
        # A tree of modules (TorchScript) is a path.
        plain = name.replace("/", ".").replace(_COMPILED, "").removeprefix(_PARALLEL)
        tensors = groups.setdefault(group, {})
        if plain in tensors:
            raise BadCheckpoint(f"The file holds {plain[:80]!r} twice, once as {name[:80]!r}.", _HINT)
        tensors[plain] = value
    return groups
