"""A picture that a reader can move: every frame is drawn here, and a slider in the browser chooses one of them."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable, Container, Iterable
from functools import cached_property
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text

from lessons_lib.plots.picture import HOUSE, IMAGE, Picture

SCRIPT = Path(__file__).with_name("moving.js").read_text(encoding="utf-8")
HTML = """<figure style="margin: 0; max-width: {width}px" data-label="{label}" data-start="{start}" data-play="{play}" \
data-says="{says}" data-frames="{frames}">{image}
<figcaption>The picture shows {label} {value}; run this cell, and a slider appears here.</figcaption></figure>
<script>{script}</script>"""
EMPTY = {"Date": None, "Creator": None, "Format": None, "Type": None}


def moving(
    fig: Figure, label: str, values: Iterable, draw: Callable[..., str], start: Any, alt: str, play: bool = False
) -> Moving:
    """One figure and one slider over `values`; without scripts, and on paper, the picture at `start` alone.

    draw(*axes, value) adds to the figure's axes what belongs to a value and returns the sentence that tells what is
    seen. All frames share the axes: draw changes no title, limit or legend. play: a button that runs through them.
    """
    return Moving(fig, label, list(values), draw, start, alt, play)


class Moving(Picture):
    @HOUSE
    def __init__(self, fig, label, values, draw, start, alt, play):
        super().__init__(fig, alt)
        self.label, self.play = label, play
        self.names = [v if isinstance(v, str) else f"{v:g}" for v in values]
        if len(values) < 2 or start not in values:
            raise ValueError(f"start={start!r} is not allowed; one of at least two values: {', '.join(self.names)}")
        self.start = values.index(start)
        axes, self.frames, self.captions = list(fig.axes), [], []
        for value, name in zip(values, self.names, strict=True):
            before = _artists(fig)
            for ax in axes:
                ax.set_prop_cycle(None)  # the same colours in every frame
            self.captions.append(draw(*axes, value))
            if not isinstance(self.captions[-1], str) or not self.captions[-1].strip():
                raise ValueError(f"draw returned {self.captions[-1]!r} for {label} {name}; allowed is a sentence")
            self.frames.append([a for a in _artists(fig) if a not in before])
            if not before.items() <= _artists(fig).items():
                raise ValueError(f"draw changed a title or a legend at {label} {name}; it may only add to the axes")
        for k, artists in enumerate(self.frames):
            for artist in artists:
                artist.draw = _grouped(artist.draw, f"frame-{k}")

    @cached_property
    def html(self) -> str:
        self._show(range(len(self.frames)))
        frames = json.dumps(_parts(self._svg()))
        self._show([self.start])
        return HTML.format(
            width=round(self.fig.get_figwidth() * self.fig.dpi),
            label=escape(self.label),
            start=self.start,
            value=escape(self.names[self.start]),
            play="yes" if self.play else "",
            says=escape(json.dumps([*zip(self.names, self.captions, strict=True)], ensure_ascii=False)),
            frames=base64.b64encode(gzip.compress(frames.encode(), mtime=0)).decode(),
            image=self.image(),
            script=SCRIPT,
        )

    def _show(self, wanted: Container[int]) -> None:
        for k, artists in enumerate(self.frames):
            for artist in artists:
                artist.set_visible(k in wanted)

    @HOUSE
    def _svg(self) -> str:
        text = StringIO()
        self.fig.savefig(text, format="svg", metadata=EMPTY)
        return text.getvalue()


def _artists(fig: Figure) -> dict:
    """What stands on the axes, in the order in which it was added, with its text if it is one."""
    return {a: isinstance(a, Text) and a.get_text() for ax in fig.axes for a in ax.get_children()}


def _grouped(draw: Callable, name: str) -> Callable:
    def drawn(renderer):
        renderer.open_group("frame", name)
        draw(renderer)
        renderer.close_group("frame")

    return drawn


def _parts(svg: str) -> list[tuple[int, str]]:
    """The picture in pieces, each with the frame that it belongs to, or -1."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.S)
    svg = re.sub(r"-?[1-9]\d*\.\d{3,}", lambda m: f"{float(m[0]):.2f}", svg)
    shared = "".join(re.findall(r"<defs>.*?</defs>", svg, flags=re.S))  # drawn once, used by several frames
    svg = re.sub(r"\s*<defs>.*?</defs>", "", svg, flags=re.S)
    svg = svg.replace(">", f">{shared}", 1)
    pieces = re.split(r'^( *)<g id="frame-(\d+)">\n(.*?)^\1</g>\n', svg, flags=re.M | re.S)
    parts = [(-1, pieces[0])]
    for _, frame, inside, after in zip(*(pieces[i::4] for i in (1, 2, 3, 4)), strict=True):
        parts += [(int(frame), inside), (-1, after)]
    return parts


def drawn_here(html: str) -> bool:
    """True for exactly what these pictures put into a page: our script, and values that cannot leave their places."""
    text, data, number = r'[^"<>]*', r"[A-Za-z0-9+/=]*", r"\d+"
    image = _pattern(IMAGE, alt=text, width=number, png=data)
    values = {
        "width": number,
        "label": text,
        "start": number,
        "value": text,
        "play": "(?:yes)?",
        "says": text,
        "frames": data,
    }
    figure = _pattern(HTML, **values, image=image, script=re.escape(SCRIPT))
    return bool(re.fullmatch(f"{image}|{figure}", html))


def _pattern(template: str, **holes: str) -> str:
    pieces = re.split(r"\{(\w+)\}", template)
    return "".join(holes[piece] if i % 2 else re.escape(piece) for i, piece in enumerate(pieces))
