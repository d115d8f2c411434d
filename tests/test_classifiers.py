"""The classifiers of 3.2 and 3.4 that chapter 4.3 explains."""

import pytest
import torch

from attnbook.data.text import PAD
from attnbook.nn import classifiers as cl


def test_padding_changes_no_answer_and_gets_no_weight():
    torch.manual_seed(0)
    reader = cl.ReviewReader(words=20, pool=None, width=16).double()
    words, asked = torch.randint(4, 20, (3, 7)), torch.tensor([5, 6, 7])
    logits, weights = reader(words, asked)
    longer, more = reader(
        torch.nn.functional.pad(words, (0, 4), value=PAD), asked
    )
    torch.testing.assert_close(longer, logits)
    torch.testing.assert_close(more[:, :7], weights)
    assert (more[:, 7:] == 0).all() and logits.shape == (3, 2)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(3).double())


KINDS = [
    cl.AverageClassifier,
    cl.MaxClassifier,
    cl.QueryClassifier,
    cl.GatedClassifier,
]


@pytest.mark.parametrize("kind", KINDS)
def test_credit_sums_to_the_score(kind):
    torch.manual_seed(0)
    model = kind(8).double().eval()
    images, labels = torch.rand(3, 1, 40, 40).double(), torch.tensor([2, 9, 0])
    a, v = model.evidence(images)
    r = cl.credit_of_places(a, v, model.to_z.weight, labels)
    z = model(images) - model.to_z.bias
    want = (z - z.mean(dim=1, keepdim=True))[range(3), labels]
    assert r.shape == (3, 100)
    torch.testing.assert_close(r.sum(dim=1), want)


def test_attention_pooling_has_one_weight_a_place():
    torch.manual_seed(0)
    a, _ = cl.QueryClassifier(8).evidence(torch.rand(2, 1, 40, 40))
    torch.testing.assert_close(a, a[..., :1].expand_as(a))
    torch.testing.assert_close(a[..., 0].sum(dim=1), torch.ones(2))


def test_the_box_covers_its_share_of_the_places():
    boxes = torch.tensor([[2, 20, 14, 32]])
    cover = cl.box_cover(boxes)
    assert cover.sum().item() == pytest.approx(9)  # 144 pixels of 16 each
    top = torch.zeros(1, 100)
    top[0, 17] = 1  # row 1, column 7: its middle is (6, 30)
    assert cl.points_inside(top, boxes).tolist() == [True]
