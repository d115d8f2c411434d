"""Hidden checks and known wrong answers of exercises 3.1.

Never handed out. The reference answers are the master notebook's own cells.
"""

from collections import Counter

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden(withheld=("additive",))


def step_arguments(rng):
    """Sizes all different, some padding."""
    d, m, a, e, j = rng.choice(np.arange(2, 30), 5, False)
    shapes = [(d,), (m,), (j, a), (j, e), (m, a), (a,), (d + e + m, m)]
    arrays = [rng.normal(size=s) for s in shapes]
    arrays[-1] /= 2
    return *arrays, int(rng.integers(1, j + 1))


@HIDDEN.check("3_1.a", "random sizes")
def step_anywhere(answer, rng, reference):
    args = step_arguments(rng)
    agree(answer, reference, "decoder_step", args, "random", 2, 1e-5)


@HIDDEN.check("3_1.a", "gradients")
def step_gradient(answer, rng, reference):
    args = step_arguments(rng)
    u = rng.normal(size=args[1].shape)
    agree_in_gradient(answer, reference, "decoder_step", args, u, 1e-4)


@HIDDEN.check("3_1.b", "random sentences")
def grams_anywhere(answer, rng, reference):
    for n in (1, 2, 3, 4, 5):
        said, wanted = (
            rng.integers(9, 12, size=size) for size in rng.integers(2, 90, 2)
        )
        args = said, wanted, n
        agree(answer, reference, "clipped_matches", args, "random", 2)


@HIDDEN.check("3_1.c", "random sums")
def equal_anywhere(answer, rng, reference):
    sums = -np.exp(rng.uniform(-5, 5, size=2))
    words = rng.permutation(90)[:2] + 1
    args = float(sums[0]), int(words[0]), float(sums[1]), int(words[1])
    agree(answer, reference, "equal_alpha", args, "random sums")


def padded_arguments(rng):
    b, i, j, e = rng.choice(np.arange(1, 30), 4, False)
    lengths = rng.integers(1, j + 1, size=b)
    return rng.normal(size=(b, i, j)) * 3, rng.normal(size=(b, j, e)), lengths


@HIDDEN.check("3_1.d", "random sizes")
def padded_anywhere(answer, rng, reference):
    args = "contexts", padded_arguments(rng), "random"
    agree(answer, reference, *args, tolerance=1e-5)


@HIDDEN.check("3_1.d", "random gradients")
def padded_gradient(answer, rng, reference):
    args = padded_arguments(rng)
    u = rng.normal(size=(*args[0].shape[:2], args[1].shape[2]))
    agree_in_gradient(answer, reference, "contexts", args, u, 1e-4)


@HIDDEN.check("3_1.e", "random weights")
def error_anywhere(answer, rng, reference):
    shape = tuple(rng.integers(1, 60, size=2))
    args = rng.uniform(size=shape), rng.uniform(size=shape) < 0.2
    agree(answer, reference, "alignment_error", args, "random weights")


# --- a ---------------------------------------------------------------------


def score(q, keys, W, v):
    return torch.tanh(q @ W + keys) @ v


def weigh(s, real):
    padding = torch.arange(len(s)) >= real
    return s.masked_fill(padding, -torch.inf).softmax(-1)


def state(y, c, q, R):
    return torch.tanh(torch.cat([y, c, q]) @ R)


def with_weights(says, weights):
    """A step that is right but for its weights."""

    def decoder_step(y, q, keys, h, W, v, R, real):
        a = weights(q, keys, W, v, real)
        return state(y, a @ h, q, R), a

    HIDDEN.wrong("3_1.a", says)(decoder_step)


def with_state(says, new):
    """A step that is right but for its new state."""

    def decoder_step(y, q, keys, h, W, v, R, real):
        a = weigh(score(q, keys, W, v), real)
        return new(y, q, a, h, R, real), a

    HIDDEN.wrong("3_1.a", says)(decoder_step)


def real_mask(keys, real):
    return torch.arange(len(keys)) < real


