"""Data: with the curves that a model makes of them, as histograms, as bars with their spread."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lessons_lib.plots.picture import DASHES, HOUSE, Picture, panels


@HOUSE
def fitted(x, y, curves: dict[str, Callable], xlabel: str, ylabel: str, alt: str, title: str = "") -> Picture:
    """Points, and the curves through them. curves: {label: function of an array of x}."""
    fig, (ax,) = panels()
    ax.plot(x, y, "o", ms=4, color="0.35", mew=0, alpha=0.7, label="data")
    at = np.linspace(np.min(x), np.max(x), 200)
    for i, (label, curve) in enumerate(curves.items()):
        ax.plot(at, np.broadcast_to(curve(at), at.shape), ls=DASHES[i % len(DASHES)], label=label)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.legend()
    return Picture(fig, alt)


@HOUSE
def histogram(samples: dict, xlabel: str, alt: str, title: str = "", bins=40, log: bool = False) -> Picture:
    """How often: one outline per sample, over the same bins. samples: {label: numbers}; log: count on a log axis."""
    fig, (ax,) = panels()
    edges = np.histogram_bin_edges(np.concatenate([np.ravel(s) for s in samples.values()]), bins)
    for i, (label, sample) in enumerate(samples.items()):
        ls = DASHES[i % len(DASHES)]
        ax.hist(np.ravel(sample), edges, histtype="step", color=f"C{i}", ls=ls, lw=2, label=label, log=log)
    ax.set(xlabel=xlabel, ylabel="count", title=title)
    if len(samples) > 1:
        ax.legend()
    return Picture(fig, alt)


@HOUSE
def bars(heights: dict, xlabel: str, alt: str, title: str = "") -> Picture:
    """A bar per label. heights: {label: number}, or {label: (low, middle, high)} with the spread as a line."""
    fig, (ax,) = panels()
    spreads = [h if isinstance(h, tuple) else (np.nan, h, np.nan) for h in heights.values()]
    low, middle, high = np.array(spreads, dtype=float).T
    ax.barh([*heights], middle, color="C5", xerr=[middle - low, high - middle], capsize=4)
    ax.invert_yaxis()  # the first one at the top
    ax.grid(axis="y", visible=False)
    ax.set(xlabel=xlabel, title=title)
    return Picture(fig, alt)
