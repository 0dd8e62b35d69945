"""CLIP backbones, loaded through open_clip: the only module that imports it.

A model id is one of

    demo                       the bundled demo model
    demo-robust                the demo with an image tower that was tuned on attacked pictures
    photo                      the bundled model of photographs: ImageNet's 1,000 classes, broader words for them, everyday words
    photo-robust               photo with an image tower that was tuned on attacked pictures
    local-dir:FOLDER, FOLDER   an open_clip folder (open_clip_config.json and safetensors weights), or a tuned image tower
                               (tower.json, which names the model that all the rest is taken from, and tower.safetensors)
    ARCH:SOURCE@FILE           an open_clip architecture with a local safetensors file, e.g. ViT-B-32:openai@clip.safetensors

SOURCE says where the weights come from, because that decides the activation: weights trained with QuickGELU lose many points under
GELU and the reverse, without any error (open_clip #441, #771). It is an open_clip pre-training tag, or plainly `quickgelu` or `gelu`.
"""

from __future__ import annotations

import copy
import hashlib
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import torch
from PIL.Image import Image as PillowImage
from safetensors import safe_open
from torch import Tensor, nn

from capt_engine.bundled_models import BUNDLED
from capt_engine.errors import BadCheckpoint, CaptError, UnknownName
from capt_engine.files import sha256
from capt_engine.folders import models_dir
from capt_engine.formatting import short
from capt_engine.model import distribution, imports, trunk
from capt_engine.model.architecture import tokenizer_options
from capt_engine.model.blank_weights import BlankWeights
from capt_engine.model.devices import pick_device
from capt_engine.model.distribution import Distribution
from capt_engine.model.numerics import product_of_rows
from capt_engine.model.store import catalog, install_record
from capt_engine.model.store.model_store import LOCAL_DIR, TOWER_CONFIG, folder_named
from capt_engine.model.tensor_file import require_finite, sound
from capt_engine.model.transfer import move_module
from capt_engine.model.vocabulary import Vocabulary, of_model
from capt_engine.reading import read_json

open_clip = imports.open_clip()

TOWER_WEIGHTS, TOWER_FORMAT = "tower.safetensors", 1
_CONFIG = "open_clip_config.json"
_WEIGHTS = "open_clip_model.safetensors"
_LONGEST_HEADER = 1_000_000


@dataclass(frozen=True)
class Base:
    """The model that a tuned image tower belongs to, by its id and the SHA-256 of its weights file."""

    id: str
    sha256: str


@dataclass(frozen=True)
class _TowerConfig:
    """The part of a tower.json that is read. base: the id of the model that was tuned; base_sha256: of its weights file."""

    format: int
    base: Annotated[str, msgspec.Meta(min_length=1)]
    base_sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


@dataclass(frozen=True)
class _FolderConfig:
    """The part of an open_clip_config.json that is looked at. trunk: the network that stands in the place of `visual.conv1`."""

    model_cfg: dict[str, Any] = field(default_factory=dict)
    trunk: str = ""


@dataclass(frozen=True)
class Backbone:
    r"""A frozen CLIP in evaluation mode.

    clip: open_clip's module. tokenize: list of sentences -> token ids (n, context). view: PIL picture -> what the model sees,
    (3, size, size) in [0, 1]. mean, std: the normalisation the classifier applies, (3, 1, 1). sha256: of the weights file; where there
    are two, a tuned image tower and its base, or a model and its trunk, that of the text "<base's or trunk's SHA-256>\\n<file's
    SHA-256>\\n". base: only of a tuned tower. vocabulary: the whole words that it was trained on, distribution: statistics of the pictures
    that it was trained on; each None where nothing is known of them.
    """

    id: str
    clip: Any
    tokenize: Callable[[list[str]], Tensor]
    view: Callable[[PillowImage], Tensor]
    size: int
    mean: Tensor
    std: Tensor
    sha256: str
    context_length: int
    base: Base | None = None
    vocabulary: Vocabulary | None = None
    distribution: Distribution | None = None

    @property
    def visual(self) -> nn.Module:
        """The image tower."""
        tower: nn.Module = self.clip.visual
        return tower

    @property
    def scale(self) -> Tensor:
        """The factor on the cosines that makes them logits, exp of CLIP's `logit_scale`, a scalar in fp32."""
        factor: Tensor = self.clip.logit_scale.exp().float()
        return factor

    @property
    def preprocessing(self) -> Mapping[str, object]:
        """The settings by which open_clip prepares pictures for the image tower, as its `preprocess_cfg` names them."""
        settings: Mapping[str, object] = self.clip.visual.preprocess_cfg
        return settings

    def with_own_weights(self) -> Backbone:
        """Return the same backbone with weights that can be changed without changing these."""
        return replace(self, clip=copy.deepcopy(self.clip))


