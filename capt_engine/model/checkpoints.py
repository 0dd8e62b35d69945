"""Prompts on disk: one safetensors file, with one JSON document about them in its metadata.

A file may come from a stranger. The header is checked here, by hand and before the safetensors library sees it; everything in the
document is checked by type; nothing in a file is ever run. What is wrong is said in one sentence.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.files import write_atomic
from capt_engine.formatting import short
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import COUPLINGS, PLACEHOLDER, POSITIONS, Prompts, PromptShape, TowerSizes, state_shapes
from capt_engine.model.text import is_template, keeping_braces
from capt_engine.reading import decode, renamed
from capt_engine.records.tuning import OLD_NAMES

FORMAT = 1
MAX_HEADER_BYTES = 1_000_000
MAX_TENSOR_BYTES = 64_000_000
_KEY, _LENGTH_BYTES, _SHA256 = "capt_prompts", 8, "[0-9a-f]{64}"
_DTYPE_BYTES = {"F32": 4, "F16": 2, "BF16": 2}
_LONGEST, _WIDEST, _DEEPEST, _NESTED = 1024, 65_536, 256, 8
_SHAPE = ("coupling", "n_ctx", "depth")
_AGAIN = "The file is damaged or was changed; make it or download it again."
_NOT_WHOLE = "It did not arrive whole; copy or download it again."
_OTHER_KIND = "Choose a prompts file of this program; prompts of other programs have to be imported first."

Plain: TypeAlias = "bool | int | float | str | tuple[Plain, ...] | Mapping[str, Plain] | None"


@dataclass(frozen=True)
class MadeFor:
    """The model that prompts belong to: its id, the SHA-256 of its weights file, and the sizes that its prompts fit."""

    id: str
    sha256: str
    sizes: TowerSizes

    @classmethod
    def of(cls, backbone: Backbone) -> MadeFor:
        """As a document says it: of a path in the id only the last name is kept, since the file may travel."""
        name = re.sub(r"^(hf-hub:.*|local-dir:|[^@/\\]*@|)(?:.*[/\\])?", r"\1", backbone.id.rstrip("/\\"))
        return cls(name, backbone.sha256, TowerSizes.of(backbone))

    def __str__(self) -> str:
        sizes = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in vars(self.sizes).items())
        return f"{self.id!r} ({sizes}, SHA-256 {short(self.sha256)})"


@dataclass(frozen=True)
class Document:
    """The description of prompts in their file, as plain values (sequences as tuples).

    template: the sentence, `{}` being the class name; `placeholder` stands in front of it as often as it takes for `n_ctx` tokens to
    stand before the class name. classes are what they were tuned on, for information: prompts move to other names. data: a fingerprint
    of the pictures. Anything that is not known is empty or None.
    """

    method: str
    backbone: MadeFor
    shape: PromptShape
    template: str
    placeholder: str = PLACEHOLDER
    classes: tuple[str, ...] = ()
    settings: Mapping[str, Plain] = field(default_factory=dict)
    data: str = ""
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, Plain] = field(default_factory=dict)
    notes: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """A file's document and its tensors by name (fp32, on the CPU), which fit each other and are finite."""

    document: Document
    state: Mapping[str, Tensor]


def save(path: Path, prompts: Prompts, document: Document) -> None:
    """Write prompts so that `path` holds either what it held before or all of them; the same content gives the same bytes.

    Raises BadCheckpoint where `load` would refuse the result, CannotWrite where `path` cannot be written, ValueError for another shape.
    """
    if document.shape != prompts.shape:
        raise ValueError(f"the document says {document.shape}, the prompts are {prompts.shape}")
    state = {name: value.detach().to("cpu", torch.float32).contiguous() for name, value in prompts.state_dict().items()}
    with _about(path):
        # What is as usual goes unsaid, so that a file of ours is the same bytes whatever may be imported.
        usual = asdict(PromptShape())
        shape = {n: v for n, v in asdict(document.shape).items() if n in _SHAPE or v != usual[n]}
        text = json.dumps({"format": FORMAT, **asdict(document), "shape": shape}, sort_keys=True)
        content = safetensors.torch.save(state, {_KEY: text})
        _checkpoint(content)  # nothing is written that could not be read back
    write_atomic(path, content)


