"""A small single-shot detector with SCRFD's outputs, and a field of offsets that sharpens its landmarks.

An anchor's own guess of the landmarks is coarse. Beside it, every cell of a map of twice the resolution says where the
nearest left eye, right eye ... lies. The coarse guess is moved by what the field says there, twice. Both are plain
convolutions; only the look-up (GridSample, ONNX opset 16) is new in comparison with SCRFD.
Source of the idea: the offset refinement of PersonLab (Papandreou et al., 2018).
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from demo.training.layers import Residual, conv_block

STRIDES = (8, 16, 32)
ANCHORS_PER_CELL = 2
#: The landmark field has cells of half the anchors' stride.
FIELD_STRIDES = tuple(stride // 2 for stride in STRIDES)
REFINEMENTS = 2


@dataclass(frozen=True)
class LevelOutput:
    """What the network says at one stride, for (H, W) cells of it."""

    #: (N, 2, H, W) logits.
    scores: torch.Tensor
    #: (N, 8, H, W) distances left, top, right, bottom of both anchors, in strides.
    boxes: torch.Tensor
    #: (N, 20, H, W) x and y of five landmarks of both anchors, from the cell, in strides.
    landmarks: torch.Tensor
    #: (N, 10, 2H, 2W) x and y to the nearest landmark of each kind, in field cells.
    field: torch.Tensor


class FaceDetector(nn.Module):  # type: ignore[misc]  # PyTorch is not type-checked
    """Backbone, feature pyramid and one head per stride."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 32, 48, 64), pyramid: int = 32, fine: int = 16) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv_block(3, widths[0], 2), conv_block(widths[0], widths[1], 2))
        self.stages = nn.ModuleList(
            nn.Sequential(conv_block(before, after, 2), Residual(after)) for before, after in pairwise(widths[1:])
        )
        self.laterals = nn.ModuleList(nn.Conv2d(width, pyramid, 1) for width in widths[2:])
        self.smoothers = nn.ModuleList(conv_block(pyramid, pyramid) for _ in STRIDES)
        self.fine_lateral = nn.Conv2d(widths[1], fine, 1)
        self.fine_context = nn.Conv2d(pyramid, fine, 1)
        self.heads = nn.ModuleList(Head(pyramid) for _ in STRIDES)
        self.fields = nn.ModuleList(_field_tower(channels) for channels in (fine, pyramid, pyramid))

    def forward(self, images: torch.Tensor) -> list[LevelOutput]:
        """(N, 3, H, W) float32 RGB, (x - 127.5) / 128, sides multiples of 32."""
        stem = self.stem(images)
        features, maps = stem, []
        for stage, lateral in zip(self.stages, self.laterals, strict=True):
            features = stage(features)
            maps.append(lateral(features))
        maps[1] = maps[1] + _double(maps[2])
        maps[0] = maps[0] + _double(maps[1])
        smooth = [smoother(level) for smoother, level in zip(self.smoothers, maps, strict=True)]
        fine = torch.relu(self.fine_lateral(stem) + _double(self.fine_context(smooth[0])))
        field_inputs = (fine, smooth[0], smooth[1])
        return [
            LevelOutput(*head(level), field=tower(field_input))  # type: ignore[misc]  # three of its four fields
            for head, level, tower, field_input in zip(self.heads, smooth, self.fields, field_inputs, strict=True)
        ]


class Head(nn.Module):  # type: ignore[misc]  # PyTorch is not type-checked
    """Scores, boxes and coarse landmarks of one stride."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.box_tower = conv_block(channels, channels)
        self.landmark_tower = conv_block(channels, channels)
        self.scores = nn.Conv2d(channels, ANCHORS_PER_CELL, 3, 1, 1)
        self.boxes = nn.Conv2d(channels, 4 * ANCHORS_PER_CELL, 3, 1, 1)
        self.landmarks = nn.Conv2d(channels, 10 * ANCHORS_PER_CELL, 3, 1, 1)
        for layer, bias in ((self.scores, -4.0), (self.boxes, 1.5)):
            # Begin with "no face" everywhere and boxes of a plausible size.
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.constant_(layer.bias, bias)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Scores, boxes, landmarks as in `LevelOutput`."""
        tower = self.box_tower(features)
        landmarks = self.landmarks(self.landmark_tower(features))
        return self.scores(tower), functional.softplus(self.boxes(tower)), landmarks


def _field_tower(channels: int) -> nn.Sequential:
    return nn.Sequential(conv_block(channels, channels), Residual(channels), nn.Conv2d(channels, 10, 3, 1, 1))


def _double(features: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


def refine_landmarks(coarse: torch.Tensor, field: torch.Tensor) -> torch.Tensor:
    """Move coarse landmarks by what the field says at their place, `REFINEMENTS` times.

    Args:
        coarse: (N, 20, H, W) as `LevelOutput.landmarks`.
        field: (N, 10, 2H, 2W) as `LevelOutput.field`.

    Returns:
        (N, 20, H, W) like `coarse`.
    """
    batch, _, height, width = coarse.shape
    ones = torch.ones_like(coarse[:, :1])
    cells = torch.cat([ones.cumsum(3) - 1, ones.cumsum(2) - 1], dim=1)
    origin = 2.0 * cells.repeat(1, ANCHORS_PER_CELL * 5, 1, 1)
    # To (N * 5 landmarks, anchors * H, W, xy): one look-up per kind of landmark.
    where = _by_landmark(origin + 2.0 * coarse, batch, height, width)
    offsets = field.reshape(batch * 5, 2, 2 * height, 2 * width)
    extent = torch.stack([ones[0, 0, 0].sum(), ones[0, 0, :, 0].sum()]) * 2.0 - 1.0
    for _ in range(REFINEMENTS):
        seen = functional.grid_sample(offsets, 2.0 * where / extent - 1.0, padding_mode="border", align_corners=True)
        where = where + seen.permute(0, 2, 3, 1)
    moved = where.reshape(batch, 5, ANCHORS_PER_CELL, height, width, 2).permute(0, 2, 1, 5, 3, 4)
    return 0.5 * (moved.reshape(batch, ANCHORS_PER_CELL * 10, height, width) - origin)


def _by_landmark(points: torch.Tensor, batch: int, height: int, width: int) -> torch.Tensor:
    split = points.reshape(batch, ANCHORS_PER_CELL, 5, 2, height, width).permute(0, 2, 1, 4, 5, 3)
    return split.reshape(batch * 5, ANCHORS_PER_CELL * height, width, 2)
