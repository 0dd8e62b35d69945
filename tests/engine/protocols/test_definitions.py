"""The cells of each protocol: which prompts, measured on which pictures, in which order, each under one name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capt_engine.errors import BadRequest
from capt_engine.protocols import definitions
from capt_engine.protocols.definitions import Cell, Own, Recipe, Setting

OWN = Own(2.5, "vision_to_text")
SETTING = Setting("demo", "demo")


def told(part: definitions.Part) -> list[tuple[str, str, str, str]]:
    """The rows as (data set, method, variant, classes)."""
    return [(row.dataset, row.method, row.variant, row.subsample_classes) for row in part.rows]


def test_few_shot_is_every_method_shot_and_seed_on_every_set() -> None:
    """A row per method and number of shots, a cell per seed in it, and one zero-shot row per data set with a single cell."""
    part = definitions.few_shot(("a", "b"), ("zero-shot", "coop", "capt"), (1, None), (1, 2))
    assert told(part)[:5] == [
        ("a", "zero-shot", "", "all"),
        ("a", "coop", "1 shot", "all"),
        ("a", "coop", "all shots", "all"),
        ("a", "capt", "1 shot", "all"),
        ("a", "capt", "all shots", "all"),
    ]
    assert len(part.rows) == 10
    assert part.rows[0].cells == (Cell(None, "a"),)
    assert part.rows[2].cells == tuple(Cell(Recipe("a", "coop", None, seed), "a") for seed in (1, 2))
    assert len(part.cells) == 2 + 2 * 2 * 2 * 2
    seeds = [cell.recipe.seed if cell.recipe else 0 for cell in part.cells]
    assert seeds.index(2) == seeds.count(0) + seeds.count(1), "the first seed of every row comes first"


def test_base_to_new_tunes_on_base_and_measures_both_halves() -> None:
    """Both halves are measured with the prompts of the base half, and zero-shot is asked among each half too."""
    part = definitions.base_to_new(("a",), ("zero-shot", "capt"), (16,), (3,))
    assert told(part) == [
        ("a", "zero-shot", "", "base"),
        ("a", "zero-shot", "", "new"),
        ("a", "capt", "16 shots", "base"),
        ("a", "capt", "16 shots", "new"),
    ]
    assert {cell.recipe for cell in part.cells} == {None, Recipe("a", "capt", 16, 3, "base")}


def test_cross_dataset_tunes_on_the_first_and_measures_the_others() -> None:
    """No cell is about the source itself; one data set alone is refused."""
    part = definitions.cross_dataset(("a", "b", "c"), ("zero-shot", "capt"), (16,), (1,))
    assert {cell.dataset for cell in part.cells} == {"b", "c"}
    assert {cell.recipe for cell in part.cells} == {None, Recipe("a", "capt", 16, 1)}
    with pytest.raises(BadRequest, match="another"):
        definitions.cross_dataset(("a",), ("capt",), (16,), (1,))


def test_shift_measures_the_source_too() -> None:
    """The source comes first, and once, also where it is named among the targets."""
    part = definitions.shift("a", ("b", "a", "c"), ("capt",), (16,), (1,))
    assert [row.dataset for row in part.rows] == ["a", "b", "c"]


def test_ablation_changes_one_choice_at_a_time() -> None:
    """Each row differs from CAPT in one setting, and what is CAPT's own already is not run again."""
    part = definitions.ablation(("a",), (16,), (1,), OWN)
    unchanged = Recipe("a", "capt", 16, 1)
    assert {row.variant: row.cells[0].recipe for row in part.rows} == {
        "": None,
        "unchanged": unchanged,
        "α = 0": replace(unchanged, alpha="const", alpha_const=0.0),
        "α = 1": replace(unchanged, alpha="const", alpha_const=1.0),
        "λ = 1": replace(unchanged, lambda_=1.0),
        "λ = 4": replace(unchanged, lambda_=4.0),
        "text to vision": replace(unchanged, coupling="text_to_vision"),
        "independent": replace(unchanged, coupling="independent"),
    }


