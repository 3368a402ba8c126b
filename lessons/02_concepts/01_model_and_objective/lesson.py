# ---
# jupyter:
#   lesson:
#     title: "Model and objective"
#     question: "Four people report four losses, from 0.4 to a million. Three have the same model. Which three?"
#     minutes: 45
#     needs: []
#     settles: [G6, E5, E14]
#     studies: [losses.squared_error, core.mean]
#     terms: [model, prediction, reduction, penalty, metric, forward pass, backward pass, optimizer, self-supervised]
#     claims:
#       C13: {verdict: confirmed, cell: count, says: "A model is a function with adjustable numbers. A line has 2 of them, a small network 193, a table of 500 times 500 word pairs 250 000, and PyTorch lists exactly these."}
#       C14: {verdict: conditional, cell: changes, says: "Training minimises the objective, which is more than the gap: a penalty moved the line's rise from 105 to 69. And the target need not come from a supervisor: a language model takes it from its own input."}
# ---

# %% [markdown] name="goal"
# # Model and objective
#
# **Goal.** Tell apart the numbers that are all called "the loss", know which of them training makes small, and which call of a training step does what.
#
# **The question.** How does a patient's diabetes progress within a year? A study measured it in points; more is worse. Four people predict the points by a straight line over the body mass index. They use the same 310 patients and the same training loop, until nothing changes any more. Each reports "the loss", the number that the training made small:

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp
import torch
from sklearn.datasets import load_diabetes
from torch import nn

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.core import mean, total
from lessons_lib.derive import derive
from lessons_lib.landscapes import Landscape
from lessons_lib.losses import squared_error
from lessons_lib.optim import SGD, descend
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("02_concepts/01_model_and_objective")

# %% tags=["fold"] name="people"
# 310 patients to train on, 132 kept aside, and the four trainings: 500 steps of gradient descent.
measured, progress = load_diabetes(return_X_y=True, scaled=False)
index = (measured[:, 2] - 20) / 10  # body mass index above 20, in tens

def patients(seed, n=310):
    order = np.random.default_rng(seed).permutation(442)
    aside, used = order[:132], order[132 : 132 + n]
    return index[used], progress[used], index[aside], progress[aside]

def train(x, y, reduce, unit, penalty, lr):  # theta, in points, and the number made small
    def objective(theta):
        loss = reduce(squared_error(theta[0] * x + theta[1], y / unit))
        own = np.array([2 * penalty * theta[0], 0])
        slopes = np.array([loss.grad @ x, loss.grad.sum()]) + own
        return loss.value + penalty * theta[0] ** 2, slopes

    theta = descend(np.zeros(2), SGD(lr), lambda theta: objective(theta)[1], 500)[-1]
    return theta * unit, objective(theta)[0]

recipes = {
    "Ada": (total, 1.0, 0.0, 0.3 / 310),
    "Ben": (mean, 1.0, 0.0, 0.3),
    "Cleo": (mean, 100.0, 0.0, 0.3),
    "Dan": (mean, 100.0, 0.1, 0.3),
}
x, y, x_new, y_new = patients(seed)
trained = {name: train(x, y, *recipe) for name, recipe in recipes.items()}

# %% tags=["fold"] name="question-picture"
# What the four report.
reported = {name: value for name, (_, value) in trained.items()}
fig, (ax,) = plots.panels()
fig.set_size_inches(6.4, 2.5)
ax.barh([*reported], [*reported.values()], color="#56B4E9")
for i, value in enumerate(reported.values()):
    text = f"{value:,.0f}" if value > 1 else f"{value:.2f}"
    ax.text(value * 1.25, i, text, va="center")
ax.invert_yaxis()
ax.set(xscale="log", xlim=(0.1, 2e7), xlabel="reported loss (log)", title="Four reports")
ax.grid(axis="y", visible=False)
assert abs(reported["Dan"] - reported["Cleo"]) < 0.15 < 1000 < reported["Ben"]
plots.Picture(
    fig,
    alt="Four bars on a logarithmic axis. Ada reports more than a million, Ben about four "
    "thousand, Cleo 0.40 and Dan 0.48.",
)

# %% [markdown] name="question-reading"
# Three of the four ended with exactly the same line. One has another. Who? Make your guess before you look at the lines:

# %% tags=["fold"] name="lines"
# The four lines.
picture = plots.fitted(
    20 + 10 * x, y,
    {name: lambda at, theta=theta: theta[0] * (at - 20) / 10 + theta[1]
     for name, (theta, _) in trained.items()},
    "body mass index", "progress after a year (points)",
    "310 patients as dots. The lines of Ada, Ben and Cleo lie on top of each other. Dan's line is "
    "flatter: it starts higher on the left and ends lower on the right.",
    title="The same patients, four lines",
)
picture.fig.set_size_inches(5.0, 3.0)
picture

# %% tags=["fold"] name="lines-numbers"
# The lines in numbers, and how far they miss patients that nobody trained on.
def miss(theta, x, y):
    return np.mean(abs(theta[0] * x + theta[1] - y))

shown = [
    [name, f"{value:,.0f}" if value > 1 else f"{value:.2f}", *(f"{t:.1f}" for t in theta),
     f"{miss(theta, x_new, y_new):.1f}"]
    for name, (theta, value) in trained.items()
]
same = [trained[name][0] for name in ("Ada", "Ben", "Cleo")]
assert np.allclose(same, same[0]) and trained["Dan"][0][0] < 0.9 * same[0][0]
Table(
    ["", "reported loss", "rise (points per 10 units)", "base (points at index 20)",
     "average miss (points)"],
    shown, "Average miss: over 132 patients that were kept aside.",
)

