"""A figure as a cell's result, with the alternative text where browsers and screen readers look for it."""

from __future__ import annotations

import base64
import os
from functools import cached_property
from html import escape
from io import BytesIO
from pathlib import Path

from matplotlib import style
from matplotlib.figure import Figure
from PIL import Image

HOUSE = style.context(Path(__file__).with_name("lessons.mplstyle"))  # decorates what makes or draws a figure
DASHES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1))]  # colour is never the only difference between two lines
COLOURS = 64  # in a stored picture: a quarter of the bytes
IMAGE = '<img alt="{alt}" width="{width}" style="max-width: 100%; height: auto" src="data:image/png;base64,{png}">'


class Picture:
    """The figure `fig` as an image in HTML: of the forms that notebooks know, only this one keeps `alt` everywhere."""

    def __init__(self, fig: Figure, alt: str):
        if not isinstance(alt, str) or not alt.strip():
            raise ValueError(f"alt={alt!r} is not allowed; say in a sentence or two what the picture shows")
        self.fig, self.alt = fig, " ".join(alt.split())

    def image(self) -> str:
        width = round(self.fig.get_figwidth() * self.fig.dpi)  # half of the stored pixels: sharp on fine screens
        return IMAGE.format(alt=escape(self.alt), width=width, png=base64.b64encode(png(self.fig)).decode())

    @cached_property  # matplotlib's layout moves a little each time that a figure is drawn
    def html(self) -> str:
        return self.image()

    def _repr_mimebundle_(self, **kwargs):
        words = {"text/plain": f"<picture: {self.alt}>"}
        drawn = os.environ.get("LESSONS_PICTURES") != "off"  # off: a run at which nobody looks
        return {"text/html": self.html} | words if drawn else words


@HOUSE
def png(fig: Figure) -> bytes:
    drawn, small = BytesIO(), BytesIO()
    fig.savefig(drawn, format="png", metadata={"Software": None})
    few = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(small, "png", optimize=True)
    return small.getvalue()


@HOUSE
def panels(n: int = 1, **kwargs):
    """A figure in the house style with n axes side by side; kwargs go to matplotlib's `Figure.subplots`."""
    fig = Figure(figsize=(4.6 * n if n > 1 else 6.4, 3.8))
    return fig, fig.subplots(1, n, squeeze=False, **kwargs)[0]
