# ---
# jupyter:
#   lesson:
#     title: "The map"
#     question: "Seven optimizers from 1951 to 2024, seven learning rates, seven seeds. Which choice decides how good the model gets?"
#     minutes: 40
#     needs: []
#     settles: [E16, E19]
#     studies: [losses.binary_cross_entropy, losses.squared_error, losses.absolute_error]
#     terms: [noise model, output layer, tuning budget]
#     claims:
#       C7: {verdict: conditional, cell: two-losses, says: "Cross-entropy follows from a noise model for classes, so it is the default. It is not a law: on digits a network trained with squared error ends near it after 1000 steps, and far behind after 150."}
#       C8: {verdict: conditional, cell: loss-map, says: "Squared error is minus the log of a Gaussian, absolute error of a Laplace distribution. They fit numbers with such errors. Counts have another noise model and another loss."}
#       C9: {verdict: confirmed, cell: tree, says: "All update rules of the library descend from gradient descent. Newton's method stands on a branch of its own."}
#       C10: {verdict: conditional, cell: answer-numbers, says: "The article gives no evidence. On digits, seven optimizers from 1951 to 2024, tuned with equal budgets, differ less than one optimizer does with other seeds. Large models were not measured here."}
#       C11: {verdict: conditional, cell: budget-table, says: "A comparison shows where an optimizer fits only under equal budgets. With one tried rate the ranking is another than with 21."}
#       C12: {verdict: conditional, cell: tree, says: "Both topics exist: a learned optimizer of 2016, an adaptive robust loss of 2017. The article announces them and gives them no section."}
# ---

# %% [markdown] name="goal"
# # The map
#
# **Goal.** See on one page the main losses and optimizers, where each comes from, and which choice among them matters most.
#
# A *model* turns an input into a prediction, with numbers inside that can be changed, its *parameters*. A *loss* says how bad one prediction is. An *optimizer* changes the parameters in small steps so that the loss falls. The *learning rate* says how long the steps are. A *seed* decides all that is left to chance: which examples are kept for the test, how the parameters start, which examples come first.
#
# **The question.** A small network learns to read handwritten digits, many times. We count its mistakes on *test digits*, which training never sees. In each strip below one choice takes seven values; the others are set well and stay. One strip is **the optimizer**: seven of them, invented between 1951 and 2024, each at its own best learning rate. One is **the learning rate**, from 30 times too small to 30 times too large. One is **the seed**. (A dot of the optimizer or of the learning rate is the mean of 20 seeds.) Which strip is which?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
from math import comb
from typing import NamedTuple

import numpy as np
import sympy as sp

from lessons_lib import bridge, data, exercises, losses, optim, plots, second_order
from lessons_lib.derive import derive
from lessons_lib.optim import LAMB, SGD, Adam, AdamW, Momentum, Muon, RMSProp
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("01_background/02_the_map")
BLUE, RED, _ = COLOURS = ("#0072B2", "#D55E00", "#009E73")

# %% tags=["fold"] name="training"
# The network (64 pixels, 24 hidden units, 10 scores) and its training, for all rates and seeds.
class Problem(NamedTuple):  # the digits, split and ordered by each seed
    seeds: list
    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

def with_one(x):  # a column of ones: the bias
    return np.concatenate([x, np.ones((*x.shape[:-1], 1))], axis=-1)

def digits(seeds):
    x, y, x_test, y_test = map(np.stack, zip(*map(data.digits, seeds), strict=True))
    return Problem(list(seeds), with_one(x), y, with_one(x_test), y_test)

def scores(theta, x):
    hidden = with_one(np.maximum(x @ theta["hidden"], 0))
    return hidden @ theta["output"], hidden

def gradient(theta, x, y, loss):
    z, hidden = scores(theta, x)
    g = loss(z, np.broadcast_to(y, z.shape[:-1])).grad / x.shape[-2]
    back = (g @ theta["output"].mT)[..., :-1] * (hidden[..., :-1] > 0)
    return {"hidden": x.mT @ back, "output": hidden.mT @ g}

class AtRates(NamedTuple):  # a rule at rate 1; each run multiplies the step by its own rate
    rule: object
    lr: np.ndarray

    def init(self, theta):
        if self.rule.elementwise:
            return self.rule.init(theta)
        return [self.rule.init(m) for m in theta.reshape(-1, *theta.shape[-2:])]

    def update(self, theta, g, state):
        if self.rule.elementwise:
            moved, state = self.rule.update(theta, g, state)
        else:  # one matrix at a time
            each = [a.reshape(-1, *a.shape[-2:]) for a in (theta, g)]
            moved, state = zip(*map(self.rule.update, *each, state), strict=True)
            moved = np.reshape(moved, theta.shape)
        return theta + self.lr * (moved - theta), state

def mistakes(z, y):
    return (z.argmax(-1) != y) | ~np.isfinite(z).all(-1)

def train(kind, rates, problem, steps=150, loss=losses.cross_entropy, looks=(), count=mistakes):
    """Which test digits are wrong: (rates, seeds, digits), or a list of them, one for each look."""
    rngs = [np.random.default_rng(s) for s in problem.seeds]
    start = {"hidden": (65, 24, 2 / 65), "output": (25, 10, 1 / 25)}  # rows, columns, variance
    theta = {}
    for name, (rows, columns, variance) in start.items():
        drawn = np.stack([rng.normal(0, variance**0.5, (rows, columns)) for rng in rngs])
        theta[name] = np.broadcast_to(drawn, (len(rates), *drawn.shape)) + 0.0
    draws = [rng.integers(problem.y.shape[1], size=(steps, 32)) for rng in rngs]
    rule = optim.Each(AtRates(kind(lr=1.0), np.reshape(rates, (-1, 1, 1, 1))))
    state, row, found = rule.init(theta), np.arange(len(rngs))[:, None], []
    with np.errstate(all="ignore"):  # a run that diverges ends with all digits wrong
        for t, n in enumerate(np.stack(draws, axis=1), 1):
            g = gradient(theta, problem.x[row, n], problem.y[row, n], loss)
            theta, state = rule.update(theta, g, state)
            if t in (looks or (steps,)):
                z = scores(theta, problem.x_test)[0]
                found.append(count(z, problem.y_test))
    return found if looks else found[0]