# %% [markdown] name="idea"
# Ada's and Ben's numbers differ by a factor of 310, and their lines are equal. Cleo's and Dan's numbers are the nearest of all, and Dan's line is the other one. **A reported loss says nothing about a model until you know what was added to what, and in which unit.** The last column can be compared, because it asks all four the same. There Dan is behind.
#
# Ada took each patient's *miss*, the distance between her line and the patient's progress. She squared the misses and added up the squares. Ben took their mean. Cleo did the same, and counted the progress in hundreds of points. Dan did what Cleo did, and added a price for a steep line.
#
# ## The idea, drawn
#
# Follow four patients through one training step, from left to right:

# %% tags=["fold"] name="flow"
# Four patients on their way through the model, the loss, the reduction and the objective.
at_rise, at_base, lam = 50.0, 120.0, 0.1
whole = np.argsort(x)[np.isclose(np.sort(10 * x) % 1, [[0], [1]]).any(axis=0)]  # can be checked
few = whole[[len(whole) * k // 8 for k in (1, 3, 5, 7)]]
guess = at_rise * x[few] + at_base
each = squared_error(guess, y[few])
fig, (ax,) = plots.panels()
fig.set_size_inches(8.6, 4.3)
ax.set(xlim=(0, 11.2), ylim=(-0.2, 6.8))
ax.axis("off")
ink, warm = "#0072B2", "#D55E00"

def box(place, text, colour="0.25", fill="w", size=9):
    ax.text(*place, text, ha="center", va="center", fontsize=size, color=colour,
            bbox={"boxstyle": "round,pad=0.4", "fc": fill, "ec": colour, "lw": 1.3})

def arrow(start, end, colour="0.25", style="-", bend=0.0):
    ax.annotate("", end, start, arrowprops={
        "arrowstyle": "-|>", "color": colour, "ls": style, "lw": 1.4,
        "connectionstyle": f"arc3,rad={bend}"})

heads = [(0.7, "index"), (4.1, "prediction"), (5.5, "target"), (7.2, "loss (square)")]
for where, head in heads:
    ax.text(where, 4.15, head, ha="center", fontsize=9, weight="bold")
for row, n in enumerate(few):
    height = 3.6 - 0.62 * row
    for (where, _), number in zip(heads, (20 + 10 * x[n], guess[row], y[n]), strict=False):
        ax.text(where, height, f"{number:.0f}", ha="center", va="center", fontsize=10)
    ax.text(4.85, height, "\u2212", ha="center", va="center", fontsize=10)
    ax.text(7.1, height, f"{each.value[row]:,.0f}", ha="center", va="center", fontsize=10)
    arrow((1.05, height), (1.6, height))
    arrow((3.1, height), (3.65, height))
    arrow((5.9, height), (6.55, height))
    arrow((7.6, height), (8.35, 2.67 + 0.1 * (1.5 - row)))
box((2.35, 2.67), "\nmodel\n\nrise ×\n(index - 20) / 10\n+ base\n", ink, "#E8F1F8", 8)
box((2.35, 5.2), f"parameters\nrise {at_rise:.0f}, base {at_base:.0f}", ink, "#E8F1F8")
arrow((2.35, 4.75), (2.35, 3.55), ink)
box((8.95, 2.67), f"reduction\nmean: {each.value.mean():,.0f}")
box((6.2, 5.2), f"penalty\n{lam} × {at_rise:.0f}² = {lam * at_rise**2:.0f}")
arrow((3.2, 5.2), (5.4, 5.2))
price = each.value.mean() + lam * at_rise**2
box((9.9, 4.35), f"objective\n{price:,.0f}", warm, "#FBEDE4")
arrow((7.0, 5.1), (9.4, 4.5))
arrow((9.15, 3.1), (9.65, 3.9))
box((5.2, 0.35), f"metric: average miss {abs(guess - y[few]).mean():.0f} points", "0.4")
arrow((4.1, 1.45), (4.6, 0.7), "0.4")
arrow((5.5, 1.45), (5.3, 0.7), "0.4")
box((4.6, 6.4), "optimizer", warm)
arrow((9.9, 4.8), (5.1, 6.45), warm, "--", 0.25)
arrow((4.1, 6.35), (2.5, 5.6), warm, "--", 0.15)
ax.text(8.6, 6.25, "gradient", color=warm, fontsize=9)
plots.Picture(
    fig,
    alt="A flow. Left the body mass indices of four patients; arrows lead through the model, "
    "which holds the parameters rise and base, to four predictions, beside them four targets, "
    "then four losses, one per patient. They flow into one box, the reduction, and from there "
    "into the objective, where a penalty on the parameters is added. A dashed arrow carries the "
    "gradient from the objective back to the optimizer, which changes the parameters. The metric "
    "hangs below predictions and targets; no arrow leads from it to the parameters.",
)

# %% [markdown] name="words"
# A **model** is a function with adjustable numbers in it, its parameters. Put a patient's index in, and out comes a **prediction**, the model's guess of the *target* (also called the label).
#
# The *loss* tells how bad the prediction of one patient is. Four patients, four losses.
#
# The **reduction** makes one number of many losses, by their mean or their sum.
#
# A **penalty** is a price for the parameters themselves. No patient occurs in it. It keeps parameters small, which can help when examples are few.
#
# The *objective* is what training makes small: the reduced losses plus the penalty. Its *gradient* is a list of slopes, one for each parameter: how fast the objective grows when that parameter grows.
#
# A **metric** is what we want to know in the end. Training does not see it.
#
# The article that this course follows has one letter, $L$, for the loss of one example and for the mean, and one word for most of this list.
#
# ### How many parameters?
#
# PyTorch counts them. The table of word pairs holds a number for each pair of 500 words; it comes back below:

# %% name="count"
models = {
    "a line": nn.Linear(1, 1),
    "a plane over 10 measurements": nn.Linear(10, 1),
    "a small network": nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1)),
    "a table of word pairs": nn.Embedding(500, 500),
}
how = ["1 + 1", "10 + 1", "10 x 16 + 16 and 16 x 1 + 1", "500 x 500"]
counts = [sum(p.numel() for p in model.parameters()) for model in models.values()]
Table(["model", "counted by hand", "parameters"], zip(models, how, counts, strict=True))

