# ---
# jupyter:
#   lesson:
#     title: "The floor of cross-entropy"
#     question: "Draw any arch. Can you make a loss from it that nobody can cheat?"
#     minutes: 55
#     needs: [02_concepts/02_what_makes_a_loss_good, 03_algorithms/02_cross_entropy, 03_algorithms/24_label_distributions]
#     settles: [G4]
#     studies: [losses.binary_cross_entropy_on_probabilities, losses.squared_error]
#     terms: [arch, floor, gap, Bregman divergence, mutual information]
# ---

# %% [markdown] name="title"
# # The floor of cross-entropy
#
# **Goal.** See entropy, divergence and honest losses as one picture, and use it to tell a loss that training can lower from one that it cannot.
#
# **The question.** Draw a curve over the probabilities from 0 to 1 that bends down everywhere. Call it an **arch**: a curve that lies above each of its chords. Can you turn *any* arch into a loss that nobody can cheat?
#
# A recipe follows. You say $p$; lay the tangent on the arch at $p$. If the event happens ($y = 1$), you pay the height of the tangent at its right end. If not ($y = 0$), you pay the height at its left end. The third arch was made up while this was written; put yours in its place. The fourth curve has two humps, so it is no arch.

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp
from matplotlib.colors import PowerNorm

from lessons_lib import bridge, data, exercises, plots
from lessons_lib.derive import derive
from lessons_lib.losses import (
    absolute_error,
    binary_cross_entropy_on_probabilities,
    kl_divergence,
    soft_cross_entropy,
    squared_error,
)
from lessons_lib.optim import SGD, descend
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("04_mathematics/03_the_floor_of_cross_entropy")

