"""Reviews with opinions whose words, negators and clauses are known.

Source: made by code, no file; words and templates are this book's own, in
_sentiment_words.py; after aspect-level sentiment data (Wang et al., 2016,
doi:10.18653/v1/D16-1058).
Licence: MIT, as the code. Size: any number, 8 to 240 words each, of 190
different words in English and 72 in Chinese; 8,000 take about 0.5 s.
How made: a plain review holds one opinion, an aspect review two to four, each
on another aspect and good or bad by a fair coin of its own; 30 % are negated,
which turns the label round. Sentences without an opinion, on other aspects or
none, fill the length; the order is shuffled. Reviews of a wrong length are
drawn again, so very short ones hold fewer opinions. No text occurs twice in
what one `Source` draws.
Can show: whether a network finds the opinion that is asked for, its negator,
at any length, and whether its weights lie on them.
Cannot show: real language: no irony, no comparison, no doubt ("not bad" is
"good"), short clauses, no word that training has not seen.
"""

import random
import re
from dataclasses import dataclass

import attnbook.data._sentiment_words as W
from attnbook.data.text import Vocabulary

LONGEST = 240  # words in a review
OVERALL = "overall"  # the aspect of a plain review


@dataclass(frozen=True)
class Language:
    """Words and templates of reviews."""

    aspects: list[str]
    slots: dict[str, list[str]]
    filler: list[str]
    opinions: tuple  # pairs of templates: negated, affirmed
    kinds: tuple[dict, dict]  # negative, positive: adjective, verb
    negators: frozenset[str]
    stop: str


def language(aspects, slots, filler, opinions, polar, negators, stop):
    """A Language from texts; `polar` = (bad, good, dislike, like)."""
    bad, good, dislike, like = (text.split() for text in polar)
    return Language(
        aspects.split(),
        {name: text.split("|") for name, text in slots.items()},
        filler.split("\n"),
        opinions,
        (
            {"adjective": bad, "verb": dislike},
            {"adjective": good, "verb": like},
        ),
        frozenset(negators.split()),
        stop,
    )


ENGLISH = language(
    W.ASPECTS,
    W.SLOTS,
    W.FILLER,
    W.OPINIONS,
    (W.BAD, W.GOOD, W.DISLIKE, W.LIKE),
    W.NEGATORS,
    ".",
)
CHINESE = language(
    W.CHINESE_ASPECTS,
    W.CHINESE_SLOTS,
    W.CHINESE_FILLER,
    W.CHINESE_OPINIONS,
    (W.CHINESE_BAD, W.CHINESE_GOOD, W.CHINESE_DISLIKE, W.CHINESE_LIKE),
    W.CHINESE_NEGATORS,
    "。",
)


@dataclass(frozen=True)
class Review:
    """Words, the aspect asked about, 1 or 0 for positive or negative, and
    where in `words` the opinion asked for stands."""

    words: tuple[str, ...]
    aspect: str
    label: int
    polarity: int  # position of the word that is good or bad
    negators: tuple[int, ...]  # positions; empty if not negated
    clause: tuple[int, int]  # first position and the one after the last


