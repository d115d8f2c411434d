"""Sentences whose entropy is known: a tiny grammar of English, by character.

Source: made by code, no file; words and rules are this book's own. The verb
agrees with a subject that may stand far away, past a noun of the other number
(after Linzen, Dupoux & Goldberg, 2016, arXiv:1611.01368).
Licence: MIT, as the code. Size: 24,053,760 different sentences of 21 to 69
characters, 20.25 bits each on average; 1,000 take about 45 ms.
How made: a subject, sometimes a place, a verb, an object; every choice is
drawn uniformly and independently, an adjective or a place by a fair coin.
Can show: how far a language model stays above the best possible, in bits, and
whether it learned agreement over a distance.
Cannot show: real language, whose entropy nobody knows exactly.
"""

import math
import re

import numpy as np

ADJECTIVES = "old small red quiet happy young tired shy".split()
NOUNS = "dog cat bird farmer teacher nurse sailor girl".split()
VERBS = "see hear follow like find know greet need".split()
ENTROPY = 20.25  # bits a sentence: 6.5 (subject) + 4.25 (place) + 3 + 6.5
LONGEST = 69  # characters

_NOUN_PHRASE = rf"the (?:({'|'.join(ADJECTIVES)}) )?({'|'.join(NOUNS)})(s?)"
_SENTENCE = re.compile(
    rf"{_NOUN_PHRASE}(?: near {_NOUN_PHRASE})? "
    rf"({'|'.join(VERBS)})(s?) {_NOUN_PHRASE}\."
)


def noun_phrase(rng: np.random.Generator) -> tuple[str, bool]:
    """A noun with its article, and whether it is plural."""
    plural = rng.random() < 0.5
    adjective = f"{rng.choice(ADJECTIVES)} " if rng.random() < 0.5 else ""
    return f"the {adjective}{rng.choice(NOUNS)}{'s' * plural}", plural


def draw_sentence(rng: np.random.Generator) -> str:
    """One sentence, full stop included."""
    subject, plural = noun_phrase(rng)
    place = f" near {noun_phrase(rng)[0]}" if rng.random() < 0.5 else ""
    verb = rng.choice(VERBS) + "s" * (not plural)
    return f"{subject}{place} {verb} {noun_phrase(rng)[0]}."


def log2_probability(sentence: str) -> float:
    """log2 of how likely the grammar draws it; -inf if it never does."""
    found = _SENTENCE.fullmatch(sentence)
    if not found or (found[3] == "s") == (found[8] == "s"):
        return -math.inf
    phrases = 3 if found[5] else 2
    adjectives = sum(found[k] is not None for k in (1, 4, 9))
    return -(5.0 * phrases + 3 * adjectives + 1 + 3)


def agreement(sentence: str) -> bool | None:
    """Whether subject and verb agree; None unless all else is right."""
    found = _SENTENCE.fullmatch(sentence)
    return (found[3] == "s") != (found[8] == "s") if found else None


def other_number_between(sentence: str) -> bool:
    """Whether a noun of the other number stands between subject and verb."""
    found = _SENTENCE.fullmatch(sentence)
    return bool(found and found[5] and found[3] != found[6])


def wrong_number(sentence: str) -> str:
    """The same sentence with its verb in the other number."""
    found = _SENTENCE.fullmatch(sentence)
    ending = "" if found[8] == "s" else "s"
    return sentence[: found.start(8)] + ending + sentence[found.end(8) :]
