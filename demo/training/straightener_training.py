"""Training of the embedder's straightener."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from demo.training.alignment import CANONICAL_LANDMARKS, FACE_SIDE_PX
from demo.training.embedder_data import FaceSet
from demo.training.embedder_network import FaceStraightener, move_points
from demo.training.embedder_views import align_as_detected, batches, expose_anew
from demo.training.landmark_errors import LandmarkErrors
from demo.training.schedule import Budget, RunningAverage, device, learning_rate, set_rate


@dataclass(frozen=True)
class StraightenerPlan:
    """How long and how fast the straightener is trained."""

    steps: int = 4400
    limit_s: float = 1800.0
    batch: int = 96
    peak_rate: float = 4e-3
    seed: int = 11


def train_straightener(
    faces: FaceSet, errors: LandmarkErrors, plan: StraightenerPlan, checkpoint: Path
) -> tuple[FaceStraightener, int]:
    """Train from scratch; returns the network with its averaged weights, also left in `checkpoint`, and the steps."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng([47, plan.seed])
    place = device()
    network = FaceStraightener()
    network.to(place, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.peak_rate, weight_decay=1e-3)
    average, budget = RunningAverage(network, decay=0.998), Budget(plan.steps, plan.limit_s)
    chosen = batches(len(faces.person), plan.batch, plan.steps, rng)
    for step, done in budget.progress():
        set_rate(optimiser, learning_rate(plan.peak_rate, step, done))
        views = align_as_detected([faces.pictures[index] for index in chosen[step]], errors, rng)
        corrections = network(torch.from_numpy(expose_anew(views.faces, rng)).to(place))
        loss = _landmark_loss(corrections, torch.from_numpy(views.corrections).to(place))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        average.update()
        if step % 50 == 0:
            print(f"straightener step {step} {budget.elapsed_s():.0f} s {loss.item():.4f}", flush=True)
        if step % 500 == 499:
            torch.save(average.state, checkpoint)
    torch.save(average.state, checkpoint)
    network.load_state_dict(average.state)
    return network, average.steps


def _landmark_loss(corrections: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """How far apart two corrections (N, 4) put the five landmarks; scaled so that the clipping of gradients is rare."""
    canonical = torch.tensor((CANONICAL_LANDMARKS - (FACE_SIDE_PX - 1) / 2) / (FACE_SIDE_PX / 2), dtype=torch.float32)
    u, v = canonical.to(corrections.device).T
    found, right = move_points(corrections, u, v), move_points(wanted, u, v)
    loss: torch.Tensor = 20.0 * functional.smooth_l1_loss(found, right, beta=0.005)
    return loss
