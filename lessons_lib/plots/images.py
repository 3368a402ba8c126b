"""Arrays as images: a grid of small grey ones, and one with signs, a colour bar and labelled axes."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

from lessons_lib.plots.picture import HOUSE, Picture, panels


@HOUSE
def images(arrays, titles, alt: str, columns: int = 8) -> Picture:
    """Small images in a grid, such as digits; dark is large, on one scale for all."""
    arrays, titles = [np.asarray(a) for a in arrays], [str(t) for t in titles]
    rows, columns = math.ceil(len(arrays) / columns), min(columns, len(arrays))
    fig = Figure(figsize=(max(2.5, 0.9 * columns), 0.25 + 1.05 * rows))
    axes = fig.subplots(rows, columns, squeeze=False).ravel()
    low, high = min(a.min() for a in arrays), max(a.max() for a in arrays)
    for ax in axes:
        ax.axis("off")
    for ax, array, title in zip(axes, arrays, titles, strict=False):
        ax.imshow(array, cmap="gray_r", vmin=low, vmax=high)
        ax.set_title(title, fontsize=9)
    return Picture(fig, alt)


def matrix(array, xlabel: str, ylabel: str, label: str, alt: str, title: str = "") -> Picture:
    """An array (rows, columns) of numbers with signs, such as gradients or weights: blue < 0, white 0, red > 0."""
    fig, (ax,) = panels()
    draw_matrix(ax, array, xlabel, ylabel, label, title)
    return Picture(fig, alt)


@HOUSE
def draw_matrix(ax, array, xlabel: str, ylabel: str, label: str, title: str = "") -> None:
    """`matrix` on axes that stand already."""
    array = np.asarray(array)
    most = np.abs(array).max() or 1.0
    drawn = ax.imshow(array, cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
    ax.grid(False)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.figure.colorbar(drawn, ax=ax, label=label)
