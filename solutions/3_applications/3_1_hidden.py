"""Hidden checks and known wrong answers of exercises 3.1.

Never handed out. The reference answers are the master notebook's own cells.
"""

from collections import Counter

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden(globals(), withheld=("nn.additive",))


def step_arguments(rng):
    """Sizes all different, some padding."""
    d, m, a, e, j = rng.choice(np.arange(2, 30), 5, False)
    shapes = [(d,), (m,), (j, a), (j, e), (m, a), (a,), (d + e + m, m)]
    arrays = [rng.normal(size=s) for s in shapes]
    arrays[-1] /= 2
    return *arrays, int(rng.integers(1, j + 1))


HIDDEN.agrees(
    "3_1.a", "decoder_step", title="random sizes", parts=2, tolerance=1e-5
)(step_arguments)


@HIDDEN.check("3_1.a", "gradients")
def step_gradient(answer, rng, reference):
    args = step_arguments(rng)
    u = rng.normal(size=args[1].shape)
    agree_in_gradient(answer, reference, "decoder_step", args, u, 1e-4)


@HIDDEN.agrees("3_1.b", "clipped_matches", title="random sentences", parts=2)
def grams_anywhere(rng):
    for n in (1, 2, 3, 4, 5):
        said, wanted = (
            rng.integers(9, 12, size=size) for size in rng.integers(2, 90, 2)
        )
        yield said, wanted, n


@HIDDEN.agrees("3_1.c", "equal_alpha", title="random sums")
def equal_anywhere(rng):
    sums = -np.exp(rng.uniform(-5, 5, size=2))
    words = rng.permutation(90)[:2] + 1
    return float(sums[0]), int(words[0]), float(sums[1]), int(words[1])


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


@HIDDEN.agrees("3_1.e", "alignment_error", title="random weights")
def error_anywhere(rng):
    shape = tuple(rng.integers(1, 60, size=2))
    return rng.uniform(size=shape), rng.uniform(size=shape) < 0.2


# --- a ---------------------------------------------------------------------


def score(q, keys, W, v):
    return torch.tanh(q @ W + keys) @ v


def weigh(s, real):
    padding = torch.arange(len(s)) >= real
    return s.masked_fill(padding, -torch.inf).softmax(-1)


def state(y, c, q, R):
    return torch.tanh(torch.cat([y, c, q]) @ R)


def with_weights(weights):
    """A step that is right but for its weights."""

    def decoder_step(y, q, keys, h, W, v, R, real):
        a = weights(q, keys, W, v, real)
        return state(y, a @ h, q, R), a

    return decoder_step


def with_state(new):
    """A step that is right but for its new state."""

    def decoder_step(y, q, keys, h, W, v, R, real):
        a = weigh(score(q, keys, W, v), real)
        return new(y, q, a, h, R, real), a

    return decoder_step


def real_mask(keys, real):
    return torch.arange(len(keys)) < real


HIDDEN.mutants(
    "3_1.a", "decoder_step = with_weights(lambda q, k, W, v, n: ...)", [
    ("...", "score(q, k, W, v).softmax(0)", "the padding takes part"),
    ("...", "(score(q, k, W, v) * real_mask(k, n)).softmax(0)",
     "does not strike a word out"),
    ("...", "score(q, k, W, v).softmax(0) * real_mask(k, n)",
     "struck out after the softmax"),
    ("...",
     "score(q, k, W, v).masked_fill(real_mask(k, n), -torch.inf).softmax(0)",
     "the mask is inverted"),
    ("...", "weigh(score(q, k, W, v), n - 1)",
     "the last real word is left out"),
    ("...", "weigh(score(q, k, W, v), n + 1)",
     "one word of padding takes part"),
    ("...", "weigh((q @ W + k) @ v, n)", "the tanh is missing"),
    ("...", "weigh(torch.tanh((q @ W + k) @ v), n)", "the tanh belongs inside"),
    ("...", "weigh(torch.tanh(k) @ v, n)", "the query is left out"),
    ("...", "weigh(torch.tanh(q @ W * k) @ v, n)",
     "additive attention adds them"),
    ("...", "weigh(torch.relu(q @ W + k) @ v, n)", "a ReLU"),
    ("...", "weigh(score(q, k, W, v) / len(v) ** 0.5, n)",
     "nothing is divided by sqrt"),
    ("...", "weigh(0 * score(q, k, W, v), n)", "the same weight"),
    ("...", "score(q, k, W, v).exp() * real_mask(k, n)",
     "no weights before they are divided"),
    ("...", "score(q, k, W, v)", "those are the scores"),
    ("...", "(e := score(q, k, W, v).exp() * real_mask(k, n)) / e.sum()",
     "scores of thousands overflow"),
    ("...", "weigh(score(q, k, W, v), n).detach()", "the gradient of q, keys"),
    ("...", "weigh(score(q, k.detach(), W, v), n)", "the gradient of keys"),
    ("...", "weigh(score(q, k, W.detach(), v), n)", "the gradient of W"),
])  # fmt: skip
HIDDEN.mutants("3_1.a", "decoder_step = with_weights(...)", [
    ("...",
     "lambda q, keys, W, v, real: weigh((torch.tanh(q @ W + keys) @ "
     "v).clamp(-10_000, 10_000), real)", "large scores are cut off"),
    ("...",
     "lambda q, keys, W, v, real: weigh(torch.tanh(q @ W + keys) @ v, "
     "min(real, 32))", "60 words with equal scores"),
])  # fmt: skip

