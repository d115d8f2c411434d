"""The reviews of chapter 3.2: gold positions, disjointness, bad input."""

import time

import pytest

from attnbook.data import sentiment
from attnbook.data.sentiment import CHINESE, ENGLISH, Source, every_word, typed

FIRST = sentiment.Review(
    words=tuple(
        "the menu is not wonderful . we went to dublin by train the next "
        "tuesday . the food was really dull . the view was truly bad .".split()
    ),
    aspect="menu",
    label=0,
    polarity=4,
    negators=(3,),
    clause=(0, 6),
)
LANGUAGES = {"english": ENGLISH, "chinese": CHINESE}


@pytest.fixture(params=LANGUAGES)
def language(request):
    return LANGUAGES[request.param]


def test_the_seed_decides(language):
    def draw(seed):
        return Source(seed, language=language).draw(200, 12, 40)

    assert draw(3) == draw(3)
    assert draw(3) != draw(4)


@pytest.mark.parametrize("opinions", [(1, 1), (2, 4)])
def test_training_and_test_share_no_text(language, opinions):
    source = Source(0, opinions, language=language)
    texts = []
    for bucket in [(8, 40), (8, 16), (16, 30), (121, 240)]:
        texts += [review.words for review in source.draw(400, *bucket)]
    assert len(set(texts)) == len(texts)


def test_lengths_are_those_asked_for(language):
    source = Source(1, language=language)
    for low, high in [(12, 40), (16, 30), (61, 120), (121, 240)]:
        sizes = [len(r.words) for r in source.draw(200, low, high)]
        assert low <= min(sizes) and max(sizes) <= high


def test_gold_positions(language):
    """The label follows from the clause alone, read by these few rules."""
    kinds = [set(k["adjective"] + k["verb"]) for k in language.kinds]
    for review in Source(2, language=language).draw(1000, 12, 60):
        start, stop = review.clause
        clause = review.words[start:stop]
        assert clause[-1] == language.stop and review.aspect in clause
        assert start == 0 or review.words[start - 1] == language.stop
        assert clause.count(language.stop) == 1
        word = review.words[review.polarity]
        assert (word in kinds[0]) != (word in kinds[1])
        signs = [k for k, w in enumerate(clause) if w in language.negators]
        assert [start + k for k in signs] == list(review.negators)
        assert review.label == (word in kinds[1]) ^ bool(signs)
        assert start <= review.polarity < stop


def test_the_aspect_asked_for_is_named_once(language):
    for review in Source(3, language=language).draw(500, 12, 60):
        assert review.words.count(review.aspect) == 1


def test_labels_and_negation_have_their_shares(language):
    drawn = Source(4, language=language).draw(4000, 12, 40)
    assert sum(r.label for r in drawn) / 4000 == pytest.approx(0.5, abs=0.03)
    negated = sum(bool(r.negators) for r in drawn) / 4000
    assert negated == pytest.approx(0.3, abs=0.03)


def test_plain_reviews_hold_one_opinion(language):
    polar = set()
    for kind in language.kinds:
        polar |= set(kind["adjective"] + kind["verb"])
    for review in Source(5, (1, 1), language=language).draw(300, 8, 40):
        assert review.aspect == sentiment.OVERALL
        assert sum(w in polar for w in review.words) == 1


def test_a_review_checked_by_eye():
    review = Source(7).draw(1, 16, 30)[0]
    assert review == FIRST


def test_every_word_is_in_the_vocabulary(language):
    vocabulary = every_word(language)
    for review in Source(6, language=language).draw(2000, 12, 60):
        vocabulary.encode(review.words)
        vocabulary.encode([review.aspect])


def test_reviews_are_made_quickly():
    start = time.process_time()
    Source(0).draw(8000, 12, 40)
    assert time.process_time() - start < 2


@pytest.mark.parametrize("opinions", [(0, 2), (3, 2), (2, 11)])
def test_impossible_numbers_of_opinions_are_refused(opinions):
    with pytest.raises(ValueError, match="opinions must be a pair"):
        Source(0, opinions)


@pytest.mark.parametrize("negated", [-0.1, 1.5, float("nan")])
def test_a_share_outside_0_and_1_is_refused(negated):
    with pytest.raises(ValueError, match="negated is a share"):
        Source(0, negated=negated)


@pytest.mark.parametrize("lengths", [(3, 40), (30, 33), (40, 20), (8, 241)])
def test_impossible_lengths_are_refused(lengths):
    with pytest.raises(ValueError, match="from 8 to 240 words"):
        Source(0).draw(1, *lengths)


def test_more_reviews_than_there_are_are_refused(monkeypatch):
    source = Source(0)
    [review] = source.draw(1, 24, 40)
    monkeypatch.setattr(source, "_review", lambda shortest, longest: review)
    with pytest.raises(ValueError, match="no more different reviews"):
        source.draw(1, 24, 40)


def test_typed_text_becomes_words():
    assert typed("The food was GOOD, really.", "food") == (
        "the food was good really .".split()
    )
    assert typed("我 喜欢 这里 的 早餐。", "早餐", CHINESE) == (
        "我 喜欢 这里 的 早餐 。".split()
    )


@pytest.mark.parametrize(
    "text, aspect, says",
    [
        ("", "food", "no word"),
        (" , ", "food", "no word"),
        ("good " * 241, "food", "241 words; 240 are the most"),
        ("the food was good.", "weather", "ask about one of: room, food"),
        ("the food was good.", "pool", "does not mention 'pool'"),
    ],
)
def test_text_that_cannot_be_judged_is_refused(text, aspect, says):
    with pytest.raises(ValueError, match=says):
        typed(text, aspect)


def test_an_unknown_word_is_refused():
    words = typed("the food was yummy.", "food")
    with pytest.raises(ValueError, match="never saw the word 'yummy'"):
        every_word().encode(words)
