"""How wrong the detector is."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from demo.training.detector_network import LevelOutput


@dataclass(frozen=True)
class BatchTargets:
    """`Targets` of N images, stacked; same order of anchors."""

    scores: torch.Tensor
    boxes: torch.Tensor
    landmarks: torch.Tensor
    fields: tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class DetectorLoss:
    """Four parts, each a scalar."""

    score: torch.Tensor
    box: torch.Tensor
    landmark: torch.Tensor
    field: torch.Tensor

    def total(self) -> torch.Tensor:
        """The weighted sum that is minimised."""
        return self.score + 2.0 * self.box + 25.0 * self.landmark + 3.0 * self.field


def flatten_anchors(maps: list[torch.Tensor], values: int) -> torch.Tensor:
    """Per-stride (N, 2 * values, H, W) maps to (N, A, values) in the order of the anchors."""
    batch = maps[0].shape[0]
    return torch.cat([level.permute(0, 2, 3, 1).reshape(batch, -1, values) for level in maps], dim=1)


def detector_loss(
    levels: list[LevelOutput], targets: BatchTargets, centres: torch.Tensor, strides: torch.Tensor
) -> DetectorLoss:
    """Compare the network's outputs with the targets; `centres` (A, 2) and `strides` (A,) are in pixels."""
    positive = targets.scores == 1
    count = max(1, int(positive.sum()))
    image_index, anchor_index = positive.nonzero(as_tuple=True)
    stride, centre = strides[anchor_index][:, None], centres[anchor_index]
    distances = flatten_anchors([level.boxes for level in levels], 4)[image_index, anchor_index] * stride
    boxes = torch.cat([centre - distances[:, :2], centre + distances[:, 2:]], dim=1)
    wanted_boxes = targets.boxes[image_index, anchor_index]
    size = (wanted_boxes[:, 2:] - wanted_boxes[:, :2]).prod(dim=1).sqrt()[:, None]
    coarse = flatten_anchors([level.landmarks for level in levels], 10)[image_index, anchor_index]
    landmarks = centre.repeat(1, 5) + coarse * stride
    wanted_landmarks = targets.landmarks[image_index, anchor_index]
    return DetectorLoss(
        score=_score_loss(flatten_anchors([level.scores for level in levels], 1)[..., 0], targets.scores) / count,
        box=(1.0 - _generalised_iou(boxes, wanted_boxes)).sum() / count,
        landmark=_smooth_sum(landmarks / size, wanted_landmarks / size, 0.01) / (10 * count),
        field=_field_loss([level.field for level in levels], targets.fields),
    )


def _smooth_sum(first: torch.Tensor, second: torch.Tensor, beta: float) -> torch.Tensor:
    return functional.smooth_l1_loss(first, second, beta=beta, reduction="sum")


def _score_loss(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Cross-entropy that all but forgets what is already right (after Lin et al., 2017, and Li et al., 2020)."""
    cared_for, label = (wanted >= 0).float(), wanted.clamp(min=0)
    entropy = functional.binary_cross_entropy_with_logits(logits, label, reduction="none")
    doubt = (torch.sigmoid(logits) - label).abs() ** 1.5
    return (entropy * doubt * cared_for * (1.0 + label)).sum()


def _generalised_iou(boxes: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """(P,) generalised intersection over union (Rezatofighi et al., 2019)."""
    overlap = (torch.minimum(boxes[:, 2:], wanted[:, 2:]) - torch.maximum(boxes[:, :2], wanted[:, :2])).clamp(min=0)
    hull = torch.maximum(boxes[:, 2:], wanted[:, 2:]) - torch.minimum(boxes[:, :2], wanted[:, :2])
    both = overlap.prod(dim=1)
    union = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1) + (wanted[:, 2:] - wanted[:, :2]).prod(dim=1) - both
    enclosing = hull.prod(dim=1)
    return both / union - (enclosing - union) / enclosing


def _field_loss(fields: list[torch.Tensor], wanted: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Mean distance, in cells, where a landmark is near."""
    total, cells = torch.zeros(()), torch.zeros(())
    for field, target in zip(fields, wanted, strict=True):
        weight = target[:, 10:].repeat_interleave(2, dim=1)
        error = functional.smooth_l1_loss(field, target[:, :10], beta=0.1, reduction="none")
        total = total + (error * weight).sum()
        cells = cells + weight.sum()
    return total / cells.clamp(min=1.0)
