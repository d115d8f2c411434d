"""The form in which grader and sandbox speak: what crosses comes out the same,
and what is not in the form is refused before it can do anything."""

import json
import struct
import tracemalloc

import numpy as np
import pytest

from attnbook.check.engine import Module
from attnbook.grading.sandbox import frames
from attnbook.grading.sandbox.frames import (
    LENGTHS,
    MAX_BODY,
    MAX_HEADER,
    BadFrame,
)

KINDS = sorted(frames.KINDS)
SHAPES = [(), (0,), (1,), (7,), (2, 3), (0, 5), (3, 0), (2, 1, 4), (1,) * 16]
ODD = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-320, 1.7976931348623157e308]


def across(*values, head=None, **limits):
    """What comes out at the other end; all of the frame must be read."""
    data = frames.pack(head or {}, values)
    got_head, got = frames.unpack(reader(data), **limits)
    assert got_head == (head or {})
    return got


def reader(data: bytes):
    """Hands out bytes as a socket does; BadFrame's caller must not read on
    beyond the end."""
    rest = memoryview(data)

    def receive(size: int) -> bytes:
        nonlocal rest
        if size > len(rest):
            raise EOFError(f"{size} bytes wanted, {len(rest)} left")
        part, rest = bytes(rest[:size]), rest[size:]
        return part

    return receive


def some(kind: str, shape: tuple, rng: np.random.Generator) -> np.ndarray:
    """An array of any bits that this kind can have."""
    count = int(np.prod(shape))
    size = np.dtype(kind).itemsize
    bits = rng.integers(256, size=count * size, dtype="u1")
    if kind == "b1":
        return (bits % 2 == 1).reshape(shape)
    return bits.view(kind).reshape(shape)


def assert_same(got, want) -> None:
    """In type, shape and every bit; nan is nan."""
    assert type(got) is type(want)
    if isinstance(want, (tuple, list)):
        assert len(got) == len(want)
        for mine, theirs in zip(got, want):
            assert_same(mine, theirs)
    elif isinstance(want, (np.ndarray, np.generic)):
        assert got.dtype == want.dtype and got.shape == want.shape
        assert got.tobytes() == want.tobytes()
    else:
        assert got == want or got != got and want != want


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_arrays(kind, shape):
    rng = np.random.default_rng(len(shape))
    for _ in range(5):
        array = some(kind, shape, rng)
        (got,) = across(array)
        assert_same(got, array)
        assert got.flags.writeable and got.flags.owndata or kind == "b1"


@pytest.mark.parametrize("kind", KINDS)
def test_numpy_scalars(kind):
    value = some(kind, (), np.random.default_rng(1))[()]
    assert_same(across(value)[0], value)


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_every_odd_float(kind):
    with np.errstate(over="ignore"):
        array = np.array(ODD).astype(kind)
    assert_same(across(array)[0], array)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -1,
        2**70,
        0.1,
        *ODD,
        "",
        "x",
        "\0\n\u202e\U0001f600",
    ],
    ids=repr,
)
def test_plain_values(value):
    assert_same(across(value)[0], value)


def test_many_values_nested():
    rng = np.random.default_rng(2)
    values = [
        some(str(rng.choice(KINDS)), SHAPES[rng.integers(9)], rng)
        for _ in range(40)
    ]
    nested = ([values[0], "x"], (values[1], (None, [values[2]])), values[3])
    assert_same(across(*values), values)
    assert_same(across(nested), [nested])
    assert across() == []


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x.T,
        lambda x: x[::-1],
        lambda x: x[:, 1],
        lambda x: x[None, ..., None],
        lambda x: np.broadcast_to(x, (3, *x.shape)),
        np.asfortranarray,
    ],
)
def test_views_arrive_as_the_numbers_that_they_show(view):
    array = view(np.arange(12.0).reshape(3, 4))
    assert_same(across(array)[0], np.ascontiguousarray(array))


def test_floats_as_a_few_machines_have_them_arrive_as_all_have_them():
    assert_same(across(np.arange(3, dtype=">f8"))[0], np.arange(3.0))
    assert_same(across(np.arange(3, dtype=">i4"))[0], np.arange(3, dtype="i4"))
    assert_same(across(np.longdouble(2.5))[0], np.float64(2.5))


def test_subclasses_arrive_as_what_they_are_made_of():
    class Array(np.ndarray):
        def tobytes(self, *args):
            return b"forged"

        def __eq__(self, other):
            return True

    class Number(float):
        def __eq__(self, other):
            return True

        __hash__ = float.__hash__

    assert_same(across(np.arange(3.0).view(Array))[0], np.arange(3.0))
    assert_same(across(Number(2.5))[0], 2.5)


