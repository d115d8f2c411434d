"""The questions of chapter 3.3: right spans, no leaks, clear errors."""

import random
import re
import time

import pytest

from attnbook.data import question_answering as data
from attnbook.data.text import Vocabulary

TARGET = {
    "put": dict(person="leo", colour="red", thing="key", room="old barn"),
    "born": dict(person="leo", city="oslo", year="1950"),
    "opened": dict(building="museum", city="oslo", year="1950"),
    "bought": dict(person="leo", number="two", fruit="pears", seller="ida"),
}
ANSWERS = {
    "where did leo put the red key ?": "the old barn",
    "who put the red key in the old barn ?": "leo",
    "what did leo put in the old barn ?": "the red key",
    "when was leo born ?": "1950",
    "in which city was leo born ?": "oslo",
    "when did the museum of oslo open ?": "1950",
    "what opened in oslo in 1950 ?": "the museum",
    "how many pears did leo buy from ida ?": "two",
    "who sold two pears to leo ?": "ida",
    "who bought two pears from ida ?": "leo",
}


def test_every_form_of_question_has_its_answer_by_hand():
    found = {}
    for kind, forms in data.QUESTIONS.items():
        for question, answer in forms:
            fact = data.FACTS[kind].format(**TARGET[kind])
            said = answer.format(**TARGET[kind])
            assert said in fact
            found[question.format(**TARGET[kind])] = said
    assert found == ANSWERS


def answer(example):
    first, last = example.span
    return " ".join(example.passage[first : last + 1])


def test_the_span_is_the_answer_and_lies_in_the_supporting_sentence():
    for example in data.draw_examples(2000, 0, 1, 16):
        if example.span is None:
            assert example.support is None
            continue
        first, end = example.sentences[example.support]
        assert first <= example.span[0] <= example.span[1] < end
        assert solve(example) == [(answer(example), example.support)]


def facts_of(example):
    """The facts of a passage, read back from its words."""
    for first, end in example.sentences:
        text = " ".join(example.passage[first:end])
        yield next(filter(None, (match(k, text) for k in data.FACTS)))


def match(kind, text, template=None):
    template = template or data.FACTS[kind]
    pattern = re.escape(template).replace(r"\{", "{").replace(r"\}", "}")
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[\\w ]+?)", pattern)
    found = re.fullmatch(pattern, text)
    return found and found.groupdict() | {"kind": kind}


def solve(example):
    """All answers to the question, by reading the passage: (text, sentence)."""
    question, out = " ".join(example.question), []
    for kind, forms in data.QUESTIONS.items():
        for form, said in forms:
            asked = match(kind, question, form)
            for k, fact in enumerate(facts_of(example) if asked else ()):
                if all(fact.get(key) == asked[key] for key in asked):
                    out.append((said.format(**fact), k))
    return out


def test_unanswerable_questions_have_no_answer_in_the_passage():
    examples = data.draw_examples(1000, 1, 1, 8, none=1)
    assert all(e.span is None and solve(e) == [] for e in examples)


def test_share_of_unanswerable_questions():
    examples = data.draw_examples(4000, 2, 2, 8)
    share = sum(e.span is None for e in examples) / 4000
    assert share == pytest.approx(0.2, abs=0.03)
    examples = data.draw_examples(100, 2, 2, 8, none=0)
    assert all(e.span for e in examples)


def test_nobody_is_born_twice_and_nobody_buys_from_oneself():
    for example in data.draw_examples(1000, 3, 12, 16):
        facts = list(facts_of(example))
        born = [f["person"] for f in facts if f["kind"] == "born"]
        assert len(born) == len(set(born))
        bought = [f for f in facts if f["kind"] == "bought"]
        assert all(f["person"] != f["seller"] for f in bought)


def test_half_of_the_distractors_differ_in_one_thing():
    rng = random.Random(0)
    target = TARGET["put"] | {"kind": "put"}
    asked = ["person", "colour", "thing"]
    near = 0
    for _ in range(2000):
        fact = data.draw_distractor(rng, target, asked)
        same = [fact.get(key) == target[key] for key in asked]
        assert not all(same) or fact["kind"] != "put"
        near += sum(same) == 2
    assert near / 2000 == pytest.approx(0.47, abs=0.06)


def test_sentences_cover_the_passage_and_sizes_are_as_the_card_says():
    words = data.all_words()
    assert isinstance(words, Vocabulary) and len(words) - 4 == 132
    for example in data.draw_examples(8000, 4, 2, 8):
        starts = [first for first, _ in example.sentences]
        ends = [end for _, end in example.sentences]
        assert starts == [0, *ends[:-1]] and ends[-1] == len(example.passage)
        assert 14 <= len(example.passage) <= 80
        assert all(example.passage[end - 1] == "." for end in ends)
        words.encode(example.passage), words.encode(example.question)


def test_the_same_seed_draws_the_same_and_another_does_not():
    assert data.draw_examples(50, 7, 2, 8) == data.draw_examples(50, 7, 2, 8)
    assert data.draw_examples(50, 7, 2, 8) != data.draw_examples(50, 8, 2, 8)


def test_no_passage_twice_and_none_of_the_training_set():
    train = data.draw_examples(3000, 5, 1, 2)
    assert len({e.passage for e in train}) == 3000
    test = data.draw_examples(500, 6, 1, 1, unlike=train)
    assert not {e.passage for e in train} & {e.passage for e in test}
    leaky = data.draw_examples(500, 6, 1, 1)  # without the filter there are
    assert {e.passage for e in train} & {e.passage for e in leaky}


def test_a_training_set_takes_less_than_two_seconds():
    start = time.process_time()
    data.draw_examples(8000, 0, 2, 8)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    "n, fewest, most", [(0, 1, 2), (5, 0, 2), (5, 3, 2), (5, 1, 17)]
)
def test_impossible_sizes_are_refused(n, fewest, most):
    with pytest.raises(ValueError, match="1 <= fewest <= most <= 16"):
        data.draw_examples(n, 0, fewest, most)


@pytest.mark.parametrize("none", [-0.1, 1.5])
def test_an_impossible_share_is_refused(none):
    with pytest.raises(ValueError, match="none is a probability"):
        data.draw_examples(5, 0, 1, 2, none=none)


def test_a_typed_text_is_cut_into_words_and_sentences():
    example = data.from_text("Leo was born in Oslo.  Ida put", "When, Leo?")
    assert example.passage == tuple("leo was born in oslo . ida put".split())
    assert example.question == ("when", "leo", "?")
    assert example.sentences == ((0, 6), (6, 8)) and example.span is None


@pytest.mark.parametrize(
    "passage, question, says",
    [
        ("", "who ?", "the passage holds no word"),
        (" . ", "who ?", "the passage holds no word"),
        ("leo was born .", " ? ", "the question holds no word"),
        ("leo was born . " * 60, "who ?", "240 words, 200 at most"),
    ],
)
def test_bad_text_is_refused_with_a_sentence(passage, question, says):
    with pytest.raises(ValueError, match=says):
        data.from_text(passage, question)


def test_an_unknown_word_is_named():
    example = data.from_text("zoe was born in oslo .", "when was zoe born ?")
    with pytest.raises(ValueError, match="never saw the word 'zoe'"):
        data.all_words().encode(example.passage)