def test_results_computes_the_most_important_first_and_nothing_twice() -> None:
    """16 shots of everything, then ablations, fewer shots, halves, other sets, other looks, all shots; then the other seeds."""
    methods = ("zero-shot", "coop", "capt")
    work = definitions.results(("a@x", "b"), ("a@y",), methods, (1, 2), OWN)
    assert [part.name for part in work.parts] == ["few-shot", "ablation", "base-to-new", "cross-dataset", "shift"]
    assert len(set(work.order)) == len(work.order)
    assert set(work.order) == {cell for part in work.parts for cell in part.cells}
    first = definitions.few_shot(("a@x", "b"), methods, (16,), (1,)).cells
    assert work.order[: len(first)] == first

    def place(wanted: Cell) -> int:
        return work.order.index(wanted)

    order = [
        place(Cell(Recipe("a@x", "capt", 16, 1, alpha="const", alpha_const=0.0), "a@x")),
        place(Cell(Recipe("b", "capt", 4, 1), "b")),
        place(Cell(Recipe("a@x", "capt", 16, 1, "base"), "a@x", "new")),
        place(Cell(Recipe("a@x", "capt", 16, 1), "b")),
        place(Cell(Recipe("a@x", "capt", 16, 1), "a@y")),
        place(Cell(Recipe("b", "capt", None, 1), "b")),
        place(Cell(Recipe("a@x", "coop", 16, 2), "a@x")),
    ]
    assert order == sorted(order)


def test_keys_tell_apart_whatever_changes_a_figure() -> None:
    """Another budget, limit, model or recipe is another cell; another budget or limit leaves the prompts what they were."""
    recipe = Recipe("a", "capt", 16, 1)
    cell = Cell(recipe, "a")
    others = [replace(SETTING, limit=10), replace(SETTING, budgets=(0.1,)), replace(SETTING, model="other")]
    assert len({setting.cell_key(cell) for setting in (SETTING, *others)}) == 4
    assert len({setting.recipe_key(recipe) for setting in (SETTING, *others)}) == 2
    assert SETTING.recipe_key(recipe) != SETTING.recipe_key(replace(recipe, lambda_=1.0))
    assert SETTING.cell_key(cell) != SETTING.cell_key(replace(cell, subsample_classes="new"))


def test_cells_of_before_keep_their_keys() -> None:
    """What was computed before a field had another name is found again: these keys are those of that time."""
    recipe = Recipe("a", "capt", 16, 1, "base", lambda_=4.0)
    assert SETTING.recipe_key(recipe) == "capt-a-16-shots-seed-1-da8e3e5bb1"
    assert SETTING.cell_key(Cell(recipe, "a", "new")) == "capt-a-16-shots-seed-1-at-a-a7afe0d989"
    assert SETTING.cell_key(Cell(None, "a")) == "zero-shot-at-a-ac0af99b6d"


def test_keys_can_be_file_names() -> None:
    """Whatever a data set is called, its key holds nothing that a file system refuses, and is not too long."""
    key = SETTING.cell_key(Cell(Recipe("../a b:@" + "x" * 300, "capt", None, 1), "ü/?"))
    assert set(key) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
    assert len(key) < 120


def test_requests_say_what_the_cell_says() -> None:
    """A recipe becomes a tuning that can be gone on with, a cell an evaluation of its half at each budget."""
    recipe = Recipe("a", "fap", None, 2, "base", lambda_=4.0)
    tuned = definitions.tune_request(recipe, SETTING, ("folder", "root"), "p.safetensors", "cpu")
    assert (tuned.data, tuned.data_root, tuned.method, tuned.shots, tuned.seed) == ("folder", "root", "fap", None, 2)
    assert (tuned.subsample_classes, tuned.lambda_, tuned.resume, tuned.out) == ("base", 4.0, True, "p.safetensors")
    asked = definitions.evaluate_request(Cell(recipe, "a", "new"), SETTING, ("folder", "root"), "p.safetensors", "cpu")
    assert (asked.subsample_classes, asked.curve, asked.limit, asked.split) == ("new", (1 / 255, 2 / 255), 300, "test")
    assert dict(asked.attacks[0].values) == {"steps": 100, "stop_early": True}
    assert asked.options.compare is None


def test_an_aim_at_zero_shot_compares_with_it() -> None:
    """Attacked pictures then come from plain text (B); zero-shot itself is attacked on itself."""
    aimed = replace(SETTING, aim="zero-shot")
    cell = Cell(Recipe("a", "capt", 1, 1), "a")
    asked = definitions.evaluate_request(cell, aimed, ("folder", ""), "p.safetensors", "cpu")
    assert (asked.options.compare, asked.options.aim) == ("none", "b")
    assert definitions.evaluate_request(Cell(None, "a"), aimed, ("folder", ""), None, "cpu").options.compare is None
