"""Hidden checks and known wrong answers of exercises 4.3.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden(withheld=("faithfulness",))


def images(rng):
    b, n, classes = (int(x) for x in rng.permutation([2, 6, 3]) + 1)
    a = np.exp(rng.normal(size=(b, n)))
    a[0, -1] = 0  # padding
    a[-1, 0] *= 200  # nearly all of the weight
    a /= a.sum(axis=1, keepdims=True)
    z = rng.normal(size=(b, n, classes)) * 3
    return a, z, rng.integers(0, classes, b)


@HIDDEN.check("4_3.a", "random weights and scores")
def less_anywhere(answer, rng, reference):
    agree(
        answer, reference, "without_each", images(rng), "random", tolerance=1e-5
    )


def layers(rng):
    size = (int(x) for x in rng.permutation([2, 3, 4, 5, 6])[:3])
    n = int(rng.integers(5, 8))
    weights = np.exp(2 * rng.normal(size=(*size, n, n)))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights, int(rng.integers(0, n)), float(rng.uniform(0.1, 0.9))


@HIDDEN.check("4_3.b", "random layers")
def row_anywhere(answer, rng, reference):
    agree(
        answer, reference, "rollout_row", layers(rng), "random", tolerance=1e-5
    )


@HIDDEN.check("4_3.b", "random gradients")
def row_gradient(answer, rng, reference):
    args = layers(rng)
    u = rng.normal(size=(args[0].shape[1], args[0].shape[-1]))
    agree_in_gradient(answer, reference, "rollout_row", args, u, tolerance=1e-5)


@HIDDEN.check("4_3.c", "random sizes")
def same_anywhere(answer, rng, reference):
    n = int(rng.integers(2, 200))
    args = n, int(rng.integers(1, n + 1))
    agree(answer, reference, "redundant_areas", args, "random", parts=2)


def pairs(rng):
    b, n = int(rng.integers(2, 5)), int(rng.integers(5, 9))
    maps = np.exp(2 * rng.normal(size=(2, b, n)))
    maps[:, :, -2:] = 0
    return tuple(maps / maps.sum(axis=-1, keepdims=True))


@HIDDEN.check("4_3.d", "random maps")
def divergence_anywhere(answer, rng, reference):
    agree(answer, reference, "divergence", pairs(rng), "random", tolerance=1e-5)


@HIDDEN.check("4_3.e", "random scores")
def free_anywhere(answer, rng, reference):
    n, classes = int(rng.integers(2, 15)), int(rng.integers(1, 7))
    kinds = rng.normal(size=(int(rng.integers(1, n + 1)), classes))
    z = kinds[rng.integers(0, len(kinds), n)]
    z[rng.integers(0, n)] = (z[0] + z[-1]) / 2
    agree(answer, reference, "free_directions", (z,), "random")


# --- a ---------------------------------------------------------------------


def pieces(a, z):
    part = a[..., None] * z
    return part, part.sum(dim=1, keepdim=True), 1 - a[..., None]


def chosen(fall, labels):
    return fall[torch.arange(len(fall)), :, labels]


def of_rest(whole, rest, labels):
    return chosen(whole.softmax(dim=-1) - rest.softmax(dim=-1), labels)


@HIDDEN.wrong("4_3.a", "divide by 1 - a_j")
def without_each(a, z, labels):
    part, whole, _ = pieces(a, z)
    return of_rest(whole, whole - part, labels)


@HIDDEN.wrong("4_3.a", "multiplied by 1 - a_j")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    return of_rest(whole, (whole - part) * left, labels)


@HIDDEN.wrong("4_3.a", "in equal parts")
def without_each(a, z, labels):
    part, whole, _ = pieces(a, z)
    mean = (z.sum(dim=1, keepdim=True) - z) / (z.shape[1] - 1)
    return of_rest(whole, whole - part + a[..., None] * mean, labels)


@HIDDEN.wrong("4_3.a", "the sign is wrong")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    return -of_rest(whole, (whole - part) / left, labels)


@HIDDEN.wrong("4_3.a", "of the class score")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    return chosen(whole - (whole - part) / left, labels)


@HIDDEN.wrong("4_3.a", "the fall of log p")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    rest = (whole - part) / left
    return chosen(whole.log_softmax(-1) - rest.log_softmax(-1), labels)


@HIDDEN.wrong("4_3.a", "p(without j) itself")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    return chosen(((whole - part) / left).softmax(dim=-1), labels)


@HIDDEN.wrong("4_3.a", "the first one's for")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    fall = whole.softmax(dim=-1) - ((whole - part) / left).softmax(dim=-1)
    return fall[..., labels[0]]


@HIDDEN.wrong("4_3.a", "the likeliest class")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    top = whole[:, 0].argmax(dim=-1)
    return of_rest(whole, (whole - part) / left, top)


@HIDDEN.wrong("4_3.a", "leaves only place j")
def without_each(a, z, labels):
    _, whole, _ = pieces(a, z)
    return of_rest(whole, z, labels)


@HIDDEN.wrong("4_3.a", "exp overflows")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    e, f = whole.exp(), ((whole - part) / left).exp()
    fall = e / e.sum(-1, keepdim=True) - f / f.sum(-1, keepdim=True)
    return chosen(fall, labels)


@HIDDEN.wrong("4_3.a", "the gradient of z")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    return of_rest(whole.detach(), (whole - part) / left, labels)


@HIDDEN.wrong("4_3.a", "the gradient of a")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    return of_rest(whole, (whole - part) / left.detach(), labels)


@HIDDEN.wrong("4_3.a", "changes its argument in place")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    out = of_rest(whole, (whole - part) / left, labels)
    z *= 2
    return out


def normalised(e):
    return e / e.sum(dim=-1, keepdim=True)


@HIDDEN.wrong("4_3.a", "subtracts the largest score of each image")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    e, f = whole.clamp(max=700), ((whole - part) / left).clamp(max=700)
    return chosen(normalised(e.exp()) - normalised(f.exp()), labels)


@HIDDEN.wrong("4_3.a", "subtracts the largest score of each image")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    rest = (whole - part) / left
    e, f = (whole - whole.max()).exp(), (rest - rest.max()).exp()
    return chosen(normalised(e) - normalised(f), labels)


@HIDDEN.wrong("4_3.a", "a floor under it changes the result")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    return of_rest(whole, (whole - part) / left.clamp(min=0.1), labels)


@HIDDEN.wrong("4_3.a", "where a weight is 0")
def without_each(a, z, labels):
    own = torch.eye(a.shape[1], dtype=torch.bool)
    others = a.log()[:, None].masked_fill(own, -torch.inf).softmax(dim=-1)
    return of_rest(pieces(a, z)[1], others @ z, labels)


@HIDDEN.wrong("4_3.a", "without the rest of its batch")
def without_each(a, z, labels):
    part, whole, left = pieces(a, z)
    out = of_rest(whole, (whole - part) / left, labels)
    return torch.cat([out[:5], 0 * out[5:]])


# --- b ---------------------------------------------------------------------


def joined(weights):
    a = weights.amax(dim=2)
    return a / a.sum(dim=-1, keepdim=True)


def down(a, i, share, stays=None):
    r = torch.zeros_like(a[0, :, 0])
    r[:, i] = 1
    stays = 1 - share if stays is None else stays
    for layer in a.flip(0):
        r = share * torch.einsum("bi,bij->bj", r, layer) + stays * r
    return r


@HIDDEN.wrong("4_3.b", "the mean of the heads")
def rollout_row(weights, i, share):
    return down(weights.mean(dim=2), i, share)


@HIDDEN.wrong("4_3.b", "divide by their sums")
def rollout_row(weights, i, share):
    return down(weights.amax(dim=2), i, share)


@HIDDEN.wrong("4_3.b", "by the sums of columns")
def rollout_row(weights, i, share):
    a = weights.amax(dim=2)
    return down(a / a.sum(dim=-2, keepdim=True), i, share)


@HIDDEN.wrong("4_3.b", "are exchanged")
def rollout_row(weights, i, share):
    return down(joined(weights), i, 1 - share)


@HIDDEN.wrong("4_3.b", "one half is built in")
def rollout_row(weights, i, share):
    return down(joined(weights), i, 0.5)


@HIDDEN.wrong("4_3.b", "that is column i")
def rollout_row(weights, i, share):
    return down(joined(weights).mT, i, share)


@HIDDEN.wrong("4_3.b", "1 - share, is missing")
def rollout_row(weights, i, share):
    return down(joined(weights), i, 1.0, 0.0)


@HIDDEN.wrong("4_3.b", "1 - share, is missing")
def rollout_row(weights, i, share):
    return down(joined(weights), i, share, 0.0)


@HIDDEN.wrong("4_3.b", "is not multiplied by 1 - share")
def rollout_row(weights, i, share):
    return down(joined(weights), i, share, 1.0)


@HIDDEN.wrong("4_3.b", "row 0 for every i")
def rollout_row(weights, i, share):
    return down(joined(weights), 0, share)


@HIDDEN.wrong("4_3.b", "only the first head")
def rollout_row(weights, i, share):
    return down(weights[:, :, 0], i, share)


@HIDDEN.wrong("4_3.b", "a sum without dividing")
def rollout_row(weights, i, share):
    return down(weights.sum(dim=2), i, share)


@HIDDEN.wrong("4_3.b", "in the wrong order")
def rollout_row(weights, i, share):
    return down(joined(weights).flip(0), i, share)


@HIDDEN.wrong("4_3.b", "the last layer alone")
def rollout_row(weights, i, share):
    return down(joined(weights)[-1:], i, share)


@HIDDEN.wrong("4_3.b", "belongs in every layer")
def rollout_row(weights, i, share):
    r = down(joined(weights), i, 1.0, 0.0)
    stays = torch.zeros_like(r)
    stays[:, i] = 1
    return share * r + (1 - share) * stays


@HIDDEN.wrong("4_3.b", "no gradient flows")
def rollout_row(weights, i, share):
    return down(joined(weights).detach(), i, share)


@HIDDEN.wrong("4_3.b", "the gradient of weights")
def rollout_row(weights, i, share):
    a = weights.amax(dim=2)
    return down(a / a.sum(dim=-1, keepdim=True).detach(), i, share)


@HIDDEN.wrong("4_3.b", "changes its argument in place")
def rollout_row(weights, i, share):
    out = down(joined(weights), i, share)
    weights[0] += 1
    return out


@HIDDEN.wrong("4_3.b", "only some of the layers")
def rollout_row(weights, i, share):
    return down(joined(weights[-4:, :, :4]), i, share)


@HIDDEN.wrong("4_3.b", "only some of the layers")
def rollout_row(weights, i, share):
    return down(joined(weights[:4]), i, share)


# --- c ---------------------------------------------------------------------


def last(n, k):
    return k * (n + 1) / (k + 1)


@HIDDEN.wrong("4_3.c", "half of the interval counts")
def redundant_areas(n, k):
    return k / n, last(n, k) / n


@HIDDEN.wrong("4_3.c", "not after it")
def redundant_areas(n, k):
    return (k + 0.5) / n, (last(n, k) - 0.5) / n


@HIDDEN.wrong("4_3.c", "where the output begins to fall")
def redundant_areas(n, k):
    return (k - 1) / n, (last(n, k) - 1) / n


@HIDDEN.wrong("4_3.c", "one deleted key token is not enough")
def redundant_areas(n, k):
    return 0.5 / n, (last(n, k) - 0.5) / n


@HIDDEN.wrong("4_3.c", "that is the mean; it comes second")
def redundant_areas(n, k):
    return (last(n, k) - 0.5) / n, (k - 0.5) / n


@HIDDEN.wrong("4_3.c", "shares, not tokens")
def redundant_areas(n, k):
    return k - 0.5, last(n, k) - 0.5


@HIDDEN.wrong("4_3.c", "it is taken off")
def redundant_areas(n, k):
    return (k - 0.5) / n, (last(n, k) + 0.5) / n


@HIDDEN.wrong("4_3.c", "uses the first key token's number")
def redundant_areas(n, k):
    return (k - 0.5) / n, ((n + 1) / (k + 1) - 0.5) / n


@HIDDEN.wrong("4_3.c", "uses the middle key token's number")
def redundant_areas(n, k):
    return (k - 0.5) / n, 0.5


@HIDDEN.wrong("4_3.c", "for very many tokens")
def redundant_areas(n, k):
    return (k - 0.5) / n, k / (k + 1)


@HIDDEN.wrong("4_3.c", "has n + 1, not n")
def redundant_areas(n, k):
    return (k - 0.5) / n, (k * n / (k + 1) - 0.5) / n


# --- d ---------------------------------------------------------------------


def parts_of(a, b, floor=1e-30):
    middle = ((a + b) / 2).clamp(min=floor)
    return [p * (p.clamp(min=floor) / middle).log() for p in (a, b)]


@HIDDEN.wrong("4_3.d", "nan or infinite")
def divergence(a, b):
    middle = ((a + b) / 2).clamp(min=1e-30)
    first, second = (torch.xlogy(p, p / middle) for p in (a, b))
    return (first + second).sum(dim=-1) / 2


@HIDDEN.wrong("4_3.d", "must count as 0")
def divergence(a, b):
    first, second = (p * (2 * p / (a + b)).log() for p in (a, b))
    return (first + second).sum(dim=-1) / 2


@HIDDEN.wrong("4_3.d", "nan or infinite")
def divergence(a, b):
    first, second = (p * (2 * p / (a + b)).log() for p in (a, b))
    return (first.nan_to_num() + second.nan_to_num()).sum(dim=-1) / 2


@HIDDEN.wrong("4_3.d", "nan or infinite")
def divergence(a, b):
    middle = (a + b) / 2
    found = [p * (p / middle).log() for p in (a, b)]
    found = [torch.where(p > 0, x, 0) for p, x in zip((a, b), found)]
    return (found[0] + found[1]).sum(dim=-1) / 2


@HIDDEN.wrong("4_3.d", "added inside the logarithm")
def divergence(a, b):
    middle = (a + b) / 2
    found = [p * ((p + 1e-4) / (middle + 1e-4)).log() for p in (a, b)]
    return (found[0] + found[1]).sum(dim=-1) / 2


@HIDDEN.wrong("4_3.d", "the sum of both halves")
def divergence(a, b):
    return sum(parts_of(a, b)).sum(dim=-1)


@HIDDEN.wrong("4_3.d", "that is in bits")
def divergence(a, b):
    return sum(parts_of(a, b)).sum(dim=-1) / 2 / np.log(2)


@HIDDEN.wrong("4_3.d", "only the part of a")
def divergence(a, b):
    return parts_of(a, b)[0].sum(dim=-1) / 2


@HIDDEN.wrong("4_3.d", "the sign is wrong")
def divergence(a, b):
    return -sum(parts_of(a, b)).sum(dim=-1) / 2


@HIDDEN.wrong("4_3.d", "is something detached")
def divergence(a, b):
    middle = ((a + b) / 2).clamp(min=1e-30).detach()
    found = [p * (p.clamp(min=1e-30) / middle).log() for p in (a, b)]
    return (found[0] + found[1]).sum(dim=-1) / 2


@HIDDEN.wrong("4_3.d", "is something detached")
def divergence(a, b):
    return sum(parts_of(a.detach(), b)).sum(dim=-1) / 2 + 0 * a.sum(dim=-1)


@HIDDEN.wrong("4_3.d", "weights of 0.00001 and less")
def divergence(a, b):
    found = [p * ((p + 1e-7) / ((a + b) / 2 + 1e-7)).log() for p in (a, b)]
    return sum(found).sum(dim=-1) / 2


@HIDDEN.wrong("4_3.d", "weights of 0.00001 and less")
def divergence(a, b):
    return sum(parts_of(a, b, 1e-4)).sum(dim=-1) / 2


@HIDDEN.wrong("4_3.d", "or to the middle")
def divergence(a, b):
    middle = (a + b) / 2 + 1e-9
    logs = (p.clamp(min=1e-30).log() - middle.log() for p in (a, b))
    return sum(p * x for p, x in zip((a, b), logs)).sum(dim=-1) / 2


# --- e ---------------------------------------------------------------------


def rank(*columns):
    return np.linalg.matrix_rank(np.column_stack(columns))


@HIDDEN.wrong("4_3.e", "only independent equations count")
def free_directions(z):
    return len(z) - z.shape[1]


@HIDDEN.wrong("4_3.e", "the weights must still sum to 1")
def free_directions(z):
    return len(z) - rank(z[:, 1:] - z[:, :1])


@HIDDEN.wrong("4_3.e", "by the same amount: that leaves")
def free_directions(z):
    return len(z) - rank(np.ones(len(z)), z)


@HIDDEN.wrong("4_3.e", "the directions that they leave")
def free_directions(z):
    return rank(np.ones(len(z)), z[:, 1:] - z[:, :1])


@HIDDEN.wrong("4_3.e", "only the sum's equation")
def free_directions(z):
    return len(z) - 1


@HIDDEN.wrong("4_3.e", "the number of places")
def free_directions(z):
    return len(z)


@HIDDEN.wrong("4_3.e", "the sum's equation")
def free_directions(z):
    return len(z) - rank(z)


@HIDDEN.wrong("4_3.e", "into one matrix")
def free_directions(z):
    return len(z) - 1 - rank(z[:, 1:] - z[:, :1])


@HIDDEN.wrong("4_3.e", "is not negative")
def free_directions(z):
    full = rank(np.ones(len(z)), z[:, 1:] - z[:, :1])
    return len(z) - (z.shape[1] if full == len(z) else full)


@HIDDEN.wrong("4_3.e", "one may be a mixture of others")
def free_directions(z):
    kinds = np.unique(np.round(z - z[:, :1], 8), axis=0)
    return len(z) - min(len(kinds), z.shape[1])


@HIDDEN.wrong("4_3.e", "nor set a tolerance")
def free_directions(z):
    equations = np.column_stack([np.ones(len(z)), z[:, 1:] - z[:, :1]])
    return len(z) - np.linalg.matrix_rank(equations, tol=1e-3)


@HIDDEN.wrong("4_3.a", "only a weight of 0 is padding")
def without_each(a, z, labels):
    part = a[..., None] * z
    whole = part.sum(dim=1, keepdim=True)
    rest = (whole - part) / (1 - a[..., None])
    fall = whole.softmax(dim=-1) - rest.softmax(dim=-1)
    return fall[torch.arange(len(a)), :, labels] * (a > 1e-4)


@HIDDEN.wrong("4_3.c", "do not round it")
def redundant_areas(n, k):
    return (k - 0.5) / n, (k * (n + 1) // (k + 1) - 0.5) / n


@HIDDEN.wrong("4_3.c", "that is the worst order")
def redundant_areas(n, k):
    return (n - 0.5) / n, (k * (n + 1) / (k + 1) - 0.5) / n


@HIDDEN.wrong("4_3.d", "only one of the two maps has")
def divergence(a, b):
    both, middle = (a > 0) & (b > 0), ((a + b) / 2).clamp(min=1e-30)
    parts = [w * (w.clamp(min=1e-30) / middle).log() * both for w in (a, b)]
    return (parts[0] + parts[1]).sum(dim=-1) / 2


@HIDDEN.wrong("4_3.e", "also of two classes")
def free_directions(z):
    equations = np.column_stack([np.ones(len(z)), z[:, 1:] - z[:, :1]])
    full = z.shape[1] == 2
    return len(z) - (2 if full else np.linalg.matrix_rank(equations))


# --- limits of size --------------------------------------------------------


@HIDDEN.wrong("4_3.b", "only some of the layers")
def rollout_row(weights, i, share):
    return down(joined(weights[:100]), i, share)


@HIDDEN.wrong("4_3.b", "share is used as it is")
def rollout_row(weights, i, share):
    return down(joined(weights), i, min(share, 0.95) if share < 1 else share)


@HIDDEN.wrong("4_3.c", "nothing is cut off")
def redundant_areas(n, k):
    return (k - 0.5) / n, (last(min(n, 100), k) - 0.5) / n


@HIDDEN.wrong("4_3.e", "all of them count")
def free_directions(z):
    z = z[:, :10]
    equations = np.column_stack([np.ones(len(z)), z[:, 1:] - z[:, :1]])
    return len(z) - np.linalg.matrix_rank(equations)
