"""Hidden checks and known wrong answers of exercises 2.3.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch
from torch import nn

from attnbook.attention import attention
from attnbook.check.against import Hidden, agree, agree_in_gradient
from attnbook.check.engine import Module

HIDDEN = Hidden(withheld=("heads", "masks"))
MAPS = ("W_q", "W_k", "W_v", "W_o")


@HIDDEN.check("2_3.a", "random lengths")
def mask_anywhere(answer, rng, reference):
    b, n = rng.choice([3, 5, 6, 8], 2, replace=False)
    args = (rng.integers(1, n + 1, size=b), int(n))
    agree(answer, reference, "decoder_mask", args, "random lengths")


def random_heads(rng):
    i, j, d, e, f, g = (int(n) for n in rng.permutation([2, 4, 5, 6, 7, 8]))
    heads = int(rng.integers(1, 5))
    shapes = [(i, f), (j, f), (f, heads * d), (f, heads * d), (f, heads * e)]
    arrays = [rng.normal(size=s) for s in (*shapes, (heads * e, g))]
    allowed = rng.random((i, j)) > 0.4
    allowed[np.arange(i), rng.integers(j, size=i)] = True
    return (*arrays, heads, allowed)


@HIDDEN.check("2_3.b", "random sizes")
def heads_anywhere(answer, rng, reference):
    agree(answer, reference, "multi_head", random_heads(rng), "random", 2, 1e-4)


@HIDDEN.check("2_3.b", "large random scores")
def heads_large(answer, rng, reference):
    x, *rest = random_heads(rng)
    agree(answer, reference, "multi_head", (x * 300, *rest), "large", 2, 1e-4)


@HIDDEN.check("2_3.c", "random sizes")
def count_anywhere(answer, rng, reference):
    groups = int(rng.integers(1, 6))
    heads = groups * int(rng.integers(1, 5))
    args = (heads * int(rng.integers(1, 20)), heads, groups)
    agree(answer, reference, "grouped_parameters", args, "random sizes")


def random_tokens(rng):
    b, n, heads, d = (int(k) for k in rng.permutation([2, 3, 4, 5]))
    w = heads * d
    maps = [rng.normal(size=(w, w)) / w**0.5 for _ in range(3)]
    return (rng.normal(size=(b, n, w)), *maps, heads)


@HIDDEN.check("2_3.d", "random sizes, values and gradients")
def split_anywhere(answer, rng, reference):
    args = random_tokens(rng)
    agree(
        answer, reference, "self_attend", args, "random sizes", tolerance=1e-5
    )
    u = rng.normal(size=args[0].shape)
    agree_in_gradient(answer, reference, "self_attend", args, u, 1e-4)


@HIDDEN.check("2_3.e", "random stacks, values and gradients")
def stack_anywhere(answer, rng, reference):
    b, n, w, layers = (int(k) for k in rng.permutation([2, 3, 4, 5]))
    x = rng.normal(size=(b, n, w))
    maps = rng.normal(size=(layers, w, w)) / w
    lengths = rng.integers(1, n + 1, size=b)
    real = np.arange(n) < lengths[:, None, None]
    args = (x, maps, real)
    agree(answer, reference, "stack", args, "random stack", tolerance=1e-4)
    u = rng.normal(size=x.shape)
    agree_in_gradient(answer, reference, "stack", args, u, 1e-3)


def random_module(rng):
    """MultiHead of some sizes, its weights, tokens and a mask."""
    b, n, heads, d = (int(k) for k in rng.permutation([2, 3, 4, 5]))
    w = heads * d
    maps = [rng.normal(size=(w, w)) / w**0.5 for _ in MAPS]
    allowed = rng.random((b, rng.choice([1, n]), n)) > 0.4
    allowed |= np.arange(n) == rng.integers(n, size=(*allowed.shape[:2], 1))
    x = rng.normal(size=(b, n, w))
    return Module("MultiHead", (w, heads), MAPS), (*maps, x, allowed)


@HIDDEN.check("2_3.f", "random sizes and masks, values and gradients")
def module_anywhere(answer, rng, reference):
    kind, args = random_module(rng)
    agree(answer, reference, kind, args, "random sizes", tolerance=1e-5)
    u = rng.normal(size=args[4].shape)
    agree_in_gradient(answer, reference, kind, args, u, 1e-4)
    other = np.roll(args[5], 1, axis=-1)  # a mask of the same shape
    agree(answer, reference, kind, (*args[:5], other), "another mask")


@HIDDEN.check("2_3.f", "as many examples as heads")
def module_square(answer, rng, reference):
    maps = [rng.normal(size=(6, 6)) / 2 for _ in MAPS]
    allowed = rng.random((3, 4, 4)) > 0.5
    allowed |= np.eye(4, dtype=bool)
    args = (*maps, rng.normal(size=(3, 4, 6)), allowed)
    kind = Module("MultiHead", (6, 3), MAPS)
    agree(answer, reference, kind, args, "3 examples, 3 heads")


# --- a ---------------------------------------------------------------------


def parts(lengths, n):
    place = torch.arange(n)
    return place < lengths[:, None, None], place <= place[:, None]


@HIDDEN.wrong("2_3.a", "it is inverted")
def decoder_mask(lengths, n):
    real, past = parts(lengths, n)
    return ~(real & past)


@HIDDEN.wrong("2_3.a", "one key too many")
def decoder_mask(lengths, n):
    return parts(lengths + 1, n)[0] & parts(lengths, n)[1]


@HIDDEN.wrong("2_3.a", "j <= i, not j < i")
def decoder_mask(lengths, n):
    real, past = parts(lengths, n)
    return real & past.tril(-1)


@HIDDEN.wrong("2_3.a", "masked the queries in the padding")
def decoder_mask(lengths, n):
    real, past = parts(lengths, n)
    return real.mT & past


@HIDDEN.wrong("2_3.a", "left with no key at all")
def decoder_mask(lengths, n):
    real, past = parts(lengths, n)
    return real & real.mT & past


@HIDDEN.wrong("2_3.a", "upper triangle")
def decoder_mask(lengths, n):
    real, past = parts(lengths, n)
    return real & past.T


@HIDDEN.wrong("2_3.a", "and, not or")
def decoder_mask(lengths, n):
    real, past = parts(lengths, n)
    return real | past


@HIDDEN.wrong("2_3.a", "needs its own row")
def decoder_mask(lengths, n):
    return parts(lengths, n)[0]


@HIDDEN.wrong("2_3.a", "only the padding is masked; the future is not")
def decoder_mask(lengths, n):
    return parts(lengths, n)[0].expand(len(lengths), n, n)


@HIDDEN.wrong("2_3.a", "only the future is masked")
def decoder_mask(lengths, n):
    return parts(lengths, n)[1].expand(len(lengths), n, n)


@HIDDEN.wrong("2_3.a", "the axis of examples")
def decoder_mask(lengths, n):
    return parts(lengths, n)[1]


@HIDDEN.wrong("2_3.a", "masked by one length")
def decoder_mask(lengths, n):
    real, past = parts(lengths.max().repeat(len(lengths)), n)
    return real & past


@HIDDEN.wrong("2_3.a", "a mask holds booleans")
def decoder_mask(lengths, n):
    real, past = parts(lengths, n)
    return torch.where(real & past, 0.0, -torch.inf)


@HIDDEN.wrong("2_3.a", "changes its argument in place")
def decoder_mask(lengths, n):
    lengths -= 1
    place = torch.arange(n)
    return (place <= lengths[:, None, None]) & (place <= place[:, None])


@HIDDEN.wrong("2_3.a", "the lengths were sorted")
def decoder_mask(lengths, n):
    real, past = parts(lengths.sort().values, n)
    return real & past


@HIDDEN.wrong("2_3.a", "padded on the right, not on the left")
def decoder_mask(lengths, n):
    return parts(lengths, n)[0].flip(-1) & parts(lengths, n)[1]


@HIDDEN.wrong("2_3.a", "is there a limit")
def decoder_mask(lengths, n):
    real, past = parts(lengths, n)
    return real & past & past.triu(-8)  # the last nine tokens only


@HIDDEN.wrong("2_3.a", "or a number too small")
def decoder_mask(lengths, n):
    place = torch.arange(n).to(torch.int8)
    return (place < lengths[:, None, None]) & parts(lengths, n)[1]


# --- b ---------------------------------------------------------------------


def split(z, heads):
    return z.reshape(len(z), heads, -1).transpose(1, 0, 2)


def by_view(z, heads):
    return z.reshape(heads, len(z), -1)


def interleaved(z, heads):
    return z.reshape(len(z), -1, heads).transpose(2, 0, 1)


def softmax(s, axis=-1):
    s = np.exp(s - s.max(axis=axis, keepdims=True))
    return s / s.sum(axis=axis, keepdims=True)


def fill(s, allowed):
    return np.where(allowed, s, -np.inf)


def masked_softmax(s, allowed):
    return softmax(fill(s, allowed))


def join(c):
    return c.transpose(1, 0, 2).reshape(c.shape[1], -1)


def variant(
    cut=split, width=None, weigh=masked_softmax, out=lambda c, W: join(c) @ W
):
    """A multi_head that differs from the right one in one step."""

    def multi_head(x, memory, W_q, W_k, W_v, W_o, heads, may_attend):
        q, k, v = (cut(z, heads) for z in (x @ W_q, memory @ W_k, memory @ W_v))
        size = width(q, v, x) if width else q.shape[-1]
        with np.errstate(all="ignore"):
            a = weigh(q @ k.transpose(0, 2, 1) / size**0.5, may_attend)
        return out(a @ v, W_o), a

    return multi_head


HIDDEN.wrong("2_3.b", "the values' signs turned")(
    variant(out=lambda c, W: np.maximum(join(c) @ W, 0))
)
HIDDEN.wrong("2_3.b", "as the only one: weights")(
    variant(weigh=lambda s, m: np.repeat(masked_softmax(s, m)[:1], len(s), 0))
)
HIDDEN.wrong("2_3.b", "not divided by sqrt(d)")(
    variant(width=lambda q, v, x: 1)
)
HIDDEN.wrong("2_3.b", "divided by d, not by sqrt(d)")(
    variant(width=lambda q, v, x: q.shape[-1] ** 2)
)
HIDDEN.wrong("2_3.b", "the root of all heads' width")(
    variant(width=lambda q, v, x: q.shape[-1] * len(q))
)
HIDDEN.wrong("2_3.b", "the root of the inputs' width")(
    variant(width=lambda q, v, x: x.shape[-1])
)
HIDDEN.wrong("2_3.b", "the root of the values' width e")(
    variant(width=lambda q, v, x: v.shape[-1])
)
HIDDEN.wrong("2_3.b", "the mask is not used")(
    variant(weigh=lambda s, m: softmax(s))
)
HIDDEN.wrong("2_3.b", "the mask is inverted")(
    variant(weigh=lambda s, m: masked_softmax(s, ~m))
)
HIDDEN.wrong("2_3.b", "applied after the softmax")(
    variant(weigh=lambda s, m: softmax(s) * m)
)
HIDDEN.wrong("2_3.b", "a forbidden score is set to 0")(
    variant(weigh=lambda s, m: softmax(s * m))
)
HIDDEN.wrong("2_3.b", "runs over the queries")(
    variant(weigh=lambda s, m: softmax(fill(s, m), axis=1))
)
HIDDEN.wrong("2_3.b", "runs over the heads")(
    variant(weigh=lambda s, m: softmax(s, axis=0) * m)
)
HIDDEN.wrong("2_3.b", "not yet divided by their sum")(
    variant(weigh=lambda s, m: np.exp(s) * m)
)
HIDDEN.wrong("2_3.b", "without transposing")(variant(cut=by_view))
HIDDEN.wrong("2_3.b", "takes every second one")(variant(cut=interleaved))
HIDDEN.wrong("2_3.b", "W_o is missing")(variant(out=lambda c, W: join(c)))
HIDDEN.wrong("2_3.b", "joined without transposing back")(
    variant(out=lambda c, W: c.reshape(c.shape[1], -1) @ W)
)
HIDDEN.wrong("2_3.b", "the heads are interleaved")(
    variant(out=lambda c, W: c.transpose(1, 2, 0).reshape(c.shape[1], -1) @ W)
)
HIDDEN.wrong("2_3.b", "the heads are summed")(
    variant(out=lambda c, W: c.sum(axis=0) @ W[: c.shape[-1]])
)
HIDDEN.wrong("2_3.b", "the heads are averaged")(
    variant(out=lambda c, W: c.mean(axis=0) @ W[: c.shape[-1]])
)


def no_max(s, allowed):
    w = np.exp(fill(s, allowed))
    return w / w.sum(axis=-1, keepdims=True)


def late_renormalised(s, allowed):
    w = softmax(s) * allowed
    return w / w.sum(axis=-1, keepdims=True)


HIDDEN.wrong("2_3.b", "subtract the row's maximum")(variant(weigh=no_max))
HIDDEN.wrong("2_3.b", "largest *permitted* score")(
    variant(weigh=late_renormalised)
)


@HIDDEN.wrong("2_3.b", "results first, then the weights")
def multi_head(*args):
    return variant()(*args)[::-1]


@HIDDEN.wrong("2_3.b", "return 2 arrays, with commas between")
def multi_head(*args):
    return variant()(*args)[0]


@HIDDEN.wrong("2_3.b", "not their mean")
def multi_head(*args):
    out, weights = variant()(*args)
    return out, weights.mean(axis=0)


@HIDDEN.wrong("2_3.b", "changes its argument in place")
def multi_head(x, memory, W_q, W_k, W_v, W_o, heads, may_attend):
    W_q /= (W_q.shape[1] // heads) ** 0.5
    return variant(width=lambda q, v, x: 1)(
        x, memory, W_q, W_k, W_v, W_o, heads, may_attend
    )


def filled(number):
    return lambda s, m: softmax(np.where(m, s, number))


def weighed(powers):
    def weigh(s, allowed):
        w = powers(s) * allowed
        return w / w.sum(axis=-1, keepdims=True)

    return weigh


for number in (-100, -500, -1000):
    HIDDEN.wrong("2_3.b", "not low enough")(variant(weigh=filled(number)))
HIDDEN.wrong("2_3.b", "W_o is turned around")(
    variant(out=lambda c, W: join(c) @ (W.T if W.shape[0] == W.shape[1] else W))
)
HIDDEN.wrong("2_3.b", "cut to a whole number")(
    variant(width=lambda q, v, x: int(q.shape[-1] ** 0.5) ** 2)
)
HIDDEN.wrong("2_3.b", "nor added to a small weight")(
    variant(
        weigh=lambda s, m: masked_softmax(
            np.maximum(s, fill(s, m).max(axis=-1, keepdims=True) - 20), m
        )
    )
)
HIDDEN.wrong("2_3.b", "nothing may be cut off")(
    variant(weigh=lambda s, m: masked_softmax(s, m).round(9))
)
HIDDEN.wrong("2_3.b", "nothing is added to a sum")(
    variant(weigh=lambda s, m: masked_softmax(s, m) / (1 + 1e-7))
)
HIDDEN.wrong("2_3.b", "large scores are clipped")(
    variant(weigh=weighed(lambda s: np.exp(np.clip(s, -50, 50))))
)
HIDDEN.wrong("2_3.b", "exp(995) overflows")(
    variant(weigh=weighed(lambda s: np.nan_to_num(np.exp(s))))
)


def shared_maximum(axes):
    def weigh(s, allowed):
        s = fill(s, allowed)
        w = np.exp(s - s.max(axis=axes, keepdims=True))
        return w / w.sum(axis=-1, keepdims=True)

    return weigh


for axes in (None, (0, 2), (1, 2)):
    HIDDEN.wrong("2_3.b", "one maximum for several rows")(
        variant(weigh=shared_maximum(axes))
    )


@HIDDEN.wrong("2_3.b", "a mask's rows from its columns")
def multi_head(x, memory, *args):
    *maps, mask = args
    mask = mask.T if len(x) == len(memory) else mask
    return variant()(x, memory, *maps, mask | ~mask.any(axis=1, keepdims=True))


@HIDDEN.wrong("2_3.b", "shapes cannot tell x from memory")
def multi_head(x, memory, *args):
    return variant()(x, x if x.shape == memory.shape else memory, *args)


@HIDDEN.wrong("2_3.b", "did you forget `return`?")
def multi_head(*args):
    variant()(*args)


# --- c ---------------------------------------------------------------------


@HIDDEN.wrong("2_3.c", "all heads with keys of their own")
def grouped_parameters(width, heads, groups):
    return 4 * width**2 + 4 * width


@HIDDEN.wrong("2_3.c", "the biases are missing")
def grouped_parameters(width, heads, groups):
    return 2 * width**2 + 2 * width * groups * (width // heads)


@HIDDEN.wrong("2_3.c", "you counted one")
def grouped_parameters(width, heads, groups):
    return (width + 1) * (2 * width + groups * (width // heads))


@HIDDEN.wrong("2_3.c", "there are g groups")
def grouped_parameters(width, heads, groups):
    return 2 * (width + 1) * (width + width // heads)


@HIDDEN.wrong("2_3.c", "only keys and values shrink")
def grouped_parameters(width, heads, groups):
    return 4 * (width + 1) * groups * (width // heads)


@HIDDEN.wrong("2_3.c", "as many biases as columns")
def grouped_parameters(width, heads, groups):
    shared = groups * (width // heads)
    return 2 * (width**2 + width) + 2 * (width * shared + width)


@HIDDEN.wrong("2_3.c", "w / h numbers, not one")
def grouped_parameters(width, heads, groups):
    return 2 * (width + 1) * (width + groups)


@HIDDEN.wrong("2_3.c", "not h / g")
def grouped_parameters(width, heads, groups):
    return 2 * (width + 1) * (width + width * heads / groups)


@HIDDEN.wrong("2_3.c", "the output map is missing")
def grouped_parameters(width, heads, groups):
    return (width + 1) * (width + 2 * groups * (width // heads))


COUNTS = {
    "yours have w / g": lambda w, h, g: 2 * (w + 1) * (w + w // g),
    "heads in a group": lambda w, h, g: 2 * (w + 1) * (w + h // g * w // h),
    "three maps are missing": lambda w, h, g: 2 * w * (w + g * w // h) + w,
    "keys and values have biases too": lambda w, h, g: (
        2 * (w + 1) * w + 2 * w * g * w // h
    ),
    "of the output have biases too": lambda w, h, g: (
        2 * w * w + 2 * (w + 1) * g * w // h
    ),
    "one of the large maps": lambda w, h, g: (
        (2 * w + 1) * w + 2 * (w + 1) * g * w // h
    ),
    "two maps shrink": lambda w, h, g: (w + 1) * (3 * w + g * w // h),
    "not for each head": lambda w, h, g: 2 * (h + g) * (w * w // h + 1),
    "lost its remainder": lambda w, h, g: 2 * w * (w + 1) * (1 + g // h),
    "float32 rounds them": lambda w, h, g: np.float32(
        2 * w * (w + 1) * (1 + g / h)
    ),
}
for says, count in COUNTS.items():

    @HIDDEN.wrong("2_3.c", says)
    def grouped_parameters(width, heads, groups, count=count):
        return count(width, heads, groups)


# --- d ---------------------------------------------------------------------


def viewed(z, heads):
    b, n, w = z.shape
    return z.view(b, heads, n, w // heads)


def cut_well(z, heads):
    b, n, w = z.shape
    return z.view(b, n, heads, w // heads).transpose(1, 2)


def every_second(z, heads):
    b, n, w = z.shape
    return z.view(b, n, w // heads, heads).permute(0, 3, 1, 2)


def together(c):
    return c.transpose(1, 2).flatten(2)


def attended(cut, back, weigh=None):
    """A self_attend that differs from the right one in one step."""

    def self_attend(x, W_q, W_k, W_v, heads):
        q, k, v = (cut(x @ W, heads) for W in (W_q, W_k, W_v))
        a = weigh(q, k) if weigh else attention(q, k, v)[1]
        return back(a @ v)

    return self_attend


HIDDEN.wrong("2_3.d", "a part of the sentence, not some columns")(
    attended(viewed, lambda c: c.flatten(1).view(c.shape[0], c.shape[2], -1))
)
HIDDEN.wrong("2_3.d", "joined without transposing back")(
    attended(cut_well, lambda c: c.reshape(c.shape[0], c.shape[2], -1))
)
HIDDEN.wrong("2_3.d", "takes every second one")(
    attended(every_second, lambda c: c.permute(0, 2, 3, 1).flatten(2))
)
HIDDEN.wrong("2_3.d", "sums are interleaved")(
    attended(cut_well, lambda c: c.permute(0, 2, 3, 1).flatten(2))
)
HIDDEN.wrong("2_3.d", "not divided by sqrt(d)")(
    attended(cut_well, together, lambda q, k: (q @ k.mT).softmax(-1))
)
HIDDEN.wrong("2_3.d", "the root of the width w")(
    attended(
        cut_well,
        together,
        lambda q, k: ((q @ k.mT) / (q.shape[1] * q.shape[3]) ** 0.5).softmax(
            -1
        ),
    )
)
HIDDEN.wrong("2_3.d", "runs over the queries")(
    attended(
        cut_well,
        together,
        lambda q, k: ((q @ k.mT) / q.shape[3] ** 0.5).softmax(-2),
    )
)
HIDDEN.wrong("2_3.d", "queries and keys are exchanged")(
    attended(cut_well, together, lambda q, k: attention(k, q, q)[1])
)
HIDDEN.wrong("2_3.d", "over the heads of each token")(
    attended(
        lambda z, heads: z.unflatten(2, (heads, -1)), lambda c: c.flatten(2)
    )
)
HIDDEN.wrong("2_3.d", "as if it had neighbours")(
    attended(every_second, together)
)
HIDDEN.wrong("2_3.d", "there is no mask here")(
    attended(
        cut_well,
        together,
        lambda q, k: attention(
            q, k, k, torch.ones(2 * q.shape[-2:-1]).tril() > 0
        )[1],
    )
)


@HIDDEN.wrong("2_3.d", "cut in another way than queries and keys")
def self_attend(x, W_q, W_k, W_v, heads):
    q, k = cut_well(x @ W_q, heads), cut_well(x @ W_k, heads)
    return together(attention(q, k, viewed(x @ W_v, heads))[0])


HIDDEN.wrong("2_3.d", "something is detached")(
    attended(cut_well, together, lambda q, k: attention(q, k, k)[1].detach())
)


@HIDDEN.wrong("2_3.d", "nothing is split")
def self_attend(x, W_q, W_k, W_v, heads):
    return attention(x @ W_q, x @ W_k, x @ W_v)[0]


@HIDDEN.wrong("2_3.d", "those of its own sentence")
def self_attend(x, W_q, W_k, W_v, heads):
    def cut(z):  # attention across the batch
        return z.reshape(1, b * n, heads, w // heads).transpose(1, 2)

    b, n, w = x.shape
    sums = attention(cut(x @ W_q), cut(x @ W_k), cut(x @ W_v))[0]
    return sums.transpose(1, 2).reshape(b, n, w)


def mixed(q, k, v, heads):
    q, k, v = (cut_well(z, heads) for z in (q, k, v))
    return together(attention(q, k, v)[0])


@HIDDEN.wrong("2_3.d", "the gradient of x, W_v is not")
def self_attend(x, W_q, W_k, W_v, heads):
    return mixed(x @ W_q, x @ W_k, (x @ W_v).detach(), heads)


@HIDDEN.wrong("2_3.d", "the gradient of W_v is not")
def self_attend(x, W_q, W_k, W_v, heads):
    return mixed(x @ W_q, x @ W_k, x @ W_v.detach(), heads)


@HIDDEN.wrong("2_3.d", "the gradient of x is not")
def self_attend(x, W_q, W_k, W_v, heads):
    return mixed(x.detach() @ W_q, x @ W_k, x @ W_v, heads)


@HIDDEN.wrong("2_3.d", "the keys are made with W_q")
def self_attend(x, W_q, W_k, W_v, heads):
    return mixed(x @ W_q, x @ W_q, x @ W_v, heads)


# --- e ---------------------------------------------------------------------


def layers(mask_of, weigh=None):
    """A stack whose layer number l gets mask_of(l, mask)."""

    def stack(x, maps, may_attend):
        for number, W in enumerate(maps):
            mask = mask_of(number, may_attend)
            if weigh:
                x = x + weigh(x @ W, x, mask) @ x
            else:
                x = x + attention(x @ W, x, x, mask)[0]
        return x

    return stack


HIDDEN.wrong("2_3.e", "lost after the first layer")(
    layers(lambda number, mask: mask if number == 0 else None)
)
HIDDEN.wrong("2_3.e", "the first layer has no mask")(
    layers(lambda number, mask: mask if number > 0 else None)
)
HIDDEN.wrong("2_3.e", "no layer has a mask")(layers(lambda number, mask: None))
HIDDEN.wrong("2_3.e", "the mask is inverted")(
    layers(lambda number, mask: ~mask if not mask.all() else mask)
)
HIDDEN.wrong("2_3.e", "still counts in the mean's denominator")(
    layers(
        lambda number, mask: mask,
        lambda q, x, mask: attention(q, x, x)[1] * mask,
    )
)
HIDDEN.wrong("2_3.e", "something is detached")(
    layers(
        lambda number, mask: mask,
        lambda q, x, mask: attention(q, x, x, mask)[1].detach(),
    )
)


HIDDEN.wrong("2_3.e", "a token sees later tokens too")(
    layers(
        lambda number, mask: mask & (torch.ones(2 * mask.shape[-1:]).tril() > 0)
    )
)


@HIDDEN.wrong("2_3.e", "yours adds to the first x")
def stack(x, maps, may_attend):
    y = x
    for W in maps:
        y = x + attention(y @ W, y, y, may_attend)[0]
    return y


@HIDDEN.wrong("2_3.e", "yours stay")
def stack(x, maps, may_attend):
    for W in maps:
        c, _ = attention(x @ W, x, x, may_attend)
        x = x + c * may_attend.mT
    return x


@HIDDEN.wrong("2_3.e", "x is added twice")
def stack(x, maps, may_attend):
    for W in maps:
        x = 2 * x + attention(x @ W, x, x, may_attend)[0]
    return x


@HIDDEN.wrong("2_3.e", "yours are 0")
def stack(x, maps, may_attend):
    for W in maps:
        x = x + attention(x @ W, x, x, may_attend)[0]
    return x * may_attend.mT


@HIDDEN.wrong("2_3.e", "zeros in the padding still count")
def stack(x, maps, may_attend):
    x = x * may_attend.mT
    for W in maps:
        x = (x + attention(x @ W, x, x)[0]) * may_attend.mT
    return x


@HIDDEN.wrong("2_3.e", "the residual connection is missing")
def stack(x, maps, may_attend):
    for W in maps:
        x, _ = attention(x @ W, x, x, may_attend)
    return x


@HIDDEN.wrong("2_3.e", "only one layer was applied")
def stack(x, maps, may_attend):
    return x + attention(x @ maps[0], x, x, may_attend)[0]


def chosen(choose):
    """A stack that uses the maps which choose(maps) gives."""

    def stack(x, maps, may_attend):
        for W in choose(maps):
            x = x + attention(x @ W, x, x, may_attend)[0]
        return x

    return stack


HIDDEN.wrong("2_3.e", "used in reverse")(chosen(lambda maps: maps.flip(0)))
HIDDEN.wrong("2_3.e", "only the first 3 of 5")(chosen(lambda maps: maps[:3]))
HIDDEN.wrong("2_3.e", "only the first 2 of 5")(chosen(lambda maps: maps[:2]))
HIDDEN.wrong("2_3.e", "use the first map")(
    chosen(lambda maps: [maps[0] for _ in maps])
)
HIDDEN.wrong("2_3.e", "layer 2 of 5 is skipped")(
    chosen(lambda maps: [W for k, W in enumerate(maps) if k != 1])
)
HIDDEN.wrong("2_3.e", "lost after 3 layers")(
    layers(lambda number, mask: mask if number < 3 else None)
)


@HIDDEN.wrong("2_3.e", "the maps are for queries only")
def stack(x, maps, may_attend):
    for W in maps:
        x = x + attention(x @ W, x @ W, x, may_attend)[0]
    return x


@HIDDEN.wrong("2_3.e", "the gradient of x")
def stack(x, maps, may_attend):
    for W in maps:
        x = x.detach() + attention(x @ W, x, x, may_attend)[0]
    return x


# --- f ---------------------------------------------------------------------


class Heads(nn.Module):
    """A right answer, in steps that the wrong ones replace."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        for name in MAPS:
            setattr(self, name, nn.Parameter(torch.randn(width, width)))

    def project(self, x):
        return x @ self.W_q, x @ self.W_k, x @ self.W_v

    def cut(self, z):
        return cut_well(z, self.heads)

    def scale(self, q):
        return q.shape[-1] ** 0.5

    def mask(self, s, m):
        return s.masked_fill(~m[:, None], -torch.inf)

    def weigh(self, q, k, m):
        return self.mask(q @ k.mT / self.scale(q), m).softmax(-1)

    def join(self, c):
        return together(c)

    def out(self, c):
        return c @ self.W_o

    def forward(self, x, may_attend):
        q, k, v = (self.cut(z) for z in self.project(x))
        return self.out(self.join(self.weigh(q, k, may_attend) @ v))


