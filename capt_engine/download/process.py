"""Fetches files of a repository of the hub, as a process of its own: it can be stopped at any moment, and blocks nothing.

The order comes as JSON on stdin, the news leave as JSON lines on stdout. Each file grows as `<name>.part`, with what the server said
of it (ETag, size, commit) beside it, so that a later process goes on where this one was killed.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from capt_engine.download.weight_index import SUFFIX, parts_of
from capt_engine.errors import CannotWrite, CaptError
from capt_engine.files import FULL, cannot_write, copy, put, refused, sha256, write_atomic
from capt_engine.formatting import short, size
from capt_engine.reading import decode

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

_TELL_EVERY_S = 0.1
# What is left on the disk after a download; a full disk breaks more than this program.
_SPARE_BYTES = 200 * 2**20
_PIECE_BYTES = 2**17
DISK = "disk"  # the kind of a refusal that is no fault of the request or the server
_HEX = set("0123456789abcdef")


class Refused(Exception):
    """The download cannot be done: `kind` for programs, `message` what happened, `hint` what to do."""

    def __init__(self, kind: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.kind, self.message, self.hint = kind, message, hint


@dataclass(frozen=True)
class Order:
    """An order for one file: the first of `names` that the repository has, at `revision`, into `folder`.

    n_bytes, sha256: what the file must be, where that is known. endpoint: "" is the hub's own, or HF_ENDPOINT's.
    """

    repo: str
    revision: str
    names: tuple[str, ...]
    folder: str
    n_bytes: int | None = None
    sha256: str = ""
    optional: bool = False


@dataclass(frozen=True)
class News:
    """A line of what the process has to say; each kind of event fills the fields that it needs.

    event: "file" (one begins: name, n_bytes, url, of which `have` are here), "moved" (have), "verifying", "fetched" (sha256, commit,
    fresh: bytes over the network), "note" (message), "refused" (kind, message, hint) or "done".
    """

    event: str
    name: str = ""
    url: str = ""
    n_bytes: int = 0
    have: int = 0
    sha256: str = ""
    commit: str = ""
    fresh: int = 0
    kind: str = ""
    message: str = ""
    hint: str = ""


@dataclass(frozen=True)
class _Offer:
    """The server's description of a file."""

    url: str
    name: str
    n_bytes: int
    etag: str
    commit: str


