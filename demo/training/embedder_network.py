"""A small embedder with ArcFace's input and a vector of 128 floats.

A detector's landmarks are off, for a small face by a tenth of the distance between its eyes, and the face is aligned by
them. So a first, tiny network looks at the aligned face and says how it should have been aligned; the second embeds it
as if it had been. With true landmarks nearly no mistake is left.
Source of the idea: spatial transformer networks (Jaderberg et al., 2015), here told what the transform is.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from demo.training.alignment import FACE_SIDE_PX
from demo.training.layers import Residual, conv_block

#: Length of an embedding.
EMBEDDING_SIZE = 128


class FaceStraightener(nn.Module):  # type: ignore[misc]  # PyTorch is not type-checked
    """Where the face lies that true landmarks would have cut out, as a similarity.

    Four numbers (a, b, x, y): the point (u, v) of that face lies at ((1 + a) u - b v + x, b u + (1 + a) v + y) of this
    one; coordinates run from -1 to 1.
    """

    def __init__(self, widths: tuple[int, ...] = (8, 16, 20), neck: int = 12) -> None:
        super().__init__()
        stages = [conv_block(before, after, 2) for before, after in pairwise((3, *widths))]
        self.body = nn.Sequential(*stages, Residual(widths[-1]))
        self.neck = _neck(widths[-1], neck)
        cells = FACE_SIDE_PX // 2 ** len(widths)
        self.linear = nn.Linear(neck * cells * cells, 4)
        # It begins with: all is well.
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """(N, 3, 112, 112) float32 RGB, (x - 127.5) / 127.5, to (N, 4)."""
        correction: torch.Tensor = 0.1 * self.linear(self.neck(self.body(faces)).flatten(1))
        return correction


def move_points(corrections: torch.Tensor, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Where (N, 4) corrections put points: `u` and `v` broadcast to (...), the answer is (N, ..., 2)."""
    a, b, x, y = (corrections[:, number].reshape(-1, *[1] * max(u.ndim, v.ndim)) for number in range(4))
    return torch.stack([(1 + a) * u - b * v + x, b * u + (1 + a) * v + y], dim=-1)


def straighten(faces: torch.Tensor, corrections: torch.Tensor) -> torch.Tensor:
    """(N, 3, 112, 112) faces as true landmarks would have aligned them; what they do not show is continued."""
    line = (torch.arange(FACE_SIDE_PX, device=faces.device) - (FACE_SIDE_PX - 1) / 2) / (FACE_SIDE_PX / 2)
    grid = move_points(corrections, line[None, :], line[:, None])
    return functional.grid_sample(faces, grid, mode="bilinear", padding_mode="border", align_corners=False)


class FaceEmbedder(nn.Module):  # type: ignore[misc]  # PyTorch is not type-checked
    """Four halvings, a narrow neck, one linear layer over what is left of the picture; for straightened faces."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 48, 64), neck: int = 24) -> None:
        super().__init__()
        stages: list[nn.Module] = [conv_block(3, widths[0], 2)]
        for before, after in pairwise(widths):
            stages += [conv_block(before, after, 2), Residual(after)]
        self.body = nn.Sequential(*stages)
        self.neck = _neck(widths[-1], neck)
        cells = FACE_SIDE_PX // 2 ** len(widths)
        self.linear = nn.Linear(neck * cells * cells, EMBEDDING_SIZE, bias=False)
        self.norm = nn.BatchNorm1d(EMBEDDING_SIZE, affine=False)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """(N, 3, 112, 112) float32 RGB, (x - 127.5) / 127.5, to (N, 128), not normalised."""
        features = self.neck(self.body(faces))
        embedding: torch.Tensor = self.norm(self.linear(features.flatten(1)))
        return embedding


def _neck(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
