"""Downloads against a hub that drops, lies, sends pages and crawls: each fault has its sentence, and nothing unverified becomes visible."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from capt_engine.download import offline
from capt_engine.download.client import Fetched, Paused, Rate, fetch
from capt_engine.download.process import Order
from capt_engine.errors import BadRequest, Cancelled, CannotWrite
from tests.engine.download.hub_server import COMMIT, Hub, serving

WEIGHTS = bytes(range(256)) * 4000
NAME = "open_clip_model.safetensors"
SHA = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A well-behaved hub, which the test spoils; the user's folders are the test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "2")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with serving(Hub({NAME: WEIGHTS, "open_clip_config.json": b"{}"})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def order(folder: Path, **changes: object) -> Order:
    """The weights of a repository, whose size and hash are known."""
    known: dict[str, object] = {"n_bytes": len(WEIGHTS), "sha256": SHA}
    return Order("owner/name", "main", (NAME,), str(folder / "parts"), **{**known, **changes})  # type: ignore[arg-type]


def get(wanted: Order, at: list[tuple[int, int, str]] | None = None) -> Fetched:
    """Carry out one order."""
    return fetch("owner/name", [wanted], lambda *told: at.append(told) if at is not None else None)


def test_a_file_arrives_verified_and_is_in_the_ledger(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name, hash and commit are told; the ledger has the address, the bytes and the hash; the server does not learn who asks."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetched = get(order(tmp_path))
    assert (tmp_path / "parts" / NAME).read_bytes() == WEIGHTS
    assert (fetched.files, fetched.commit, fetched.fresh) == ({NAME: SHA}, COMMIT, len(WEIGHTS))
    (entry,) = offline.ledger()
    assert (entry.bytes, entry.sha256, entry.ended) == (len(WEIGHTS), SHA, "complete")
    assert entry.url == f"{hub.url}/owner/name/resolve/main/{NAME}"
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == [NAME]
    assert len(hub.headers) >= 2
    assert not [told for told in hub.headers if "secret" in told or "authorization" in told.lower() or "torch" in told]


def test_a_broken_connection_is_taken_up_where_it_broke(hub: Hub, tmp_path: Path) -> None:
    """Two answers break off half-way; what has arrived is not fetched again."""
    hub.drops = 2
    fetched = get(order(tmp_path))
    assert fetched.files == {NAME: SHA}
    first, second = (int(wanted.removeprefix("bytes=").rstrip("-")) for wanted in hub.ranges)
    assert len(WEIGHTS) * 0.3 < first <= len(WEIGHTS) / 2 < second < len(WEIGHTS)


def test_cancelling_is_at_once_and_a_later_start_goes_on(hub: Hub, tmp_path: Path) -> None:
    """The process is gone before it could fetch the rest, the part is kept, and only the rest is fetched afterwards."""
    hub.slow_s = 0.1

    def stop(done: int, total: int, words: str) -> None:
        del total, words
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetch("owner/name", [order(tmp_path)], stop)
    kept = (tmp_path / "parts" / f"{NAME}.part").stat().st_size
    assert 0 < kept < len(WEIGHTS)
    assert not (tmp_path / "parts" / NAME).exists()
    assert offline.ledger()[0].ended == "cancelled"
    hub.slow_s = 0
    fetched = get(order(tmp_path))
    assert fetched.files == {NAME: SHA}
    assert fetched.reused == kept
    assert hub.ranges == [f"bytes={kept}-"]


def test_resting_keeps_what_came(hub: Hub, tmp_path: Path) -> None:
    """A pause ends the process and leaves the part."""
    hub.slow_s = 0.1
    seen: list[tuple[int, int, str]] = []
    with pytest.raises(Paused):
        fetch("owner/name", [order(tmp_path)], lambda *told: seen.append(told), lambda: bool(seen and seen[-1][0]))
    assert 0 < (tmp_path / "parts" / f"{NAME}.part").stat().st_size < len(WEIGHTS)


def test_a_file_that_changed_at_the_server_begins_anew(hub: Hub, tmp_path: Path) -> None:
    """The part of the old file is thrown away, and said so."""
    hub.slow_s = 0.1
    seen: list[tuple[int, int, str]] = []
    with pytest.raises(Paused):
        fetch("owner/name", [order(tmp_path)], lambda *told: seen.append(told), lambda: bool(seen and seen[-1][0]))
    hub.slow_s = 0
    hub.files[NAME] = WEIGHTS[::-1]
    fetched = get(order(tmp_path, sha256=""))
    assert (tmp_path / "parts" / NAME).read_bytes() == WEIGHTS[::-1]
    assert fetched.reused == 0
    assert any("changed at the server" in note for note in fetched.notes)


def test_a_server_without_ranges_is_started_anew(hub: Hub, tmp_path: Path) -> None:
    """Where the server sends the whole file again, the part is not doubled."""
    hub.drops, hub.ignores_ranges = 1, True
    assert get(order(tmp_path)).files == {NAME: SHA}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ({"html": True}, "sent a web page"),
        ({"portal": True}, "not a model hub"),
        ({"announce": 7}, "announces"),
        ({"corrupt": True}, "damaged or changed"),
        ({"status": 404}, "no owner/name"),
        ({"status": 503}, "would not say anything"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_each_fault_has_its_sentence(
    hub: Hub, tmp_path: Path, spoil: dict[str, object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happened is said, what to do as well, and no file of that name appears."""
    monkeypatch.setenv("HF_HUB_ETAG_TIMEOUT", "1")
    for name, value in spoil.items():
        setattr(hub, name, value)
    with pytest.raises(BadRequest) as refused:
        get(order(tmp_path))
    assert words in refused.value.message
    assert refused.value.hint
    assert not (tmp_path / "parts" / NAME).exists()


