"""Training of the embedder."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from demo.training.embedder_data import FaceSet
from demo.training.embedder_network import EMBEDDING_SIZE, FaceEmbedder
from demo.training.schedule import Budget, RunningAverage, device, learning_rate, set_rate


@dataclass(frozen=True)
class EmbedderPlan:
    """How long and how fast the embedder is trained."""

    people: int = 3000
    shots: int = 12
    steps: int = 4500
    limit_s: float = 3600.0
    batch: int = 96
    peak_rate: float = 4e-3
    #: CosFace (Wang et al., 2018): scale, and margin, which grows over the first 30% of the training.
    scale: float = 24.0
    margin: float = 0.35
    seed: int = 78


def train_embedder(data: FaceSet, plan: EmbedderPlan, checkpoint: Path) -> tuple[FaceEmbedder, int]:
    """Train from scratch; returns the network with its averaged weights, also left in `checkpoint`, and the steps."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng([23, plan.seed])
    place = device()
    network = FaceEmbedder()
    network.to(place, memory_format=torch.channels_last)
    people = int(data.person.max()) + 1
    centres = torch.nn.Parameter(0.1 * torch.randn(people, EMBEDDING_SIZE, device=place))
    weights = [{"params": network.parameters(), "weight_decay": 2e-3}, {"params": [centres], "weight_decay": 1e-4}]
    optimiser = torch.optim.AdamW(weights, lr=plan.peak_rate)
    average, budget = RunningAverage(network), Budget(plan.steps, plan.limit_s)
    batches = _batches(len(data.person), plan, rng)
    for step, done in budget.progress():
        set_rate(optimiser, learning_rate(plan.peak_rate, step, done))
        pixels = torch.from_numpy(_exposed(data.faces[batches[step]], rng)).to(place).permute(0, 3, 1, 2)
        person = torch.from_numpy(data.person[batches[step]]).to(place)
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


def _batches(count: int, plan: EmbedderPlan, rng: np.random.Generator) -> list[npt.NDArray[np.int64]]:
    """Indices of each step's faces: all faces once before any comes again."""
    needed = plan.steps * plan.batch
    order = np.concatenate([rng.permutation(count) for _ in range(needed // count + 1)])
    return np.split(order[:needed], plan.steps)


def _exposed(faces: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Normalised pixels under a random exposure."""
    count = len(faces)
    gain = rng.uniform(0.85, 1.15, (count, 1, 1, 1)) * (1 + rng.normal(0, 0.02, (count, 1, 1, 3)))
    shift = rng.uniform(-12, 12, (count, 1, 1, 1))
    pixels = np.clip(faces * gain.astype(np.float32) + shift.astype(np.float32), 0, 255)
    return ((pixels - 127.5) / 127.5).astype(np.float32)
