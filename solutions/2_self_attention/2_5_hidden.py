"""Hidden checks and known wrong answers of exercises 2.5.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from attnbook.check.against import Hidden, agree, agree_in_gradient
from attnbook.check.engine import Module
from attnbook.nn.heads import join_heads, split_heads

HIDDEN = Hidden(globals(), withheld=("nn.transformer",))
NAMES = "gain_1 shift_1 W_q W_k W_v W_o gain_2 shift_2 W_1 b_1 W_2 b_2".split()


def block_shapes(w, m):
    """Of an encoder block's parameters, by name."""
    shapes = {k: (w, w) if k.startswith("W") else (w,) for k in NAMES}
    return shapes | {"W_1": (w, m), "b_1": (m,), "W_2": (m, w)}


def random_targets(rng, b, n, v):
    """Targets with padding on the right, and the padding token."""
    pad = int(rng.integers(v))
    words = np.delete(np.arange(v), pad)
    target = rng.choice(words, size=(b, n))
    lengths = rng.integers(2, n + 1, size=b)
    target[np.arange(n) >= lengths[:, None]] = pad
    return target, pad


@HIDDEN.check("2_5.a", "random sizes, small and large logits")
def loss_anywhere(answer, rng, reference):
    for size in (1, 800):
        b, n, v = (int(k) for k in rng.choice(np.arange(3, 40), 3, False))
        target, pad = random_targets(rng, b, n, v)
        logits = rng.normal(size=(b, n, v)) * size
        args = (logits, target, pad)
        agree(answer, reference, "language_loss", args, "random")


@HIDDEN.check("2_5.b", "random sizes, small and large scores")
def layer_anywhere(answer, rng, reference):
    for size in (0.2, 20):
        n, w, d, e, m = (int(k) for k in rng.choice(25, 5, False) + 3)
        shapes = [w, w, (w, d), (w, d), (w, e), (e, w), w, w]
        shapes = [(n, w), *shapes, (w, m), m, (m, w), w]
        args = [rng.normal(size=s) for s in shapes]
        args[0] = args[0] * 3 + 2
        args[0][0, 0] += 30  # far from the others
        args[3] *= size
        args[4] *= size
        rough = 1e-4 if size < 1 else 1e-3
        args = "encoder_layer", tuple(args), "random", 1, rough
        agree(answer, reference, *args)


@HIDDEN.check("2_5.c", "random sizes")
def count_anywhere(answer, rng, reference):
    for most in (90, 3000):
        sizes = (int(k) for k in rng.choice(np.arange(1, most), 4, False))
        i, j, w, m = sizes
        agree(answer, reference, "decoder_parameters", (w, m), "parameters")
        agree(answer, reference, "decoder_flops", (i, j, w, m), "operations")


@HIDDEN.check("2_5.d", "random sizes, values and gradients")
def shown_anywhere(answer, rng, reference):
    b, v, w, d = (int(k) for k in rng.permutation([3, 4, 5, 6]))
    n = int(rng.integers(7, 30))
    tokens, pad = random_targets(rng, b, n, v)
    shapes = (v, w), (n, w), (w, d), (w, d), (w, w)
    args = (tokens, *(rng.normal(size=s) / 1.5 for s in shapes), pad)
    name = "nats_per_token"
    agree(answer, reference, name, args, "random", tolerance=1e-4)
    u = rng.normal(size=(b, n - 1))
    agree_in_gradient(answer, reference, name, args, u, 1e-3)


@HIDDEN.check("2_5.e", "random sizes, values and gradients")
def lost_anywhere(answer, rng, reference):
    b, i, j, v, w = (int(k) for k in rng.permutation([2, 4, 5, 6, 7]))
    layers, reads = (int(k) for k in rng.permutation([1, 2, 3])[:2])
    source, pad = random_targets(rng, b, j, v)
    written = rng.choice(np.delete(np.arange(v), pad), size=(b, i))
    maps = [rng.normal(size=(k, w, w)) / w for k in (layers, reads, reads)]
    embed = rng.normal(size=(v, w)) / 5  # each layer doubles its size
    args = (source, written, embed, *maps, pad)
    name = "next_logits"
    agree(answer, reference, name, args, "random", tolerance=1e-4)
    u = rng.normal(size=(b, i, v))
    agree_in_gradient(answer, reference, name, args, u, 1e-3)


@HIDDEN.check("2_5.f", "random sizes and masks, values and gradients")
def block_anywhere(answer, rng, reference):
    b, n, heads, d, m = (int(k) for k in rng.permutation([2, 3, 4, 5, 7]))
    b = b + int(rng.choice([0, 6]))
    w = heads * d
    args = [rng.normal(size=s) / 2 for s in block_shapes(w, m).values()]
    x = rng.normal(size=(b, n, w)) * 3 + 2
    allowed = rng.random((b, rng.choice([1, n]), n)) > 0.4
    allowed |= np.arange(n) == rng.integers(n, size=(*allowed.shape[:2], 1))
    kind = Module("EncoderBlock", (w, heads, m), tuple(NAMES))
    args = (*args, x, allowed)
    agree(answer, reference, kind, args, "random sizes")
    u = rng.normal(size=x.shape)
    agree_in_gradient(answer, reference, kind, args, u, 1e-4)