# %% tags=["fold"] name="race"
# The race: every optimizer at every rate and seed; all other options as the library has them.
rates = 10.0 ** np.arange(-4, 1.1, 0.25)  # 21 rates
rules = {
    "SGD (1951)": SGD,
    "momentum (1964)": Momentum,
    "RMSProp (2012)": RMSProp,
    "Adam (2014)": Adam,
    "AdamW (2017)": AdamW,
    "LAMB (2019)": LAMB,
    "Muon (2024)": Muon,
}
problem = digits(setting.seeds)
elementwise = [name for name, kind in rules.items() if kind.elementwise]
wrong = {name: train(rules[name], rates, problem) for name in elementwise}

# %% tags=["fold"] name="race-matrices"
# The race goes on: two optimizers that look at a whole matrix.
wrong |= {name: train(kind, rates, problem) for name, kind in rules.items() if name not in wrong}

# %% tags=["fold"] name="strips"
# Three strips of dots: one choice changes in each. Five seeds pick the rates, 20 others count.
def errors(wrong):  # of 100 test digits, for each rate and seed
    return 100 * wrong.mean(-1)

best = {name: errors(w).mean(1).argmin() for name, w in wrong.items()}
assert all(0 < i < len(rates) - 1 for i in best.values())
more = digits(range(seed + 100, seed + 120))
final = {name: errors(train(kind, rates[[best[name]]], more))[0] for name, kind in rules.items()}
sevens = rates[best["Adam (2014)"] + 2 * np.arange(-3, 4)]
at_rates = errors(train(Adam, sevens, more)).mean(1)
strips = {
    "strip A": final["Adam (2014)"][:7],
    "strip B": np.mean([*final.values()], axis=1),
    "strip C": at_rates,
}
fig, (ax,) = plots.panels()
fig.set_size_inches(7.2, 2.6)
for i, (dots, colour) in enumerate(zip(strips.values(), COLOURS, strict=True)):
    shift = np.random.default_rng(0).uniform(-0.15, 0.15, len(dots))
    ax.plot(dots, i + shift, "o", ms=6, alpha=0.6, mew=0, color=colour)
ax.set(xscale="log", yticks=range(3), yticklabels=strips, ylim=(2.5, -0.5))
ax.set_xticks([2, 3, 5, 10, 20, 50, 90], labels=["2", "3", "5", "10", "20", "50", "90"])
ax.minorticks_off()
ax.set(xlabel="wrong test digits of 100 (log)", title="One choice changes in each strip")
plots.Picture(
    fig,
    alt="Three horizontal strips of dots over the share of wrong test digits, on a logarithmic "
    "axis. Strip A: seven dots between 3 and 7 of 100. Strip B: seven dots close together "
    "around 4. Strip C: seven dots from 4 to about 60.",
)

# %% [markdown] name="idea"
# Make your guess; the answer comes after the race. First the map itself. It has two halves: what is made small, and who makes it small.
#
# ## The losses, drawn
#
# No loss falls from the sky. Begin with the targets: which ones are likely, given what the model predicts? That is the **noise model**: it gives every possible target its probability. The last step of a model, the **output layer**, brings its raw output $z$ into the range that the noise model needs: a probability, a positive rate, or any number. Above each picture stands the name of the noise model or of the loss. (*Softmax* does for many classes what the *sigmoid* does for two: it makes probabilities. *Outliers* are targets far off.)

# %% tags=["fold"] name="loss-map"
# Above: how likely is each target? Below: the library's loss over the raw output, target fixed.
z = np.linspace(-4, 4, 161)
r = np.linspace(-4, 4, 161)
right = np.stack([z, 0 * z, 0 * z], axis=1)
rate = 3.0
counts = np.arange(9)
bars_of = {
    "yes or no": (["no", "yes"], [0.3, 0.7]),
    "one of many": (["cat", "dog", "bird"], [0.6, 0.3, 0.1]),
    "a count": (counts, [np.exp(-rate) * rate**k / np.prod(range(1, k + 1)) for k in counts]),
}
curves_of = {
    "a number": np.exp(-(r**2) / 2) / np.sqrt(2 * np.pi),
    "a number, outliers": np.exp(-abs(r)) / 2,
}
label = np.zeros(len(z), dtype=int)
below = {  # task: (noise model, output layer, what the target is, the loss)
    "yes or no": ("Bernoulli", "sigmoid", "yes", losses.binary_cross_entropy(z, 0 * z + 1)),
    "one of many": ("categorical", "softmax", "cat", losses.cross_entropy(right, label)),
    "a number": ("Gaussian", "none", "0", losses.squared_error(z, 0 * z)),
    "a number, outliers": ("Laplace", "none", "0", losses.absolute_error(z, 0 * z)),
    "a count": ("Poisson", "exp", "3", losses.poisson_nll(z, 0 * z + 3)),
}
likely = {  # what the noise model says of the target, up to a factor
    "yes or no": 1 / (1 + np.exp(-z)),
    "one of many": np.exp(z) / (np.exp(z) + 2),
    "a count": np.exp(3 * z - np.exp(z)),
    **curves_of,
}
for task, (*_, loss) in below.items():  # minus its logarithm, up to a constant and a factor
    assert np.corrcoef(loss.value, -np.log(likely[task]))[0, 1] > 1 - 1e-9
named = ["binary cross-entropy", "cross-entropy", "squared error", "absolute error", "Poisson loss"]
fig, _ = plots.panels()
fig.clear()
fig.set_size_inches(11, 4.6)
axes = fig.subplots(2, 5)
for i, (task, (noise, layer, target, loss)) in enumerate(below.items()):
    top, low = axes[:, i]
    if task in bars_of:
        at, heights = bars_of[task]
        top.bar(at, heights, color=BLUE)
        top.set(xlabel="target", xticks=at[::4] if task == "a count" else at)
    else:
        top.fill_between(r, curves_of[task], color=BLUE, alpha=0.5)
        top.plot(r, curves_of[task], color=BLUE)
        top.set(xlabel="target - prediction", xticks=[-4, 0, 4])
    top.set_title(f"{task}\n{noise}", fontsize=10)
    low.plot(z, loss.value, color=RED)
    low.set_title(f"{named[i]}\noutput layer: {layer}", fontsize=9)
    low.set(xlabel=f"raw output z (target: {target})")
    low.set_xticks([-4, 0, 4])
    for ax in (top, low):
        ax.spines[["top", "right"]].set_visible(False)