def spread(values, form="{:.2f}"):  # middle (lowest to highest seed)
    low, middle, high = (form.format(v) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

# %% name="recipe"
curves = {
    "entropy": lambda p: -p * np.log(p) - (1 - p) * np.log(1 - p),
    "p (1 - p)": lambda p: p * (1 - p),
    "made up": lambda p: np.sqrt(p) - p,  # yours?
    "two humps": lambda p: np.sin(2 * np.pi * p) ** 2 / 4,
}

def slope_of(curve, p, h=1e-6):
    return (curve(p + h) - curve(p - h)) / (2 * h)

def tangent(curve, p, q):  # the tangent at p, read at q
    return curve(p) + slope_of(curve, p) * (q - p)

# %% tags=["fold"] name="question-picture"
# The four curves; and for each truth, which forecast is cheapest.
grid = np.arange(1, 100) / 100
look = {"entropy": "-", "p (1 - p)": "--", "made up": "-.", "two humps": ":"}

def mean_paid(curve):  # rows: forecasts, columns: truths
    p, q = grid[:, None], grid[None]
    return q * tangent(curve, p, 1) + (1 - q) * tangent(curve, p, 0)

paid = {name: mean_paid(curve) for name, curve in curves.items()}
cheapest = {name: grid[table.argmin(axis=0)] for name, table in paid.items()}
fig, (ax, over) = plots.panels(2)
for i, (name, curve) in enumerate(curves.items()):
    ax.plot(grid, curve(grid), color=f"C{i}", ls=look[name], label=name)
over.plot(grid, cheapest["entropy"], color="C0", lw=5, alpha=0.35, label="entropy")
over.plot(grid, cheapest["p (1 - p)"], color="C1", ls="--", label="p (1 - p)")
over.plot(grid, cheapest["made up"], color="C2", ls="-.", label="made up")
over.plot(grid, cheapest["two humps"], "C3.", label="two humps")
ax.set(xlabel="probability", ylabel="height of the curve", title="Four curves", ylim=(0, 0.95))
over.set(xlabel="the truth", ylabel="the cheapest forecast", title="Who says the truth?")
ax.legend(fontsize=9, ncol=2)
over.legend(fontsize=9)
plots.Picture(
    fig, alt="Left: three arches of different heights, one of them leaning to the left, and a "
    "curve with two humps. Right: the cheapest forecast for each truth. For the three arches it "
    "runs along the diagonal. For the curve with two humps it sits on only two values far from "
    "the diagonal.",
)

# %% tags=["fold"] name="question-numbers"
# For 99 truths and 99 forecasts: does a lie pay, and how much?
rows = []
for name, table in paid.items():
    saved = np.diag(table) - table.min(axis=0)
    lies = int((cheapest[name] != grid).sum())
    rows.append([name, f"{lies} of 99", f"{saved.max():.3f}"])
    assert name == "made up" or (lies > 70 if name == "two humps" else saved.max() < 1e-9)
Table(["curve", "truths at which a lie is cheaper", "the most it saves"], rows)

# %% [markdown] name="question-reading"
# The made-up arch gives a loss under which honesty is cheapest, at every truth. In the words of [What makes a loss a good loss?](../02_concepts/02_what_makes_a_loss_good.ipynb), the loss is *proper*. Two humps give a loss under which a lie is cheaper at every truth.
#
# Nobody tuned the made-up arch. So why does the recipe work? And is there any honest loss that does not come from an arch?
#
# ## The idea, drawn
#
# The true share of the event is $q$. You say $p$. You pay the right end of the tangent in a share $q$ of the cases, and the left end in the others. A straight line between two ends has, at the place $q$, exactly this average as its height. So **on average you pay the height of your tangent at $q$.** Move your forecast. The truth stays at 0.7.

# %% tags=["fold"] name="play-picture"
# The figure to move: the tangent at the forecast p, on two arches.
TRUTH = 0.7
two = {name: curves[name] for name in ("entropy", "p (1 - p)")}
fig, axes = plots.panels(2)
for ax, (name, curve), top in zip(axes, two.items(), (3.1, 1.0), strict=True):
    fine = np.linspace(0.001, 0.999, 400)
    ax.plot(fine, curve(fine), "k", label="the arch")
    ax.plot([], [], "C0", label="tangent at your forecast")
    ax.plot([], [], "C1", lw=4, label="the gap at the truth")
    ax.axvline(TRUTH, color="0.6", lw=1, ls=":")
    unit = " (nats)" if name == "entropy" else ""
    ax.set(title=name, xlabel="probability", ylabel=f"height = loss{unit}", ylim=(-0.02, top),
           xlim=(-0.03, 1.03))
axes[0].legend(fontsize=8, loc="upper center")

def say(left, right, p):
    told = []
    for ax, (name, curve) in zip((left, right), two.items(), strict=True):
        ends = [float(tangent(curve, p, y)) for y in (0, 1)]
        gap = float(tangent(curve, p, TRUTH) - curve(TRUTH))
        ax.plot([0, 1], ends, "C0", zorder=2)
        ax.plot([0, 1], ends, "C0o", ms=7, clip_on=True)
        ax.plot(p, curve(p), "C0D", mfc="w", ms=7)
        ax.plot([TRUTH] * 2, [curve(TRUTH), curve(TRUTH) + gap], "C1", lw=4, zorder=3)
        told.append(f"{name}: pay {ends[1]:.2f} if it happens, {ends[0]:.2f} if not; gap {gap:.3f}")
    return f"Say {p:.3g}. " + ". ".join(told) + "."

plots.moving(
    fig, "forecast p", [round(v, 3) for v in np.arange(0.05, 0.96, 0.025)], say, start=0.4,
    alt="Two panels, the entropy and p (1 - p), each an arch with the tangent at the forecast "
    "0.4. The tangent lies above the arch. A thick bar at the truth 0.7 shows the gap between "
    "tangent and arch. Dots at the two ends of the tangent are what one pays.",
)

# %% [markdown] name="formula"
# Two questions for the slider:
#
# 1. At which forecast does the bar vanish?
# 2. Go from 0.7 up to 0.95, and down to 0.45: a quarter each way. Under which arch do both lies cost the same?
#
# An arch lies below each of its tangents, and touches it at one place. So the bar is positive everywhere but at $p = q$, where your tangent is the one that touches at the truth. That is the whole proof: **honesty is cheapest because an arch lies below its tangents.** A quarter costs the same both ways under $p(1-p)$: 0.062. Under the entropy the boast of 0.95 costs 0.324 nats, and the timid 0.45 costs 0.127.
#
# ## Formula
#
# As in the lessons that this one needs, $p$ is the forecast; $q$ is the truth. From an arch $H$ the recipe makes the loss
#
# $$\ell(p, y) = H(p) + H'(p)\,(y - p)$$
#
# | symbol | code | meaning |
# |---|---|---|
# | $H(q)$ | `curve(q)` | the height of the arch at the truth |
# | $H'(p)$ | `slope_of(curve, p)` | the slope of the arch at the forecast |
# | $D(q, p)$ | `tangent(curve, p, q) - curve(q)` | the height of the tangent above the arch |
#
# The **floor** is the lowest mean loss that any forecast reaches: the height $H(q)$ of the arch. The **gap** is what the lie costs on top of the floor:
#
# $$D(q, p) = H(p) + H'(p)\,(q - p) - H(q)$$
#
# The **Bregman divergence** (1967) of an arch is this gap, the height of the tangent at $p$ above the arch at $q$. It is never negative, and 0 only at $p = q$. (The literature turns the picture over: a bowl $-H$ above its tangents. The gap is the same.)
#
# ## Derivation
#
# ### Mean loss = floor + gap

# %% tags=["fold"] name="derive-tangent"
# Derivation 1: the mean loss is the height of the tangent. H stands for H(p), S for H'(p).
H, S, h = sp.symbols("H S h", real=True)
p_, q_, y_ = sp.symbols("p q y", positive=True)
inside = {p_: (0.02, 0.98), q_: (0.02, 0.98), y_: (0.02, 0.98)}
names = {"H": H, "S": S, "h": h, "p": p_, "q": q_}
(
    derive(r"\bar\ell", "q * (H + S * (1 - p)) + (1 - q) * (H + S * (0 - p))",
           "a share $q$ pays the right end, the others the left", names, ranges=inside,
           tex=r"q \left(H(p) + H'(p) (1 - p)\right) + (1 - q) \left(H(p) - H'(p)\, p\right)")
    .equals("H + S * (q - p)", "$H(p)$ has the weights $q$ and $1 - q$: together 1",
            tex=r"H(p) + H'(p) (q - p)")
    .equals("h + (H + S * (q - p) - h)", "add and subtract $H(q)$: **floor plus gap**",
            tex=r"H(q) + D(q, p)")
)

# %% [markdown] name="entropy-text"
# ### The entropy gives cross-entropy
#
# Now take the arch from information theory, $H(p) = -p \log p - (1-p) \log(1-p)$. Its slope:

# %% tags=["fold"] name="derive-slope"
# Derivation 2: the slope of the entropy.
(
    derive("H(p)", "-p * log(p) - (1 - p) * log(1 - p)", "the entropy", [p_], ranges=inside)
    .equals("-log(1 - p) + p * (log(1 - p) - log(p))", "sorted by $p$")
    .slope(p_, "log(1 - p) - log(p)", "the slopes of the logarithms cancel: "
           r"$\frac{1}{1-p} - \frac{p}{1-p} - 1 = 0$")
)

# %% [markdown] name="recipe-text"
# Put both into the recipe:

# %% tags=["fold"] name="derive-cross"
# Derivation 3: the recipe makes binary cross-entropy of the entropy.
(
    derive(r"\ell(p, y)",
           "-p * log(p) - (1 - p) * log(1 - p) + (log(1 - p) - log(p)) * (y - p)",
           "the tangent at $p$, read at $y$", [p_, y_], ranges=inside)
    .equals("-y * log(p) - (1 - y) * log(1 - p)",
            "the terms with $p \\log$ cancel: **binary cross-entropy**")
    .library("binary_cross_entropy_on_probabilities(p, y).value",
             lambda p, y: binary_cross_entropy_on_probabilities(p, y).value)
    .slope(p_, "(p - y) / (p * (1 - p))", "one denominator")
    .library("binary_cross_entropy_on_probabilities(p, y).grad",
             lambda p, y: binary_cross_entropy_on_probabilities(p, y).grad)
)

# %% [markdown] name="gap-text"
# Nobody had to postulate that loss. It is what the entropy's tangents cost. And the gap?

# %% tags=["fold"] name="derive-kl"
# Derivation 4: the gap of the entropy is the KL divergence.
def both(q):
    return np.stack([1 - q, q], axis=-1)

(
    derive("D(q, p)",
           "-q * log(p) - (1 - q) * log(1 - p) - (-q * log(q) - (1 - q) * log(1 - q))",
           "tangent minus arch, both at $q$", [p_, q_], ranges=inside)
    .equals("q * log(q / p) + (1 - q) * log((1 - q) / (1 - p))",
            r"collect the logarithms: $\mathrm{KL}(q \Vert p)$ **of the two outcomes**")
    .library("kl_divergence(log p, q).value",
             lambda p, q: kl_divergence(np.log(both(p)), both(q)).value)
)

# %% [markdown] name="brier-text"
# ### The parabola gives the squared error

# %% tags=["fold"] name="derive-brier"
# Derivation 5: the gap of p (1 - p) is the squared distance.
(
    derive("D(q, p)", "p * (1 - p) + (1 - 2 * p) * (q - p) - q * (1 - q)",
           "the slope of $p (1 - p)$ is $1 - 2p$", [p_, q_], ranges=inside)
    .equals("(p - q)**2", "multiply out: **the squared distance**")
    .library("squared_error(p, q).value", lambda p, q: squared_error(p, q).value)
    .slope(p_, "2 * (p - q)", "the slope of a square")
    .library("squared_error(p, q).grad", lambda p, q: squared_error(p, q).grad)
)

# %% [markdown] name="brier-reading"
# At $q = 0$ and at $q = 1$ this arch has the height 0. There the loss *is* the gap: $\ell(p, y) = (p - y)^2$.
#
# Training follows the slope of the loss. For any arch, differentiate $H(p) + H'(p)(y - p)$ by $p$. The two $H'(p)$ cancel, and what is left is
#
# $$\frac{\partial \ell}{\partial p} = -H''(p)\,(p - y)$$
#
# **The slope is the error times the bend $-H''(p)$ of the arch.** Both slopes above have this form. The parabola bends by 2 everywhere. The entropy bends by $\frac{1}{p(1-p)}$, most of all near 0 and 1: there cross-entropy is strict, as the slider showed.
#
# ### C classes
#
# With more outcomes the arch becomes a dome above all distributions, and its tangent a plane. The label picks the corner at which the plane is read. The slope of $-\sum_j p_j \log p_j$ in the direction of $p_i$ is $-\log p_i - 1$. Read at a distribution $q$, the plane has the height

# %% tags=["fold"] name="derive-classes"
# Derivation 6: the plane on the dome of the entropy is cross-entropy.
pp, qq = sp.symbols("p q", cls=sp.IndexedBase, real=True, positive=True)
i, C = sp.symbols("i C", integer=True, positive=True)
(
    derive("H(q, p)",
           "-Sum(p[i] * log(p[i]), (i, 1, C)) - Sum((log(p[i]) + 1) * (q[i] - p[i]), (i, 1, C))",
           "the plane on the dome at $p$, read at $q$", {"p": pp, "q": qq, "i": i, "C": C},
           sizes={C: (2, 3)}, simplex=[pp, qq])
    .equals("-Sum(q[i] * log(p[i]), (i, 1, C)) - Sum(q[i], (i, 1, C)) + Sum(p[i], (i, 1, C))",
            r"$p_i \log p_i$ cancels")
    .equals("-Sum(q[i] * log(p[i]), (i, 1, C))", "both sum to 1: **cross-entropy**")
    .library("soft_cross_entropy(log p, q).value",
             lambda p, q: soft_cross_entropy(np.log(p), q).value)
)

# %% [markdown] name="split-text"
# The dome below it has the height $H(q)$. So the split of [Labels that are distributions](../03_algorithms/24_label_distributions.ipynb) is a picture, tangent = arch + gap:
#
# $$H(q, p) = H(q) + \mathrm{KL}(q \Vert p)$$
#
# ### Is there any other honest loss?
#
# Go backwards, from a loss to an arch. Fix a forecast $p$. Its mean loss $q\, \ell(p, 1) + (1 - q)\, \ell(p, 0)$ is a *straight line* in $q$. So every loss is a fan of lines, one for each forecast, and at the truth $q$ the lowest line is the cheapest forecast. Here are the fans of two losses:

# %% tags=["fold"] name="fan"
# Every forecast as a line over the truth; the lowest line at each truth.
said, q = np.linspace(0, 1, 11), np.linspace(0, 1, 201)
fig, axes = plots.panels(2)
for ax, (name, loss) in zip(axes, {"squared error": squared_error,
                                   "absolute error": absolute_error}.items(), strict=True):
    many = np.linspace(0, 1, 201)
    happens, fails = (loss(many, 0 * many + y).value for y in (1.0, 0.0))
    lines = q * happens[:, None] + (1 - q) * fails[:, None]
    for row in lines[::20]:
        ax.plot(q, row, "C0", lw=1, alpha=0.7)
    ax.plot(q, lines.min(axis=0), "k", lw=3)
    ax.plot([], [], "C0", lw=1, label="one forecast")
    ax.set(title=name, xlabel="the truth q", ylabel="mean loss", xlim=(0, 1), ylim=(0, 1))
    ax.plot([], [], "k", lw=3, label="the lowest")
    tent = np.minimum(q, 1 - q)
    floor = q * (1 - q) if name == "squared error" else tent
    assert abs(lines.min(axis=0) - floor).max() < 1e-4
axes[0].legend(loc="upper center", fontsize=9)
plots.Picture(
    fig, alt="Two fans of eleven straight lines with a thick curve below them. Left, squared "
    "error: the thick curve is a round arch, and each line touches it at one place. Right, "
    "absolute error: all lines cross in one point at one half; the thick curve is a tent that "
    "follows the line of forecast 0 up to one half and that of forecast 1 after it.",
)

# %% [markdown] name="fan-reading"
# The lowest of many straight lines never bends up: where another line becomes the lowest, it rises less than the one before. So **every loss has a curve $H$ of lowest means.** If the loss is honest, the line of $p$ is the lowest one at $q = p$: it touches $H$ there and lies above it elsewhere. Then it is a tangent, and $H$ is an arch. So every honest loss comes from an arch by our recipe. (Where an arch has a corner, any line that touches it there from above will do as the tangent. Gneiting and Raftery, 2007, prove all this for any number of outcomes.)
#
# The absolute error has a tent. Only two lines lie on it: those of the forecasts 0 and 1. All others touch it in the middle alone, so at most truths it pays to lie. The share of wrong names has the same tent, which is why accuracy cannot ask for probabilities.
#
# ## Many inputs: what is an input worth?
#
# A model sees inputs $x$. They come with the shares $w_x$, and each has its own truth $q_x$. Suppose the model cannot see $x$, and must say one $p$ for all. Which one?

# %% tags=["fold"] name="derive-pooled"
# Derivation 7: one forecast for many truths. h[x] stands for H(q_x), H and S belong to p.
w, qx, hx = sp.symbols("w q h", cls=sp.IndexedBase, real=True, positive=True)
x, K = sp.symbols("x K", integer=True, positive=True)
m = sp.Symbol("m", positive=True)
(
    derive(r"\sum_x w_x D(q_x, p)", "Sum(w[x] * (H + S * (q[x] - p) - h[x]), (x, 1, K))",
           "the mean gap of one forecast",
           {"w": w, "q": qx, "h": hx, "x": x, "K": K, "H": H, "S": S, "p": p_, "m": m},
           sizes={K: (2, 3)}, simplex=[w], means={m: sp.Sum(w[x] * qx[x], (x, 1, K))},
           tex=r"\sum_{x} w_x \left(H(p) + H'(p) (q_x - p) - H(q_x)\right)")
    .equals("H + S * (Sum(w[x] * q[x], (x, 1, K)) - p) - Sum(w[x] * h[x], (x, 1, K))",
            "the $w_x$ sum to 1",
            tex=r"H(p) + H'(p) \left(\sum_{x} w_x q_x - p\right) - \sum_{x} w_x H(q_x)")
    .equals("H + S * (m - p) - Sum(w[x] * h[x], (x, 1, K))",
            "**the truths enter by their mean** $m = \\sum_x w_x q_x$, "
            "and by what $p$ cannot change",
            tex=r"H(p) + H'(p) (m - p) - \sum_{x} w_x H(q_x)")
)

# %% [markdown] name="pooled-reading"
# The first two terms are the tangent at $p$, read at $m$. It is lowest at $p = m$, and there it has the height $H(m)$. So **the mean of the truths is the best single forecast under every Bregman divergence.** Banerjee, Guo and Wang (2005) proved this. They also showed, under mild conditions, that no other losses have the property. The lowest mean gap is
#
# $$\sum_x w_x\, D(q_x, m) = H(m) - \sum_x w_x\, H(q_x)$$
#
# Read the right side: the floor without the input, minus the floor with it. So **an input lowers the floor by the mean gap between what is true with it and what is true without it.** For the entropy this is called the **mutual information**: what input and label tell about each other, in nats.
#
# Training closes the gap, as far as the form of the model allows. Only a new input lowers the floor.
#
# ## Real text: the next letter
#
# How much is one letter worth? We read the pages of Python's documentation (PSF licence) as 26 letters and the space. Half of the pages train, the others test. Words that the training half does not have are left out of the test. What is the next letter, if you see the one before?

# %% tags=["fold", "nbval-ignore-output"] name="letters"
# The text as numbers: 0 is the space, 1 to 26 are letters. Only words of the training half count.
def as_letters(words, ids):
    known = [words.spelling[i] for i in ids if i < len(words.spelling) - 1]
    codes = np.frombuffer(" ".join(known).encode(), np.uint8).astype(int)
    return np.where(codes == 32, 0, codes - 96)

drawn = [data.words(s, 6000) for s in setting.seeds]
texts = [(as_letters(d, d.ids), as_letters(d, d.ids_test)) for d in drawn]
left_out = [np.mean(d.ids_test >= len(d.spelling) - 1) for d in drawn]
print(f"letters in the training halves: {spread([len(a) for a, _ in texts], '{:.0f}')}")
print(f"share of the test half's words that is left out: {spread(left_out)}")

# %% name="floors"
def counts(text, back):  # rows: what stands `back` letters back to here; columns: what follows
    n = len(text) - back
    seen = sum(27 ** (back - 1 - k) * text[k : k + n] for k in range(back)) + np.zeros(n, int)
    found = np.bincount(seen * 27 + text[back:], minlength=27 ** (back + 1))
    return found.reshape(-1, 27)

def entropy(shares):
    return -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=-1)

