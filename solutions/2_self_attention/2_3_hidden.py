"""Hidden checks and known wrong answers of exercises 2.3.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch
from torch import nn

from attnbook.check.against import Hidden, agree, agree_in_gradient
from attnbook.check.engine import Module
from attnbook.nn.attention import attention

HIDDEN = Hidden(globals(), withheld=("nn.heads", "nn.masks"))
MAPS = ("W_q", "W_k", "W_v", "W_o")


@HIDDEN.agrees("2_3.a", "decoder_mask", title="random lengths")
def mask_anywhere(rng):
    b, n = rng.choice([3, 5, 6, 8], 2, replace=False)
    return rng.integers(1, n + 1, size=b), int(n)


def random_heads(rng):
    i, j, d, e, f, g = (int(n) for n in rng.permutation([2, 4, 5, 6, 7, 8]))
    heads = int(rng.integers(1, 5))
    shapes = [(i, f), (j, f), (f, heads * d), (f, heads * d), (f, heads * e)]
    arrays = [rng.normal(size=s) for s in (*shapes, (heads * e, g))]
    allowed = rng.random((i, j)) > 0.4
    allowed[np.arange(i), rng.integers(j, size=i)] = True
    return (*arrays, heads, allowed)


HIDDEN.agrees(
    "2_3.b", "multi_head", title="random sizes", parts=2, tolerance=1e-4
)(random_heads)


@HIDDEN.check("2_3.b", "large random scores")
def heads_large(answer, rng, reference):
    x, *rest = random_heads(rng)
    agree(answer, reference, "multi_head", (x * 300, *rest), "large", 2, 1e-4)


@HIDDEN.agrees("2_3.c", "grouped_parameters", title="random sizes")
def count_anywhere(rng):
    groups = int(rng.integers(1, 6))
    heads = groups * int(rng.integers(1, 5))
    return heads * int(rng.integers(1, 20)), heads, groups


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


HIDDEN.mutants("2_3.a", """
def decoder_mask(lengths, n):
    real, past = parts(lengths, n)
    return real & past.T
""", [
    ("real & past.T", "~(real & past)", "it is inverted"),
    ([("real, past =", "return parts(lengths + 1, n)[0] &"),
      ("\n    return real & past.T", "[1]")], "one key too many"),
    ("T", "tril(-1)", "j <= i, not j < i"),
    ("& past.T", ".mT & past", "masked the queries in the padding"),
    ("past.T", "real.mT & past", "left with no key at all"),
    ([], "upper triangle"),
    ("& past.T", "| past", "and, not or"),
    ([("parts(lengths, n)", "parts(lengths.max().repeat(len(lengths)), n)"),
      (".T", "")], "masked by one length"),
    ("real & past.T", "torch.where(real & past, 0.0, -torch.inf)",
     "a mask holds booleans"),
    ([("real, past = parts(lengths, n)",
       "lengths -= 1\n    past = torch.arange(n)"), ("real & past.T",
       "(past <= lengths[:, None, None]) & (past <= past[:, None])")],
     "changes its argument in place"),
    ([("parts(lengths, n)", "parts(lengths.sort().values, n)"), (".T", "")],
     "the lengths were sorted"),
    (".T", "& past.triu(-8)", "is there a limit"),  # the last nine tokens only
])  # fmt: skip
HIDDEN.mutants("2_3.a", """
def decoder_mask(lengths, n):
    return parts(lengths, n)[1].expand(len(lengths), n, n)