with_weights(
    "the padding takes part", lambda q, k, W, v, n: score(q, k, W, v).softmax(0)
)
with_weights(
    "does not strike a word out",
    lambda q, k, W, v, n: (score(q, k, W, v) * real_mask(k, n)).softmax(0),
)
with_weights(
    "struck out after the softmax",
    lambda q, k, W, v, n: score(q, k, W, v).softmax(0) * real_mask(k, n),
)
with_weights(
    "the mask is inverted",
    lambda q, k, W, v, n: (
        score(q, k, W, v).masked_fill(real_mask(k, n), -torch.inf).softmax(0)
    ),
)
with_weights(
    "the last real word is left out",
    lambda q, k, W, v, n: weigh(score(q, k, W, v), n - 1),
)
with_weights(
    "one word of padding takes part",
    lambda q, k, W, v, n: weigh(score(q, k, W, v), n + 1),
)
with_weights(
    "the tanh is missing", lambda q, k, W, v, n: weigh((q @ W + k) @ v, n)
)
with_weights(
    "the tanh belongs inside",
    lambda q, k, W, v, n: weigh(torch.tanh((q @ W + k) @ v), n),
)
with_weights(
    "the query is left out",
    lambda q, k, W, v, n: weigh(torch.tanh(k) @ v, n),
)
with_weights(
    "additive attention adds them",
    lambda q, k, W, v, n: weigh(torch.tanh(q @ W * k) @ v, n),
)
with_weights(
    "a ReLU", lambda q, k, W, v, n: weigh(torch.relu(q @ W + k) @ v, n)
)
with_weights(
    "nothing is divided by sqrt",
    lambda q, k, W, v, n: weigh(score(q, k, W, v) / len(v) ** 0.5, n),
)
with_weights(
    "the same weight",
    lambda q, k, W, v, n: weigh(0 * score(q, k, W, v), n),
)
with_weights(
    "no weights before they are divided",
    lambda q, k, W, v, n: score(q, k, W, v).exp() * real_mask(k, n),
)
with_weights("those are the scores", lambda q, k, W, v, n: score(q, k, W, v))
with_weights(
    "scores of thousands overflow",
    lambda q, k, W, v, n: (
        (e := score(q, k, W, v).exp() * real_mask(k, n)) / e.sum()
    ),
)
with_weights(
    "the gradient of q, keys",
    lambda q, k, W, v, n: weigh(score(q, k, W, v), n).detach(),
)
with_weights(
    "the gradient of keys",
    lambda q, k, W, v, n: weigh(score(q, k.detach(), W, v), n),
)
with_weights(
    "the gradient of W",
    lambda q, k, W, v, n: weigh(score(q, k, W.detach(), v), n),
)
with_state(
    "the tanh of the recurrence is missing",
    lambda y, q, a, h, R, n: torch.cat([y, a @ h, q]) @ R,
)
with_state(
    "the context is left out",
    lambda y, q, a, h, R, n: state(y, 0 * (a @ h), q, R),
)
with_state(
    "the state before is left out",
    lambda y, q, a, h, R, n: state(y, a @ h, 0 * q, R),
)
with_state(
    "the word before is left out",
    lambda y, q, a, h, R, n: state(0 * y, a @ h, q, R),
)
with_state("not c first", lambda y, q, a, h, R, n: state(a @ h, y, q, R))
with_state("not q second", lambda y, q, a, h, R, n: state(y, q, a @ h, R))
with_state("not q first", lambda y, q, a, h, R, n: state(q, y, a @ h, R))
with_state("not backwards", lambda y, q, a, h, R, n: state(q, a @ h, y, R))
with_state(
    "the plain mean of the states",
    lambda y, q, a, h, R, n: state(y, h[:n].mean(0), q, R),
)
with_state(
    "the mean over the padding",
    lambda y, q, a, h, R, n: state(y, h.mean(0), q, R),
)
with_state(
    "the one state with the largest weight",
    lambda y, q, a, h, R, n: state(y, h[a.argmax()], q, R),
)
with_state(
    "the weights already sum to 1",
    lambda y, q, a, h, R, n: state(y, a @ h / n, q, R),
)
with_state(
    "the gradient of h",
    lambda y, q, a, h, R, n: state(y, a @ h.detach(), q, R),
)


