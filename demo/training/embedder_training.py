"""Training of the embedder, on faces that an already trained straightener has straightened."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from demo.training.embedder_data import FaceSet
from demo.training.embedder_network import EMBEDDING_SIZE, FaceEmbedder, FaceStraightener, straighten
from demo.training.embedder_views import align_as_detected, batches, expose_anew
from demo.training.landmark_errors import LandmarkErrors
from demo.training.schedule import Budget, RunningAverage, device, learning_rate, set_rate


@dataclass(frozen=True)
class EmbedderPlan:
    """How long and how fast the embedder is trained."""

    steps: int = 7000
    limit_s: float = 5400.0
    batch: int = 96
    peak_rate: float = 4e-3
    #: CosFace (Wang et al., 2018): scale, and margin, which grows over the first 30% of the training.
    scale: float = 24.0
    margin: float = 0.35
    seed: int = 92


@dataclass(frozen=True)
class EmbedderSchool:
    """What the embedder is taught with."""

    faces: FaceSet
    errors: LandmarkErrors
    #: Stays as it is.
    straightener: FaceStraightener


def train_embedder(school: EmbedderSchool, plan: EmbedderPlan, checkpoint: Path) -> tuple[FaceEmbedder, int]:
    """Train from scratch; returns the network with its averaged weights, also left in `checkpoint`, and the steps."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng([23, plan.seed])
    place, faces = device(), school.faces
    straightener = school.straightener.to(place).eval()
    network = FaceEmbedder()
    network.to(place, memory_format=torch.channels_last)
    centres = torch.nn.Parameter(0.1 * torch.randn(int(faces.person.max()) + 1, EMBEDDING_SIZE, device=place))
    weights = [{"params": network.parameters(), "weight_decay": 2e-3}, {"params": [centres], "weight_decay": 1e-4}]
    optimiser = torch.optim.AdamW(weights, lr=plan.peak_rate)
    average, budget = RunningAverage(network), Budget(plan.steps, plan.limit_s)
    chosen = batches(len(faces.person), plan.batch, plan.steps, rng)
    for step, done in budget.progress():
        set_rate(optimiser, learning_rate(plan.peak_rate, step, done))
        views = align_as_detected([faces.pictures[index] for index in chosen[step]], school.errors, rng)
        pixels = torch.from_numpy(expose_anew(views.faces, rng)).to(place)
        with torch.no_grad():
            pixels = straighten(pixels, straightener(pixels))
        person = torch.from_numpy(faces.person[chosen[step]]).to(place)
        cosine = functional.normalize(network(pixels)) @ functional.normalize(centres).t()
        loss = _margin_loss(cosine, person, plan.scale, plan.margin * min(1.0, done / 0.3))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        average.update()
        if step % 50 == 0:
            right = (cosine.argmax(dim=1) == person).float().mean().item()
            print(f"embedder step {step} {budget.elapsed_s():.0f} s {loss.item():.3f} {right:.3f}", flush=True)
        if step % 500 == 499:
            torch.save(average.state, checkpoint)
    torch.save(average.state, checkpoint)
    network.load_state_dict(average.state)
    return network, average.steps


def _margin_loss(cosine: torch.Tensor, person: torch.Tensor, scale: float, margin: float) -> torch.Tensor:
    wanted = functional.one_hot(person, cosine.shape[1])
    loss: torch.Tensor = functional.cross_entropy(scale * (cosine - margin * wanted), person)
    return loss