def test_a_module_is_named_for_the_other_side():
    kind = Module("Head", (8, 2), ("W_q", "W_o"))
    data = frames.pack({}, [kind])
    header = json.loads(data[LENGTHS.size :])
    assert header["values"] == [{"module": ["Head", [8, 2], ["W_q", "W_o"]]}]
    with pytest.raises(BadFrame):  # and comes from nowhere else
        frames.unpack(reader(data))


def test_the_head_is_kept():
    head = {"nonce": "0f", "state": "ok", "number": 3, "text": 'a"\\\n'}
    assert across(1, head=head) == [1]


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {1: 2},
        {1, 2},
        b"bytes",
        1j,
        np.array(1j),
        np.array("text"),
        np.array([object()]),
        np.array(["2020"], "M8[Y]"),
        np.zeros(2, "m8[s]"),
        np.zeros(2, [("x", "f8")]),
        np.void(b"12"),
        lambda: None,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_cross(value):
    for wrapped in (value, [value], (1, (value,))):
        with pytest.raises(BadFrame, match="numbers expected|cannot cross"):
            frames.pack({}, [wrapped])


# --- frames that keep to no form ---------------------------------------------


def frame(header, body: bytes = b"") -> bytes:
    if not isinstance(header, bytes):
        header = json.dumps(header).encode()
    return LENGTHS.pack(len(header), len(body)) + header + body


def of(*values, body: bytes = b"") -> bytes:
    return frame({"values": list(values)}, body)


def array(kind, shape, body: bytes = b"") -> bytes:
    return of({"array": kind, "shape": shape}, body=body)


def deep(levels: int) -> dict:
    value = {"plain": 1}
    for _ in range(levels):
        value = {"list": [value]}
    return value


