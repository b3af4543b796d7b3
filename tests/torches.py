"""ResNet18 and ResNet34 as torchvision has them, in PyTorch, and files of their weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sitegen.models.resnet import ARCHITECTURES


class Block(nn.Module):
    """Two convolutions, and a way around them."""

    def __init__(self, before: int, channels: int, stride: int, project: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = (
            nn.Sequential(nn.Conv2d(before, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
            if project
            else None
        )

    def forward(self, x: Any) -> Any:
        around = self.downsample(x) if self.downsample else x
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + around)


class ResNet(nn.Module):
    """[N, 3, height, width] -> [N, classes]."""

    def __init__(self, architecture: str, width: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        before = width
        for stage, count in enumerate(ARCHITECTURES[architecture]):
            channels = width << stage
            blocks = []
            for index in range(count):
                first = stage > 0 and index == 0
                blocks.append(Block(before, channels, 2 if first else 1, first))
                before = channels
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(before, classes)

    def features(self, x: Any) -> Any:
        """What is averaged: [N, channels, height / 32, width / 32]."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(1, 5):
            x = getattr(self, f"layer{stage}")(x)
        return x

    def forward(self, x: Any) -> Any:
        return self.fc(self.avgpool(self.features(x)).flatten(1))


def resnet(architecture: str = "resnet18", width: int = 64, classes: int = 365, seed: int = 1) -> ResNet:
    """One with random weights, and with batch norms that are not what they begin as."""
    torch.manual_seed(seed)
    made = ResNet(architecture, width, classes).eval()
    with torch.no_grad():
        for module in made.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.2)
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
        # Logits that tell pictures apart.
        made.fc.weight.normal_(0, 0.2)
    return made


# Ways of writing the weights of a module down.
SAVED: dict[str, Callable[[nn.Module, Path], None]] = {
    "state_dict": lambda model, path: torch.save(model.state_dict(), path),
    "legacy": lambda model, path: torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False),
    "checkpoint": lambda model, path: torch.save(
        {"epoch": 90, "arch": "resnet18", "state_dict": nn.DataParallel(model).state_dict(), "best": torch.ones(1)},
        path,
        _use_new_zipfile_serialization=False,
    ),
    "module": lambda model, path: torch.save(model, path),
    "legacy module": lambda model, path: torch.save(model, path, _use_new_zipfile_serialization=False),
}
