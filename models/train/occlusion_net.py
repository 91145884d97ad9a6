"""The occlusion network and its training; needs torch (`uv sync --group train`)."""

import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

__all__ = ["OcclusionNet", "figures", "load", "train"]

WIDTHS = (16, 32, 64, 96, 128)
"""Channels at a half, a quarter, ... of the picture's side."""
BATCH = 48
RATE = 2e-3
RATE_RESUMED = 1.2e-3
"""Where the weights are good already, a high rate first spoils them."""
EMA = 0.998
TOLD_EVERY_S = 60
THREADS = 1
"""More wait for one another where the machine has other work."""


def convolution(into: int, out: int, kernel: int = 3, stride: int = 1) -> Any:
    return nn.Sequential(
        nn.Conv2d(into, out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(out), nn.ReLU()
    )


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = convolution(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Any) -> Any:
        return torch.relu(x + self.second(self.first(x)))


class Merge(nn.Module):
    """Coarse features narrowed, enlarged and added to finer ones."""

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.narrow, self.join = convolution(coarse, fine, 1), convolution(fine, fine)

    def forward(self, coarse: Any, fine: Any) -> Any:
        return self.join(functional.interpolate(self.narrow(coarse), scale_factor=2.0, mode="nearest") + fine)


class OcclusionNet(nn.Module):
    """(N, 3, 128, 128) BGR in [-1, 1] to (N, 1, 64, 64) logits that the face is covered.

    A U-Net (Ronneberger et al. 2015) of plain convolutions with sums for skips: on CPUs with 8-bit dot
    products those are faster than separable ones of a third of their arithmetic.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = convolution(3, WIDTHS[0], 3, 2)
        pairs = list(pairwise(WIDTHS))
        self.down = nn.ModuleList(nn.Sequential(convolution(a, b, 3, 2), Residual(b)) for a, b in pairs)
        self.up = nn.ModuleList(Merge(b, a) for a, b in reversed(pairs))
        self.head = nn.Conv2d(WIDTHS[0], 1, 3, 1, 1)

    def forward(self, x: Any) -> Any:
        levels = [self.stem(x)]
        for step in self.down:
            levels.append(step(levels[-1]))
        y = levels.pop()
        for step in self.up:
            y = step(y, levels.pop())
        return self.head(y)


def load(path: Path) -> OcclusionNet:
    net = OcclusionNet()
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    net.eval()
    return net


def batches(files: list[Path], rng: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """Endless (BATCH, 128, 128, 5) samples of all files."""
    arrays = [np.load(path, mmap_mode="r") for path in files]
    index = np.concatenate(
        [np.column_stack([np.full(len(a), n), np.arange(len(a))]) for n, a in enumerate(arrays)]
    )
    while True:
        order = rng.permutation(len(index))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            chosen = index[order[start : start + BATCH]]
            yield np.stack([arrays[file][row] for file, row in chosen])


def prepared(samples: NDArray[np.uint8]) -> tuple[Any, Any, Any]:
    """Pictures in [0, 1], covered and weight at half the side."""
    x = torch.from_numpy(samples).permute(0, 3, 1, 2).float() / 255
    return x[:, :3], functional.avg_pool2d(x[:, 3:4], 2), functional.avg_pool2d(x[:, 4:], 2)


def varied(x: Any) -> Any:
    """Each picture in another exposure, contrast, saturation and colour cast."""
    count = len(x)
    gain = (1 + 0.18 * torch.randn(count, 1, 1, 1)) * (1 + 0.06 * torch.randn(count, 3, 1, 1))
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (0.6 + 0.6 * torch.rand(count, 1, 1, 1))
    x = (x * gain).clamp(1e-3, 1) ** (0.75 + 0.55 * torch.rand(count, 1, 1, 1))
    return x + 0.015 * torch.rand(count, 1, 1, 1) * torch.randn_like(x)


def loss_of(logits: Any, covered: Any, weight: Any) -> Any:
    """Cross entropy where it is known what is seen, and the batch's overlap (soft Dice)."""
    entropy = functional.binary_cross_entropy_with_logits(logits, covered, reduction="none")
    shown = logits.sigmoid()
    both, either = (weight * shown * covered).sum(), (weight * (shown + covered)).sum()
    return (entropy * weight).sum() / weight.sum() + 0.15 * (1 - (2 * both + 1) / (either + 1))


def train(
    files: list[Path],
    held: Path,
    weights: Path,
    minutes: float,
    seed: int,
) -> None:
    """Train for `minutes` from `weights`, or from nothing where they are not, and write them there."""
    torch.manual_seed(seed)
    torch.set_num_threads(THREADS)
    torch.set_flush_denormal(True)
    net, mean, rate = OcclusionNet(), OcclusionNet(), RATE
    if weights.exists():
        rate = RATE_RESUMED
        net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    mean.load_state_dict(net.state_dict())
    net = net.to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=1e-3, betas=(0.9, 0.99))
    feed, began, told, step = batches(files, np.random.default_rng(seed)), time.monotonic(), 0.0, 0
    while (spent := time.monotonic() - began) < minutes * 60:
        share = spent / (minutes * 60)
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 150) * (0.5 + 0.5 * np.cos(np.pi * share) + 0.01)
        x, covered, weight = prepared(next(feed))
        if step % 2:
            x, covered, weight = x.flip(3), covered.flip(3), weight.flip(3)
        x = ((varied(x) - 0.5) * 2).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(x)
        loss = loss_of(logits.float(), covered, weight)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        step += 1
        follow(mean, net, min(EMA, step / (step + 20)))
        if spent - told > TOLD_EVERY_S:
            told = spent
            line = {"step": step, "s": round(spent), "loss": round(loss.item(), 4), **figures(mean, held)}
            print(json.dumps(line), flush=True)
            torch.save(mean.state_dict(), weights)
    torch.save(mean.state_dict(), weights)
    print(json.dumps({"step": step, "samples": step * BATCH, **figures(mean, held)}), flush=True)


def follow(mean: Any, net: Any, keep: float) -> None:
    with torch.no_grad():
        for kept, fresh in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(fresh, 1 - keep)
            else:
                kept.copy_(fresh)


def figures(net: Any, held: Path) -> dict[str, float]:
    """On held-out portraits: loss, overlap of the covers, their recall, clean pixels taken for covered."""
    net.eval()
    samples = np.load(held, mmap_mode="r")
    losses, sums = [], np.zeros(4)
    with torch.no_grad():
        for start in range(0, len(samples), 50):
            x, covered, weight = prepared(np.array(samples[start : start + 50]))
            logits = net((x - 0.5) * 2)
            losses.append(float(loss_of(logits, covered, weight)))
            said, true = (logits > 0) & (weight > 0.5), (covered > 0.5) & (weight > 0.5)
            clean = (covered < 0.1) & (weight > 0.5)
            sums += [int((said & true).sum()), int(true.sum()), int((said & clean).sum()), int(clean.sum())]
    hit, true_count, wrong, clean_count = sums
    return {
        "held_loss": round(float(np.mean(losses)), 4),
        "overlap": round(hit / (true_count + wrong), 4),
        "recall": round(hit / true_count, 4),
        "false": round(wrong / clean_count, 5),
    }