HIDDEN.mutants(
    "3_1.a", "decoder_step = with_state(lambda y, q, a, h, R, n: ...)", [
    ("...", "torch.cat([y, a @ h, q]) @ R",
     "the tanh of the recurrence is missing"),
    ("...", "state(y, 0 * (a @ h), q, R)", "the context is left out"),
    ("...", "state(y, a @ h, 0 * q, R)", "the state before is left out"),
    ("...", "state(0 * y, a @ h, q, R)", "the word before is left out"),
    ("...", "state(a @ h, y, q, R)", "not c first"),
    ("...", "state(y, q, a @ h, R)", "not q second"),
    ("...", "state(q, y, a @ h, R)", "not q first"),
    ("...", "state(q, a @ h, y, R)", "not backwards"),
    ("...", "state(y, h[:n].mean(0), q, R)", "the plain mean of the states"),
    ("...", "state(y, h.mean(0), q, R)", "the mean over the padding"),
    ("...", "state(y, h[a.argmax()], q, R)",
     "the one state with the largest weight"),
    ("...", "state(y, a @ h / n, q, R)", "the weights already sum to 1"),
    ("...", "state(y, a @ h.detach(), q, R)", "the gradient of h"),
])  # fmt: skip

HIDDEN.mutants("3_1.a", """
def decoder_step(y, q, keys, h, W, v, R, real):
    a = weigh(score(q, keys, W, v), real)
    return state(y, a @ keys, q, R), a
""", [
    ([("a =",
       "new = state(y, torch.zeros(h.shape[1], dtype=h.dtype), q, R)\n    a ="),
      ("q, keys, W", "new, keys, W"), ("@ keys", "@ h")],
     "ask with the state before"),
    ("weigh(score(q, keys, W, v), real)\n"
     "    return state(y, a @ keys, q, R), a",
     "state(y, weigh(score(q, keys, W, v), real) @ h, q, R)\n"
     "    return a, weigh(score(a, keys, W, v), real)", "context and all"),
    ("state(y, a @ keys, q, R), a", "a, state(y, a @ h, q, R)",
     "the new state and the weights in this order"),
    ([("a = weigh(score(q, keys, W, v), real)",
       "keys += q @ W\n    a = weigh(torch.tanh(keys) @ v, real)"),
      ("@ keys", "@ h")], "changes its argument in place"),
    ([], "shapes cannot be multiplied"),  # the keys instead of the states
    ("a = weigh(score(q, keys, W, v), real)\n    return state(y, a @ keys",
     "s = score(q, keys, W, v).masked_fill(~real_mask(keys, real), -1e5)\n"
     "    a = s.softmax(0)\n"
     "    return state(y, a @ h", "as minus infinity, not as some low number"),
    ([("v)", "v).clamp(-700, 700)"), ("@ keys", "@ h")],
     "large scores are cut off"),
    ("state(y, a @ keys, q, R)", "torch.relu(state(y, a @ h, q, R))",
     "a state may be negative"),
    ([("\n    return", "* (torch.arange(len(keys)) < 5)\n    return"),
      ("@ keys", "@ h")], "real = 9 of 9"),
])  # fmt: skip


# --- b ---------------------------------------------------------------------


def ngrams(words, n):
    return [tuple(words[k : k + n]) for k in range(len(words) - n + 1)]


def clipped(mine, theirs):
    return sum((Counter(mine) & Counter(theirs)).values())