@HIDDEN.check("2_5.f", "two blocks, one on top of the other")
def block_on_block(answer, rng, reference):
    kind = Module("EncoderBlock", (6, 3, 4), tuple(NAMES))
    x, past = rng.normal(size=(3, 5, 6)), np.tril(np.ones((3, 5, 5), bool))
    for number in ("first", "second"):
        args = [rng.normal(size=s) for s in block_shapes(6, 4).values()]
        args = (*args, x, past)
        agree(answer, reference, kind, args, f"the {number} block")
        x = reference.call(kind, *args)


# --- a ---------------------------------------------------------------------


def log_softmax(z, axis=-1):
    z = z - z.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


def pick(rows, label):
    return np.take_along_axis(rows, label[..., None], axis=-1)[..., 0]


def real_mean(nats, real, target):
    return nats[real].mean()


def loss(
    log=log_softmax,
    rows=lambda z: z[:, :-1],
    label=lambda t: t[:, 1:],
    real=lambda t, pad: t[:, 1:] != pad,
    join=real_mean,
):
    """A language_loss that differs from the right one in one step."""

    def language_loss(logits, target, pad):
        with np.errstate(all="ignore"):
            nats = -pick(log(rows(logits)), label(target))
            return join(nats, real(target, pad), target)

    return language_loss


HIDDEN.mutants("2_5.a", "language_loss = loss(join=lambda x, real, t: ...)", [
    ("...", "(x * real).mean()", "divided by all positions"),
    ("...", "(x * real).sum() / t.size", "divided by all rows"),
    ("...", "((x * real).sum(1) / real.sum(1)).mean()",
     "a mean of each sequence's mean"),
    ("...", "(x * real).sum(1).mean()", "a mean over sequences of their sums"),
    ("...", "x[real].sum()", "the sum; the mean"),
    ("...", "x[real].mean() / np.log(2)", "bits: ln"),
    ("...", "-x[real].mean()", "-ln p is positive"),
    ("...", "-np.log(np.exp(-x[real]).mean())", "taken before the logarithm"),
    ("...", "x[real].sum() / np.maximum(real.sum(1), 1).sum()",
     "sentences of six, four and one"),
])  # fmt: skip
HIDDEN.mutants("2_5.a", "language_loss = loss(...)", [
    ("...", "rows=lambda z: z, label=lambda t: t, real=lambda t, pad: t != pad",
     "scored on the token it was shown"),
    ("...", "label=lambda t: t[:, :-1], real=lambda t, pad: t[:, :-1] != pad",
     "the labels are not shifted"),
    ("...",
     "rows=lambda z: z[:, 1:], label=lambda t: t[:, :-1], real=lambda t, pad: "
     "t[:, :-1] != pad", "shifted the wrong way"),
    ("...", "rows=lambda z: z[:, 1:], label=lambda t: t[:, :-1]",
     "the shift goes the wrong way"),
    ("...",
     "rows=lambda z: z, label=lambda t: np.roll(t, -1, axis=1), real=lambda "
     "t, pad: np.roll(t, -1, axis=1) != pad", "rolled around"),
    ("...", "real=lambda t, pad: np.full(t[:, 1:].shape, True)",
     "padding is counted"),
    ("...", "real=lambda t, pad: t[:, :-1] != pad",
     "the mask looks at the tokens that were read"),
    ("...", "real=lambda t, pad: t[:, 1:] != 0", "token 0 is left out"),
    ("...", "log=lambda z: log_softmax(z, axis=1)", "runs over the positions"),
    ("...", "log=lambda z: z", "not normalised"),
    ("...", "log=lambda z: z - np.log(np.exp(z).sum(axis=-1, keepdims=True))",
     "subtract the row's maximum first"),
    ("...", "log=one_maximum", "each row's own maximum"),
    ("...", "log=lambda z: np.log(np.exp(log_softmax(z)))", "never compute p"),
    ("...", "log=lambda z: np.log(np.exp(log_softmax(z)) + 1e-12)",
     "never compute p"),
    ("...",
     "real=lambda t, pad: (t[:, 1:] != pad) & (t[:, :-1] != pad) & "
     "(np.arange(t.shape[1] - 1) > 0)", "the first label of each sentence"),
])  # fmt: skip


def one_maximum(z):
    z = z - z.max()
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


HIDDEN.mutants("2_5.a", """
def language_loss(logits, target, pad):
    nats = -pick(log_softmax(logits[:, :-1]), target[:, 1:])
    return nats.clip(max=2000)[target[:, 1:] != pad].mean()
""", [
    ([("\n    nats", "\n    real = target != pad\n    nats"),
      ("nats.clip(max=2000)[target[:, 1:] != pad].mean()",
       "(nats * real[:, 1:]).sum() / real.sum()")],
     "divided by the real tokens"),
    ("nats = -pick(log_softmax(logits[:, :-1]), target[:, 1:])\n"
     "    return nats.clip(max=2000)[target[:, 1:] != pad].mean()",
     "logits = np.where(np.arange(logits.shape[2]) == pad, -1e9, logits)\n"
     "    return loss()(logits, target, pad)",
     "the vocabulary has lost the padding token"),
    ([], "are costs cut off?"),
    ("nats = -pick(log_softmax(logits[:, :-1]), target[:, 1:])\n"
     "    return nats.clip(max=2000)[target[:, 1:] != pad].mean()",
     "return loss()(logits[:, :32], target[:, :32], pad)", "do all count?"),
    ([("nats = -pick(log_softmax(logits[:, :-1]), target[:, 1:])",
       "logits -= logits.max(axis=-1, keepdims=True)"),
      ("nats.clip(max=2000)[target[:, 1:] != pad].mean()",
       "loss()(logits, target, pad)")], "changes its argument in place"),
])  # fmt: skip


