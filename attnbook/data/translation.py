"""Numbers and dates in words: English to German, French and Chinese.

Source: made by code, no file. Number words: num2words; dates: the Unicode
CLDR in Babel. Chinese number words: rules (attnbook.data._number_words).
Licence: MIT, as the code; num2words LGPL-2.1, Babel BSD-3, CLDR Unicode-3.0.
Size: 10^15 - 1 numbers of 1 to 38 English words (hyphens and commas count),
73,049 dates in three languages; 10,000 pairs of numbers take about 1 s.
How made: 1 to 15 digits, each count equally likely, digits uniform; below the
first group of three digits, each group is 000 with probability 1/4. What
stands for the same digit, or names the same group, is aligned. (num2words'
German "einstausend" after a hundred is corrected to "eintausend".)
Can show: translation against length, words that change places, and whether
attention finds the word that is being translated: the alignment is known.
Cannot show: real sentences, ambiguity, several right translations.
"""

import datetime
import re
from typing import NamedTuple

import numpy as np
from babel import Locale
from babel.dates import format_date

from attnbook.data._number_words import Tokens, number_tokens

LANGUAGES = {"German": "de", "French": "fr", "Chinese": "zh"}
LONGEST = 38  # English words of a number, hyphens and commas included
FIRST_DAY, DAYS = datetime.date(1900, 1, 1), 73_049  # until 2099-12-31


class Pair(NamedTuple):
    """A source, its translation, and for each word of the translation the
    places of the source words that it translates (often one, or none)."""

    source: list[str]
    target: list[str]
    aligned: list[tuple[int, ...]]


def paired(source: Tokens, target: Tokens) -> Pair:
    """Aligned where they stand for the same place."""
    where = {}
    for j, (_, places) in enumerate(source):
        for place in places:
            where.setdefault(place, set()).add(j)
    aligned = [
        tuple(sorted(set().union(*(where.get(p, ()) for p in places))))
        for _, places in target
    ]
    return Pair([w for w, _ in source], [w for w, _ in target], aligned)


def number_pair(n: int, language: str = "de") -> Pair:
    """n in English and in another language, 0 < n < 10^15, else ValueError."""
    return paired(number_tokens(n, "en"), number_tokens(n, language))


def draw_number(rng: np.random.Generator) -> int:
    """1 to 15 digits, some groups of three 000 (see the card)."""
    digits = rng.integers(0, 10, size=rng.integers(1, 16))
    digits[0] = rng.integers(1, 10)
    for end in range(len(digits), 3, -3):
        if rng.random() < 0.25:
            digits[end - 3 : end] = 0
    return int("".join(map(str, digits)))


def number_corpus(
    seed: int, n: int, most: int, buckets: list, each: int, language="de"
) -> tuple[list[Pair], dict[tuple[int, int], list[Pair]]]:
    """n training pairs of at most `most` English words, and for each bucket
    (fewest, most words) so many test pairs, all of them different.

    ValueError for a bucket that no number, or not enough of them, can fill.
    """
    if any(not 1 <= low <= high <= LONGEST for low, high in buckets):
        raise ValueError(f"no number has so many words; 1 to {LONGEST} have")
    rng, seen, train = np.random.default_rng(seed), set(), []
    tests = {bucket: [] for bucket in buckets}
    patience = 1000 + 50 * (n + each * len(buckets))
    while len(train) < n or any(len(t) < each for t in tests.values()):
        patience -= 1
        if patience < 0:
            raise ValueError("there are not enough numbers of this length")
        number = draw_number(rng)
        if number in seen:
            continue
        pair = number_pair(number, language)
        size = len(pair.source)
        short = (tests[b] for b in buckets if b[0] <= size <= b[1])
        goal = next((t for t in short if len(t) < each), None)
        if goal is None and (size > most or len(train) == n):
            continue
        seen.add(number)
        (train if goal is None else goal).append(pair)
    return train, tests


def read_number(text: str) -> list[str]:
    """English words of a number typed in digits or in words.

    ValueError for an empty text, a negative or too large number, or more
    than 38 words; a word that is no number word is left to the vocabulary.
    """
    text = str(text).strip().lower()
    if not text:
        raise ValueError("type a number, in digits or in English words")
    if re.fullmatch(r"[-+]?[\d,_ ]*\d", text):
        number = int(re.sub(r"[,_ ]", "", text))
        return [word for word, _ in number_tokens(number, "en")]
    words = re.sub(r"([,-])", r" \1 ", text).split()
    if len(words) > LONGEST:
        raise ValueError(f"{len(words)} words; at most {LONGEST} can be read")
    return words


def date_tokens(day: datetime.date, language: str) -> Tokens:
    """CLDR's full date, field by field; the year as four digits."""
    pattern = Locale(language).date_formats["full"].pattern
    out = []
    for part in re.findall(r"[A-Za-z]+|[^A-Za-z\s]+", pattern):
        if not part.isascii() or not part.isalpha():
            out.append((part, frozenset()))
        elif part == "y":
            out += [
                (c, frozenset({f"y{k}"})) for k, c in enumerate(str(day.year))
            ]
        else:
            text = format_date(day, part, locale=language)
            out.append((text, frozenset({part[0].replace("L", "M")})))
    return out


def date_pair(day: datetime.date, language: str) -> Pair:
    """A date in English, after the name of the language it is to be put in
    (German, French, Chinese), and in that language; else ValueError."""
    if language not in LANGUAGES:
        raise ValueError(f"{language!r} is none of {', '.join(LANGUAGES)}")
    if not 0 <= (day - FIRST_DAY).days < DAYS:
        raise ValueError(f"{day} is not between 1900 and 2099")
    source = [(language, frozenset()), *date_tokens(day, "en")]
    return paired(source, date_tokens(day, LANGUAGES[language]))


def date_corpus(seed: int, n: int, tests: int) -> tuple[list, list]:
    """Training and test pairs in all three languages; no day is in both."""
    if n + tests > DAYS:
        raise ValueError(f"there are only {DAYS} days to draw from")
    rng = np.random.default_rng(seed)
    days = rng.choice(DAYS, size=n + tests, replace=False)
    names = rng.choice(list(LANGUAGES), size=n + tests)
    made = [
        date_pair(FIRST_DAY + datetime.timedelta(days=int(d)), str(name))
        for d, name in zip(days, names)
    ]
    return made[:n], made[n:]


def read_date(text: str) -> datetime.date:
    """A date typed as 2026-11-22; ValueError with a sentence otherwise."""
    try:
        return datetime.date.fromisoformat(str(text).strip())
    except ValueError:
        raise ValueError(
            f"type a date that exists, like 2026-11-22, not {text!r}"
        ) from None
