"""Make the bank of spoken digits that chapter 3.7 recognises.

    python -m tools.speech_bank

Every voice of `VOICES` says every digit at every rate and pitch; espeak-ng
1.51 synthesises, scipy resamples to 8 kHz, silence at both ends is cut. The
clips follow one another in attnbook/data/speech.flac; speech.json tells which
is which and holds the hash that attnbook.data.speech compares at load.
"""

import io
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import soundfile
from scipy.signal import resample_poly

from attnbook.data.speech import BANK, RATE, WORDS, bank_hash, trim

# en, not en-gb, which silently ignores the variant after the plus
TRAIN = (
    "en-us en-us+f2 en-us+m3 en-us+f4 en-us+m7 en en+f3 en+m1 "
    "en+f1 en+m5 en-gb-scotland en-gb-scotland+f2 en-029 en-029+f4 "
    "en-gb-x-rp en-gb-x-rp+f1 en-gb-x-gbclan en-gb-x-gbclan+f5"
).split()
TEST = "en-us+f1 en+m3 en-gb-scotland+m7 en-029+m1 en-gb-x-rp+f3".split()
RATES = 140, 185  # words a minute
PITCHES = 35, 65  # of espeak-ng's scale from 0 to 99
BITS = 8  # kept of each sample: quantised before it is coded, said in the card


def synthesise(setting: tuple) -> np.ndarray:
    """One digit as numbers from -1 to 1 at 8 kHz, its loudest at 1."""
    voice, rate, pitch, digit = setting
    options = ["-v", voice, "-s", str(rate), "-p", str(pitch), "--stdout"]
    spoken = subprocess.run(
        ["espeak-ng", *options, WORDS[digit]], capture_output=True, check=True
    )
    x, found = soundfile.read(io.BytesIO(spoken.stdout))
    x = trim(resample_poly(x, RATE, found))
    return x / np.abs(x).max()


def quantise(x: np.ndarray) -> np.ndarray:
    """16-bit numbers of which only the highest BITS are used."""
    step = 2 ** (16 - BITS)
    return (np.round(x * (32767 // step)) * step).astype(np.int16)


def main() -> None:
    if shutil.which("espeak-ng") is None:
        sys.exit("espeak-ng is not installed: apt install espeak-ng")
    settings = list(product(TRAIN + TEST, RATES, PITCHES, range(10)))
    with ThreadPoolExecutor(2) as pool:
        clips = [quantise(x) for x in pool.map(synthesise, settings)]
    if len({clip.tobytes() for clip in clips}) < len(clips):  # as en-gb+m3
        sys.exit("two voices are one: espeak-ng ignored a variant's name")
    samples, start, table = np.concatenate(clips), 0, []
    for (voice, rate, pitch, digit), clip in zip(settings, clips):
        held_out = voice in TEST
        table.append([digit, voice, rate, pitch, start, len(clip), held_out])
        start += len(clip)
    soundfile.write(BANK, samples, RATE, subtype="PCM_16", format="FLAC")
    columns = "digit voice rate pitch start length test".split()
    head = {"sha256": bank_hash(samples, table), "columns": columns}
    rows = ",\n".join(json.dumps(row) for row in table)
    text = json.dumps(head)[:-1] + f', "clips": [\n{rows}\n]}}\n'
    BANK.with_suffix(".json").write_text(text, "utf8")
    size = BANK.stat().st_size / 1e6
    print(f"{len(table)} clips, {start / RATE:.0f} s, {size:.2f} MB")


if __name__ == "__main__":
    main()
