"""What a user looks like: the mean of the templates of its faces."""

from collections.abc import Sequence

import numpy as np

from facefleet.face_records import Template


def mean_template(templates: Sequence[Template]) -> Template:
    """Average templates.

    Args:
        templates: one or more, (D,) float32, L2 norm 1.

    Returns:
        (D,) float32, L2 norm 1; the first one where they cancel each other out.
    """
    mean = np.mean(np.stack(templates), axis=0, dtype=np.float32)
    length = np.linalg.norm(mean)
    return np.asarray(mean / length, np.float32) if length > 0 else templates[0]


def most_typical(templates: Sequence[Template]) -> Template:
    """Choose the template that is most like all others: a stranger among them is never it, when they are three."""
    rows = np.stack(templates)
    return templates[int(np.argmax((rows @ rows.T).sum(axis=1)))]