def wrong_module(says, **steps):
    """An answer in which these methods are others."""
    HIDDEN.wrong("2_3.f", says)(type("MultiHead", (Heads,), steps))


def wrong_init(says, change):
    """An answer whose constructor ends with change(self)."""

    def start(self, width, heads):
        Heads.__init__(self, width, heads)
        change(self)

    wrong_module(says, __init__=start)


wrong_module("not divided by sqrt(d)", scale=lambda self, q: 1)
wrong_module("by d, not by sqrt(d)", scale=lambda self, q: q.shape[-1])
wrong_module(
    "the root of the width w",
    scale=lambda self, q: (q.shape[1] * q.shape[3]) ** 0.5,
)
wrong_module("the mask is not used", mask=lambda self, s, m: s)
wrong_module(
    "the mask is inverted",
    mask=lambda self, s, m: s.masked_fill(m[:, None], -torch.inf),
)
wrong_module(
    "applied after the softmax",
    weigh=lambda self, q, k, m: (
        (q @ k.mT / self.scale(q)).softmax(-1) * m[:, None]
    ),
)
wrong_module(
    "a forbidden score is set to 0",
    mask=lambda self, s, m: s * m[:, None],
)
wrong_module(
    "mask of the first one",
    mask=lambda self, s, m: s.masked_fill(~m[0], -torch.inf),
)
wrong_module(
    "yours is turned around",
    mask=lambda self, s, m: s.masked_fill(
        ~m.expand(s[:, 0].shape).mT[:, None], -torch.inf
    ),
)
wrong_module(
    "as if it had neighbours", cut=lambda self, z: every_second(z, self.heads)
)
wrong_module(
    "number of heads `heads`?",
    cut=lambda self, z: cut_well(z, 2),
)
wrong_module(
    "yours has met the heads",
    mask=lambda self, s, m: s.masked_fill(~m, -torch.inf),
)
wrong_module(
    "runs over the queries",
    weigh=lambda self, q, k, m: self.mask(q @ k.mT / self.scale(q), m).softmax(
        -2
    ),
)
wrong_module(
    "runs over the heads",
    weigh=lambda self, q, k, m: (
        (q @ k.mT / self.scale(q)).softmax(1) * m[:, None]
    ),
)
wrong_module(
    "queries and keys are swapped",
    weigh=lambda self, q, k, m: self.mask(k @ q.mT / self.scale(q), m).softmax(
        -1
    ),
)
wrong_module(
    "not yet divided by their sum",
    weigh=lambda self, q, k, m: self.mask(q @ k.mT / self.scale(q), m).exp(),
)