axes[0, 0].set_ylabel("how likely")
axes[1, 0].set_ylabel("loss")
plots.Picture(
    fig,
    alt="Five columns. Above, the noise models: two bars for yes or no, three bars for classes, "
    "a bell for a number, a pointed tent for a number with outliers, a row of bars for a count. "
    "Below, the losses over the raw output: two curves that fall and flatten, a parabola, "
    "a V, and a valley that is steep on its right side.",
)

# %% [markdown] name="formula"
# Each loss below is minus the logarithm of what the noise model above it says of the fixed target, up to a constant and a factor. **The loss column of the map follows from the noise column.** A likely target costs little. An unlikely one costs much, and the shape of the noise model says how much.
#
# ## Formula
#
# One line makes nearly all of this half of the map:
#
# $$\ell = -\log p(y)$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $y$ | `y` | a number | the target of one example |
# | $p(y)$ | | a number $> 0$ | how probable this target is under the noise model (for numbers: the height of its curve) |
# | $z$, $\mu$ (mu) | `z`, `mu` | a number | the raw output; where no output layer changes it, we call it $\mu$ |
# | $\ell$ | `.value` | a number | the loss of one example |
#
# ## Derivation
#
# Three times the same pattern: write the noise model down, take minus the logarithm, compare with the library. For yes or no the target $y$ is 1 or 0, and the probability of "yes" is the sigmoid of $z$: $p = \frac{1}{1 + e^{-z}}$.

# %% tags=["fold"] name="derive-bernoulli"
# Derivation 1: yes or no.
z_, y_, mu_ = sp.Symbol("z", real=True), sp.Symbol("y", real=True), sp.Symbol("mu", real=True)
yes = sp.Symbol("p", positive=True)
(
    derive(
        r"\ell",
        "-log(p**y * (1 - p)**(1 - y))",
        "Bernoulli: $p$ if $y = 1$, $1 - p$ if $y = 0$",
        {"p": yes, "z": z_, "y": y_},
        ranges={y_: (0, 1)},
        means={yes: 1 / (1 + sp.exp(-z_))},
    )
    .equals("log(1 + exp(z)) - y * z", "the logarithm of a product, with $p$ put in")
    .library(
        "binary_cross_entropy(z, y).value",
        lambda z, y: losses.binary_cross_entropy(z, y).value,
    )
    .slope(z_, "p - y", "**prediction minus target**")
    .library(
        "binary_cross_entropy(z, y).grad",
        lambda z, y: losses.binary_cross_entropy(z, y).grad,
    )
)

# %% [markdown] name="gauss-text"
# A number whose error is bell-shaped, one unit wide:

# %% tags=["fold"] name="derive-gauss"
# Derivation 2: a number with Gaussian noise.
both = {"mu": mu_, "y": y_}
(
    derive(
        r"\ell",
        "-log(exp(-(mu - y)**2 / 2) / sqrt(2 * pi))",
        "Gaussian: a bell around $\\mu$",
        both,
        tex=r"-\log \frac{e^{-(\mu - y)^2 / 2}}{\sqrt{2 \pi}}",
    )
    .equals(
        "(mu - y)**2 / 2 + log(2 * pi) / 2",
        "half the squared error, and a constant",
        tex=r"\frac{(\mu - y)^2}{2} + \frac{\log 2 \pi}{2}",
    )
    .library(
        "squared_error(mu, y).value / 2 + log(2 pi) / 2",
        lambda mu, y: losses.squared_error(mu, y).value / 2 + np.log(2 * np.pi) / 2,
    )
    .slope(mu_, "mu - y", "**prediction minus target** again")
    .library("squared_error(mu, y).grad / 2", lambda mu, y: losses.squared_error(mu, y).grad / 2)
)

# %% [markdown] name="laplace-text"
# A number with errors that are mostly small and sometimes very large:

# %% tags=["fold"] name="derive-laplace"
# Derivation 3: a number with Laplace noise.
(
    derive(
        r"\ell",
        "-log(exp(-Abs(mu - y)) / 2)",
        "Laplace: a pointed tent around $\\mu$",
        both,
        tex=r"-\log \frac{e^{-\lvert \mu - y \rvert}}{2}",
    )
    .equals(
        "Abs(mu - y) + log(2)",
        "the absolute error, and a constant",
        tex=r"\lvert \mu - y \rvert + \log 2",
    )
    .library(
        "absolute_error(mu, y).value + log(2)",
        lambda mu, y: losses.absolute_error(mu, y).value + np.log(2),
    )
    .slope(mu_, "sign(mu - y)", "**only the side counts, not the distance**")
    .library("absolute_error(mu, y).grad", lambda mu, y: losses.absolute_error(mu, y).grad)
)

# %% [markdown] name="loss-table"
# Constants and factors do not move the minimum, so libraries leave them out. Under the bell the pull of a target grows with its distance. Under the tent every target pulls alike. That is why absolute error bears outliers.
#
# ## The first half of the map
#
# | task | target | output layer | noise model | loss | lesson |
# |---|---|---|---|---|---|
# | yes or no | 0 or 1 | sigmoid | Bernoulli | binary cross-entropy | [Binary cross-entropy](../03_algorithms/01_binary_cross_entropy.ipynb) |
# | one class of many, next word | a class | softmax | categorical | cross-entropy | [Multi-class cross-entropy](../03_algorithms/02_cross_entropy.ipynb) |
# | how likely is each class | a row of probabilities | softmax | categorical | soft cross-entropy, KL divergence | [Labels that are distributions](../03_algorithms/24_label_distributions.ipynb), [Divergences](../03_algorithms/09_divergences.ipynb) |
# | a number | any number | none | Gaussian | squared error | [Squared, absolute and Huber error](../03_algorithms/05_regression.ipynb) |
# | a number, some far off | any number | none | Laplace | absolute error | [the same lesson](../03_algorithms/05_regression.ipynb) |
# | a number, nobody knows how noisy | any number | none | a family, fitted | adaptive robust loss | [Robust and quantile regression](../03_algorithms/06_robust.ipynb) |
# | a number and its uncertainty | any number | none, and exp for the width | Gaussian, Laplace | their whole $-\log p$ | [Probabilistic regression](../03_algorithms/07_probabilistic_regression.ipynb) |
# | a count | 0, 1, 2, ... | exp | Poisson | Poisson loss | [the same lesson](../03_algorithms/07_probabilistic_regression.ipynb) |
# | an order, a distance | which is nearer | none | none: a margin | hinge, triplet | [Margins](../03_algorithms/08_margins.ipynb) |
#
# Which field uses which row: [Fields of application](../03_algorithms/19_fields.ipynb).
#
# ## A default, not a law
#
# The article that this course follows assigns cross-entropy to classification, and squared or absolute error to regression. The table says why these are good defaults. Does a classifier *need* cross-entropy? We train the digit network with either loss. Squared error compares the ten scores with 1 for the right digit and 0 for the others. Both losses get the same optimizer (momentum, explained below), the same 11 learning rates and the same seeds. One half of the test digits picks the rate, the other half is counted.