def floor_of(table):  # the mean over inputs; frequent ones weigh more
    often = table.sum(axis=1)
    seen = table[often > 0]
    return often[often > 0] @ entropy(seen / seen.sum(axis=1, keepdims=True)) / often.sum()

# %% tags=["fold"] name="letter-picture"
# What follows each letter, and how far that is from what follows any letter.
ones = [counts(a, 1).astype(float) for a, _ in texts]
row_shares = ones[0] / ones[0].sum(axis=1, keepdims=True)
pooled = ones[0].sum(axis=0) / ones[0].sum()
worth = kl_divergence(np.tile(np.log(pooled), (27, 1)), row_shares).value
often_0 = ones[0].sum(axis=1) / ones[0].sum()
assert abs(often_0 @ worth - (floor_of(ones[0].sum(0)[None]) - floor_of(ones[0]))) < 1e-9
spelled = ["_", *"abcdefghijklmnopqrstuvwxyz"]
fig, (ax, over) = plots.panels(2, width_ratios=[2, 1])
fig.set_size_inches(9.2, 5.0)
image = ax.imshow(row_shares, cmap="cividis", norm=PowerNorm(0.5, 0, 1), aspect="auto")
fig.colorbar(image, ax=ax, label="share", ticks=(0, 0.05, 0.2, 0.5, 1))
ax.set(xlabel="the next letter", ylabel="the letter before", title="What is true with the input",
       xticks=range(27), yticks=range(27), xticklabels=spelled, yticklabels=spelled)