def no_maximum(self, q, k, m):
    w = (q @ k.mT / self.scale(q)).exp() * m[:, None]
    return w / w.sum(dim=-1, keepdim=True)


wrong_module("subtract the row's maximum", weigh=no_maximum)
wrong_module(
    "there is no softmax",
    weigh=lambda self, q, k, m: (q @ k.mT / self.scale(q)) * m[:, None],
)
wrong_module(
    "a part of the sentence, not some columns",
    cut=lambda self, z: viewed(z, self.heads),
    join=lambda self, c: c.flatten(1).view(c.shape[0], c.shape[2], -1),
)
wrong_module(
    "joined without transposing back",
    join=lambda self, c: c.reshape(c.shape[0], c.shape[2], -1),
)
wrong_module(
    "takes every second one",
    cut=lambda self, z: every_second(z, self.heads),
    join=lambda self, c: c.permute(0, 2, 3, 1).flatten(2),
)
wrong_module(
    "sums are interleaved",
    join=lambda self, c: c.permute(0, 2, 3, 1).flatten(2),
)
wrong_module(
    "nothing is split",
    cut=lambda self, z: z[:, None],
    join=lambda self, c: c[:, 0],
)
wrong_module("W_o is missing", out=lambda self, c: c)
wrong_module("not x @ W_o.T", out=lambda self, c: c @ self.W_o.T)
wrong_module(
    "which is what nn.Linear and F.linear do",
    project=lambda self, x: (x @ self.W_q.T, x @ self.W_k.T, x @ self.W_v.T),
    out=lambda self, c: c @ self.W_o.T,
)
wrong_module(
    "the keys are made with W_q",
    project=lambda self, x: (x @ self.W_q, x @ self.W_q, x @ self.W_v),
)
wrong_module(
    "the values are made with W_k",
    project=lambda self, x: (x @ self.W_q, x @ self.W_k, x @ self.W_k),
)
wrong_module(
    "W_v is missing",
    project=lambda self, x: (x @ self.W_q, x @ self.W_k, x),
)


