"""The figure of docs/capacity.md, drawn as SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil

WIDTH, LEFT, RIGHT = 960, 250, 20
PLOT_HEIGHT, BAR_HEIGHT = 150, 22
COLOURS = ("#1b6ca8", "#d1495b", "#66a182")
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Curve:
    """One policy in one run: (seconds, value)."""

    name: str
    workers: Points
    backlog: Points


@dataclass(frozen=True)
class Bar:
    """One policy over all runs."""

    name: str
    worker_s: float
    missed_share: float


def draw_figure(curves: Sequence[Curve], bars: Sequence[Bar]) -> str:
    """Draw workers and backlog over time in one run, and the worker-seconds of all policies."""
    shapes = [
        *draw_plot(20, "Workers in one run", [(each.name, each.workers) for each in curves]),
        *draw_plot(
            40 + 70 + PLOT_HEIGHT, "Backlog in photos, same run", [(each.name, each.backlog) for each in curves]
        ),
        *draw_bars(2 * (90 + PLOT_HEIGHT) + 40, bars),
    ]
    height = 2 * (90 + PLOT_HEIGHT) + 80 + BAR_HEIGHT * len(bars)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="13">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def draw_plot(top: float, title: str, lines: Sequence[tuple[str, Points]]) -> Iterator[str]:
    last_s = max(x for _, points in lines for x, _ in points)
    most = max(1, *(y for _, points in lines for _, y in points))
    scale_x, scale_y = (WIDTH - LEFT - RIGHT) / last_s, PLOT_HEIGHT / most
    floor = top + 20 + PLOT_HEIGHT
    yield f'<text x="{LEFT}" y="{top + 8}" font-weight="bold">{escape(title)}</text>'
    yield f'<path d="M{LEFT},{top + 20} V{floor} H{WIDTH - RIGHT}" fill="none" stroke="#444"/>'
    yield f'<text x="{LEFT - 6}" y="{top + 28}" text-anchor="end">{most:,.0f}</text>'
    yield f'<text x="{LEFT - 6}" y="{floor}" text-anchor="end">0</text>'
    for minutes in range(0, ceil(last_s / 60), 10):
        x = LEFT + minutes * 60 * scale_x
        yield f'<text x="{x:.0f}" y="{floor + 16}" text-anchor="middle">{minutes} min</text>'
    for number, (name, points) in enumerate(lines):
        path = " ".join(f"{LEFT + x * scale_x:.1f},{floor - y * scale_y:.1f}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{COLOURS[number]}" stroke-width="1.6"/>'
        yield f'<text x="10" y="{top + 40 + 20 * number}" fill="{COLOURS[number]}">{escape(name)}</text>'


def draw_bars(top: float, bars: Sequence[Bar]) -> Iterator[str]:
    """Bars of worker-seconds, cut off where they would dwarf the others."""
    longest = 6 * bars[0].worker_s
    title = "Worker-seconds beyond the base, mean of all runs; deadlines missed (red: above 1%)"
    yield f'<text x="{LEFT}" y="{top}" font-weight="bold">{title}</text>'
    for number, bar in enumerate(bars):
        y = top + 12 + number * BAR_HEIGHT
        width = min(bar.worker_s / longest, 1) * (WIDTH - LEFT - RIGHT - 170)
        cut = " (cut)" if bar.worker_s > longest else ""
        colour = COLOURS[0] if bar.missed_share <= 0.01 else COLOURS[1]
        yield f'<rect x="{LEFT}" y="{y}" width="{width:.0f}" height="{BAR_HEIGHT - 6}" fill="{colour}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 12}" text-anchor="end" font-size="11">{escape(bar.name)}</text>'
        yield f'<text x="{LEFT + width + 6:.0f}" y="{y + 12}">{bar.worker_s:,.0f}{cut}; {bar.missed_share:.2%}</text>'
