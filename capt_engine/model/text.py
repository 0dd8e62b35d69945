"""Class names as CLIP reads them: tokens, and unit text features encoded once per class list.

CLIP's text tower is causal and is read at the end-of-text token, so what stands behind the longest sentence cannot change any
result: sequences are cut there. That is exact, and about four times less work than the full 77 tokens.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.errors import BadRequest
from capt_engine.model.clip import Backbone
from capt_engine.model.vocabulary import worded

DEFAULT_TEMPLATE = "a photo of a {}."
_CHUNK = 128
_PLACE = re.compile(r"(?<!\{)\{\}(?!\})")


def split_template(template: str) -> tuple[str, str]:
    """Return the parts of a template before and behind the `{}` that stands for the class name.

    `{{}}` in it becomes a pair of braces that stays in the text (as in FAP). Raises BadRequest where there is not
    exactly one `{}`.
    """
    parts = _PLACE.split(template)
    if len(parts) != 2:
        raise BadRequest(
            f"The template {template!r} has no single {{}} for the class name.", f"For example: {DEFAULT_TEMPLATE!r}."
        )
    before, after = (part.replace("{{}}", "{}") for part in parts)
    return before, after


def is_template(text: str) -> bool:
    """Return True if a text has exactly one `{}` for the class name; a doubled `{{}}` does not count."""
    return len(_PLACE.split(text)) == 2


def keeping_braces(template: str) -> str:
    """Return a data set's template as FAP writes it: its braces stay as text, and class name and full stop follow.

    "a photo of a {}." becomes "a photo of a {{}}. {}."; a template with `{{}}` comes back unchanged. Raises BadRequest
    where there is not exactly one `{}`.
    """
    if "{{}}" in template:
        return template
    split_template(template)
    return f"{template.replace('{}', '{{}}')} {{}}."


def class_name(name: str) -> str:
    """Return a class name as sentences say it: underscores become spaces, and spaces at the ends go."""
    return name.replace("_", " ").strip()


def sentences(classes: Sequence[str], template: str, wording: str = "") -> list[str]:
    """Return one sentence per class: the template with the class name in the place of `{}`, underscores as spaces.

    A WordNet id or a number in parentheses behind a name tells two classes of one name apart and is not part of the
    sentence. wording: the way to write names, one of `vocabulary.WORDINGS`.
    Raises BadRequest where there are fewer than two classes, a name is empty or listed twice, or the template has no
    single `{}`.
    """
    if len(classes) < 2:
        raise BadRequest(
            f"{len(classes)} class{'es' if len(classes) != 1 else ''} cannot be told apart.",
            "Give at least two class names.",
        )
    before, after = split_template(template)
    names = [class_name(name) for name in classes]
    if "" in names:
        raise BadRequest(f"Class number {names.index('') + 1} has no name.", "Remove it or name it.")
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise BadRequest(f"The class {repeated[0]!r} is listed twice.", "Each class name may be listed once.")
    return [f"{before}{worded(name, wording)}{after}" for name in names]


def tokens_of(backbone: Backbone, classes: Sequence[str], wording: str = "") -> list[bytes]:
    """Return what a model reads of each class name, as bytes that are equal where its tokens are."""
    if not classes:
        return []
    ids = backbone.tokenize([worded(name, wording) for name in classes])
    return [row.tobytes() for row in ids.cpu().numpy()]


def count_tokens(backbone: Backbone, texts: Sequence[str]) -> tuple[int, ...]:
    """Return the number of tokens of each text, start and end tokens included, by the model's tokenizer.

    Longer texts than the model reads are counted whole, as far as its tokenizer can tell.
    """
    tokenizer = backbone.tokenize
    encode = getattr(tokenizer, "encode", None)
    if encode is not None:
        return tuple(len(encode(text)) + 2 for text in texts)
    ids = tokenizer(list(texts))
    return tuple(int(n) for n in (ids != 0).sum(dim=1))


def check_lengths(backbone: Backbone, classes: Sequence[str], texts: Sequence[str]) -> None:
    """Raise BadRequest, naming the first class, if a sentence has more tokens than the model reads.

    texts: the sentences, in the order of the classes.
    """
    too_long = [i for i, n in enumerate(count_tokens(backbone, texts)) if n > backbone.context_length]
    if too_long:
        raise BadRequest(
            f"The class {classes[too_long[0]]!r} needs more than the {backbone.context_length} tokens this model reads.",
            "Shorten the class name or the template.",
        )


def class_features(
    backbone: Backbone, classes: Sequence[str], template: str = DEFAULT_TEMPLATE, wording: str = ""
) -> Tensor:
    """Encode one sentence per class with a model's text encoder.

    Args:
        backbone: the model that encodes.
        classes: k class names, at least two; underscores are read as spaces.
        template: the sentence, `{}` being the class name.
        wording: the way to write names, one of `vocabulary.WORDINGS`.

    Returns:
        Unit text features (k, d), fp32, without gradient.

    Raises:
        BadRequest: there are fewer than two names, one is empty or listed twice, the template has no single place for
            it, or a sentence is too long.
    """
    texts = sentences(classes, template, wording)
    check_lengths(backbone, classes, texts)
    return encode_in_chunks(backbone, backbone.tokenize(texts).to(backbone.mean.device))


def encode_in_chunks(
    backbone: Backbone, ids: Tensor, prompts: Sequence[Tensor] = (), places: Tensor | None = None
) -> Tensor:
    """Encode token ids with a model's text encoder, without gradient, a limited number of sentences at a time.

    Args:
        backbone: the model that encodes.
        ids: token ids (k, context).
        prompts: learned tokens layer by layer, as in `encode_tokens`.
        places: their places in the first layer (k, n), as in `encode_tokens`.

    Returns:
        Unit text features (k, d), fp32.
    """
    features = []
    with torch.no_grad():
        for start in range(0, len(ids), _CHUNK):
            part = slice(start, start + _CHUNK)
            some = [one if one.dim() == 2 else one[part] for one in prompts]
            features.append(encode_tokens(backbone, ids[part], some, None if places is None else places[part]))
    return F.normalize(torch.cat(features).float(), dim=-1)


def encode_tokens(
    backbone: Backbone, ids: Tensor, prompts: Sequence[Tensor] = (), places: Tensor | None = None, length: int = 0
) -> Tensor:
    """Encode token ids with a model's text encoder, with or without learned tokens; differentiable in these.

    Args:
        backbone: the model that encodes.
        ids: token ids (k, context); columns behind the longest sentence are left out where that changes nothing.
        prompts: J tensors (n, d_t) that take the places 1 … n: in layer 0 before the positional embedding is added, in
            blocks 1 … J−1 as they are (MaPLe, Khattak et al., CVPR 2023). Layer 0 may be (k, n, d_t), one for each
            sentence.
        places: other places (k, n) of the tokens in layer 0 (CoOp, Zhou et al., IJCV 2022); None for 1 … n.
        length: tokens of the longest sentence, as `longest` counts them; 0 has them counted here, for which the host waits.

    Returns:
        Text features (k, d), not normalised.

    Raises:
        BadRequest: there are prompts, and the model's text tower is not CLIP's own.
    """
    clip = backbone.clip
    if getattr(clip, "text_pool_type", "") != "argmax" or clip.attn_mask is None:
        # Another tower than CLIP's own causal one: nothing may be assumed about what padding does there.
        if prompts:
            raise BadRequest("Prompts need CLIP's own text tower; this model has another.", "Choose a ViT CLIP.")
        whole: Tensor = clip.encode_text(ids)
        return whole
    ends = ids.argmax(dim=-1)
    length = length or longest(ids)
    x = (
        _with_tokens(clip.token_embedding(ids[:, :length]), prompts[0] if prompts else None, places)
        + clip.positional_embedding[:length]
    )
    mask = clip.attn_mask[:length, :length]
    if prompts:
        batch_first = clip.transformer.batch_first
        for layer, block in enumerate(clip.transformer.resblocks):
            x = _with_tokens(x, prompts[layer] if 0 < layer < len(prompts) else None)
            x = through_block(block, x, batch_first, mask)
    else:
        x = clip.transformer(x, attn_mask=mask)
    x = clip.ln_final(x)[torch.arange(len(ids), device=ids.device), ends]
    projection = clip.text_projection
    if projection is None:
        features: Tensor = x
    elif isinstance(projection, torch.nn.Module):
        features = projection(x)
    else:
        features = x @ projection
    return features


def longest(ids: Tensor) -> int:
    """Count the tokens of the longest sentence, its end among them.

    Args:
        ids: token ids (k, context); the end of a sentence has the largest id.

    Returns:
        The number of tokens.
    """
    return int(ids.argmax(dim=-1).max()) + 1


def _with_tokens(x: Tensor, tokens: Tensor | None, places: Tensor | None = None) -> Tensor:
    """x (k, length, d) with `tokens` (n, d) or (k, n, d) in the given `places` (k, n) of its rows, or in 1 … n."""
    if tokens is None:
        return x
    if places is not None:
        where = places[:, :, None].expand(-1, -1, x.shape[2])
        return x.scatter(1, where, tokens.to(x.dtype).expand(len(x), -1, -1))
    return torch.cat([x[:, :1], tokens.to(x.dtype).expand(len(x), -1, -1), x[:, 1 + tokens.shape[-2] :]], dim=1)


def through_block(block: torch.nn.Module, x: Tensor, batch_first: bool, mask: Tensor | None = None) -> Tensor:
    """Run tokens through one block of a transformer.

    Args:
        block: a residual attention block of open_clip.
        x: tokens (n, length, d).
        batch_first: the block takes (n, length, d); otherwise (length, n, d).
        mask: what is added to the attention's scores, (length, length); None for full attention.

    Returns:
        The tokens behind the block, (n, length, d).
    """
    result: Tensor = (
        block(x, attn_mask=mask) if batch_first else block(x.transpose(0, 1), attn_mask=mask).transpose(0, 1)
    )
    return result