def and_weights(self, x, may_attend):
    return Heads.forward(self, x, may_attend), self.W_q


wrong_module(
    "x is added",
    forward=lambda self, x, m: x + Heads.forward(self, x, m),
)
wrong_module("return one array, not a tuple", forward=and_weights)
wrong_module("did you forget `return`?", forward=lambda self, x, m: None)

# Right in value, wrong in gradient.

wrong_module(
    "no gradient flows through MultiHead",
    forward=torch.no_grad()(Heads.forward),
)
wrong_module(
    "the gradient of W_q, W_k, x is not",
    weigh=lambda self, q, k, m: Heads.weigh(self, q, k, m).detach(),
)
wrong_module(
    "the gradient of W_q, W_k, x is not",
    weigh=torch.no_grad()(Heads.weigh),
)
wrong_module(
    "the gradient of W_q, W_k, W_v, x is not",
    join=lambda self, c: together(c.detach()),
)
wrong_module(
    "something is detached",
    project=lambda self, x: (x @ self.W_q.data, x @ self.W_k, x @ self.W_v),
)
wrong_module(
    "the gradient of W_k is not",
    project=lambda self, x: (
        (x @ self.W_q, x @ self.W_k.detach(), x @ self.W_v)
    ),
)
wrong_module(
    "the gradient of x is not",
    project=lambda self, x: Heads.project(self, x.detach()),
)
wrong_module(
    "the gradient of W_o is not", out=lambda self, c: c @ self.W_o.data
)
wrong_module(
    "the gradient of W_o is not",
    out=lambda self, c: c @ torch.tensor(self.W_o.tolist()),
)

