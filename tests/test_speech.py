"""The bank of spoken digits, and the public recordings beside it."""

import hashlib
import io
import json
import shutil
import tarfile
import time

import numpy as np
import pytest
import soundfile

from attnbook.data import _fsdd, speech
from attnbook.data.speech import CLEAN, RATE, checked, load, speak, utterances
from tests.needs import needs

TRAIN, TEST = load(test=False), load(test=True)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_bank_is_small_and_read_fast():
    assert speech.BANK.stat().st_size <= 2_000_000
    start = time.process_time()
    load(test=True)
    assert time.process_time() - start < 1
    start = time.process_time()
    utterances(TRAIN, 2000, range(1, 7), [20], rng())
    assert time.process_time() - start < 3  # 0.8 s on an idle core


def test_bank_holds_every_digit_of_every_voice():
    table = json.loads(speech.BANK.with_suffix(".json").read_text("utf8"))
    rows = [dict(zip(table["columns"], row)) for row in table["clips"]]
    settings = {(r["voice"], r["rate"], r["pitch"], r["digit"]) for r in rows}
    assert len(settings) == len(rows) == 23 * 2 * 2 * 10
    ends = np.cumsum([r["length"] for r in rows])
    assert [r["start"] for r in rows] == [0, *ends[:-1].tolist()]
    for voices, count in ((TRAIN, 18), (TEST, 5)):
        assert len(voices) == count
        for clips in (c for digits in voices.values() for c in digits):
            assert len(clips) == 4
            for x in clips:
                assert 0.1 * RATE < len(x) < RATE
                assert 0.49 < np.abs(x).max() <= 0.5


def test_train_and_test_share_no_voice_and_no_clip():
    assert not set(TRAIN) & set(TEST)

    def prints(voices):
        return {
            hashlib.sha256(x.tobytes()).digest()
            for digits in voices.values()
            for clips in digits
            for x in clips
        }

    assert not prints(TRAIN) & prints(TEST)


def test_a_damaged_bank_is_refused(tmp_path):
    samples, _ = soundfile.read(speech.BANK, dtype="int16")
    samples[1000] += 256
    copy = tmp_path / "speech.flac"
    soundfile.write(copy, samples, RATE, subtype="PCM_16")
    shutil.copy(speech.BANK.with_suffix(".json"), tmp_path)
    with pytest.raises(ValueError, match="do not belong together"):
        speech.read_bank(True, copy)


def test_seed_decides():
    def draw(seed):
        return utterances(TRAIN, 20, [2, 5], [20, 5], rng(seed))

    for a, b in zip(draw(3), draw(3)):
        assert (a.samples == b.samples).all() and a[1:] == b[1:]
    assert [u.digits for u in draw(3)] != [u.digits for u in draw(4)]
    assert {len(u.digits) for u in draw(3)} == {2, 5}


def test_words_stand_where_the_bounds_say():
    for u in utterances(TEST, 50, range(1, 9), [90], rng(1)):
        sound = np.zeros(len(u.samples), bool)
        for start, end in u.bounds:
            sound[start:end] = True
            assert np.abs(u.samples[start:end]).max() > 0.25
        assert np.abs(u.samples[~sound]).max() < 1e-3
        ends = [end for _, end in u.bounds]
        gaps = [s - e for (s, _), e in zip(u.bounds[1:], ends)]
        assert all(160 <= gap < 1280 for gap in gaps)
        assert len(u.bounds) == len(u.digits)


def test_a_digit_is_a_clip_of_that_digit():
    x = speak(TEST, "en-us+f1", [7], rng(2), snr_db=120)
    start, end = x.bounds[0]
    heard = x.samples[start:end] / np.abs(x.samples).max()

    def nearest(clips):
        return min(
            np.abs(heard - c / np.abs(c).max()).max()
            for c in clips
            if len(c) == len(heard)
        )

    same = nearest(TEST["en-us+f1"][7])
    assert same < 1e-3


@pytest.mark.parametrize("snr_db", [CLEAN, 10, 0])
def test_noise_has_the_power_that_the_snr_says(snr_db):
    plain = speak(TRAIN, "en-us", [1, 2, 3], rng(5), 200)
    noisy = speak(TRAIN, "en-us", [1, 2, 3], rng(5), snr_db)
    speech_only = np.concatenate([plain.samples[a:b] for a, b in plain.bounds])
    power = np.mean((noisy.samples - plain.samples).astype(float) ** 2)
    found = 10 * np.log10(np.mean(speech_only.astype(float) ** 2) / power)
    assert found == pytest.approx(snr_db, abs=0.2)


@pytest.mark.parametrize(
    "voice, digits, snr_db, says",
    [
        ("me", [1], 20, "unknown voice 'me'"),
        ("en-us", [], 20, "no digit"),
        ("en-us", [1] * 9, 20, "1 to 8 digits"),
        ("en-us", [10], 20, "from 0 to 9"),
        ("en-us", [-1], 20, "from 0 to 9"),
        ("en-us", [1.5], 20, "from 0 to 9"),
        ("en-us", [1], np.nan, "finite"),
    ],
)
def test_what_cannot_be_said_is_refused(voice, digits, snr_db, says):
    with pytest.raises(ValueError, match=says):
        speak(TRAIN, voice, digits, rng(), snr_db)