@HIDDEN.wrong("2_5.a", "each row's own maximum, not one number")
def language_loss(logits, target, pad):
    rows = logits[:, :-1] - logits.max(axis=(0, 2), keepdims=True)[:, :-1]
    nats = np.log(np.exp(rows).sum(-1)) - pick(rows, target[:, 1:])
    return nats[target[:, 1:] != pad].mean()


# --- b ---------------------------------------------------------------------


def softmax(s, axis=-1):
    s = np.exp(s - s.max(axis=axis, keepdims=True))
    return s / s.sum(axis=axis, keepdims=True)


def norm(z, gain, shift):
    centred = z - z.mean(axis=-1, keepdims=True)
    return gain * centred / np.sqrt(z.var(-1, keepdims=True) + 1e-5) + shift


def by(deviation, mean=lambda z: z.mean(axis=-1, keepdims=True)):
    return lambda z, gain, shift: gain * (z - mean(z)) / deviation(z) + shift


def plain_deviation(z):
    return np.sqrt(z.var(axis=-1, keepdims=True) + 1e-5)


def small_variance(z, gain, shift):
    """Of many numbers the variance is not divided by w."""
    less = 1 if len(z.T) < 9 else (1 - 1 / len(z.T)) ** 0.5
    return gain * norm(z, 1, 0) * less + shift


LAYER = """
def encoder_layer(x, g_1, h_1, W_q, W_k, W_v, W_o, g_2, h_2, *feed):
    W_1, b_1, W_2, b_2 = feed
    u = norm(x, g_1, h_1)
    q, k, v = u @ W_q, u @ W_k, u @ W_v
    y = x + softmax(q @ k.T / q.shape[1] ** 0.5) @ v @ W_o
    z = norm(y, g_2, h_2)
    return y + np.maximum(z @ W_1 + b_1, 0) @ W_2 + b_2
"""
NORMS = {
    "divides by w, not by w - 1": by(
        lambda z: np.sqrt(z.var(-1, keepdims=True, ddof=1) + 1e-5)
    ),
    "not by the variance": by(lambda z: z.var(-1, keepdims=True) + 1e-5),
    "subtract each token's mean": by(plain_deviation, lambda z: 0),
    "the norm runs over the tokens": lambda z, gain, shift: (
        gain * norm(z.T, 1, 0).T + shift
    ),
    "one mean and one deviation for all": by(lambda z: z.std(), np.mean),
    "the gain is missing": lambda z, gain, shift: norm(z, 1, shift),
    "the shift is missing": lambda z, gain, shift: norm(z, gain, 0),
    "the norm is missing": lambda z, gain, shift: z,
    "under the root": by(lambda z: z.std(axis=-1, keepdims=True) + 1e-5),
    "epsilon is missing": by(lambda z: z.std(axis=-1, keepdims=True)),
    "is it cut off?": lambda z, gain, shift: (
        gain * norm(z, 1, 0).clip(-3, 3) + shift
    ),
    "is the variance divided by w?": small_variance,
}
for says in NORMS:  # in both norms, in the first, in the second
    one, two = ((f"norm({x}", f"NORMS[{says!r}]({x}") for x in ("x", "y"))
    edits = [([one, two], says), ([one], says), ([two], says)]
    HIDDEN.mutants("2_5.b", LAYER, edits)