MALFORMED = {
    "no JSON": frame(b"{"),
    "nothing": frame(b""),
    "no text": frame(b"\xff\xfe\x00"),
    "half a character": frame(b'"\xc3'),
    "a list": frame([]),
    "a number": frame(7),
    "a word": frame("values"),
    "null": frame(None),
    "no values": frame({"state": "ok"}),
    "values that are none": frame({"values": {"plain": 1}}),
    "a value that is a list": of([1]),
    "a value that is a number": of(1),
    "an empty value": of({}),
    "an unknown value": of({"pickle": "gASVAQ=="}),
    "a module": of({"module": ["X", [], []]}),
    "a plain list": of({"plain": [1]}),
    "a plain object": of({"plain": {"x": 1}}),
    "a list that is none": of({"list": 7}),
    "a tuple of nonsense": of({"tuple": [{"tuple": [3]}]}),
    "depth": of(deep(9)),
    "great depth": frame(b'{"values":' + b'[{"list":' * 3000),
    "brackets": frame(b"[" * MAX_HEADER),
    "braces": frame(b'{"a":' * (MAX_HEADER // 5)),
    "a very long number": frame(b'{"values":[{"plain":' + b"9" * 9999 + b"}]}"),
    "a header too large": LENGTHS.pack(MAX_HEADER + 1, 0),
    "the largest header": LENGTHS.pack(2**32 - 1, 0),
    "a body too large": LENGTHS.pack(10, MAX_BODY + 1),
    "the largest body": LENGTHS.pack(10, 2**64 - 1),
    "a shape that is null": of({"array": "f8", "shape": None}),
    "a shape of text": array("f8", "3"),
    "a shape of nothing": array("f8", {}, bytes(8)),
    "a shape that is false": array("f8", False, bytes(8)),
    "a negative size": array("f8", [-1]),
    "two negative sizes": array("f8", [-1, -8], bytes(64)),
    "a fraction": array("f8", [1.0], bytes(8)),
    "a size that is true": array("f8", [True], bytes(8)),
    "a size that is text": array("f8", ["1"], bytes(8)),
    "a huge size": array("u1", [2**62]),
    "a huge product": array("u1", [2**24] * 16),
    "a product that overflows": array("u1", [2**16] * 4),
    "nothing, hugely": array("u1", [0] + [2**24] * 15),
    "many axes": array("f8", [1] * 17, bytes(8)),
    "fewer bytes": array("f8", [2], bytes(8)),
    "no bytes": array("f8", [2]),
    "more bytes": array("f8", [1], bytes(9)),
    "bytes of nothing": of(body=b"x"),
    "bytes of something plain": of({"plain": 1}, body=b"x"),
    "the same bytes twice": of(
        {"array": "f8", "shape": [1]},
        {"array": "f8", "shape": [1]},
        body=bytes(8),
    ),
}
for kind in ("O", "O8", "c16", "U4", "S4", "V8", "M8[s]", "f16", "f3", ">f8"):
    MALFORMED[f"kind {kind}"] = array(kind, [1], bytes(16))
for kind in ("", "f", "8", "f8,f8", "(2,)f8", "float64", "i", "b", "?"):
    MALFORMED[f"kind {kind!r}"] = array(kind, [1], bytes(16))
for kind in (None, 8, ["f8"], {"f8": 1}, True):
    MALFORMED[f"kind {kind!r}"] = array(kind, [1], bytes(8))


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_frames_are_refused(name):
    tracemalloc.start()
    try:
        with pytest.raises(BadFrame):
            frames.unpack(reader(MALFORMED[name]))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 << 20


@pytest.mark.parametrize("length", range(LENGTHS.size + 4))
def test_a_frame_cut_short_asks_for_the_rest(length):
    data = frames.pack({"nonce": "x"}, [np.arange(3.0)])
    with pytest.raises(EOFError):
        frames.unpack(reader(data[:length]))


def test_no_more_is_read_than_a_frame_is_long():
    data = frames.pack({}, [np.arange(3.0), "x"])
    receive = reader(data + b"rest")
    frames.unpack(receive)
    assert receive(4) == b"rest"


def test_the_limits_are_the_callers():
    data = frames.pack({}, [np.zeros(100, "u1")])
    frames.unpack(reader(data), max_body=100)
    with pytest.raises(BadFrame):
        frames.unpack(reader(data), max_body=99)
    with pytest.raises(BadFrame):
        frames.unpack(reader(data), max_header=9)


def test_bools_of_any_bits_are_bools():
    (got,) = frames.unpack(reader(array("b1", [4], bytes([0, 1, 2, 255]))))[1]
    assert got.dtype == bool and got.view("u1").tolist() == [0, 1, 1, 1]
    assert got.sum() == 3


# --- whatever comes ---------------------------------------------------------


def noise(rng: np.random.Generator, data: bytes) -> bytes:
    """A frame with some bytes changed, left out or put in."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        place = rng.integers(len(data))
        do = rng.integers(3)
        if do == 0:
            data[place] = rng.integers(256)
        elif do == 1:
            del data[place]
        else:
            data.insert(place, rng.integers(256))
    return bytes(data)


JSON = [None, True, 0, -1, 3, 2**24, 2**80, 1.5, "", "f8", "x", [], {}]
KEYS = ["values", "plain", "array", "shape", "list", "tuple", "module", "nonce"]


def anything(rng: np.random.Generator, depth: int = 0):
    """A JSON value of the words that frames are made of."""
    do = rng.integers(6 if depth < 6 else 2)
    if do <= 1:
        return JSON[rng.integers(len(JSON))]
    count = rng.integers(4)
    if do <= 3:
        return [anything(rng, depth + 1) for _ in range(count)]
    return {
        KEYS[rng.integers(len(KEYS))]: anything(rng, depth + 1)
        for _ in range(count)
    }


def read(data: bytes) -> None:
    """Either values or BadFrame, or the wish for more bytes."""
    try:
        head, values = frames.unpack(reader(data))
    except (BadFrame, EOFError):
        return
    assert isinstance(head, dict) and isinstance(values, list)
    frames.pack(head, values)  # what was accepted can be said again


def test_frames_with_some_bytes_changed():
    rng = np.random.default_rng(3)
    good = frames.pack(
        {"nonce": "0123", "state": "ok"},
        [np.arange(6.0).reshape(2, 3), (np.ones(2, bool), "x"), None, 0.5],
    )
    for _ in range(3000):
        read(noise(rng, good))


def test_frames_of_any_json():
    rng = np.random.default_rng(4)
    for _ in range(3000):
        values = [anything(rng) for _ in range(3)]
        body = bytes(int(rng.choice([0, 8, 24])))
        read(frame({"values": values}, body))
        read(frame(anything(rng), body))


def test_frames_of_any_bytes():
    rng = np.random.default_rng(5)
    for size in range(200):
        data = rng.integers(256, size=size, dtype="u1").tobytes()
        read(data)
        read(struct.pack("<IQ", size, 0) + data)
