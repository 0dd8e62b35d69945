"""The curated list of models: every entry can be had, one way or the other, and says what is known of it."""

from __future__ import annotations

import re
import shlex

import pytest

from capt_engine.bundled_models import BUNDLED
from capt_engine.errors import BadRequest
from capt_engine.model.store import catalog

ENTRIES = {one.id: catalog.entry_of(one.id) for one in catalog.offered() if one.id not in BUNDLED}
BY_HAND = sorted(name for name, entry in ENTRIES.items() if entry.address)


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_is_fetched_at_a_commit_or_by_hand(name: str) -> None:
    """A repository with a commit (or "main" where none is public), or an address with a base that is offered: never both."""
    entry = ENTRIES[name]
    assert bool(entry.repo) != bool(entry.address)
    if entry.repo:
        assert re.fullmatch(r"main|[0-9a-f]{40}", entry.revision)
        assert not entry.base
    else:
        assert entry.base in ENTRIES
        assert entry.address.startswith("https://")
        assert ENTRIES[entry.base].activation == entry.activation
    assert entry.licence
    assert not entry.sha256 or re.fullmatch(r"[0-9a-f]{64}", entry.sha256)


def test_only_two_robust_entries_have_no_public_commit() -> None:
    """The others are held to the commit that the authors' pages name."""
    loose = {name for name, entry in ENTRIES.items() if entry.revision == "main"}
    assert loose == {"fare4-vit-b-32", "tecoa4-vit-b-32"}


def test_licences_are_those_of_the_repositories_that_are_named() -> None:
    """OpenAI's weights are fetched from repositories of timm, which say Apache-2.0."""
    from_timm = {name for name, entry in ENTRIES.items() if entry.repo.startswith("timm/vit_")}
    assert from_timm == {"vit-b-32-openai", "vit-b-16-openai", "vit-l-14-openai"}
    assert {ENTRIES[name].licence for name in from_timm} == {"Apache-2.0"}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_tower_that_nothing_vouches_for_is_fetched_by_hand(name: str) -> None:
    """RobustVLM's ViT-B/32 on OpenAI's base: the refusal gives the address and the command that imports the file."""
    with pytest.raises(BadRequest) as caught:
        catalog.orders(name)
    assert ENTRIES[name].address in caught.value.message
    command = shlex.split(caught.value.hint.partition("capt ")[2])
    assert command[-4:] == ["--as", name, "--base", "vit-b-32-openai"]
    offer = catalog.find_offer(name)
    assert offer.files == (ENTRIES[name].address,)
    assert (offer.bytes, offer.estimated) == (None, False)
    assert offer.page.startswith("https://github.com/chs20/RobustVLM")


def test_there_are_four_towers_on_openais_b_32() -> None:
    """FARE and TeCoA, each for 1/255 and 4/255."""
    assert [f"{method}-vit-b-32-openai" for method in ("fare1", "fare4", "tecoa1", "tecoa4")] == BY_HAND


def test_a_hub_model_may_be_in_the_layout_of_either_library() -> None:
    """Of a repository that is not on the list both configurations and all names of weights are tried, open_clip's first."""
    config, beside, weights = catalog.orders("hf-hub:openai/clip-vit-base-patch32")
    assert config.names == ("open_clip_config.json", "config.json")
    assert beside.optional
    assert weights.names[0] == "open_clip_model.safetensors"
    assert weights.names[-1] == "pytorch_model.bin.index.json"