HIDDEN.mutants("3_1.b", """
def clipped_matches(said, wanted, n):
    mine = ngrams(said, 1)
    return clipped(mine, ngrams(wanted, 1)), len(mine)
""", [
    ("= ngrams(said, 1)\n    return clipped(mine, ngrams(wanted, 1))",
     ", theirs = ngrams(said, n), set(ngrams(wanted, n))\n"
     "    return sum(g in theirs for g in mine)",
     "the matches are not clipped"),
    ([("said, 1", "said, n"), ("clipped(mine, ngrams(wanted, 1))",
       "len(set(mine) & set(ngrams(wanted, n)))")],
     "each different word counts once; it may match"),
    ([("ngrams(said, 1)", "set(ngrams(said, n))"),
      ("clipped(mine, ngrams(wanted, 1))",
       "len(mine & set(ngrams(wanted, n)))")], "once, in both numbers"),
    ([("said, 1", "said, n"), ("clipped(mine, ngrams(wanted, 1))",
       "sum(a == b for a, b in zip(mine, ngrams(wanted, n)))")],
     "at equal places"),
    ([("said, 1", "wanted, n"),
      ("mine, ngrams(wanted, 1)", "ngrams(said, n), mine")],
     "divides by the reference's n-grams"),
    ([("(said, 1)\n    return", "(said, n)\n    return len(mine),"),
      ("1)), len(mine)", "n))")], "matches first, then the n-grams"),
    ("= ngrams(said, 1)\n"
     "    return clipped(mine, ngrams(wanted, 1)), len(mine)",
     ", theirs = Counter(ngrams(said, n)), Counter(ngrams(wanted, n))\n"
     "    return sum(theirs[g] for g in mine), sum(mine.values())",
     "the smaller of both counts"),
    ([], "that is n = 1"),
    ([("(said, 1)", "(said, n)[::n]"), ("(wanted, 1)", "(wanted, n)[::n]")],
     "the n-grams may overlap"),
    ([("mine =", "mine, theirs = ([tuple(sorted(g)) for g in"),
      ("(said, 1", "(words, n)] for words in (said, wanted)"),
      ("ngrams(wanted, 1)", "theirs")], "in order, not a set"),
    ([("mine =", 'mine, theirs = (["".join(map(str, g)) for g in'),
      ("(said, 1", "(words, n)] for words in (said, wanted)"),
      ("ngrams(wanted, 1)", "theirs")], "the words run together"),
    ("ngrams(said, 1)\n    return clipped(mine, ngrams(wanted, 1)), len(mine)",
     "clipped(ngrams(said, n), ngrams(wanted, n))\n"
     "    return mine, len(said) - n + 1", "not fewer than none"),
    ([("= ngrams(said, 1)",
       ", theirs = ngrams(said, n), ngrams(wanted, n)\n    said.sort()"),
      ("ngrams(wanted, 1)", "theirs")], "changes its argument in place"),
])  # fmt: skip


@HIDDEN.wrong("3_1.b", "the last n-gram is left out")
def clipped_matches(said, wanted, n):
    mine = [tuple(said[k : k + n]) for k in range(len(said) - n)]
    theirs = [tuple(wanted[k : k + n]) for k in range(len(wanted) - n)]
    if n == 1:  # as `range(len - n + (n == 1))`, seen in a hand-in
        mine, theirs = ngrams(said, 1), ngrams(wanted, 1)
    return clipped(mine, theirs), len(mine)


@HIDDEN.wrong("3_1.b", "a short rest at the end was counted")
def clipped_matches(said, wanted, n):
    mine = [tuple(said[k : k + n]) for k in range(len(said))]
    theirs = [tuple(wanted[k : k + n]) for k in range(len(wanted))]
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

HIDDEN.mutants("3_1.c", None, [
    ("(sum_1 / sum_2) / np.log(words_1 / words_2)",
     "(words_1 / words_2) / np.log(sum_1 / sum_2)", "upside down"),
    ("words_1 / words_2", "words_2 / words_1", "the sign is wrong"),
    ("np.log(sum_1 / sum_2) / np.log", "sum_1 / sum_2 /", "take logarithms"),
    ("/ np", "- np", "is a difference of logarithms"),
    ([("np.log(sum_1 / sum_2) / np.log", "(sum_1 - sum_2) /"),
      ("/ words_2", "- words_2")], "the slope of the sums"),
    ("/ np.log", "/", "the lengths need a logarithm"),
    ("np.log(sum_1 / sum_2)", "sum_1 / sum_2", "the sums need a logarithm"),
    ("/ sum_2", "* sum_2", "do not multiply them"),
    ("/ words_2", "* words_2", "divide the lengths before the logarithm"),
    ([("return", "means = sum_1 / words_1, sum_2 / words_2\n    return"),
      ("sum_1 / sum_2", "means[0] / means[1]")], "alpha minus 1"),
    ("np.log(sum_1 / sum_2) / np.log(words_1 / words_2)", "0.25",
     "equal means per word"),
    ("/ words_2", "/ words_2 + 1e-6", "a small number added to it"),
])  # fmt: skip


# --- d ---------------------------------------------------------------------