# Parameters that are not what the text asks for.


def use(layer):
    """W_q is a layer with a matrix of its own."""

    def change(self):
        width = len(self.W_q)
        del self.W_q
        self.W_q = layer(width)

    return change


def hide(self):
    self.maps = [getattr(self, name) for name in MAPS]
    for name in MAPS:
        delattr(self, name)


def frozen(self):
    self.W_v.requires_grad = False


def tied(self):
    self.W_k = self.W_q


def early(self):
    self.W_qkv = torch.cat([self.W_q, self.W_k, self.W_v], dim=1)


def early_copy(self):
    self.copy = self.W_q.detach().clone()


wrong_init(
    "Not asked for: W_q.weight, W_q.bias",
    use(lambda width: nn.Linear(width, width)),
)
wrong_init("not an nn.Parameter", use(lambda w: nn.Linear(w, w, bias=False)))
wrong_init("self.W_q is a plain tensor", use(lambda w: torch.randn(w, w)))
wrong_init("W_q must have shape", use(lambda w: nn.Parameter(torch.ones(w))))
wrong_init("Parameters in a list, as in self.maps, are not found", hide)
wrong_init("has requires_grad=False", frozen)
wrong_init("one and the same nn.Parameter", tied)
wrong_init("self.W_qkv is computed from the parameters in __init__", early)