@HIDDEN.wrong("3_1.a", "ask with the state before")
def decoder_step(y, q, keys, h, W, v, R, real):
    new = state(y, torch.zeros(h.shape[1], dtype=h.dtype), q, R)
    a = weigh(score(new, keys, W, v), real)
    return state(y, a @ h, q, R), a


@HIDDEN.wrong("3_1.a", "context and all")
def decoder_step(y, q, keys, h, W, v, R, real):
    new = state(y, weigh(score(q, keys, W, v), real) @ h, q, R)
    return new, weigh(score(new, keys, W, v), real)


@HIDDEN.wrong("3_1.a", "the new state and the weights in this order")
def decoder_step(y, q, keys, h, W, v, R, real):
    a = weigh(score(q, keys, W, v), real)
    return a, state(y, a @ h, q, R)


@HIDDEN.wrong("3_1.a", "changes its argument in place")
def decoder_step(y, q, keys, h, W, v, R, real):
    keys += q @ W
    a = weigh(torch.tanh(keys) @ v, real)
    return state(y, a @ h, q, R), a


@HIDDEN.wrong("3_1.a", "shapes cannot be multiplied")
def decoder_step(y, q, keys, h, W, v, R, real):
    a = weigh(score(q, keys, W, v), real)
    return state(y, a @ keys, q, R), a  # the keys instead of the states


@HIDDEN.wrong("3_1.a", "as minus infinity, not as some low number")
def decoder_step(y, q, keys, h, W, v, R, real):
    s = score(q, keys, W, v).masked_fill(~real_mask(keys, real), -1e5)
    a = s.softmax(0)
    return state(y, a @ h, q, R), a


@HIDDEN.wrong("3_1.a", "large scores are cut off")
def decoder_step(y, q, keys, h, W, v, R, real):
    a = weigh(score(q, keys, W, v).clamp(-700, 700), real)
    return state(y, a @ h, q, R), a


@HIDDEN.wrong("3_1.a", "a state may be negative")
def decoder_step(y, q, keys, h, W, v, R, real):
    a = weigh(score(q, keys, W, v), real)
    return torch.relu(state(y, a @ h, q, R)), a


@HIDDEN.wrong("3_1.a", "real = 9 of 9")
def decoder_step(y, q, keys, h, W, v, R, real):
    a = weigh(score(q, keys, W, v), real) * (torch.arange(len(keys)) < 5)
    return state(y, a @ h, q, R), a


# --- b ---------------------------------------------------------------------


def ngrams(words, n):
    return [tuple(words[k : k + n]) for k in range(len(words) - n + 1)]


def clipped(mine, theirs):
    return sum((Counter(mine) & Counter(theirs)).values())


@HIDDEN.wrong("3_1.b", "the matches are not clipped")
def clipped_matches(said, wanted, n):
    mine, theirs = ngrams(said, n), set(ngrams(wanted, n))
    return sum(g in theirs for g in mine), len(mine)


@HIDDEN.wrong("3_1.b", "each different word counts once; it may match")
def clipped_matches(said, wanted, n):
    mine = ngrams(said, n)
    return len(set(mine) & set(ngrams(wanted, n))), len(mine)


@HIDDEN.wrong("3_1.b", "once, in both numbers")
def clipped_matches(said, wanted, n):
    mine = set(ngrams(said, n))
    return len(mine & set(ngrams(wanted, n))), len(mine)


@HIDDEN.wrong("3_1.b", "at equal places")
def clipped_matches(said, wanted, n):
    mine = ngrams(said, n)
    return sum(a == b for a, b in zip(mine, ngrams(wanted, n))), len(mine)


@HIDDEN.wrong("3_1.b", "divides by the reference's n-grams")
def clipped_matches(said, wanted, n):
    theirs = ngrams(wanted, n)
    return clipped(ngrams(said, n), theirs), len(theirs)


@HIDDEN.wrong("3_1.b", "matches first, then the n-grams")
def clipped_matches(said, wanted, n):
    mine = ngrams(said, n)
    return len(mine), clipped(mine, ngrams(wanted, n))


