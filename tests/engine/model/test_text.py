"""Class names become exactly what open_clip would make of them, only sooner."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from capt_engine.data.class_names import as_tokens
from capt_engine.errors import BadRequest
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone, load_backbone
from capt_engine.model.text import class_features, count_tokens, encode_tokens, sentences, tokens_of
from capt_engine.records.vocabulary import alike_sentences

NAMES = ("cat", "great white shark", "a", "coffee_mug", "Café", "T-rex 3000!")


@pytest.fixture(params=["tiny", "demo"])
def backbone(request: pytest.FixtureRequest, tiny_backbone: Backbone) -> Backbone:
    """The tiny model, and the one that ships."""
    return tiny_backbone if request.param == "tiny" else load_backbone("demo", torch.device("cpu"))


def test_cutting_the_padding_off_changes_nothing(backbone: Backbone) -> None:
    """Features of sequences cut at the longest end-of-text token equal open_clip's own over the full context, to 1e-5."""
    for texts in (["a"], ["a cat", "a photo of a great white shark"], ["w " * (backbone.context_length - 2), "cat"]):
        ids = backbone.tokenize(texts)
        with torch.no_grad():
            whole = backbone.clip.encode_text(ids, normalize=True)
            cut = torch.nn.functional.normalize(encode_tokens(backbone, ids), dim=-1)
        torch.testing.assert_close(cut, whole, atol=1e-5, rtol=0)


