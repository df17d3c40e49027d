"""What both trainings do at every step."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import nn

#: Share of the peak learning rate at the end, and steps until the peak.
FLOOR, WARM_UP_STEPS = 0.02, 80


@dataclass(frozen=True)
class Budget:
    """Ends a training after so many steps; on a slow machine after so much time, with the same course of the rate."""

    steps: int
    limit_s: float
    began_s: float = field(default_factory=time.monotonic)

    def elapsed_s(self) -> float:
        """Seconds since the training began."""
        return time.monotonic() - self.began_s

    def progress(self) -> Iterator[tuple[int, float]]:
        """Step number and share done, until 1 is reached."""
        for step in range(self.steps):
            done = max(step / self.steps, self.elapsed_s() / self.limit_s)
            if done >= 1.0:
                return
            yield step, done


def learning_rate(peak: float, step: int, done: float) -> float:
    """Linear warm-up, then half a cosine over the share that is done."""
    cosine = 0.5 * (1.0 + math.cos(math.pi * done))
    return peak * min(1.0, (step + 1) / WARM_UP_STEPS) * (FLOOR + (1.0 - FLOOR) * cosine)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give all weights the same learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate


@dataclass
class RunningAverage:
    """The network's weights averaged over the last steps: what is exported in the end."""

    network: nn.Module
    decay: float = 0.995
    steps: int = 0
    state: dict[str, torch.Tensor] = field(default_factory=dict)

    def update(self) -> None:
        """Take in the weights after one step."""
        self.steps += 1
        share = 1.0 - min(self.decay, self.steps / (self.steps + 20))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                if name not in self.state or not value.dtype.is_floating_point:
                    self.state[name] = value.detach().clone()
                else:
                    self.state[name].lerp_(value, share)


def device() -> torch.device:
    """A GPU when there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
