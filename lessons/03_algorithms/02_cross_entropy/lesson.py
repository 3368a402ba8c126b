# ---
# jupyter:
#   lesson:
#     title: Multi-class cross-entropy
#     minutes: 45
#     question: "No training picture shows a seven, and no loss looks at its probability. Who teaches the model that nothing is a seven?"
#     needs: [01_binary_cross_entropy]
#     settles: [F2, G1, G3, E7]
#     studies: [losses.cross_entropy, losses.soft_cross_entropy]
#     terms: [softmax, distribution, one-hot, log-sum-exp]
# ---

# %% [markdown] name="goal"
# # Multi-class cross-entropy
#
# **Goal.** Derive the loss of a choice among many classes, write it yourself with its gradient, and know which classes one example moves.
#
# **The question.** A model learns to read handwritten digits. We take every seven out of its training pictures. The loss of a picture is $-\log$ of *one* probability, that of the right digit.
# So no loss ever looks at the probability of a seven. Before training it is 0.10. And after?

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
from sklearn.datasets import load_digits

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.core import mean
from lessons_lib.derive import derive
from lessons_lib.losses import cross_entropy, soft_cross_entropy
from lessons_lib.optim import SGD, descend
from lessons_lib.plots.simplex import CORNERS
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/02_cross_entropy")

# %% tags=["fold"] name="question-model"
# The experiment: digits without one class, and 100 steps downhill from a model that knows nothing.
def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)

def load(seed, missing=7, centred=True):  # a picture is a row of 64 pixels and a 1
    x, labels, x_test, labels_test = data.digits(seed)
    seen = labels != missing
    # centred on the pictures that are left: else the missing ones would leave a trace
    middle = x[seen].mean(0) if centred else 0
    x, x_test = (np.c_[a - middle, np.ones(len(a))] for a in (x, x_test))
    return x[seen], labels[seen], x_test, labels_test

def train(x, labels, moved=1.0, steps=100):  # moved: 0 for a class whose weights are held
    def gradient(theta):
        return moved * (x.T @ mean(cross_entropy(x @ theta, labels)).grad)

    return descend(np.zeros((65, 10)), SGD(1.0), gradient, steps)

x, labels, x_test, labels_test = load(seed)
theta = train(x, labels)[-1]

# %% tags=["fold"] name="question-picture"
# Three test pictures, chosen by rule, and what the trained model believes of them.
ink = load_digits().data  # undoes the standardising, nearly: a picture looks as it was drawn
p_test = softmax(x_test @ theta)

def ordered(digit):  # its test pictures, from the lowest to the highest probability of it
    its = np.flatnonzero(labels_test == digit)
    return its[p_test[its, digit].argsort()]