@HIDDEN.wrong("3_1.b", "the smaller of both counts")
def clipped_matches(said, wanted, n):
    mine, theirs = Counter(ngrams(said, n)), Counter(ngrams(wanted, n))
    return sum(theirs[g] for g in mine), sum(mine.values())


@HIDDEN.wrong("3_1.b", "the last n-gram is left out")
def clipped_matches(said, wanted, n):
    mine = [tuple(said[k : k + n]) for k in range(len(said) - n)]
    theirs = [tuple(wanted[k : k + n]) for k in range(len(wanted) - n)]
    if n == 1:  # as `range(len - n + (n == 1))`, seen in a hand-in
        mine, theirs = ngrams(said, 1), ngrams(wanted, 1)
    return clipped(mine, theirs), len(mine)


@HIDDEN.wrong("3_1.b", "that is n = 1")
def clipped_matches(said, wanted, n):
    mine = ngrams(said, 1)
    return clipped(mine, ngrams(wanted, 1)), len(mine)


@HIDDEN.wrong("3_1.b", "a short rest at the end was counted")
def clipped_matches(said, wanted, n):
    mine = [tuple(said[k : k + n]) for k in range(len(said))]
    theirs = [tuple(wanted[k : k + n]) for k in range(len(wanted))]
    return clipped(mine, theirs), len(mine)


@HIDDEN.wrong("3_1.b", "the n-grams may overlap")
def clipped_matches(said, wanted, n):
    mine = ngrams(said, n)[::n]
    return clipped(mine, ngrams(wanted, n)[::n]), len(mine)


@HIDDEN.wrong("3_1.b", "in order, not a set")
def clipped_matches(said, wanted, n):
    mine, theirs = (
        [tuple(sorted(g)) for g in ngrams(words, n)] for words in (said, wanted)
    )
    return clipped(mine, theirs), len(mine)


@HIDDEN.wrong("3_1.b", "the words run together")
def clipped_matches(said, wanted, n):
    mine, theirs = (
        ["".join(map(str, g)) for g in ngrams(words, n)]
        for words in (said, wanted)
    )
    return clipped(mine, theirs), len(mine)


@HIDDEN.wrong("3_1.b", "not fewer than none")
def clipped_matches(said, wanted, n):
    mine = clipped(ngrams(said, n), ngrams(wanted, n))
    return mine, len(said) - n + 1


@HIDDEN.wrong("3_1.b", "changes its argument in place")
def clipped_matches(said, wanted, n):
    mine, theirs = ngrams(said, n), ngrams(wanted, n)
    said.sort()
    return clipped(mine, theirs), len(mine)


def in_base(base, way):
    """Wrong: an n-gram as one number."""

    @HIDDEN.wrong("3_1.b", "words have no largest one")
    def clipped_matches(said, wanted, n):
        def grams(w):
            rows = (w[i : i + n][::way] for i in range(len(w) - n + 1))
            return Counter(
                sum(int(x) * base**k for k, x in enumerate(row)) for row in rows
            )

        mine, theirs = grams(said), grams(wanted)
        return sum((mine & theirs).values()), sum(mine.values())


in_base(100, -1)
in_base(10_000, 1)


def as_words(says, words):
    @HIDDEN.wrong("3_1.b", says)
    def clipped_matches(said, wanted, n):
        def grams(w):
            return Counter(words(w[i : i + n]) for i in range(len(w) - n + 1))

        mine, theirs = grams(said), grams(wanted)
        return sum((mine & theirs).values()), sum(mine.values())


as_words("keep all digits", lambda w: tuple(w.astype(np.int8)))
as_words("not its ends alone", lambda w: (w[0], w[-1]))
as_words("in order, not a set", lambda w: tuple(sorted(w)))


@HIDDEN.wrong("3_1.b", "n may be larger than 3")
def clipped_matches(said, wanted, n):
    n = min(n, 3)
    mine, theirs = (
        Counter(tuple(w[i : i + n]) for i in range(len(w) - n + 1))
        for w in (said, wanted)
    )
    return sum((mine & theirs).values()), sum(mine.values())


# --- c ---------------------------------------------------------------------