# %% tags=["fold"] name="halves"
# Tuned on one half of the test digits and judged on the other, both ways.
def halves(wrong):  # (errors that pick, errors that count), each (rates, seeds)
    parts = [100 * wrong[..., a::2].mean(-1) for a in (0, 1)]
    return parts, parts[::-1]

def tuned(wrong):  # for each seed
    return np.mean([
        np.take_along_axis(count, pick.argmin(0)[None], 0)[0] for pick, count in halves(wrong)
    ], axis=0)

def spread(values, digits=1):
    low, middle, high = plots.band(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"

# %% tags=["fold", "nbval-ignore-output"] name="two-losses"
# The same network and budget, two losses.
def squares(z, k):
    return losses.squared_error(z, losses.smooth_labels(k, 10, 0.0, z.dtype))

both_losses = {"cross-entropy": losses.cross_entropy, "squared error": squares}
looks = (150, 1000)
ends = {
    name: [tuned(w) for w in train(Momentum, rates[::2], problem, 1000, loss, looks)]
    for name, loss in both_losses.items()
}
Table(
    ["wrong of 100", *(f"after {t} steps" for t in looks)],
    [[name, *map(spread, found)] for name, found in ends.items()],
    f"Median (lowest to highest) of {len(setting.seeds)} seeds.",
)

# %% tags=["fold"] name="two-losses-asserts"
# What the text says of them, with room.
early, late = (
    np.median(ends["squared error"][i]) - np.median(ends["cross-entropy"][i]) for i in (0, 1)
)
assert max(np.max(found[1]) for found in ends.values()) < 10
assert early > 1 and late < 0.7 * early

# %% [markdown] name="two-losses-reading"
# Squared error trains a classifier, too. After 150 steps it is far behind cross-entropy, after 1000 near it. Hui and Belkin (2020) found it on par or better on most language and speech tasks, and cross-entropy slightly ahead in vision. So the assignment is a default with a reason. [Advantages and drawbacks](../03_algorithms/18_advantages_and_drawbacks.ipynb) measures what squared error costs, and why.
#
# ## The optimizers, drawn
#
# All of them ask one thing of the loss: in which direction does it rise? That direction, with its steepness, is the *gradient*. They differ in what they make of it.

# %% tags=["fold"] name="tree"
# The family tree. name: (year of the paper, place, parents, names in the library)
tree = {
    "Newton": (1740, 0.0, [], ["newton"]),
    "gradient\ndescent": (1847, 3.2, [], ["descend"]),
    "SGD": (1951, 3.9, ["gradient\ndescent"], ["SGD"]),
    "conjugate\ngradients": (1952, 0.9, [], ["conjugate_gradient"]),
    "momentum": (1964, 2.5, ["gradient\ndescent"], ["Momentum"]),
    "L-BFGS": (1980, 0.0, ["Newton"], ["lbfgs"]),
    "Nesterov": (1983, 1.8, ["momentum"], ["Momentum"]),
    "averaged\nSGD": (1992, 3.75, ["SGD"], ["ASGD"]),
    "Rprop": (1993, 4.6, ["gradient\ndescent"], ["Rprop"]),
    "AdaGrad": (2011, 6.2, ["SGD"], ["AdaGrad"]),
    "RMSProp": (2012, 4.55, ["Rprop"], ["RMSProp"]),
    "Adadelta": (2012, 7.0, ["AdaGrad"], ["Adadelta"]),
    "Adam": (2014, 4.2, ["momentum", "RMSProp", "AdaGrad"], ["Adam", "SparseAdam"]),
    "Adamax": (2014, 5.4, ["Adam"], ["Adamax"]),
    "NAdam": (2016, 3.2, ["Adam", "Nesterov"], ["NAdam"]),
    "learned\noptimizer": (2016, 0.9, ["SGD"], []),
    "AdamW": (2017, 4.05, ["Adam"], ["AdamW"]),
    "LARS": (2017, 2.7, ["momentum"], ["LARS"]),
    "AMSGrad": (2018, 3.4, ["Adam"], ["AMSGrad"]),
    "Adafactor": (2018, 5.6, ["Adam"], ["Adafactor"]),
    "Shampoo": (2018, 6.7, ["AdaGrad"], []),
    "LAMB": (2019, 2.4, ["LARS", "Adam"], ["LAMB"]),
    "RAdam": (2019, 4.75, ["Adam"], ["RAdam"]),
    "SAM": (2020, 1.3, ["SGD"], ["sam_gradient"]),
    "Lion": (2023, 4.05, ["AdamW"], []),
    "SOAP": (2024, 6.2, ["Shampoo", "Adam"], []),
    "Muon": (2024, 1.9, ["Shampoo", "momentum"], ["Muon"]),
}
drawn = {rule for *_, names in tree.values() for rule in names}
# The library has every rule that is drawn, and later ones besides.
assert drawn <= {*optim.__all__, *second_order.__all__}

def line_of(name):  # a method and all its ancestors
    return {name}.union(*map(line_of, tree[name][2]))

years = sorted({year for year, *_ in tree.values()})
spot = {name: (place, years.index(year)) for name, (year, place, *_) in tree.items()}
fig, (ax,) = plots.panels()
fig.set_size_inches(8.6, 7.0)
for name, (_, _, parents, names) in tree.items():
    for parent in parents:
        ax.annotate(
            "",
            spot[name],
            spot[parent],
            arrowprops={"arrowstyle": "-", "color": "0.65"},
            zorder=1,
        )
    other = "gradient\ndescent" not in line_of(name)
    colour = RED if other else BLUE
    box = {"boxstyle": "round", "fc": "white", "ec": colour, "lw": 1.6}
    box["ls"] = "-" if names else "--"
    ax.text(*spot[name], name, ha="center", va="center", fontsize=9, bbox=box, zorder=3)
ax.set(xlim=(-0.6, 7.4), ylim=(len(years) - 0.4, -0.6), xticks=[], ylabel="year")
ax.set_yticks(range(len(years)), labels=years)
ax.grid(axis="x", visible=False)
ax.set_title("The family tree (solid frame: this library has it; years in order, not to scale)")
from_slope = [name for name in tree if "gradient\ndescent" in line_of(name)]
assert all(name in from_slope for name, (*_, own) in tree.items() if {*own} & {*optim.__all__})
print(f"{len(from_slope)} of {len(tree)} methods descend from gradient descent (blue frames)")
later = [n for n, (year, *_) in tree.items() if year >= 2014 and n != "Adam"]
of_adam = sum("Adam" in line_of(name) for name in later)
print(f"{of_adam} of the {len(later)} since Adam (2014) descend from Adam")
plots.Picture(
    fig,
    alt="A family tree from 1740 at the top to 2024 at the bottom. Newton's method with L-BFGS "
    "and conjugate gradients stand alone at the left. Gradient descent, 1847, has the children "
    "SGD, momentum and Rprop; SGD has averaged SGD, AdaGrad, SAM and the learned optimizer. "
    "Momentum, RMSProp and AdaGrad meet in Adam, 2014, from which most later methods descend: "
    "AdamW, NAdam, AMSGrad, Adafactor, LAMB, RAdam, Lion. AdaGrad leads to Shampoo, and this to "
    "SOAP and Muon.",
)

# %% [markdown] name="tree-reading"
# Read it from the top. **Stochastic gradient descent (SGD)** takes the gradient of a few examples instead of all. Three ideas were added. *Momentum* keeps a part of the last step. *AdaGrad* and *RMSProp* give each parameter a step size of its own. *Shampoo* and *Muon* treat the weights of a layer as one matrix. Adam joins the first two ideas, and most of what came later descends from Adam.
#
# So the article is right to call Adam and RMSProp variants of gradient descent. Newton's method, conjugate gradients and L-BFGS stand apart: they also ask how the slope bends.
#
# The article promises "recent results" on two topics and gives neither a section: optimizers that are *learned*, and losses that *adapt* to the data. The tree has the learned optimizer of Andrychowicz and others (2016); Hochreiter and others tried it in 2001. An adaptive robust loss is from 2017 (Barron).
#
# ## The second half of the map
#
# | idea | methods, with the year of the paper | lesson |
# |---|---|---|
# | follow the slope | gradient descent (Cauchy 1847), SGD (Robbins and Monro 1951) | [Stochastic gradient descent](../03_algorithms/03_sgd.ipynb) |
# | keep a part of the last step | momentum (Polyak 1964) | [Momentum](../03_algorithms/11_momentum.ipynb) |
# | look ahead first | Nesterov 1983 | [Nesterov's step](../03_algorithms/28_nesterov.ipynb) |
# | average the path | averaged SGD (Polyak and Juditsky 1992) | [Schedules, warm-up and averaging](../03_algorithms/16_schedules.ipynb) |
# | a step size per parameter | AdaGrad 2011, RMSProp 2012, Adadelta 2012 | [AdaGrad, RMSProp, Adadelta](../03_algorithms/12_adaptive.ipynb) |
# | momentum and a step size per parameter | Adam (Kingma and Ba 2014) | [Adam](../03_algorithms/04_adam.ipynb) |
# | ... and shrink the weights beside it | AdamW 2017 | [AdamW](../03_algorithms/13_adamw.ipynb) |
# | ... and one line changed | Adamax 2014, NAdam 2016, AMSGrad 2018, RAdam 2019 | [The Adam family](../03_algorithms/14_adam_family.ipynb) |
# | how the slope bends | Newton (for several unknowns: Simpson 1740), conjugate gradients (Hestenes and Stiefel 1952), L-BFGS (Nocedal 1980) | [Second order](../03_algorithms/15_second_order.ipynb) |
# | a weight is a matrix | Shampoo 2018, SOAP 2024, Muon 2024 | [Matrix optimizers](../08_outlook/05_matrix_optimizers.ipynb) |
# | signs, clipped curvature, row and column means | Lion 2023, Sophia 2023, Adafactor 2018 | [Signs and curvature](../08_outlook/06_signs_and_curvature.ipynb) |
# | no schedule, no rate | schedule-free 2024, Prodigy 2023 | [Without a schedule](../08_outlook/07_without_a_schedule.ipynb) |
# | less memory | 8-bit states 2021, GaLore 2024, Adam-mini 2024 | [Memory](../08_outlook/08_memory.ipynb) |
# | learned from many runs | Andrychowicz and others 2016 | [A learned optimizer](../08_outlook/04_a_learned_optimizer.ipynb) |
# | in the library, without a lesson | Rprop 1993, LARS 2017, LAMB 2019, SAM 2020 | |
# | neither in the library nor in a lesson | learned optimizers 2016, Shampoo 2018, Lion 2023, SOAP 2024 | |
#
# ## The race
#
# The article says that new losses and optimizers are crucial for large models, and gives no evidence. A large model does not fit into a lesson. A fair comparison does: the same task and the same budget for everyone. Seven optimizers get 21 learning rates each, every rate with the same seeds, 150 steps of 32 digits each. All else stays as the library has it.

# %% tags=["fold", "nbval-ignore-output"] name="valleys"
# Wrong digits over the rate, for every optimizer.
fig, (ax,) = plots.panels()
fig.set_size_inches(7.6, 4.2)
plots.draw_lines(
    ax,
    rates,
    {name: np.median(errors(w), axis=1) for name, w in wrong.items()},
    "learning rate (log)",
    "wrong test digits of 100 (log)",
    "Seven valleys (median of the seeds)",
    log="xy",
)
ax.set_yticks([3, 5, 10, 20, 50, 90], labels=["3", "5", "10", "20", "50", "90"])
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
plots.Picture(
    fig,
    alt="Wrong test digits over the learning rate, both on logarithmic axes, for seven "
    "optimizers. Each curve falls from 90 of 100 to a floor near 4 and rises again. The floors "
    "are at nearly the same height and at different rates: RMSProp and Adam near 0.01, SGD near "
    "0.5. To the right of its floor RMSProp rises little, to 8; SGD and LAMB rise to 90.",
)

# %% tags=["fold", "nbval-ignore-output"] name="valleys-table"
# Where each valley lies, how wide its floor is, and how high the ground beside it.
rows = []
for name, w in wrong.items():
    level = np.median(errors(w), axis=1)
    wide = [int((level <= f * level.min()).sum()) for f in (1.5, 2)]
    beside = level[min(best[name] + 4, len(rates) - 1)]
    rows.append([name, f"{rates[best[name]]:.2g}", *wide, f"{beside:.0f}"])
headers = [f"rates with at most {f} times the fewest errors" for f in (1.5, 2)]
Table(["", "best rate", *headers, "wrong of 100 at ten times the best rate"], rows,
      "Ten times the best rate, or the largest of the 21.")

# %% [markdown] name="valleys-reading"
# Each optimizer has a valley of good rates. **The floors are nearly level. They lie at rates from 0.01 to 0.56**, and beside them the ground is low for RMSProp and high for SGD. So who wins depends on how many rates one tries.
#
# You can afford $k$ trainings: that is your **tuning budget**. Draw $k$ of the $n$ rates at random, train with each, and keep the one with the fewest errors on one half of the test digits. Number the rates from the best on that half ($i = 1$) to the worst, and let $e_i$ be the errors on the other half. Rate $i$ is kept if it is drawn, and the other $k - 1$ come from the $n - i$ worse ones. (Then the halves change places, and we take the mean.) There are $\binom{n}{k}$ equally likely draws, so the errors to expect are
#
# $$\sum_{i=1}^{n} \frac{\binom{n - i}{k - 1}}{\binom{n}{k}}\; e_i$$

# %% name="best-of"
def best_of(k, wrong):  # errors to expect with k random rates, for each seed
    n = len(wrong)
    kept = [comb(n - i, k - 1) / comb(n, k) for i in range(1, n + 1)]
    found = []
    for pick, count in halves(wrong):  # errors on the one half and on the other
        order = pick.argsort(axis=0, kind="stable")
        found.append(kept @ np.take_along_axis(count, order, axis=0))
    return np.mean(found, axis=0)

# %% [markdown] name="play"
# ## Play
#
# Move the budget. Who leads with one tried rate, and who with 21? From which budget on does the order of the seven hardly matter any more?

# %% tags=["fold", "nbval-ignore-output"] name="play-picture"
# The errors to expect, for every budget.
budgets = range(1, len(rates) + 1)
expected = {name: np.array([best_of(k, w) for k in budgets]) for name, w in wrong.items()}
middle = {name: np.median(e, axis=1) for name, e in expected.items()}
fig, (ax,) = plots.panels()
fig.set_size_inches(7.2, 3.6)
ax.set(xlabel="wrong test digits of 100, to expect", xlim=(0, 60), ylim=(6.6, -0.6))
ax.set_title("Best of k random rates (line: lowest to highest seed)")
ax.set_yticks(range(7), labels=rules)
ax.grid(axis="y", visible=False)

def budget(ax, k):
    for i, found in enumerate(expected.values()):
        low, mid, high = plots.band(found[k - 1])
        ax.barh(i, mid, color="#56B4E9")
        ax.plot([low, high], [i, i], color="0.2", lw=1.5)
        ax.text(high + 0.8, i, f"{mid:.1f}", va="center", fontsize=9)
    order = sorted(middle, key=lambda name: middle[name][k - 1])
    first, last = order[0], order[-1]
    tried = f"{k} tried rate" + "s" * (k > 1)
    return (
        f"{tried}: {first} leads with {middle[first][k - 1]:.1f}, "
        f"{last} is last with {middle[last][k - 1]:.1f}."
    )

plots.moving(
    fig,
    "tuning budget k",
    budgets,
    budget,
    start=1,
    play=True,
    alt="Seven bars, one for each optimizer: the wrong digits to expect with one random rate. "
    "RMSProp is lowest, then Adam and AdamW; SGD and LAMB are highest. With a larger budget "
    "all bars shrink to about 4 and the order changes.",
)

# %% tags=["fold", "nbval-ignore-output"] name="budget-table"
# Four budgets as a table, and the distance between the first and the last.
some = (1, 3, 9, 21)
rows = [[name, *(f"{middle[name][k - 1]:.1f}" for k in some)] for name in rules]
gaps = [np.ptp([m[k - 1] for m in middle.values()]) for k in some]
rows.append(["last less first", *(f"{g:.1f}" for g in gaps)])
Table(["wrong of 100, best of", *(f"{k} rate" + "s" * (k > 1) for k in some)], rows)

# %% tags=["fold"] name="budget-asserts"
# What the text says, with room.
assert gaps[0] > 20 and gaps[-1] < 3
assert middle["SGD (1951)"][0] > 2.5 * middle["RMSProp (2012)"][0]
assert 1.3 * middle["RMSProp (2012)"][0] < min(middle["SGD (1951)"][0], middle["Muon (2024)"][0])

# %% [markdown] name="answer"
# With one tried rate RMSProp (2012) leads, and SGD errs more than three times as often. With nine rates 2.4 digits of 100 part the last from the first. With 21 rates SGD, the oldest, keeps up with Muon, the youngest. **A ranking of optimizers is a ranking at one budget.**
#
# Choi and others (2019) found it in far larger networks: with another range of tried settings, rankings turn around. (With all knobs tuned, Adam was never behind momentum there.) Schmidt and others (2021) compared 15 optimizers in tens of thousands of runs and found none that is ahead everywhere. So comparing shows where an optimizer fits, as the article says, but only under equal budgets.
#
# ## The answer

# %% tags=["fold", "nbval-ignore-output"] name="answer-numbers"
# What each choice moves, counted with 20 seeds that picked nothing.
luck, change = final["Adam (2014)"], strips["strip B"]
moves = {
    "A: the seed (Adam at its best rate, 20 seeds)": luck,
    "B: the optimizer (seven, each at its best rate)": change,
    "C: the learning rate (Adam, seven rates)": at_rates,
}
print(f"Adam at its best rate: {at_rates[3]:.1f} wrong of 100")
print(f"ten times too small: {at_rates[1]:.1f}, ten times too large: {at_rates[5]:.1f}")
assert luck.std(ddof=1) > 1.1 * change.std(ddof=1)
assert min(at_rates[1], at_rates[5]) - at_rates[3] > 1.5 * np.ptp(change)
Table(
    ["strip, and what changes", "lowest to highest", "standard deviation"],
    [[name, f"{v.min():.1f} to {v.max():.1f}", f"{v.std(ddof=1):.1f}"]
     for name, v in moves.items()],
    "Wrong digits of 100. B and C: means of 20 seeds.",
)

# %% [markdown] name="answer-reading"
# **The learning rate decides. The seed comes second, and the optimizer last.** A rate ten times too small or too large costs more than any exchange of optimizers, and one lucky or unlucky seed hides the difference between 1951 and 2024. (Five seeds picked the best rates. The 20 seeds that count here split the digits in other ways.)
#
# That is no proof that optimizers do not matter. On this small task all seven end within one digit of 100. [Where Adam wins](../03_algorithms/20_where_adam_wins.ipynb) shows a task with real words on which they part. Wen and others (2025) tuned ten optimizers for language models with equal care. The fastest, Muon among them, were 1.4 times as fast as AdamW at 0.1 billion parameters and 1.1 times at 1.2 billion. Up to 2 times had been claimed. The working default for large language models is still cross-entropy for every next word, with AdamW.
#
# ## What breaks
#
# A paper compares a new optimizer with an old one. "Both used the same learning rate, so the comparison is fair." Here is that comparison, at two rates:

# %% tags=["fold", "nbval-ignore-output"] name="one-rate"
# SGD and Adam at the best rate of the one and of the other.
pair = ("SGD (1951)", "Adam (2014)")
two = rates[[best[name] for name in pair]]
runs = {name: errors(train(rules[name], two, more)) for name in pair}
at = {
    f"{float(two[i]):.2g}, the best for {of.split()[0]}": [runs[name][i] for name in pair]
    for i, of in enumerate(pair)
}
middles = np.array([[np.median(found) for found in row] for row in at.values()])
assert middles[0, 1] > 1.3 * middles[0, 0] and middles[1, 0] > 2.5 * middles[1, 1]
Table(
    ["both at the rate", *(f"{name.split()[0]}: wrong of 100" for name in pair)],
    [[name, *map(spread, found)] for name, found in at.items()],
    "Median (lowest to highest) of 20 seeds.",
)

# %% [markdown] name="exercises"
# Each wins clearly at its own rate. The same number means another step for each of them. **A shared rate measures the rate, not the optimizer.** The signature: a paper that states one rate for all, or tunes its own method and copies the rate of the others. The cure: the same number of tried rates for each, and the best rate inside its grid.
#
# ## Exercises
#
# ### 1. A loss for waiting times (6 minutes, medium)
# Waiting times $y > 0$ with the mean $m$ have the noise model $p(y) = \frac{1}{m} e^{-y / m}$. The output layer makes the mean positive: $m = e^z$. Compute the loss by hand. Return two numbers: the loss $\ell$ and its slope by $z$.

# %% name="exercise-waiting"
def waiting_loss(z, y):
    ### BEGIN SOLUTION
    ratio = y * np.exp(-z)
    return z + ratio, 1 - ratio
    ### END SOLUTION

# %% name="check-waiting"
check("waiting_loss")

# %% [markdown] name="exercise-layer-text"
# <details><summary>Hint 1</summary>The logarithm of a product is a sum: one term for 1/m, one for the power of e. Mind the minus in front.</details>
# <details><summary>Hint 2</summary>log m is z, and y / m is y times e to the power -z. Only this second term bends when z moves.</details>
#
# ### 2. An output layer for a range (4 minutes, easy)
# A model predicts a temperature that lies between `low` and `high`. Bring its raw output `z`, any number, into that range: near `low` for very negative `z`, in the middle at 0, near `high` for very large `z`. Build it from the sigmoid of `z`.

# %% name="exercise-layer"
def into_range(z, low, high):
    ### BEGIN SOLUTION
    return low + (high - low) / (1 + np.exp(-z))
    ### END SOLUTION

# %% name="check-layer"
check("into_range")

# %% [markdown] name="exercise-tries-text"
# <details><summary>Hint 1</summary>The sigmoid runs from 0 to 1. Which length has the range?</details>
# <details><summary>Hint 2</summary>Stretch first, then shift.</details>
#
# ### 3. How many rates? (8 minutes, hard)
# A grid has `n` rates, and `good` of them lie in the valley. You draw `k` of them at random, none twice. Find the smallest `k` for which at least one good rate is among them with probability `sure` or more. Then try it on the race: for SGD 5 of 21 rates make at most twice the fewest errors, for RMSProp 9. How many must one draw to be 90 % sure?

# %% name="exercise-tries"
def tries(n, good, sure):
    ### BEGIN SOLUTION
    k = 1
    while 1 - comb(n - good, k) / comb(n, k) < sure:
        k += 1
    return k
    ### END SOLUTION

# %% name="check-tries"
check("tries")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Turn it around: how probable is it that all k drawn rates are bad? Count the draws with comb.</details>
# <details><summary>Hint 2</summary>comb(n - good, k) of the comb(n, k) draws have no good rate. Raise k until the rest is enough. After n - good + 1 draws one is good for certain.</details>
# <details><summary>What it means (after solving)</summary>7 draws for SGD, 4 for RMSProp. Whoever reports the best of 4 tried rates is fair to RMSProp and not yet to SGD.</details>
#
# ## Takeaways
#
# - Cross-entropy, squared error, absolute error and Poisson loss are minus the logarithm of a noise model. Choose the noise model and the output layer; the loss follows.
# - 24 of the 27 optimizers on the map descend from gradient descent. Here the learning rate mattered most, then the seed, then the optimizer.
# - Do not use a ranking of optimizers whose tuning budgets are not told, and do not copy a learning rate from one optimizer to another.
#
# ## Does it hold?
#
# **More training.** Three times as many steps, every second rate, for four of the optimizers. Errors to expect, as in the play:

# %% tags=["fold", "nbval-ignore-output"] name="control-steps"
# The race with 450 steps; beside it 150 steps, with the same 11 rates.
some = [name for name in elementwise if name != "AdamW (2017)"]
longer = {name: train(rules[name], rates[::2], problem, 450) for name in some}
def median_of(k, wrong):
    return np.median(best_of(k, wrong))
rows, gaps_of = [], []
for name, w in longer.items():
    short = wrong[name][::2]
    found = [median_of(k, runs) for runs in (short, w) for k in (1, 11)]
    gaps_of.append(found)
    rows.append([name, *(f"{v:.1f}" for v in found)])
rows.append(["last less first", *(f"{g:.1f}" for g in np.ptp(gaps_of, axis=0))])
assert np.ptp(gaps_of, axis=0)[2] > 10 and np.ptp(gaps_of, axis=0)[3] < 3
headers = [f"{t} steps, best of {k}" for t in (150, 450) for k in (1, 11)]
Table(["wrong of 100", *headers], rows)

# %% [markdown] name="control-space-text"
# RMSProp still leads with one rate, SGD is still last, and the floors stay level. With half as many rates in the same range the floors are as level as with all.
#
# **Another range of rates.** So far all drew from the same five powers of ten, as if nobody knew anything. Now each draws from the nine rates around its own best one, from a tenth to ten times of it (fewer where the grid ends):

# %% tags=["fold", "nbval-ignore-output"] name="control-space"
# One random rate: from the whole grid, and from the neighbourhood of the optimizer's best.
rows, near = [], {}
for name, w in wrong.items():
    i = best[name]
    near[name] = median_of(1, w[max(i - 4, 0) : i + 5])
    rows.append([name, f"{middle[name][0]:.1f}", f"{near[name]:.1f}"])
assert np.ptp([*near.values()]) < 0.8 * gaps[0]
assert all(middle[name][0] > 1.4 * found for name, found in near.items())
Table(["wrong of 100 with one random rate", "whole grid", "around its best"], rows)

# %% [markdown] name="control-loss-text"
# To know where a valley lies is worth a factor of about two to four with one rate.
#
# **Counted otherwise.** Beside its valley RMSProp still reads most digits. What does its loss say?

# %% tags=["fold", "nbval-ignore-output"] name="control-loss"
# Mistakes and test loss at the best rate and at ten times that rate.
def both_counts(z, y):
    return mistakes(z, y), losses.cross_entropy(z, np.broadcast_to(y, z.shape[:-1])).value

rows = []
for name in ("RMSProp (2012)", "Adam (2014)"):
    off = rates[best[name]] * np.array([1.0, 10.0])
    missed, loss = train(rules[name], off, problem, count=both_counts)
    count, loss = np.median(errors(missed), axis=1), np.median(loss.mean(-1), axis=1)
    assert loss[1] > 4 * loss[0]
    rows += [[f"{name}, {what}", f"{c:.1f}", f"{v:.2f}"]
             for what, c, v in zip(("best rate", "ten times that"), count, loss, strict=True)]
Table(["", "wrong of 100", "mean test loss"], rows)

# %% [markdown] name="control-seed-text"
# At ten times the rate the loss is many times as high. (All ten digits called equally likely: $\log 10$, about 2.3.) The low ground beside the valley holds for counted mistakes, not for the loss.
#
# **What is in a seed?** It splits the digits into training and test part, draws the start and orders the batches. 20 runs of Adam at its best rate, and 20 in which the split stays:

# %% tags=["fold", "nbval-ignore-output"] name="control-seed"
# Standard deviations of the share of wrong digits.
same = Problem(more.seeds, *(np.repeat(a[:1], len(more.seeds), axis=0) for a in problem[1:]))
held = errors(train(Adam, rates[[best["Adam (2014)"]]], same))[0]
rows = [["split, start and batches", luck], ["start and batches alone", held]]
Table(
    ["what the seed changes", "standard deviation", "highest less lowest"],
    [[name, f"{v.std(ddof=1):.1f}", f"{np.ptp(v):.1f}"] for name, v in rows],
)

# %% [markdown] name="sources"
# A test part of 539 digits is itself a draw: at 4 errors of 100 it alone makes the share vary by $\sqrt{0.04 \cdot 0.96 / 539}$, 0.8 points.
#
# **What was not tuned.** Momentum 0.9, the betas, epsilon and weight decay are the library's defaults. Muon is made for the inner matrices of a network; here it moves both. A larger search could lift any of the seven.
#
# ## Sources
#
# The digits are scikit-learn's copy of data from the UCI repository (Alpaydin and Kaynak, CC BY 4.0).
#
# - D. Choi, C. Shallue, Z. Nado, J. Lee, C. Maddison and G. Dahl, 2019: *On empirical comparisons of optimizers for deep learning*, arXiv 1910.05446.
# - R. Schmidt, F. Schneider and P. Hennig, 2021: *Descending through a crowded valley: benchmarking deep learning optimizers*, arXiv 2007.01547.
# - L. Hui and M. Belkin, 2020: *Evaluation of neural architectures trained with square loss vs cross-entropy in classification tasks*, arXiv 2006.07322.
# - M. Andrychowicz and others, 2016: *Learning to learn by gradient descent by gradient descent*, arXiv 1606.04474.
# - J. Barron, 2017: *A general and adaptive robust loss function*, arXiv 1701.03077.
# - S. Hochreiter, A. Younger and P. Conwell, 2001: *Learning to learn using gradient descent*.
# - T. Ypma, 1995: *Historical development of the Newton-Raphson method*, SIAM Review 37 (Simpson 1740).
# - J. Nocedal, 1980: *Updating quasi-Newton matrices with limited storage*, Mathematics of Computation 35.
# - V. Gupta, T. Koren and Y. Singer, 2018: *Shampoo: preconditioned stochastic tensor optimization*, arXiv 1802.09568.
# - X. Chen and others, 2023: *Symbolic discovery of optimization algorithms* (Lion), arXiv 2302.06675.
# - N. Vyas and others, 2024: *SOAP: improving and stabilizing Shampoo using Adam*, arXiv 2409.11321.
# - K. Jordan and others, 2024: *Muon: an optimizer for hidden layers in neural networks*.
# - K. Wen, D. Hall, T. Ma and P. Liang, 2025: *Fantastic pretraining optimizers and where to find them*, arXiv 2509.02046.
# - Rprop: M. Riedmiller and H. Braun, 1993. LARS: Y. You, I. Gitman and B. Ginsburg, 2017, arXiv 1708.03888. Adafactor: N. Shazeer and M. Stern, 2018, arXiv 1804.04235. LAMB: Y. You and others, 2019, arXiv 1904.00962. SAM: P. Foret and others, 2020, arXiv 2010.01412.
#
# The other years stand with their papers in the lessons that the second table links to.