# %% tags=["fold"] name="count-test"
# The counts.
assert counts == [2, 11, 193, 250_000]

# %% [markdown] name="formula"
# The network sends ten measurements through 16 units. Each unit is a weighted sum of its inputs (10 weights) plus a number of its own (a *bias*). `ReLU` sets negative numbers to 0 and has no parameters. So the article is right that a model is a function with adjustable parameters. A large language model is the same kind of thing, with billions of them. The number of units, the factor of the penalty and the length of a step are *not* parameters: a person chooses them, and training leaves them alone.
#
# ## Formula
#
# $$f_\theta(x) = \theta_1 x + \theta_2$$
#
# $$\ell_n = \big(f_\theta(x_n) - y_n\big)^2$$
#
# $$J(\theta) = \frac1N \sum_{n=1}^{N} \ell_n + \lambda\, \Omega(\theta)$$
#
# The squared difference is one loss of many; chapter 3 has the others. Our penalty is $\Omega(\theta) = \theta_1^2$: a flat line costs nothing.
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $x_n$, $y_n$ | `x[n]`, `y[n]` | numbers | body mass index above 20, in tens; progress in points |
# | $\theta = (\theta_1, \theta_2)$ | `theta` | `(2,)` | the parameters: rise `theta[0]` and base `theta[1]` |
# | $\ell_n$ | `loss.value[n]` | a number | loss of patient $n$, in points² |
# | $N$ | `len(x)` | a number | how many patients |
# | $\Omega$ (omega), $\lambda$ (lambda) | `theta[0] ** 2`, `lam` | numbers | penalty; its factor, at least 0 |
# | $J$ | `objective(theta, x, y, lam)` | a number | the objective |
#
# In code, with the library's own squared error:

# %% name="objective"
def objective(theta, x, y, lam):
    prediction = theta[0] * x + theta[1]  # the model
    loss = squared_error(prediction, y)  # a number per patient
    return mean(loss).value + lam * theta[0] ** 2  # reduction, penalty

# %% [markdown] name="surface-text"
# Two parameters span a plane, and over each of its points stands a height: the objective, here without penalty. So it is a surface, and training walks down on it, along the bold line. Turn it:

# %% tags=["fold"] name="surface"
# The objective without penalty, over the plane of rise and base, and a walk of gradient descent.
bottom = np.linalg.lstsq(np.stack([x, np.ones_like(x)], axis=1), y)[0]

def slopes_at(theta):
    loss = squared_error(theta[0] * x + theta[1], y)
    return np.array([np.mean(loss.grad * x), np.mean(loss.grad)])

walk = np.array(descend(np.zeros(2), SGD(0.3), slopes_at, 60))
plots.turning(
    lambda theta: objective(theta, x, y, 0) / 1000,
    "A surface over the plane of rise and base, from slightly above. It is a valley: two high "
    "walls of some 60 thousand points squared, between them a long floor. A walk comes down one "
    "wall in one long step, turns, and follows the floor towards a star near the lowest point.",
    "thousand points²", ((-50, 250), (-50, 220)), walk, {"xlabel": "rise", "ylabel": "base"},
)

# %% [markdown] name="surface-reading"
# The surface is a valley between two steep walls. Its floor is nearly level. It runs from flat lines with a high base to steep lines with a low base. All of them pass near the middle of the cloud of patients, so it matters little which of them one takes. Two parameters that can stand in for each other make such a valley.
#
# ## Derivation
#
# Where is the lowest point, and what does the penalty do to it? The gradient tells: at the lowest point both slopes are 0. First the slope by the rise:

# %% tags=["fold"] name="derive-slope"
# Derivation 1: the slope of the objective by the rise.
rise, base = sp.symbols("theta_1 theta_2", real=True)
lam_, N_ = sp.Symbol("lambda", positive=True), sp.Symbol("N", integer=True, positive=True)
n = sp.Symbol("n", integer=True, positive=True)
x_, y_ = (sp.IndexedBase(name, real=True) for name in "xy")
v, c, s = sp.symbols("s_xx s_xy s_yy", real=True)
mx, my = sp.Symbol(r"\bar{x}", real=True), sp.Symbol(r"\bar{y}", real=True)
names = {"rise": rise, "base": base, "lam": lam_, "N": N_, "n": n, "x": x_, "y": y_,
         "v": v, "c": c, "s": s, "mx": mx, "my": my}
means = {
    v: "Sum((x[n] - mx)**2, (n, 1, N)) / N",
    c: "Sum((x[n] - mx) * (y[n] - my), (n, 1, N)) / N",
    s: "Sum((y[n] - my)**2, (n, 1, N)) / N",
    mx: "Sum(x[n], (n, 1, N)) / N",
    my: "Sum(y[n], (n, 1, N)) / N",
}
J_tex = r"\frac{1}{N} \sum_{n=1}^{N} (\theta_1 x_n + \theta_2 - y_n)^2 + \lambda\, \theta_1^2"

def reduced(rise, base, x, y):
    return mean(squared_error(rise * x + base, y))