@HIDDEN.wrong("3_1.c", "upside down")
def equal_alpha(sum_1, words_1, sum_2, words_2):
    return np.log(words_1 / words_2) / np.log(sum_1 / sum_2)


@HIDDEN.wrong("3_1.c", "the sign is wrong")
def equal_alpha(sum_1, words_1, sum_2, words_2):
    return np.log(sum_1 / sum_2) / np.log(words_2 / words_1)


@HIDDEN.wrong("3_1.c", "take logarithms")
def equal_alpha(sum_1, words_1, sum_2, words_2):
    return sum_1 / sum_2 / (words_1 / words_2)


@HIDDEN.wrong("3_1.c", "is a difference of logarithms")
def equal_alpha(sum_1, words_1, sum_2, words_2):
    return np.log(sum_1 / sum_2) - np.log(words_1 / words_2)


@HIDDEN.wrong("3_1.c", "the slope of the sums")
def equal_alpha(sum_1, words_1, sum_2, words_2):
    return (sum_1 - sum_2) / (words_1 - words_2)


@HIDDEN.wrong("3_1.c", "the lengths need a logarithm")
def equal_alpha(sum_1, words_1, sum_2, words_2):
    return np.log(sum_1 / sum_2) / (words_1 / words_2)


@HIDDEN.wrong("3_1.c", "the sums need a logarithm")
def equal_alpha(sum_1, words_1, sum_2, words_2):
    return sum_1 / sum_2 / np.log(words_1 / words_2)


@HIDDEN.wrong("3_1.c", "do not multiply them")
def equal_alpha(sum_1, words_1, sum_2, words_2):
    return np.log(sum_1 * sum_2) / np.log(words_1 / words_2)


@HIDDEN.wrong("3_1.c", "divide the lengths before the logarithm")
def equal_alpha(sum_1, words_1, sum_2, words_2):
    return np.log(sum_1 / sum_2) / np.log(words_1 * words_2)


@HIDDEN.wrong("3_1.c", "alpha minus 1")
def equal_alpha(sum_1, words_1, sum_2, words_2):
    means = sum_1 / words_1, sum_2 / words_2
    return np.log(means[0] / means[1]) / np.log(words_1 / words_2)


@HIDDEN.wrong("3_1.c", "equal means per word")
def equal_alpha(sum_1, words_1, sum_2, words_2):
    return 0.25


# --- d ---------------------------------------------------------------------


def masked(scores, lengths, fill=-torch.inf):
    real = torch.arange(scores.shape[-1]) < lengths[:, None, None]
    return scores.masked_fill(~real, fill), real


@HIDDEN.wrong("3_1.d", "exp(0) is 1")
def contexts(scores, states, lengths):
    return masked(scores, lengths, 0.0)[0].softmax(-1) @ states


@HIDDEN.wrong("3_1.d", "nothing is struck out")
def contexts(scores, states, lengths):
    return scores.softmax(-1) @ states


@HIDDEN.wrong("3_1.d", "struck out after the softmax")
def contexts(scores, states, lengths):
    return (scores.softmax(-1) * masked(scores, lengths)[1]) @ states


@HIDDEN.wrong("3_1.d", "struck out after the softmax")
def contexts(scores, states, lengths):
    real = masked(scores, lengths)[1].transpose(1, 2)
    return scores.softmax(-1) @ (states * real)


@HIDDEN.wrong("3_1.d", "the mask is inverted")
def contexts(scores, states, lengths):
    real = masked(scores, lengths)[1]
    return scores.masked_fill(real, -torch.inf).softmax(-1) @ states


@HIDDEN.wrong("3_1.d", "one word of padding is still read")
def contexts(scores, states, lengths):
    return masked(scores, lengths + 1)[0].softmax(-1) @ states


@HIDDEN.wrong("3_1.d", "not over the queries")
def contexts(scores, states, lengths):
    s, real = masked(scores, lengths, -1e9)
    return (s.softmax(1) * real) @ states


@HIDDEN.wrong("3_1.d", "cut to the shortest")
def contexts(scores, states, lengths):
    n = int(lengths.min())
    return scores[..., :n].softmax(-1) @ states[:, :n]


