"""What both trainings do at every step."""

import math
from dataclasses import dataclass, field

import torch
from torch import nn

#: Share of the peak learning rate at the end, and steps until the peak.
FLOOR, WARM_UP_STEPS = 0.02, 80


def learning_rate(peak: float, step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine."""
    cosine = 0.5 * (1.0 + math.cos(math.pi * step / steps))
    return peak * min(1.0, (step + 1) / WARM_UP_STEPS) * (FLOOR + (1.0 - FLOOR) * cosine)


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