def load_backbone(model_id: str, device: torch.device) -> Backbone:
    """Load a CLIP by its id on a device, frozen, in evaluation mode and fp32; nothing is downloaded.

    model_id: "photo", "photo-robust", "demo", "demo-robust", an installed model, an open_clip folder, or an architecture with a local
    file, as in "ViT-B-32:openai@weights.safetensors". Raises BadCheckpoint where there is no such model or its files are
    damaged, UnknownName for an unknown architecture or source.
    """
    backbone = _on_processor(model_id)
    if device.type == "cpu":
        return backbone
    mean, std = move_module(backbone.clip, device, (backbone.mean, backbone.std))
    return replace(backbone, mean=mean, std=std)


def _on_processor(model_id: str) -> Backbone:
    """A model on the processor, where its values are looked at without waiting for another device."""
    folder = folder_named(model_id)
    if folder is not None:
        backbone = _from_folder(model_id, folder)
        if model_id in BUNDLED:
            _require_as_shipped(backbone)
        else:
            _require_unchanged(folder, backbone)
        known = Distribution.read(folder / distribution.FILE, backbone.sha256)
        return replace(backbone, vocabulary=of_model(model_id), distribution=known)
    if "@" in model_id:
        return _from_file(model_id)
    if model_id in open_clip.list_models():
        raise BadCheckpoint(
            f"{model_id!r} is an architecture; it needs weights.",
            f"Name a local file, as in {model_id}:openai@weights.safetensors, or an open_clip folder.",
        )
    raise BadCheckpoint(
        f"There is no model called {model_id!r}.",
        f"Use {', '.join(BUNDLED)}, an open_clip folder, or an architecture with a local file, as in ViT-B-32:openai@weights.safetensors.",
    )


def load_clip(name: str, *, device: str | torch.device = "cpu") -> Backbone:
    """Load a CLIP, frozen, in evaluation mode and fp32.

    Args:
        name: "photo", "photo-robust", "demo", "demo-robust", an installed model such as "vit-b-32-openai" (`capt models
            list`), an open_clip folder, or an architecture with a local file, as in
            "ViT-B-32:openai@weights.safetensors". Nothing is downloaded.
        device: "cpu", "cuda", "mps", "auto" for the fastest there is, or a torch device.

    Returns:
        The model; `size` is the height and width of the pictures that it sees, `view` makes them from a PIL picture.

    Raises:
        BadCheckpoint: there is no such model, or its files are damaged.
        DeviceProblem: there is no such device.
        UnknownName: another architecture or source.

    Example:
        >>> import capt_engine as capt
        >>> capt.load_clip("demo").size
        64
    """
    return load_backbone(name, device if isinstance(device, torch.device) else pick_device(device))


def lasting_id(model_id: str) -> str:
    """Return an id of the same model that holds in any working folder: a path in it is made absolute."""
    folder = folder_named(model_id)
    if model_id in BUNDLED or (folder is not None and folder.parent == models_dir()):
        return model_id
    if folder is not None:
        return f"{LOCAL_DIR}{folder.resolve()}"
    arch, at, file = model_id.partition("@")
    return f"{arch}@{Path(file).resolve()}" if at else model_id


