"""The training loop, as chapter 2.5 wrote it."""

import torch
from torch import nn

from attnbook.nn.train import progress


def train_model(model, batch_loss, steps, lr=3e-3):
    """Minimise batch_loss(model) with AdamW; the loss of every step.

    `lr` is the highest learning rate, reached after a tenth of the steps.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=lr, total_steps=steps, pct_start=0.1
    )
    losses = []
    for _ in progress(steps, type(model).__name__):
        loss = batch_loss(model)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses
