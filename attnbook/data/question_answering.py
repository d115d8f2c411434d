"""Questions about short passages, whose answers are spans, or are not there.

Source: made by code, no file; words and templates are this book's own. That a
question may have no answer follows SQuAD 2.0 (Rajpurkar et al., 2018,
arXiv:1806.03822).
Licence: MIT, as the code. Size: as many as asked for, from 4 kinds of facts,
10 forms of questions and 132 words; 8,000 passages of 2 to 8 facts (14 to 80
words) take about half a second.
How made: a target fact and a question about it; further facts, about half of
them copies of the target in which one thing that the question names is
changed, all shuffled. No other fact answers the question. With probability
`none` the target is left out, so that only distractors are there.
Can show: whether a model joins several words of a question to find one
sentence, how that depends on the number of facts, and whether it notices that
the sentence is missing; the supporting sentence and the span are known.
Cannot show: real language: no synonyms, no reference from one sentence to
another, no world knowledge; names and templates of the test occur in training.
"""

import random
import re
from collections.abc import Collection
from typing import NamedTuple

from attnbook.data.text import Vocabulary

MOST_WORDS = 200  # 16 facts have 160 at most
FACTS = {
    "put": "{person} put the {colour} {thing} in the {room} .",
    "born": "{person} was born in {city} in {year} .",
    "opened": "the {building} of {city} opened in {year} .",
    "bought": "{person} bought {number} {fruit} from {seller} .",
}
OFTEN = {"put": 4, "born": 2, "opened": 1, "bought": 3}
ONCE = {"born": {"person"}, "opened": {"building", "city"}}  # said once only
QUESTIONS = {  # a question, and its answer as the fact's template has it
    "put": [
        ("where did {person} put the {colour} {thing} ?", "the {room}"),
        ("who put the {colour} {thing} in the {room} ?", "{person}"),
        ("what did {person} put in the {room} ?", "the {colour} {thing}"),
    ],
    "born": [
        ("when was {person} born ?", "{year}"),
        ("in which city was {person} born ?", "{city}"),
    ],
    "opened": [
        ("when did the {building} of {city} open ?", "{year}"),
        ("what opened in {city} in {year} ?", "the {building}"),
    ],
    "bought": [
        ("how many {fruit} did {person} buy from {seller} ?", "{number}"),
        ("who sold {number} {fruit} to {person} ?", "{seller}"),
        ("who bought {number} {fruit} from {seller} ?", "{person}"),
    ],
}
PEOPLE = (
    "anna ben clara david emma felix greta hugo ida jonas karin leo maria "
    "nils olga paul"
).split()
WORDS = {
    "person": PEOPLE,
    "seller": PEOPLE,
    "colour": "red blue green white black yellow silver brown".split(),
    "thing": "key book lamp cup hat coin box ring bag knife".split(),
    "room": "kitchen garden cellar garage library attic".split()
    + ["old barn", "small office", "guest room", "back yard"],
    "city": "vienna oslo lima cairo kyoto boston dublin prague".split(),
    "building": "museum theatre bridge hospital station market".split(),
    "number": "two three four five six seven eight nine ten twelve".split(),
    "fruit": "apples pears plums eggs lemons onions".split(),
    "year": [str(year) for year in range(1950, 1980)],
}


class Example(NamedTuple):
    """A passage and a question as words, and where the answer stands."""

    passage: tuple[str, ...]
    question: tuple[str, ...]
    sentences: tuple[tuple[int, int], ...]  # of each: first word, one past last
    span: tuple[int, int] | None = None  # first and last word; None: no answer
    support: int | None = None  # which sentence holds the answer


def names(template: str) -> list[str]:
    """What a template leaves open: its names in braces."""
    return re.findall(r"\{(\w+)\}", template)


def all_words() -> Vocabulary:
    """Every word that a passage or question can hold."""
    texts = [*FACTS.values()]
    texts += [q for forms in QUESTIONS.values() for q, _ in forms]
    texts = [re.sub(r"\{\w+\}", "", text) for text in texts]
    texts += [word for words in WORDS.values() for word in words]
    return Vocabulary(text.split() for text in texts)