def _from_folder(model_id: str, folder: Path) -> Backbone:
    if not folder.is_dir():
        raise BadCheckpoint(
            f"There is no folder {str(folder)!r}.", "Name a folder that holds open_clip_config.json and its weights."
        )
    if (folder / TOWER_CONFIG).is_file():
        return _from_tower(model_id, folder)
    if not (folder / _CONFIG).is_file():
        raise BadCheckpoint(
            f"{str(folder)!r} holds no {_CONFIG}.",
            "An open_clip folder holds that file beside its safetensors weights.",
        )
    # Snapshots from the hub hold the weights of other programs beside open_clip's own.
    weights = [folder / _WEIGHTS] if (folder / _WEIGHTS).is_file() else sorted(_weights_in(folder))
    if len(weights) != 1:
        found = "no safetensors file" if not weights else f"{len(weights)} safetensors files, none called {_WEIGHTS}"
        raise BadCheckpoint(
            f"{str(folder)!r} holds {found}.", "One is needed; pickled .bin and .pt files are not loaded."
        )
    name = LOCAL_DIR + str(folder)
    config = read_json(folder / _CONFIG, _FolderConfig, error=BadCheckpoint, hint=_LOAD_HINT, most=_LONGEST_HEADER)
    tokenizer = tokenizer_options(config.model_cfg, str(folder))
    return _built(model_id, weights[0], name, {}, tokenizer, config.trunk)


def _weights_in(folder: Path) -> Iterator[Path]:
    return (one for one in folder.glob("*.safetensors") if one.name != distribution.FILE)


def _from_tower(model_id: str, folder: Path) -> Backbone:
    """The base that a tuned tower names, with the tower in the place of its own."""
    named = _named_base(folder / TOWER_CONFIG)
    under = folder_named(named.id)
    if under is not None and (under / TOWER_CONFIG).is_file():
        raise BadCheckpoint(f"The base of {str(folder)!r} is itself a tuned tower.", "Name the model below that one.")
    try:
        base = _on_processor(named.id)
    except CaptError as error:
        raise BadCheckpoint(
            f"The base of {str(folder)!r} could not be loaded: {error.message}",
            f"If it was moved, correct `base` in {TOWER_CONFIG}.",
        ) from error
    if base.sha256 != named.sha256:
        raise BadCheckpoint(
            f"The tower in {str(folder)!r} was tuned for {named.id!r} with other weights "
            f"(SHA-256 {short(named.sha256)}, not {short(base.sha256)}).",
            f"Name in {TOWER_CONFIG} the model that it was tuned for.",
        )
    weights = folder / TOWER_WEIGHTS
    base.clip.visual.load_state_dict(_tower_state(weights, base.clip.visual.state_dict()))
    return replace(base, id=model_id, sha256=_tower_digest(base.sha256, sha256(weights)), base=named)


def _tower_digest(base: str, tower: str) -> str:
    return hashlib.sha256(f"{base}\n{tower}\n".encode()).hexdigest()


def _require_as_shipped(backbone: Backbone) -> None:
    """Raises BadCheckpoint where a bundled model is not the one that the program was made with."""
    if backbone.sha256 != catalog.entry_of(backbone.id).sha256:
        raise BadCheckpoint(
            f"The weights of {backbone.id!r} are not those that ship with the program: they were changed on disk since.",
            "Install the program again.",
        )


def _require_unchanged(folder: Path, backbone: Backbone) -> None:
    """Raises BadCheckpoint where weights are not those whose SHA-256 was kept when they were installed."""
    record = install_record.remembered(folder / install_record.INSTALLED)
    if record is None:
        return
    kept = set(record.values())
    if backbone.base is not None:
        kept = {_tower_digest(backbone.base.sha256, digest) for digest in kept}
    kept |= {_tower_digest(trunk.SHA256, digest) for digest in record.values()}  # of a model with the published trunk
    if backbone.sha256 not in kept:
        raise BadCheckpoint(
            f"The weights of {folder.name!r} are not those that were installed: they were changed on disk since.",
            "If that was not you, remove the model and install it again; `capt models verify` names the files.",
        )


def _named_base(path: Path) -> Base:
    """The base that a tower.json names; raises BadCheckpoint."""
    config = read_json(path, _TowerConfig, error=BadCheckpoint, hint=_LOAD_HINT, most=_LONGEST_HEADER)
    if config.format != TOWER_FORMAT:
        raise BadCheckpoint(f"{str(path)!r} does not say format {TOWER_FORMAT}.", "Update, or tune the tower again.")
    return Base(config.base, config.base_sha256)