ax.tick_params(labelsize=8)
over.barh(range(27), worth, color=["C1" if a == "q" else "C0" for a in spelled])
over.axvline(often_0 @ worth, color="k", ls="--", lw=1.5)
over.set(yticks=range(27), yticklabels=spelled, ylim=(26.6, -0.6), title="What it tells",
         xlabel="KL to the pooled row (nats)")
over.tick_params(axis="y", labelsize=8)
ax.grid(False)
plots.Picture(
    fig, alt="Left: a matrix of 27 rows, one for each letter before, and 27 columns, the next "
    "letter. Most rows have several bright cells; the row of q has one, at u. Right: a bar for "
    "each row. The bar of q is by far the longest, about 3.4 nats; a dashed line marks the mean "
    "near 0.5 nats.",
)

# %% tags=["fold", "nbval-ignore-output"] name="letter-numbers"
# The floors of the training text, over all splits.
without = np.array([floor_of(c.sum(axis=0)[None]) for c in ones])
with_one = np.array([floor_of(c) for c in ones])
u = [c[17, 21] / c[17].sum() for c in ones]
rare = [c[17].sum() / c.sum() for c in ones]
print(f"floor without input: {spread(without)} nats; with the letter before: {spread(with_one)}")
print(f"the letter before is worth {spread(without - with_one)} nats")
print(f"after q comes u: {spread(u, '{:.0%}')}; q's share of all letters: {spread(rare, '{:.2%}')}")
assert (abs(without - with_one - 0.55) < 0.15).all()

