"""What the training scripts of the pages beside it share: counting what a network names, and writing files.

A script in a page's folder is run by its path, so it puts this folder on sys.path before it imports this module.
"""

from __future__ import annotations

import json
import math
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

EPOCH_1980 = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Measured:
    """What came of measuring on held-out pictures; confusion[true, named] counts them."""

    confusion: Ints

    @property
    def total(self) -> int:
        return int(self.confusion.sum())

    @property
    def right(self) -> int:
        return int(np.trace(self.confusion))

    @property
    def accuracy(self) -> float:
        return self.right / self.total

    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval for the accuracy: what so few pictures can tell."""
        z = 1.96
        n, p = self.total, self.accuracy
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        reach = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return middle - reach, middle + reach


def named(model: keras.Model, pictures: Floats) -> Ints:
    """The class that the network names for each picture: [n]."""
    classes: Ints = model.predict(pictures, batch_size=256, verbose=0).argmax(axis=1)
    return classes


def split_rows(labels: Ints) -> tuple[Ints, Ints, Ints]:
    """Rows for training, validation and holding out: 64, 16 and 20 % of each class, in the order of the data."""
    rest, held = _fifth(np.arange(len(labels)), labels)
    train, validation = _fifth(rest, labels)
    return train, validation, held


def _fifth(rows: Ints, labels: Ints) -> tuple[Ints, Ints]:
    most, fifth = train_test_split(rows, test_size=0.2, stratify=labels[rows], random_state=0)
    return np.sort(most), np.sort(fifth)


def measure(model: keras.Model, pictures: Floats, labels: Ints, classes: int) -> Measured:
    """Counts what the network names pictures ([n, y, x, channels]) whose classes are known ([n])."""
    confusion = np.zeros((classes, classes), dtype=int)
    np.add.at(confusion, (labels, named(model, pictures)), 1)
    return Measured(confusion)


def save(model: keras.Model, path: Path) -> None:
    """Writes a .keras file in which only the network decides the bytes.

    Keras would write the date, and the addresses in memory of the objects that layers share.
    """
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(members["metadata.json"])
    metadata["date_saved"] = "1980-01-01@00:00:00"
    members["metadata.json"] = json.dumps(metadata).encode()
    numbers: dict[str, str] = {}
    members["config.json"] = re.sub(
        r'(?<="shared_object_id": )\d+',
        lambda found: numbers.setdefault(found[0], str(len(numbers) + 1)),
        members["config.json"].decode(),
    ).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(members.items()):
            member = zipfile.ZipInfo(name, EPOCH_1980)
            member.create_system = 3
            archive.writestr(member, data)


def summary(held: Measured) -> dict[str, object]:
    """How often the network is right: what metrics begin with."""
    return {
        "held_out": held.total,
        "right": held.right,
        "accuracy": round(held.accuracy, 4),
        "interval_95": [round(end, 4) for end in held.interval()],
    }


def write_metrics(metrics: Mapping[str, object], confusion: Ints, path: Path) -> None:
    """Writes numbers as JSON; metrics["confusion"], which is `confusion` as a list, gets a line a row."""
    text = json.dumps(metrics, indent=2)
    rows = json.dumps(metrics["confusion"], indent=2)
    lines = ",\n".join(f"    {row}" for row in confusion.tolist())
    text = text.replace(rows.replace("\n", "\n  "), f"[\n{lines}\n  ]")
    path.write_text(text + "\n", "utf-8")


def write_between(lines: Iterable[str], path: Path) -> None:
    """Puts the measured lines between the two comments in the page."""
    start, end = "<!-- metrics -->", "<!-- /metrics -->"
    before, found, rest = path.read_text("utf-8").partition(start)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise SystemExit(f"{path} has no {start} … {end}")
    body = "\n".join(lines)
    path.write_text(f"{before}{start}\n\n{body}\n\n{end}{after}", "utf-8")


def percent(share: float) -> str:
    """A share, 0 to 1, as the pages write it."""
    return f"{100 * share:.1f} %"


def mistakes(row: Ints, right: int, names: Iterable[str]) -> str:
    """What pictures of one class were taken for: a row of a confusion in words."""
    wrong = [
        name if count == 1 else f"{name} ({count} times)"
        for other, (name, count) in enumerate(zip(names, row, strict=True))
        if count and other != right
    ]
    return ", ".join(wrong) or "none"


def begin(seed: int) -> None:
    """Makes chance the same in every run."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def by_class(heading: str, held: Measured, labels: Sequence[str], align: str = "-----") -> list[str]:
    """A table of what a network names right of each class, and what it takes the others for, line by line."""
    return [
        f"| {heading} | Held out | Right | Taken for |",
        f"| {align} | -------: | ----: | --------- |",
        *(
            f"| {labels[label]} | {row.sum()} | {row[label]} | {mistakes(row, label, labels)} |"
            for label, row in enumerate(held.confusion)
        ),
    ]
