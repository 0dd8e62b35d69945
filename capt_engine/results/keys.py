"""The names by which the result store finds an answer: the digest of a question, and the key of a picture."""

from __future__ import annotations

import hashlib
import json
import re
import struct

from capt_engine.errors import BadRequest

DIGEST = 16
"""The bytes of a question's digest: the first half of a SHA-256."""

_KEY = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{80})")


def digest_of(*parts: object) -> bytes:
    """Return the digest of `parts`, plain JSON values, in which every digit of a number counts."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).digest()[:DIGEST]


def subject_of(sha256: str, label: int | None = None, target: int | None = None) -> bytes:
    """Return the key of a picture with what is asked of it, 40 bytes.

    sha256: of the picture. label, target: indices of classes; None where nobody gave a label, or there is no target.
    """
    return bytes.fromhex(sha256) + struct.pack("<ii", -1 if label is None else label, -1 if target is None else target)


def store_key(series: bytes, subject: bytes) -> str:
    """Return the text by which the answers to one picture at every ε are asked for: `PictureRow.store_key`.

    series: the digest of the question without ε. subject: the key of the picture.
    """
    return f"{series.hex()}.{subject.hex()}"


def key_of(text: str) -> tuple[bytes, bytes]:
    """Return the series and the subject that the text of `store_key` names; raises BadRequest for another text."""
    found = _KEY.fullmatch(text)
    if found is None:
        raise BadRequest("This is no key of the result store.", "Take the `store_key` of a row.")
    return bytes.fromhex(found[1]), bytes.fromhex(found[2])