def read_document(path: Path) -> Document:
    """Read the description of prompts from the file's header (≤ 1 MB) alone; all but the values is checked. Raises BadCheckpoint."""
    with _opened(path) as (file, size):
        return _header(file, size)


def read(path: Path) -> Checkpoint:
    """A whole file, for no model in particular; raises BadCheckpoint."""
    with _opened(path) as (file, size):
        # First the few bytes that say whether it is ours: a whole model is not read into memory to be refused.
        _header(file, size)
        file.seek(0)
        return _checkpoint(file.read(size))


def load(path: Path, backbone: Backbone, *, allow_other_backbone: bool = False) -> tuple[Prompts, Document]:
    """Prompts for this model, on its device, and their document.

    Raises BadCheckpoint where the file is no sound prompts file, or was made for a model of other sizes or (unless
    `allow_other_backbone`) with other weights; BadRequest where the model cannot take prompts at all.
    """
    checkpoint = read(path)
    document, ours = checkpoint.document, MadeFor.of(backbone)
    theirs = document.backbone
    same_sizes = theirs.sizes == ours.sizes
    if not same_sizes or (theirs.sha256 != ours.sha256 and not allow_other_backbone):
        reason = "the same sizes, other weights" if same_sizes else "other sizes"
        raise BadCheckpoint(
            f"{path.name!r} was made for {theirs}; this model is {ours}: {reason}.",
            f"Choose {theirs.id!r}, or tune prompts for this model.",
        )
    if document.shape.frame not in (0, backbone.size):
        raise BadCheckpoint(
            f"{path.name!r} was made for pictures of {document.shape.frame} pixels; this model sees {backbone.size}.",
            f"Choose {theirs.id!r}.",
        )
    prompts = Prompts.blank(theirs.sizes, document.shape)
    prompts.load_state_dict(dict(checkpoint.state))
    prompts.classes = document.classes if document.shape.n_classes else ()
    return prompts.to(backbone.mean.device), document


def sentence_in(document: Document, template: str) -> str:
    """The sentence that prompts stand in where a data set's is `template`.

    Ours stand in the data set's. Of imported ones it is a part: CoOp's take the place of all words, MaPLe's stand in "a photo of a"
    whatever the data (settings say "own"), FAP's keep the template's braces in front of the class name ("braces").
    """
    return sentence_by(document.settings.get("sentence"), document.template, template)


def sentence_by(rule: object, own: str, template: str) -> str:
    """`sentence_in` for what a document's settings say and its own template, as a manifest holds them."""
    return own if rule == "own" else keeping_braces(template) if rule == "braces" else template


def plain_sentence(document: Document) -> str:
    """The sentence in which the model without prompts is asked the same."""
    plain = document.settings.get("plain")
    return plain if isinstance(plain, str) and is_template(plain) else document.template


class _Fault(Exception):
    """A fault of a file, as the rest of a sentence that begins with its name."""

    def __init__(self, what: str, hint: str = _AGAIN) -> None:
        super().__init__(what)
        self.hint = hint


