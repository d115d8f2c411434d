"""attnbook.data.translation: number words, dates, alignments, bad input."""

import datetime
import random
import time

import pytest
from num2words import num2words

from attnbook.data import translation
from attnbook.data._number_words import LIMIT, chinese_number, number_tokens
from attnbook.data.text import Vocabulary
from attnbook.data.translation import (
    date_corpus,
    date_pair,
    number_corpus,
    number_pair,
    read_date,
    read_number,
)

BUCKETS = [(4, 6), (7, 9), (23, 30), (31, 38)]


def some_numbers(count=1500):
    """Of 1 to 15 digits, many of them 0."""
    r = random.Random(1)
    for _ in range(count):
        digits = [r.choice("0000123456789") for _ in range(r.randint(0, 14))]
        yield int(r.choice("123456789") + "".join(digits))


def joined(n, language):
    return "".join(word for word, _ in number_tokens(n, language))


def test_number_words_are_those_of_num2words():
    for n in [*range(1, 1001), *some_numbers()]:
        assert joined(n, "en") == num2words(n).replace(" ", "")
        german = num2words(n, lang="de").replace(" ", "")
        german = german.replace("einstausend", "eintausend")
        assert joined(n, "de") == german
        french = num2words(n, lang="fr").replace("-", "").replace(" ", "")
        assert joined(n, "fr") == french


@pytest.mark.parametrize(
    "n, words",
    [
        (7, "七"),
        (10, "十"),
        (15, "十五"),
        (20, "二十"),
        (100, "一百"),
        (101, "一百零一"),
        (110, "一百一十"),
        (115, "一百一十五"),
        (1_001, "一千零一"),
        (1_010, "一千零一十"),
        (1_100, "一千一百"),
        (10_000, "一万"),
        (10_050, "一万零五十"),
        (105_000, "十万五千"),
        (200_300, "二十万零三百"),
        (2_300_000, "二百三十万"),
        (20_000_001, "二千万零一"),
        (100_000_001, "一亿零一"),
        (100_100_000, "一亿零一十万"),
        (1_234_567_890, "十二亿三千四百五十六万七千八百九十"),
        (1_000_000_000_000, "一万亿"),
    ],
)
def test_chinese_numbers_known_by_hand(n, words):
    assert chinese_number(n) == words


def chinese_value(text):
    """The number that Chinese words mean, read from left to right."""
    units = {"十": 10, "百": 100, "千": 1000}
    total, section, digit = 0, 0, 0
    for c in text:
        if c in "零一二三四五六七八九":
            digit = "零一二三四五六七八九".index(c)
        elif c in units:
            section += (digit or 1) * units[c]
            digit = 0
        elif c == "万":
            total += (section + digit) * 10_000
            section, digit = 0, 0
        else:
            total = (total + section + digit) * 10**8
            section, digit = 0, 0
    return total + section + digit


def test_chinese_numbers_mean_what_they_should():
    for n in [*range(1, 1001), *some_numbers()]:
        text = chinese_number(n)
        assert chinese_value(text) == n
        assert "零零" not in text and not text.endswith("零")


def aligned_words(n, language):
    pair = number_pair(n, language)
    return [
        (word, *(pair.source[j] for j in places))
        for word, places in zip(pair.target, pair.aligned)
    ]


def test_alignments_checked_by_hand():
    assert aligned_words(372, "de") == [
        ("drei", "three"),
        ("hundert", "hundred"),
        ("zwei", "two"),
        ("und",),
        ("siebzig", "seventy"),
    ]
    assert aligned_words(1_097, "fr") == [
        ("mille", "one", "thousand"),
        ("quatre", "ninety"),
        ("vingt", "ninety"),
        ("dix", "ninety"),
        ("sept", "seven"),
    ]
    assert aligned_words(171, "fr") == [
        ("cent", "one", "hundred"),
        ("soixante", "seventy"),
        ("et",),
        ("onze", "seventy", "one"),
    ]
    assert aligned_words(230_013, "zh") == [
        ("二", "two"),
        ("十",),
        ("三", "thirty"),
        ("万",),
        ("零",),
        ("一", "thirteen"),
        ("十",),
        ("三", "thirteen"),
    ]


