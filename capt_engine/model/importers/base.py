"""The common ground of every family of published prompts: what may be asked of the user, and what is handed back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.model.clip import Backbone
from capt_engine.model.importers.state_view import StateView
from capt_engine.model.prompts import PromptShape, TowerSizes, state_shapes

State = Mapping[str, Tensor]
PHOTO = "a photo of a {}."
BARE = "{}."
# Beyond so many tokens the relatives of MaPLe start from noise instead of the words "a photo of a".
WORDS_OF_PHOTO = 4


@dataclass(frozen=True)
class ImportOptions:
    """Facts that the user states because the file may not: empty where nothing was stated.

    template: the sentence of the data set, `{}` being the class name. classes: in the order of training. position: of the class name.
    family: the method's name in the table of families.
    """

    template: str = ""
    classes: tuple[str, ...] = ()
    position: str = ""
    family: str = ""


@dataclass(frozen=True)
class Learned:
    """Prompts in our own terms, fp32. said: what the file told; assumed: what it did not, and what was taken instead.

    sentence, plain: see `checkpoints.sentence_in` and `plain_sentence`. wording: how names are written, one of `vocabulary.WORDINGS`.
    """

    shape: PromptShape
    state: Mapping[str, Tensor]
    template: str
    classes: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    sentence: str = "own"
    plain: str = ""
    wording: str = ""


@dataclass(frozen=True)
class Family:
    """One family of published prompts.

    fits: says whether a state dict is one of its files. learn: reads its prompts for a model; raises BadCheckpoint. Every learned tensor
    must be taken out of the state dict: a file with one that `learn` leaves there is refused with that tensor's name.
    has_position: the class name may stand elsewhere than behind the learned tokens, and the file does not say where.
    """

    name: str
    label: str
    fits: Callable[[State], bool]
    learn: Callable[[State, ImportOptions, Backbone], Learned]
    has_position: bool = False


def under(state: State, prefix: str) -> State:
    """Pick the tensors whose names begin with a prefix.

    Args:
        state: tensors of any shape by name.
        prefix: the beginning of the names that are wanted, as in "image_encoder.".

    Returns:
        Those tensors, by their names without the prefix; each counts as read when it is taken out.
    """
    return StateView(state, prefix)


def learner(state: State) -> State:
    """Pick the tensors of the prompt learner, the part of a published model that holds the learned prompts.

    Args:
        state: the tensors of a file by name: of the learner alone, or of the whole model around it.

    Returns:
        The learner's tensors by their names in it.
    """
    return under(state, "prompt_learner.") or state


def numbered(state: State, prefix: str, suffix: str = "", first: int = 0) -> list[Tensor]:
    """Pick the tensors whose names are a prefix, a number and a suffix, in the order of the numbers.

    Args:
        state: tensors of any shape by name.
        prefix: what stands before the number in a name.
        suffix: what stands behind it.
        first: the number that is taken first.

    Returns:
        The tensors in the order of their numbers, up to the first number that is not there.
    """
    found: list[Tensor] = []
    while (name := f"{prefix}{first + len(found)}{suffix}") in state:
        found.append(state[name])
    return found


def needed(state: State, name: str) -> Tensor:
    """Pick a tensor that has to be there.

    Args:
        state: tensors of any shape by name.
        name: the one that is wanted.

    Returns:
        That tensor.

    Raises:
        BadCheckpoint: it is not there.
    """
    if name not in state:
        raise BadCheckpoint(f"The file lacks the tensor {name!r}.", "It may be of a version that is not known here.")
    return state[name]


def shared_context(own: State) -> Tensor:
    """Pick the learned tokens of the first text layer, and check that all classes share them.

    Args:
        own: the tensors of a prompt learner by name.

    Returns:
        The tensor `ctx` (n, d_t).

    Raises:
        BadCheckpoint: it is not there, or has other dimensions, as where each class has its own.
    """
    ctx = needed(own, "ctx")
    if ctx.dim() != 2:
        raise BadCheckpoint(
            f"`ctx` has {ctx.dim()} dimensions; prompts of this kind have 2.", "It may be of another method."
        )
    return ctx


def linear_map(own: State, theirs: str, ours: str) -> dict[str, Tensor]:
    """Pick a linear map between the towers and rename it as `Prompts` calls it.

    Args:
        own: the tensors of a prompt learner by name.
        theirs: the map's name there.
        ours: its name in `Prompts`.

    Returns:
        Its weight (out, in) and bias (out,) by our names.

    Raises:
        BadCheckpoint: one of them is not there.
    """
    return {f"{ours}.{part}": needed(own, f"{theirs}.{part}") for part in ("weight", "bias")}


def fitted(learned: Learned, backbone: Backbone) -> Learned:
    """Check that imported prompts fit a model, and return them unchanged.

    Raises BadCheckpoint where they have more layers than the model, a tensor is missing, of another size, or unknown;
    BadRequest where the model is no ViT CLIP.
    """
    sizes = TowerSizes.of(backbone)
    if learned.shape.depth > sizes.layers or learned.shape.in_vision[1] > sizes.layers:
        raise BadCheckpoint(
            f"The prompts stand in {max(learned.shape.depth, learned.shape.in_vision[1])} layers; {backbone.id!r} has {sizes.layers}.",
            "Name the model they were tuned for with --model.",
        )
    wanted = state_shapes(sizes, learned.shape)
    for name, size in wanted.items():
        got = tuple(needed(learned.state, name).shape)
        if got != size:
            raise BadCheckpoint(
                f"The prompts do not fit {backbone.id!r}: {name!r} has the size {got}, this model needs {size}.",
                "Name the model they were tuned for with --model.",
            )
    if extra := sorted(learned.state.keys() - wanted.keys()):
        raise BadCheckpoint(
            f"The file holds {extra[0]!r}, which prompts of its kind do not have.", "It may be damaged."
        )
    return learned


def photo_template(length: int) -> tuple[str, str]:
    """Return MaPLe's usual template for prompts of `length` tokens, and a sentence that says that it was assumed.

    The template is "a photo of a {}." up to four tokens, "{}." beyond. IVLP and PromptSRC share the rule.
    """
    template = PHOTO if length <= WORDS_OF_PHOTO else BARE
    return template, f"The sentence was {template!r}, as the released configurations have it."