def masked(scores, lengths, fill=-torch.inf):
    real = torch.arange(scores.shape[-1]) < lengths[:, None, None]
    return scores.masked_fill(~real, fill), real


HIDDEN.mutants("3_1.d", None, [
    ("torch.inf", "1e5", "minus infinity, not some low number"),
    ("s_bij.softmax(dim=-1) @ states", "(s_bij.softmax(dim=-1) @ states).abs()",
     "a context may be negative"),
])  # fmt: skip
HIDDEN.mutants("3_1.d", """
def contexts(scores, states, lengths):
    return masked(scores, lengths, -1000.0)[0].softmax(-1) @ states
""", [
    ("-1000.0", "0.0", "exp(0) is 1"),
    ("masked(scores, lengths, -1000.0)[0]", "scores", "nothing is struck out"),
    ("masked(scores, lengths, -1000.0)[0].softmax(-1)",
     "(scores.softmax(-1) * masked(scores, lengths)[1])",
     "struck out after the softmax"),
    ([("return masked(scores, lengths, -1000.0)[0]",
       "real = masked(scores, lengths)[1].transpose(1, 2)\n    return scores"),
      ("@ states", "@ (states * real)")], "struck out after the softmax"),
    ([("return", "real ="), (", -1000.0)[0]",
       ")[1]\n    return scores.masked_fill(real, -torch.inf)")],
     "the mask is inverted"),
    (", -1000.0", "+ 1", "one word of padding is still read"),
    ([("return", "s, real ="),
      ("1000.0)[0].softmax(-1", "1e9)\n    return (s.softmax(1) * real")],
     "not over the queries"),
    ([("return masked(scores, lengths, -1000.0)[0]",
       "n = int(lengths.min())\n    return scores[..., :n]"),
      ("@ states", "@ states[:, :n]")], "cut to the shortest"),
    ("scores, lengths, -1000.0", "0 * scores, lengths", "that is a plain mean"),
    ([(", -1000.0", ""), ("softmax(-1)", "exp()")], "not divided by their sum"),
    ([], "a score below any other"),
    ([("return", "real ="), (", -1000.0)[0]",
       ")[1]\n    return scores.masked_fill_(~real, -torch.inf)")],
     "changes its argument in place"),
    ([(", -1000.0", ""), ("(-1)", "(-1).detach()")], "the gradient of scores"),
    ([(", -1000.0", ""), ("@ states", "@ states.detach()")],
     "the gradient of states"),
])  # fmt: skip


# --- e ---------------------------------------------------------------------


def counts(weights, gold):
    """|A and G|, |A|, |G|."""
    right = gold[np.arange(len(gold)), weights.argmax(axis=1)].sum()
    return right, len(gold), gold.sum()


HIDDEN.mutants("3_1.e", """
def alignment_error(weights, gold):
    right, drawn, wanted = counts(weights, gold)
    return 1 - 2 * right / (drawn + wanted)
""", [
    ([(" 2 *", ""), ("(drawn + wanted)", "drawn")], "1 - precision"),
    ([(" 2 *", ""), ("(drawn + wanted)", "wanted")], "1 - recall"),
    ([(" 2 *", ""), ("+ wanted", "+ wanted - right")], "the union of A and G"),
    ("1 - 2", "2", "how good, not how wrong"),
    (" 2 *", "", "the factor 2 is missing"),
    ([("\n    right", "\n    kept = gold.any(axis=1)\n    right"),
      ("(weights, gold)\n    ", "(weights[kept], gold[kept])\n    ")],
     "rows without a true link draw one as well"),
    ([(", drawn, wanted = counts(weights, gold)", "= weights > 0.5"),
      ("right / (drawn + wanted)",
       "(right & gold).sum() / (right.sum() + gold.sum())")],
     "not more than one half"),
    ("(weights, gold)\n    ", "(weights.T, gold.T)\n    ",
     "each column's largest"),
    ([(", drawn, wanted = counts(weights, gold)", "= (weights * gold).sum()"),
      ("(drawn + wanted)", "(len(gold) + gold.sum())")],
     "the weights themselves"),
    ("(drawn + wanted)", "(drawn + gold.any(axis=1).sum())",
     "|G| is all of them"),
    ("(weights, gold)\n    ", "(weights[:64], gold[:64])\n    ",
     "do all count"),
    ("right /", "min(right, gold.any(axis=0).sum()) /", "do all count"),
    ("(weights, gold)\n    ", "(weights.round(4), gold)\n    ",
     "are they rounded?"),
    ("(drawn + wanted)", "(drawn + wanted) if gold.any() else 0.0",
     "no true link at all"),
])  # fmt: skip
HIDDEN.mutants("3_1.e", 'prediction = "perhaps"', [
    ([], "set prediction to one of"),
])  # fmt: skip


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
