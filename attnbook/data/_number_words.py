"""Numbers in words: English, German, French (num2words) and Chinese (by rule).

Each word comes with the places it stands for, so that words of two languages
can be aligned: digit p of the number is place p, counted from the right; the
word for the hundred of group k of three digits is HUNDRED + k, the word that
names the group (thousand, million, ...) GROUP + k.
"""

import re
from functools import cache

import numpy as np
from num2words import num2words

LIMIT = 10**15  # numbers below this have words here
CHINESE_DIGITS = "零一二三四五六七八九"
HUNDREDS = {"hundred", "hundert", "cent", "cents"}
HUNDRED, GROUP = 100, 200
Tokens = list[tuple[str, frozenset]]


@cache
def values(language: str) -> dict[str, int]:
    """Number words below 100 that are one morpheme."""
    plain = [*range(1, 17), *range(20, 70, 10)]
    if language != "fr":
        plain += [17, 18, 19, 70, 80, 90]
    out = {num2words(k, lang=language): k for k in plain}
    return out | ({"ein": 1} if language == "de" else {})


def morphemes(text: str, language: str) -> list[str]:
    """The words of a number below 1,000; German ones are cut apart."""
    if language == "en":
        return text.replace("-", " - ").split()
    if language == "fr":
        return text.replace("-", " ").split()
    known = sorted([*values("de"), "hundert", "und"], key=len, reverse=True)
    return re.findall("|".join(known), text)


@cache
def group(g: int, language: str) -> tuple:
    """Words of 1 <= g <= 999, each with the places it stands for."""
    words = morphemes(num2words(g, lang=language), language)
    value, out = values(language), []
    for k, word in enumerate(words):
        after = words[k + 1] if k + 1 < len(words) else ""
        v = value.get(word.replace("vingts", "vingt"))
        if word in HUNDREDS:
            places = {HUNDRED} if k else {HUNDRED, 2}  # French: cent
        elif after in HUNDREDS:
            places = {2}
        elif v is None:  # and, und, et, a hyphen
            places = set()
        elif 10 < v < 20:
            places = {0, 1}
        else:  # French: quatre vingts, 80
            places = {1} if v >= 10 or after.startswith("vingt") else {0}
        out.append((word, frozenset(places)))
    return tuple(out)


def moved(places: frozenset, k: int) -> frozenset:
    """The same places, of group k instead of group 0."""
    return frozenset(p + (3 * k if p < 3 else k) for p in places)


@cache
def group_name(k: int, several: bool, language: str) -> str:
    """thousand, million, ...: the last word of 1 or 2 times 1000^k."""
    text = num2words((1 + several) * 1000**k, lang=language)
    return "tausend" if text.endswith("tausend") else text.split()[-1]


@cache
def named_group(g: int, k: int, language: str) -> tuple:
    """Words of g times 1000^k, each with its places."""
    words = [(w, moved(p, k)) for w, p in group(g, language)]
    if k == 0:
        return tuple(words)
    name, (last, places) = {GROUP + k}, words[-1]
    if language == "de" and last == "eins" and (k == 1 or g == 1):
        words[-1] = ("ein" if k == 1 else "eine"), places
    elif language == "fr" and k == 1 and last in ("cents", "vingts"):
        words[-1] = last[:-1], places
    elif language == "fr" and k == g == 1:  # mille, not un mille
        words, name = [], {GROUP + 1, 3}
    words.append((group_name(k, g > 1, language), frozenset(name)))
    return tuple(words)


def by_thousands(n: int, language: str) -> Tokens:
    """The words of n in English, German or French."""
    out = []
    for k in range(4, -1, -1):
        g = n // 1000**k % 1000
        if g and out and language == "en":
            out.append(("and" if k == 0 and g < 100 else ",", frozenset()))
        if g:
            out += named_group(g, k, language)
    return out


def by_myriads(n: int, place: int = 0) -> Tokens:
    """The Chinese words of n > 0 times 10^place, 一十 not yet shortened."""
    for size, name in ((8, "亿"), (4, "万")):
        if n >= 10**size:
            high, low = divmod(n, 10**size)
            out = [*by_myriads(high, place + size), (name, frozenset())]
            zero = [("零", frozenset())] if 0 < low < 10 ** (size - 1) else []
            return out + (zero + by_myriads(low, place) if low else [])
    out = []
    for k, name in ((3, "千"), (2, "百"), (1, "十"), (0, "")):
        high, n = divmod(n, 10**k)
        if high:
            out.append((CHINESE_DIGITS[high], frozenset({place + k})))
            out += [(name, frozenset())] if name else []
            if k and 0 < n < 10 ** (k - 1):
                out.append(("零", frozenset()))
    return out


def number_tokens(n: int, language: str) -> Tokens:
    """Each word of n with the places it stands for; ValueError outside."""
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise ValueError(f"a whole number is needed, not {n!r}")
    if not 0 < n < LIMIT:
        raise ValueError(f"{n} is not between 1 and {LIMIT - 1:,}")
    if language not in ("en", "de", "fr", "zh"):
        raise ValueError(f"no number words for the language {language!r}")
    if language != "zh":
        return by_thousands(int(n), language)
    tokens = by_myriads(int(n))
    if [word for word, _ in tokens[:2]] == ["一", "十"]:
        tokens[:2] = [("十", tokens[0][1])]
    return tokens


def chinese_number(n: int) -> str:
    """n in Chinese: groups of four digits, 万 and 亿, one 零 for a gap."""
    return "".join(word for word, _ in number_tokens(n, "zh"))