def biased(self):
    self.b_o = nn.Parameter(torch.zeros(len(self.W_o)))


def renamed(self):
    self.W_out = self.W_o
    del self.W_o


def without(self):
    del self.W_o


wrong_init("Not asked for: b_o", biased)
wrong_init("W_o is missing. Not asked for: W_out", renamed)
wrong_init("W_o is missing", without)


@HIDDEN.wrong("2_3.f", "copied from the random ones")
class MultiHead(Heads):
    def __init__(self, width, heads):
        super().__init__(width, heads)
        early_copy(self)

    def project(self, x):
        return x @ self.copy, x @ self.W_k, x @ self.W_v


@HIDDEN.wrong("2_3.f", "a weight is made anew in forward")
class MultiHead(Heads):
    def out(self, c):
        return nn.Linear(c.shape[-1], c.shape[-1])(c)


@HIDDEN.wrong("2_3.f", "a weight is made anew in forward")
class MultiHead(Heads):
    def out(self, c):
        self.W_o = nn.Parameter(torch.randn(c.shape[-1], c.shape[-1]))
        return c @ self.W_o


@HIDDEN.wrong("2_3.f", "dropped at random in evaluation")
class MultiHead(Heads):
    def out(self, c):
        return nn.functional.dropout(c @ self.W_o, 0.5)