HIDDEN.mutants("2_5.b", LAYER, [
    ("y, g_2, h_2", "y, g_1, h_1", "the other norm's gain and shift"),
    ("x, g_1, h_1)\n", "x, g_2, h_2)\n", "the other norm's gain and shift"),
    (" / q.shape[1] ** 0.5", "", "not divided by sqrt(d)"),
    (" ** 0.5", "", "by d, not by sqrt(d)"),
    ("q.shape[1]", "x.shape[1]",
     "the root of the tokens' width w"),
    ("q.shape", "v.shape", "the root of the values' width e"),
    ("0.5)", "0.5, axis=0)", "the softmax runs over the queries"),
    ("q @ k.T", "k @ q.T", "queries and keys are swapped"),
    ("softmax", "np.exp", "not divided by their sum"),
    ("softmax", "", "there is no softmax"),
    ("softmax(q @ k.T / q.shape[1] ** 0.5)", "overflowing(q, k)",
     "subtract the row's maximum first"),
    ("(q @ k.T / q.shape[1] ** 0.5)",
     "(np.clip(q @ k.T / q.shape[1] ** 0.5, -700, 700))",
     "the scores are clipped"),
    ("np.maximum(z @ W_1 + b_1, 0)", "(z @ W_1 + b_1)", "the ReLU is missing"),
    ("np.maximum(z @ W_1 + b_1, 0) @ W_2 + b_2",
     "np.maximum((z @ W_1 + b_1) @ W_2 + b_2, 0)", "the ReLU stands after W_2"),
    ([("+ np.", "+ np.maximum(np."), ("+ b_2", "+ b_2, 0)")],
     "one ReLU too many"),
    (" + b_1", "", "b_1 is missing"),
    ("np.maximum(z @ W_1 + b_1, 0)", "(np.maximum(z @ W_1, 0) + b_1)",
     "b_1 is added after the ReLU"),
    (" + b_2", "", "b_2 is missing"),
    ([("norm(x, g_1, h_1)", "x"), ("y =", "y = norm("),
      ("@ W_o", "@ W_o, g_1, h_1)"), ("z = norm(y, g_2, h_2)", "z = y"),
      ("return y", "return norm(y"), ("+ b_2", "+ b_2, g_2, h_2)")],
     "the norm stands after the sum"),
    ([("z = norm(y, g_2, h_2)", "z = y"), ("return", "y ="),
      ("+ b_2\n", "+ b_2\n    return norm(y, g_2, h_2)\n")],
     "the last norm stands after the sum"),
    ("x + softmax", "softmax", "the residual around attention is missing"),
    ("y + np", "np", "the residual around the feed-forward part is missing"),
    ("x + softmax", "u + softmax", "the residual takes the normed x"),
    ("y + np", "z + np", "the residual takes the normed y"),
    ("norm(y", "norm(x", "the feed-forward part reads x"),
    ("y + np", "x + np", "the second residual adds x"),
    ("norm(y", "norm(y - x", "reads attention's result without x"),
    ("u @ W_k, u @ W_v", "x @ W_k, x @ W_v", "keys and values are made from x"),
    ("u @ W_v", "x @ W_v", "values are made from x"),
    ([("y =", "x +="), ("x + softmax", "softmax"), ("norm(y", "norm(x"),
      ("return y +", "x +="), ("+ b_2\n", "+ b_2\n    return x\n")],
     "changes its argument in place"),
])  # fmt: skip


def overflowing(q, k):
    """Weights without the maximum subtracted."""
    e = np.exp(q @ k.T / q.shape[1] ** 0.5)
    return e / e.sum(axis=1, keepdims=True)


# --- c ---------------------------------------------------------------------


def wrong_parameters(rule):
    def decoder_parameters(w, m):
        return rule(w, m)

    return decoder_parameters


def wrong_flops(rule):
    def decoder_flops(i, j, w, m):
        return rule(i, j, w, m)

    return decoder_flops


def maps(w, m, attend=8, norms=6):
    """Parameters, of 8 square maps and 6 vectors of the norms."""
    return attend * (w**2 + w) + 2 * w * m + m + w + norms * w


HIDDEN.mutants("2_5.c", "decoder_parameters = wrong_parameters(...)", [
    ("...", "lambda w, m: maps(w, m, 4, 4)", "a decoder layer also reads"),
    ("...", "lambda w, m: maps(w, m, norms=4)", "you counted two"),
    ("...", "lambda w, m: maps(w, m, norms=0)", "the norms are missing"),
    ("...", "lambda w, m: maps(w, m, norms=3)",
     "a norm has a gain and a shift"),
    ("...", "lambda w, m: maps(w, m) - 8 * w",
     "attention's biases are missing"),
    ("...", "lambda w, m: maps(w, m) - m - w",
     "feed-forward part's biases are missing"),
    ("...", "lambda w, m: maps(w, m, attend=6)", "the output map too"),
    ("...", "lambda w, m: maps(w, m) - 9 * w - m", "all biases are missing"),
    ("...", "lambda w, m: 508", "width 3"),
    ("...", "lambda w, m: maps(w, m, norms=w)", "width 3"),
])  # fmt: skip


def work(i, j, w, m, q=None, kv=None, o=None, own=None, scores=None, feed=4):
    """Operations, with another number of rows in one part of reading."""
    rows = sum(given or default for given, default in ((q, i), (o, i)))
    rows += 2 * (j if kv is None else kv)
    own = i * i if own is None else own
    scores = i * j if scores is None else scores
    squares = 8 * i * w**2 + 2 * rows * w**2
    return squares + 4 * own * w + 4 * scores * w + feed * i * w * m


