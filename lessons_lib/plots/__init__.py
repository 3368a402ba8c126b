"""Pictures: one call each, with its alternative text. The only package that imports matplotlib.

`alt` says in a sentence or two what is seen; without it no picture is made. Labels carry units: "loss (nats)".
A label's line has a dash pattern beside its colour. Write a call as the last line of a cell.

    plots.lines(steps, {"SGD": losses, "Adam": plots.band(runs)}, "step", "loss (nats)", alt="...", log="y")
    plots.side_by_side(steps, {"Adam": losses}, {"Adam": accuracies}, "step", ("loss (nats)", "accuracy"), alt="...")
        # plots.band(runs): (lowest, middle, highest) over the first axis, one row per seed; lines and bars draw it

    plots.shape(r, {"squared": squared_error(r, 0 * r), "Huber": huber(r, 0 * r)}, "residual (mm)", alt="...")
        # a loss and its slope side by side; any pair (value, slope) will do

    plots.paths(quadratic(1, 25), {"SGD": trail, "momentum": other}, alt="...", span=((-2, 2), (-1.5, 1.5)))
    plots.surface(beale().value, "...", zlabel="log10 of the loss", height=lambda z: np.log10(z + 0.01))
    plots.turning(beale().value, "...", "loss", trail=trail)  # a surface that the reader turns
    plots.arrows(lambda theta: -bowl.gradient(theta), "...", label="length of the step", trails={"SGD": trail})

    plots.fitted(x, y, {"mean": lambda x: y.mean(), "line": lambda x: a + b * x}, "dose (mg)", "effect", alt="...")
    plots.histogram({"batch of 1": g1, "batch of 32": g32}, "gradient", alt="...")
    plots.bars({"SGD": 2.1, "Adam": plots.band(runs)}, "loss after 100 steps (nats)", alt="...")

    plots.images(digits[:16], labels[:16], alt="...")  # small grey images with a title each
    plots.matrix(loss.grad, "class", "example", label="gradient of the logit", alt="...")  # sign as colour
    plots.simplex({"softmax": p}, ("cat", "dog", "bird"), alt="...")  # p: rows of three probabilities

A picture that the reader moves: make a figure, draw what stays, and say in `draw` what a value adds to it. `draw` gets
the figure's axes and the value; the sentence that it returns stands below the slider and is spoken. play=True adds a
button that runs through the values, for what happens in time. 20 to 50 values are enough.

    fig, (ax,) = plots.panels()
    plots.draw_contours(ax, bowl, span)

    def heavy_ball(ax, mu):
        trail = descend(...)
        plots.draw_trails(ax, {"momentum": trail})
        return f"After 80 steps, {np.linalg.norm(trail[-1]):.1g} from the minimum."

    plots.moving(fig, "momentum", [0, 0.5, 0.9, 0.98], heavy_ball, start=0.9, alt="...", play=False)

Colours begin anew in each frame. A legend, a title and the limits of the axes belong to what stays: for a legend, draw
an empty line per label first, `ax.plot([], [], label="Adam")`; set limits if the frames differ much.

For any other picture: `fig, axes = plots.panels(2)`, draw on the axes, `plots.Picture(fig, alt="...")`. On axes that
stand already draw draw_lines, draw_contours, draw_trails, draw_matrix, draw_simplex and draw_probabilities.
"""

from lessons_lib.plots.data import bars, fitted, histogram
from lessons_lib.plots.images import draw_matrix, images, matrix
from lessons_lib.plots.landscape import arrows, draw_contours, draw_trails, paths, surface, turning
from lessons_lib.plots.lines import band, draw_lines, lines, shape, side_by_side
from lessons_lib.plots.moving import drawn_here, moving
from lessons_lib.plots.picture import Picture, panels
from lessons_lib.plots.simplex import draw_probabilities, draw_simplex, simplex

__all__ = [
    "Picture",
    "arrows",
    "band",
    "bars",
    "draw_contours",
    "draw_lines",
    "draw_matrix",
    "draw_probabilities",
    "draw_simplex",
    "draw_trails",
    "drawn_here",
    "fitted",
    "histogram",
    "images",
    "lines",
    "matrix",
    "moving",
    "panels",
    "paths",
    "shape",
    "side_by_side",
    "simplex",
    "surface",
    "turning",
]