@contextmanager
def _about(path: Path) -> Iterator[None]:
    try:
        yield
    except _Fault as fault:
        raise BadCheckpoint(f"{path.name!r} {fault}.", fault.hint) from fault
    except OSError as error:
        raise BadCheckpoint(f"{str(path)!r} cannot be read: {error.strerror or error}.", "Check its rights.") from error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The file and its size; what is wrong becomes BadCheckpoint."""
    with _about(path):
        if not path.is_file():
            raise BadCheckpoint(f"There is no file {str(path)!r}.", "Check the name.")
        with path.open("rb") as file:
            yield file, os.fstat(file.fileno()).st_size


def _checkpoint(content: bytes) -> Checkpoint:
    document = _header(io.BytesIO(content), len(content))
    try:
        loaded = safetensors.torch.load(content)
    except SafetensorError as error:
        raise _Fault(f"is refused by the safetensors library: {_short(str(error))}") from error
    state = {name: value.float() for name, value in sorted(loaded.items())}
    broken = [name for name, value in state.items() if not bool(torch.isfinite(value).all())]
    if broken:
        raise _Fault(f"holds values in {broken[0]!r} that are not finite numbers", "The run that made it broke down.")
    return Checkpoint(document, state)


def _header(file: BinaryIO, size: int) -> Document:
    """The document of a file of `size` bytes, once the header and the places of all tensors are right."""
    start = file.read(_LENGTH_BYTES + 1)
    length = int.from_bytes(start[:_LENGTH_BYTES], "little")
    if start[_LENGTH_BYTES:] != b"{" or length < 2:
        raise _Fault("is not a safetensors file" if size else "is empty", _OTHER_KIND)
    if length > MAX_HEADER_BYTES:
        raise _Fault(f"has a header of {length:,} bytes; {MAX_HEADER_BYTES:,} are allowed", _OTHER_KIND)
    text = b"{" + file.read(length - 1)
    if len(text) < length:
        raise _Fault("ends within its header", _NOT_WHOLE)
    header = _parsed(text, "header")
    metadata = header.pop("__metadata__", None)
    described = metadata.get(_KEY) if isinstance(metadata, dict) else None
    if not isinstance(described, str):
        raise _Fault("holds tensors, but nothing that describes them as prompts", _OTHER_KIND)
    document = _document(_parsed(described.encode("utf-8", "surrogatepass"), "description"))
    shapes = _shapes(header, size - _LENGTH_BYTES - length)
    wanted = state_shapes(document.backbone.sizes, document.shape)
    for name in sorted(wanted.keys() | shapes.keys()):
        if name not in shapes:
            raise _Fault(f"lacks the tensor {name!r}, which prompts of its shape have")
        if name not in wanted:
            raise _Fault(f"holds a tensor {_short(name)}, which prompts of its shape do not have")
        if shapes[name] != wanted[name]:
            raise _Fault(f"holds {name!r} in the shape {shapes[name]} where its description asks for {wanted[name]}")
    return document


def _shapes(entries: Mapping[str, object], present: int) -> dict[str, tuple[int, ...]]:
    """The shapes of the tensors, which fill the `present` bytes behind the header, each byte once."""
    shapes: dict[str, tuple[int, ...]] = {}
    spans = []
    for name, entry in entries.items():
        where = f"tensor {_short(name)}"
        fields = _object(entry, where, {"dtype", "shape", "data_offsets"})
        dtype, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
        if not isinstance(dtype, str) or dtype not in _DTYPE_BYTES:
            raise _Fault(f"holds a {where} of type {_short(dtype)}; {', '.join(_DTYPE_BYTES)} are allowed")
        if not isinstance(shape, list) or not isinstance(offsets, list) or len(offsets) != 2 or len(shape) > 8:
            raise _Fault(f"does not say the shape and place of {where}")
        shapes[name] = tuple(_whole(n, f"size of {where}", 1, MAX_TENSOR_BYTES) for n in shape)
        begin, end = (_whole(n, f"place of {where}", 0, 1 << 62) for n in offsets)
        if end - begin != math.prod(shapes[name]) * _DTYPE_BYTES[dtype]:
            raise _Fault(f"gives {where} {end - begin:,} bytes, which is not its size")
        spans.append((begin, end, where))
    at = 0
    for begin, end, where in sorted(spans):
        if begin != at:
            raise _Fault(f"holds a {where} that {'overlaps another' if begin < at else 'follows a hole'}")
        at = end
    if at > MAX_TENSOR_BYTES:
        raise _Fault(f"holds {at:,} bytes of tensors; {MAX_TENSOR_BYTES:,} are allowed", _OTHER_KIND)
    if present != at:
        raise _Fault(f"has {present:,} bytes of tensors where its header promises {at:,}", _NOT_WHOLE)
    return shapes


def _document(value: dict[str, object]) -> Document:
    version = value.get("format")
    if type(version) is not int or version != FORMAT:
        is_newer = type(version) is int and version > FORMAT
        what = "was made by a newer version of this program" if is_newer else "has an unknown format version"
        raise _Fault(f"{what} (format {_short(version)}; this one reads {FORMAT})", "Update." if is_newer else _AGAIN)
    given = _object(value, "description", {"format", *Document.__dataclass_fields__})
    model = _object(given["backbone"], "backbone", {"id", "sha256", "sizes"})
    sizes = _object(model["sizes"], "sizes", set(TowerSizes.__dataclass_fields__))
    described = renamed(_object(given["shape"], "shape"), OLD_NAMES)
    numbers = {name: _whole(size, name, 1, _WIDEST) for name, size in sizes.items()}
    texts = {name: _text(given[name], name) for name in ("method", "data", "notes", "licence")}
    classes, seed = given["classes"], given["seed"]
    if not isinstance(classes, list):
        raise _Fault("describes classes that are not a list")
    names = tuple(_text(name, "class name") for name in classes)
    return Document(
        **texts,
        backbone=MadeFor(_text(model["id"], "id"), _text(model["sha256"], "SHA-256", _SHA256), TowerSizes(**numbers)),
        shape=_shape(described, numbers["layers"], len(names)),
        template=_text(given["template"], "template", r"(?s:.*\{\}.*)"),
        placeholder=_text(given["placeholder"], "placeholder", PLACEHOLDER),
        classes=names,
        seed=None if seed is None else _whole(seed, "seed", 0, (1 << 64) - 1),
        settings=renamed(_named(given["settings"], "settings"), OLD_NAMES),
        versions={name: _text(of, "version") for name, of in _named(given["versions"], "versions").items()},
        figures=_named(given["figures"], "figures"),
    )


def _shape(described: dict[str, object], layers: int, n_names: int) -> PromptShape:
    usual = asdict(PromptShape())
    given = _object({**{n: v for n, v in usual.items() if n not in _SHAPE}, **described}, "shape", set(usual))
    deepest = min(layers, _DEEPEST)
    if given["n_classes"] not in (0, n_names):
        raise _Fault("has prompts of each class's own, but does not name the classes")
    try:
        return PromptShape(
            _text(given["coupling"], "coupling", "|".join(COUPLINGS)),
            _whole(given["n_ctx"], "length", 1, _LONGEST),
            _whole(given["depth"], "depth", 1, deepest),
            _text(given["position"], "class position", "|".join(POSITIONS)),
            _whole(given["n_classes"], "number of classes", 0, _WIDEST),
            _whole(given["vision_n_ctx"], "length in the image tower", 0, _LONGEST),
            _whole(given["vision_depth"], "depth in the image tower", 0, deepest),
            _whole(given["frame"], "frame", 0, _WIDEST),
        )
    except BadRequest as error:
        raise _Fault(f"describes a shape that cannot be: {error.message[:-1]}") from error


def _parsed(text: bytes, what: str) -> dict[str, Any]:
    try:
        return decode(text, dict[str, Any], called=f"has a {what} that")
    except BadRequest as error:
        raise _Fault(error.message[:-1]) from error


def _object(value: object, what: str, names: set[str] | None = None) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _Fault(f"describes its {what} with something that is not an object")
    for name in sorted(value.keys() ^ names) if names else ():
        raise _Fault(f"{'describes no' if name not in value else 'has an unknown field'} {_short(name)} in its {what}")
    return value


def _whole(value: object, what: str, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise _Fault(f"describes a {what} of {_short(value)}, which is not a whole number from {low:,} to {high:,}")
    return value


def _text(value: object, what: str, like: str = "(?s:.*)") -> str:
    if not isinstance(value, str):
        raise _Fault(f"describes a {what} that is not text, {_short(value)}")
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in value):
        raise _Fault(f"describes a {what} with characters that cannot be shown, {_short(value)}")
    if not re.fullmatch(like, value):
        raise _Fault(f"describes a {what} that this version cannot use, {_short(value)}")
    return value


def _named(value: object, what: str) -> dict[str, Plain]:
    return {_text(name, what): _plain(one, what) for name, one in _object(value, what).items()}


def _plain(value: object, what: str, deep: int = 0) -> Plain:
    if deep > _NESTED:
        raise _Fault(f"nests its {what} too deeply")
    if isinstance(value, dict):
        return {_text(name, what): _plain(one, what, deep + 1) for name, one in value.items()}
    if isinstance(value, list):
        return tuple(_plain(one, what, deep + 1) for one in value)
    if isinstance(value, float) and not math.isfinite(value):
        raise _Fault(f"describes {what} with a number that is not finite")
    return value if value is None or isinstance(value, bool | int | float) else _text(value, what)


def _short(value: object) -> str:
    shown = "a list or object" if isinstance(value, list | dict) else repr(value)  # which may be nested without end
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
