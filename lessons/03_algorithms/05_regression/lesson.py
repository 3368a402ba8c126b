# ---
# jupyter:
#   lesson:
#     title: Squared, absolute and Huber error
#     question: "One wrong decimal point among 100 numbers: how far does the answer move?"
#     minutes: 45
#     needs: [01_binary_cross_entropy, 03_sgd]
#     studies: [losses.squared_error, losses.absolute_error, losses.huber]
#     settles: [F3, F4, G7, E6]
#     claims:
#       C25: {verdict: conditional, cell: trial-table, says: "With normal noise squared error needs the fewest data. With one wide error in twenty it needs several times as many as the Huber loss."}
#     terms: [residual, median, outlier, absolute error, Huber loss, clipped, robust]
# ---

# %% [markdown] name="goal"
# # Squared, absolute and Huber error
#
# **Goal.** Know which number each of three losses asks for, what one wrong record can do to it, and write the third loss yourself.
#
# **The question.** Somebody measured a leaf of the blossom (a sepal) of each of 100 irises. We describe all of them with one number: the one that has the smallest mean loss.
# Then one decimal point slips: a leaf of 6.3 cm is typed as 63. **One wrong decimal point among 100 numbers: how far does the answer move?** That depends on the loss:

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
from functools import partial

import numpy as np
import sympy as sp
from sklearn.datasets import load_iris
from sklearn.linear_model import QuantileRegressor

from lessons_lib import bridge, exercises, parity, plots
from lessons_lib.derive import derive
from lessons_lib.losses import absolute_error, huber, squared_error
from lessons_lib.optim import SGD, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/05_regression")

# %% tags=["fold"] name="flowers"
# The leaves, the slip, and the answer of each loss: the place where the mean slope changes sign.
flowers, species = load_iris(return_X_y=True)
sepal, _, petal, _ = flowers[species > 0].T  # two species, 100 flowers, in cm
slipped = sepal.copy()
slipped[6] = 63.0  # a leaf of 6.3 cm

def answer(loss, y):  # keep the half of the interval that holds the lowest point, 60 times
    low, high = y.min(-1), y.max(-1)
    for _ in range(60):
        c = (low + high) / 2
        rises = loss(c[..., None] + 0 * y, y).grad.mean(-1) > 0
        low, high = np.where(rises, low, c), np.where(rises, c, high)
    return c

kinds = {
    "squared error": squared_error, "Huber, delta = 1 cm": partial(huber, delta=1.0),
    "absolute error": absolute_error,
}
before, after = ({name: answer(loss, y) for name, loss in kinds.items()} for y in (sepal, slipped))
shift = {name: after[name] - before[name] for name in kinds}

# %% tags=["fold"] name="question-picture"
# The 100 leaves, a dot each, and below them how far each answer moves.
fig, (ax,) = plots.panels()
height = [1 + np.sum(np.isclose(sepal[:i], s)) for i, s in enumerate(sepal)]
ax.plot(sepal, height, "o", ms=5, color="0.5", mew=0)
for row, name in enumerate(kinds):
    y, colour = -2.0 - 1.6 * row, f"C{row}"
    ax.plot([before[name], after[name]], [y, y], "-", color=colour)
    ax.plot(before[name], y, "o", ms=9, color=colour, mfc="w")
    ax.plot(after[name], y, "D", ms=6, color=colour)
    ax.annotate(f"{name}: {shift[name]:+.2f} cm", (7.0, y), va="center", fontsize=9)
ax.set(xlabel="length of the leaf (cm)", ylabel="how many", yticks=[0, 5, 10], ylim=(-6.2, 10),
       xlim=(4.7, 9.0), title="One leaf of 6.3 cm is typed as 63 (ring: before, diamond: after)")
ax.grid(axis="y", visible=False)
plots.Picture(
    fig, "A heap of 100 dots between 4.9 and 7.9 cm. Below it the three answers: that of squared "
    "error moves from 6.26 to 6.83 cm, that of Huber's loss by 0.01 cm, that of absolute error "
    "stays at 6.3 cm.",
)

# %% tags=["fold"] name="question-numbers"
# The numbers in the picture.
assert np.isclose(shift["squared error"], 0.567) and abs(shift["absolute error"]) < 1e-9
assert 0 < shift["Huber, delta = 1 cm"] < 0.02
at_most = np.mean(sepal <= after["squared error"])
print(f"squared error: from {before['squared error']:.2f} to {after['squared error']:.2f} cm; "
      f"{at_most:.0%} of the true leaves are shorter than that")

# %% [markdown] name="question-reading"
# The mistyped leaf is outside the picture, far to the right. It pulls the answer of squared error past most of the leaves. The answer of Huber's loss hardly moves, that of absolute error not at all. (You know squared error; the formulas of the other two follow.)
# Why do they answer so differently? And is the loss whose answer stands still the best?
#
# ## The idea, drawn
#
# A smaller case: five rides on the bus took 9, 10, 10.5, 12 and 70 minutes. Think of each ride as a band that pulls the answer towards itself. The loss decides how hard. The answer rests where the pulls cancel.
# The thicker a band, the harder it pulls: one scale holds for all rows and all positions of the slider. A loss times a constant has the same answer, so the rows are scaled to pull equally hard over a distance of 5 minutes. **Move the fifth ride.**