(
    derive("J", "1/N * Sum((rise * x[n] + base - y[n])**2, (n, 1, N)) + lam * rise**2",
           "mean loss plus penalty", names, {N_: (2, 3)}, means=means, tex=J_tex)
    .library("mean(squared_error(prediction, y)).value + lam * rise ** 2",
             lambda rise, base, x, y, lam: reduced(rise, base, x, y).value + lam * rise**2,
             each=True)
    .slope(rise, "2/N * Sum((rise * x[n] + base - y[n]) * x[n], (n, 1, N)) + 2 * lam * rise",
           "chain rule: each error (prediction less target) is multiplied by its $x_n$; **the "
           "penalty pulls on the rise alone**",
           tex=r"\frac{2}{N} \sum_{n=1}^{N} (\theta_1 x_n + \theta_2 - y_n)\, x_n "
           r"+ 2 \lambda\, \theta_1")
    .library("sum(mean(squared_error(prediction, y)).grad * x) + 2 * lam * rise",
             lambda rise, base, x, y, lam: reduced(rise, base, x, y).grad @ x + 2 * lam * rise,
             each=True)
)

# %% [markdown] name="derive-base-text"
# Then the slope by the base. Write $\bar x$ and $\bar y$ for the means over the patients:

# %% tags=["fold"] name="derive-base"
# Derivation 2: the slope by the base, and the best base.
(
    derive("J", "1/N * Sum((rise * x[n] + base - y[n])**2, (n, 1, N)) + lam * rise**2",
           "the objective again", names, {N_: (2, 3)}, means=means, tex=J_tex)
    .library("mean(squared_error(prediction, y)).value + lam * rise ** 2",
             lambda rise, base, x, y, lam: reduced(rise, base, x, y).value + lam * rise**2,
             each=True)
    .slope(base, "2/N * Sum(rise * x[n] + base - y[n], (n, 1, N))",
           "the penalty does not know the base",
           tex=r"\frac{2}{N} \sum_{n=1}^{N} (\theta_1 x_n + \theta_2 - y_n)")
    .library("sum(mean(squared_error(prediction, y)).grad)",
             lambda rise, base, x, y: reduced(rise, base, x, y).grad.sum(), each=True)
    .equals("2 * (rise * mx + base - my)", "the mean of a sum is the sum of the means",
            tex=r"2\, (\theta_1 \bar{x} + \theta_2 - \bar{y})")
    .zero_at(base, "my - rise * mx", "**the line passes through the middle of the data**",
             tex=r"\bar{y} - \theta_1 \bar{x}")
)

# %% [markdown] name="derive-minimum-text"
# So the best base follows from the rise, whatever the penalty. Put it in, and one parameter is left. Three numbers describe the data, all of them means over the patients:
#
# $$s_{xx} = \frac1N \sum_n (x_n - \bar x)^2 \qquad s_{xy} = \frac1N \sum_n (x_n - \bar x)(y_n - \bar y) \qquad s_{yy} = \frac1N \sum_n (y_n - \bar y)^2$$
#
# Here $s_{xx}$ says how widely the indices are spread, $s_{yy}$ the same of the progress, and $s_{xy}$ how much both rise together.

# %% tags=["fold"] name="derive-minimum"
# Derivation 3: the minimum of the objective.
def through_the_middle(rise, x, y):
    return mean(squared_error(rise * x + (y.mean() - rise * x.mean()), y))

def lowest(x, y, lam):  # where the library's slope, a straight line in the rise, crosses 0
    at_0, at_1 = (through_the_middle(t, x, y).grad @ (x - x.mean()) + 2 * lam * t for t in (0, 1))
    return at_0 / (at_0 - at_1)

(
    derive("J", "1/N * Sum((rise * (x[n] - mx) - (y[n] - my))**2, (n, 1, N)) + lam * rise**2",
           r"with $\theta_2 = \bar{y} - \theta_1 \bar{x}$", names, {N_: (2, 3)}, means=means,
           tex=r"\frac{1}{N} \sum_{n=1}^{N} \big(\theta_1 (x_n - \bar{x}) - (y_n - \bar{y})\big)^2 "
           r"+ \lambda\, \theta_1^2")
    .library("mean(squared_error(prediction, y)).value + lam * rise ** 2",
             lambda rise, x, y, lam: through_the_middle(rise, x, y).value + lam * rise**2,
             each=True)
    .equals("(v + lam) * rise**2 - 2 * c * rise + s", "multiplied out: a parabola",
            tex=r"(s_{xx} + \lambda)\, \theta_1^2 - 2 s_{xy}\, \theta_1 + s_{yy}")
    .slope(rise, "2 * (v + lam) * rise - 2 * c", "its slope is a straight line",
           tex=r"2 (s_{xx} + \lambda)\, \theta_1 - 2 s_{xy}")
    .zero_at(rise, "c / (v + lam)", r"**$\lambda$ stands beside $s_{xx}$: the rise shrinks**",
             tex=r"\frac{s_{xy}}{s_{xx} + \lambda}")
    .library("zero of sum(mean(squared_error(prediction, y)).grad * (x - mean x)) + 2 * lam * rise",
             lowest, "where the slope by the library's own code is 0", each=True)
)

# %% [markdown] name="shrink-text"
# Without a penalty the rise is $s_{xy} / s_{xx}$. A penalty with $\lambda = s_{xx}$ halves it. Dan took $\lambda = 0.1$:

# %% tags=["fold"] name="shrink-numbers"
# Dan's line by the formula.
kept = x.var() / (x.var() + 0.1)
print(f"s_xx = {x.var():.3f}, s_xx / (s_xx + 0.1) = {kept:.2f}: {kept:.0%} of the rise is left")
assert 0.4 < kept < 0.9

# %% [markdown] name="shrink-reading"
# That is Dan's line. And this is where the minimum goes as $\lambda$ grows. The rings join places of equal mean loss, as on a map:

# %% tags=["fold"] name="minimum-picture"
# The minimum for five factors of the penalty: on the contours of the mean loss, and as lines.
bowl = Landscape(lambda t: objective(t, x, y, 0), None, None, (bottom,), objective(bottom, x, y, 0))