# %% [markdown] name="letter-reading"
# After a *q* nearly everything is decided, so its row is far from the pooled one. But *q* is rare. The mean of all bars, weighted by how often each letter comes (dashed), is 0.54 nats: exactly the difference of the two floors, 2.84 and 2.30.
#
# The theorem says *every* arch. Is the next letter an *e*? The truth differs from one letter before to the next. We search for the best single forecast under each arch:

# %% tags=["fold", "nbval-ignore-output"] name="one-forecast"
# The cheapest single p of 9 999, under three arches and under the KL divergence turned round.
fine = np.arange(1, 10_000) / 10_000
truths = (ones[0][:, 5] + 1) / (ones[0].sum(axis=1) + 2)  # one more of each, so that none is 0
m = often_0 @ truths
rows = []
for name in ("entropy", "p (1 - p)", "made up"):
    curve = curves[name]
    gaps = sum(w * (tangent(curve, fine, t) - curve(t))
               for w, t in zip(often_0, truths, strict=True))
    rows.append([f"D(truth, p), {name}", f"{fine[gaps.argmin()]:.3f}"])
    assert name == "made up" or abs(fine[gaps.argmin()] - m) < 2e-4
turned = sum(w * kl_divergence(np.log(both(np.full(len(fine), t))), both(fine)).value
             for w, t in zip(often_0, truths, strict=True))