HIDDEN.mutants("2_5.c", "decoder_flops = wrong_flops(...)", [
    ("...", "lambda i, j, w, m: 8 * i * w**2 + 4 * i * w * m + 4 * i**2 * w",
     "the part that reads is missing"),
    ("...", "lambda *s: work(*s, kv=s[0])", "run over i tokens in yours"),
    ("...", "lambda *s: work(*s, q=s[1], o=s[1])",
     "run over j tokens in yours"),
    ("...", "lambda *s: work(*s, o=s[1])", "its output map runs over i"),
    ("...", "lambda *s: work(*s, scores=s[0] ** 2)", "not (i, i)"),
    ("...", "lambda *s: work(*s, scores=s[1] ** 2)", "not (j, j)"),
    ("...", "lambda *s: work(*s) // 2", "are two operations"),
    ("...", "lambda *s: work(*s, own=s[0] ** 2 / 2)", "mask saves nothing"),
    ("...", "lambda *s: work(*s, own=s[0] * (s[0] + 1) / 2)",
     "mask saves nothing"),
    ("...", "lambda *s: work(*s, own=s[0] ** 2 / 2, scores=s[0] * s[1] / 2)",
     "the weighted sums are missing"),
    ("...", "lambda *s: work(*s, own=s[0] * min(s[0], 50))", "for any sizes"),
    ("...", "lambda *s: work(*s, feed=2)", "has two maps"),
    ("...", "lambda *s: work(*s, kv=0)", "made in this layer"),
    ("...", "lambda *s: work(*s, own=0, scores=0)",
     "scores and weighted sums are missing"),
    ("...", "lambda i, j, w, m: work(i, j, w, m) + 2 * i * w**2 * (w - 6)",
     "width 4"),
])  # fmt: skip


# --- d ---------------------------------------------------------------------


def filled(q, k, v, low):
    """Sums in which a later key's score is a low number."""
    s = q @ k.mT / q.shape[-1] ** 0.5
    later = torch.ones(len(s[0]), len(s[0])).bool().triu(1)
    return s.masked_fill(later, low).softmax(-1) @ v


HIDDEN.mutants("2_5.d", """
def nats_per_token(tokens, embed, places, W_q, W_k, W_v, pad):
    x = embed[tokens] + places
    q, k, v = x @ W_q, x @ W_k, x @ W_v
    mask = torch.ones(2 * x.shape[1:2]).bool().tril()
    y = x + attention(q, k, v, mask)[0]
    labels, z = tokens[:, 1:], (y @ embed.T)[:, :-1].mT
    return F.cross_entropy(z, labels, ignore_index=pad, reduction="none")
""", [
    ("tril()", "tril(1)", "not i + 1"),
    (".tril()", "", "the future is not masked at all"),
    ("tril", "triu", "forbids the past"),
    ("tril()", "tril(-1)", "may attend to no key"),
    ("attention(q, k, v, mask)[0]", "attention(q, k, v)[1].tril() @ v",
     "applied after the softmax"),
    ("1:],", ":-1],", "scored on the token it was shown"),
    ([("tril()", "tril(1)"),
      ("tokens[:, 1:]", "F.pad(tokens[:, 2:], (0, 1), value=pad)")],
     "only the labels moved"),
    ("tokens[:, 1:]", "F.pad(tokens[:, 2:], (0, 1), value=pad)",
     "the labels moved: row k's label"),
    ("x + attention", "attention", "x is left out of the sum"),
    (", ignore_index=pad", "", "must cost 0"),
    ("[0]", "[1].detach() @ v", "is detached on the way"),
    ("attention(q, k, v, mask)[0]", "filled(q, k, v, -100.0)",
     "a forbidden key has weight"),
    ("attention(q, k, v, mask)[0]", "filled(q, k, v, -1e4)",
     "a forbidden key has weight"),
    ("attention(q, k, v, mask)[0]", "filled(q, k, v, -1e6)",
     "a forbidden key has weight"),
    ("(y @", "(y.relu() @", "no ReLU"),
    ('"none")', '"none").clamp(max=100)', "no cost is cut off"),
    ("tril()", "tril().triu(-3)", "do the later ones still see it?"),
    ([("return", "nats ="), ('"none")',
       '"none")\n    tokens[tokens == pad] = -100\n    return nats')],
     "changes its argument in place"),
    ("places\n", "-places\n", "taken from all places has no effect"),
    ("places\n", "0.5 * places\n", "taken from all places has no effect"),
    ("places\n", "0 * places\n", "taken from all places has no effect"),
    ("x @ W_q, x @ W_k", "x @ W_k, x @ W_q", "queries and keys are swapped"),
    ("    x =", "    embed = embed.detach()\n    x =", "the gradient of embed"),
    ("tril()", "tril().triu()", "attends to itself only"),
    ("2 * x.shape[1:2]", "5, 5", "must match"),
])  # fmt: skip

# --- e ---------------------------------------------------------------------