# %% tags=["fold"] name="bands"
# The figure to move: for each loss its answer, and bands as thick as their pull.
rides = np.array([9.0, 10.0, 10.5, 12.0, 70.0])  # minutes
rows = {
    "squared": squared_error, "Huber, delta = 5": partial(huber, delta=5.0),
    "absolute": absolute_error,
}
strength = 0.5, 1.0, 5.0  # each row then pulls with 5 over a distance of 5 minutes
fig, (ax,) = plots.panels()
fig.set_figheight(4.8)
for row in range(3):
    ax.plot(rides[:4], -row + 0.15 * np.arange(-2, 2), "o", color="0.4", ms=4)
ax.set(yticks=[0, -1, -2], yticklabels=rows, ylim=(-2.5, 0.6), xlim=(6, 82),
       xlabel="minutes", title="Five rides, three answers")
ax.grid(axis="y", visible=False)

def fifth_ride(ax, minutes):
    y, told = np.append(rides[:4], float(minutes)), []
    for row, (name, loss) in enumerate(rows.items()):
        c = round(answer(loss, y), 9)
        pull = loss(np.full(5, c), y).grad * strength[row]  # to the left: above 0
        told.append(f"{name.split(',')[0]} {c:.1f} "
                    f"(left {pull.clip(0).sum():.1f}, right {(-pull).clip(0).sum():.1f})")
        for i, (end, p) in enumerate(zip(y, abs(pull), strict=True)):
            ax.plot([c, end], [-row, -row + 0.15 * (i - 2)], color=f"C{row}", alpha=0.6,
                    lw=max(0.5, 0.9 * p) * (p > 0), solid_capstyle="butt")
        ax.plot(y[4], -row + 0.3, "s", color="0.2", ms=6)
        ax.plot(c, -row, "D", color=f"C{row}", ms=5, mec="w")
    return f"Answers in minutes, and the pulls on them: {', '.join(told)}."

plots.moving(
    fig, "fifth ride", [8, 11, *range(13, 82, 3)], fifth_ride, start=70,
    alt="Three rows with the rides 9, 10, 10.5, 12 and 70. The answer of squared error is at "
    "22.3, pulled by a very thick band to the ride of 70 minutes. Huber's is at 11.6 and that of "
    "absolute error at 10.5; their far bands are thin, a tenth as wide.",
)

# %% [markdown] name="bands-reading"
# Squared error pulls in proportion to the distance, like a spring: the fifth ride takes the answer along, without an end.
# Absolute error pulls equally hard from everywhere, as if each ride had one vote. Huber's bands are springs that slip: beyond 5 minutes they pull no harder.
#
# The pull is the *slope* of the loss. Here are the three losses, and their slopes.

# %% tags=["fold"] name="shapes"
# The three losses and their slopes.
r = np.linspace(-4, 4, 321)
plots.shape(
    r, {"squared": squared_error(r, 0 * r), "Huber, delta = 1": huber(r, 0 * r, 1.0),
        "absolute": absolute_error(r, 0 * r)},
    "prediction less target (cm)",
    "Left: a steep parabola, a V, and below both Huber's loss, a parabola near 0 and straight "
    "lines outside. Right: the slope of squared error is a straight line, that of absolute error "
    "jumps from -1 to 1, and Huber's climbs from -1 to 1 and stays there.",
)

# %% [markdown] name="formula"
# Far out, only squared error's slope keeps growing.
#
# ## Formula
#
# The **residual** is the prediction less the target:
#
# $$r = \hat y - y$$
#
# Squared error (Legendre 1805, Gauss 1809):
#
# $$\ell = r^2$$
#
# The **absolute error** (Boscovich 1757) is the size of the residual:
#
# $$\ell = |r|$$
#
# The **Huber loss** (Huber 1964) is quadratic for small residuals and straight for large ones:
#
# $$\ell = \begin{cases} \frac{1}{2} r^2 & |r| \le \delta \\ \delta \left( |r| - \frac{\delta}{2} \right) & |r| > \delta \end{cases}$$
#
# | symbol | code | shape | unit |
# |---|---|---|---|
# | $\hat y$, $y$ | `pred`, `target` | the same | that of the data, here cm |
# | $r$ | `r` | as $\hat y$ | that of the data |
# | $\delta$ | `delta` | a number | **that of the data** |
# | $\ell$ | `.value` | as $\hat y$ | absolute error: that of the data; the other two: its square |
#
# The article has one name for the squared error of one example and for its mean over all examples. It names the absolute loss without a formula, and leaves Huber's out.
# What we make small is the mean over all $N$ examples (what a sum or a half would change is told in *Mean, sum or half*). The prediction is the same number $c$ for all of them:
#
# $$J(c) = \frac{1}{N} \sum_{n=1}^{N} \ell(c - y_n)$$
#
# Here is $J(c)$ for the five rides:

# %% tags=["fold"] name="mean-losses"
# The mean loss of the five rides at each constant c, and the lowest point of each curve.
fig, (ax,) = plots.panels()
each_c = np.linspace(7, 27, 601)

def mean_over_rides(loss, c):
    return loss(c[:, None] + 0 * rides, 0 * c[:, None] + rides).value.mean(-1)

for i, (name, loss) in enumerate(rows.items()):
    best = answer(loss, rides)
    lowest = mean_over_rides(loss, np.array([best]))
    ax.plot(each_c, mean_over_rides(loss, each_c) / lowest, ls=("-", "--", "-.")[i],
            label=f"{name}: lowest at {best:.1f}")
    ax.plot(best, 1, "D", color=f"C{i}", ms=6, mec="w", zorder=3)
