"""Frames between grader and sandbox: a JSON header, then raw arrays.

No pickle: what arrives is numbers of known kinds, text and lists of these.
A frame is the two lengths, the header, the arrays' bytes one after another.
"""

import json
import math
import struct
from collections.abc import Callable

import numpy as np
from numpy import ndarray

from attnbook.check.engine import Module
from attnbook.check.failures import Failure
from attnbook.errors import AttnbookError

LENGTHS = struct.Struct("<IQ")
KINDS = {"f2", "f4", "f8", "b1"} | {k + n for k in "iu" for n in "1248"}
MAX_HEADER = 1 << 16  # bytes, of a reply
MAX_BODY = 1 << 24
MAX_DEPTH = 4


class BadFrame(AttnbookError):
    """The other side did not keep to the form; nothing of it is used."""

    def __init__(self, message: str, code: Failure = Failure.OTHER):
        super().__init__(message)
        self.code = code


def kind(dtype: np.dtype) -> str:
    """Such as f8; BadFrame for objects, complex numbers, text, times."""
    name = dtype.str[1:]
    if name not in KINDS:
        raise BadFrame(
            f"numbers expected, yours are {dtype.name}.", Failure.NOT_NUMBERS
        )
    return name


def plain_floats(array: ndarray) -> ndarray:
    """The same numbers as every machine has them: no longer than 64 bits and
    in its own byte order. A check in the notebook takes the others too."""
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        return array.astype("f8")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def describe(value, blobs: list[bytes]):
    """A value as JSON, the bytes of its arrays added to `blobs`."""
    if value is None or isinstance(value, (bool, int, float, str)):
        if not isinstance(value, np.generic):
            return {"plain": value}
    if isinstance(value, (ndarray, np.generic)):
        array = plain_floats(np.asarray(value, order="C"))
        blobs.append(array.tobytes())
        shape = list(array.shape) if isinstance(value, ndarray) else None
        return {"array": kind(array.dtype), "shape": shape}
    if isinstance(value, Module):
        return {"module": [value.name, value.sizes, value.weights]}
    if isinstance(value, (tuple, list)):
        name = "tuple" if isinstance(value, tuple) else "list"
        return {name: [describe(v, blobs) for v in value]}
    raise BadFrame(f"a {type(value).__name__} cannot cross to the sandbox.")


def pack(head: dict, values=()) -> bytes:
    """One frame: `head` holds JSON only, `values` arrays too."""
    blobs: list[bytes] = []
    described = [describe(value, blobs) for value in values]
    header = json.dumps(head | {"values": described}).encode()
    body = b"".join(blobs)
    return LENGTHS.pack(len(header), len(body)) + header + body


def size_of(text, shape) -> int:
    """Bytes of an array of this kind and shape; BadFrame for nonsense."""
    if not isinstance(text, str) or text not in KINDS:
        raise BadFrame("an array of unknown kind")
    if not isinstance(shape, list) or len(shape) > 16:
        raise BadFrame("an array of impossible shape")
    if not all(type(n) is int and 0 <= n <= MAX_BODY for n in shape):
        raise BadFrame("an array of impossible shape")
    return math.prod(shape) * int(text[1])


class Body:
    """The arrays' bytes of one frame, handed out in order."""

    def __init__(self, data: bytes):
        self.data, self.place = data, 0

    def array(self, text: str, shape: list) -> ndarray:
        size = size_of(text, shape)
        part = self.data[self.place : self.place + size]
        if len(part) != size:
            raise BadFrame("fewer bytes than announced")
        self.place += size
        try:
            if text == "b1":  # a byte other than 0 and 1 would be no bool
                return (np.frombuffer(part, "u1") != 0).reshape(shape)
            return np.frombuffer(part, text).reshape(shape).copy()
        except ValueError:  # no bytes, and sizes whose product overflows
            raise BadFrame("an array of impossible shape") from None

    def value(self, described, depth: int = 0):
        if not isinstance(described, dict) or depth > MAX_DEPTH:
            raise BadFrame("a value that cannot be read")
        if "plain" in described:
            value = described["plain"]
            if value is None or isinstance(value, (bool, int, float, str)):
                return value
        elif "array" in described:
            shape = described.get("shape")
            sizes = [] if shape is None else shape
            array = self.array(described["array"], sizes)
            return array if shape is not None else array[()]
        for name, make in (("tuple", tuple), ("list", list)):
            parts = described.get(name)
            if isinstance(parts, list):
                return make(self.value(part, depth + 1) for part in parts)
        raise BadFrame("a value that cannot be read")


def unpack(
    receive: Callable[[int], bytes],
    max_header: int = MAX_HEADER,
    max_body: int = MAX_BODY,
) -> tuple[dict, list]:
    """(head, values) of the next frame; `receive(n)` gives n bytes.

    BadFrame before anything large is allocated if the lengths are absurd.
    """
    header_size, body_size = LENGTHS.unpack(receive(LENGTHS.size))
    if header_size > max_header or body_size > max_body:
        raise BadFrame("a frame that is too large")
    try:
        head = json.loads(receive(header_size))
        described = head.pop("values")
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
        raise BadFrame("a header that is no JSON") from None
    body = Body(receive(body_size))
    if not isinstance(described, list):
        raise BadFrame("a value that cannot be read")
    values = [body.value(part) for part in described]
    if body.place != body_size:
        raise BadFrame("more bytes than announced")
    return head, values
