"""Pictures: none without words, small, the same at every build; those that move keep to themselves."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import re
from functools import cache

import numpy as np
import pytest
from PIL import Image

from lessons_lib import plots
from lessons_lib.landscapes import quadratic
from lessons_lib.plots.moving import SCRIPT
from tools._page import html as on_the_site

BOWL, X = quadratic(1.0, 9.0), np.linspace(-2, 2, 41)
TRAIL = np.array([[-1.5, 1.0], [-1.0, -0.5], [-0.5, 0.2]])
THIRDS = np.full((2, 3), 1 / 3)
ALT = "what is seen, and what it means"
KINDS = {
    "lines": lambda alt: plots.lines(X, {"a": X, "b": (X - 1, X, X + 1)}, "step", "loss (nats)", alt),
    "side_by_side": lambda alt: plots.side_by_side(X, {"a": X}, {"a": X**2}, "step", ("loss", "accuracy"), alt),
    "shape": lambda alt: plots.shape(X, {"squared": (X**2 / 2, X)}, "residual", alt),
    "paths": lambda alt: plots.paths(BOWL, {"a": TRAIL, "b": TRAIL / 2}, alt),
    "surface": lambda alt: plots.surface(BOWL.value, alt, "loss"),
    "turning": lambda alt: plots.turning(BOWL.value, alt, "loss", trail=TRAIL),
    "arrows": lambda alt: plots.arrows(BOWL.gradient, alt, "length", trails={"a": TRAIL}),
    "fitted": lambda alt: plots.fitted(X, X**2, {"mean": lambda x: 1.4}, "dose (mg)", "effect", alt),
    "histogram": lambda alt: plots.histogram({"a": X, "b": X / 2}, "gradient", alt),
    "bars": lambda alt: plots.bars({"a": 2.0, "b": plots.band(X)}, "loss", alt),
    "images": lambda alt: plots.images([np.eye(4)] * 9, range(9), alt),
    "matrix": lambda alt: plots.matrix(np.outer(X, X), "class", "example", "gradient", alt),
    "simplex": lambda alt: plots.simplex({"a": THIRDS}, ("cat", "dog", "bird"), alt),
    "moving": lambda alt: moving(alt=alt),
}


def add(ax, value):
    ax.plot(TRAIL[:, 0] * value, TRAIL[:, 1], marker=".")
    return f"The path is {value:g} times as wide & no <b>wider</b>."


def moving(draw=add, values=(0.0, 0.5, 1.0), start=0.5, alt=ALT, play=False):
    fig, (ax,) = plots.panels()
    plots.draw_contours(ax, BOWL)
    return plots.moving(fig, "width", values, draw, start, alt, play)


def shown(picture) -> str:
    return picture._repr_mimebundle_()["text/html"]


@cache
def page_of(kind: str, alt: str = ALT) -> str:
    return shown(KINDS[kind](alt))


def parts(page: str) -> list:
    return json.loads(gzip.decompress(base64.b64decode(re.search('data-frames="(.*?)"', page)[1])))


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_at_which_nobody_looks_gives_the_words_alone(kind, monkeypatch):
    monkeypatch.setenv("LESSONS_PICTURES", "off")
    assert KINDS[kind](ALT)._repr_mimebundle_() == {"text/plain": f"<picture: {ALT}>"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_small_sharp_and_described(kind):
    page = page_of(kind, 'a "quoted" <b>\nalternative')
    assert 'alt="a &quot;quoted&quot; &lt;b&gt; alternative"' in page and len(page) < 150_000
    image = Image.open(io.BytesIO(base64.b64decode(re.search('base64,(.*?)"', page)[1])))
    assert image.mode == "P" and len(image.getcolors()) <= 64
    assert image.width == pytest.approx(2 * int(re.search('width="(.*?)"', page)[1]), abs=2)
    assert plots.drawn_here(page) and on_the_site(page) == page


@pytest.mark.parametrize("kind", ["lines", "surface", "moving"])
def test_every_build_gives_the_same_bytes(kind):
    picture = KINDS[kind](ALT)
    assert shown(picture) == shown(picture) == page_of(kind)


@pytest.mark.parametrize("alt", ["", " \n", None])
@pytest.mark.parametrize("kind", KINDS)
def test_no_picture_without_words(kind, alt):
    with pytest.raises(ValueError, match=r"alt=.* is not allowed; say in a sentence or two"):
        KINDS[kind](alt)


def test_every_public_kind_is_among_these():
    helpers = {"Picture", "band", "drawn_here", "panels"}
    assert set(KINDS) == {n for n in plots.__all__ if n not in helpers and not n.startswith("draw_")}
    assert {name for name in re.findall(r"plots\.(\w+)\(", plots.__doc__)} >= set(KINDS), "the manual lacks one"


def test_few_colours_are_still_the_right_ones():
    """The palette must not mix a thin line's colour with another's."""
    page = shown(plots.lines(X, {str(i): X + i for i in range(7)}, "x", "y", ALT))
    image = Image.open(io.BytesIO(base64.b64decode(re.search('base64,(.*?)"', page)[1]))).convert("RGB")
    found = np.array([colour for _, colour in image.getcolors()])
    for wanted in ("0072B2", "D55E00", "009E73", "CC79A7", "E69F00", "56B4E9", "000000"):
        distance = np.abs(found - np.array([*bytes.fromhex(wanted)])).max(1).min()
        assert distance <= 8, wanted


def test_a_band_is_the_quantiles_of_the_runs():
    low, middle, high = plots.band([[1.0, 5.0], [2.0, 9.0], [3.0, 7.0]])
    assert (list(low), list(middle), list(high)) == ([1, 5], [2, 7], [3, 9])
    assert [list(b) for b in plots.band([[1, 2, 3], [9, 5, 7]], axis=1)] == [[1, 5], [2, 7], [3, 9]]


def test_shape_draws_value_and_slope_and_bars_their_spread():
    left, right = plots.shape(X, {"squared": (X**2 / 2, X)}, "residual", ALT).fig.axes
    np.testing.assert_array_equal(left.lines[0].get_ydata(), X**2 / 2)
    np.testing.assert_array_equal(right.lines[0].get_ydata(), X)
    (ax,) = plots.bars({"a": 2.0, "b": (1.0, 3.0, 4.0)}, "loss", ALT).fig.axes
    assert [bar.get_width() for bar in ax.patches] == [2, 3]
    spread = ax.collections[0].get_segments()[1]
    assert spread[:, 0].tolist() == [1, 4]


def test_the_centre_of_the_simplex_is_a_third_each():
    (ax,) = plots.simplex({"a": THIRDS}, ("cat", "dog", "bird"), ALT).fig.axes
    np.testing.assert_allclose(ax.lines[1].get_xydata()[0], ax.lines[0].get_xydata()[0])
    with pytest.raises(ValueError, match=r"(?s)'logits' holds .*rows of three probabilities that sum to 1"):
        plots.simplex({"logits": 2 * THIRDS}, ("cat", "dog", "bird"), ALT)


def test_each_frame_holds_its_own_and_what_stays():
    """Counted in the drawing itself: the path of a frame is in that frame alone, the axes once and in all."""
    pieces = parts(page_of("moving"))
    assert {frame for frame, _ in pieces} == {-1, 0, 1, 2}
    frames = ["".join(text for frame, text in pieces if frame in (-1, k)) for k in range(3)]
    assert len(set(frames)) == 3
    for svg in frames:
        assert svg.startswith("<svg") and svg.rstrip().endswith("</svg>") and svg.count("<g") == svg.count("</g>")
        assert set(re.findall(r'href="#(\w+)"', svg)) <= set(re.findall(r' id="(\w+)"', svg)), (
            "a name without its thing"
        )
        assert "<script" not in svg and "<metadata" not in svg


def test_images_of_different_frames_are_not_merged_into_one():
    fig, _ = plots.panels()
    grey = lambda ax, v: f"{ax.imshow(np.full((2, 2), v)).get_clim()[0]:g}"  # noqa: E731
    made = plots.moving(fig, "brightness", (0.0, 1.0), grey, 0.0, ALT)
    pictures = [frame for frame, text in parts(shown(made)) for _ in re.findall("<image", text)]
    assert pictures == [0, 1]


def test_the_words_of_each_frame_are_stored():
    page = shown(moving(play=True))
    told = json.loads(html.unescape(re.search('data-says="(.*?)"', page)[1]))
    assert told == [[f"{v:g}", f"The path is {v:g} times as wide & no <b>wider</b>."] for v in (0, 0.5, 1)]
    assert 'data-start="1"' in page and "width 0.5" in page and 'data-play="yes"' in page


def test_no_name_in_the_page_can_collide():
    page = page_of("moving")
    assert not re.search(r"\bid=|getElementById|window\.", page.replace(SCRIPT, "") + SCRIPT)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"start": 0.7}, "start=0.7 is not allowed; one of at least two values: 0, 0.5, 1"),
        ({"values": [0.5]}, "start=0.5 is not allowed; one of at least two values: 0.5"),
        ({"draw": lambda ax, v: None}, "draw returned None for width 0; allowed is a sentence"),
        ({"draw": lambda ax, v: [ax.set_title(f"{v}"), "said"][1]}, "draw changed a title or a legend at width 0"),
    ],
)
def test_a_moving_picture_that_cannot_be_is_refused(wrong, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        moving(**wrong)


HOSTILE = {
    "another script": lambda page: page.replace("(async", "evil(); (async"),
    "a second script": lambda page: page + "<script>evil()</script>",
    "a handler": lambda page: page.replace("<img ", "<img onload=evil() "),
    "out of the attribute": lambda page: page.replace('data-start="1"', 'data-start="1" onclick="evil()"'),
    "out of the caption": lambda page: page.replace("The picture shows", "<iframe src=evil></iframe>"),
    "elsewhere": lambda page: page.replace("data:image/png;base64,", "https://evil.example/"),
    "out of the alt": lambda page: page.replace(ALT, '"><script>evil()</script>'),
}


@pytest.mark.parametrize("change", HOSTILE)
def test_only_what_was_drawn_here_reaches_the_site_whole(change):
    page = page_of("moving")
    edited = HOSTILE[change](page)
    assert edited != page and plots.drawn_here(page) and not plots.drawn_here(edited)
    assert not re.search(r"<script|<img|<iframe|evil", on_the_site(edited).replace("&lt;", ""))