ax.plot(rides[:4], np.full(4, 0.96), "o", color="0.4", ms=5, label="ride (the fifth: at 70)")
ax.set(xlabel="constant c (minutes)", ylabel="J(c) / its smallest value", ylim=(0.94, 1.65),
       title="The mean loss of one answer for all rides")
ax.legend(fontsize=9)
plots.Picture(
    fig, "Three curves over c. Squared error: a smooth valley, lowest at 22.3, between the four "
    "short rides and the one of 70 minutes. Absolute error: straight pieces with a corner at each "
    "ride, lowest at 10.5. Huber: the same valley without corners, lowest at 11.6.",
)

# %% [markdown] name="lowest-point"
# Absolute error has a corner at each ride. Huber's loss rounds the corners off.
# The slope of each term stays or rises as $c$ grows, so each $J$ has one valley. Where $J$ falls, its lowest point lies farther right; where it rises, farther left. So the sign of the slope tells which half of an interval to keep. Sixty halvings found each answer in the pictures so far, Huber's too.
#
# ## Derivation
#
# At the lowest point the slope of $J$ changes its sign. So each derivation looks for that place.
#
# ### Squared error asks for the mean

# %% tags=["fold"] name="derive-mean"
# Derivation 1: the constant that minimises squared error, and what one value does to it.
y_ = sp.IndexedBase("y", real=True)
c, residual = sp.symbols("c r", real=True)
delta = sp.Symbol("delta", positive=True)
n, k, N_ = sp.symbols("n k N", integer=True, positive=True)

def mean_loss(loss):
    return lambda c, y: loss(c[:, None] + 0 * y, y).value.mean(-1)

def mean_slope(loss):
    return lambda c, y: loss(c[:, None] + 0 * y, y).grad.mean(-1)

(
    derive("J(c)", "1/N * Sum((c - y[n])**2, (n, 1, N))", "the mean of the squared errors",
           [c, y_, n, k, N_], {N_: (2, 3)})
    .library("mean of squared_error(c, y).value", mean_loss(squared_error))
    .slope(c, "1/N * Sum(2 * (c - y[n]), (n, 1, N))", "term by term")
    .library("mean of squared_error(c, y).grad", mean_slope(squared_error))
    .equals("2 * (c - 1/N * Sum(y[n], (n, 1, N)))", "the $c$ stands in each of the $N$ terms")
    .zero_at(c, "1/N * Sum(y[n], (n, 1, N))", "**the mean**")
    .slope(y_[k], "1/N", "**each value moves the answer by $1/N$ of its own move**")
)

# %% [markdown] name="mean-reading"
# The last line answers half of the question. The slip moved one value by 56.7 cm, so it moved the mean of 100 by 0.567 cm. Typed as 630, the leaf moves the mean eleven times as far: there is no limit.
#
# ### Absolute error asks for the median

# %% tags=["fold"] name="derive-median"
# Derivation 2: the constant that minimises absolute error.
def median_is_best():
    for s in range(300):
        y = np.random.default_rng(s).standard_t(2, size=1 + s % 9)
        at = [absolute_error(np.full(len(y), c), y).value.mean() for c in (np.median(y), *y)]
        if at[0] > min(at) + 1e-12:
            return False
    return True

(
    derive("J(c)", "1/N * Sum(Abs(c - y[n]), (n, 1, N))", "the mean of the absolute errors",
           [c, y_, n, N_], {N_: (2, 3)})
    .library("mean of absolute_error(c, y).value", mean_loss(absolute_error))
    .slope(c, "1/N * Sum(sign(c - y[n]), (n, 1, N))",
           "$+1$ for each $y_n$ below $c$, $-1$ for each above; at $c = y_n$ there is no slope, "
           "the library takes $0$")
    .equals("Sum((1 + sign(c - y[n]))/2, (n, 1, N))/N - Sum((1 - sign(c - y[n]))/2, (n, 1, N))/N",
            "**share below minus share above**",
            tex=r"\frac{\text{number of } y_n \text{ below } c}{N} - \frac{\text{number above}}{N}")
    .library("mean of absolute_error(c, y).grad", mean_slope(absolute_error))
    .law("No $c$ has a smaller $J(c)$ than the **median**.",
         "left of it more values lie above, so $J$ falls; right of it more lie below, so $J$ rises",
         "300 random samples, every value of the sample tried", median_is_best)
)

# %% [markdown] name="median-reading"
# The **median** is the middle value of the sorted list; with an even number of values, each number between the two middle ones will do (`np.median` takes their mean).
# The slope counts values and does not look how far away they are. A leaf of 63 cm counts like any other leaf above the middle.
#
# A warning belongs here. The five rides took 111.5 minutes together. Five times the mean, 22.3, is just that. Five times the median, 10.5, is 52.5. Whoever plans a week with the median is short of time. An **outlier**, a value far from the others, is not always a mistake: buses do get stuck.
#
# ### Huber's slope is a clipped residual
#
# To be **clipped** at $\delta$ means: what is above $\delta$ becomes $\delta$, what is below $-\delta$ becomes $-\delta$.