def _tower_state(path: Path, wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a tower file, if they are those of this tower and finite; raises BadCheckpoint."""
    where = repr(str(path))
    most = _LONGEST_HEADER + sum(max(4, one.element_size()) * one.numel() for one in wanted.values())
    if not path.is_file():
        raise BadCheckpoint(f"There is no file {where}.", _LOAD_HINT)
    if path.stat().st_size > most:
        raise BadCheckpoint(f"{where} is larger than this image tower can be.", _LOAD_HINT)
    with sound(str(path), "Copy it again, or tune again."), safe_open(path, framework="pt") as file:
        names = set(file.keys())
        if names != wanted.keys():
            odd = min(names ^ wanted.keys())
            what = "lacks the tensor" if odd in wanted else "holds a tensor that this image tower does not have,"
            raise BadCheckpoint(f"{where} {what} {odd[:80]!r}.", _LOAD_HINT)
        state = {name: file.get_tensor(name) for name in sorted(names)}
    for name, value in state.items():
        if value.shape != wanted[name].shape or value.is_floating_point() != wanted[name].is_floating_point():
            raise BadCheckpoint(
                f"{where} holds {name!r} as {tuple(value.shape)} of {value.dtype}; this image tower has {tuple(wanted[name].shape)}.",
                _LOAD_HINT,
            )
    require_finite(state, str(path), "Tune again.")
    return state


def _from_file(model_id: str) -> Backbone:
    arch_and_source, file_name = model_id.split("@", 1)
    arch, _, source = arch_and_source.partition(":")
    file = Path(file_name)
    if arch not in open_clip.list_models():
        raise UnknownName("architecture", arch, open_clip.list_models())
    if not file.is_file():
        raise BadCheckpoint(f"There is no file {file_name!r}.", "Name a local safetensors file after the @.")
    if file.suffix != ".safetensors":
        raise BadCheckpoint(
            f"{file_name!r} is not a safetensors file.", "Pickled weights can run code when loaded; convert them first."
        )
    trained = _trained_with(arch, source, file)
    # A tag knows the normalisation too: laion2b's ViT-L-14, for one, has another than OpenAI's.
    options = {"quick_gelu": bool(trained.get("quick_gelu", False)), "force_preprocess_cfg": trained}
    tokenizer = tokenizer_options(open_clip.get_model_config(arch), arch)
    return _built(model_id, file, arch, options, tokenizer)


def _trained_with(arch: str, source: str, file: Path) -> dict[str, Any]:
    """The activation, and if known the preprocessing, that a file was trained with.

    Decided by what the user or the file's name says of its origin; raises BadCheckpoint where neither does.
    """
    if source in ("quickgelu", "gelu"):
        return {"quick_gelu": source == "quickgelu"}
    base = arch.removesuffix("-quickgelu")
    tags = open_clip.list_pretrained_tags_by_model(base)
    if source and source not in tags:
        raise UnknownName(f"source of {base} weights", source, [*tags, "quickgelu", "gelu"])
    if not source and arch != base:
        return {"quick_gelu": True}
    # The longest first: "laion400m_e32" is not "laion400m_e3".
    named = [tag for tag in sorted(tags, key=len, reverse=True) if tag in file.name]
    origin = source or (named[0] if named else "")
    if not origin:
        raise BadCheckpoint(
            f"Nothing says whether {file.name!r} was trained with QuickGELU or GELU; with the wrong one its scores drop silently.",
            f"Say where it comes from: {arch}:openai@… (QuickGELU), {arch}:laion2b_s34b_b79k@… (GELU), or {arch}:gelu@….",
        )
    trained: dict[str, Any] = open_clip.get_pretrained_cfg(base, origin)
    return trained


def _built(
    model_id: str,
    weights: Path,
    name: str,
    options: dict[str, Any],
    tokenizer: dict[str, Any],
    trunk_name: str = "",
) -> Backbone:
    """The model that open_clip builds for `name` and `options`, with exactly these weights, and maybe a convolutional trunk."""

    def create() -> Any:
        with _unremarked("No pretrained weights"), BlankWeights():  # they follow
            return open_clip.create_model(name, load_weights=False, pretrained_text=False, device="cpu", **options)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                clip = create()
            except RuntimeError as error:
                if "timm" not in str(error):
                    raise
                imports.allow_timm()
                clip = create()
            if trunk_name:
                with BlankWeights():
                    trunk.place(clip, trunk_name, weights)
            else:
                # Not left to open_clip, which would prefer a pickle of a well-known name that lies beside them.
                open_clip.load_checkpoint(clip, str(weights))
            tokenize = open_clip.get_tokenizer(name, **tokenizer)
    except CaptError:
        raise
    except Exception as error:  # open_clip raises whatever its config or safetensors led to
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadCheckpoint(
            f"The model in {str(weights.parent)!r} could not be loaded: {reason}", _LOAD_HINT
        ) from error
    clip.eval().requires_grad_(False)
    if type(clip.visual) is open_clip.transformer.VisionTransformer:
        clip.visual.__class__ = _VisionTransformer
    _keep_tokens_adjacent(clip.visual)
    require_finite(clip.state_dict(), weights.name, "The file is damaged.")
    config = clip.visual.preprocess_cfg
    size = clip.visual.image_size
    side = int(size if isinstance(size, int) else size[0])
    return Backbone(
        id=model_id,
        clip=clip,
        tokenize=tokenize,
        view=_view(config),
        size=side,
        mean=torch.tensor(config["mean"]).view(3, 1, 1),
        std=torch.tensor(config["std"]).view(3, 1, 1),
        sha256=_tower_digest(trunk.SHA256, sha256(weights)) if trunk_name else sha256(weights),
        context_length=int(getattr(tokenize, "context_length", 0) or clip.context_length),
    )


class _VisionTransformer(open_clip.transformer.VisionTransformer):  # type: ignore[misc,name-defined]
    """open_clip's ViT, whose last product gives a picture the same bits whatever the others are."""

    def forward(self, x: Tensor) -> Any:
        """Image features (n, d) of normalised pictures (n, 3, h, w); of a tower that gives its tokens too, what open_clip answers."""
        if self.output_tokens or self.proj is None:
            return super().forward(x)
        pooled, _ = self._pool(self.transformer(self._embeds(x)))
        return product_of_rows(pooled, self.proj)


def _keep_tokens_adjacent(visual: nn.Module) -> None:
    """Have a ViT's attention, where a gradient is wanted, read tokens that are adjacent in its own order (tokens, n, d).

    It is given (n, tokens, d) and turns it round itself, into a view in which nothing is adjacent. torch then multiplies by frozen weights
    once for each token: for a few pictures that takes up to six times as long, and a picture has other bits among others than alone.
    """
    for module in visual.modules():
        if isinstance(module, nn.MultiheadAttention) and module.batch_first:
            module.register_forward_pre_hook(_adjacent)


def _adjacent(_module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    # Without a gradient torch has another way on these devices, which needs no help. It knows self-attention by its three arguments
    # being one.
    helped = given[0].requires_grad or given[0].device.type not in ("cpu", "cuda")
    if not helped or any(one is not given[0] for one in given):
        return given
    return (given[0].transpose(0, 1).contiguous().transpose(0, 1),) * len(given)


@contextmanager
def _unremarked(start: str) -> Iterator[None]:
    """Keeps one remark of open_clip, which logs to the root logger, off the user's terminal."""

    def is_another(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith(start)

    logging.getLogger().addFilter(is_another)
    try:
        yield
    finally:
        logging.getLogger().removeFilter(is_another)


_LOAD_HINT = "Check that configuration and weights belong together and that the file arrived whole."


def _view(config: dict[str, Any]) -> Callable[[PillowImage], Tensor]:
    """open_clip's own evaluation transform up to, but without, the normalisation, which belongs to the classifier."""
    whole = open_clip.transform.image_transform_v2(open_clip.transform.PreprocessCfg(**config), is_train=False)
    view: Callable[[PillowImage], Tensor] = type(whole)(
        [one for one in whole.transforms if type(one).__name__ != "Normalize"]
    )
    return view
