# ---
# jupyter:
#   lesson:
#     title: "Heavy tails"
#     question: "A model's guesses are too high as often as too low. Why is their sum only half of the truth?"
#     minutes: 35
#     needs: [03_algorithms/05_regression, 03_algorithms/06_robust, 03_algorithms/07_probabilistic_regression]
#     settles: []
#     studies: [losses.squared_error, losses.poisson_nll]
#     terms: [log-normal, smearing factor]
# ---

# %% [markdown] name="title"
# # Heavy tails
#
# **Goal.** Choose the loss by the number that somebody needs: the typical value, the total, or a bound.
#
# **The question.** A language model is to write the bodies of thousands of functions, and you pay by the character. You know the signatures, the lines that begin with `def`. A small regression guesses from each signature how long the body will be. On new functions half of its guesses are too high and half too low. Nothing seems wrong with it. But all guesses together come to little more than half of the bill. What happened?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import ast
import platform
import sysconfig
from pathlib import Path

import numpy as np
import sympy as sp
from scipy.stats import norm

from lessons_lib import bridge, exercises, plots
from lessons_lib.derive import derive
from lessons_lib.losses import absolute_error, poisson_nll, quantile_loss, squared_error
from lessons_lib.optim import Adam
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("06_applications/03_heavy_tails")

def spread(values, form=".2f"):  # median (lowest to highest) over the splits
    low, middle, high = (format(v, form) for v in plots.band(np.ravel(values)))
    return f"{middle} ({low} to {high})"

# %% tags=["fold", "nbval-ignore-output"] name="functions"
# Every function of the standard library's single modules: its signature as numbers, its length.
def found_in(file):
    text = file.read_text(encoding="utf-8")
    lines, found = text.split("\n"), []

    def visit(node, kind):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef):
                described(child, kind)
            inner = {ast.FunctionDef: "function", ast.ClassDef: "class"}.get(type(child), kind)
            visit(child, inner)

    def described(f, kind):
        a, doc = f.args, ast.get_docstring(f) is not None
        if body := f.body[doc:]:  # what is left has at least one statement
            rows = [row.strip() for row in lines[body[0].lineno - 1 : body[-1].end_lineno]]
            private = f.name.startswith("_")
            special = f.name.startswith("__")
            found.append([
                1, kind == "class", np.log1p(len(a.posonlyargs + a.args + a.kwonlyargs)),
                np.log1p(len(a.defaults) + sum(d is not None for d in a.kw_defaults)),
                bool(a.vararg or a.kwarg), special, private and not special,
                np.log(len(f.name)), f.name.count("_"), bool(f.decorator_list),
                sum(map(len, rows)), len(rows)])

    visit(ast.parse(text), "module")
    return found

