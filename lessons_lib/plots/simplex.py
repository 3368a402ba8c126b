"""Probabilities of three classes as points of a triangle: a corner is certainty, the centre is a third each."""

from __future__ import annotations

import numpy as np

from lessons_lib.plots.picture import DASHES, HOUSE, Picture, panels

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.75**0.5]])


def simplex(trails: dict, corners: tuple, alt: str, title: str = "") -> Picture:
    """trails: {label: probabilities (n, 3)}, a dot each, joined in order. corners: the names of the three classes."""
    fig, (ax,) = panels()
    draw_simplex(ax, corners, title)
    draw_probabilities(ax, trails)
    if len(trails) > 1:
        ax.legend(loc="upper left", bbox_to_anchor=(0.85, 1), frameon=False)
    return Picture(fig, alt)


@HOUSE
def draw_simplex(ax, corners: tuple, title: str = "") -> None:
    """The empty triangle on axes that stand already; a cross marks the centre."""
    ax.fill(*CORNERS.T, fc="none", ec="0.4", lw=1)
    for (x, y), name, side in zip(CORNERS, corners, ("top", "top", "bottom"), strict=True):
        ax.text(x, y + (0.03 if side == "bottom" else -0.03), name, ha="center", va=side)
    ax.plot(*CORNERS.mean(0), "+", color="0.4")
    ax.set(aspect="equal", title=title, xlim=(-0.12, 1.12), ylim=(-0.12, 0.98))
    ax.axis("off")


@HOUSE
def draw_probabilities(ax, trails: dict) -> None:
    """The points of `simplex` on such a triangle."""
    for i, (label, p) in enumerate(trails.items()):
        p = np.asarray(p)
        if p.ndim != 2 or p.shape[1] != 3 or p.min() < 0 or not np.allclose(p.sum(1), 1, atol=1e-3):
            raise ValueError(f"{label!r} holds {p}; allowed are rows of three probabilities that sum to 1")
        ax.plot(*(p @ CORNERS).T, ls=DASHES[i % len(DASHES)], marker="o", ms=4, lw=1, label=label)