# %% tags=["fold"] name="derive-huber"
# Derivation 3: Huber's slope.
def ours(r, delta):
    return huber(np.array(r), np.array(0.0), float(delta))

(
    derive(r"\ell", "Piecewise((r**2/2, Abs(r) <= delta), (delta*(Abs(r) - delta/2), True))",
           "the formula", [residual, delta])
    .library("huber(r, 0, delta).value", lambda r, delta: ours(r, delta).value, each=True)
    .slope(residual, "Piecewise((r, Abs(r) <= delta), (delta*sign(r), True))", "piece by piece")
    .equals("Max(-delta, Min(delta, r))", r"**the residual, clipped at $\delta$**")
    .library("huber(r, 0, delta).grad", lambda r, delta: ours(r, delta).grad, each=True)
)

# %% [markdown] name="huber-reading"
# Both pieces have the value $\delta^2 / 2$ and the slope $\delta$ where they meet, so there is no corner.
#
# Now average the clipped residuals, for a very large $\delta$ and for a very small one:

# %% tags=["fold"] name="derive-limits"
# Derivation 4: the two ends of delta.
def huber_slope(c, y, delta):
    return huber(c + 0 * y, y, float(delta)).grad.mean()

(
    derive("J'(c)", "1/N * Sum(Max(-delta, Min(delta, c - y[n])), (n, 1, N))",
           "the mean of the clipped residuals", [c, y_, n, N_, delta], {N_: (3,)})
    .library("mean of huber(c, y, delta).grad", huber_slope, each=True)
    .limit(delta, sp.oo, "1/N * Sum(c - y[n], (n, 1, N))",
           r"nothing is clipped: half of the slope of squared error, so **the mean**")
)

# %% tags=["fold"] name="derive-small"
# Derivation 5: a small delta; dividing by delta moves no zero.
(
    derive(r"\frac{J'(c)}{\delta}", "1/N * Sum(Max(-1, Min(1, (c - y[n])/delta)), (n, 1, N))",
           r"the same, divided by $\delta$", [c, y_, n, N_, delta], {N_: (3,)})
    .library("mean of huber(c, y, delta).grad / delta",
             lambda c, y, delta: huber_slope(c, y, delta) / delta, each=True)
    .limit(delta, 0, "1/N * Sum(sign(c - y[n]), (n, 1, N))",
           "everything is clipped: the slope of absolute error, so **the median**")
)

# %% [markdown] name="code"
# Huber's answer is a compromise: **near values count by their distance, far values by their side.** A value that is more than $\delta$ away can move farther still, and the answer stays.
#
# ## Code

# %% name="source"
show(squared_error, absolute_error, huber)

# %% [markdown] name="parity-text"
# With the slope $g$, Huber's value is $g r - \frac12 g^2$. That is both pieces in one expression; `half_r` is $r / 2$, written so that huge numbers do not overflow.
#
# ## Parity
#
# The library's Huber loss and PyTorch's `F.huber_loss` agree to rounding, for every option and number format. (The tables of the other two stand in *Mean, sum or half* and *A slope that does not fade*.)

# %% tags=["fold-all", "nbval-ignore-output"] name="parity-huber"
# Parity with PyTorch: the largest relative difference.
parity.table("huber", setting.device)

# %% [markdown] name="play"
# ## Play
#
# A model gives each flower a prediction of its own. Let us predict the length of a leaf from the length of the petal, with a straight line: two parameters, trained by gradient descent as in the lesson on SGD. The flower with the longest petal is mistyped: 77 cm in place of 7.7.
#
# Move $\delta$ and watch the line.
#
# 1. From which $\delta$ on is Huber's line the one of squared error? Why just there?
# 2. Over which stretch of $\delta$ is the line good? How far can the number of clipped residuals tell?

# %% tags=["fold"] name="play-picture"
# The figure to move: Huber's loss and its slope, and the line that it fits.
wrong = sepal.copy()
wrong[petal.argmax()] *= 10
z = (petal - petal.mean()) / petal.std()
inputs = np.stack([np.ones(100), z], axis=1)

def line(loss, y):  # 300 steps of gradient descent, from a flat line at the median
    def gradient(theta):
        return inputs.T @ loss(inputs @ theta, y).grad / 100
    return descend(np.array([np.median(y), 0.0]), SGD(1.0), gradient, 300)[-1]

true, dragged = (line(partial(huber, delta=1e3), y) for y in (sepal, wrong))  # squared error
fig, (left, right) = plots.panels(2)
r, ends = np.linspace(-4, 4, 161), np.array([petal.min(), petal.max()])

def along(theta):
    return theta[0] + theta[1] * (ends - petal.mean()) / petal.std()

left.plot(r, r**2 / 2, color="0.7", lw=1, label="half the squared error")
left.plot([], [], "-", label="Huber's loss")
left.plot([], [], "--", label="its slope")
left.set(xlabel="residual (cm)", ylim=(-4, 6), title="The loss and its slope")
left.legend(fontsize=8, loc="lower right")
right.plot(petal, wrong, "o", ms=3, color="0.5", mew=0)
right.plot(ends, along(true), color="0.2", lw=1, ls=":", label="squared error, nothing mistyped")
right.plot(ends, along(dragged), color="0.2", lw=1, ls="--", label="squared error")
right.plot([], [], "-", lw=2, label="Huber")
right.annotate("77 cm", (6.9, 13.6), (6.3, 11.9), ha="right", fontsize=8,
               arrowprops={"arrowstyle": "->"})