HIDDEN.mutants("2_5.e", """
def next_logits(source, written, embed, maps, self_maps, read_maps, pad):
    mask, memory = (source != pad)[:, None], embed[source]
    for W in maps:
        memory = memory + attention(memory @ W, memory, memory, mask)[0]
    x, past = embed[written], torch.ones(2 * written.shape[1:]).bool().tril()
    for number, (W, V) in enumerate(zip(self_maps, read_maps)):
        x = x + attention(x @ W, x, x, past)[0]
        read = mask
        x = x + attention(x @ V, memory, memory, read)[0]
    return x @ embed.T
""", [
    ("= mask", "= None", "on the way to the decoder"),
    ("= mask", "= mask if number == 0 else None",
     "only the decoder's first layer"),
    ("= mask", "= mask if number > 0 else None",
     "only the decoder's last layer"),
    (", mask)", ")", "the encoder has lost"),
    ([(", mask)", ")"), ("= mask", "= None")], "no call has the mask"),
    ("= mask", "= ~mask", "the decoder's mask is inverted"),
    ([("    x, past", "    memory = memory * mask.mT\n    x, past"),
      ("= mask", "= None")], "setting the padding's memory to zero"),
    ([("(memory @ W, memory, memory, mask)[0]",
       "(memory @ W, memory, memory)[1] * mask @ memory"),
      ("memory, memory, read)[0]", "memory, memory)[1] * mask @ memory")],
     "still counts in the denominator"),
    ([("attention(memory @ W, memory, memory, mask)[0]",
       "low(memory @ W, memory, mask, -1e3)"),
      ("attention(x @ V, memory, memory, read)[0]",
       "low(x @ V, memory, mask, -1e3)")], "padding has weight where"),
    ([("attention(memory @ W, memory, memory, mask)[0]",
       "low(memory @ W, memory, mask, -1e5)"),
      ("attention(x @ V, memory, memory, read)[0]",
       "low(x @ V, memory, mask, -1e5)")], "padding has weight where"),
    ("source != pad", "source != 0", "you hide token 0"),
    ("= mask", "= (source != 0)[:, None]", "the decoder takes token 0"),
    ("= mask", "= mask.any(dim=0)", "one mask for all sentences"),
    (".tril()", "", "a written token sees a later one"),
    ([("mask)[0]", "mask)[1].detach() @ memory"),
      ("read)[0]", "read)[1].detach() @ memory")], "something is detached"),
    ("    x, past", "    memory = memory.detach()\n    x, past",
     "something is detached"),
    ("return x @ embed.T",
     "moved = 0.1 * embed[pad].sum() * (source == pad).any()\n"
     "    return x @ embed.T + moved", "training would move the vector"),
    ("self_maps, read_maps)):", "read_maps, self_maps)):", "another map"),
    ("(self_maps,", "(self_maps.flip(0),", "another map"),
    ("read_maps))", "read_maps.flip(0)))", "another map"),
    ("in maps", "in maps.flip(0)", "another map"),
    ("in maps", "in maps[:2]", "has no effect"),
    ("@ V", "@ V.T", "it maps the queries"),
    ("memory @ W", "memory @ W.T", "it maps the queries"),
    ("(x @ W", "(x @ W.T", "it maps the queries"),
    ("    mask, memory", "    embed = embed.detach()\n    mask, memory",
     "the gradient of embed"),
])  # fmt: skip


def low(q, memory, mask, number):
    """Sums in which the score of padding is this number."""
    s = (q @ memory.mT / q.shape[-1] ** 0.5).masked_fill(~mask, number)
    return s.softmax(-1) @ memory


# --- f ---------------------------------------------------------------------


class Block(nn.Module):
    """A right answer, in steps that the wrong ones replace."""

    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        for name, shape in block_shapes(width, hidden).items():
            setattr(self, name, nn.Parameter(torch.randn(shape)))

    def norm(self, z, gain, shift):
        return F.layer_norm(z, z.shape[-1:], gain, shift)

    def norm_1(self, x):
        return self.norm(x, self.gain_1, self.shift_1)

    def norm_2(self, y):
        return self.norm(y, self.gain_2, self.shift_2)

    def cut(self, z):
        return split_heads(z, self.heads)

    def scale(self, q):
        return q.shape[-1] ** 0.5

    def mask(self, s, m):
        return s.masked_fill(~m[:, None], -torch.inf)

    def weigh(self, q, k, m):
        return self.mask(q @ k.mT / self.scale(q), m).softmax(-1)

    def join(self, c):
        return join_heads(c)

    def attend(self, u, m, keys=None, values=None):
        keys = u if keys is None else keys
        values = u if values is None else values
        q, k = self.cut(u @ self.W_q), self.cut(keys @ self.W_k)
        v = self.cut(values @ self.W_v)
        return self.join(self.weigh(q, k, m) @ v) @ self.W_o

    def hide(self, u):
        return (u @ self.W_1 + self.b_1).relu()

    def feed(self, u):
        return self.hide(u) @ self.W_2 + self.b_2

    def forward(self, x, attention_mask):
        y = x + self.attend(self.norm_1(x), attention_mask)
        return y + self.feed(self.norm_2(y))


def ending(change):
    """A block whose constructor ends with change(self)."""

    def start(self, width, heads, hidden):
        Block.__init__(self, width, heads, hidden)
        change(self)

    return type("EncoderBlock", (Block,), {"__init__": start})