def test_equal_digits_are_told_apart():
    pair = number_pair(22_222_222, "de")
    content = [places for places in pair.aligned if places]
    assert len(set(content)) == len(content)  # no source word is used twice
    assert sum(map(len, content)) == len(content)


def test_corpus_is_decided_by_its_seed_and_made_in_time():
    start = time.process_time()
    train, tests = number_corpus(5, 8000, 30, BUCKETS, 200)
    assert time.process_time() - start < 4  # 1 s at rest
    again = number_corpus(5, 8000, 30, BUCKETS, 200)
    assert (train, tests) == again
    assert train != number_corpus(6, 8000, 30, BUCKETS, 200)[0]
    seen = {" ".join(pair.source) for pair in train}
    assert len(seen) == len(train) == 8000
    for (low, high), pairs in tests.items():
        texts = {" ".join(pair.source) for pair in pairs}
        assert len(texts) == 200 and not texts & seen
        assert all(low <= len(pair.source) <= high for pair in pairs)
    assert max(len(pair.source) for pair in train) == 30


def test_dates_keep_their_days_apart():
    train, tests = date_corpus(3, 500, 100)
    assert (train, tests) == date_corpus(3, 500, 100)
    days = [{" ".join(p.source[1:]) for p in part} for part in (train, tests)]
    assert len(days[0]) == 500 and not days[0] & days[1]


def test_dates_checked_by_hand():
    day = datetime.date(2026, 3, 7)
    chinese = date_pair(day, "Chinese")
    assert chinese.source == "Chinese Saturday , March 7 , 2 0 2 6".split()
    assert chinese.target == "2 0 2 6 年 3 月 7 日 星期六".split()
    aligned = [(6,), (7,), (8,), (9,), (), (3,), (), (4,), (), (1,)]
    assert chinese.aligned == aligned
    german = date_pair(day, "German").target
    assert german == "Samstag , 7 . März 2 0 2 6".split()
    french = date_pair(day, "French").target
    assert french == "samedi 7 mars 2 0 2 6".split()


def test_numbers_are_read_from_digits_and_from_words():
    words = "seventy - two thousand".split()
    assert read_number("72,000") == read_number("72_000") == words
    assert read_number(" Seventy-two  thousand") == words
    assert read_number(72000) == words
    assert read_date("2026-11-22") == datetime.date(2026, 11, 22)


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "type a number"),
        ("   ", "type a number"),
        ("-5", "not between 1 and"),
        ("0", "not between 1 and"),
        (str(LIMIT), "not between 1 and"),
        ("one " * 39, "39 words; at most 38"),
    ],
)
def test_bad_numbers_are_refused(text, says):
    with pytest.raises(ValueError, match=says):
        read_number(text)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: number_pair(2.5), "whole number"),
        (lambda: number_pair(True), "whole number"),
        (lambda: number_pair(-1), "not between 1 and"),
        (lambda: number_pair(5, "en-GB"), "no number words"),
        (lambda: date_pair(datetime.date(2026, 1, 1), "Greek"), "none of"),
        (lambda: date_pair(datetime.date(1899, 12, 31), "French"), "1900"),
        (lambda: date_pair(datetime.date(2100, 1, 1), "French"), "2099"),
        (lambda: read_date("2026-02-30"), "a date that exists"),
        (lambda: read_date(""), "a date that exists"),
        (lambda: number_corpus(0, 10, 30, [(39, 40)], 5), "no number"),
        (lambda: number_corpus(0, 10, 30, [(1, 1)], 500), "not enough"),
        (lambda: date_corpus(0, 73_049, 1), "days"),
    ],
)
def test_bad_requests_are_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_words_never_seen_are_refused():
    train, _ = number_corpus(5, 300, 30, [], 0)
    vocabulary = Vocabulary(pair.source for pair in train)
    assert vocabulary.encode(read_number("seventy-two"))
    for text in ("seventy-too", "minus five", "1e6"):
        with pytest.raises(ValueError, match="never saw the word"):
            vocabulary.encode(read_number(text))


def test_last_day_of_the_card():
    last = translation.FIRST_DAY + datetime.timedelta(translation.DAYS - 1)
    assert last == datetime.date(2099, 12, 31)