def test_the_text_tower_sees_only_what_is_needed(tiny_backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six tokens go through the transformer for six tokens of text, not the sixteen of the context."""
    lengths: list[int] = []
    transformer = tiny_backbone.clip.transformer
    whole = transformer.forward

    def watched(x: torch.Tensor, *rest: object, **named: object) -> torch.Tensor:
        lengths.append(x.shape[1])
        return whole(x, *rest, **named)

    monkeypatch.setattr(transformer, "forward", watched)
    encode_tokens(tiny_backbone, tiny_backbone.tokenize(["a photo of cats", "cat"]))
    assert lengths == [6]


def test_another_text_tower_is_left_to_itself(tiny_backbone: Backbone) -> None:
    """Where the text is not read at its end, or is not causal, padding may matter: the model's own function is called."""

    class Other:
        text_pool_type = "first"
        attn_mask = None

        def encode_text(self, ids: torch.Tensor) -> torch.Tensor:
            return ids.float() * 2

    ids = torch.arange(6).view(2, 3)
    assert torch.equal(encode_tokens(replace(tiny_backbone, clip=Other()), ids), ids.float() * 2)


def test_class_features_are_unit_and_in_order(backbone: Backbone) -> None:
    """One row of length 1 a class; each is the same in any list."""
    features = class_features(backbone, NAMES, "a photo of {}.")
    assert features.dtype == torch.float32
    assert not features.requires_grad
    torch.testing.assert_close(features.norm(dim=1), torch.ones(len(NAMES)))
    swapped = class_features(backbone, NAMES[::-1], "a photo of {}.")
    torch.testing.assert_close(swapped.flip(0), features, atol=1e-6, rtol=0)


def test_many_classes_are_encoded_in_parts(tiny_backbone: Backbone) -> None:
    """The five hundredth class of a long list is what it is in a short one."""
    names = [f"thing {number}" for number in range(500)]
    long, short = (class_features(tiny_backbone, some, "a {}") for some in (names, names[-3:]))
    torch.testing.assert_close(long[-3:], short, atol=1e-6, rtol=0)


def test_sentences_put_the_names_into_the_template() -> None:
    """Underscores become spaces, blanks at the ends go, and a name that looks like a template is only a name."""
    assert sentences(["cat", " big_dog ", "{}"], "a photo of a {}.") == [
        "a photo of a cat.",
        "a photo of a big dog.",
        "a photo of a {}.",
    ]


@pytest.mark.parametrize(
    ("classes", "template", "words"),
    [
        ((), "a {}", "0 classes cannot be told apart"),
        (("cat",), "a {}", "1 class cannot be told apart"),
        (("cat", "dog"), "a photo", "no single {}"),
        (("cat", "dog"), "{} and {}", "no single {}"),
        (("cat", "dog"), "", "no single {}"),
        (("cat", "dog", "cat"), "a {}", "'cat' is listed twice"),
        (("cat", "  "), "a {}", "number 2 has no name"),
        (("_", "cat"), "a {}", "number 1 has no name"),
    ],
)
def test_lists_that_make_no_sense_are_refused(classes: tuple[str, ...], template: str, words: str) -> None:
    """Each refusal says what is wrong and what to do."""
    with pytest.raises(BadRequest) as caught:
        sentences(classes, template)
    assert words in caught.value.message
    assert caught.value.hint.endswith((".", "'"))


@pytest.mark.parametrize("twins", [("hot_dog", "hot dog"), ("cat", " cat")])
def test_names_that_read_the_same_are_refused(twins: tuple[str, str]) -> None:
    """Two names that become one sentence could never be told apart."""
    with pytest.raises(BadRequest, match="is listed twice"):
        sentences(twins, "a {}")


def test_tokens_are_counted_with_start_and_end(backbone: Backbone) -> None:
    """As many as the tokenizer writes before its padding."""
    texts = ["a cat", "a photo of a great white shark.", "Café"]
    ids = backbone.tokenize(texts)
    assert count_tokens(backbone, texts) == tuple(int(row.argmax()) + 1 for row in ids)
    assert count_tokens(backbone, ["a cat"]) == (4,)


def test_tokens_beyond_the_limit_are_counted_too(tiny_backbone: Backbone) -> None:
    """The tokenizer would cut; the count says by how much."""
    assert count_tokens(tiny_backbone, ["word " * 40]) == (42,)


def test_a_tokenizer_without_encode_is_asked_for_its_ids(tiny_backbone: Backbone) -> None:
    """Tokenizers of other text towers pad with zeros; what is not padding counts."""
    other = replace(tiny_backbone, tokenize=lambda texts: torch.tensor([[5, 6, 7, 0], [5, 7, 0, 0]])[: len(texts)])
    assert count_tokens(other, ["x", "y"]) == (3, 2)


def test_a_name_longer_than_the_model_reads_is_refused(tiny_backbone: Backbone) -> None:
    """Cut in silence, two long names could become one; the class and the limit are named. The longest that fits is taken."""
    fits = " ".join(["word"] * 13)
    assert class_features(tiny_backbone, ["cat", fits], "a {}").shape == (2, 16)
    with pytest.raises(BadRequest) as caught:
        class_features(tiny_backbone, ["cat", fits + " word"], "a {}")
    assert "'word word" in caught.value.message
    assert "16 tokens" in caught.value.message


def test_two_classes_of_one_name_are_told_apart_by_their_synsets() -> None:
    """ImageNet has such pairs: both give the same sentence, which the id is no part of."""
    told = sentences(["missile (n03773504)", "missile (n04008634)", "crane (bird)"], "a photo of a {}.")
    assert told == ["a photo of a missile.", "a photo of a missile.", "a photo of a crane (bird)."]


def test_braces_can_stay_in_a_sentence(tiny_backbone: Backbone) -> None:
    """`{{}}` is a pair of braces that stays (FAP's sentences hold one); the other pair is the class name's."""
    assert sentences(["sea_lion", "cat"], "a {{}}, a pet. {}.") == ["a {}, a pet. sea lion.", "a {}, a pet. cat."]
    for template in ("{{}}", "{} {}", "no place", "{{}} {} {}"):
        with pytest.raises(BadRequest, match="single"):
            sentences(["a", "b"], template)
    assert class_features(tiny_backbone, ["cat", "dog"], "a {{}} of {}.").shape == (2, 16)


SPELLINGS = (
    "caf\u00e9", "cafe\u0301", "cafe", "ice cream", "ice  cream", "ice_cream", "icecream", "Mug", "mug", "MUG ", "t-shirt",
    "t - shirt", "t shirt", "747-400", "7 4 7 - 4 0 0", "st. bernard", "St . Bernard", "cat's eye", "cat\u2019s eye", "a&amp;b",
    "a&b", "\u732b", "Stra\u00dfe", "strasse",
)  # fmt: skip


def test_names_are_compared_as_the_tokenizer_reads_them(backbone: Backbone) -> None:
    """What is said of names without a model agrees with the tokens of CLIP's tokenizer, pair by pair."""
    tokens = tokens_of(backbone, SPELLINGS)
    assert len(set(tokens)) < len(SPELLINGS)
    for one in range(len(SPELLINGS)):
        for other in range(one):
            same = tokens[one] == tokens[other]
            assert same == (as_tokens(SPELLINGS[one]) == as_tokens(SPELLINGS[other])), (
                SPELLINGS[one],
                SPELLINGS[other],
            )


def test_classes_with_the_same_tokens_are_named(backbone: Backbone) -> None:
    """Every group in its order; a WordNet id behind a name is no part of what is read."""
    names = ("Mug", "cube", "ice  cream", "mug", "ice cream", "crane (n02012849)", "crane (n03126707)")
    found = Classifier(backbone, names, "a {}").alike_classes
    assert found == (("Mug", "mug"), ("ice  cream", "ice cream"), names[5:])
    (sentence,) = alike_sentences(found)
    assert "'Mug' and 'mug'; 'ice  cream' and 'ice cream'" in sentence
    assert "'caf\\xe9' and 'cafe\\u0301'" in alike_sentences([("caf\u00e9", "cafe\u0301")])[0]
    assert Classifier(backbone, ("cat", "dog"), "a {}").alike_classes == alike_sentences(()) == ()