class Source:
    """Draws reviews, never the same text twice: a training set and the test
    sets drawn after it from one Source are disjoint.

    `opinions` = (1, 1) makes plain reviews, (2, 4) aspect reviews.
    """

    def __init__(self, seed, opinions=(2, 4), negated=0.3, language=ENGLISH):
        fewest, most = opinions
        if not 1 <= fewest <= most <= len(language.aspects) // 2:
            raise ValueError(
                "opinions must be a pair of numbers from 1 to "
                f"{len(language.aspects) // 2}, the smaller first"
            )
        if not 0 <= negated <= 1:
            raise ValueError("negated is a share, from 0 to 1")
        self.random = random.Random(seed)
        self.opinions, self.negated, self.language = opinions, negated, language
        self.seen = set()

    def draw(self, count, shortest, longest):
        """`count` new reviews of `shortest` to `longest` words."""
        if not (8 <= shortest and shortest + 7 <= longest <= LONGEST):
            raise ValueError(
                "a review has from 8 to 240 words: need shortest >= 8 and "
                f"shortest + 7 <= longest <= {LONGEST}"
            )
        out, in_vain = [], 0
        while len(out) < count:
            review = self._review(shortest, longest)
            in_vain += 1
            if review and review.words not in self.seen:
                self.seen.add(review.words)
                out.append(review)
                in_vain = 0
            if in_vain == 2000:
                raise ValueError("there are no more different reviews")
        return out

    def _fill(self, template, aspects, **chosen):
        """The template's words, each slot with a word of its own."""
        slots = self.language.slots | chosen | {"aspect": aspects}
        return re.sub(
            r"\{(\w+)\}", lambda m: self.random.choice(slots[m[1]]), template
        ).split()

    def _review(self, shortest, longest):
        """One review, or None if it came out too long or too short."""
        r, language = self.random, self.language
        aspects = r.sample(language.aspects, r.randint(*self.opinions))
        opinions = [self._opinion(aspect) for aspect in aspects]
        parts = [(words, k) for k, (words, *_) in enumerate(opinions)]
        length, target = (
            sum(len(p[0]) for p in parts),
            r.randint(shortest, longest),
        )
        others = [a for a in language.aspects if a not in aspects]
        while length < target:
            words = [
                *self._fill(r.choice(language.filler), others),
                language.stop,
            ]
            length += len(words)
            parts.append((words, None))
        if not shortest <= length <= longest:
            return None
        r.shuffle(parts)
        asked = r.randrange(len(aspects))
        at = [k for _, k in parts].index(asked)
        start = sum(len(words) for words, _ in parts[:at])
        words, label, polarity, negators = opinions[asked]
        return Review(
            tuple(word for part, _ in parts for word in part),
            aspects[asked] if self.opinions[1] > 1 else OVERALL,
            label,
            start + polarity,
            tuple(start + k for k in negators),
            (start, start + len(words)),
        )

    def _opinion(self, aspect):
        """Words, label, where the polarity word and the negators stand."""
        r, language = self.random, self.language
        label, negated = r.randrange(2), r.random() < self.negated
        kinds = language.kinds[label ^ negated]
        template = r.choice(language.opinions)[0 if negated else 1]
        words = [*self._fill(template, [aspect], **kinds), language.stop]
        polar = kinds["adjective"] + kinds["verb"]
        polarity = [k for k, word in enumerate(words) if word in polar][0]
        signs = [k for k, w in enumerate(words) if w in language.negators]
        return words, label, polarity, signs


def every_word(language=ENGLISH):
    """A vocabulary of all words that the language's templates can make."""
    texts = [*language.filler, *sum(language.opinions, ()), language.stop]
    texts += [*language.aspects, OVERALL]
    texts += sum(language.slots.values(), [])
    texts += sum((k for d in language.kinds for k in d.values()), [])
    return Vocabulary(re.sub(r"\{\w+\}", " ", t).split() for t in texts)


def typed(text, aspect, language=ENGLISH):
    """The words of a review that a reader typed; ValueError where there is
    none, too many, or the aspect is unknown."""
    text = re.sub("[,，]", " ", text.lower())
    words = re.sub("([.。])", r" \1 ", text).split()
    if not words:
        raise ValueError("there is no word in this review")
    if len(words) > LONGEST:
        raise ValueError(
            f"the review has {len(words)} words; {LONGEST} are the most"
        )
    if aspect not in language.aspects:
        raise ValueError(
            f"nothing was ever asked about {aspect!r}; ask about one of: "
            + ", ".join(language.aspects)
        )
    if aspect not in words:
        raise ValueError(f"the review does not mention {aspect!r}")
    return words
