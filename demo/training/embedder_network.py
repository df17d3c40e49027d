"""A small embedder with ArcFace's input and a vector of 128 floats."""

from itertools import pairwise

import torch
from torch import nn

from demo.training.layers import Residual, conv_block

#: Length of an embedding.
EMBEDDING_SIZE = 128
#: Side of an aligned face, pixels.
FACE_SIDE_PX = 112


class FaceEmbedder(nn.Module):  # type: ignore[misc]  # PyTorch is not type-checked
    """Four halvings, a narrow neck, one linear layer over what is left of the picture."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 48, 64), neck: int = 24) -> None:
        super().__init__()
        stages: list[nn.Module] = [conv_block(3, widths[0], 2)]
        for before, after in pairwise(widths):
            stages += [conv_block(before, after, 2), Residual(after)]
        self.body = nn.Sequential(*stages)
        self.neck = nn.Sequential(nn.Conv2d(widths[-1], neck, 1, bias=False), nn.BatchNorm2d(neck), nn.ReLU())
        cells = FACE_SIDE_PX // 2 ** len(widths)
        self.linear = nn.Linear(neck * cells * cells, EMBEDDING_SIZE, bias=False)
        self.norm = nn.BatchNorm1d(EMBEDDING_SIZE, affine=False)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """(N, 3, 112, 112) float32 RGB, (x - 127.5) / 127.5, to (N, 128), not normalised."""
        features = self.neck(self.body(faces))
        embedding: torch.Tensor = self.norm(self.linear(features.flatten(1)))
        return embedding