right.set(xlabel="length of the petal (cm)", ylabel="length of the leaf (cm)", ylim=(1.5, 13.7),
          title="The line that it fits")
right.legend(fontsize=8, loc="upper left")

def wider(left, right, delta):
    loss = huber(r, 0 * r, delta)
    left.plot(r, loss.value, "-")
    left.plot(r, loss.grad, "--")
    theta = line(partial(huber, delta=delta), wrong)
    right.plot(ends, along(theta), "-", lw=2)
    clipped = np.sum(abs(inputs @ theta - wrong) > delta)
    return (f"Clipped: {clipped} of 100 residuals. The line rises by "
            f"{theta[1] / petal.std():.2f} cm for each cm of petal; "
            f"without the mistake it is {true[1] / petal.std():.2f}.")

plots.moving(
    fig, "delta",
    [0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 60, 70, 80],
    wider, start=1, alt="Left: Huber's loss for delta = 1, a parabola near 0 that goes over into "
    "straight lines, and its slope. Right: 100 flowers. The line of squared error is much too "
    "steep; Huber's runs through the dots, like the line of the data without the mistake.",
)

# %% tags=["fold-all"] name="play-numbers"
# The lines that the figure compares.
slopes = {d: line(partial(huber, delta=d), wrong)[1] / petal.std() for d in (0.05, 1.0, 1.5, 70.0)}
assert max(abs(slopes[d] - true[1] / petal.std()) for d in (0.05, 1.0, 1.5)) < 0.08
assert np.isclose(slopes[70.0], dragged[1] / petal.std())
high = (wrong - inputs @ dragged).max()
print(f"the mistyped flower lies {high:.0f} cm above the line of squared error")

# %% [markdown] name="play-reading"
# <details><summary>Answers</summary>
#
# 1. Between 60 and 70. The mistyped flower lies 65 cm above the line of squared error. From there on no residual is clipped, and a Huber loss that clips nothing is half the squared error.
# 2. Up to about 1.5 the line hardly changes: it rises by 0.68 to 0.72 cm. The mistyped flower is clipped, so it pulls no harder than a flower whose residual is δ. At δ = 1 two residuals are clipped, at 0.05 there are 85: a large number says that δ is small. From 1.5 to 60 only one is clipped. There the number cannot tell a good δ from one that is far too large.
#
# </details>
#
# A loss whose answer a few wrong targets can hardly move is called **robust**. A wrong *input*, a petal of 69 cm in place of 6.9, turns all three lines nearly flat (table under *Does it hold?*).
#
# ## Is the robust loss better?
#
# The article gives squared error as the loss for regression, and names absolute error beside it without saying when. Let us see when: draw 100 numbers whose true middle is 0, and ask each loss for the middle. Do this 10,000 times. The better loss errs less.
# First all numbers are normal (Gauss's bell curve), with standard deviation 1. Then each number has a chance of 1 in 20 to come from a distribution that is ten times as wide. Such noise has a *heavy tail*: far values are not rare.
# Huber's loss gets $\delta = 1.345$, which is 1.345 times the width of the clean noise. That is the usual factor (Holland and Welsch 1977).

# %% tags=["fold"] name="trial"
# 10,000 samples at once: the error of the mean, the median, and Huber's answer.
hubers = "Huber, delta = 1.345"

def errors(share, width, s, noise=np.random.Generator.normal):
    rng, size = np.random.default_rng(s), (10_000, 100)
    y = noise(rng, size=size) * np.where(rng.random(size) < share, width, 1.0)
    median = c = np.median(y, axis=1)
    for _ in range(8):  # gradient descent from the median
        c = c - huber(c[:, None] + 0 * y, y, 1.345).grad.mean(axis=1)
    return {"mean": y.mean(axis=1), hubers: c, "median": median}

cases = {"normal noise": (0.0, 1.0), "1 in 20 is ten times as wide": (0.05, 10.0)}
found = {name: [errors(*case, s) for s in setting.seeds] for name, case in cases.items()}
fig, axes = plots.panels(2, sharex=True, sharey=True)
for ax, (name, runs) in zip(axes, found.items(), strict=True):
    for i, (way, drawn) in enumerate(runs[0].items()):
        ax.hist(drawn, np.linspace(-0.8, 0.8, 41), histtype="step", lw=2,
                ls=("-", "--", "-.")[i], label=way)
    ax.set(xlabel="error of the answer", title=name)
axes[0].set(ylabel="how many of 10,000 samples")
axes[1].legend(fontsize=9)
plots.Picture(
    fig, "Histograms of the errors. Normal noise: mean and Huber are equally narrow, the median "
    "is wider. Heavy tail: the mean is twice as wide as Huber and the median.",
)

# %% tags=["fold"] name="trial-table"
# How many data does each way need, compared with the mean? The ratio of the variances.
def needed(runs, way):
    return np.array([run[way].var() / run["mean"].var() for run in runs])

def needs(runs):
    both = needed(runs, hubers), needed(runs, "median")
    return [f"{x.mean():.2f} ± {x.std():.2f}" for x in both]

