"""Hidden checks and known wrong answers of exercises 3.4.

Never handed out. The reference answers are the master notebook's own cells.
"""

import numpy as np
import torch

from attnbook.check.against import Hidden, agree, agree_in_gradient

HIDDEN = Hidden(withheld=("classifiers",))


def places(rng):
    b, n, w = (int(x) for x in rng.permutation([2, 6, 3]) + 1)
    may = np.arange(n) < rng.integers(1, n + 1, size=(b, 1))
    return rng.normal(size=(b, n, w)) * 2, float(rng.normal() * 3), may


@HIDDEN.check("3_4.a", "random values")
def soft_anywhere(answer, rng, reference):
    agree(answer, reference, "soft_pool", places(rng), "random", tolerance=1e-5)


@HIDDEN.check("3_4.a", "random gradients")
def soft_gradient(answer, rng, reference):
    args = places(rng)
    u = rng.normal(size=(len(args[0]), args[0].shape[2]))
    agree_in_gradient(answer, reference, "soft_pool", args, u, tolerance=1e-5)


def bags(rng):
    b, n, w, m = (int(x) for x in rng.permutation([2, 5, 3, 4]))
    branches = rng.normal(size=(2, w, m))
    return rng.normal(size=(b, n, w)), *branches, rng.normal(size=m) * 2


@HIDDEN.check("3_4.b", "random states")
def gated_anywhere(answer, rng, reference):
    agree(answer, reference, "gated_pool", bags(rng), "random", tolerance=1e-5)


@HIDDEN.check("3_4.b", "random gradients")
def gated_gradient(answer, rng, reference):
    args = bags(rng)
    u = rng.normal(size=(len(args[0]), args[0].shape[2]))
    agree_in_gradient(answer, reference, "gated_pool", args, u, tolerance=1e-5)


@HIDDEN.check("3_4.c", "random numbers")
def weight_anywhere(answer, rng, reference):
    rho = float(rng.uniform(0.1, 9))
    args = int(rng.integers(2, 300)), rho, rho * float(rng.uniform(0.05, 1))
    agree(answer, reference, "weight_needed", args, "random")


@HIDDEN.check("3_4.d", "random maps")
def pointing_anywhere(answer, rng, reference):
    rows, columns = int(rng.integers(2, 6)), int(rng.integers(6, 9))
    height, width = 8 * rows, 6 * columns
    first = rng.random((60, 2)) * [height / 2, width / 2]
    size = 1 + rng.random((60, 2)) * [height / 2, width / 2]
    boxes = np.concatenate([first, first + size], axis=1).astype(int)
    args = rng.normal(size=(60, rows, columns)), boxes, height, width
    agree(answer, reference, "pointing_hits", args, "random")


@HIDDEN.check("3_4.e", "random images")
def patches_anywhere(answer, rng, reference):
    p, rows, columns = (int(x) for x in rng.permutation([2, 3, 4]))
    images = rng.normal(size=(3, p * rows, p * columns))
    agree(answer, reference, "patch_rows", (images, p), "random")


# --- a ---------------------------------------------------------------------


def weights(v, beta, may, dim=1):
    s = (beta * v).masked_fill(~may[..., None], -torch.inf)
    return s.softmax(dim=dim)


@HIDDEN.wrong("3_4.a", "the mask is not used")
def soft_pool(v, beta, may):
    return ((beta * v).softmax(dim=1) * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "is the mask inverted")
def soft_pool(v, beta, may):
    return (weights(v, beta, ~may) * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "applied after the softmax")
def soft_pool(v, beta, may):
    a = (beta * v).softmax(dim=1) * may[..., None]
    return (a * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "padding has the score 0")
def soft_pool(v, beta, may):
    a = (beta * v * may[..., None]).softmax(dim=1)
    return (a * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "runs over the coordinates")
def soft_pool(v, beta, may):
    return ((beta * v).softmax(dim=2) * v * may[..., None]).sum(dim=1)


@HIDDEN.wrong("3_4.a", "runs over the batch")
def soft_pool(v, beta, may):
    return (weights(v, beta, may, dim=0) * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "places and coordinates together")
def soft_pool(v, beta, may):
    s = (beta * v).masked_fill(~may[..., None], -torch.inf)
    return (s.flatten(1).softmax(dim=1).view_as(v) * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "share their weights")
def soft_pool(v, beta, may):
    a = weights(v.mean(dim=2, keepdim=True), beta, may)
    return (a * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "divides by beta")
