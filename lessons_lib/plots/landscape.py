"""A function of two parameters: its contours with paths on them, its surface, its field of arrows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from lessons_lib.plots.moving import Moving, moving
from lessons_lib.plots.picture import DASHES, HOUSE, Picture, panels

SPAN = ((-2.0, 2.0), (-1.5, 1.5))
AXES = {"xlabel": r"$\theta_1$", "ylabel": r"$\theta_2$"}


def paths(landscape, trails: dict, alt: str, title: str = "", span=SPAN) -> Picture:
    """Trails of two parameters over the contours of a landscape: a dot per step, a circle at the start.

    trails: {label: array (steps, 2)}
    """
    fig, (ax,) = panels()
    draw_contours(ax, landscape, span, title)
    draw_trails(ax, trails)
    if len(trails) > 1:
        ax.legend(frameon=False)
    return Picture(fig, alt)


@HOUSE
def draw_contours(ax, landscape, span=SPAN, title: str = "") -> None:
    """Contours, equal factors apart, on axes that stand already; each known minimum is a star."""
    a, b, height = _heights(landscape.value, span)
    lowest = getattr(landscape, "lowest", height.min())
    ax.contour(a, b, np.log10(height - lowest + 1e-3), levels=14, cmap="cividis", linewidths=0.7, alpha=0.6)
    ax.plot(*np.transpose(landscape.minima), "k*", ms=11, zorder=3)
    ax.set(**AXES, title=title, xlim=span[0], ylim=span[1])


@HOUSE
def draw_trails(ax, trails: dict) -> None:
    """The trails of `paths` on axes that stand already."""
    for i, (label, trail) in enumerate(trails.items()):
        trail = np.asarray(trail)
        (line,) = ax.plot(*trail.T, ls=DASHES[i % len(DASHES)], lw=1.5, marker=".", ms=5, label=label)
        ax.plot(*trail[0], "o", ms=8, mfc="none", color=line.get_color())


@HOUSE
def surface(value: Callable, alt: str, zlabel: str, title: str = "", span=SPAN, height=None) -> Picture:
    """value(theta) over two parameters, as a surface in space. height: what to draw of it, such as np.log10."""
    fig = Figure(figsize=(6.4, 4.6))
    ax = fig.add_subplot(projection="3d")
    a, b, z = _heights(value, span, 41)
    ax.plot_surface(a, b, z if height is None else height(z), cmap="cividis", rcount=40, ccount=40, lw=0)
    ax.set(**AXES, zlabel=zlabel, title=title)
    return Picture(fig, alt)


def turning(value: Callable, alt: str, zlabel: str, span=SPAN, trail=None, axes=AXES) -> Moving:
    """`surface` for the reader to turn by half a turn; trail: points (steps, 2) drawn on it, a star at the last."""
    fig, (ax,) = panels()
    fig.set_size_inches(4.6, 3.6)
    ax.axis("off")
    a, b, z = _heights(value, span, 10)

    def seen_from(ax, azimuth):
        inner = ax.inset_axes((-0.08, -0.05, 1.16, 1.14), projection="3d", computed_zorder=False)
        inner.plot_surface(a, b, z, cmap="cividis", rcount=10, ccount=10, lw=0.2, edgecolor="w")
        if trail is not None:
            points = np.asarray(trail)
            height = [float(value(point)) for point in points]
            inner.plot(*points.T, height, color="#D55E00", lw=2, zorder=8)
            inner.plot(*points[-1:].T, height[-1:], "*", color="w", mec="k", ms=12, zorder=9)
        inner.set(**axes, zlabel=zlabel)
        inner.locator_params(nbins=4)
        inner.view_init(28, azimuth)
        return f"Seen from the azimuth {azimuth} degrees, 28 degrees above the ground."

    return moving(fig, "azimuth (degrees)", range(0, 181, 20), seen_from, 120, alt)


@HOUSE
def arrows(field: Callable, alt: str, label: str, title: str = "", span=SPAN, trails=None) -> Picture:
    """Where field(theta) points, on a grid. All arrows are drawn equally long; their length is the colour (`label`)."""
    fig, (ax,) = panels()
    a, b = np.meshgrid(*(np.linspace(*s, 15) for s in span), indexing="ij")
    to = np.array([field(np.array(p)) for p in zip(a.ravel(), b.ravel(), strict=True)]).reshape(*a.shape, 2)
    length = np.linalg.norm(to, axis=-1)
    ax.grid(False)
    unit = np.moveaxis(to / np.where(length > 0, length, 1)[..., None], -1, 0)
    drawn = ax.quiver(a, b, *unit, length, cmap="viridis_r", pivot="mid", scale=22, width=0.005)
    fig.colorbar(drawn, ax=ax, label=label)
    draw_trails(ax, trails or {})
    ax.set(**AXES, title=title)
    return Picture(fig, alt)


def _heights(value: Callable, span, n: int = 81) -> tuple:
    a, b = np.meshgrid(*(np.linspace(*s, n) for s in span), indexing="ij")
    height = [float(value(np.array(p))) for p in zip(a.ravel(), b.ravel(), strict=True)]
    return a, b, np.reshape(height, a.shape)
