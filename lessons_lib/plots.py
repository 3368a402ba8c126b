"""The only file that imports matplotlib. One call makes one picture, with its alternative text."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure

STYLE = Path(__file__).with_name("lessons.mplstyle")
DASHES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1))]  # colour is never the only difference between two lines


class Picture:
    """A figure as a cell's result: PNG, with the alternative text where browsers and screen readers look for it."""

    def __init__(self, fig: Figure, alt: str):
        self.fig, self.alt = fig, alt

    def _repr_mimebundle_(self, **kwargs):
        png = BytesIO()
        with style.context(STYLE):
            self.fig.savefig(png, format="png", metadata={"Software": None})
        data = {"image/png": base64.b64encode(png.getvalue()).decode(), "text/plain": f"<picture: {self.alt}>"}
        return data, {"image/png": {"alt": self.alt}}


def panels(n: int = 1, **kwargs):
    """A figure in the house style with n axes side by side."""
    with style.context(STYLE):
        fig = Figure(figsize=(4.6 * n if n > 1 else 6.4, 3.8))
        axes = fig.subplots(1, n, squeeze=False, **kwargs)[0]
    return fig, axes


def lines(x, curves: dict, xlabel: str, ylabel: str, alt: str, title: str = "", log: str = "") -> Picture:
    """Curves over one axis. curves: {label: y} or {label: (low, middle, high)} for a band over seeds.

    log: "x", "y", "xy" or "" for logarithmic axes. x may be a dict of its own axis per label.
    """
    fig, (ax,) = panels()
    draw_lines(ax, x, curves, xlabel, ylabel, title, log)
    return Picture(fig, alt)


def draw_lines(ax, x, curves: dict, xlabel: str, ylabel: str, title: str = "", log: str = "") -> None:
    """The same on axes that stand already."""
    with style.context(STYLE):
        for i, (label, y) in enumerate(curves.items()):
            at = np.asarray(x[label] if isinstance(x, dict) else x)
            band = isinstance(y, tuple)
            (line,) = ax.plot(at, np.asarray(y[1] if band else y), ls=DASHES[i % len(DASHES)], label=label)
            if band:
                ax.fill_between(at, np.asarray(y[0]), np.asarray(y[2]), color=line.get_color(), alpha=0.2, lw=0)
        ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
        if "x" in log:
            ax.set_xscale("log")
        if "y" in log:
            ax.set_yscale("log")
        if len(curves) > 1:
            ax.legend()


def paths(landscape, trails: dict, alt: str, title: str = "", span=((-2.0, 2.0), (-1.5, 1.5))) -> Picture:
    """Trails of two parameters over the contours of a landscape; the minimum is a star.

    trails: {label: array (steps, 2)}
    """
    fig, (ax,) = panels()
    a, b = np.meshgrid(*(np.linspace(*s, 161) for s in span), indexing="ij")
    height = np.array([landscape.value(np.array(p)) for p in zip(a.ravel(), b.ravel(), strict=True)]).reshape(a.shape)
    with style.context(STYLE):
        ax.contour(a, b, np.log10(height + 1e-3), levels=14, cmap="cividis", linewidths=0.7, alpha=0.6)
        for i, (label, trail) in enumerate(trails.items()):
            trail = np.asarray(trail)
            ax.plot(trail[:, 0], trail[:, 1], ls=DASHES[i % len(DASHES)], marker=".", ms=3, label=label)
        ax.plot(*np.asarray(landscape.minima)[0], "k*", ms=11, label="minimum")
        ax.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", title=title, xlim=span[0], ylim=span[1])
        ax.legend()
    return Picture(fig, alt)


def side_by_side(
    x, left: dict, right: dict, xlabel: str, ylabels: tuple, alt: str, titles=("", ""), logs=("", "")
) -> Picture:
    """Two panels of `lines` over the same axis, for instance the loss and the accuracy of one training."""
    fig, axes = panels(2)
    for ax, curves, ylabel, title, log in zip(axes, (left, right), ylabels, titles, logs, strict=True):
        draw_lines(ax, x, curves, xlabel, ylabel, title, log)
    return Picture(fig, alt)