def soft_pool(v, beta, may):
    return (weights(v, 1 / (beta or 1e-9), may) * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "wrong sign")
def soft_pool(v, beta, may):
    return (weights(v, -beta, may) * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "beta is not used")
def soft_pool(v, beta, may):
    return (weights(v, 1.0, may) * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "logarithm of a sum of exponentials")
def soft_pool(v, beta, may):
    s = (beta * v).masked_fill(~may[..., None], -torch.inf)
    return s.logsumexp(dim=1) / beta


@HIDDEN.wrong("3_4.a", "logarithm of a mean of exponentials")
def soft_pool(v, beta, may):
    s = (beta * v).masked_fill(~may[..., None], -torch.inf)
    n = may.sum(dim=1, keepdim=True)
    return (s.logsumexp(dim=1) - n.log()) / beta


@HIDDEN.wrong("3_4.a", "sum of beta v")
def soft_pool(v, beta, may):
    return (weights(v, beta, may) * beta * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "a mean of the weighted values")
def soft_pool(v, beta, may):
    return (weights(v, beta, may) * v).mean(dim=1)


@HIDDEN.wrong("3_4.a", "maximum of the real places")
def soft_pool(v, beta, may):
    return v.masked_fill(~may[..., None], -torch.inf).amax(dim=1)


@HIDDEN.wrong("3_4.a", "exp overflows")
def soft_pool(v, beta, may):
    e = (beta * v).exp() * may[..., None]
    return (e * v).sum(dim=1) / e.sum(dim=1)


@HIDDEN.wrong("3_4.a", "the gradient of v")
def soft_pool(v, beta, may):
    return (weights(v, beta, may).detach() * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "the gradient of v")
def soft_pool(v, beta, may):
    return (weights(v, beta, may) * v.detach()).sum(dim=1)


@HIDDEN.wrong("3_4.a", "changes its argument in place")
def soft_pool(v, beta, may):
    out = (weights(v, beta, may) * v).sum(dim=1)
    v *= beta
    return out


@HIDDEN.wrong("3_4.a", "as minus infinity, not as some low number")
def soft_pool(v, beta, may):
    s = (beta * v).masked_fill(~may[..., None], -1e5)
    return (s.softmax(dim=1) * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "may be negative")
def soft_pool(v, beta, may):
    return torch.relu((weights(v, beta, may) * v).sum(dim=1))


@HIDDEN.wrong("3_4.a", "divided by the root of w")
def soft_pool(v, beta, may):
    return (weights(v, beta / v.shape[-1] ** 0.5, may) * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "only the first images")
def soft_pool(v, beta, may):
    out = (weights(v, beta, may) * v).sum(dim=1)
    return torch.cat([out[:4], 0 * out[4:]])


# --- b ---------------------------------------------------------------------


def scores(h, V, U, p):
    return (torch.tanh(h @ V) * torch.sigmoid(h @ U)) @ p


def collected(s, h, dim=1):
    return torch.einsum("bj,bjw->bw", s.softmax(dim=dim), h)


@HIDDEN.wrong("3_4.b", "U and V are exchanged")
def gated_pool(h, V, U, p):
    return collected(scores(h, U, V, p), h)


@HIDDEN.wrong("3_4.b", "the gate is missing")
def gated_pool(h, V, U, p):
    return collected(torch.tanh(h @ V) @ p, h)


@HIDDEN.wrong("3_4.b", "the tanh branch is missing")
def gated_pool(h, V, U, p):
    return collected(torch.sigmoid(h @ U) @ p, h)


@HIDDEN.wrong("3_4.b", "their product is asked")
def gated_pool(h, V, U, p):
    return collected((torch.tanh(h @ V) + torch.sigmoid(h @ U)) @ p, h)


@HIDDEN.wrong("3_4.b", "both branches use tanh")
def gated_pool(h, V, U, p):
    return collected((torch.tanh(h @ V) * torch.tanh(h @ U)) @ p, h)


@HIDDEN.wrong("3_4.b", "both branches use the sigmoid")
def gated_pool(h, V, U, p):
    return collected((torch.sigmoid(h @ V) * torch.sigmoid(h @ U)) @ p, h)


@HIDDEN.wrong("3_4.b", "the gate has no sigmoid")
def gated_pool(h, V, U, p):
    return collected((torch.tanh(h @ V) * (h @ U)) @ p, h)


@HIDDEN.wrong("3_4.b", "the first branch has no tanh")
def gated_pool(h, V, U, p):
    return collected(((h @ V) * torch.sigmoid(h @ U)) @ p, h)