clean, heavy = found.values()
assert (abs(needed(clean, hubers) - 1.05) < 0.06).all()
assert (abs(needed(clean, "median") - 1.55) < 0.2).all()
assert max(needed(heavy, hubers).max(), needed(heavy, "median").max()) < 0.45
heads = ["data needed, over the mean's", hubers, "median"]
Table(heads, [[name, *needs(runs)] for name, runs in found.items()],
      "± is the standard deviation over seeds.")

# %% [markdown] name="trial-reading"
# The table gives ratios of variances. Twice the data halve the variance of each of these answers. So an answer with half the variance needs half as many data.
# With normal noise the mean is best. The median throws away a third of the data: it needs about 1.55 times as many. With the heavy tail the mean does worst: Huber's answer needs a fifth of the mean's data.
# **Huber's loss pays about 5 per cent more data as insurance in the first case, and wins the second.** (The factor 1.345 was chosen for these 5 per cent.) So the choice has a condition: take squared error *if the noise has no heavy tail, or if you need the mean of lopsided data*. One value in a hundred from a distribution ten times as wide is tail enough (tables for both under *Does it hold?*).
#
# ## What breaks
#
# A robust loss is in place: `huber` with $\delta = 1$, PyTorch's default. Somebody changes the unit of the table. The code stays as it is.

# %% name="units"
def in_unit(per_cm, delta):  # how far the slip moves the answer, and the share of clipped values
    loss = partial(huber, delta=delta)
    true, moved = (answer(loss, per_cm * y) for y in (sepal, slipped))
    clipped = np.mean(abs(moved - per_cm * slipped) > delta)
    return f"{(moved - true) / per_cm:.3f} cm", f"{clipped:.0%}"

units = {"m": 0.01, "cm": 1.0, "mm": 10.0}
Table(["table in", "the slip moves the answer by", "clipped"],
      [[unit, *in_unit(per_cm, delta=1.0)] for unit, per_cm in units.items()])

# %% [markdown] name="units-reading"
# In metres the slip does its full damage. Its residual is 0.56 m, and that is less than $\delta = 1$ m: nothing is clipped, and the loss is half the squared error. In millimetres nearly everything is clipped, and the loss is nearly an absolute error: safe from the slip, but it wastes data.
# Nothing warns you. **If no residual is clipped, you train with squared error. If nearly all are, you train with absolute error.** A share in between does not tell whether $\delta$ is right. Compare $\delta$ with the width of the residuals.
#
# The cure: give $\delta$ in multiples of the width of the residuals. With one number for all, they are as wide as the data; with a model, take the residuals of a first fit by absolute error. The width must be robust itself, so take the median distance from the median (the *median absolute deviation*). For normal noise that is 0.674 standard deviations, hence the factor 1.483:

# %% name="units-cure"
def robust_delta(y):  # 1.345 standard deviations, as far as the middle of the data tells
    return 1.345 * 1.483 * np.median(abs(y - np.median(y)))

cured = []
for unit, per_cm in units.items():
    d = robust_delta(per_cm * slipped)
    cured.append([unit, f"{d:.3g} {unit}", *in_unit(per_cm, d)])
Table(["table in", "delta", "the slip moves the answer by", "clipped"], cured)

# %% tags=["fold"] name="units-test"
# What the two tables must show, and the rule's delta for the line under Play.
assert in_unit(0.01, 1.0) == ("0.567 cm", "0%") and int(in_unit(10.0, 1.0)[1][:-1]) > 70
assert cured[0][2:] == cured[1][2:] == cured[2][2:] and float(cured[0][2][:5]) < 0.02
assert robust_delta(np.array([5.0, 5.0, 5.0, 6.0, 9.0])) == 0
first = QuantileRegressor(quantile=0.5, alpha=0).fit(petal[:, None], wrong)  # absolute error
d = robust_delta(wrong - first.predict(petal[:, None]))
print(f"for the line under Play, from the residuals of a first fit: delta = {d:.2f} cm")

# %% [markdown] name="exercises"
# In every unit the slip now moves the answer equally little. In centimetres $\delta = 1$ was right by luck: the rule gives 0.997 cm. The rule has a gap: if more than half of the values are equal, the width is 0, and `huber` refuses $\delta = 0$.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. With a pencil (7 minutes, medium)
# The rides are 9, 10, 10.5, 12 and 70 minutes. Which number has the smallest mean Huber loss with $\delta = 1$? Use paper, not the code above.

# %% name="exercise-compromise"
compromise = (
    ### BEGIN SOLUTION
    (10 + 10.5 + 1) / 2
    ### END SOLUTION
)

# %% name="check-compromise"
check("compromise")

# %% [markdown] name="exercise-huber-text"
# <details><summary>Hint 1</summary>The clipped residuals must add up to 0. Guess which rides are clipped, and solve for c.</details>
# <details><summary>Hint 2</summary>Then look whether your guess was right: is each ride that you clipped more than 1 away from c, and no other?</details>
#
# ### 2. Huber's loss itself (8 minutes, medium)
# Write it. `r` is a NumPy array of residuals, `delta` a number. Return the value and the slope for each residual.

# %% name="exercise-huber"
def my_huber(r, delta):
    ### BEGIN SOLUTION
    near = np.abs(r) <= delta
    value = np.where(near, r**2 / 2, delta * (np.abs(r) - delta / 2))
    return value, np.clip(r, -delta, delta)
    ### END SOLUTION

# %% name="check-huber"
check("my_huber")