@HIDDEN.wrong("2_3.f", "changes its parameter W_q in forward")
class MultiHead(Heads):
    def project(self, x):
        self.W_q.data /= self.heads
        return Heads.project(self, x)


def builder(width, heads):
    return Heads(width, heads)


builder.__name__ = "MultiHead"
HIDDEN.wrong("2_3.f", "must be a class derived from nn.Module")(builder)


@HIDDEN.wrong("2_3.f", "must begin: super().__init__()")
class MultiHead(Heads):
    def __init__(self, width, heads):
        self.heads = heads


@HIDDEN.wrong("2_3.f", "MultiHead(8, 2) raised TypeError")
class MultiHead(Heads):
    def __init__(self, width):
        super().__init__(width, 2)


@HIDDEN.wrong("2_3.f", "MultiHead raised TypeError")
class MultiHead(Heads):
    def forward(self, x):
        return Heads.forward(self, x, None)


@HIDDEN.wrong("2_3.f", "all queries get the mask of the first one")
class MultiHead(Heads):
    def mask(self, s, m):
        return s.masked_fill(~m[:, None, :1], -torch.inf)


@HIDDEN.wrong("2_3.f", "(arguments: (4, 5, 6), (4, 1, 5))")
class MultiHead(Heads):
    def mask(self, s, m):  # for (b, n, n) only
        return s.masked_fill(~m.view(len(s), 1, *s.shape[2:]), -torch.inf)