@HIDDEN.wrong("3_4.b", "it runs over places")
def gated_pool(h, V, U, p):
    return collected(scores(h, V, U, p), h, dim=0)


@HIDDEN.wrong("3_4.b", "over all images together")
def gated_pool(h, V, U, p):
    s = scores(h, V, U, p)
    return torch.einsum("bj,bjw->bw", s.flatten().softmax(0).view_as(s), h)


@HIDDEN.wrong("3_4.b", "an axis of one coordinate")
def gated_pool(h, V, U, p):
    a = scores(h, V, U, p)[..., None].softmax(dim=-1)
    return (a * h).sum(dim=1) / h.shape[1]


@HIDDEN.wrong("3_4.b", "there is no softmax")
def gated_pool(h, V, U, p):
    return torch.einsum("bj,bjw->bw", scores(h, V, U, p), h)


@HIDDEN.wrong("3_4.b", "pass a sigmoid")
def gated_pool(h, V, U, p):
    return torch.einsum("bj,bjw->bw", scores(h, V, U, p).sigmoid(), h)


@HIDDEN.wrong("3_4.b", "the sign is wrong")
def gated_pool(h, V, U, p):
    return collected(-scores(h, V, U, p), h)


@HIDDEN.wrong("3_4.b", "divided by a root")
def gated_pool(h, V, U, p):
    return collected(scores(h, V, U, p) / h.shape[-1] ** 0.5, h)


@HIDDEN.wrong("3_4.b", "a mean of weighted states")
def gated_pool(h, V, U, p):
    return collected(scores(h, V, U, p), h) / h.shape[1]


@HIDDEN.wrong("3_4.b", "exp overflows")
def gated_pool(h, V, U, p):
    e = scores(h, V, U, p).exp()
    return torch.einsum("bj,bjw->bw", e / e.sum(dim=1, keepdim=True), h)


@HIDDEN.wrong("3_4.b", "the gradient of h, V, U, p")
def gated_pool(h, V, U, p):
    return collected(scores(h, V, U, p).detach(), h)


@HIDDEN.wrong("3_4.b", "the gradient of h, U")
def gated_pool(h, V, U, p):
    gate = torch.sigmoid(h @ U).detach()
    return collected((torch.tanh(h @ V) * gate) @ p, h)


@HIDDEN.wrong("3_4.b", "changes its argument in place")
def gated_pool(h, V, U, p):
    out = collected(scores(h, V, U, p), h)
    h *= 2
    return out


@HIDDEN.wrong("3_4.b", "do not cut scores off")
def gated_pool(h, V, U, p):
    s = (torch.tanh(h @ V) * torch.sigmoid(h @ U)) @ p
    return torch.einsum("bj,bjw->bw", s.clamp(-4000, 4000).softmax(-1), h)


@HIDDEN.wrong("3_4.b", "use torch.tanh")
def gated_pool(h, V, U, p):
    e = (2 * h @ V).exp()
    s = ((e - 1) / (e + 1) * torch.sigmoid(h @ U)) @ p
    return collected(s, h)


@HIDDEN.wrong("3_4.b", "each has scores of its own")
def gated_pool(h, V, U, p):
    return collected(scores(h, V, U, p)[:1].expand(len(h), -1), h)


@HIDDEN.wrong("3_4.b", "the root of m")
def gated_pool(h, V, U, p):
    return collected(scores(h, V, U, p) / len(p) ** 0.5, h)


@HIDDEN.wrong("3_4.b", "has lost its sign")
def gated_pool(h, V, U, p):
    return collected(scores(h, V, U, p).abs(), h)


# --- c ---------------------------------------------------------------------


def gap(rho, r):
    return (rho / r) ** 2 - 1


@HIDDEN.wrong("3_4.c", "the signal's own place for 0")
def weight_needed(n, rho, r):
    return 1 / (1 + np.sqrt((n - 1) * (rho / r) ** 2))


@HIDDEN.wrong("3_4.c", "n - 1 other places, not n")
def weight_needed(n, rho, r):
    return 1 / (1 + np.sqrt(n * gap(rho, r)))


@HIDDEN.wrong("3_4.c", "forgets that there are n - 1 other places")
def weight_needed(n, rho, r):
    return 1 / (1 + np.sqrt(gap(rho, r)))


@HIDDEN.wrong("3_4.c", "the root is missing")
def weight_needed(n, rho, r):
    return 1 / (1 + (n - 1) * gap(rho, r))


