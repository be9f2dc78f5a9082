"""The nets of `benchmarks.nets` in PyTorch, layer by layer the same; run by its interpreter alone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import torch
from torch import nn

from benchmarks.nets import BATCH, CLASSES, HEADS, PICTURES, SECONDS, VOCABULARY, WIDTH, answer, examples


class Block(nn.Module):
    """A pre-activation residual block."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = nn.BatchNorm2d(before), nn.BatchNorm2d(channels)
        self.one = nn.Conv2d(before, channels, 3, stride, padding=1, bias=False)
        self.two = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.short = nn.Conv2d(before, channels, 1, stride, bias=False) if before != channels else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sum of both paths."""
        active = torch.relu(self.first(x))
        shortcut = self.short(active) if self.short else x
        return shortcut + self.two(torch.relu(self.second(self.one(active))))


class ResNet(nn.Module):
    """Three stages of residual blocks.

    Args:
        channels: Of the pictures.
        width: Channels of the first stage.
        depth: Blocks a stage.
        stride: Of the first convolution, 1 or 2.
    """

    def __init__(self, channels: int, width: int, depth: int, stride: int) -> None:
        super().__init__()
        size = 3 if stride == 1 else 2 * stride + 1
        first = nn.Conv2d(channels, width, size, stride, padding=size // 2, bias=False)
        layers: list[nn.Module] = [first]
        before = width
        for stage in range(3):
            for place in range(depth):
                channels = width * 2**stage
                layers.append(Block(before, channels, 2 if stage and not place else 1))
                before = channels
        self.body = nn.Sequential(*layers, nn.BatchNorm2d(before), nn.ReLU())
        self.head = nn.Linear(before, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits of pictures."""
        return self.head(self.body(x).mean((2, 3)))


class Reader(nn.Module):
    """A net over texts: a Transformer of two layers, or a GRU that reads both ways."""

    def __init__(self, recurrent: bool) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, WIDTH)
        self.recurrent = recurrent
        if recurrent:
            self.read = nn.GRU(WIDTH, WIDTH, batch_first=True, bidirectional=True)
        else:
            layer = nn.TransformerEncoderLayer(
                WIDTH, HEADS, 4 * WIDTH, 0.1, batch_first=True, norm_first=True
            )
            self.read = nn.TransformerEncoder(layer, 2, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.head = nn.Linear(2 * WIDTH if recurrent else WIDTH, CLASSES)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the logits of texts."""
        x = self.read(self.embed(ids))
        return self.head((x[0] if self.recurrent else x).amax(1))


def built(net: str) -> nn.Module:
    """Return a net; pictures in the layout that is fastest on a CPU."""
    if net in PICTURES:
        shape, *settings = PICTURES[net]
        return ResNet(shape[2], *settings).to(memory_format=torch.channels_last)
    return Reader(net == "GRU")


def trainer(net: str, way: str) -> Callable[[], float]:
    """Return what trains a net for a while and says how many examples a second that were."""
    model = built(net).train()
    optimizer = torch.optim.Adam(model.parameters(), 1e-4)
    forward = torch.compile(model) if "compiled" in way else model
    x, y = (torch.from_numpy(array) for array in examples(net))
    if net in PICTURES:
        x = x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    batches = list(zip(x.split(BATCH), y.split(BATCH), strict=True))

    def step(inputs: torch.Tensor, classes: torch.Tensor) -> None:
        optimizer.zero_grad()
        low = torch.autocast("cpu", torch.bfloat16) if "bfloat16" in way else contextlib.nullcontext()
        with low:
            logits = forward(inputs)
        nn.functional.cross_entropy(logits.float(), classes).backward()
        optimizer.step()

    def train() -> float:
        step(*batches[0])
        steps, start = 0, time.perf_counter()
        while time.perf_counter() - start < SECONDS:
            step(*batches[steps % len(batches)])
            steps += 1
        return BATCH * steps / (time.perf_counter() - start)

    return train


if __name__ == "__main__":
    answer(trainer)