def test_no_server_at_all_has_its_sentence(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cable that is out is no bug."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(BadRequest, match="No connection"):
        get(order(tmp_path))
    assert not hub.asked


def test_more_than_was_announced_is_thrown_away(hub: Hub, tmp_path: Path) -> None:
    """An endless answer cannot fill the disk."""
    hub.more = 5_000_000
    with pytest.raises(BadRequest, match="sent more than"):
        get(order(tmp_path))
    assert (tmp_path / "parts" / f"{NAME}.part").stat().st_size == 0


def test_a_missing_file_is_named(hub: Hub, tmp_path: Path) -> None:
    """A repository without safetensors says so."""
    del hub.files[NAME]
    with pytest.raises(BadRequest, match=f"holds no {NAME}"):
        get(order(tmp_path))


def test_the_second_name_is_tried(hub: Hub, tmp_path: Path) -> None:
    """Some repositories call their weights otherwise."""
    hub.files["other.safetensors"] = hub.files.pop(NAME)
    wanted = Order("owner/name", "main", (NAME, "other.safetensors"), str(tmp_path / "parts"), len(WEIGHTS), SHA)
    assert get(wanted).files == {"other.safetensors": SHA}


def test_without_a_known_hash_the_hub_is_held_to_its_own(hub: Hub, tmp_path: Path) -> None:
    """The ETag of a large file is its SHA-256."""
    hub.corrupt = True
    with pytest.raises(BadRequest, match="damaged or changed"):
        get(order(tmp_path, sha256="", n_bytes=None))


def test_a_full_disk_is_told_of_beforehand(hub: Hub, tmp_path: Path) -> None:
    """A file larger than the free space is not begun."""
    hub.announce = shutil.disk_usage(tmp_path).free
    with pytest.raises(CannotWrite, match="are free where models are kept"):
        get(order(tmp_path, n_bytes=None, sha256=""))
    assert ("GET", NAME) not in hub.asked


def test_what_is_there_already_is_not_fetched(hub: Hub, tmp_path: Path) -> None:
    """A second time, no request leaves."""
    get(order(tmp_path))
    hub.asked.clear()
    assert get(order(tmp_path)).fresh == 0
    assert not hub.asked


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_the_offline_variables_are_honoured(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Nothing leaves while one of them is set."""
    monkeypatch.setenv(variable, "1")
    with pytest.raises(BadRequest, match=variable):
        get(order(tmp_path))
    assert not hub.asked


def test_the_lock_is_for_good_until_it_is_lifted(hub: Hub, tmp_path: Path) -> None:
    """Offline is a file: it outlives the program."""
    offline.set_lock(True)
    with pytest.raises(BadRequest, match="offline for good"):
        get(order(tmp_path))
    assert not hub.asked
    offline.set_lock(False)
    assert get(order(tmp_path)).files == {NAME: SHA}


def test_the_rate_is_of_the_last_seconds() -> None:
    """A slow beginning does not spoil the forecast for ever."""
    now = [0.0]
    rate = Rate(lambda: now[0])
    rate.add(0)
    assert rate.per_s() is None
    for second in range(1, 20):
        now[0] = float(second)
        rate.add(second if second < 10 else 10 + (second - 10) * 1000)
    assert rate.per_s() == pytest.approx(1000, rel=0.01)
    assert rate.text(9010, 19010).endswith("10 s left")
