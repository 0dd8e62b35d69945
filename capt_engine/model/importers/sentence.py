"""The sentence that stands around the learned tokens: what the user says, what the file still holds of it, or what is usual."""

from __future__ import annotations

from capt_engine.errors import BadRequest
from capt_engine.model.clip import Backbone
from capt_engine.model.importers.base import ImportOptions, State
from capt_engine.model.importers.suffix_texts import common_start, names_behind, require_same_names, suffix_texts
from capt_engine.model.prompts import PLACEHOLDER, sentence_prefix
from capt_engine.model.text import count_tokens, split_template


def sentence_of(
    own: State, options: ImportOptions, backbone: Backbone, usual: str, because: str, *, length: int
) -> tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Find the template and the classes of published prompts; return template, classes, facts of the file, assumptions.

    The last two are sentences for the user. own: the tensors of the prompt learner by name. options: what the user
    states. usual: the template that is taken where neither the user nor the file gives one; because: the sentence that
    then says so. length: the number of learned tokens. Raises BadRequest where the user's template or classes
    contradict the file.
    """
    template, said, assumed = options.template or usual, [], []
    found = suffix_texts(own.get("token_suffix"), backbone)
    names = names_behind(found, backbone, _left(template, backbone, length)) if found else None
    if found and names is None and options.template:
        raise BadRequest(
            f"The file's sentences are not of the template {template!r}: behind the learned tokens stands {found.texts[0]!r}.",
            "Give the template it was tuned with, or none.",
        )
    if found and names is None:
        # Not the usual sentence: what all classes have in front of them is part of it, and so, it may be, of their names.
        start = common_start(found, backbone)
        template = " ".join([PLACEHOLDER] * length + [start.replace("{}", "{{}}"), "{}."]).replace("  ", " ")
        names = names_behind(found, backbone, start)
        assumed.append(
            f"What all sentences of the file share, {start!r}, is taken for the template's; the rest for class names."
        )
    elif names is not None:
        said.append(
            f"The file holds the words of its {len(names)} sentences; they agree with the template {template!r}."
        )
    elif not options.template:
        assumed.append(because)
    if found is None and "token_suffix" in own:
        said.append("The words in the file are not this model's: it was tuned on another model.")
    require_same_names(options.classes, names, backbone)
    return template, options.classes or names or (), tuple(said), tuple(assumed)


def _left(template: str, backbone: Backbone, length: int) -> str:
    """Return the rest of a template before the class name when the learned tokens have taken the places of its first ones."""
    before, _ = split_template(template)
    present = count_tokens(backbone, [before.strip()])[0] - 2
    whole, _ = split_template(sentence_prefix(template, present, length))
    ids = backbone.tokenize.encode(whole.strip())[length:]  # type: ignore[attr-defined]
    text: str = backbone.tokenize.decode(ids).strip()  # type: ignore[attr-defined]
    return text