wrong_module(
    "not low enough where scores lie beyond it",
    mask=lambda self, s, m: s.masked_fill(~m[:, None], -1000.0),
)
wrong_module(
    "large scores are clipped",
    mask=lambda self, s, m: Heads.mask(self, s.clamp(-50, 50), m),
)
wrong_module(
    "cut to a whole number", scale=lambda self, q: int(q.shape[-1] ** 0.5)
)


@HIDDEN.wrong("2_3.f", "a maximum of its own")
class MultiHead(Heads):
    def weigh(self, q, k, m):
        s = self.mask(q @ k.mT / self.scale(q), m)
        e = (s - s.max()).exp()
        return e / e.sum(-1, keepdim=True).clamp(min=1e-30)


@HIDDEN.wrong("2_3.d", "after the others' columns have changed")
def self_attend(x, W_q, W_k, W_v, heads):
    half, out = x.shape[2] // 2, []
    for columns in (slice(0, half), slice(half, None)):
        q, k, v = ((x @ W)[..., columns] for W in (W_q, W_k, W_v))
        out.append(attention(q, k, v)[0])
    return torch.cat(out, -1)


wrong_module(
    "nothing is added to a sum",
    weigh=lambda self, q, k, m: Heads.weigh(self, q, k, m) / (1 + 1e-7),
)
wrong_module(
    "nothing may be cut off",
    weigh=lambda self, q, k, m: (
        Heads.weigh(self, q, k, m) * (Heads.weigh(self, q, k, m) > 1e-9)
    ),
)


@HIDDEN.wrong("2_3.f", "is a mask kept?")
class MultiHead(Heads):
    KEPT = {}

    def mask(self, s, m):
        return Heads.mask(self, s, self.KEPT.setdefault(m.shape, m))