def best(x, y, lam):
    rise = np.mean((x - x.mean()) * (y - y.mean())) / (x.var() + lam)
    return np.array([rise, y.mean() - rise * x.mean()])

factors, dashes = (0, 0.05, 0.1, 0.3, 2), ("-", "--", "-.", ":", (0, (5, 1, 1, 1)))
fig, (ax, over) = plots.panels(2)
fig.set_size_inches(6.9, 3.0)
plots.draw_contours(ax, bowl, ((-10, 150), (60, 170)), "Where the minimum goes")
way = np.array([best(x, y, k) for k in np.geomspace(1e-4, 100, 200)])
ax.plot(*way.T, color="0.3", lw=1)
ax.set(xlabel=r"rise $\theta_1$ (points per 10 units)", ylabel=r"base $\theta_2$ (points)")
ax.grid(False)
over.plot(20 + 10 * x, y, "o", ms=2.5, color="0.6", mew=0)
ends = np.array([18.0, 42.0])
for i, k in enumerate(factors):
    theta = best(x, y, k)
    ax.plot(*theta, "os^Dv"[i], color=f"C{i}", ms=7)
    ax.annotate(f"{k:g}", theta, (6, 5), textcoords="offset points", fontsize=9)
    height = theta[0] * (ends - 20) / 10 + theta[1]
    over.plot(ends, height, color=f"C{i}", ls=dashes[i])
    over.text(42.6, height[1], f"{k:g}", va="center", fontsize=9)
over.set(xlabel="body mass index", ylabel="progress (points)", xlim=(17, 46))
over.set_title(r"As lines (number: $\lambda$)")
over.grid(False)
assert np.allclose([best(x, y, k) for k in (0, 0.1)], [same[0], trained["Dan"][0]])
plots.Picture(
    fig,
    alt="Left: contours of the mean loss, slanted ellipses around a star. Five marks on a straight "
    "way from the star to the upper left show the minimum for the factors 0, 0.05, 0.1, 0.3 and 2: "
    "the rise goes from 105 towards 0, the base grows. Right: the five lines on the patients; all "
    "cross in the middle of the cloud, the larger the factor, the flatter the line.",
)

# %% [markdown] name="changes-text"
# All five lines turn about the same point, the middle of the data. The minimum wanders along the straight way of derivation 2, towards the level line.
#
# ## What changes what?
#
# Ada, Ben, Cleo and Dan at one and the same place, rise 150 and base 150. Which number would be printed there, how long is the gradient, and where does each training end?

# %% tags=["fold"] name="changes"
# The same place under four objectives, in points; and under a metric, which no training uses.
def at(place, reduce, unit, penalty):
    loss = reduce(squared_error((place[0] * x + place[1]) / unit, y / unit))
    slopes = np.array([loss.grad @ x, loss.grad.sum()]) / unit
    own = penalty * np.array([place[0] ** 2, 2 * place[0]]) / unit**2
    return loss.value + own[0], slopes + np.array([own[1], 0])

place, rows, slopes = np.array([150.0, 150.0]), [], {}
what = {"Ben": "mean", "Ada": "sum instead of mean", "Cleo": "hundreds of points",
        "Dan": "hundreds of points, penalty"}
for name, text in what.items():
    value, slopes[name] = at(place, *recipes[name][:3])
    lengths = [np.linalg.norm(slopes[k]) for k in (name, "Ben")]
    turn = slopes["Ben"] @ slopes[name] / np.prod(lengths)
    rows.append([
        name, text, f"{value:,.0f}" if value > 100 else f"{value:.2f}",
        f"{lengths[0] / lengths[1]:.4g}",
        f"{np.degrees(np.arccos(min(turn, 1.0))):.1f}", f"{trained[name][0][0]:.0f}",
    ])
rows.append(["", "metric: average miss", f"{miss(place, x_new, y_new):.0f}", "none", "none", "-"])
assert np.allclose(slopes["Ada"], 310 * slopes["Ben"])
assert np.allclose(slopes["Cleo"], slopes["Ben"] / 1e4) and float(rows[3][4]) > 0.5
Table(
    ["", "what is different", "number", "gradient's length (Ben: 1)", "turned by (degrees)",
     "rise at the minimum"], rows, "The gradient is by parameters in points.",
)

# %% [markdown] name="changes-reading"
# - **The reduction and the target's unit** multiply the losses, and so their gradient, by a constant. Its direction stays. Where no penalty is added, so does the minimum. To take Ben's steps, Ada had to divide her gradient by 310. Cleo did not have to correct anything: she counts her parameters in hundreds too. So her slopes are 100 times those of the table, and a step is 100 times as long in points. ([Mean, sum or half](../03_algorithms/30_mean_sum_or_half.ipynb) has the reductions, [Whose mean?](../03_algorithms/25_whose_mean.ipynb) the mean over batches.)
# - **The penalty** turns the gradient and moves the minimum.
# - **The metric** changes nothing. Training does not see it, so another metric needs no new training.
#
# The article says that a loss measures the gap between prediction and truth, and that the algorithm minimises it. Without a penalty that is so. With one, what is minimised is the objective, and Dan's gap is larger than Cleo's.
#
# ## Four calls make a step
#
# The first training step in PyTorch is four calls; all later ones need a fifth, which comes under "What breaks". The **forward pass** computes the predictions. Then the objective is computed. The **backward pass** computes the gradient of the objective: PyTorch has noted every operation and applies the chain rule from the end to the start. The **optimizer** changes the parameters, by the gradient that it finds.
#
# The article says that the optimizer computes the gradient. Look at the parameters and at their `.grad` after each call:

# %% tags=["fold"] name="line-setup"
# A line in PyTorch, its optimizer, and a note of the parameters and their .grad after each call.
line = nn.Linear(1, 1, dtype=torch.float64)
nn.init.zeros_(line.weight)  # the rise
nn.init.zeros_(line.bias)  # the base
optimizer = torch.optim.SGD(line.parameters(), lr=0.3)
inputs, targets, log = torch.tensor(x)[:, None], torch.tensor(y)[:, None], []

def note(after):
    grads = ["empty" if p.grad is None else f"{p.grad.item():.1f}" for p in line.parameters()]
    log.append([after, *(f"{p.item():.1f}" for p in line.parameters()), *grads])

# %% name="four-calls"
note("before")
prediction = line(inputs)
note("1. forward")
J = ((prediction - targets) ** 2).mean()
note("2. objective")
J.backward()
note("3. backward")
optimizer.step()
note("4. step")
Table(["after", "rise", "base", "rise.grad", "base.grad"], log)

# %% tags=["fold"] name="four-calls-test"
# The backward pass fills .grad and moves nothing; the step moves and leaves .grad as it is.
assert log[0][1:] == log[2][1:] and log[3][1:3] == log[0][1:3] and log[3][3:] == log[4][3:]
assert np.allclose(line.weight.item(), 0.3 * 2 * np.mean(x * y)) and J.item() > 20_000

# %% [markdown] name="nonsense-text"
# After `backward` the gradient is there, and no parameter has moved. After `step` the parameters have moved, and the gradient is the old one. So the optimizer computes no gradient. It uses what lies in `.grad`. It would use anything:

# %% name="nonsense"
line.weight.grad[:] = 0.0
line.bias.grad[:] = -1000.0  # nonsense, from no loss at all
before = line.bias.item()
optimizer.step()
print(f"the base moves by {line.bias.item() - before:.0f} points")

# %% tags=["fold"] name="nonsense-test"
# The rate times what was written.
assert np.isclose(line.bias.item() - before, 300)

# %% [markdown] name="play"
# No model was asked and no loss computed, and the optimizer took its step. This is why one optimizer serves every model and every loss.
#
# ## Play
#
# Walk down from rise 0 and base 0: each step goes against the gradient, 0.3 times as far as the gradient is long (this is called gradient descent, and 0.3 the *rate*). Left the objective from above, right the line that belongs to the place. Move the number of steps.
#
# 1. After how many steps does the line look finished to you? By how much do the objective and the metric still fall after that?
# 2. The first step goes down the wall. Where do all the others go, and why are they so short?

# %% tags=["fold"] name="play-picture"
# Gradient descent from rise 0 and base 0, on the contours and in the data.
heights = np.array([objective(t, x, y, 0) for t in walk])
fig, (ax, over) = plots.panels(2)
fig.set_size_inches(6.9, 3.0)
plots.draw_contours(ax, bowl, ((-10, 130), (-10, 130)), "From above")
ax.set(xlabel="rise (points per 10 units)", ylabel="base (points)")
ax.grid(False)
over.plot(20 + 10 * x, y, "o", ms=2.5, color="0.6", mew=0)
over.grid(False)
over.set(xlabel="body mass index", ylabel="progress (points)", xlim=(17, 43), ylim=(-10, 350),
         title="In the data")

def stand(ax, over, steps):
    ax.plot(*walk[: steps + 1].T, "-", color="#D55E00", lw=1.5, marker=".", ms=5)
    ax.plot(*walk[steps], "o", color="#D55E00", mec="w", ms=8)
    theta = walk[steps]
    over.plot(ends, theta[0] * (ends - 20) / 10 + theta[1], color="#D55E00", lw=2)
    return (f"Rise {theta[0]:.0f}, base {theta[1]:.0f}: objective {heights[steps]:,.0f}; "
            f"the average miss of new patients is {miss(theta, x_new, y_new):.1f} points.")

plots.moving(
    fig, "steps", [*range(11), 12, 14, 16, 18, 20, 25, 30, 40, 60], stand, start=3, play=True,
    alt="Left the contours of the objective with a path from 0, 0: one long step down the wall, "
    "then short steps that turn into the floor of the valley, towards the star. Right the patients "
    "and the line after three steps, which runs through the cloud already.",
)

# %% tags=["fold-all"] name="play-numbers"
# The answer to question 1 in numbers: one step against the 59 after it.
share = (heights[0] - heights[1]) / (heights[0] - objective(bottom, x, y, 0))
print(f"the first step makes {share:.0%} of the way down")
print("average miss: {:.0f} at first, {:.1f} after one step, {:.1f} after sixty".format(
    *(miss(walk[t], x_new, y_new) for t in (0, 1, 60))))
assert share > 0.7 and miss(walk[1], x_new, y_new) - miss(walk[60], x_new, y_new) < 8

# %% [markdown] name="play-reading"
# <details><summary>Answers</summary>
#
# 1. After one step the line lies in the cloud, and the objective has made 98 % of its way down. The other 59 steps bring the last 2 %. They take the average miss from 51.7 to 50.0 points.
# 2. Two of them turn into the floor of the valley, and the rest follow it: the rise grows and the base falls. The floor is nearly level, so the gradient is short there, and a step is the gradient times a constant.
#
# </details>
#
# ## A target without a supervisor
#
# The article knows only *supervised* learning: for each input a person or an instrument supplies the target. Language models are first trained otherwise. Their training is **self-supervised**: the target is a part of the input itself, here the next word. From eight words of Python's documentation come seven examples, and nobody has labelled anything:

# %% tags=["fold"] name="next-word-data"
# The first eight words in a row that all belong to the 499 most frequent ones.
text = data.words(seed, 500)
known = np.convolve(text.ids < 499, np.ones(8), "valid") == 8
ids = text.ids[int(known.argmax()) :][:8]
assert known.any()