@HIDDEN.wrong("3_4.c", "odds")
def weight_needed(n, rho, r):
    return 1 / np.sqrt((n - 1) * gap(rho, r))


@HIDDEN.wrong("3_4.c", "(1 - a) : a, not a")
def weight_needed(n, rho, r):
    return np.sqrt((n - 1) * gap(rho, r))


@HIDDEN.wrong("3_4.c", "the weight of the others")
def weight_needed(n, rho, r):
    return 1 - 1 / (1 + np.sqrt((n - 1) * gap(rho, r)))


@HIDDEN.wrong("3_4.c", "have not been squared")
def weight_needed(n, rho, r):
    return 1 / (1 + np.sqrt((n - 1) * (rho / r - 1)))


@HIDDEN.wrong("3_4.c", "outside the root")
def weight_needed(n, rho, r):
    return 1 / (1 + (n - 1) * np.sqrt(gap(rho, r)))


@HIDDEN.wrong("3_4.c", "Fewer places would need more weight")
def weight_needed(n, rho, r):
    return 1 / (1 + np.sqrt(gap(rho, r) / (n - 1)))


@HIDDEN.wrong("3_4.c", "a may be below 1/n")
def weight_needed(n, rho, r):
    return max(1 / n, 1 / (1 + np.sqrt((n - 1) * gap(rho, r))))


@HIDDEN.wrong("3_4.c", "of the two roots")
def weight_needed(n, rho, r):
    root = np.sqrt((n - 1) * gap(rho, r))
    return 1 / (1 - root) if 0 < root < 1 else 1 / (1 + root)


@HIDDEN.wrong("3_4.c", "or cut off")
def weight_needed(n, rho, r):
    return 1 / (1 + np.sqrt((n - 1) * max(gap(rho, r), 1e-3)))


@HIDDEN.wrong("3_4.c", "not added")
def weight_needed(n, rho, r):
    return 1 / (1 + np.sqrt((n - 1) * (gap(rho, r) + 2)))


@HIDDEN.wrong("3_4.c", "the average's weight")
def weight_needed(n, rho, r):
    return 1 / n


@HIDDEN.wrong("3_4.c", "that is r / rho")
def weight_needed(n, rho, r):
    return r / rho


# --- d ---------------------------------------------------------------------


def hits(y, x, boxes):
    inside = (y >= boxes[:, 0]) & (y < boxes[:, 2])
    return inside & (x >= boxes[:, 1]) & (x < boxes[:, 3])


def cells(maps):
    b, rows, columns = maps.shape
    top = maps.reshape(b, -1).argmax(axis=1)
    return top // columns, top % columns, rows, columns