threes, all_sevens = ordered(3), ordered(7)
chosen = {
    "the middle one of the threes": threes[len(threes) // 2],
    "the middle one of the sevens": all_sevens[len(all_sevens) // 2],
    "the seven that gets most": all_sevens[-1],
}
blue, orange = "#0072B2", "#E69F00"
fig, axes = plots.panels(3, sharey=True)
fig.set_size_inches(10.5, 3.4)
for ax, (title, n) in zip(axes, chosen.items(), strict=True):
    colours = [orange if digit == labels_test[n] else blue for digit in range(10)]
    ax.bar(range(10), p_test[n], color=colours)
    ax.axhline(0.1, color="0.4", ls="--", lw=1)
    ax.set(xlabel="digit", xticks=range(10), ylim=(0, 1.6), yticks=(0, 0.5, 1), title=title)
    inset = ax.inset_axes((0.02, 0.68, 0.28, 0.3))
    drawn = np.clip(x_test[n, :64] * ink.std(0) + ink.mean(0), 0, 16)
    inset.imshow(drawn.reshape(8, 8), cmap="gray_r")
    inset.axis("off")
axes[0].set_ylabel("probability")
assert p_test[threes[len(threes) // 2], 3] > 0.75 and p_test[all_sevens[-1], 7] < 0.08
plots.Picture(
    fig,
    "Three test pictures with a bar for each digit's probability. A three gets nearly all of "
    "its probability on 3. Two sevens get next to nothing on 7. A dashed line at 0.1 is the "
    "model before training.",
)

# %% tags=["fold"] name="question-numbers"
# The probability of a seven, before and after, over seeds.
def spread(runs, digits=3):
    low, middle, high = np.quantile(runs, [0, 0.5, 1])
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"

trails = {}
for s in setting.seeds:
    x_s, labels_s, x_t, labels_t = load(s)
    p = softmax(x_t @ np.array(train(x_s, labels_s)))[..., 7]  # (steps + 1, test pictures)
    trails[s] = p.mean(1), p[:, labels_t == 7].mean(1), p[:, labels_t == 7].max(1)
everywhere, sevens, highest = np.array([*trails.values()]).swapaxes(0, 1)
assert everywhere[:, -1].max() < 0.005 and sevens[:, -1].max() < 0.02
assert highest[:, -1].max() < 0.08
print("mean probability of a seven: middle value (median) and range over seeds")
print(f"before training:                 {everywhere[0, 0]:.3f}")
print(f"after, over all test pictures:   {spread(everywhere[:, -1])}")
print(f"after, over the sevens only:     {spread(sevens[:, -1])}")
print(f"after, the highest of any seven: {spread(highest[:, -1])}")

# %% [markdown] name="question-reading"
# Orange is the right digit, the dashed line is the model before training. (The middle one of a digit has the middle value, the median, of its probabilities.) The three is recognised. But the model is now sure that a seven is *no* seven. Nobody ever said so.
#
# (The model is as simple as can be: each digit has a score, a weighted sum of the 64 pixels plus a constant. From each pixel we take off its mean over the pictures that are left, so the missing sevens leave no trace in the means. Training moves all weights 100 times, each time a little against the slope of the mean loss.)
#
# ## The idea, drawn
#
# A model gives every class a logit: a score, any real number. The **softmax** makes probabilities of logits: it takes $e$ to the power of each, and divides by the sum.

# %% tags=["fold"] name="softmax-row"
# Softmax of three logits, in numbers.
row = np.array([2.0, 1.0, 0.0])
e = np.exp(row)
Table(
    ["", "cat", "dog", "bird", "sum"],
    [
        ["logit", *map("{:.0f}".format, row), ""],
        ["e to its power", *map("{:.2f}".format, e), f"{e.sum():.2f}"],
        ["probability", *map("{:.2f}".format, softmax(row)), "1"],
    ],
)

# %% [markdown] name="triangle-text"
# Three probabilities that sum to 1 are a point in a triangle. A corner is certainty, the cross is "a third each".
# We raise the cat's logit from $-6$ to 6 and leave the dog's and the bird's alone, from three starts:

# %% tags=["fold"] name="triangle"
# Softmax on the triangle: one logit moves.
cat = np.linspace(-6, 6, 25)
starts = {"dog's logit = bird's": 0} | {f"dog's logit = bird's + {d}": d for d in (1, 3)}
lines = {
    name: softmax(np.stack([cat, dog + 0 * cat, 0 * cat], axis=1)) for name, dog in starts.items()
}
picture = plots.simplex(
    lines,
    ("cat", "dog", "bird"),
    alt="A triangle with the corners cat, dog and bird. Three straight rows of dots lead from "
    "the side between dog and bird towards the cat's corner; an arrow shows the direction.",
    title="The cat's logit rises from -6 to 6",
)
(ax,) = picture.fig.axes
ax.plot(*CORNERS.mean(0), "+", color="k", ms=14, mew=2, zorder=5)
start, end = (lines["dog's logit = bird's"] @ CORNERS)[[8, 16]] + (-0.03, 0.06)
ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "0.3"})
picture

# %% [markdown] name="triangle-reading"
# Each path is a straight line towards the cat's corner. What the cat gains, the others lose, *in proportion to what they have*. **Nobody touched their logits: they lose because the sum is 1.** That is one half of the answer.
#
# The loss looks at the right class alone. Here is its value and its slope when all wrong logits are equal. The horizontal axis is the lead of the right logit over the wrong ones.

# %% tags=["fold"] name="shape"
# Loss and slope against the lead of the right logit, for three numbers of classes.
lead = np.linspace(-6, 14, 201)
losses = {}
for C, name in ((3, "3 classes"), (10, "10 classes"), (1000, "1000 classes")):
    z = np.zeros((len(lead), C))
    z[:, 0] = lead
    loss = cross_entropy(z, np.zeros(len(lead), dtype=int))
    losses[name] = loss.value, loss.grad[:, 0]
plots.shape(
    lead,
    losses,
    "lead of the right logit",
    alt="Left, the loss falls along a straight line and then bends towards zero, later for more "
    "classes. Right, its slope "
    "rises from -1 to 0.",
    ylabel="loss (nats)",
)

# %% [markdown] name="shape-reading"
# A wrong model is on the straight part: the slope is nearly $-1$. A right and certain one is at the far right: nothing is left to do. With more classes the right logit must lead by more. There can be many: GPT-2, a model that guesses the next token of a text (a word or a piece of one), chooses among 50,257.
#
# ## Formula
#
# Let $C$ be the number of classes and $z_1, \dots, z_C$ the logits of one example. The softmax (Bridle 1990):
#
# $$p_i = \frac{e^{z_i}}{\sum_{j=1}^{C} e^{z_j}}$$
#
# A **distribution** is a row of numbers from 0 to 1 that sum to 1. The softmax gives one. The label, the number $k$ of the right class, can be written as one, too. A **one-hot** label is 1 at the right class, $y_k = 1$, and 0 at all others.
#
# The loss is minus the logarithm of the right class's probability (Good 1952). The article writes it as a sum in which one term survives:
#
# $$\ell = -\log p_k = -\sum_{i=1}^{C} y_i \log p_i$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $z, p$ | `logits`, `p` | $(N, C)$ | logits and probabilities, a row for each example |
# | $k$ | `labels` | $(N,)$ | the right class, counted from 0 in code |
# | $y$ | `target` | $(N, C)$ | the label as a distribution |
# | $i, j$ | axis $-1$ | | a class |
# | $n$ | axis 0 | | an example (the article writes $i$ for both) |
# | $\ell$ | `.value` | $(N,)$ | loss of each example, in nats |
#
# ## Derivation
#
# ### From the likelihood to the logits
#
# The model says: class $j$ has the probability $p_j$. So the label $y$ has the likelihood $\prod_j p_j^{y_j}$; all exponents but one are 0.

# %% tags=["fold"] name="derive-slope"
# Derivation 1: value and slope.
z, y, p = sp.symbols("z y p", cls=sp.IndexedBase, real=True)
i, j, C = sp.symbols("i j C", integer=True, positive=True)
a = sp.Symbol("a", real=True)
names = {"z": z, "y": y, "p": p, "i": i, "j": j, "C": C, "a": a}
share = sp.exp(z[i]) / sp.Sum(sp.exp(z[j]), (j, 1, C))
given = {"sizes": {C: (2, 3)}, "simplex": [y], "means": {p[i]: share}}
short = "log(Sum(exp(z[j]), (j, 1, C))) - Sum(y[j] * z[j], (j, 1, C))"

def same_for_numbers():  # from the number of the class as from the distribution
    logits, k = np.random.default_rng(0).normal(size=(100, 5)) * 3, np.arange(100) % 5
    pairs = zip(cross_entropy(logits, k), soft_cross_entropy(logits, np.eye(5)[k]), strict=True)
    return all(np.allclose(ours, whole, rtol=1e-12, atol=1e-12) for ours, whole in pairs)

(
    derive(
        r"\ell", "-log(Product(p[j]**y[j], (j, 1, C)))", "minus the log-likelihood", names, **given
    )
    .equals(
        "-Sum(y[j] * log(p[j]), (j, 1, C))", "the logarithm of a product; **the article's loss**"
    )
    .equals(short, r"$\log p_j$ is $z_j$ minus the logarithm of the sum; the $y_j$ sum to 1")
    .library("soft_cross_entropy(z, y).value", lambda z, y: soft_cross_entropy(z, y).value)
    .slope(
        z[i],
        "exp(z[i]) / Sum(exp(z[j]), (j, 1, C)) - y[i]",
        "chain rule for the logarithm; one $y_j z_j$ has $z_i$",
    )
    .equals("p[i] - y[i]", "**prediction minus label**")
    .library("soft_cross_entropy(z, y).grad", lambda z, y: soft_cross_entropy(z, y).grad)
    .law(
        "`cross_entropy(z, k)`",
        "the same value and slope, from the number of the class",
        "100 rows",
        same_for_numbers,
    )
)

# %% [markdown] name="slope-reading"
# The logarithm of the sum of exponentials is called **log-sum-exp**. It is the part that every logit enters, the wrong ones too: the loss looks at one probability, and that probability looks at all logits.
#
# From the second line on, the derivation asks of $y$ only that its numbers sum to 1. So a label may also be a distribution such as $(0.7, 0.3, 0)$.
#
# ### What one gains the others lose
#
# Add the slopes of one example over all classes:

# %% tags=["fold"] name="derive-sum"
# Derivation 2: the slopes sum to zero.
(
    derive(
        r"\sum_{i=1}^{C} \frac{\partial \ell}{\partial z_i}",
        "Sum(p[i] - y[i], (i, 1, C))",
        "all slopes of one example",
        names,
        **given,
    )
    .equals("Sum(p[i], (i, 1, C)) - Sum(y[i], (i, 1, C))", "term by term")
    .equals("0", "both sum to 1: **pushed up as much as down**")
)

# %% [markdown] name="sum-reading"
# A step goes against the slope. The right logit is pushed up by $1 - p_k$. Each wrong one is pushed down by its own $p_i$: the strongest rival most.
#
# ### A number added to every logit
#
# Raise all logits by the same small $a$: the loss changes by $a$ times the sum of the slopes, which is 0. A large $a$ changes nothing either:

# %% tags=["fold"] name="derive-shift"
# Derivation 3: adding one number to every logit changes nothing.
(
    derive(
        r"\ell(z + a)",
        "log(Sum(exp(z[j] + a), (j, 1, C))) - Sum(y[j] * (z[j] + a), (j, 1, C))",
        "the number $a$ on every logit",
        names,
        **given,
    )
    .equals(
        "log(exp(a) * Sum(exp(z[j]), (j, 1, C))) - Sum(y[j] * z[j], (j, 1, C)) - a",
        "$e^a$ is a common factor",
    )
    .equals(short, "its logarithm is $a$, and cancels: **the loss without $a$**")
    .library(
        "soft_cross_entropy(z + a, y).value",
        lambda z, y, a: soft_cross_entropy(z + a[:, None], y).value,
    )
)

# %% [markdown] name="shift-reading"
# That is why code may subtract the largest logit of each row first. Then no exponent is above 0, and nothing overflows. The largest need not be the first:

# %% tags=["fold"] name="overflow"
# The probabilities in float32, computed in three ways.
row = np.array([5, 95, -35], dtype=np.float32)
with np.errstate(all="ignore"):
    ways = {
        "as written": np.exp(row) / np.exp(row).sum(),
        "first logit taken off": np.exp(row - row[0]) / np.exp(row - row[0]).sum(),
        "largest logit taken off": softmax(row),
    }
broken = [np.isnan(p).any() for p in ways.values()]
assert broken == [True, True, False] and ways["largest logit taken off"][1] == 1
Table(
    ["float32", *(f"logit {z:g}" for z in row)],
    [[name, *map("{:.0e}".format, p)] for name, p in ways.items()],
)

# %% [markdown] name="overflow-reading"
# $e^{95}$ and $e^{90}$ are too large for float32. They become infinite, and infinity divided by infinity is no number (NaN).
#
# ### How one probability answers to another logit
#
# Take the slope once more. The label does not depend on the logits, so this is the slope of $p_i$. $\delta_{ij}$ is 1 if $i = j$, else 0.

# %% tags=["fold"] name="derive-curve"
# Derivation 4: the second derivatives.
def slope_of_the_slope(z, y):
    z, y = torch.tensor(z), torch.tensor(y)
    jacobian = torch.autograd.functional.jacobian(lambda z: soft_cross_entropy(z, y).grad.sum(0), z)
    return jacobian.permute(1, 0, 2)

(
    derive(r"\ell", short, "derivation 1", names, **given)
    .library("soft_cross_entropy(z, y).value", lambda z, y: soft_cross_entropy(z, y).value)
    .slope(z[i], "p[i] - y[i]", "derivation 1")
    .slope(
        z[j],
        "exp(z[i]) * (KroneckerDelta(i, j) * Sum(exp(z[j]), (j, 1, C)) - exp(z[j])) / "
        "Sum(exp(z[j]), (j, 1, C))**2",
        "the slope by $z_i$, differentiated by $z_j$: the quotient rule",
        tex=r"\frac{e^{z_i} \big( \delta_{ij} \sum_m e^{z_m} - e^{z_j} \big)}{\big( \sum_m "
        r"e^{z_m} \big)^2}",
    )
    .equals(
        "p[i] * (KroneckerDelta(i, j) - p[j])", r"**both cases, $i = j$ and $i \ne j$, in one**"
    )
    .library(
        "slopes of soft_cross_entropy(z, y).grad",
        slope_of_the_slope,
        "the library's slope, differentiated automatically by PyTorch",
    )
)

# %% [markdown] name="curve-reading"
# When logit $j$ rises, every other $p_i$ falls at the rate $p_i\, p_j$. So all others shrink by the same factor and keep their ratio: a straight line towards the corner.
#
# ## Code

# %% name="source"
show(cross_entropy)

# %% [markdown] name="source-reading"
# `xp` is NumPy or torch. `shifted` has its largest logit at 0. `others` is the sum over the wrong classes. Where the right class leads, `e_k - 1` is 0 and the loss is `log1p(others)`, that is $\log(1 + \text{others})$, exact however small. The slope at the right class, $p_k - 1$, is `-others / (others + e_k)`: a difference of two numbers near 1 would lose its digits.
#
# ## Who taught it?
#
# Eighteen training pictures, two of each digit but the seven. The slopes of their logits, before and after training:

# %% name="batch"
batch = np.concatenate([np.flatnonzero(labels == digit)[:2] for digit in range(10)])
before, after = (
    cross_entropy(x[batch] @ weights, labels[batch]).grad  # a row for each picture
    for weights in (np.zeros((65, 10)), theta)
)

# %% tags=["fold"] name="batch-picture"
# The slopes of one batch as an image: rows are pictures, columns are classes.
fig, axes = plots.panels(2)
titles = ("before training", "after 100 steps")
for ax, grad, title in zip(axes, (before, after), titles, strict=True):
    label = "slope of the logit (blue: pushed up)"
    plots.draw_matrix(ax, grad, "class", "training picture of a", label, title)
    (image,) = ax.images  # few colours: the stored picture keeps each one, on its bar too
    image.set(cmap=image.cmap.resampled(13), clim=(-0.975, 0.975))
    ax.vlines([6.5, 7.5], -0.5, len(batch) - 0.5, color="0.3", lw=1)
    ax.set(xticks=range(10), yticks=range(0, len(batch), 2), yticklabels=labels[batch][::2])
    image.colorbar.set_ticks([-0.9, -0.6, -0.3, 0, 0.3, 0.6, 0.9])
axes[0].images[0].colorbar.remove()
plots.Picture(
    fig,
    "Two images of 18 pictures by 10 classes, on one scale of colours. Before training each row "
    "has one blue cell, its right digit, and nine pale red ones. Column 7, between two lines, "
    "has no blue cell. After training most cells are white; a row that is not has a blue cell "
    "and a red one.",
)

# %% tags=["fold"] name="batch-numbers"
# Over all training pictures: the seven's logit, and how hard the right logit is pushed.
ends = []
for s in setting.seeds:
    x_s, labels_s = load(s)[:2]
    z = x_s @ np.array(train(x_s, labels_s))[[0, -1]]
    pushed = 1 - softmax(z)[:, np.arange(len(labels_s)), labels_s].mean(1)
    ends.append((z[1, :, 7].mean(), *pushed))
sunk, first, last = np.transpose(ends)
assert sunk.max() < -0.3 and last.max() < 0.1
print("mean over all training pictures, median and range over seeds")
print(f"logit of the seven after training:      {spread(sunk, 2)}, from 0")
print(f"push on the right logit after training: {spread(last, 2)}, from {first[0]:.2f}")

# %% [markdown] name="batch-reading"
# Blue is pushed up, red is pushed down. Before training every row has one blue cell, $0.1 - 1$, and nine red ones, 0.1. **Column 7 has no blue cell.** No picture asks for more of a seven. (The pictures share their weights, so a push on one moves the others. On average the seven's logit falls, to $-0.48$.)
#
# After training most rows are white: those pictures have little left to teach. A coloured row is a doubt, and its push goes to the right class and its rivals.
#
# So there are two teachers. *Every picture* asks for less of a seven: the slope is $p_7 - 0 > 0$. And every picture asks for more of its right digit; the sum of 1 does the rest. How long does it go on?

# %% tags=["fold"] name="falling"
# The mean probability of a seven over the steps, over seeds.
plots.lines(
    np.arange(101),
    {"all test pictures": plots.band(everywhere), "the sevens": plots.band(sevens)},
    "step",
    "mean probability of a seven (log)",
    "Two curves with narrow bands fall from 0.1, steeply at first and then less and less. The "
    "one over all test pictures is lower.",
    title="It falls more and more slowly (band: all seeds)",
    log="y",
)

# %% [markdown] name="falling-reading"
# The seven's own logit is pushed by $p_7$: the smaller it is, the weaker the push. The right logit is pushed by $1 - p_k$, and that fades as well, from 0.90 to 0.06. So the probability falls more and more slowly. Exercise 3 finds the law for a model without pixels.
#
# ## Parity
#
# Value and slope agree with `torch.nn.functional.cross_entropy` to rounding, for every option and number format. (PyTorch wants the classes on axis 1, we on the last. The table for labels that are distributions stands in the lesson *Labels that are distributions*.)

# %% tags=["fold-all", "nbval-ignore-output"] name="parity"
# Parity with PyTorch.
parity.table("cross_entropy", setting.device)

# %% [markdown] name="play"
# ## Play
#
# The picture shows a cat (orange: the right class). The dog's logit is 1, the bird's 0. Move the cat's.
#
# 1. Between which two logits does the push on the cat fall below 0.5? Why not at 1, the dog's logit?
# 2. At $-5$ the loss is about 6.3, at $-3$ about 4.3. How much stronger is the push on the cat's logit at $-5$?

# %% tags=["fold"] name="play-picture"
# The figure to move: one logit, the point in the triangle, the probabilities and the pushes.
fig, (triangle, chances, pushes) = plots.panels(3)
fig.set_size_inches(10.5, 3.6)
plots.draw_simplex(triangle, ("cat", "dog", "bird"))
triangle.plot(*(lines["dog's logit = bird's + 1"] @ CORNERS).T, color="0.7", lw=1)
animals, colours = ("cat", "dog", "bird"), (orange, blue, blue)
for ax, ylim, name in (
    (chances, (0, 1.05), "probability p"),
    (pushes, (-1.05, 1.05), "push on the logit, y - p"),
):
    ax.set(xticks=range(3), xticklabels=animals, ylim=ylim, ylabel=name)
pushes.axhline(0, color="0.4", lw=1)
half = np.log(np.e + 1)  # the cat's logit at which the push on it is 0.5
assert round(half, 2) == 1.31 and np.isclose(softmax(np.array([half, 1.0, 0.0]))[0], 0.5)

def raise_the_cat(triangle, chances, pushes, logit):
    z = np.array([[logit, 1.0, 0.0]])
    loss, p = cross_entropy(z, np.array([0])), softmax(z)
    plots.draw_probabilities(triangle, {"": p})
    chances.bar(range(3), p[0], color=colours)
    pushes.bar(range(3), -loss.grad[0], color=colours)
    cat, dog, bird = p[0]
    return (
        f"Loss {loss.value[0]:.3g}. Probabilities: cat {cat:.3g}, dog {dog:.3g}, bird {bird:.3g}. "
        f"Pushes: cat up {1 - cat:.3g}, dog down {dog:.3g}, bird down {bird:.3g}."
    )

plots.moving(
    fig,
    "the cat's logit",
    [*np.arange(-6, 6.5, 0.5)],
    raise_the_cat,
    start=0.0,
    alt="A triangle with a point between its centre and the dog's corner; bars of three "
    "probabilities; bars of three "
    "pushes, the cat's upwards, the dog's and the bird's downwards.",
)

# %% [markdown] name="play-reading"
# <details><summary>Answers</summary>
#
# 1. Between 1 and 1.5. At 1 the cat is as probable as the dog, 0.42 each, and the push is 0.58. For a push of 0.5 it must be as probable as dog and bird together: $e^z = e^1 + e^0$, so $z = 1.31$.
# 2. Hardly: 0.998 against 0.987. A push is prediction minus label, so no example pushes a logit by more than 1, however wrong the model is.
#
# </details>
#
# ## What breaks
#
# The article's first step is "obtain the predicted *distribution*". Who takes that literally ends the model with a softmax, and hands probabilities to a loss that expects logits. The loss applies a second softmax. There is no error and no warning. We train on all ten digits, both ways: 150 steps, learning rate 2. One line differs, what the loss is handed:

# %% name="two-ways"
ways = {"logits": lambda z: z, "probabilities": lambda z: torch.softmax(z, -1)}

# %% tags=["fold"] name="two-ways-runs"
# Both ways, for every seed: the training loss, and the share of test pictures that are read right.
loss_of = bridge.as_autograd(cross_entropy)  # our value and gradient, for torch

def train_by(way, x, labels, lr=2.0, steps=150):
    def gradient(theta):
        theta = theta.clone().requires_grad_()
        loss = loss_of(ways[way](x @ theta), labels).mean()
        return torch.autograd.grad(loss, theta)[0]
    return torch.stack(descend(x.new_zeros(65, 10), SGD(lr), gradient, steps))

def tensors(seed):
    return [torch.as_tensor(part, device=setting.device) for part in load(seed, missing=None)]

def accuracy(trail, x, labels):
    return ((x @ trail).argmax(-1) == labels).double().mean(-1).cpu().numpy()

fall, right = {way: [] for way in ways}, {way: [] for way in ways}
for s in setting.seeds:
    x_s, labels_s, x_t, labels_t = tensors(s)
    for way in ways:
        trail = train_by(way, x_s, labels_s)
        values = loss_of(ways[way](x_s @ trail), labels_s.expand(len(trail), -1)).mean(-1)
        fall[way].append(values.cpu().numpy())
        right[way].append(accuracy(trail, x_t, labels_t))

# %% tags=["fold"] name="two-ways-picture"
# Loss and accuracy of both ways.
floor = np.log(1 + 9 / np.e)
plots.side_by_side(
    np.arange(1, 151),
    {
        **{way: plots.band(np.array(fall[way])[:, 1:]) for way in ways},
        "log(1 + 9/e)": np.full(150, floor),
    },
    {way: plots.band(np.array(right[way])[:, 1:]) for way in ways},
    "step (log)",
    ("training loss (nats)", "share right, test pictures"),
    "Left: the loss from logits falls towards 0, that from probabilities levels off just above "
    "a line at 1.46. Right: both "
    "ends meet at about the same accuracy; from probabilities it rises later.",
    titles=("The loss is stuck", "The accuracy is not"),
    logs=("x", "x"),
)

# %% tags=["fold"] name="two-ways-numbers"
# The numbers in the picture.
ends = {way: (np.array(fall[way])[:, -1], np.array(right[way])[:, -1]) for way in ways}
for way, (value, share_right) in ends.items():
    print(f"handed {way:14} loss {spread(value, 2)}, right {spread(share_right, 2)}")
dip = np.array(right["probabilities"])[:, 1:11]
print(f"lowest share right on the way, handed probabilities: {spread(dip.min(1), 2)}")
print(f"log(1 + 9/e) = {floor:.3f}")
behind = 100 * (ends["probabilities"][1] - ends["logits"][1])
print(f"share right, probabilities minus logits, paired: {spread(behind, 1)} points")
assert (ends["probabilities"][0] - floor).max() < 0.1
assert ends["logits"][0].max() < 0.15 and abs(behind).max() < 2

# %% [markdown] name="two-ways-reading"
# (The curves begin after the first step.) From probabilities the accuracy dips to 0.81, then comes to within about a point of that from logits. So it hides the mistake at this learning rate. The loss betrays it at every rate: it never falls below 1.46. (At a small rate the accuracy betrays it too: table in "Does it hold?".) Where does 1.46 come from? Let class 1 be the right one, and let $p$ stand where the logits should be:

# %% tags=["fold"] name="derive-floor"
# Derivation 5: the lowest loss of probabilities that are taken for logits.
(
    derive(
        r"\ell",
        "log(Sum(exp(p[j]), (j, 1, C))) - p[1]",
        "the loss, with $p$ in place of $z$",
        names,
        sizes={C: (2, 3)},
        simplex=[p],
    )
    .equals("log(Sum(exp(p[j] - p[1]), (j, 1, C)))", "divide by $e^{p_1}$ inside the logarithm")
    .library(
        "cross_entropy(p, 0).value", lambda p: cross_entropy(p, np.zeros(len(p), dtype=int)).value
    )
    .at_least(
        "log(1 + (C - 1) * exp(-1))", "the first term is 1; no other $p_j - p_1$ is below $-1$"
    )
    .law(
        "reached where $p$ is one-hot",
        "$p_1 = 1$ and all other $p_j = 0$",
        "the library's value, C = 10",
        lambda: np.isclose(cross_entropy(np.eye(10)[:1], np.array([0])).value[0], floor),
    )
)

# %% [markdown] name="floor-reading"
# For ten classes the bound is 1.46. A model reaches it only by being certain and right.
#
# And the push? It goes through two softmaxes. Let $q$ be the softmax of $p$. By the chain rule, with derivation 4 for the inner one,
#
# $$\frac{\partial \ell}{\partial z_j} = \sum_{i=1}^{C} (q_i - y_i)\, p_i\, (\delta_{ij} - p_j)$$
#
# At the start all logits are equal, and every $p_i$ and $q_i$ is $1/C$. The terms with $p_j$ cancel, since the $q_i - y_i$ sum to 0. What is left is $(q_j - y_j) / C$: the right slope, **divided by the number of classes**.

# %% tags=["fold"] name="weak-push"
# The push on the logits at the start, by PyTorch's automatic derivative.
def push(way, z):
    z = z.clone().requires_grad_()
    return torch.autograd.grad(loss_of(ways[way](z), torch.tensor(1)), z)[0].norm().item()

rows = []
for C in (10, 1000, 50257):
    start = torch.zeros(C, dtype=torch.float64)
    weaker = push("logits", start) / push("probabilities", start)
    rows.append([f"{C:,}", np.log(1 + (C - 1) / np.e), f"{weaker:,.0f} times"])
    assert np.isclose(weaker, C)
Table(["classes", "lowest loss (nats)", "push at the start, too weak by"], rows)

# %% [markdown] name="breaks-reading"
# With ten classes the accuracy above came later. What the probabilities mean is lost (last picture). With GPT-2's 50,257 tokens a plain step (learning rate times slope) from equal logits is 50,257 times too short.
#
# **The cure:** hand over logits. **The test:** do the rows that you hand to the loss sum to 1? Then they are probabilities.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it. All arrays are NumPy's.
#
# ### 1. Another floor (6 minutes, medium)
# Some models allow logits between $-1$ and 1 only, and people wonder why the loss stays high. Let each of the `classes` logits lie between `low` and `high`. Find the lowest loss that one example can have.

# %% name="exercise-floor"
def loss_floor(classes, low, high):
    ### BEGIN SOLUTION
    return np.log(1 + (classes - 1) * np.exp(low - high))
    ### END SOLUTION

# %% name="check-floor"
check("loss_floor")

# %% [markdown] name="exercise-grad-text"
# <details><summary>Hint 1</summary>Which logit should the right class have, and which all the others?</details>
# <details><summary>Hint 2</summary>Follow derivation 5: there low is 0 and high is 1.</details>
#
# ### 2. Cross-entropy itself (10 minutes, medium)
# `logits` has the shape `(N, C)`, `labels` are integers of the shape `(N,)`. Return the loss of each example, shape `(N,)`, and its slopes, shape `(N, C)`. Both must be finite for any logits, also for 800.

# %% name="exercise-grad"
def ce_grad(logits, labels):
    ### BEGIN SOLUTION
    shifted = logits - logits.max(axis=-1, keepdims=True)
    e = np.exp(shifted)
    s = e.sum(axis=-1, keepdims=True)
    y = np.eye(logits.shape[-1])[labels]
    value = np.log(s[:, 0]) - (y * shifted).sum(axis=-1)
    return value, e / s - y
    ### END SOLUTION

# %% name="check-grad"
check("ce_grad")

# %% [markdown] name="exercise-forget-text"
# <details><summary>Hint 1</summary><code>np.eye(C)[labels]</code> are the one-hot rows; <code>keepdims=True</code> keeps the shape (N, 1).</details>
# <details><summary>Hint 2</summary>The loss is log-sum-exp minus the right logit. Derivation 3: take each row's largest logit off first, in both terms.</details>
# <details><summary>Hint 3</summary>Never take the logarithm of a probability: it may have been rounded to 0.</details>
#
# ### 3. How fast does a class die? (9 minutes, hard)
# A model without inputs: just one logit for each of `classes` classes, all 0 at the start. The last class never occurs, the others equally often. A step subtracts `lr` times the slope of the mean loss, $p - y$, where $y$ holds the shares of the classes. After how many steps is the last probability below `limit` for the first time?
#
# Then try `steps_to_forget(10, 1.0, limit)` for the limits 0.01, 0.001 and 0.0001. What is the law?

# %% name="exercise-forget"
def steps_to_forget(classes, lr, limit):
    ### BEGIN SOLUTION
    y = np.append(np.full(classes - 1, 1 / (classes - 1)), 0.0)
    z, steps = np.zeros(classes), 0
    while True:
        p = np.exp(z) / np.exp(z).sum()
        if p[-1] < limit:
            return steps
        z, steps = z - lr * (p - y), steps + 1
    ### END SOLUTION

# %% name="check-forget"
check("steps_to_forget")

# %% [markdown] name="forget-hints"
# <details><summary>Hint 1</summary>With nine seen classes, y is nine times 1/9 and a 0. A loop: probabilities, look, step.</details>
# <details><summary>The law</summary>
#
# 82, 893 and 8,994 steps: a tenth of the probability needs ten times the steps. A step lowers the last logit by $p$ and raises each other one by $p / (C - 1)$: the gap grows by $\frac{C}{C - 1}\, p$. By derivation 4 the probability answers with another factor $p$. So $p$ loses about $\frac{C}{C - 1}\, p^2$ a step (learning rate 1), and $1/p$ grows by a constant, here 10/9. That makes 81, 891 and 8,991 steps.
#
# </details>

# %% tags=["fold-all"] name="forget-law"
# The law of exercise 3, counted (folded with its numbers: look after you have tried).
shares = np.append(np.full(9, 1 / 9), 0)
p = softmax(np.array(descend(np.zeros(10), SGD(1.0), lambda z: softmax(z) - shares, 9000)))[:, -1]
limits = (0.01, 0.001, 0.0001)
counted, grown = [int((p >= a).sum()) for a in limits], [round((1 / a - 10) * 0.9) for a in limits]
assert counted == [82, 893, 8994] and grown == [81, 891, 8991]
rows = zip(map("{:g}".format, limits), counted, grown, strict=True)
Table(["limit", "steps", "steps if 1/p grew by 10/9 a step"], rows)

# %% [markdown] name="takeaways"
# ## Takeaways
#
# - A class without examples is not left alone: every example pushes it down. Even pictures of it then get a small probability. Do not read that as knowledge.
# - On logits, the slope is prediction minus label. Handed probabilities, the loss never falls below $\log (1 + (C - 1) / e)$, and where all logits are equal, its push is $C$ times too weak.
# - Do not use this loss where several classes may be right at once: give each one a sigmoid.
#
# ## Does it hold?
#
# Is the seven special? We leave out one digit after the other, three seeds each. The mean probability of the missing digit after 100 steps:

# %% tags=["fold", "nbval-ignore-output"] name="control-each"
# Every digit left out once.
rows = []
for digit in range(10):
    p = []
    for s in setting.seeds[:3]:
        x_s, labels_s, x_t, labels_t = load(s, digit)
        found = softmax(x_t @ train(x_s, labels_s)[-1])[:, digit]
        p.append((found.mean(), found[labels_t == digit].mean()))
    rows.append([digit, *(spread(column) for column in np.transpose(p))])
    assert np.max(p) < 0.03
Table(["missing", "over all test pictures", "over its own test pictures"], rows)

# %% [markdown] name="control-teachers-text"
# It is not. Which of the two teachers does it? We hold the seven's weights at 0, so that nothing pushes its logit. Or we hold all others, and only the seven's logit moves; three seeds each. The last row trains on pictures that were centred on all ten digits, sevens too.

# %% tags=["fold", "nbval-ignore-output"] name="control-teachers"
# One teacher at a time; and both, where the missing sevens left a trace in the pictures.
seven, rows = np.arange(10) == 7, []
runs = {
    "both": (1.0, True),
    "only the others' logits": (~seven, True),
    "only the seven's logit": (seven, True),
    "both, centred on all ten": (1.0, False),
}
for name, (moved, centred) in runs.items():
    p = []
    for s in setting.seeds[:3]:
        x_s, labels_s, x_t, labels_t = load(s, centred=centred)
        weights = train(x_s, labels_s, moved)[-1]
        found = softmax(x_t @ weights)[:, 7]
        p.append((found.mean(), found[labels_t == 7].mean()))
        assert moved is not seven or np.allclose(weights[:64], 0)
    rows.append([name, *(spread(column) for column in np.transpose(p))])
    assert np.max(p) < 0.04
Table(["what moves", "p of a seven, all test pictures", "over the sevens"], rows)

# %% [markdown] name="control-rates-text"
# Each teacher alone brings it down. With only the seven's logit free, the push is the same from every picture. The pictures are centred, so it cancels in the weights and moves only the constant: 0.009 for every picture. With the trace, the sevens end at 0.02.
#
# Does the accuracy always hide the second softmax? Both ways after 150 steps, three seeds each, at four learning rates:

# %% tags=["fold", "nbval-ignore-output"] name="control-rates"
# The share of test pictures that are read right, both ways, paired over the seeds.
rows = []
for lr in (0.1, 0.5, 2.0, 8.0):
    found = []
    for s in setting.seeds[:3]:
        x_s, labels_s, *test = tensors(s)
        found.append([accuracy(train_by(way, x_s, labels_s, lr)[-1], *test) for way in ways])
    from_logits, from_p = np.transpose(found)
    gap = 100 * (from_p - from_logits)
    rows.append([f"{lr:g}", spread(from_logits), spread(from_p), spread(gap, 1)])
    assert lr > 0.1 or gap.max() < -4
Table(["learning rate", "right, logits", "right, probabilities", "difference, points"], rows)

# %% [markdown] name="control-meaning-text"
# At a small rate the accuracy betrays it: at 0.1 it is 5 to 9 points behind. At 8 it is no worse.
#
# What do probabilities mean after the second softmax? Take many examples that look the same. In some share of them class 1 is right, in the others any other class, all equally often. Which $p_1$ has the lowest mean loss?

# %% tags=["fold"] name="control-meaning"
# The best p on a grid of 1001, for the right loss and for the mistake.
share, grid, best = np.arange(1, 100) / 100, np.arange(1001) / 1000, {}

def split(first, C):  # class 1 has `first`, the others share the rest
    return np.column_stack([first, *[(1 - first) / (C - 1)] * (C - 1)])

for C in (2, 10):
    p = split(grid, C)
    handed = {"logits": np.log(np.maximum(p, 1e-9)), f"probabilities, {C} classes": p}
    for name, z in handed.items():
        losses_of = [soft_cross_entropy(z, np.tile(y, (1001, 1))).value for y in split(share, C)]
        best[name] = grid[np.argmin(losses_of, axis=1)]
    most = np.e / (np.e + C - 1)
    print(f"{C:2} classes: certain from a share of e / (e + {C - 1}) = {most:.2f} on")
    assert np.allclose(best["logits"], share, atol=0.002)
    certain = share[best[f"probabilities, {C} classes"] == 1]
    assert abs(certain.min() - most) < 0.02 and len(certain) > 20
plots.lines(
    share,
    best,
    "share of class 1",
    "best probability of class 1",
    "A diagonal for logits. For probabilities the curve is steeper: with two classes it reaches 1 "
    "at a share of 0.73, with ten at 0.23.",
)

# %% [markdown] name="sources"
# Handed logits, the best $p_1$ is the share, for two classes and for ten. Handed probabilities it is 1 from a share of 0.73 on, and with ten classes from 0.23 on. The reason: where $p_1$ is 1, the second softmax makes $e / (e + C - 1)$ of it, and it cannot make more.
#
# ## Sources
#
# - I. J. Good, 1952: *Rational decisions*. The loss.
# - J. S. Bridle, 1990: *Probabilistic interpretation of feedforward classification network outputs*. The softmax.
# - P. Blanchard, D. J. Higham and N. J. Higham, 2021: *Accurately computing the log-sum-exp and softmax functions*. Why the largest logit is taken off.
# - A. Radford, J. Wu, R. Child, D. Luan, D. Amodei and I. Sutskever, 2019: *Language models are unsupervised multitask learners*. GPT-2 and its 50,257 tokens.
