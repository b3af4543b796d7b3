"""What may be lost, and whether it was: the inputs that losses are measured on, and the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sitegen.weights import fidelity
from sitegen.weights.measure import Measure, Outputs

_BROKEN = 0.5
_NOTHING = 1e-9  # less than this is nobody's loss


@dataclass(frozen=True)
class Bound:
    """What may be lost where no budget says it: a share of what TF.js's uint8 loses.

    Where uint8 breaks a model, it says nothing of what may be lost; then it is `most`.
    """

    share: float
    most: float

    def of(self, uint8: float) -> float:
        """The most distortion, next to uint8's."""
        return self.most if uint8 > _BROKEN else max(self.share * uint8, _NOTHING)


# Shares are below 1 as others' pictures lose more than those that are at hand, synthetic or not. What is less like real
# ones need not be as near where uint8 breaks a model, but must not break; nor need it where real ones are at hand.
REAL, LIKEST, OTHER = Bound(0.55, 5.5e-3), Bound(0.6, 5e-3), Bound(0.6, 0.25)
BESIDES = Bound(0.6, 1e-2)  # of the likest, besides real ones


@dataclass(frozen=True)
class Budget:
    """What may be lost: the most distortion (KL in nats, NMSE), the least share of inputs whose best class stays.

    `drop` is by how much the share of labelled inputs that are named rightly may fall. Where no distortion is said, the
    bounds next to uint8 hold.
    """

    distortion: float | None = None
    agreement: float | None = None
    drop: float | None = None


@dataclass(frozen=True)
class Loss:
    """What a file loses on some inputs."""

    on: str
    inputs: int
    distortion: float
    agreement: float | None
    accuracy: float | None  # of labelled inputs
    excess: float  # log2 of the distortion over what is allowed; infinite where something else is not


@dataclass(frozen=True)
class Family:
    """How many inputs of one kind, what the float model makes of them, and what TF.js's uint8 would lose."""

    name: str
    inputs: int
    reference: Outputs
    uint8: fidelity.Loss
    bound: Bound
    classes: fidelity.Classes | None = None  # of labelled ones

    @property
    def accuracy(self) -> float | None:
        """The float model's."""
        return None if self.classes is None else fidelity.accuracy(self.reference, self.classes)


def kept(budget: Budget, found: fidelity.Loss, accuracy: float | None) -> bool:
    """Whether a loss keeps a budget in what is counted, not measured; `accuracy` is the float model's."""
    if budget.agreement is not None and found.agreement is not None and found.agreement < budget.agreement:
        return False
    if budget.drop is None or found.accuracy is None or accuracy is None:
        return True
    # 0.7 is not quite 0.9 - 0.2 in binary.
    return found.accuracy >= accuracy - budget.drop - 1e-9


@dataclass(frozen=True)
class Gate:
    """All families must hold; `measure` has the inputs of each."""

    measure: Measure
    families: Sequence[Family]
    budget: Budget

    @property
    def allowed(self) -> list[float]:
        """The most distortion of each family."""
        said = self.budget.distortion
        return [family.bound.of(family.uint8.distortion) if said is None else said for family in self.families]

    def losses(self, file: bytes) -> list[Loss]:
        """Of each family in turn."""
        rows = zip(self.families, self.allowed, self.measure.outputs(file), strict=True)
        return [self._loss(family, allowed, outputs) for family, allowed, outputs in rows]

    def _loss(self, family: Family, allowed: float, outputs: Outputs) -> Loss:
        found = fidelity.loss(family.reference, outputs, self.measure.kinds, family.classes)
        excess = float(np.log2(found.distortion / allowed))
        return Loss(
            on=family.name,
            inputs=family.inputs,
            distortion=found.distortion,
            agreement=found.agreement,
            accuracy=found.accuracy,
            excess=excess if kept(self.budget, found, family.accuracy) else np.inf,
        )
