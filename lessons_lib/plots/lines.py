"""How much over what: curves, with bands over seeds."""

from __future__ import annotations

import numpy as np

from lessons_lib.plots.picture import DASHES, HOUSE, Picture, panels


def band(runs, axis: int = 0) -> tuple:
    """(lowest, middle, highest) of several runs, for instance one per seed; `lines` and `bars` draw it."""
    return tuple(np.quantile(np.asarray(runs, dtype=float), [0, 0.5, 1], axis=axis))


def lines(x, curves: dict, xlabel: str, ylabel: str, alt: str, title: str = "", log: str = "") -> Picture:
    """Curves over one axis. curves: {label: y} or {label: (low, middle, high)} for a band over seeds.

    log: "x", "y", "xy" or "" for logarithmic axes. x may be a dict of its own axis per label.
    """
    fig, (ax,) = panels()
    draw_lines(ax, x, curves, xlabel, ylabel, title, log)
    return Picture(fig, alt)


def side_by_side(
    x, left: dict, right: dict, xlabel: str, ylabels: tuple, alt: str, titles=("", ""), logs=("", "")
) -> Picture:
    """Two panels of `lines` over the same axis, for instance the loss and the accuracy of one training."""
    fig, axes = panels(2)
    for ax, curves, ylabel, title, log in zip(axes, (left, right), ylabels, titles, logs, strict=True):
        draw_lines(ax, x, curves, xlabel, ylabel, title, log)
    return Picture(fig, alt)


def shape(x, losses: dict, xlabel: str, alt: str, ylabel: str = "loss") -> Picture:
    """What a loss is: its value on the left, its slope on the right. losses: {label: (value, slope)}, each like x."""
    values = {label: value for label, (value, _) in losses.items()}
    slopes = {label: slope for label, (_, slope) in losses.items()}
    return side_by_side(x, values, slopes, xlabel, (ylabel, f"slope of the {ylabel}"), alt)


@HOUSE
def draw_lines(ax, x, curves: dict, xlabel: str, ylabel: str, title: str = "", log: str = "") -> None:
    """`lines` on axes that stand already."""
    for i, (label, y) in enumerate(curves.items()):
        at = np.asarray(x[label] if isinstance(x, dict) else x)
        spread = isinstance(y, tuple)
        (line,) = ax.plot(at, np.asarray(y[1] if spread else y), ls=DASHES[i % len(DASHES)], label=label)
        if spread:
            ax.fill_between(at, np.asarray(y[0]), np.asarray(y[2]), color=line.get_color(), alpha=0.2, lw=0)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if "x" in log:
        ax.set_xscale("log")
    if "y" in log:
        ax.set_yscale("log")
    if len(curves) > 1:
        ax.legend()
