"""Spoken digits, strung into utterances whose word boundaries are known.

Source: speech.flac, made by espeak-ng 1.51 (tools/speech_bank.py): real
waveforms of synthetic voices. With source="public": the Free Spoken Digit
Dataset, recordings of six people, github.com/Jakobovski/
free-spoken-digit-dataset, commit 26eb9aa, downloaded, not shipped.
Licence: MIT for the code and the table. The clips are output of espeak-ng
(GPL-3 software, no voice data of which is here), free to use as far as we
know. The public recordings: CC BY-SA 4.0.
Size: 920 clips (23 voices, two rates, two pitches, ten digits), 415 s at
8 kHz, 1.9 MB; five voices are kept for the test. Public: 3,000 recordings, of
which 300 (numbers 0 to 4 of each digit and speaker) are the test. Read in
0.1 s (public 1 s); 1,000 utterances of 1 to 6 digits take 0.4 s.
How made: each sample rounded to 8 bits before lossless coding (an error about
38 dB below the speech). An utterance is digits of one voice, drawn uniformly,
each 0.6 to 1.4 times as loud, gaps of 20 to 160 ms, white noise over all.
Can show: whether a network finds words in sound, and where, to the sample;
how errors grow with length and with noise.
Cannot show: fluent speech (no word touches its neighbour), a large
vocabulary, rooms, microphones; with the bank alone, human voices.
"""

import hashlib
import io
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy import ndarray

from attnbook.data._fsdd import recordings

RATE = 8000  # samples a second
WORDS = "zero one two three four five six seven eight nine".split()
LONGEST = 8  # digits in an utterance
LIMIT = 15  # seconds of sound
CLEAN = 40  # dB: the quiet room in which everything is heard
BANK = Path(__file__).with_name("speech.flac")
Voices = dict[str, list[list[ndarray]]]  # voice -> digit -> clips


class Utterance(NamedTuple):
    """Sound, and what it says where: `bounds` holds first sample and end."""

    samples: ndarray
    digits: list[int]
    bounds: list[tuple[int, int]]


def trim(x: ndarray, threshold: float = 0.01) -> ndarray:
    """Without what is below the threshold at both ends, but for 10 ms."""
    loud = np.flatnonzero(np.abs(x) > threshold * np.abs(x).max())
    return x[max(0, loud[0] - 80) : loud[-1] + 80]


def bank_hash(samples: ndarray, table: list) -> str:
    """SHA-256 of the decoded 16-bit samples and of the table of clips."""
    text = json.dumps(table).encode()
    return hashlib.sha256(samples.astype("<i2").tobytes() + text).hexdigest()


def read_bank(test: bool, path: Path = BANK) -> Voices:
    """The shipped voices for training or for the test."""
    samples, _ = soundfile.read(path, dtype="int16")
    table = json.loads(path.with_suffix(".json").read_text("utf8"))
    if bank_hash(samples, table["clips"]) != table["sha256"]:
        raise ValueError(
            f"{path.name} and speech.json do not belong together: restore "
            "both, or make them again with `python -m tools.speech_bank`"
        )
    voices: Voices = {}
    for digit, voice, _, _, start, length, held_out in table["clips"]:
        if held_out == test:
            clips = voices.setdefault(voice, [[] for _ in WORDS])
            x = samples[start : start + length] / np.float32(65536)
            clips[digit].append(x)
    return voices


def read_public(test: bool) -> Voices:
    """The Free Spoken Digit Dataset; numbers 0 to 4 are the test."""
    voices: Voices = {}
    for name, content in sorted(recordings().items()):
        digit, speaker, number = name.removesuffix(".wav").split("_")
        if (int(number) < 5) == test:
            x, _ = soundfile.read(io.BytesIO(content), dtype="float32")
            x = trim(x, 0.03)
            clips = voices.setdefault(speaker, [[] for _ in WORDS])
            clips[int(digit)].append(x / (2 * np.abs(x).max()))
    return voices


def checked(samples: ndarray, rate: int) -> ndarray:
    """The same sound as float32; ValueError if nothing could be heard."""
    x = np.asarray(samples)
    if rate != RATE:
        raise ValueError(f"resample to {RATE} samples a second: it has {rate}")
    if x.ndim != 1 or x.dtype.kind != "f":
        raise ValueError("sound is one row of floating-point numbers (mono)")
    if not RATE // 10 <= len(x) <= LIMIT * RATE:
        seconds = len(x) / RATE
        raise ValueError(f"sound lasts 0.1 to {LIMIT} s, not {seconds:.2f} s")
    if not np.isfinite(x).all():
        raise ValueError("the sound holds nan or infinity")
    if np.abs(x).max() < 1e-3:
        raise ValueError("this is silence: no sample is louder than 0.001")
    return x.astype(np.float32)


def load(test: bool, source: str = "bank") -> Voices:
    """voices[name][digit] is a list of clips, float32, loudest at 0.5."""
    if source not in ("bank", "public"):
        raise ValueError(f'source is "bank" or "public", not {source!r}')
    return read_public(test) if source == "public" else read_bank(test)


def speak(
    voices: Voices,
    voice: str,
    digits: list[int],
    rng: np.random.Generator,
    snr_db: float = CLEAN,
) -> Utterance:
    """One voice says the digits; noise is `snr_db` below the speech."""
    if voice not in voices:
        raise ValueError(f"unknown voice {voice!r}: {', '.join(voices)}")
    if len(digits) == 0:
        raise ValueError("there is no digit to say")
    if len(digits) > LONGEST:
        raise ValueError(f"say 1 to {LONGEST} digits, not {len(digits)}")
    if not all(d in range(10) for d in digits):
        raise ValueError(f"digits are whole numbers from 0 to 9: {digits}")
    if not np.isfinite(snr_db):
        raise ValueError(f"the SNR is a finite number of dB, not {snr_db}")
    parts, bounds = [np.zeros(rng.integers(400, 1200))], []
    n = len(parts[0])
    for digit in digits:
        choice = voices[voice][digit]
        clip = choice[rng.integers(len(choice))] * rng.uniform(0.6, 1.4)
        gap = np.zeros(rng.integers(160, 1280))
        bounds.append((n, n + len(clip)))
        parts += [clip, gap]
        n += len(clip) + len(gap)
    x = np.concatenate([*parts, np.zeros(600)])
    power = np.mean(np.concatenate([x[a:b] for a, b in bounds]) ** 2)
    noise = rng.standard_normal(len(x)) * (power / 10 ** (snr_db / 10)) ** 0.5
    return Utterance((x + noise).astype(np.float32), list(digits), bounds)


def utterances(
    voices: Voices,
    count: int,
    lengths: list[int],
    snrs: list[float],
    rng: np.random.Generator,
) -> list[Utterance]:
    """Random ones: of a random voice, of random digits, as many as one of
    `lengths` says, at one of `snrs`."""
    out, names = [], sorted(voices)
    for _ in range(count):
        said = rng.integers(10, size=rng.choice(lengths)).tolist()
        voice, snr_db = names[rng.integers(len(names))], rng.choice(snrs)
        out.append(speak(voices, voice, said, rng, snr_db))
    return out