# %% [markdown] name="exercise-carry-text"
# <details><summary>Hint 1</summary><code>np.where(condition, a, b)</code> takes from a where the condition holds, else from b.</details>
# <details><summary>Hint 2</summary>Residuals can be negative. Which of the two pieces need the size, <code>np.abs(r)</code>?</details>
#
# ### 3. How many mistakes does the median bear? (6 minutes, medium)
# One wrong value can carry the mean of `n` values (the lesson's $N$) anywhere. How many wrong values does it take to carry the median (`np.median`) anywhere? Try small `n` first, and mind odd and even ones.

# %% name="exercise-carry"
def enough_to_carry(n):
    ### BEGIN SOLUTION
    return (n + 1) // 2
    ### END SOLUTION

# %% name="check-carry"
check("enough_to_carry")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Try it: replace values of <code>np.arange(6.0)</code> by 1e9, one after the other, and print <code>np.median</code>.</details>
# <details><summary>Hint 2</summary>For an even n, <code>np.median</code> is the mean of two values. It is enough to carry one of them away.</details>
#
# ## Takeaways
#
# - Squared error asks for the mean, absolute error for the median. With Huber's loss a very small $\delta$ asks for the median, a very large one for the mean.
# - The slope is the pull of an example. Squared error lets one example pull without limit; Huber's loss clips the pull at $\delta$, and $\delta$ has the unit of the data.
# - Do not use absolute error or Huber's loss for a total, a cost or a forecast that must add up: these need the mean. None of the three protects a line from a wrong input.
#
# ## Does it hold?
#
# The question used one leaf. Let the decimal point slip in each of the 100 leaves, one at a time:

# %% tags=["fold"] name="control-every-leaf"
# The answers' moves for every leaf.
moves = {name: [] for name in kinds}
for i in range(100):
    y = np.where(np.arange(100) == i, 10 * sepal, sepal)
    for name, loss in kinds.items():
        moves[name].append(abs(answer(loss, y) - before[name]))
assert min(moves["squared error"]) > 0.4 and max(max(moves[name]) for name in [*kinds][1:]) < 0.03
Table(["loss", "the answer moves by (cm): smallest", "middle", "largest"],
      [[name, *(f"{q:.3f}" for q in np.quantile(m, [0, 0.5, 1]))] for name, m in moves.items()])

# %% [markdown] name="control-tails-text"
# The mean moves by 0.44 cm or more, Huber's answer by 0.023 cm at most. The median cannot move here: several leaves in the middle of the list have the same length.
#
# And the line under *Play*? Let the decimal point slip in the target of one flower, or in its input. We do it for 20 flowers in turn, from short petals to the longest:

# %% tags=["fold"] name="control-input"
# The slope of each loss's line, with one wrong target and with one wrong input.
def slopes_of_lines(x, y):
    z = (x - x.mean()) / x.std()
    a = np.stack([np.ones(100), z], axis=1)
    start = np.array([np.median(y), 0.0])
    robust = descend(start, SGD(1.0), lambda w: a.T @ huber(a @ w, y, 1.0).grad / 100, 300)[-1]
    exact = QuantileRegressor(quantile=0.5, alpha=0).fit(z[:, None], y)  # absolute error
    return np.array([np.polyfit(z, y, 1)[0], robust[1], exact.coef_[0]]) / x.std()

flips = [np.where(np.arange(100) == i, 10.0, 1.0) for i in np.argsort(petal, kind="stable")[4::5]]
wrongs = {
    "one wrong target": np.array([slopes_of_lines(petal, f * sepal) for f in flips]),
    "one wrong input": np.array([slopes_of_lines(f * petal, sepal) for f in flips]),
}
honest = slopes_of_lines(petal, sepal)
assert abs(wrongs["one wrong target"] - honest)[:, 1:].max() < 0.1
assert np.median(wrongs["one wrong input"], axis=0).max() < 0.4
cells = [["nothing wrong", *(f"{v:.2f}" for v in honest)]]
for name, found_slopes in wrongs.items():
    low, middle, high = np.quantile(found_slopes, [0, 0.5, 1], axis=0)
    each = zip(low, middle, high, strict=True)
    cells.append([name, *(f"{m:.2f} ({a:.2f} to {b:.2f})" for a, m, b in each)])
cells.append(["of these, petal 69 for 6.9", *(f"{v:.2f}" for v in wrongs["one wrong input"][-1])])
Table(["slope of the line (cm per cm)", "squared", "Huber, delta = 1 cm", "absolute"], cells,
      "Middle, and smallest to largest, of 20 flowers.")

# %% [markdown] name="control-input-reading"
# A wrong target hardly moves the lines of Huber's loss and of absolute error. A wrong input drags all three lines down. It lies far out, like the end of a long lever, and is called a *leverage point*. Clipping limits the slope of the loss. The gradient of the line multiplies that slope by the input, and nothing limits the input.
#
# How heavy must the tail be? Lighter ones, and uniform noise, which has none:

# %% tags=["fold"] name="control-tails"
# The same trial for other shares and widths.
def uniform(rng, size):  # between -1.73 and 1.73: standard deviation 1
    return rng.uniform(-(3**0.5), 3**0.5, size)