def draw_fact(rng: random.Random, kind: str, **given: str) -> dict[str, str]:
    """A fact of this kind with some things given; nobody sells to oneself."""
    while True:
        fact = {key: rng.choice(WORDS[key]) for key in names(FACTS[kind])}
        fact |= given
        if kind != "bought" or fact["person"] != fact["seller"]:
            return fact | {"kind": kind}


def agree(one: dict, other: dict, keys: Collection[str]) -> bool:
    """Whether two facts are of one kind and have these things in common."""
    alike = (one[key] == other.get(key) for key in keys)
    return one["kind"] == other["kind"] and all(alike)


def draw_kind(rng: random.Random) -> str:
    return rng.choices(list(OFTEN), list(OFTEN.values()))[0]


def draw_distractor(rng: random.Random, target: dict, asked: list) -> dict:
    """A fact that does not answer the question; every second one is a copy of
    the target but for one thing asked and whatever was not asked."""
    kind, given = draw_kind(rng), {}
    if rng.random() < 0.5:
        kind, changed = target["kind"], rng.choice(asked)
        given = {key: target[key] for key in asked if key != changed}
    while agree(target, fact := draw_fact(rng, kind, **given), asked):
        pass
    return fact


def draw_example(rng: random.Random, facts: int, none: float = 0.2) -> Example:
    """A passage of so many facts, a question, and the span of its answer."""
    kind = draw_kind(rng)
    target = draw_fact(rng, kind)
    question, answer = rng.choice(QUESTIONS[kind])
    asked = names(question)
    told = [] if rng.random() < none else [target]
    while len(told) < facts:
        fact = draw_distractor(rng, target, asked)
        once = ONCE.get(fact["kind"])
        if not once or not any(agree(fact, f, once) for f in [target, *told]):
            told.append(fact)
    rng.shuffle(told)
    texts = [FACTS[fact["kind"]].format(**fact).split() for fact in told]
    ends = [sum(map(len, texts[: k + 1])) for k in range(facts)]
    sentences = tuple(zip([0, *ends], ends))
    question = tuple(question.format(**target).split())
    passage = tuple(word for text in texts for word in text)
    if target not in told:
        return Example(passage, question, sentences)
    support, before = told.index(target), FACTS[kind].split(answer)[0]
    start = sentences[support][0] + len(before.format(**target).split())
    last = start + len(answer.format(**target).split()) - 1
    return Example(passage, question, sentences, (start, last), support)


def draw_examples(
    n: int,
    seed: int,
    fewest: int,
    most: int,
    none: float = 0.2,
    unlike: Collection[Example] = (),
) -> list[Example]:
    """n examples of `fewest` to `most` facts, no passage twice and none that
    occurs in `unlike`; ValueError for sizes that make no sense."""
    if n < 1 or not 1 <= fewest <= most <= 16:
        raise ValueError("n >= 1 and 1 <= fewest <= most <= 16 are needed")
    if not 0 <= none <= 1:
        raise ValueError(f"none is a probability, not {none}")
    rng, drawn = random.Random(seed), []
    seen = {example.passage for example in unlike}
    while len(drawn) < n:
        example = draw_example(rng, rng.randint(fewest, most), none)
        if example.passage not in seen:
            seen.add(example.passage)
            drawn.append(example)
    return drawn


def from_text(passage: str, question: str) -> Example:
    """What a reader typed, in lower case; sentences end with a full stop.

    ValueError if either is empty or the passage is too long; words that were
    never seen are found by the vocabulary.
    """
    read, asked = (
        tuple(re.findall(r"\w+|[.?]", text.lower()))
        for text in (passage, question)
    )
    for name, words in ("passage", read), ("question", asked):
        if not re.search(r"\w", " ".join(words)):
            raise ValueError(f"the {name} holds no word")
    if len(read) > MOST_WORDS:
        raise ValueError(
            f"the passage has {len(read)} words, {MOST_WORDS} at most"
        )
    ends = [k + 1 for k, word in enumerate(read) if word == "."]
    if not ends or ends[-1] < len(read):
        ends.append(len(read))
    return Example(read, asked, tuple(zip([0, *ends], ends)))