rows.append(["KL turned round: D(p, truth), entropy", f"{fine[turned.argmin()]:.3f}"])
assert fine[turned.argmin()] < 0.75 * m
Table(["mean gap", "best single forecast"], rows, f"The mean of the truths: {m:.3f}.")

# %% [markdown] name="stands-still-text"
# Three arches, one answer: the mean. For KL the order matters: with the forecast in the first place another number wins. Exercise 3 finds it.
#
# ## The loss stands still: two causes
#
# Two models learn the next letter on the same text. One must predict without any input. The other sees the letter before, through a product of two narrow matrices (8 columns each) that begin at a billionth of one. That is far smaller than usual, so that the effect is easy to see. Here are their losses over the first 75 steps. What would you do with each?

# %% name="training"
often = np.stack([c.sum(axis=1) / c.sum() for c in ones])  # (seeds, 27)
share = np.stack([c / c.sum(axis=1, keepdims=True) for c in ones])  # (seeds, 27, 27)

def train(sees, steps=600, start=1e-9):  # sees: 1 with the letter before, 0 without
    theta = np.random.default_rng(seed).normal(0, start, (len(ones), 27, 17))
    losses = []

    def gradient(theta):
        a, b, bias = theta[..., :8], theta[..., 8:16], theta[..., None, :, 16]
        loss = soft_cross_entropy(sees * a @ b.swapaxes(1, 2) + bias, share)
        losses.append((often * loss.value).sum(axis=1))
        d = often[..., None] * loss.grad
        parts = sees * d @ b, sees * d.swapaxes(1, 2) @ a, d.sum(axis=1)[..., None]
        return np.concatenate(parts, axis=-1)

    descend(theta, SGD(5.0), gradient, steps)
    return np.array(losses)

# %% tags=["fold"] name="stands-still"
# The first 75 steps of both models, and what comes after.
runs = {"sees nothing": train(0), "sees the letter before": train(1)}
fig, axes = plots.panels(2)
for ax, stop in zip(axes, (75, 600), strict=True):
    for i, (name, losses) in enumerate(runs.items()):
        ax.plot(np.median(losses[:stop], axis=1), color=f"C{i}", ls=("-", "--")[i],
                lw=(5, 2)[i], alpha=(0.45, 1)[i], label=name)
    ax.set(xlabel="step", ylabel="mean loss (nats per letter)", ylim=(2.1, 3.4),
           title=f"The first {stop} steps")
for height, colour, text in ((np.median(without), "C0", "floor without input"),
                             (np.median(with_one), "C1", "floor with the letter before")):
    axes[1].axhline(height, color=colour, ls=":", lw=1.5)
    axes[1].text(595, height - 0.03, text, ha="right", va="top", fontsize=9)
axes[0].legend()
plots.Picture(
    fig, alt="Left: over 75 steps both losses fall from 3.3 to 2.84 and stand still; the curves "
    "lie on each other. Right: over 600 steps the loss of the model without input stays on its "
    "floor of 2.84. The other falls suddenly after a long standstill and approaches its own "
    "floor at 2.30.",
)

# %% tags=["fold", "nbval-ignore-output"] name="stands-still-numbers"
# Loss, floor and gap after 75 steps; and the gap after 600.
rows, gaps = [], {}
for (name, losses), floor in zip(runs.items(), (without, with_one), strict=True):
    gaps[name] = [np.round(losses[k] - floor, 6) + 0.0 for k in (75, -1)]
    rows.append([name, spread(losses[75]), spread(floor), spread(gaps[name][0]),
                 spread(gaps[name][1])])
late_fall = runs["sees the letter before"][50] - runs["sees the letter before"][75]
print(f"from step 50 to 75 the second model's loss falls by {spread(late_fall, '{:.3f}')} nats")
assert (gaps["sees nothing"][0] < 0.02).all() and (gaps["sees the letter before"][0] > 0.4).all()
assert (gaps["sees the letter before"][1] < 0.12).all() and (late_fall < 0.01).all()
Table(["model", "loss, step 75", "its floor", "gap", "gap, step 599"], rows,
      "In nats per letter; middle (lowest to highest seed).")

# %% [markdown] name="stands-still-reading"
# The two curves are one line for 75 steps, and the causes are opposite. The first model stands on its floor. Its gap is 0, and no optimizer, rate or patience will help: **it needs a new input.** The second has a gap of half a nat. The slope by each matrix has the other one as a factor, and both are tiny. So they grow slowly at first, and then the loss falls. **It needs training.** The loss cannot tell them apart. The gap can.
#
# ## How low is the floor, if inputs are rarely seen twice?
#
# To count a floor, each input must come many times. With three letters back there are 19 683 inputs. Two tables bracket the floor. The first is counted *on the test pages themselves*. It has seen the answers: no other table that sees only these letters does better there, not even the true shares. Its loss is the lower end. The second is counted on *other* pages. Its loss is floor plus gap, so it is the upper end. On average over texts, the floor lies between:

# %% tags=["fold"] name="bracket"
# Both ends on the test half. A row of the table leans on the row with one letter less.
def held_out(text, test, back, lean=1.0):  # its loss per letter on the test half
    p = np.full((1, 27), 1 / 27)
    for n in range(back + 1):
        table = counts(text, n)
        above = p if n == 0 else np.tile(p, (27, 1))
        p = (table + lean * above) / (table.sum(axis=1, keepdims=True) + lean)
    found = counts(test, back)
    return -(found * np.log(p)).sum() / found.sum()

backs = range(4)
low = np.array([[floor_of(counts(b, n)) for _, b in texts] for n in backs])
high = np.array([[held_out(a, b, n) for a, b in texts] for n in backs])
fig, (ax,) = plots.panels()
bottom, top = np.median(low, axis=1), np.median(high, axis=1)
ax.bar(backs, bottom, color="0.75", label="below: no table gets there")
ax.bar(backs, top - bottom, bottom=bottom, color="C1", hatch="//", label="the floor is in here")
for n in backs:
    ax.text(n, top[n] + 0.04, f"{bottom[n]:.2f} to {top[n]:.2f}", ha="center")
ax.axhline(np.log(27), color="k", ls=":", lw=1.5, label="all letters alike: log 27")
ax.set(xticks=list(backs), xlabel="letters that the model sees", ylim=(0, 4.3),
       ylabel="loss on test pages (nats per letter)", title="What each input does to the floor")
ax.legend(loc="upper right", fontsize=9)
plots.Picture(
    fig, alt="Four grey bars with a hatched piece on top, for 0 to 3 letters seen. They fall from "
    "2.8 to about 1.1. The hatched piece is invisible without input and grows to 0.19 nats with "
    "three letters.",
)

# %% tags=["fold", "nbval-ignore-output"] name="bracket-numbers"
# The two ends and their distance, over all splits.
rows = [[n, spread(low[n]), spread(high[n]), spread(high[n] - low[n], "{:.3f}")] for n in backs]
assert (high[:-1] - high[1:] > 0.25).all()
assert (high[3] - low[3] > 0.05).all() and (high[0] - low[0] < 0.02).all()
Table(["letters seen", "counted on the test pages", "counted on other pages", "width"], rows,
      "In nats per letter; middle (lowest to highest seed).")

# %% [markdown] name="bracket-reading"
# Each letter more lowers the floor, by half a nat or so. No training of the model before could have done it. And with each letter more the floor is known less well: the hatched part grows from 0.002 to 0.19 nats. With a whole page as input nobody can count any more. The best loss that anyone has reached on new text is still an upper end. (Shannon, 1951, let people guess the next letter of English where the inputs were too long to count.)
#
# ## What breaks
#
# Two models, the same text. The first reads letters, the second reads it in *pairs* of letters as its tokens. Both know nothing but how often each token comes, and both are judged on the test pages.

# %% tags=["fold"] name="tokens"
# Losses per token and per letter; one count is added to each of the 27 or 729 tokens.
def per_token(text, test, tokens):
    table = np.bincount(text, minlength=tokens) + 1.0
    return -np.log(table / table.sum())[test].mean()