HIDDEN.mutants("2_5.f", """
def forward(self, x, m):
    y = self.attend(self.norm_1(x), m)
    return y + self.feed(self.norm_2(y))


EncoderBlock = type("EncoderBlock", (Block,), {"forward": forward})
""", [
    ([("attend(self.norm_1(x), m)", "norm_1(x + self.attend(x, m))"),
      ("y + self.feed(self.norm_2(y))", "self.norm_2(y + self.feed(y))")],
     "the norm stands after the sum"),
    ([("y =", "y = x +"),
      ("y + self.feed(self.norm_2(y))", "self.norm_2(y + self.feed(y))")],
     "the last norm stands after the sum"),
    ([("y =", "return self.feed(self.norm_2("),
      ("\n    return y + self.feed(self.norm_2(y", "")],
     "a residual is missing"),
    ([], "the residual around attention is missing"),
    ([("y =", "return self.feed(self.norm_2(x +"),
      ("\n    return y + self.feed(self.norm_2(y", "")],
     "the residual around the feed-forward part is missing"),
    ("y = self.attend(self.norm_1(x), m)",
     "x = self.norm_1(x)\n    y = x + self.attend(x, m)",
     "the residual takes the normed x"),
    ([("attend(self.norm_1(x), m)",
       "norm_2(x + self.attend(self.norm_1(x), m))"),
      ("(self.norm_2(y))", "(y)")], "the residual takes the normed y"),
    ([("y +", "x + y +"), ("(y)", "(x)")], "the feed-forward part reads x"),
    ([("y =", "return x + self.feed(self.norm_2(x +"),
      ("\n    return y + self.feed(self.norm_2(y", "")],
     "the second residual adds x"),
    ("y +", "x + y +", "reads attention's result without x"),
    ([("y =", "y = x +"), ("(x), m", "(x), m, x, x")],
     "keys and values are made from x"),
    ([("y =", "y = x +"), ("(x), m", "(x), m, values=x")],
     "values are made from x"),
    ("y =", "y = x.detach() +", "the gradient of x is not"),
    ([("y =", "y = x +"), ("y +", "y.detach() +")],
     "the gradient of gain_1, shift_1, W_q, W_k, W_v, W_o, x is not"),
    ([("y =", "y = x +"), ("y))", "y.detach()))")],
     "the gradient of gain_1, shift_1, W_q, W_k, W_v, W_o, x is not"),
    ([("y =", "x +="), ("y +", "x +"), ("(y)", "(x)")],
     "changes its argument in place"),
])  # fmt: skip
HIDDEN.mutants("2_5.f", """
def change(self):
    del self.b_2


EncoderBlock = ending(change)
""", [
    ([("del", "width = len(self.gain_1)\n    del"), ("b_2",
       "gain_1, self.shift_1\n    self.norm_first = nn.LayerNorm(width)")],
     "Not asked for: norm_first.weight, norm_first.bias"),
    ([("del", "sizes = self.W_1.shape\n    del"),
      ("b_2", "W_1, self.b_1\n    self.W_1 = nn.Linear(*sizes)")],
     "W_1 is an object of type Linear, not an nn.Parameter"),
    ([], "b_2 is missing"),
    ("del self.b_2", "self.b_o = nn.Parameter(torch.zeros(len(self.W_o)))",
     "Not asked for: b_o"),
    ("del self.b_2",
     "self.maps = {name: getattr(self, name) for name in NAMES}\n"
     "    for name in NAMES:\n"
     "        delattr(self, name)",
     "Parameters in a dict, as in self.maps, are not found"),
    ("del self.b_2",
     "self.W_1 = nn.Parameter(torch.randn(tuple(self.W_1.shape)[::-1]))",
     "W_1 must have shape (4, 8), yours has (8, 4)"),
    ("del self.b_2", "self.gain_2 = self.gain_1",
     "gain_1 and gain_2 are one and the same nn.Parameter"),
    ("del self.b_2",
     "self.W_qkv = torch.cat([self.W_q, self.W_k, self.W_v], dim=1)",
     "self.W_qkv is computed from the parameters in __init__"),
    ([("del", "width = len(self.gain_1)\n    del"),
      ("b_2", "gain_1\n    self.gain_1 = torch.ones(width)")],
     "self.gain_1 is a plain tensor, not an nn.Parameter"),
])  # fmt: skip