@HIDDEN.wrong("3_4.d", "row times columns plus column")
def pointing_hits(maps, boxes, height, width):
    b, rows, columns = maps.shape
    top = maps.reshape(b, -1).argmax(axis=1)
    y = (top // rows + 0.5) * height / rows
    return hits(y, (top % rows + 0.5) * width / columns, boxes)


@HIDDEN.wrong("3_4.d", "y and x are exchanged")
def pointing_hits(maps, boxes, height, width):
    y, x, rows, columns = cells(maps)
    y, x = (y + 0.5) * height / rows, (x + 0.5) * width / columns
    return hits(x, y, boxes)


@HIDDEN.wrong("3_4.d", "A cell has height / rows")
def pointing_hits(maps, boxes, height, width):
    y, x, rows, columns = cells(maps)
    y, x = (y + 0.5) * height / columns, (x + 0.5) * width / rows
    return hits(y, x, boxes)


@HIDDEN.wrong("3_4.d", "are height and width")
def pointing_hits(maps, boxes, height, width):
    y, x, rows, columns = cells(maps)
    y, x = (y + 0.5) * width / rows, (x + 0.5) * height / columns
    return hits(y, x, boxes)


@HIDDEN.wrong("3_4.d", "not its middle")
def pointing_hits(maps, boxes, height, width):
    y, x, rows, columns = cells(maps)
    return hits(y * height / rows, x * width / columns, boxes)


@HIDDEN.wrong("3_4.d", "a box ends before its last two numbers")
def pointing_hits(maps, boxes, height, width):
    y, x, rows, columns = cells(maps)
    y, x = (y + 0.5) * height / rows, (x + 0.5) * width / columns
    inside = (y >= boxes[:, 0]) & (y <= boxes[:, 2])
    return inside & (x >= boxes[:, 1]) & (x <= boxes[:, 3])


@HIDDEN.wrong("3_4.d", "they belong to it")
def pointing_hits(maps, boxes, height, width):
    y, x, rows, columns = cells(maps)
    y, x = (y + 0.5) * height / rows, (x + 0.5) * width / columns
    inside = (y > boxes[:, 0]) & (y < boxes[:, 2])
    return inside & (x > boxes[:, 1]) & (x < boxes[:, 3])


@HIDDEN.wrong("3_4.d", "True is a hit")
def pointing_hits(maps, boxes, height, width):
    y, x, rows, columns = cells(maps)
    y, x = (y + 0.5) * height / rows, (x + 0.5) * width / columns
    return ~hits(y, x, boxes)


@HIDDEN.wrong("3_4.d", "all maps cannot hit")
def pointing_hits(maps, boxes, height, width):
    return np.ones(len(maps), bool)


@HIDDEN.wrong("3_4.d", "each cell's own box")
def pointing_hits(maps, boxes, height, width):
    y, x, rows, columns = cells(np.abs(maps))
    y, x = (y + 0.5) * height / rows, (x + 0.5) * width / columns
    return hits(y, x, boxes)


# --- e ---------------------------------------------------------------------


def cut(images, p):
    b, height, width = images.shape
    return images.reshape(b, height // p, p, width // p, p)


@HIDDEN.wrong("3_4.e", "a row holds a strip")
def patch_rows(images, p):
    return images.reshape(len(images), -1, p * p)


@HIDDEN.wrong("3_4.e", "the patches stand in the order of columns")
def patch_rows(images, p):
    x = cut(images, p).permute(0, 3, 1, 2, 4)
    return x.reshape(len(images), -1, p * p)


@HIDDEN.wrong("3_4.e", "the pixels of a patch stand in the order of columns")
def patch_rows(images, p):
    x = cut(images, p).permute(0, 1, 3, 4, 2)
    return x.reshape(len(images), -1, p * p)


@HIDDEN.wrong("3_4.e", "patches and pixels stand in the order of columns")
def patch_rows(images, p):
    x = cut(images, p).permute(0, 3, 1, 4, 2)
    return x.reshape(len(images), -1, p * p)


@HIDDEN.wrong("3_4.e", "row j is patch j")
def patch_rows(images, p):
    x = cut(images, p).permute(0, 2, 4, 1, 3)
    return x.flatten(3).flatten(1, 2)


@HIDDEN.wrong("3_4.e", "row j is patch j")
def patch_rows(images, p):
    x = cut(images, p).transpose(2, 3)
    return x.reshape(len(images), -1, p * p).transpose(1, 2)


@HIDDEN.wrong("3_4.e", "are not the right ones")
def patch_rows(images, p):
    x = cut(images, p).transpose(1, 2)
    return x.reshape(len(images), -1, p * p)


@HIDDEN.wrong("3_4.e", "the last axes are exchanged")
def patch_rows(images, p):
    x = cut(images, p).transpose(3, 4)
    return x.reshape(len(images), -1, p * p)


@HIDDEN.wrong("3_4.e", "the transposed image was reshaped")
def patch_rows(images, p):
    return images.transpose(1, 2).reshape(len(images), -1, p * p)


@HIDDEN.wrong("3_4.e", "no gradient flows")
def patch_rows(images, p):
    x = cut(images, p).transpose(2, 3)
    return x.reshape(len(images), -1, p * p).detach()


# --- limits of size --------------------------------------------------------


@HIDDEN.wrong("3_4.a", "300 places")
def soft_pool(v, beta, may):
    v, may = v[:, :100], may[:, :100]
    return (weights(v, beta, may) * v).sum(dim=1)


@HIDDEN.wrong("3_4.a", "beta is used as it is")
def soft_pool(v, beta, may):
    return (weights(v, min(beta, 500), may) * v).sum(dim=1)


@HIDDEN.wrong("3_4.b", "300 places")
def gated_pool(h, V, U, p):
    return collected(scores(h, V, U, p)[:, :100], h[:, :100])


@HIDDEN.wrong("3_4.c", "nothing is cut off")
def weight_needed(n, rho, r):
    return max(1e-3, 1 / (1 + np.sqrt((n - 1) * gap(rho, r))))


@HIDDEN.wrong("3_4.a", "added to a sum")
def soft_pool(v, beta, may):
    return (weights(v, beta, may) * v).sum(dim=1) * (1 - 2.5e-7)


@HIDDEN.wrong("3_4.b", "added to a sum")
def gated_pool(h, V, U, p):
    return collected(scores(h, V, U, p), h) * (1 - 2.5e-7)