def main() -> int:
    """Read download orders as JSON from stdin, fetch the files, and report as JSON lines on stdout.

    Returns the exit status: 0 when all files are there, 1 when something was refused.
    """
    orders = decode(sys.stdin.read(), list[Order], called="The order")
    # Before the hub's library is imported, which reads these once: no bars, no telemetry, and no other way to fetch than plain HTTP,
    # which alone can be resumed.
    os.environ.update(HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
    try:
        for order in orders:
            with refused(Path(order.folder)):
                _carry_out(order)
    except Refused as why:
        _say(News("refused", kind=why.kind, message=why.message, hint=why.hint))
        return 1
    except CannotWrite as error:
        _say(News("refused", kind=DISK, message=error.message, hint=error.hint))
        return 1
    _say(News("done"))
    return 0


def _say(news: News) -> None:
    sys.stdout.write(json.dumps(asdict(news)) + "\n")
    sys.stdout.flush()


def _carry_out(order: Order) -> None:
    """Fetch a file; of an index of weights also the parts that it lists, at the same commit."""
    commit = _fetch_one(order)
    found = next((name for name in order.names if (Path(order.folder) / name).is_file()), "")
    if found.endswith(SUFFIX):
        try:
            parts = parts_of(Path(order.folder) / found)
        except CaptError as error:
            raise Refused("damaged", error.message, "Choose another model.") from error
        for part in parts:
            _fetch_one(Order(order.repo, commit or order.revision, (part,), order.folder))


def _fetch_one(order: Order) -> str:
    """Fetch the first file of an order that is there; return the commit that it is of, "" where nothing was asked."""
    folder = Path(order.folder)
    folder.mkdir(parents=True, exist_ok=True)
    there = next((name for name in order.names if (folder / name).is_file()), None)
    if there is not None and (not order.sha256 or sha256(folder / there) == order.sha256):
        n_bytes = (folder / there).stat().st_size
        _say(News("file", there, n_bytes=n_bytes, have=n_bytes))
        _say(News("fetched", there, sha256=sha256(folder / there)))
        return ""
    cached = _in_cache(order)
    if cached is not None:
        n_bytes = cached.stat().st_size
        _say(News("note", message="Taken from the Hugging Face cache of this computer; nothing was downloaded."))
        _say(News("file", cached.name, n_bytes=n_bytes, have=n_bytes))
        partial = folder / (cached.name + ".part")
        copy(cached, partial)
        _finish(order, _Offer("", cached.name, n_bytes, "", order.revision), partial, fresh=0)
        return order.revision
    offer = _offer(order)
    if offer is None:
        return ""
    _require_room(folder, offer)
    _fetch(order, offer, folder)
    return offer.commit


def _in_cache(order: Order) -> Path | None:
    """The file in the Hugging Face cache, where its SHA-256 is known to be right."""
    from huggingface_hub import try_to_load_from_cache

    for name in order.names:
        found = try_to_load_from_cache(order.repo, name, revision=order.revision)
        if isinstance(found, str) and order.sha256 and sha256(Path(found)) == order.sha256:
            return Path(found)
    return None


def _offer(order: Order) -> _Offer | None:
    """Ask the server about the first file of the order that it has; None where an optional one is not there. Raises Refused."""
    import httpx2
    from huggingface_hub import errors, get_hf_file_metadata, hf_hub_url

    missing: Exception | None = None
    for name in order.names:
        url = hf_hub_url(order.repo, name, revision=order.revision)
        try:
            # No token: what is public needs none, and nobody learns who asks.
            described = get_hf_file_metadata(url, token=False)
        except errors.EntryNotFoundError as error:
            missing = error
            continue
        except errors.HfHubHTTPError as error:
            if error.response.status_code in (401, 403, 404):
                raise Refused(
                    "not found",
                    f"The hub has no {order.repo} at {order.revision[:12]} that is open to everybody.",
                    "Check the name. Of a gated model, fetch the folder in your browser and use it with `capt models import`.",
                ) from error
            raise Refused(
                "server", f"The server would not say anything about {name}: {_brief(error)}", _LATER
            ) from error
        except (httpx2.HTTPError, OSError) as error:
            raise Refused("no connection", f"No connection to the server: {_brief(error)}", _LATER) from error
        if described.commit_hash is None or described.size is None or not described.etag:
            raise Refused(
                "not a hub",
                f"What answered for {name} is not a model hub; it may be a sign-in page of the network.",
                "Open a web page in your browser first, or check HF_ENDPOINT and the proxy.",
            )
        if order.n_bytes is not None and described.size != order.n_bytes:
            raise Refused(
                "size",
                f"The server announces {described.size:,} bytes for {name}; {order.n_bytes:,} are known to be right.",
                "The file has been changed or the server is not the real one; nothing was fetched.",
            )
        return _Offer(url, name, described.size, described.etag, described.commit_hash)
    if order.optional:
        return None
    names = " or ".join(order.names)
    raise Refused(
        "not found", f"{order.repo} holds no {names}.", "Choose another model, or import a file that you have."
    ) from (missing)


def _require_room(folder: Path, offer: _Offer) -> None:
    have = _resumable(folder, offer)
    wanted, free = offer.n_bytes - have + _SPARE_BYTES, shutil.disk_usage(folder).free
    if free < wanted:
        raise Refused(
            DISK,
            f"{offer.name} needs {size(offer.n_bytes - have)} more; {size(free)} are free where models are kept.",
            "Make room first, or keep models elsewhere.",
        )


def _resumable(folder: Path, offer: _Offer) -> int:
    """Bytes of an earlier try that belong to this very file; what belongs to another is removed."""
    partial, notes = folder / (offer.name + ".part"), folder / (offer.name + ".part.json")
    try:
        known = notes.read_text(encoding="utf-8")
        have = partial.stat().st_size
    except (OSError, ValueError):
        partial.unlink(missing_ok=True)
        return 0
    if known == _identity(offer) and have <= offer.n_bytes:
        return have
    _say(News("note", message=f"{offer.name} has changed at the server since the download began, so it begins anew."))
    partial.unlink()
    return 0


def _identity(offer: _Offer) -> str:
    return json.dumps({"etag": offer.etag, "n_bytes": offer.n_bytes, "commit": offer.commit})


def _fetch(order: Order, offer: _Offer, folder: Path) -> None:
    import httpx2
    from huggingface_hub import constants, errors
    from huggingface_hub.file_download import http_get

    # What has not filled a piece is lost where a connection breaks; the hub's own pieces are of 10 MB.
    constants.DOWNLOAD_CHUNK_SIZE = _PIECE_BYTES

    partial, notes = folder / (offer.name + ".part"), folder / (offer.name + ".part.json")
    have = _resumable(folder, offer)
    write_atomic(notes, _identity(offer))
    _say(News("file", offer.name, offer.url, offer.n_bytes, have))
    weights = offer.name.endswith((".safetensors", ".bin"))
    try:
        with _Growing(partial.open("ab", buffering=0), offer, weights) as growing:
            http_get(offer.url, growing, resume_size=have, expected_size=offer.n_bytes)
    except errors.HfHubHTTPError as error:
        raise Refused("server", f"The server broke off: {_brief(error)}", _LATER) from error
    except (httpx2.HTTPError, OSError) as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise cannot_write(partial, error) from error
        kept = partial.stat().st_size if partial.exists() else 0
        raise Refused(
            "broken",
            f"The download broke off after {size(kept)} of {size(offer.n_bytes)}: {_brief(error)}",
            "What is there is kept; start it again to go on from there.",
        ) from error
    _finish(order, offer, partial, fresh=offer.n_bytes - have)


class _Growing(io.BufferedWriter):
    """A file that says how far it is, and refuses what cannot be the file that was promised."""

    def __init__(self, file: io.RawIOBase, offer: _Offer, weights: bool) -> None:
        super().__init__(file)
        self._offer, self._weights = offer, weights
        self._said_s = 0.0

    def write(self, chunk: Buffer) -> int:
        """Add a chunk of bytes; returns its length. Raises Refused."""
        data = bytes(chunk)
        at = self.tell()
        if at == 0 and self._weights and data.lstrip()[:1] == b"<":
            raise Refused(
                "page",
                f"Instead of {self._offer.name} the server sent a web page.",
                "The network may want you to sign in; open a page in your browser, then try again.",
            )
        if at + len(data) > self._offer.n_bytes:
            self.seek(0)
            self.truncate()
            raise Refused(
                "size",
                f"The server sent more than the {self._offer.n_bytes:,} bytes that it had announced for {self._offer.name}.",
                "What came is thrown away. Try another server (HF_ENDPOINT), or later.",
            )
        written = super().write(data)
        if time.monotonic() - self._said_s >= _TELL_EVERY_S:
            # On the disk before it is said, so that a kill loses nothing that was counted.
            self.flush()
            self._said_s = time.monotonic()
            _say(News("moved", have=at + written))
        return written


def _finish(order: Order, offer: _Offer, partial: Path, fresh: int) -> None:
    """Verify, and only then give the file its name."""
    _say(News("verifying", offer.name))
    found = sha256(partial)
    # The hub's ETag of a large file is its SHA-256; of a small one it is git's, of other bytes.
    from_hub = offer.etag if len(offer.etag) == 64 and set(offer.etag) <= _HEX else ""
    wanted = order.sha256 or from_hub
    notes = partial.with_name(partial.name + ".json")
    if wanted and found != wanted:
        partial.unlink()
        notes.unlink(missing_ok=True)
        raise Refused(
            "hash",
            f"{offer.name} arrived damaged or changed: its SHA-256 is {short(found)}, not {short(wanted)}.",
            "It was removed. Try again; if it happens again, the server is not to be trusted.",
        )
    put(partial, partial.with_name(offer.name))
    notes.unlink(missing_ok=True)
    _say(News("fetched", offer.name, offer.url, sha256=found, commit=offer.commit, fresh=fresh))


def _brief(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200].rstrip(".") + "."


_LATER = "Check the network and the proxy, and try again later."


if __name__ == "__main__":
    sys.exit(main())