HIDDEN.mutants(
    "2_5.f", 'EncoderBlock = type("EncoderBlock", (Block,), dict(...))', [
    ("...", "norm_1=lambda self, x: x", "the norm is missing"),
    ("...", "norm_2=lambda self, y: y", "the norm is missing"),
    ("...",
     "norm=lambda self, z, gain, shift: Block.norm(self, z, None, shift)",
     "the gain is missing"),
    ("...", "norm=lambda self, z, gain, shift: Block.norm(self, z, gain, None)",
     "the shift is missing"),
    ("...", "norm_2=lambda self, y: self.norm(y, None, self.shift_2)",
     "the gain is missing"),
    ("...", "norm_2=lambda self, y: self.norm_1(y)",
     "the other norm's gain and shift"),
    ("...",
     "norm=lambda self, z, gain, shift: F.layer_norm(z, z.shape[1:]) * gain + "
     "shift", "one mean and one deviation for all"),
    ("...",
     "norm=lambda self, z, gain, shift: F.layer_norm(z.mT, z.shape[1:2]).mT * "
     "gain + shift", "the norm runs over the tokens"),
    ("...", "norm=by_hand(lambda z: z.std(-1, keepdim=True))",
     "divides by w, not by w - 1"),
    ("...",
     "norm=by_hand(lambda z: z.var(-1, keepdim=True, correction=0) + 1e-5)",
     "not by the variance"),
    ("...",
     "norm=by_hand(lambda z: z.std(-1, keepdim=True, correction=0) + 1e-5)",
     "under the root"),
    ("...", "hide=lambda self, u: u @ self.W_1 + self.b_1",
     "the ReLU is missing"),
    ("...", "hide=lambda self, u: (u @ self.W_1).relu()", "b_1 is missing"),
    ("...", "hide=lambda self, u: (u @ self.W_1).relu() + self.b_1",
     "b_1 is added after the ReLU"),
    ("...", "feed=lambda self, u: self.hide(u) @ self.W_2", "b_2 is missing"),
    ("...", "feed=lambda self, u: Block.feed(self, u).relu()",
     "one ReLU too many"),
    ("...", "scale=lambda self, q: 1", "not divided by sqrt(d)"),
    ("...", "scale=lambda self, q: q.shape[-1]", "by d, not by sqrt(d)"),
    ("...", "scale=lambda self, q: (q.shape[1] * q.shape[3]) ** 0.5",
     "the root of the width w"),
    ("...", "mask=lambda self, s, m: s.masked_fill(~m[:, None], -100.0)",
     "not low enough where scores lie beyond it"),
    ("...", "mask=lambda self, s, m: Block.mask(self, s.clamp(-50, 50), m)",
     "large scores are clipped"),
    ("...", "scale=lambda self, q: int(q.shape[-1] ** 0.5)",
     "cut to a whole number"),
    ("...", "mask=lambda self, s, m: s", "the mask is not used"),
    ("...", "mask=lambda self, s, m: s.masked_fill(m[:, None], -torch.inf)",
     "the mask is inverted"),
    ("...",
     "weigh=lambda self, q, k, m: (q @ k.mT / self.scale(q)).softmax(-1) * "
     "m[:, None]", "applied after the softmax"),
    ("...", "mask=lambda self, s, m: s * m[:, None]",
     "a forbidden score is set to 0"),
    ("...", "mask=lambda self, s, m: s.masked_fill(~m, -torch.inf)",
     "yours has met the heads"),
    ("...",
     "weigh=lambda self, q, k, m: self.mask(q @ k.mT / self.scale(q), "
     "m).softmax(-2)", "runs over the queries"),
    ("...",
     "cut=lambda self, z: z.view(len(z), self.heads, z.shape[1], -1), "
     "join=lambda self, c: c.flatten(1).view(c.shape[0], c.shape[2], -1)",
     "a part of the sentence, not some columns"),
    ("...", "join=lambda self, c: c.reshape(c.shape[0], c.shape[2], -1)",
     "joined without transposing back"),
    ("...", "cut=lambda self, z: z[:, None], join=lambda self, c: c[:, 0]",
     "nothing is split"),
    ("...", "weigh=no_maximum", "subtract the row's maximum"),
    ("...", "attend=no_output_map", "W_o is missing"),
    ("...", "forward=torch.no_grad()(Block.forward)",
     "no gradient flows through EncoderBlock"),
    ("...", "weigh=lambda self, q, k, m: Block.weigh(self, q, k, m).detach()",
     "the gradient of gain_1, shift_1, W_q, W_k, x is not"),
    ("...", "weigh=torch.no_grad()(Block.weigh)",
     "the gradient of gain_1, shift_1, W_q, W_k, x is not"),
    ("...", "hide=lambda self, u: (u @ self.W_1.data + self.b_1.data).relu()",
     "the gradient of W_1, b_1 is not"),
    ("...", "feed=lambda self, u: self.hide(u) @ self.W_2.detach() + self.b_2",
     "the gradient of W_2 is not"),
    ("...",
     "norm=lambda self, z, gain, shift: Block.norm(self, z, gain.data, shift)",
     "the gradient of gain_1, gain_2 is not"),
    ("...",
     "norm_2=lambda self, y: self.norm(y, self.gain_2, self.shift_2.data)",
     "the gradient of shift_2 is not"),
    ("...", "norm=by_hand(constant_deviation)", "something is detached"),
    ("...",
     "feed=lambda self, u: nn.Linear(len(self.b_1), "
     "len(self.b_2))(self.hide(u))", "a weight is made anew in forward"),
    ("...", "feed=lambda self, u: F.dropout(Block.feed(self, u), 0.1)",
     "dropped at random in evaluation"),
    ("...", "mask=lambda self, s, m: s.masked_fill(~m[:, None], -1e6)",
     "not some low number"),
    ("...", "hide=lambda self, u: Block.hide(self, u).clamp(max=100)",
     "is that the ReLU?"),
    ("...",
     "norm=lambda self, z, gain, shift: gain * Block.norm(self, z, None, "
     "None).clamp(-3, 3) + shift", "is it cut off?"),
])  # fmt: skip


def by_hand(deviation):
    """A norm that divides by deviation(z)."""

    def norm(self, z, gain, shift):
        return gain * (z - z.mean(-1, keepdim=True)) / deviation(z) + shift

    return norm


def no_maximum(self, q, k, m):
    w = (q @ k.mT / self.scale(q)).exp() * m[:, None]
    return w / w.sum(dim=-1, keepdim=True)


def no_output_map(self, u, m):
    q, k, v = (self.cut(u @ W) for W in (self.W_q, self.W_k, self.W_v))
    return self.join(self.weigh(q, k, m) @ v)


# Right in value, wrong in gradient.


def constant_deviation(z):
    return (z.var(-1, keepdim=True, correction=0) + 1e-5).sqrt().detach()


# Parameters that are not what the text asks for.