""", [
    ("[1].expand(len(lengths), n, n)", "[0]", "needs its own row"),
    ("1", "0", "only the padding is masked; the future is not"),
    ([], "only the future is masked"),
    (".expand(len(lengths), n, n)", "", "the axis of examples"),
    ("[1].expand(len(lengths), n, n)", "[0].flip(-1) & parts(lengths, n)[1]",
     "padded on the right, not on the left"),
    ([("return", "place = torch.arange(n).to(torch.int8)\n    return"),
      ("parts", "(place < lengths[:, None, None]) & parts"),
      (".expand(len(lengths), n, n)", "")], "or a number too small"),
])  # fmt: skip

# --- b ---------------------------------------------------------------------

HIDDEN.mutants("2_3.b", None, [
    ("joined @ W_o", "np.maximum(joined @ W_o, 0)", "the values' signs turned"),
    ("joined =", "a = np.repeat(a[:1], heads, axis=0)\n    joined =",
     "as the only one: weights"),
    (" / q.shape[-1] ** 0.5", "", "not divided by sqrt(d)"),
    (" ** 0.5", "", "divided by d, not by sqrt(d)"),
    ("q.shape", "W_q.shape", "the root of all heads' width"),
    ("q.shape", "x.shape", "the root of the inputs' width"),
    ("q.shape", "v.shape", "the root of the values' width e"),
    ("np.where(attention_mask, s, -np.inf)", "s", "the mask is not used"),
    ("(attention_mask", "(~attention_mask", "the mask is inverted"),
    ([("np.where(attention_mask, s, -np.inf)", "s"),
      ("True)\n    joined", "True) * attention_mask\n    joined")],
     "applied after the softmax"),
    ("np.where(attention_mask, s, -np.inf)", "s * attention_mask",
     "a forbidden score is set to 0"),
    ([("max(axis=-1", "max(axis=1"), ("sum(axis=-1", "sum(axis=1")],
     "runs over the queries"),
    ([("np.where(attention_mask, s, -np.inf)", "s"),
      ("max(axis=-1", "max(axis=0"),
      ("sum(axis=-1, keepdims=True)", "sum(axis=0) * attention_mask")],
     "runs over the heads"),
    ([(" - s.max(axis=-1, keepdims=True)", ""),
      (" / a.sum(axis=-1, keepdims=True)", "")],
     "not yet divided by their sum"),
    ("len(z), heads, -1).transpose(1, 0, 2)", "heads, len(z), -1)",
     "without transposing"),
    ("heads, -1).transpose(1, 0, 2)", "-1, heads).transpose(2, 0, 1)",
     "takes every second one"),
    ("joined @ W_o", "joined", "W_o is missing"),
    ("v).transpose(1, 0, 2)", "v)", "joined without transposing back"),
    ("v).transpose(1, 0, 2)", "v).transpose(1, 2, 0)",
     "the heads are interleaved"),
    ([("transpose(1, 0, 2).reshape(len(x), -1)", "sum(axis=0)"),
      ("W_o, a", "W_o[: v.shape[-1]], a")], "the heads are summed"),
    ([("transpose(1, 0, 2).reshape(len(x), -1)", "mean(axis=0)"),
      ("W_o, a", "W_o[: v.shape[-1]], a")], "the heads are averaged"),
    (" - s.max(axis=-1, keepdims=True)", "", "subtract the row's maximum"),
    ([("np.where(attention_mask, s, -np.inf)", "s"),
      ("True))", "True)) * attention_mask")], "largest *permitted* score"),
    ("joined @ W_o, a", "a, joined @ W_o", "results first, then the weights"),
    ("W_o, a", "W_o", "return 2 arrays, with commas between"),
    ("W_o, a", "W_o, a.mean(axis=0)", "not their mean"),
    ([("    q, k", "    W_q /= (W_q.shape[1] // heads) ** 0.5\n    q, k"),
      (" / q.shape[-1] ** 0.5", "")], "changes its argument in place"),
    ("-np.inf", "-100", "not low enough"),
    ("-np.inf", "-500", "not low enough"),
    ("-np.inf", "-1000", "not low enough"),
    ("@ W_o", "@ (W_o.T if len(W_o) == len(W_o.T) else W_o)",
     "W_o is turned around"),
    ("q.shape[-1] ** 0.5", "int(q.shape[-1] ** 0.5)", "cut to a whole number"),
    ([("exp(s", "exp(np.maximum(s"),
      ("True))", "True), -20)) * attention_mask")],
     "nor added to a small weight"),
    ("joined =", "a = a.round(9)\n    joined =", "nothing may be cut off"),
    ("joined =", "a /= 1 + 1e-7\n    joined =", "nothing is added to a sum"),
    ("s - s.max(axis=-1, keepdims=True))",
     "np.clip(s, -50, 50)) * attention_mask",
     "large scores are clipped"),
    ("np.exp(s - s.max(axis=-1, keepdims=True))", "np.nan_to_num(np.exp(s))",
     "exp(995) overflows"),
    ("max(axis=-1", "max(axis=None", "one maximum for several rows"),
    ("max(axis=-1", "max(axis=(0, 2)", "one maximum for several rows"),
    ("max(axis=-1", "max(axis=(1, 2)", "one maximum for several rows"),
    ("s = np.where(attention_mask",
     "m = attention_mask.T if len(x) == len(memory) else attention_mask\n"
     "    s = np.where(m | ~m.any(axis=1, keepdims=True)",
     "a mask's rows from its columns"),
    ("    q, k",
     "    memory = x if x.shape == memory.shape else memory\n    q, k",
     "shapes cannot tell x from memory"),
    ("return joined", "joined", "did you forget `return`?"),
])  # fmt: skip

# --- c ---------------------------------------------------------------------

HIDDEN.mutants("2_3.c", """
def grouped_parameters(width, heads, groups):
    return 2 * (width + 1) * (width + width // heads)
""", [
    ("2 * (width + 1) * (width + width // heads)", "4 * width**2 + 4 * width",
     "all heads with keys of their own"),
    ([("(width + 1)", "width**2 + 2 * width * groups"),
      ("width + width", "width")], "the biases are missing"),
    ([(" 2 *", ""),
      ("(width + width // heads)", "(2 * width + groups * (width // heads))")],
     "you counted one"),
    ([], "there are g groups"),
    ([("2", "4"), ("(width + width // heads)", "groups * (width // heads)")],
     "only keys and values shrink"),
    ([("return", "shared = groups * (width // heads)\n    return"),
      ("(width + 1)", "(width**2 + width) + 2"),
      ("+ width // heads", "* shared + width")], "as many biases as columns"),
    ("width // heads", "groups", "w / h numbers, not one"),
    ("// heads", "* heads / groups", "not h / g"),
    ([(" 2 *", ""),
      ("(width + width // heads)", "(width + 2 * groups * (width // heads))")],
     "the output map is missing"),
])  # fmt: skip

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

HIDDEN.mutants("2_3.d", """
def self_attend(x, W_q, W_k, W_v, heads):
    b, n, w = x.shape

    def split(z):
        return z.view(b, n, heads, w // heads).transpose(1, 2)

    q, k, v = split(x @ W_q), split(x @ W_k), split(x @ W_v)
    a = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)
    return (a @ v).transpose(1, 2).reshape(b, n, w)
""", [
    ([("n, heads, w // heads).transpose(1, 2)", "heads, n, w // heads)"),
      (".transpose(1, 2).reshape", ".flatten(1).view")],
     "a part of the sentence, not some columns"),
    ("v).transpose(1, 2)", "v)", "joined without transposing back"),
    ([("heads, w // heads).transpose(1, 2)",
       "w // heads, heads).permute(0, 3, 1, 2)"),
      ("v).transpose(1, 2)", "v).permute(0, 2, 3, 1)")],
     "takes every second one"),
    ("v).transpose(1, 2)", "v).permute(0, 2, 3, 1)", "sums are interleaved"),
    (" / q.shape[-1] ** 0.5", "", "not divided by sqrt(d)"),
    ("q.shape[-1]", "w", "the root of the width w"),
    ("(-1)", "(-2)", "runs over the queries"),
    ("q @ k.mT", "k @ q.mT", "queries and keys are exchanged"),
    ([("// heads).transpose(1, 2)", "// heads)"), ("v).transpose(1, 2)", "v)")],
     "over the heads of each token"),
    ("heads, w // heads).transpose(1, 2)",
     "w // heads, heads).permute(0, 3, 1, 2)", "as if it had neighbours"),
    ("(q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)",
     "attention(q, k, v, torch.ones(n, n).tril() > 0)[1]",
     "there is no mask here"),
    ("split(x @ W_v)", "(x @ W_v).view(b, heads, n, w // heads)",
     "cut in another way than queries and keys"),
    ("(-1)", "(-1).detach()", "something is detached"),
    ("z.view(b, n, heads, w // heads).transpose(1, 2)", "z[:, None]",
     "nothing is split"),
    ("b, n, heads", "1, b * n, heads", "those of its own sentence"),
    ("(x @ W_v)", "((x @ W_v).detach())", "the gradient of x, W_v is not"),
    ("@ W_v", "@ W_v.detach()", "the gradient of W_v is not"),
    ("x @ W_q", "x.detach() @ W_q", "the gradient of x is not"),
    ("@ W_k", "@ W_q", "the keys are made with W_q"),
])  # fmt: skip


@HIDDEN.wrong("2_3.d", "after the others' columns have changed")
def self_attend(x, W_q, W_k, W_v, heads):
    half, out = x.shape[2] // 2, []
    for columns in (slice(0, half), slice(half, None)):
        q, k, v = ((x @ W)[..., columns] for W in (W_q, W_k, W_v))
        out.append(attention(q, k, v)[0])
    return torch.cat(out, -1)


# --- e ---------------------------------------------------------------------

HIDDEN.mutants("2_3.e", """
def stack(x, maps, attention_mask):
    for number, W in enumerate(maps):
        mask = attention_mask
        x = x + attention(x @ W, x, x, mask)[0]
    return x
""", [
    ("= attention_mask", "= attention_mask if number == 0 else None",
     "lost after the first layer"),
    ("= attention_mask", "= attention_mask if number > 0 else None",
     "the first layer has no mask"),
    ("= attention_mask", "= None", "no layer has a mask"),
    ("= attention_mask", "= attention_mask.all() | ~attention_mask",
     "the mask is inverted"),
    ("attention(x @ W, x, x, mask)[0]", "attention(x @ W, x, x)[1] * mask @ x",
     "still counts in the mean's denominator"),
    ("[0]", "[1].detach() @ x", "something is detached"),
    ("= attention_mask",
     "= attention_mask & (torch.ones(2 * x.shape[1:2]).tril() > 0)",
     "a token sees later tokens too"),
    ([("    for", "    y = x\n    for"), ("return x", "return y"),
      ("x = x + attention(x @ W, x, x", "y = x + attention(y @ W, y, y")],
     "yours adds to the first x"),
    ("[0]", "[0] * mask.mT", "yours stay"),
    ("x +", "2 * x +", "x is added twice"),
    ("return x", "return x * attention_mask.mT", "yours are 0"),
    ([("    for", "    x = x * attention_mask.mT\n    for"),
      ("x + attention(x @ W, x, x, mask)[0]",
       "(x + attention(x @ W, x, x)[0]) * mask.mT")],
     "zeros in the padding still count"),
    ("x + ", "", "the residual connection is missing"),
    ("(maps)", "(maps[:1])", "only one layer was applied"),
    ("(maps)", "(maps.flip(0))", "used in reverse"),
    ("(maps)", "(maps[:3])", "only the first 3 of 5"),
    ("(maps)", "(maps[:2])", "only the first 2 of 5"),
    ("@ W", "@ maps[0]", "use the first map"),
    ("(maps)", "(maps[torch.arange(len(maps)) != 1])",
     "layer 2 of 5 is skipped"),
    ("= attention_mask", "= attention_mask if number < 3 else None",
     "lost after 3 layers"),
    ("W, x, x", "W, x @ W, x", "the maps are for queries only"),
    ("x +", "x.detach() +", "the gradient of x"),
])  # fmt: skip


# --- f ---------------------------------------------------------------------


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

    def forward(self, x, attention_mask):
        q, k, v = (self.cut(z) for z in self.project(x))
        return self.out(self.join(self.weigh(q, k, attention_mask) @ v))


def wrong_module(says, **steps):
    """An answer in which these methods are others."""
    HIDDEN.wrong("2_3.f", says)(type("MultiHead", (Heads,), steps))


def wrong_init(says, change):
    """An answer whose constructor ends with change(self)."""

    def start(self, width, heads):
        Heads.__init__(self, width, heads)
        change(self)

    wrong_module(says, __init__=start)


HIDDEN.mutants("2_3.f", 'MultiHead = type("MultiHead", (Heads,), dict(...))', [
    ("...", "scale=lambda self, q: 1", "not divided by sqrt(d)"),
    ("...", "scale=lambda self, q: q.shape[-1]", "by d, not by sqrt(d)"),
    ("...", "scale=lambda self, q: (q.shape[1] * q.shape[3]) ** 0.5",
     "the root of the width w"),
    ("...", "mask=lambda self, s, m: s", "the mask is not used"),
    ("...", "mask=lambda self, s, m: s.masked_fill(m[:, None], -torch.inf)",
     "the mask is inverted"),
    ("...",
     "weigh=lambda self, q, k, m: (q @ k.mT / self.scale(q)).softmax(-1) * "
     "m[:, None]", "applied after the softmax"),
    ("...", "mask=lambda self, s, m: s * m[:, None]",
     "a forbidden score is set to 0"),
    ("...", "mask=lambda self, s, m: s.masked_fill(~m[0], -torch.inf)",
     "mask of the first one"),
    ("...",
     "mask=lambda self, s, m: s.masked_fill(~m.expand(s[:, 0].shape).mT[:, "
     "None], -torch.inf)", "yours is turned around"),
    ("...", "cut=lambda self, z: every_second(z, self.heads)",
     "as if it had neighbours"),
    ("...", "cut=lambda self, z: cut_well(z, 2)", "number of heads `heads`?"),
    ("...", "mask=lambda self, s, m: s.masked_fill(~m, -torch.inf)",
     "yours has met the heads"),
    ("...",
     "weigh=lambda self, q, k, m: self.mask(q @ k.mT / self.scale(q), "
     "m).softmax(-2)", "runs over the queries"),
    ("...",
     "weigh=lambda self, q, k, m: (q @ k.mT / self.scale(q)).softmax(1) * "
     "m[:, None]", "runs over the heads"),
    ("...",
     "weigh=lambda self, q, k, m: self.mask(k @ q.mT / self.scale(q), "
     "m).softmax(-1)", "queries and keys are swapped"),
    ("...",
     "weigh=lambda self, q, k, m: self.mask(q @ k.mT / self.scale(q), m).exp()",
     "not yet divided by their sum"),
    ("...", "weigh=no_maximum", "subtract the row's maximum"),
    ("...", "weigh=lambda self, q, k, m: q @ k.mT / self.scale(q) * m[:, None]",
     "there is no softmax"),
    ("...",
     "cut=lambda self, z: viewed(z, self.heads), join=lambda self, c: "
     "c.flatten(1).view(c.shape[0], c.shape[2], -1)",
     "a part of the sentence, not some columns"),
    ("...", "join=lambda self, c: c.reshape(c.shape[0], c.shape[2], -1)",
     "joined without transposing back"),
    ("...",
     "cut=lambda self, z: every_second(z, self.heads), join=lambda self, c: "
     "c.permute(0, 2, 3, 1).flatten(2)", "takes every second one"),
    ("...", "join=lambda self, c: c.permute(0, 2, 3, 1).flatten(2)",
     "sums are interleaved"),
    ("...", "cut=lambda self, z: z[:, None], join=lambda self, c: c[:, 0]",
     "nothing is split"),
    ("...", "out=lambda self, c: c", "W_o is missing"),
    ("...", "out=lambda self, c: c @ self.W_o.T", "not x @ W_o.T"),
    ("...",
     "project=lambda self, x: (x @ self.W_q.T, x @ self.W_k.T, x @ "
     "self.W_v.T), out=lambda self, c: c @ self.W_o.T",
     "which is what nn.Linear and F.linear do"),
    ("...",
     "project=lambda self, x: (x @ self.W_q, x @ self.W_q, x @ self.W_v)",
     "the keys are made with W_q"),
    ("...",
     "project=lambda self, x: (x @ self.W_q, x @ self.W_k, x @ self.W_k)",
     "the values are made with W_k"),
    ("...", "project=lambda self, x: (x @ self.W_q, x @ self.W_k, x)",
     "W_v is missing"),
    ("...", "forward=lambda self, x, m: x + Heads.forward(self, x, m)",
     "x is added"),
    ("...", "forward=and_weights", "return one array, not a tuple"),
    ("...", "forward=lambda self, x, m: None", "did you forget `return`?"),
    ("...", "forward=torch.no_grad()(Heads.forward)",
     "no gradient flows through MultiHead"),
    ("...", "weigh=lambda self, q, k, m: Heads.weigh(self, q, k, m).detach()",
     "the gradient of W_q, W_k, x is not"),
    ("...", "weigh=torch.no_grad()(Heads.weigh)",
     "the gradient of W_q, W_k, x is not"),
    ("...", "join=lambda self, c: together(c.detach())",
     "the gradient of W_q, W_k, W_v, x is not"),
    ("...",
     "project=lambda self, x: (x @ self.W_q.data, x @ self.W_k, x @ self.W_v)",
     "something is detached"),
    ("...",
     "project=lambda self, x: (x @ self.W_q, x @ self.W_k.detach(), x @ "
     "self.W_v)", "the gradient of W_k is not"),
    ("...", "project=lambda self, x: Heads.project(self, x.detach())",
     "the gradient of x is not"),
    ("...", "out=lambda self, c: c @ self.W_o.data",
     "the gradient of W_o is not"),
    ("...", "out=lambda self, c: c @ torch.tensor(self.W_o.tolist())",
     "the gradient of W_o is not"),
    ("...", "mask=lambda self, s, m: s.masked_fill(~m[:, None], -1000.0)",
     "not low enough where scores lie beyond it"),
    ("...", "mask=lambda self, s, m: Heads.mask(self, s.clamp(-50, 50), m)",
     "large scores are clipped"),
    ("...", "scale=lambda self, q: int(q.shape[-1] ** 0.5)",
     "cut to a whole number"),
    ("...",
     "weigh=lambda self, q, k, m: Heads.weigh(self, q, k, m) / (1 + 1e-7)",
     "nothing is added to a sum"),
    ("...",
     "weigh=lambda self, q, k, m: Heads.weigh(self, q, k, m) * "
     "(Heads.weigh(self, q, k, m) > 1e-9)", "nothing may be cut off"),
])  # fmt: skip


def no_maximum(self, q, k, m):
    w = (q @ k.mT / self.scale(q)).exp() * m[:, None]
    return w / w.sum(dim=-1, keepdim=True)


def and_weights(self, x, attention_mask):
    return Heads.forward(self, x, attention_mask), self.W_q


# Right in value, wrong in gradient.


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


HIDDEN.mutants("2_3.f", """
class MultiHead(Heads):
    def __init__(self, width, heads):
        self.heads = heads
""", [
    ("self.heads = heads",
     "super().__init__(width, heads)\n"
     "        early_copy(self)\n"
     "    def project(self, x):\n"
     "        return x @ self.copy, x @ self.W_k, x @ self.W_v",
     "copied from the random ones"),
    ([("__init__(self, width, heads)", "out(self, c)"),
      ("self.heads = heads", "return nn.Linear(c.shape[-1], c.shape[-1])(c)")],
     "a weight is made anew in forward"),
    ("__init__(self, width, heads):\n        self.heads = heads",
     "out(self, c):\n"
     "        self.W_o = nn.Parameter(torch.randn(c.shape[-1], c.shape[-1]))\n"
     "        return c @ self.W_o", "a weight is made anew in forward"),
    ([("__init__(self, width, heads)", "out(self, c)"), ("self.heads = heads",
       "return nn.functional.dropout(c @ self.W_o, 0.5)")],
     "dropped at random in evaluation"),
    ([("__init__(self, width, heads)", "project(self, x)"), ("heads = heads",
       "W_q.data /= self.heads\n        return Heads.project(self, x)")],
     "changes its parameter W_q in forward"),
    ([], "must begin: super().__init__()"),
    ([(", heads", ""), ("self.heads = heads", "super().__init__(width, 2)")],
     "MultiHead(8, 2) raised TypeError"),
    ([("__init__(self, width, heads)", "forward(self, x)"),
      ("self.heads = heads", "return Heads.forward(self, x, None)")],
     "MultiHead raised TypeError"),
    ([("__init__", "mask"), ("width, heads", "s, m"), ("self.heads = heads",
       "return s.masked_fill(~m[:, None, :1], -torch.inf)")],
     "all queries get the mask of the first one"),
    ([("__init__", "mask"), ("width, heads", "s, m"), ("self.heads = heads",
       "return s.masked_fill(~m.view(len(s), 1, *s.shape[2:]), -torch.inf)")],
     "(arguments: (4, 5, 6), (4, 1, 5))"),  # for (b, n, n) only
    ([("def __init__(self, width, heads)",
       "KEPT = {}\n    def mask(self, s, m)"), ("self.heads = heads",
       "return Heads.mask(self, s, self.KEPT.setdefault(m.shape, m))")],
     "is a mask kept?"),
])  # fmt: skip


def builder(width, heads):
    return Heads(width, heads)


builder.__name__ = "MultiHead"
HIDDEN.wrong("2_3.f", "must be a class derived from nn.Module")(builder)


@HIDDEN.wrong("2_3.f", "a maximum of its own")
class MultiHead(Heads):
    def weigh(self, q, k, m):
        s = self.mask(q @ k.mT / self.scale(q), m)
        e = (s - s.max()).exp()
        return e / e.sum(-1, keepdim=True).clamp(min=1e-30)
