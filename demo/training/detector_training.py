"""Training of the detector."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from demo.training.detector_data import SIDE_PX, Augmented, Example, augment
from demo.training.detector_loss import BatchTargets, detector_loss
from demo.training.detector_network import FaceDetector
from demo.training.detector_targets import Anchors, Targets, make_anchors, make_targets
from demo.training.schedule import Budget, RunningAverage, device, learning_rate, set_rate


@dataclass(frozen=True)
class DetectorPlan:
    """How long and how fast the detector is trained."""

    photos: int = 7000
    steps: int = 3300
    limit_s: float = 3600.0
    batch: int = 16
    peak_rate: float = 3e-3
    seed: int = 8


def train_detector(examples: list[Example], plan: DetectorPlan, checkpoint: Path) -> tuple[FaceDetector, int]:
    """Train from scratch; returns the network with its averaged weights, also left in `checkpoint`, and the steps."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng([17, plan.seed])
    place = device()
    network = FaceDetector()
    network.to(place, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.peak_rate, weight_decay=1e-3)
    average, anchors, budget = RunningAverage(network), make_anchors(SIDE_PX), Budget(plan.steps, plan.limit_s)
    for step, done in budget.progress():
        set_rate(optimiser, learning_rate(plan.peak_rate, step, done))
        parts = _step(network, optimiser, _batch(examples, plan.batch, rng), anchors, place)
        average.update()
        if step % 50 == 0:
            print(f"detector step {step} {budget.elapsed_s():.0f} s", *(f"{part:.4f}" for part in parts), flush=True)
        if step % 500 == 499:
            torch.save(average.state, checkpoint)
    torch.save(average.state, checkpoint)
    network.load_state_dict(average.state)
    return network, average.steps


def _batch(examples: list[Example], size: int, rng: np.random.Generator) -> list[Augmented]:
    return [augment(examples[int(index)], rng) for index in rng.integers(0, len(examples), size)]


def _step(
    network: FaceDetector,
    optimiser: torch.optim.Optimizer,
    batch: list[Augmented],
    anchors: Anchors,
    place: torch.device,
) -> list[float]:
    images = (np.stack([example.image for example in batch]) - 127.5) / 128.0
    targets = _stack([_targets(example, anchors) for example in batch], place)
    pixels = torch.from_numpy(images.astype(np.float32)).to(place).permute(0, 3, 1, 2)
    centres, strides = torch.from_numpy(anchors.centres).to(place), torch.from_numpy(anchors.strides).to(place)
    loss = detector_loss(network(pixels), targets, centres, strides)
    optimiser.zero_grad()
    loss.total().backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
    optimiser.step()
    return [loss.score.item(), loss.box.item(), loss.landmark.item(), loss.field.item()]


def _targets(example: Augmented, anchors: Anchors) -> Targets:
    targets = make_targets(example.boxes, example.landmarks, anchors, SIDE_PX)
    for left, top, right, bottom in example.ignored:
        x, y = anchors.centres.T
        within = (x >= left) & (x <= right) & (y >= top) & (y <= bottom) & (targets.scores == 0)
        targets.scores[within] = -1
    return targets


def _stack(targets: list[Targets], place: torch.device) -> BatchTargets:
    def stacked(arrays: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]) -> torch.Tensor:
        return torch.from_numpy(np.stack(arrays)).to(place)

    levels = range(len(targets[0].fields))
    return BatchTargets(
        scores=stacked([target.scores for target in targets]),
        boxes=stacked([target.boxes for target in targets]),
        landmarks=stacked([target.landmarks for target in targets]),
        fields=tuple(stacked([target.fields[level] for target in targets]) for level in levels),
    )