# %% tags=["nbval-ignore-output"] name="next-word"
inputs, targets = ids[:-1], ids[1:]  # the same text, shifted by one word
Table(["input", *(text.spelling[i] for i in inputs)],
      [["target", *(text.spelling[i] for i in targets)]])

# %% tags=["fold", "nbval-ignore-output"] name="next-word-score"
# The table of word pairs as a model: it guesses the most frequent follower, never "other".
followers = data.pairs(text.ids, 500)[:, :499].argmax(axis=1)
asked = text.ids_test[1:] < 499  # where the next word is one of the 499
right = np.mean((followers[text.ids_test[:-1]] == text.ids_test[1:])[asked])
always = np.mean(text.ids_test[1:][asked] == 0)
print(f"{len(text.ids) - 1:,} examples from half of the pages. In the other half, where one of 499")
print(f"frequent words comes next: {right:.0%} right, {always:.0%} with the same guess always")
assert right > 1.3 * always

# %% [markdown] name="breaks"
# The first percentage belongs to a table of word pairs as above, for the 499 most frequent words and one entry for all others. It counts which word follows which, and guesses the most frequent one. A language model that is trained has the rest as with the patients: a loss per word, a mean, an objective.
#
# ## What breaks
#
# The optimizer does not compute the gradient, and it does not clear it away either. PyTorch *adds* each backward pass to what lies in `.grad`. Without `optimizer.zero_grad()` each step goes along the sum of all gradients so far:

# %% name="forgotten"
def train_line(clear, steps=40):
    line = nn.Linear(1, 1, dtype=torch.float64)
    nn.init.zeros_(line.weight), nn.init.zeros_(line.bias)
    optimizer, heights = torch.optim.SGD(line.parameters(), lr=0.3), []
    for _ in range(steps):
        if clear:
            optimizer.zero_grad()
        J = ((line(torch.tensor(x)[:, None]) - torch.tensor(y)[:, None]) ** 2).mean()
        J.backward()
        optimizer.step()
        heights.append(J.item() / 1000)
    return heights

# %% tags=["fold"] name="forgotten-picture"
# With and without zero_grad.
forgot, cleared = train_line(False), train_line(True)
assert max(forgot[20:]) > 4 * cleared[-1] > 2 * min(forgot[20:])
picture = plots.lines(
    np.arange(40), {"zero_grad before each backward": cleared, "zero_grad forgotten": forgot},
    "step", "objective (thousand points²)",
    "Two curves over 40 steps. With zero_grad the objective falls at once to 4 thousand and stays. "
    "Without it the objective falls, climbs above its first value, falls again, and goes on "
    "swinging between 4 and 37 thousand without becoming smaller.",
    title="The same line, the same rate",
)
picture.fig.set_size_inches(4.6, 2.6)
picture.fig.axes[0].set(ylim=(0, 52))
picture

# %% [markdown] name="exercises"
# **The signature: the objective swings up and down and never settles.** It comes near the bottom again and again, and the old gradients carry it up on the other side. The cure is one line before each backward pass.
#
# ## Parity
#
# The library's squared error and PyTorch's `F.mse_loss` agree to rounding.

# %% tags=["fold-all", "nbval-ignore-output"] name="parity"
# Parity with PyTorch: the largest relative difference.
parity.table("squared_error", setting.device)

# %% [markdown] name="exercises-text"
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Count (5 minutes, easy)
# A network has layers of the widths `widths`, for instance `[10, 16, 1]`: 10 inputs, 16 units, 1 output. Each unit is a weighted sum of all numbers of the layer before it, plus a bias. How many parameters does it have?

# %% name="exercise-count"
def count_parameters(widths):
    ### BEGIN SOLUTION
    return sum((widths[i] + 1) * widths[i + 1] for i in range(len(widths) - 1))
    ### END SOLUTION

# %% name="check-count"
check("count_parameters")

# %% [markdown] name="exercise-objective-text"
# <details><summary>Hint 1</summary>Take two neighbouring layers of widths a and b. How many weights lie between them, how many biases?</details>
# <details><summary>Hint 2</summary>The inputs have no biases. Neighbours are <code>widths[i]</code> and <code>widths[i + 1]</code>.</details>
#
# ### 2. The objective itself (8 minutes, medium)
# `theta` holds rise and base; `x` and `y` are NumPy arrays of one length. Return the objective with the penalty `lam` times the squared rise, and its gradient, an array of two slopes.

# %% name="exercise-objective"
def my_objective(theta, x, y, lam):
    ### BEGIN SOLUTION
    r = theta[0] * x + theta[1] - y
    slopes = [2 * np.mean(r * x) + 2 * lam * theta[0], 2 * np.mean(r)]
    return np.mean(r**2) + lam * theta[0] ** 2, np.array(slopes)
    ### END SOLUTION

# %% name="check-objective"
check("my_objective")

# %% [markdown] name="exercise-same-text"
# <details><summary>Hint 1</summary>First the errors, prediction less target. Both results need them.</details>
# <details><summary>Hint 2</summary>Derivations 1 and 2 have the two slopes. Only one of them has a term from the penalty.</details>
#
# ### 3. The same line under another recipe (10 minutes, hard)
# Dan's objective is the *mean* of the losses plus `lam` times the squared rise. Eve wants his line. She *adds up* the losses of her `N` patients, and she measures the input in another unit: her $x$ is `k` times his. Which factor must her penalty have? Find it on paper, then test it with the formula for the minimum.

# %% name="exercise-same"
def same_line(lam, N, k):
    ### BEGIN SOLUTION
    return lam * N * k**2
    ### END SOLUTION