def in_pairs(text):
    cut = text[: len(text) // 2 * 2]
    return 27 * cut[::2] + cut[1::2]

single = np.array([per_token(a, b, 27) for a, b in texts])
pair = np.array([per_token(in_pairs(a), in_pairs(b), 729) for a, b in texts])
assert (pair > 1.4 * single).all() and (single - pair / 2 > 0.15).all()
Table(["tokens", "loss per token", "loss per letter"],
      [["letters", spread(single), spread(single)], ["pairs", spread(pair), spread(pair / 2)]],
      "In nats; middle (lowest to highest seed).")

# %% [markdown] name="exercises"
# "2.8 against 5.1: the first model is better." It is worse. A pair is two letters, so its loss must be spread over two. Per letter the second model pays 2.6, because inside a pair it knows what follows what.
#
# The mistake is to compare losses that stand on different floors: other tokens, other tasks, other data. The signature: before any training the two losses already differ, like $\log 27$ and $\log 729$. The cure: divide the loss of the whole text by something that both share, such as letters or bytes. Between tasks, ask for each loss how far it stands above its own floor.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it. All arrays are NumPy's.
#
# ### 1. The loss of a round arch (8 minutes, medium)
# The arch $H(p) = 2 \sqrt{p (1 - p)}$ is half an ellipse. Find its loss. `p` and `y` are arrays of one shape; each `y` is 0 or 1.

# %% name="exercise-round"
def round_loss(p, y):
    ### BEGIN SOLUTION
    odds = p / (1 - p)
    return y / np.sqrt(odds) + (1 - y) * np.sqrt(odds)
    ### END SOLUTION

# %% name="check-round"
check("round_loss")

# %% [markdown] name="exercise-dome-text"
# <details><summary>Hint 1</summary>The slope of the root is (1 - 2p) divided by the root of p (1 - p). Put it into the recipe with y = 1, then with y = 0.</details>
# <details><summary>Hint 2</summary>For y = 1, bring both terms over the root: 2p (1 - p) + (1 - 2p)(1 - p) = 1 - p.</details>
# <details><summary>What it means (after solving)</summary>With the logit z, the odds p / (1 - p) are e to the power z. So the loss is exp(-z/2) if y = 1 and exp(z/2) if y = 0: the exponential loss of the lesson on good losses, at half the logit. It comes from an arch, so it is honest.</details>
#
# ### 2. A loss from a dome (10 minutes, medium)
# The thing itself, for any number of classes. A dome over distributions is given by its height at each forecast and its slopes there: `p` and `slope` have the shape `(N, C)`, `height` the shape `(N,)`, `labels` are integers `(N,)`. Return the loss of each example: the tangent plane, read at the corner of the label.

# %% name="exercise-dome"
def dome_loss(height, slope, p, labels):
    ### BEGIN SOLUTION
    corner = np.eye(p.shape[1])[labels]
    return height + (slope * (corner - p)).sum(axis=1)
    ### END SOLUTION

# %% name="check-dome"
check("dome_loss")

# %% [markdown] name="exercise-turned-text"
# <details><summary>Hint 1</summary>The recipe for two outcomes is H(p) + H'(p) (y - p). What takes the place of y, and of the product?</details>
# <details><summary>Hint 2</summary>The corner of label k is the one-hot row. Each slope goes with its own part of (corner - p), and the parts are added.</details>
#
# ### 3. The other way round (12 minutes, hard)
# The mean is best if the truth stands first. Turn the divergence round: for truths `q`, shape `(K, C)`, with weights `w`, shape `(K,)`, which sum to 1, find the distribution $p$ that makes $\sum_x w_x\, \mathrm{KL}(p \Vert q_x)$ smallest. All numbers in `q` are positive.

# %% name="exercise-turned"
def best_turned(q, w):
    ### BEGIN SOLUTION
    p = np.exp(w @ np.log(q))
    return p / p.sum()
    ### END SOLUTION

# %% name="check-turned"
check("best_turned")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Write out KL(p, q_x) = sum of p_i log p_i - p_i log q_xi. Only the second term contains x: take the mean of that.</details>
# <details><summary>Hint 2</summary>What is left is KL from p to something that does not sum to 1, with the logarithms g_i = sum of w_x log q_xi. Make it a distribution; then the KL is smallest where p equals it.</details>
# <details><summary>What it means (after solving)</summary>It is the softmax of the mean logarithms: you averaged logits instead of probabilities. Suppose that one of several models is right, and you do not know which. Then the mean of their probabilities has the lowest cross-entropy on average. The mean of their logits answers the other question: where one model says "never", so does the result.</details>
#
# ## Takeaways
#
# - Every arch gives a loss that nobody can cheat, and every honest loss of a probability comes from one: lay the tangent at the forecast, and pay its end.
# - Mean loss = floor + gap, tangent = arch + Bregman divergence. The entropy gives cross-entropy and KL, the parabola $p(1-p)$ the squared error and the squared distance.
# - Training closes the gap, a new input lowers the floor. Do not call a loss high, and do not compare it with another, without asking how high its floor is.
#
# ## Does it hold?
#
# **Other standstills.** The second model stood still because it began with tiny matrices. Is that so? Begin with larger and with smaller ones. The length of the standstill is the number of steps until its loss is 0.05 nats below the floor without input:

# %% tags=["fold", "nbval-ignore-output"] name="control-start"
# Only the size of the first matrices changes.
rows, lengths = [], []
for start in (1e-1, 1e-3, 1e-6, 1e-9):
    losses = runs["sees the letter before"] if start == 1e-9 else train(1, start=start)
    lengths.append((losses < without - 0.05).argmax(axis=0))
    rows.append([f"{start:g}", spread(lengths[-1], "{:.0f}"), spread(losses[-1] - with_one)])
lengths = np.array(lengths)
assert (np.diff(lengths, axis=0) > 10).all()
Table(["size of the start", "steps until it falls", "gap at the last step"], rows,
      "Middle (lowest to highest seed).")

# %% [markdown] name="control-start-text"
# From 0.1 on there is no standstill. Below 0.001, each factor of 1000 adds 32 steps: while the matrices are tiny, they grow by the same factor in every step. So the standstill is the time that they need to become large. A part of the last gap stays however long one trains: a product of 8 columns cannot hold 27 different rows exactly.
#
# **Other ways to count.** The upper end of the floor depends on how much a rarely seen input leans on the row with one letter less. In the picture it leans with the weight of one letter:

# %% tags=["fold", "nbval-ignore-output"] name="control-lean"
# The loss on test pages for other weights.
leans = (0.3, 1.0, 5.0, 20.0)
uppers = {v: np.array([[held_out(a, b, n, v) for a, b in texts] for n in (1, 2, 3)]) for v in leans}
assert all((abs(u - high[1:]) < 0.1).all() for u in uppers.values())
Table(["weight", "1 letter seen", "2 letters", "3 letters"],
      [[f"{v:g}", *(spread(row) for row in u)] for v, u in uppers.items()],
      "In nats per letter; middle (lowest to highest seed).")

# %% [markdown] name="sources"
# No weight gets to the lower end, and the ends in the picture are near to the best of the column.
#
# ## Sources
#
# - L. Bregman, 1967: *The relaxation method of finding the common point of convex sets and its application to the solution of problems in convex programming*.
# - T. Gneiting and A. Raftery, 2007: *Strictly proper scoring rules, prediction, and estimation*, Journal of the American Statistical Association (arches and honest losses for any number of outcomes).
# - A. Banerjee, X. Guo and H. Wang, 2005: *On the optimality of conditional expectation as a Bregman predictor*, IEEE Transactions on Information Theory.
# - A. Buja, W. Stuetzle and Y. Shen, 2005: *Loss functions for binary class probability estimation and classification: structure and applications* (the loss of exercise 1 is its "boosting loss").
# - C. Shannon, 1951: *Prediction and entropy of printed English*.
# - The text: the documentation of Python, PSF licence, as `help()` shows it.