milder = {
    "1 in 100 is ten times as wide": (0.01, 10.0), "1 in 1,000 is ten times as wide": (0.001, 10.0),
    "1 in 10 is three times as wide": (0.1, 3.0), "1 in 100 is three times as wide": (0.01, 3.0),
    "uniform noise": (0.0, 1.0),
}
trials = {
    name: [errors(*case, s, uniform) if name == "uniform noise" else errors(*case, s)
           for s in setting.seeds] for name, case in milder.items()
}
turned = [needed(runs, hubers) for runs in trials.values()]
assert max(turned[0].max(), turned[2].max()) < 0.95 and turned[4].min() > 1.1
assert 1 - turned[1].mean() > 0.02 and abs(turned[3] - 1).max() < 0.05
assert abs(needed(trials["1 in 10 is three times as wide"], "median") - 1).max() < 0.1
Table(heads, [[name, *needs(runs)] for name, runs in trials.items()])

# %% [markdown] name="control-delta-text"
# At ten times the width, one value in a hundred turns the verdict. One in a thousand turns it for Huber's loss, barely, and not for the median. At three times the width, one in a hundred leaves the mean and Huber's answer about equal; one in ten turns it for Huber's loss, and the median draws level. With uniform noise the mean is far ahead.
#
# Huber's answer had help: we knew the width of the clean noise. What if $\delta$ is set badly, or by the rule of *What breaks*?

# %% tags=["fold"] name="control-delta"
# Huber's need of data for several deltas; the rule estimates its delta from each sample.
def need(share, width, s, delta):
    rng = np.random.default_rng(s)
    y = rng.normal(size=(300, 100)) * np.where(rng.random((300, 100)) < share, width, 1.0)
    far = abs(y - np.median(y, axis=1, keepdims=True))
    d = delta or 1.345 * 1.483 * np.median(far, axis=1, keepdims=True)
    c = d * (answer(huber, y / d) - answer(huber, -y / d))[:, None] / 2  # from right and from left
    return c.var() / y.mean(axis=1).var()

settings = {"by the rule": None, "0.02": 0.02, "0.2": 0.2, "1.345": 1.345, "5": 5.0, "30": 30.0}
table = {
    name: [np.array([need(*case, s, d) for s in setting.seeds]) for case in cases.values()]
    for name, d in settings.items()
}
middle_of = {name: [v.mean() for v in row] for name, row in table.items()}
assert middle_of["by the rule"][0] < 1.25 and middle_of["by the rule"][1] < 0.35
assert middle_of["0.02"][0] > 1.2 and middle_of["0.02"][1] < 0.45
assert all(v > 0.9 for v in middle_of["30"])
Table(["delta", *cases],
      [[name, *(f"{v.mean():.2f} ± {v.std():.2f}" for v in row)] for name, row in table.items()],
      "Data needed, over the mean's; ± is the standard deviation over seeds.")

# %% [markdown] name="control-lopsided-text"
# The rule does as well as the true width. At $\delta = 0.02$ Huber's answer needs as many data as the median, at 30 as many as the mean.
#
# All these data had two equal sides. Now lopsided ones: waiting times from an exponential distribution whose true mean is 1.

# %% tags=["fold"] name="control-lopsided"
# What the three answers come to on lopsided data, in small samples and in large ones.
def lopsided(n, s):  # 100,000 waiting times, n in a sample
    y = np.random.default_rng(s).exponential(size=(100_000 // n, n))
    d = np.array([robust_delta(sample) for sample in y])
    robust = d * answer(huber, y / d[:, None])
    return y.mean(), robust.mean(), np.median(y, axis=1).mean()

waits = {n: np.array([lopsided(n, s) for s in setting.seeds]) for n in (100, 10_000)}
assert all((abs(w - [1.0, 0.833, 0.695]) < 0.02).all() for w in waits.values())
Table(["answer, mean of all samples", "mean", "Huber, delta by the rule", "median"],
      [[f"samples of {n:,}", *(f"{v.mean():.2f} ± {v.std():.2f}" for v in w.T)]
       for n, w in waits.items()], "± is the standard deviation over seeds.")

# %% [markdown] name="control-between-text"
# The mean comes to 1. More data do not help the other two: their answer is another number.
#
# Here Huber's answer lies between the median and the mean. Must it? No. A small example, with $\delta = 2$:

# %% tags=["fold"] name="control-between"
# Mean and median agree, and Huber's answer lies elsewhere.
lean = np.array([-5.0, -1.0, 0.0, 3.0, 3.0])
elsewhere = answer(partial(huber, delta=2.0), lean)
print(f"mean {lean.mean():.1f}, median {np.median(lean):.1f}, Huber {elsewhere:.2f}")
assert elsewhere > 0.3

# %% [markdown] name="sources"
# ## Sources
#
# - R. Boscovich, 1757: *De litteraria expeditione per pontificiam ditionem*. A.-M. Legendre, 1805: *Nouvelles méthodes pour la détermination des orbites des comètes*. C. F. Gauss, 1809: *Theoria motus corporum coelestium*.
# - P. J. Huber, 1964: *Robust estimation of a location parameter*, Annals of Mathematical Statistics 35.
# - P. W. Holland and R. E. Welsch, 1977: *Robust regression using iteratively reweighted least-squares*, Communications in Statistics 6.
# - J. W. Tukey, 1960: *A survey of sampling from contaminated distributions*, in *Contributions to Probability and Statistics*: how a few wide values spoil the usual estimates.
# - The irises: R. A. Fisher, 1936: *The use of multiple measurements in taxonomic problems*, from measurements by E. Anderson.