files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
tables = [found_in(file) for file in files]
module = np.repeat(np.arange(len(files)), [len(t) for t in tables])
columns = np.array([row for t in tables for row in t], dtype=float)
features, length, rows_of_code = columns[:, :-2], columns[:, -2], columns[:, -1]
# The same model in other coordinates: features that are uncorrelated, of mean square 1.
features = np.linalg.qr(features)[0] * len(features) ** 0.5
N = len(length)
splits = np.arange(seed, seed + 10)
order = np.array([np.random.default_rng(s).permutation(N) for s in splits])
train, test = order[:, : N // 2], order[:, N // 2 :]

# %% tags=["fold", "nbval-ignore-output"] name="question-picture"
# Where the functions are, and where the characters are.
ordered = np.sort(length)[::-1]
tenth = ordered[: N // 10].sum() / ordered.sum()
print(f"Python {platform.python_version()}: {N} functions; median {np.median(length):.0f}, "
      f"mean {length.mean():.0f}, longest {length.max():.0f} characters")
print(f"shorter than the mean: {(length < length.mean()).mean():.0%}; characters in the longest "
      f"tenth: {tenth:.0%}; in the longest 1 %: {ordered[: N // 100].sum() / ordered.sum():.0%}")
print(f"standard deviation of the logarithms: {np.log(length).std():.2f}")
assert 0.3 < tenth < 0.7 and length.mean() > 1.6 * np.median(length)
fig, (ax,) = plots.panels()
edges = np.geomspace(3, 10_000, 28)
for label, w, style in (("functions", np.ones(N), "-"), ("characters", length, "--")):
    colour = "#d55e00" if style == "--" else "#0072b2"
    ax.hist(length, edges, weights=w / w.sum(), histtype="stepfilled", alpha=0.25, color=colour)
    ax.hist(length, edges, weights=w / w.sum(), histtype="step", lw=2, ls=style, color=colour,
            label=f"share of all {label}")
for at, label, align in ((np.median(length), "median", "right"), (length.mean(), "mean", "left")):
    ax.plot([at, at], [0, 0.115], color="0.2", lw=1)
    ax.text(at * (0.93 if align == "right" else 1.07), 0.109, label, ha=align)
ax.set(xscale="log", xlabel="length of the body (characters)", ylabel="share in the bin",
       ylim=(0, 0.14))
ax.legend(loc="upper center", ncols=2)
plots.Picture(fig, "Two hills over the logarithm of the length. The hill of the functions has its "
              "top near 100 characters, that of the characters further right, near 700.")

# %% [markdown] name="question-reading"
# These are the functions in the single-file modules of Python's standard library (PSF licence), without docstring and indentation. The numbers in the text are those of Python 3.11. The blue hill counts functions, the dashed orange one the characters in them. The longest tenth of the functions holds half of all characters. **The typical function and the typical character live in different places.**
#
# Such a distribution has a *heavy tail*: a few values hold much of the total. Counted on a logarithmic axis, the blue hill is nearly a bell. A quantity whose logarithm is normally distributed is called **log-normal**.
#
# ## The model
#
# A signature gives nine features $x$, and a constant 1: whether it is a method, how many arguments it has, how many of them with a default, whether the name begins with `_`, how long the name is, and so on. The model predicts the logarithm $z$ of the length. The length $\hat y$ follows from it and is always positive:
#
# $$z = \theta \cdot x, \qquad \hat y = e^z$$
#
# The usual advice for such targets is: take logarithms, then use squared error. So the loss is $(z - \log y)^2$; we call this the *log fit*. Ten random splits, each with one half of the functions to train and the other to test:

# %% name="log-fit"
def log_fit(x, y):  # least squares on the logarithms; x: (splits, n, 10), y: (splits, n, 1)
    return np.linalg.solve(x.mT @ x, x.mT @ np.log(y))

x, y = features[train], length[train][..., None]
x_test, y_test = features[test], length[test][..., None]
theta = log_fit(x, y)
guess = np.exp(x_test @ theta)

# %% tags=["fold", "nbval-ignore-output"] name="log-numbers"
# What one sees when one looks, and the total.
def below_variance(z):  # of the logarithms, on the test half
    t = np.log(y_test)
    return 1 - ((z - t) ** 2).mean((1, 2)) / t.var((1, 2))

def above(p):  # the share of guesses that are too high
    return (p > y_test).mean((1, 2))

def total(p):  # predicted total, over the true one
    return p.sum((1, 2)) / y_test.sum((1, 2))

print("squared error of the logarithms: "
      f"{spread(below_variance(np.log(guess)), '.0%')} below their variance")
print(f"guesses too high: {spread(above(guess), '.0%')}")
print(f"predicted total / true total: {spread(total(guess))}   (ten splits)")
assert total(guess).max() < 0.8 and abs(above(guess) - 0.5).max() < 0.1

# %% tags=["fold", "nbval-ignore-output"] name="fit-picture"
# The first split: guesses and lengths, and what the functions with similar guesses have in common.
def of_tenths(g, t):  # for ten groups of similar guesses: mean guess, median length, mean length
    groups = np.array_split(np.argsort(g), 10)
    return np.array([[g[k].mean(), np.median(t[k]), t[k].mean()] for k in groups]).T

g, t = guess[0, :, 0], y_test[0, :, 0]
at, medians, means = of_tenths(g, t)
tenths = np.median([of_tenths(guess[k, :, 0], y_test[k, :, 0]) for k in range(10)], 0)
for k, word in enumerate(("median", "mean"), 1):
    ratio = tenths[k] / tenths[0]
    print(f"{word} length / guess in the ten groups: {ratio.min():.1f} to {ratio.max():.1f} "
          "(median of ten splits)")
assert (tenths[2] / tenths[0]).min() > 1.1 and np.ptp(tenths[1] / tenths[0]) < 0.6
fig, (ax,) = plots.panels()
ax.plot(g[:1200], t[:1200], ".", ms=3, color="0.6", label="a function")
ends = np.array([40, 1500])
ax.plot(ends, ends, "k-", lw=1, label="guess = length")
ax.plot(at, medians, "o", ms=7, color="C0", label="median of a tenth")
ax.plot(at, means, "^", ms=7, color="C1", label="mean of a tenth")
ax.set(xscale="log", yscale="log", xlabel="guess of the model (characters)",
       ylabel="length of the body (characters)", xlim=(35, 1700), ylim=(3, 10_000))
ax.legend(loc="lower right")
plots.Picture(fig, "A wide cloud of functions around the diagonal. The medians of ten groups lie "
              "on the diagonal, the means lie about a factor of two above it.")

# %% [markdown] name="fit-reading"
# A signature does not tell much: a fifth of the variance goes. Now sort the test functions by the guess and cut them into ten groups. The *median* of each group lies near the line: the guesses are good medians. The *mean* lies above it in every group: 1.5 to 2.9 times the guess. And a total is the mean times the number of functions.
#
# ## Derivation: the mean of a log-normal
#
# Let the length be $y = m\, e^{\sigma \varepsilon}$, where $\varepsilon$ is standard normal. Half of the $\varepsilon$ are negative, so the median of $y$ is $m$. What is the mean, $\mathbb{E}\, y$? It sums up each length times how often it occurs:
#
# $$\mathbb{E}\, y = \int m\, e^{\sigma t}\, \varphi(t)\, dt, \qquad \varphi(t) = \frac{1}{\sqrt{2 \pi}}\, e^{-t^2 / 2}$$

# %% tags=["fold"] name="derive-bell"
# Derivation 1: what the integral sums up.
m, sd = sp.symbols("m sigma", positive=True)
u, a, z = sp.symbols("t a z", real=True)
(
    derive(r"m\, e^{\sigma t}\, \varphi(t)", "m * exp(sigma*u) * exp(-u**2/2) / sqrt(2*pi)",
           "a length, times how often it occurs", {"m": m, "sigma": sd, "u": u},
           tex=r"m\, e^{\sigma t}\, \frac{1}{\sqrt{2 \pi}}\, e^{-t^2/2}")
    .equals("m * exp(sigma**2/2) * exp(-(u - sigma)**2/2) / sqrt(2*pi)",
            r"complete the square: $\sigma t - \frac{t^2}{2} = \frac{\sigma^2}{2} - "
            r"\frac{(t - \sigma)^2}{2}$; **a factor, times the same bell moved by σ**",
            tex=r"m\, e^{\sigma^2/2}\, \frac{1}{\sqrt{2 \pi}}\, e^{-(t-\sigma)^2/2}")
)

# %% [markdown] name="bell-reading"
# The moved bell is the second hill of the first picture: it says where the characters are. Its area is 1, as that of any bell. So the mean is the factor in front:
#
# $$\mathbb{E}\, y = m\, e^{\sigma^2 / 2}$$
#
# Now ask the library which number its losses look for in such data. First squared error on the logarithms, with a guess $a$ for the logarithm:

# %% tags=["fold"] name="derive-log"
# Derivation 2: squared error on the logarithms asks for the median.
def lengths(rng, size, m, sigma):
    return m * np.exp(sigma * rng.normal(size=size))

def slope_on_logs(rng, size, a, m, sigma):
    return squared_error(np.full(size, a), np.log(lengths(rng, size, m, sigma))).grad

(
    derive(r"\mathbb{E}\, \frac{\partial (a - \log y)^2}{\partial a}", "2*a - 2*log(m)",
           r"the slope is $2 (a - \log y)$, and $\log y = \log m + \sigma \varepsilon$ has the "
           r"mean $\log m$", {"a": a, "m": m, "sigma": sd},
           ranges={a: (2, 3), m: (1, 2), sd: (0.2, 1)})
    .expects("squared_error(a, log(y)).grad", slope_on_logs,
             "the library's slope, averaged over random lengths")
    .zero_at(a, "log(m)", "**so the guess for the length is** $e^a = m$**, the median**")
)

# %% [markdown] name="log-reading"
# So with logarithms, squared error does not ask for the mean of the lengths any more. It asks for their median. (Noise that is symmetric on the logarithmic axis is enough for this.) Now the [Poisson loss](../03_algorithms/07_probabilistic_regression.ipynb) on the raw lengths, $e^z - y z$:

# %% tags=["fold"] name="derive-poisson"
# Derivation 3: the Poisson loss asks for the mean.
def poisson_slope(rng, size, z, m, sigma):
    return poisson_nll(np.full(size, z), lengths(rng, size, m, sigma)).grad

(
    derive(r"\mathbb{E}\, \frac{\partial (e^z - y z)}{\partial z}", "exp(z) - m * exp(sigma**2/2)",
           r"the slope is $e^z - y$; the mean of $y$ stands above", {"z": z, "m": m, "sigma": sd},
           ranges={z: (2, 3), m: (1, 2), sd: (0.2, 1)})
    .expects("poisson_nll(z, y).grad", poisson_slope,
             "the library's slope, averaged over random lengths")
    .zero_at(z, "log(m) + sigma**2/2",
             r"**so the guess for the length is** $e^z = m\, e^{\sigma^2/2}$**, the mean**")
)

# %% [markdown] name="poisson-reading"
# A length is no Poisson count, and that does not matter here: the zero of the slope needs only the mean of $y$. Squared error on the raw lengths [asks for the mean as well](../03_algorithms/05_regression.ipynb).
#
# The Poisson loss gives the total a guarantee. One of the features is the constant 1. At the minimum the mean slope by its weight is zero, and that is the mean of $\hat y - y$. **On the training data, the total is exactly right.**
#
# ## Play
#
# One parameter decides how far typical function and typical character lie apart: $\sigma$, the standard deviation of the logarithm. Move it.
#
# 1. Which $\sigma$ makes the mean twice the median?
# 2. From where on does the longest 1 % hold half of everything?

# %% tags=["fold"] name="play-picture"
# The two bells of a log-normal quantity.
fig, (ax,) = plots.panels()
grid = np.linspace(-6.5, 11, 400)
ax.plot([], [], "C0-", label="share of the functions")
ax.plot([], [], "C1--", label="share of the characters")
ax.set(xlabel="natural logarithm of length / median", ylabel="share per unit of the logarithm",
       xlim=(-6.5, 11), ylim=(0, 1.05))

def density(width):
    return norm.pdf(grid, 0, width), norm.pdf(grid, width**2, width)

ax.legend(loc="upper right", ncols=2)

def bells(ax, width):
    few, much = density(width)
    ax.plot(grid, few, "C0-")
    ax.fill_between(grid, few, color="C0", alpha=0.2)
    ax.plot(grid, much, "C1--")
    ax.fill_between(grid, much, color="C1", alpha=0.2)
    ax.plot([width**2 / 2] * 2, [0, 0.88], "k-", lw=1)
    ax.text(width**2 / 2 + 0.1, 0.845, "mean")
    giants = norm.cdf(width - norm.ppf([0.99, 0.9]))
    return (f"σ = {width:.2f}: the mean is {np.exp(width**2 / 2):.3g} times the median, and "
            f"{norm.cdf(width / 2):.0%} of the functions are shorter than the mean. The longest "
            f"tenth holds {giants[1]:.0%} of all characters, the longest 1 % {giants[0]:.0%}.")

plots.moving(
    fig, "σ", [round(v, 2) for v in np.arange(0.5, 2.51, 0.05)], bells, start=1.3,
    alt="Two bells of the same width over the logarithm of the length. The bell of the characters "
    "is moved to the right by sigma squared, and the mean stands in the middle between both tops.",
)

# %% [markdown] name="play-reading"
# <details><summary>Answers</summary>
#
# 1. At about 1.2. Our functions have $\sigma = 1.3$.
# 2. From about 2.35 on.
#
# </details>
#
# One unit of $t$ is $\sigma$ on this axis. So the second bell lies $\sigma^2$ to the right, and the mean stands in the middle between both tops. The formula gives the longest tenth of our functions 51 per cent of the characters; counted were 50.
#
# ## Back from the logarithm
#
# [One scale mended the sum](../03_algorithms/07_probabilistic_regression.ipynb) when counts were fitted on logs. Now we know it beforehand: it is $e^{\sigma^2/2}$, with the standard deviation of $\log (y / \hat y)$ on the training data. Naihua Duan's way (1983) does without the bell. The **smearing factor** is the mean of $y / \hat y$ over the training data:
#
# $$\text{factor} = \frac{1}{N} \sum_{n=1}^{N} \frac{y_n}{\hat y_n}$$

# %% name="smearing"
ratio = y / np.exp(x @ theta)  # truth over guess, on the training half
normal_factor = np.exp(np.log(ratio).var((1, 2), keepdims=True) / 2)
smearing_factor = ratio.mean((1, 2), keepdims=True)

# %% tags=["fold", "nbval-ignore-output"] name="smearing-table"
# The total and the typical error, before and after.
def mae(p):
    return abs(p - y_test).mean((1, 2))

print(f"standard deviation of log(y / guess) {spread(np.log(ratio).std((1, 2)))}\n"
      f"normal factor {spread(normal_factor)}, smearing factor {spread(smearing_factor)}")
ways = {"log fit": guess, "log fit × normal factor": guess * normal_factor,
        "log fit × smearing factor": guess * smearing_factor}
assert abs(np.median(total(ways["log fit × smearing factor"])) - 1) < 0.12
assert (mae(ways["log fit × smearing factor"]) > mae(guess)).all()
Table(["", "total / truth", "guesses too high", "mean absolute error (characters)"],
      [[k, spread(total(p)), spread(above(p), ".0%"), spread(mae(p), ".0f")]
       for k, p in ways.items()], "Ten splits: median, and lowest to highest.")

# %% [markdown] name="smearing-reading"
# One number mends the total: it is now 4 to 6 per cent too high. But look at the other columns. Nearly three quarters of the guesses are now too high, and the mean absolute error has *risen* by a fifth. Both models are right. They answer different questions, and no single guess answers both.
#
# ## Which loss for which question?
#
# Five losses, one model. All start at the log fit, and each takes 300 steps of Adam with all training functions. That is enough to reach its minimum (first control), so nothing is tuned. The code needs only the slopes by $z$; for a loss of $\hat y = e^z$ the chain rule adds the factor $\hat y$:

# %% name="losses"
slopes = {
    "squared on logs": lambda z, y: squared_error(z, np.log(y)).grad,
    "absolute": lambda z, y: absolute_error(np.exp(z), y).grad * np.exp(z),
    "squared": lambda z, y: squared_error(np.exp(z), y).grad * np.exp(z),
    "Poisson": lambda z, y: poisson_nll(z, y).grad,
    "quantile 0.9": lambda z, y: quantile_loss(np.exp(z), y, 0.9).grad * np.exp(z),
}

def fit(slope, x, y, steps=300):
    theta = log_fit(x, y)
    state = Adam(0.1).init(theta)
    for k in range(steps):  # the rate falls to 0 along half a cosine
        rule = Adam(0.05 * (1 + np.cos(np.pi * k / steps)))
        theta, state = rule.update(theta, x.mT @ slope(x @ theta, y) / y.shape[1], state)
    return theta

# %% tags=["fold"] name="fits"
# Every loss, in all ten splits at once.
fits = {label: fit(slope, x, y) for label, slope in slopes.items()}
guesses = {label: np.exp(x_test @ th) for label, th in fits.items()}
guesses["logs × smearing"] = ways["log fit × smearing factor"]

def judged(p, y):  # for each measure, a number per split: smaller is better
    mean = (1, 2)
    return {
        "error of\nthe logs": ((np.log(p / y) ** 2).mean(mean)) ** 0.5,
        "absolute\nerror": abs(p - y).mean(mean),
        "squared\nerror": ((p - y) ** 2).mean(mean) ** 0.5,
        "Poisson\nloss": (y * np.log(y / p) - y + p).mean(mean),
        "quantile\nloss 0.9": quantile_loss(p, y, 0.9).value.mean(mean),
    }

scores = {label: judged(p, y_test) for label, p in guesses.items()}
measures = list(scores["Poisson"])

def excess(table):  # (losses, measures): above the best of the column, in per cent, median
    found = np.array([[score[k] for k in measures] for score in table.values()])
    return np.median(100 * (found / found.min(0) - 1), axis=-1)

# %% tags=["fold", "nbval-ignore-output"] name="matrix-picture"
# How much worse than the best in its column, and the total.
worse = excess(scores)
fig, (ax,) = plots.panels()
fig.set_size_inches(7.4, 4)
box = ax.imshow(np.sqrt(np.minimum(worse, 60)), cmap="Oranges", vmin=0, vmax=9, aspect="auto",
                extent=(-0.5, len(measures) - 0.5, len(worse) - 0.5, -0.5))
for i, row in enumerate(worse):
    for j, v in enumerate(row):
        ax.text(j, i, f"+{v:.1f} %" if v < 9.5 else f"+{v:.0f} %", ha="center", va="center",
                color="white" if v > 40 else "black")
for i, p in enumerate(guesses.values()):
    ax.text(len(measures), i, f"{np.median(total(p)):.2f}", ha="center", va="center")
ax.set(xticks=range(len(measures) + 1), xticklabels=[*measures, "total /\ntruth"],
       yticks=range(len(worse)), yticklabels=list(guesses), ylabel="trained with",
       xlim=(-0.5, len(measures) + 0.5))
ax.xaxis.tick_top()
ax.xaxis.set_label_position("top")
ax.set_xlabel("judged by, on new functions")
ax.grid(visible=False)
plots.Picture(fig, "A table of colours, losses by measures. Squared error on logs and absolute "
              "error are pale in the first two columns, squared error and Poisson in the next "
              "two, the quantile loss in its own alone. The totals are about 0.5, 0.5, 1, 1, 2.3 "
              "and 1.")

# %% tags=["fold", "nbval-ignore-output"] name="matrix-numbers"
# The totals with their spread, and who wins how often.
labels = list(slopes)
own = dict(zip(labels, measures, strict=True))

def wins_of(label):  # the splits in which it is the best of the five by its own measure
    order = np.array([scores[k][own[label]] for k in labels]).argmin(0)
    return f"{(order == labels.index(label)).sum()} of 10"

off = np.sort((guesses["Poisson"] - y_test)[..., 0] ** 2, 1)
on_train = np.exp(x @ fits["Poisson"]).sum((1, 2)) / y.sum((1, 2))
print(f"Poisson fit on its own training half, total / truth: {spread(on_train, '.4f')}")
print("of its squared error on new functions, in the 1 % with the largest errors: "
      f"{spread(off[:, -(off.shape[1] // 100):].sum(1) / off.sum(1), '.0%')}")
mean_family = [abs(np.median(total(guesses[k])) - 1) for k in ("squared", "Poisson")]
assert max(mean_family) < 0.15 and np.median(total(guesses["quantile 0.9"])) > 1.6
assert worse[:2, :2].max() < 4 and worse[2:4, :2].min() > 8
assert worse[2:4, 2].max() < 4 and worse[:2, 4].min() > 25
Table(["trained with", "total / truth", "guesses too high", "best in its own column"],
      [[k, spread(total(p)), spread(above(p), ".0%"), wins_of(k) if k in own else ""]
       for k, p in guesses.items()])

# %% [markdown] name="matrix-reading"
# Each cell says how much worse a loss is than the best in its column (median of ten splits; the two squared errors as roots of their mean). The losses fall into three families. Squared error on logs and absolute error answer with the *median*. Squared error and the Poisson loss answer with the *mean*, and only they get the total right by themselves. With the smearing factor (last row) the log fit joins them. The quantile loss at 0.9 answers with a *bound* that nine of ten functions keep; as a total it is far too high.
#
# In four of the five columns, a loss from another family is at least 16 per cent behind. Inside a family the differences are at most 4 per cent. So with half of the library to learn from, the family matters and the loss inside it hardly does.
#
# One column, squared error, hardly tells a median from a mean. The log fit misses almost half of the total, and its root mean squared error is only 4 per cent above the best. Half of the squared error comes from one function in a hundred, giants that our features do not betray.
#
# So ask first who will read the number. "How long will this function probably be?" wants a median. "What will all of them cost?" wants a mean. "How much room must I reserve for each?" wants a quantile.
#
# ## What breaks
#
# For the total one needs a mean, and everybody knows a loss that asks for the mean. Squared error of $\hat y = e^z$ on the raw lengths did well so far. Now take only 300 functions to learn from:

# %% name="few"
many = np.arange(seed, seed + 20)  # 20 splits
draws = np.array([np.random.default_rng(s).permutation(N) for s in many])
few, rest = draws[:, :300], draws[:, N // 2 :]
x_few, y_few = features[few], length[few][..., None]
few_fits = {k: fit(slopes[k], x_few, y_few, 600) for k in ("squared", "Poisson")}

# %% tags=["fold", "nbval-ignore-output"] name="few-table"
# The error by squared error's own measure, and the total.
truth = length[rest][..., None]
few_guess = {k: np.exp(features[rest] @ th) for k, th in few_fits.items()}
rmse = {k: (((p - truth) ** 2).mean((1, 2))) ** 0.5 for k, p in few_guess.items()}
wins = (rmse["Poisson"] < rmse["squared"]).sum()
print(f"the Poisson loss has the smaller root mean squared error in {wins} of 20 splits")
assert wins >= 12 and rmse["squared"].max() > rmse["Poisson"].max()
Table(["300 functions, loss", "root mean squared error (characters)", "total / truth",
       "highest guess (characters)", f"splits with a guess above {length.max():.0f}"],
      [[k, spread(rmse[k], ".0f"), spread(p.sum((1, 2)) / truth.sum((1, 2))), f"{p.max():.0f}",
        f"{(p.max((1, 2)) > length.max()).sum()} of 20"] for k, p in few_guess.items()],
      "Twenty splits: median, and lowest to highest.")

# %% [markdown] name="few-reading"
# Squared error loses by its own measure in 19 of 20 splits. Mostly it loses by little. But in 3 splits it expects more of some function than the longest of all has, 8262 characters; the highest guess is 69 000. With the Poisson loss that happens in none of the 20. Both losses ask for the mean, so what differs? Write the slope of squared error by $z$:

# %% tags=["fold"] name="derive-pull"
# Derivation 4: squared error's pull is the Poisson loss's, times twice the guess.
yy = sp.Symbol("y", positive=True)
(
    derive(r"(\hat y - y)^2", "(exp(z) - y)**2", r"with $\hat y = e^z$", {"z": z, "y": yy})
    .library("squared_error(exp(z), y).value", lambda z, y: squared_error(np.exp(z), y).value)
    .slope(z, "2 * exp(z) * (exp(z) - y)", "the chain rule")
    .library("squared_error(exp(z), y).grad * exp(z)",
             lambda z, y: squared_error(np.exp(z), y).grad * np.exp(z))
    .library("2 * exp(z) * poisson_nll(z, y).grad",
             lambda z, y: 2 * np.exp(z) * poisson_nll(z, y).grad,
             r"**twice the guess, times the slope of the Poisson loss** $e^z - y$")
)

# %% [markdown] name="pull-reading"
# So squared error of $e^z$ has the slope of the Poisson loss, with a weight of $2 \hat y$ on each example. It listens most to the functions that it already takes for long ones. Raise a guess, and its weight rises with it. How many functions speak in a batch? Take 1000 batches of 32 from the ten training halves, each at the Poisson fit of its half. An example's share is the size of its gradient, divided by the sum of the 32 sizes:

# %% tags=["fold", "nbval-ignore-output"] name="share-picture"
# The largest share of a single example in the gradient of a batch of 32.
batches = np.array([np.random.default_rng(seed + k).choice(N // 2, 32, False) for k in range(1000)])
start = x @ fits["Poisson"]  # the same point for each loss
shares = {}
for label in ("squared on logs", "Poisson", "squared"):
    pull = abs(slopes[label](start, y)[..., 0]) * np.linalg.norm(x, axis=-1)
    part = pull[np.arange(1000)[:, None] % 10, batches]  # a hundred batches from each half
    shares[label] = part.max(1) / part.sum(1)
    print(f"{label}: median {np.median(shares[label]):.0%}, more than half of the batch in "
          f"{(shares[label] > 0.5).mean():.0%} of the batches")
assert np.median(shares["squared"]) > np.median(shares["Poisson"])
plots.histogram(shares, "largest share of one example in the gradient of a batch of 32",
                "Three histograms. With squared error on logs the largest share is about a tenth. "
                "With the Poisson loss it is about a fifth, with squared error often more than "
                "a quarter and sometimes more than a half.", bins=30)

# %% [markdown] name="exercises"
# **The signature: one example of 32 makes more than half of the gradient.** With squared error this happens in 15 per cent of the batches, with the Poisson loss in 3, on logs never. The cure is not the logarithm, for that changes the question. The cure is the Poisson loss: the same question, without the weight. It also bears a length of 0, which has no logarithm.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. From quartiles to the mean (4 minutes, medium)
# Somebody tells you of a log-normal quantity only this: a quarter of the values lie below `low`, and a quarter above `high`. How many times the median is the mean? In a standard normal distribution a quarter lies above 0.67449.

# %% name="exercise-factor"
def factor(low, high):
    ### BEGIN SOLUTION
    sigma = np.log(high / low) / (2 * 0.67449)
    return np.exp(sigma**2 / 2)
    ### END SOLUTION

# %% name="check-factor"
check("factor")

# %% [markdown] name="exercise-readers-text"
# <details><summary>Hint 1</summary>The logarithms of low and high lie at equal distances from the logarithm of the median. How many σ is each away?</details>
# <details><summary>Hint 2</summary>log(high) - log(low) is 2 · 0.67449 · σ.</details>
# <details><summary>Find out (after solving)</summary>Call factor(*np.quantile(length, [0.25, 0.75])) and compare with length.mean() / np.median(length).</details>
#
# ### 2. One log fit, two readers (6 minutes, medium)
# The thing itself. A model was trained with squared error on logs. `z` are its predictions, logarithms, for the training examples, and `y` their true values. `z_new` are its predictions for new examples. One reader wants the *mean* of each new example, another a *bound* that nine of ten values keep. Take one factor for each from the training examples, for the mean Duan's. Return two rows of guesses, the means first.

# %% name="exercise-readers"
def readers(z, y, z_new):
    ### BEGIN SOLUTION
    ratio = y / np.exp(z)
    factors = np.array([ratio.mean(), np.quantile(ratio, 0.9)])
    return factors[:, None] * np.exp(z_new)
    ### END SOLUTION

# %% name="check-readers"
check("readers")

# %% [markdown] name="exercise-who-text"
# <details><summary>Hint 1</summary>How many times its guess is each training value? Both factors come from these ratios.</details>
# <details><summary>Hint 2</summary>Sort the ratios. Nine of ten of them must be at most the factor of the bound: np.quantile.</details>
#
# ### 3. Who was trained with what? (6 minutes, medium)
# Three models were trained with absolute error, the Poisson loss, and the quantile loss at 0.9, and their labels got lost. `guesses` has the shape `(n, 3)`: a column for each model, in unknown order. `y` are the true values of these `n` examples, which were not used in training. Return the three column numbers in the order absolute error, Poisson, quantile. Decide each by the one property of its guesses that the loss asks for.

# %% name="exercise-who"
def who(guesses, y):
    ### BEGIN SOLUTION
    below = (y[:, None] < guesses).mean(0)
    total = guesses.sum(0)
    absolute = abs(below - 0.5).argmin()
    poisson = abs(total - y.sum()).argmin()
    return np.array([absolute, poisson, abs(below - 0.9).argmin()])
    ### END SOLUTION

# %% name="check-who"
check("who")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Which share of the true values lies below the guesses? For two of the losses you know what it should be.</details>
# <details><summary>Hint 2</summary>The Poisson loss promises a total.</details>
#
# ## Takeaways
#
# - The loss decides which number you get. Absolute error gives a median, and so does squared error on logs with symmetric noise. Squared error and the Poisson loss give a mean, the quantile loss a bound.
# - The total of a log fit is too low by a factor. Compute the smearing factor from the training data before somebody adds up the guesses.
# - Do not train $e^z$ from few examples with squared error on the raw targets, even where you need the mean. The Poisson loss asks for the same number, without the extra weight on long guesses.
#
# ## Does it hold?
#
# **Are the minima reached?** The same fits with two or three times as many steps. How much lower does the training loss get?

# %% tags=["fold", "nbval-ignore-output"] name="control-steps"
# The training loss after 300 and after 600 steps (600 and 1800 with 300 functions).
values = {
    "absolute": lambda z, y: absolute_error(np.exp(z), y).value,
    "squared": lambda z, y: squared_error(np.exp(z), y).value,
    "Poisson": lambda z, y: np.exp(z) - y + y * (np.log(y) - z),
    "quantile 0.9": lambda z, y: quantile_loss(np.exp(z), y, 0.9).value,
}

def gain(label, x, y, theta, steps):
    after = fit(slopes[label], x, y, steps)
    old, new = (values[label](x @ th, y).mean((1, 2)) for th in (theta, after))
    return (old / new - 1).max()

some = slice(0, 3)  # three splits save time
found = [[k, f"{gain(k, x[some], y[some], fits[k][some], 600):.4%}"] for k in values]
found += [[f"{k}, 300 functions", f"{gain(k, x_few, y_few, few_fits[k], 1800):.2%}"]
          for k in few_fits]
Table(["loss", "still to gain, at most"], found)

# %% [markdown] name="control-weight-text"
# Almost nothing. So the wild guesses with 300 functions do not come from too few steps.
#
# **Is it the weight?** Only the weight differs between the two slopes: $\hat y^k\, (\hat y - y)$ with $k = 0$ for the Poisson loss, $k = 1$ for squared error. Other exponents, with the same 300 functions in each of 20 splits. The last row keeps squared error and drops the exponential, $\hat y = \theta \cdot x$: then no weight arises.

# %% tags=["fold", "nbval-ignore-output"] name="control-weight"
# The weight of the guess, and nothing else, changes from row to row.
found, table = {}, []
for k in (-0.5, 0.0, 0.5, 1.0, 1.25):
    weighted = fit(lambda z, y, k=k: np.exp(k * z) * (np.exp(z) - y), x_few, y_few, 600)
    p = np.exp(features[rest] @ weighted)
    found[k] = ((p - truth) ** 2).mean((1, 2)) ** 0.5
    table.append([f"{k:g}", spread(found[k], ".0f"), spread(p.sum((1, 2)) / truth.sum((1, 2)))])
weights = np.linalg.solve(x_few.mT @ x_few, x_few.mT @ y_few)
linear = features[rest] @ weights
found["linear"] = ((linear - truth) ** 2).mean((1, 2)) ** 0.5
table.append(["squared, θ · x", spread(found["linear"], ".0f"),
              spread(linear.sum((1, 2)) / truth.sum((1, 2)))])
print("θ · x: guesses below zero", spread((linear < 0).mean((1, 2)), ".1%"))
assert found["linear"].max() < 0.9 * found[1.25].max()
Table(["exponent k", "root mean squared error (characters)", "total / truth"], table)

# %% [markdown] name="control-other-text"
# Beyond 0, the error and the worst split grow with the weight. Squared error of $\theta \cdot x$ does as well as the Poisson loss. But some of its guesses are lengths below zero.
#
# **How many examples?** The squared and the Poisson loss with fewer and with more functions, 20 splits each:

# %% tags=["fold", "nbval-ignore-output"] name="control-many"
# Root mean squared error, squared loss over Poisson loss; and guesses beyond the longest function.
table = []
for n in (100, 300, 1000):
    a, b = features[draws[:, :n]], length[draws[:, :n]][..., None]
    z_new = [features[rest] @ fit(slopes[k], a, b, 600) for k in ("squared", "Poisson")]
    p, q = np.exp(np.minimum(z_new, 50))  # wild enough
    worse_by = (((p - truth) ** 2).mean((1, 2)) / ((q - truth) ** 2).mean((1, 2))) ** 0.5
    wild = [f"{(v.max((1, 2)) > length.max()).sum()} of 20" for v in (p, q)]
    table.append([n, f"{np.median(worse_by):.2f}", f"{np.sort(worse_by)[-3]:.2f}", *wild])
Table(["functions", "error, squared / Poisson: median", "in the third worst split",
       "too long a guess: squared", "Poisson"], table)

# %% [markdown] name="control-many-text"
# With more functions, squared error comes nearer, and its wild guesses grow rare. With only 100, the Poisson loss makes some too.
#
# **Other data.** First a split by *modules*, so that all functions of a test module are new. Then the length in *lines* in place of characters.

# %% tags=["fold", "nbval-ignore-output"] name="control-other"
# Total / truth with other splits and another target.
def totals(chosen, target):  # chosen: for each split, which functions are for training
    found = []
    for mask in chosen:
        a, b = (features[None, k] for k in (mask, ~mask))
        t = target[None, mask, None]
        th = log_fit(a, t)
        g = np.exp(b @ th).sum()
        p = np.exp(b @ fit(slopes["Poisson"], a, t, 150)).sum()
        factor = (t / np.exp(a @ th)).mean()
        found.append(np.array([g, g * factor, p]) / target[~mask].sum())
    return np.array(found).T

by_function = np.zeros((10, N), dtype=bool)
np.put_along_axis(by_function, train, True, 1)
halves = [np.random.default_rng(s).random(len(files)) < 0.5 for s in splits]
others = {"split by modules": totals([h[module] for h in halves], length),
          "lines": totals(by_function, rows_of_code)}
assert max(np.median(found[0]) for found in others.values()) < 0.8
assert all(abs(np.median(found[2]) - 1) < 0.15 for found in others.values())
Table(["total / truth", "log fit", "× smearing factor", "Poisson"],
      [[k, *map(spread, found)] for k, found in others.items()], "Ten splits each.")

# %% [markdown] name="control-alike-text"
# The order stays. With whole modules left out, every total scatters more widely.
#
# **Why is the smearing factor a little too high?** It is one number for all functions. That is right where the ratios $y / \hat y$ scatter alike for short guesses and for long ones. Here are the factors that ten groups of training functions need, from the shortest guesses to the longest:

# %% tags=["fold", "nbval-ignore-output"] name="control-alike"
# The ratio of totals and the mean ratio, in ten groups of the training half, over the splits.
def of_groups(k):
    order = np.argsort((x[k] @ theta[k])[:, 0])
    p, t = np.exp(x[k] @ theta[k])[order, 0], y[k][order, 0]
    return [[b.sum() / a.sum(), a.sum() / p.sum()]
            for a, b in zip(np.array_split(p, 10), np.array_split(t, 10), strict=True)]

needed = np.array([of_groups(k) for k in range(10)])  # (splits, groups, 2)
print(f"smearing factor {spread(smearing_factor)}, needed for the total "
      f"{spread(y.sum((1, 2)) / np.exp(x @ theta).sum((1, 2)))}")
Table(["", *range(1, 11)],
      [["factor needed", *(f"{v:.2f}" for v in np.median(needed[..., 0], 0))],
       ["share of the predicted total", *(f"{v:.0%}" for v in np.median(needed[..., 1], 0))]])

# %% [markdown] name="sources"
# The longest guesses need a smaller factor, and they hold much of the total.
#
# ## Sources
#
# - N. Duan, 1983: *Smearing estimate: a nonparametric retransformation method*, Journal of the American Statistical Association 78.
# - J. M. C. Santos Silva and S. Tenreyro, 2006: *The log of gravity*, Review of Economics and Statistics 88 (the Poisson loss in place of a log fit, for data that are no counts).
# - T. Gneiting, 2011: *Making and evaluating point forecasts*, Journal of the American Statistical Association 106 (which loss asks for which number).