@HIDDEN.wrong("3_1.d", "that is a plain mean")
def contexts(scores, states, lengths):
    return masked(0 * scores, lengths)[0].softmax(-1) @ states


@HIDDEN.wrong("3_1.d", "not divided by their sum")
def contexts(scores, states, lengths):
    return masked(scores, lengths)[0].exp() @ states


@HIDDEN.wrong("3_1.d", "a score below any other")
def contexts(scores, states, lengths):
    return masked(scores, lengths, -1000.0)[0].softmax(-1) @ states


@HIDDEN.wrong("3_1.d", "changes its argument in place")
def contexts(scores, states, lengths):
    real = masked(scores, lengths)[1]
    return scores.masked_fill_(~real, -torch.inf).softmax(-1) @ states


@HIDDEN.wrong("3_1.d", "the gradient of scores")
def contexts(scores, states, lengths):
    return masked(scores, lengths)[0].softmax(-1).detach() @ states


@HIDDEN.wrong("3_1.d", "the gradient of states")
def contexts(scores, states, lengths):
    return masked(scores, lengths)[0].softmax(-1) @ states.detach()


@HIDDEN.wrong("3_1.d", "minus infinity, not some low number")
def contexts(scores, states, lengths):
    real = torch.arange(states.shape[1]) < lengths[:, None]
    s = scores.masked_fill(~real[:, None], -1e5)
    return s.softmax(dim=-1) @ states


@HIDDEN.wrong("3_1.d", "a context may be negative")
def contexts(scores, states, lengths):
    real = torch.arange(states.shape[1]) < lengths[:, None]
    s = scores.masked_fill(~real[:, None], -torch.inf)
    return (s.softmax(dim=-1) @ states).abs()


# --- e ---------------------------------------------------------------------


def counts(weights, gold):
    """|A and G|, |A|, |G|."""
    right = gold[np.arange(len(gold)), weights.argmax(axis=1)].sum()
    return right, len(gold), gold.sum()


@HIDDEN.wrong("3_1.e", "1 - precision")
def alignment_error(weights, gold):
    right, drawn, wanted = counts(weights, gold)
    return 1 - right / drawn


@HIDDEN.wrong("3_1.e", "1 - recall")
def alignment_error(weights, gold):
    right, drawn, wanted = counts(weights, gold)
    return 1 - right / wanted


@HIDDEN.wrong("3_1.e", "the union of A and G")
def alignment_error(weights, gold):
    right, drawn, wanted = counts(weights, gold)
    return 1 - right / (drawn + wanted - right)


@HIDDEN.wrong("3_1.e", "how good, not how wrong")
def alignment_error(weights, gold):
    right, drawn, wanted = counts(weights, gold)
    return 2 * right / (drawn + wanted)


@HIDDEN.wrong("3_1.e", "the factor 2 is missing")
def alignment_error(weights, gold):
    right, drawn, wanted = counts(weights, gold)
    return 1 - right / (drawn + wanted)


@HIDDEN.wrong("3_1.e", "rows without a true link draw one as well")
def alignment_error(weights, gold):
    kept = gold.any(axis=1)
    right, drawn, wanted = counts(weights[kept], gold[kept])
    return 1 - 2 * right / (drawn + wanted)


@HIDDEN.wrong("3_1.e", "not more than one half")
def alignment_error(weights, gold):
    links = weights > 0.5
    return 1 - 2 * (links & gold).sum() / (links.sum() + gold.sum())


@HIDDEN.wrong("3_1.e", "each column's largest")
def alignment_error(weights, gold):
    right, drawn, wanted = counts(weights.T, gold.T)
    return 1 - 2 * right / (drawn + wanted)


@HIDDEN.wrong("3_1.e", "the weights themselves")
def alignment_error(weights, gold):
    mass = (weights * gold).sum()
    return 1 - 2 * mass / (len(gold) + gold.sum())


@HIDDEN.wrong("3_1.e", "|G| is all of them")
def alignment_error(weights, gold):
    right, drawn, _ = counts(weights, gold)
    return 1 - 2 * right / (drawn + gold.any(axis=1).sum())


