"""What passes the door is plain, frozen, and can be sent anywhere."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pickle
import pkgutil
import struct
import typing

import pytest

from capt_engine import records
from capt_engine.formatting import number
from capt_engine.records import RunOptions, ThreatModel, Verdict

RECORDS = [
    kind
    for _, kind in inspect.getmembers(records, inspect.isclass)
    if kind.__module__.startswith(records.__name__) and dataclasses.is_dataclass(kind)
]
PLAIN = {bool, int, float, str, bytes, type(None)}


def leaves(hint: object) -> set[object]:
    """The types a field may hold, tuples and unions taken apart; of a choice of values, the types of the values."""
    if typing.get_origin(hint) is typing.Literal:
        return {type(one) for one in typing.get_args(hint)}
    inner = [one for one in typing.get_args(hint) if one is not Ellipsis]
    if inner:
        return set().union(*(leaves(one) for one in inner))
    return {typing.cast(object, getattr(hint, "__supertype__", hint))}


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_a_record_is_frozen_and_holds_plain_values(kind: type) -> None:
    """Numbers, strings, bytes, tuples, and other records: no tensor, no array, nothing of Qt, nothing that changes."""
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    for name, hint in typing.get_type_hints(kind).items():
        assert leaves(hint) <= PLAIN | set(RECORDS), name
        assert typing.get_origin(hint) not in (list, dict, set), name


def test_the_front_page_lists_every_record() -> None:
    """Whatever a module of records declares is found by its name on the front page."""
    for module in pkgutil.iter_modules(records.__path__):
        subject = importlib.import_module(f"{records.__name__}.{module.name}")
        declared = {
            name for name, kind in inspect.getmembers(subject, inspect.isclass) if kind.__module__ == subject.__name__
        }
        assert declared <= set(vars(records))


def test_a_verdict_ranks_its_classes() -> None:
    """Best first; of equals the earlier one; never more than there are."""
    verdict = Verdict((1.0, 3.0, 2.0, 3.0), (0.1, 0.4, 0.1, 0.4))
    assert verdict.winner == 1
    assert verdict.top(3) == (1, 3, 0)
    assert verdict.top(9) == (1, 3, 0, 2)


def test_a_threat_knows_its_goal() -> None:
    """With a target it is targeted."""
    assert (ThreatModel().goal, ThreatModel(target="cat").goal) == ("untargeted", "targeted")


def test_records_survive_a_journey() -> None:
    """What is sent to another process comes out equal there."""
    request = records.AnalyzeRequest(("a.png",), options=RunOptions(threat=ThreatModel("l2", 0.5, "cat")))
    assert pickle.loads(pickle.dumps(request)) == request
    assert hash(request) == hash(
        records.AnalyzeRequest(("a.png",), options=RunOptions(threat=ThreatModel("l2", 0.5, "cat")))
    )


def test_one_strong_pixel_does_not_darken_a_map() -> None:
    """The scale can end where one in a hundred values lies above, and then says so at its end."""
    values = records.ValueMap(10, 10, struct.pack("<100f", *range(1, 100), -5000))
    assert (values.largest, values.above(0.01), values.above(0.0)) == (5000, 99, 5000)
    assert records.ValueMap(0, 0, b"").above(0.01) == 0
    cut = records.HeatScale(values.above(0.01), is_cut=True)
    assert cut.labels == ("0", f"≥\xa0{number(99)}")
    assert records.HeatScale(2, is_signed=True, is_cut=True).labels == (f"≤\xa0−{number(2)}", f"≥\xa0+{number(2)}")
    assert records.HeatScale(5000).labels == ("0", number(5000))
    assert cut.draw(values).rgb[-6:-3] == cut.colours[-3:]