# %% name="check-same"
check("same_line")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>To draw the same line, her rise must be his divided by k. Write his penalty with her rise.</details>
# <details><summary>Hint 2</summary>Her sum is N times his mean. The minimum stays if everything in the objective is multiplied by the same number.</details>
# <details><summary>What it means (after solving)</summary>Without a penalty neither the sum nor the unit of the input moves the line. With one, both do, unless λ is changed along with them. The target's unit never does: with squares it scales losses and penalty alike. So a λ that was tuned for one recipe means nothing in another.</details>
#
# ## Takeaways
#
# - A model is a function with parameters. The objective is a reduction of the losses plus a penalty, and it alone says where the minimum lies.
# - The reduction and the target's unit scale the gradient of the losses. A penalty adds another gradient and moves the minimum. A metric does neither.
# - The backward pass computes the gradient, the optimizer uses it. Do not compare two reported losses: compare two models by one metric on the same new examples.
#
# ## Does it hold?
#
# **Other patients.** Many divisions of the 442 patients into 310 and 132. How often is a line with a penalty the worse one on new patients?

# %% tags=["fold"] name="control-seeds"
# The average miss of new patients under four factors of the penalty.
def spread(values, digits=1):
    low, middle, high = plots.band(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"

def missed(seed, lam, n=310, by=miss):
    x, y, x_new, y_new = patients(seed, n)
    return by(best(x, y, lam), x_new, y_new)

def squared_miss(theta, x, y):
    return objective(theta, x, y, 0)

draws = [1000 * s + i for s in setting.seeds for i in range(60)]
rows, plain = [], np.array([missed(s, 0) for s in draws])
squares = np.array([missed(s, 0, by=squared_miss) for s in draws])
for lam in (0.01, 0.03, 0.1, 0.3):
    more = np.array([missed(s, lam) for s in draws]) - plain
    rises = [best(*patients(s)[:2], lam)[0] for s in draws]
    rows.append([f"{lam:g}", spread(rises, 0), spread(more, 2), f"{np.mean(more > 0):.0%}"])
    rows[-1].append(f"{np.mean([missed(s, lam, by=squared_miss) for s in draws] > squares):.0%}")
    assert np.mean(more > 0) > 0.7 and more.mean() > 0.1
Table(
    ["λ", "rise (points)", "additional miss (points)", "worse in", "by squares worse in"], rows,
    f"Median and range over {len(draws)} divisions. Without penalty the average miss is "
    f"{spread(plain)} points.",
)

# %% [markdown] name="control-few-text"
# Dan's penalty (0.1) costs in nearly every division, by squared misses too. A smaller one costs less. By squared misses, 0.01 is worse in only 62 % of the divisions. **With few patients** it can pay. The same, with only five or fifteen patients to train on, in 1000 draws:

# %% tags=["fold"] name="control-few"
# Both kinds of miss over 1000 draws, and how often the penalised line is the better one.
def both(theta, x, y):
    return miss(theta, x, y), squared_miss(theta, x, y)

rows = []
for n_few in (5, 15):
    pair = np.array([[missed(1000 * seed + s, lam, n_few, both) for lam in (0, 0.03)]
                     for s in range(1000)])
    pair, squares = np.moveaxis(pair, 2, 0)
    better = np.mean(pair[:, 1] < pair[:, 0])
    columns = [pair.mean(axis=0), squares.mean(axis=0), np.quantile(pair, 0.99, axis=0)]
    columns = [f"{a:,.{k}f} and {b:,.{k}f}" for (a, b), k in zip(columns, (1, 0, 1), strict=True)]
    rows.append([n_few, *columns, f"{better:.0%}"])
    gain = pair.mean(axis=0) @ [1, -1]
    assert gain > 1 if n_few == 5 else better < 0.4
Table(
    ["patients", "mean miss", "mean squared miss", "miss exceeded in 1 of 100 draws",
     "smaller miss with penalty"], rows,
    "Two numbers: without penalty, and with λ = 0.03.",
)

# %% [markdown] name="control-sum-text"
# With five patients the penalty helps on average. It does not win much more often than it loses; it takes the edge off the worst draws. With fifteen patients the mean squared miss still falls a little, and the mean miss no longer falls.
#
# **A sum with the same penalty.** Dan's objective with a sum in place of the mean, and $\lambda = 0.1$ left as it is:

# %% tags=["fold"] name="control-sum"
# The reduction moves the minimum after all, once there is a penalty that stays as it was.
summed, _ = train(x, y, total, 100.0, 0.1, 0.3 / 310)
print(f"rise with mean and penalty {trained['Dan'][0][0]:.1f}, sum and the same penalty "
      f"{summed[0]:.1f}, no penalty {same[0][0]:.1f}")
assert np.isclose(summed[0], best(x, y, 0.1 / 310)[0])

# %% [markdown] name="sources"
# Against a sum of 310 losses the same penalty is 310 times weaker, and the line is nearly the one without penalty. So the reduction leaves the minimum where it is only if the penalty is scaled along with it (exercise 3).
#
# ## Sources
#
# - A. Hoerl and R. Kennard, 1970: *Ridge regression: biased estimation for nonorthogonal problems*, Technometrics (the penalty on squared parameters).
# - V. Vapnik, 1991: *Principles of risk minimization for learning theory*, NIPS (the mean loss over the examples at hand as what is minimised).
# - D. Rumelhart, G. Hinton and R. Williams, 1986: *Learning representations by back-propagating errors*, Nature (the backward pass).
# - Y. Bengio, R. Ducharme, P. Vincent and C. Jauvin, 2003: *A neural probabilistic language model*, JMLR (learning from the next word).
# - The patients: B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, 2004: *Least angle regression*, Annals of Statistics; they come with scikit-learn (BSD licence). The words: Python's own documentation, PSF licence.