@HIDDEN.wrong("3_1.e", "set prediction to one of")
def alignment_error(weights, gold):
    right, drawn, wanted = counts(weights, gold)
    return 1 - 2 * right / (drawn + wanted)


HIDDEN.wrong_answers[-1].names = {"prediction": "perhaps"}


# --- beyond small sizes ----------------------------------------------------


def keyed(says, key, most=999, words=999):
    """N-grams are compared by this key."""

    def clipped_matches(said, wanted, n):
        n, both = min(n, most), (said[:words], wanted[:words])
        mine, theirs = ([key(g) for g in ngrams(w, n)] for w in both)
        return clipped(mine, theirs), len(mine)

    HIDDEN.wrong("3_1.b", says)(clipped_matches)


keyed(
    "became the same number", lambda g: sum(131**k * w for k, w in enumerate(g))
)
for width in (3, 6):
    keyed(
        "became the same number",
        lambda g, width=width: "".join(str(w).zfill(width) for w in g),
    )
keyed("became the same number", lambda g: sum(w**2 for w in g))
keyed("not a set", lambda g: tuple(sorted(g)) if len(g) > 3 else g)
keyed("all words of an n-gram count", lambda g: g[:4])
keyed("cut off", tuple, most=8)
keyed("cut off", tuple, words=64)


@HIDDEN.wrong("3_1.b", "counts are cut off")
def clipped_matches(said, wanted, n):
    mine, theirs = (Counter(ngrams(w, n)) for w in (said, wanted))
    shared = (mine & theirs).values()
    return sum(min(m, 5) for m in shared), mine.total()


def alpha(says, rule):
    """The right alpha, changed by this rule."""

    def equal_alpha(sum_1, words_1, sum_2, words_2):
        return rule(np.log(sum_1 / sum_2) / np.log(words_1 / words_2))

    HIDDEN.wrong("3_1.c", says)(equal_alpha)


alpha("alpha may lie beyond 0 and 1", lambda x: min(x, 1))
alpha("is something cut off?", lambda x: np.clip(x, -5, 5))


@HIDDEN.wrong("3_1.c", "a small number added to it")
def equal_alpha(sum_1, words_1, sum_2, words_2):
    return np.log(sum_1 / sum_2) / np.log(words_1 / words_2 + 1e-6)


def changed(says, scores=lambda s: s, weights=lambda a: a, most=999):
    """The right contexts, but for one step."""

    def contexts(scores_, states, lengths):
        padding = (
            torch.arange(states.shape[1]) >= lengths.clamp(max=most)[:, None]
        )
        s = scores(scores_).masked_fill(padding[:, None], -torch.inf)
        return weights(s.softmax(dim=-1)) @ states

    HIDDEN.wrong("3_1.d", says)(contexts)


changed("cut off", scores=lambda s: s.clamp(-20_000, 20_000))
changed("cut off", weights=lambda a: a * (a > 1e-9))
changed("cut off", most=6)


@HIDDEN.wrong("3_1.e", "do all count")
def alignment_error(weights, gold):
    right, drawn, wanted = counts(weights[:64], gold[:64])
    return 1 - 2 * right / (drawn + wanted)


@HIDDEN.wrong("3_1.e", "do all count")
def alignment_error(weights, gold):
    right, drawn, wanted = counts(weights, gold)
    return 1 - 2 * min(right, gold.any(axis=0).sum()) / (drawn + wanted)


@HIDDEN.wrong("3_1.e", "are they rounded?")
def alignment_error(weights, gold):
    right, drawn, wanted = counts(weights.round(4), gold)
    return 1 - 2 * right / (drawn + wanted)


@HIDDEN.wrong("3_1.e", "no true link at all")
def alignment_error(weights, gold):
    right, drawn, wanted = counts(weights, gold)
    return 1 - 2 * right / (drawn + wanted) if gold.any() else 0.0


with_weights(
    "large scores are cut off",
    lambda q, keys, W, v, real: weigh(
        (torch.tanh(q @ W + keys) @ v).clamp(-10_000, 10_000), real
    ),
)
with_weights(
    "60 words with equal scores",
    lambda q, keys, W, v, real: weigh(
        torch.tanh(q @ W + keys) @ v, min(real, 32)
    ),
)