@pytest.mark.parametrize(
    "samples, rate, says",
    [
        (np.ones(8000), 16000, "resample to 8000"),
        (np.zeros(8000), 8000, "silence"),
        (np.array([]), 8000, "not 0.00 s"),
        (np.ones(100), 8000, "lasts 0.1 to 15 s"),
        (np.ones(16 * 8000), 8000, "lasts 0.1 to 15 s"),
        (np.full(8000, np.nan), 8000, "nan"),
        (np.full(8000, np.inf), 8000, "nan or infinity"),
        (np.ones((8000, 2)), 8000, "mono"),
        (np.ones(8000, np.int16), 8000, "floating-point"),
    ],
)
def test_what_cannot_be_heard_is_refused(samples, rate, says):
    with pytest.raises(ValueError, match=says):
        checked(samples, rate)


def test_an_unknown_source_is_refused():
    with pytest.raises(ValueError, match='"bank" or "public"'):
        load(test=True, source="radio")


def recording(value):
    x = np.zeros(2000, np.float32)
    x[500:1500] = value
    file = io.BytesIO()
    soundfile.write(file, x, RATE, format="WAV")
    return file.getvalue()


@pytest.fixture
def small_copy(tmp_path, monkeypatch):
    """A stand-in of 40 recordings by two speakers, in both local forms."""
    files = {
        f"{d}_{who}_{n}.wav": recording(0.1 + d / 20)
        for d in range(10)
        for who in ("ann", "bob")
        for n in (4, 5)
    }
    lines = sorted(
        f"{hashlib.sha256(x).hexdigest()}  recordings/{name}\n"
        for name, x in files.items()
    )
    known = hashlib.sha256("".join(lines).encode()).hexdigest()
    monkeypatch.setattr(_fsdd, "SHA256", known)
    monkeypatch.setenv("ATTNBOOK_DATA", str(tmp_path))
    folder = tmp_path / "fsdd" / "recordings"
    folder.mkdir(parents=True)
    for name, x in files.items():
        (folder / name).write_bytes(x)
    return folder


def check_small():
    for test in (True, False):
        voices = load(test, source="public")
        assert sorted(voices) == ["ann", "bob"]
        assert all(len(clips) == 1 for v in voices.values() for clips in v)
        assert voices["ann"][3][0].max() == pytest.approx(0.5)


def test_a_local_folder_is_used(small_copy):
    check_small()


def test_a_local_archive_is_used(small_copy):
    with tarfile.open(small_copy.parent / "recordings.tar.gz", "w:gz") as tar:
        tar.add(small_copy, "recordings")
    shutil.rmtree(small_copy)
    check_small()


def test_changed_recordings_are_refused(small_copy):
    (small_copy / "3_ann_5.wav").write_bytes(recording(0.9))
    with pytest.raises(ValueError, match="are not the 3,000 of commit 26eb9aa"):
        load(test=False, source="public")


def test_a_missing_recording_is_noticed(small_copy):
    (small_copy / "3_ann_5.wav").unlink()
    with pytest.raises(ValueError, match="these 39 recordings"):
        load(test=False, source="public")


def test_no_copy_and_no_network_is_one_sentence(monkeypatch):
    def fails(*args, **kwargs):
        raise OSError("network is unreachable")

    monkeypatch.delenv("ATTNBOOK_DATA", raising=False)
    monkeypatch.setattr(_fsdd.pooch, "retrieve", fails)
    with pytest.raises(ConnectionError, match="set ATTNBOOK_DATA"):
        load(test=True, source="public")


def test_the_archive_of_the_commit_is_unpacked(small_copy, monkeypatch):
    made = shutil.make_archive(
        str(small_copy.parent.parent / "made"),
        "zip",
        small_copy.parent,
        "recordings",
    )
    shutil.rmtree(small_copy)
    monkeypatch.setattr(_fsdd.pooch, "retrieve", lambda *a, **k: made)
    check_small()


@needs("espeak-ng")
def test_the_shipped_script_makes_the_bank():
    from tools.speech_bank import quantise, synthesise

    table = json.loads(speech.BANK.with_suffix(".json").read_text("utf8"))
    samples, _ = soundfile.read(speech.BANK, dtype="int16")
    for row in table["clips"][::97]:
        digit, voice, rate, pitch, start, length, _ = row
        made = quantise(synthesise((voice, rate, pitch, digit)))
        assert (made == samples[start : start + length]).all(), row


def test_the_script_says_what_is_missing(monkeypatch):
    from tools import speech_bank

    monkeypatch.setattr(speech_bank.shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match="espeak-ng is not installed"):
        speech_bank.main()
