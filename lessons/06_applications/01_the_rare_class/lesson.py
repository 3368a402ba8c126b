# ---
# jupyter:
#   lesson:
#     title: "The rare class"
#     question: "Accuracy is 98 per cent, and most of the rare class is missed. Which cure finds the most: class weights, focal loss, or another threshold?"
#     minutes: 35
#     needs: [02_concepts/02_what_makes_a_loss_good, 03_algorithms/04_adam, 03_algorithms/10_soft_targets, 03_algorithms/22_rare_label]
#     settles: []
#     studies: [losses.binary_cross_entropy, losses.focal]
#     terms: [false alarm, recall, precision, average precision]
# ---

# %% [markdown] name="title"
# # The rare class
#
# **Goal.** Choose a metric and a threshold for a class of 2 per cent, and find out what class weights and focal loss add to them.
#
# **The question.** A model looks for eights among handwritten digits. One digit in fifty is an eight. The model gives an alarm where it says $p > \frac12$. Its accuracy on new digits is above 98 per cent, and it misses most of the eights. Three cures are on the market: weigh the rare class, take focal loss, or move the threshold. Which one finds the most?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, and the recorded runs.
import numpy as np
import sympy as sp
from sklearn.datasets import load_digits

from lessons_lib import bridge, exercises, plots, records
from lessons_lib.derive import derive
from lessons_lib.losses import binary_cross_entropy, focal
from lessons_lib.losses._stable import sigmoid
from lessons_lib.optim import Adam, descend
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("06_applications/01_the_rare_class")
record = records.of("06_applications/01_the_rare_class")
runs = [record.runs[s] for s in sorted(record.runs)]
penalties = 10.0 ** np.arange(-3.5, 0.1, 0.25)

def spread(values, form=".2f"):  # median (lowest to highest) over the splits
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

def best(kind, digit=8):  # which penalty won on other splits, never one at an end
    tuned = np.mean([run[f"{digit}, {kind}"]["tune"] for run in runs], 0)
    assert 0 < tuned.argmax() < len(penalties) - 1
    return int(tuned.argmax())

def judged(kind, digit=8):  # (splits, numbers) with that penalty
    return np.array([run[f"{digit}, {kind}"]["judge"] for run in runs])

kinds = {"cross-entropy": "weight 1", "weight 49": "weight 49", "focal loss": "focal 2"}
penalty = {label: penalties[best(kind)] for label, kind in kinds.items()}
found = {label: judged(kind) for label, kind in kinds.items()}

# %% tags=["fold"] name="question-picture"
# What three losses do with 1000 digits at p > 1/2: medians of twenty recorded splits.
for label, row in found.items():
    print(
        f"{label}: accuracy {spread(2 * row[:, 1] + 98 * (1 - row[:, 2]), '.1f')} %, "
        f"eights found {spread(100 * row[:, 1], '.0f')} %"
    )
fig, axes = plots.panels(3)
for ax, (label, row) in zip(axes, found.items(), strict=True):
    hits, false = np.median(row[:, 1:3], axis=0)
    table = np.array([[hits, 1 - hits], [false, 1 - false]])
    ax.imshow(table, cmap="Blues", vmin=0, vmax=1.3, aspect="auto")
    for (i, j), part in np.ndenumerate(table):
        ax.text(j, i, f"{part * (20, 980)[i]:.1f}", ha="center", va="center", fontsize=13,
                color="white" if part > 0.7 else "black")
    ax.set(
        title=label,
        xticks=(0, 1),
        xticklabels=("alarm", "silence"),
        yticks=(0, 1),
        yticklabels=("eight", "other"),
        xlabel="the model's answer",
        ylabel="the digit",
    )
    ax.grid(False)
plots.Picture(
    fig,
    "Three tables of four counts. Cross-entropy finds fewer than five of the twenty eights and "
    "hardly gives a false alarm. The weight 49 finds three quarters, with dozens of false alarms. "
    "Focal loss finds as few as cross-entropy.",
)

# %% [markdown] name="question-reading"
# Each table counts 1000 digits, 20 of them eights. All numbers are medians of twenty splits. Plain cross-entropy is right for 98.5 per cent of the digits and finds 23 per cent of the eights. Accuracy is no judge of that: a model that never gives an alarm is right for 98 per cent. Focal loss finds as few. The weight 49 finds 74 per cent, three times as many, and its accuracy is the lowest of the three. It looks as if the weight had won.
#
# ## The task
#
# The digits are scikit-learn's 1797 handwritten ones (UCI, CC BY 4.0). A seed draws a split, with the eights thinned out. The training part has 735 other digits and 15 eights, the validation part 490 and 10. The test part has 380 others and all 145 eights that are left. With so many the counts are steady. They are then scaled to 1000 digits with 20 eights.
#
# | | choice |
# |---|---|
# | output layer | one logit $z = \theta \cdot x$ from 64 pixels and a constant, $p = 1 / (1 + e^{-z})$ |
# | loss | cross-entropy; the same with [the weight](../03_algorithms/22_rare_label.ipynb) 49, which makes both classes equally heavy; [focal loss](../03_algorithms/10_soft_targets.ipynb) with $\gamma = 2$ |
# | penalty | $\frac{\lambda}{2}$ times the sum of the squared weights of the pixels. Each loss tries the same 15 values of $\lambda$ on 20 other splits of these pictures, and takes the one with the highest average precision (below) |
# | optimizer | [Adam](../03_algorithms/04_adam.ipynb), 300 steps with all pictures, learning rate 0.2 |
# | metric | not accuracy: that is the next section |

# %% tags=["fold"] name="digits"
# Ten splits: the training and the test part of each.
pixels, names = load_digits(return_X_y=True)

def parts(s):
    order = np.random.default_rng(s).permutation(len(pixels))
    x, y = pixels[order], (names[order] == 8) * 1.0
    common, rare = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    rows = [np.r_[common[:735], rare[:15]], np.r_[common[1225:1605], rare[25:170]]]
    x = np.c_[(x - x[rows[0]].mean(0)) / 4, np.ones(len(x))]
    return [v[r] for r in rows for v in (x, y)]

x, y, x_test, y_test = map(np.stack, zip(*map(parts, range(seed, seed + 10)), strict=True))
y = y[..., None]  # a column, as the logits: (splits, digits, 1)

# %% name="train"
def focal_slope(z, y):
    return focal(np.concatenate([0 * z, z], -1), y[..., 0].astype(int), 2.0).grad[..., 1:]

slopes = {
    "cross-entropy": lambda z, y: binary_cross_entropy(z, y).grad,
    "weight 49": lambda z, y: binary_cross_entropy(z, y, 49.0).grad / 1.96,  # the mean weight
    "focal loss": focal_slope,
}

def train(slope, strength, steps=300):
    shrunk = strength * np.r_[np.ones(64), 0][:, None]  # not the constant's parameter

    def gradient(theta):
        return x.mT @ slope(x @ theta, y) / len(x[0]) + shrunk * theta

    return descend(np.zeros((len(x), 65, 1)), Adam(0.2), gradient, steps)[-1]

# %% tags=["fold"] name="run"
# Ten splits, each loss with the penalty that won.
thetas = {k: train(slopes[k], penalty[k]) for k in kinds}
logits = {k: (x_test @ theta)[..., 0] for k, theta in thetas.items()}

# %% tags=["fold", "nbval-ignore-output"] name="images"
# Eights and other digits of the first test part, with what plain cross-entropy says.
p0, is8 = sigmoid(logits["cross-entropy"][0]), y_test[0] == 1
order = np.argsort(-p0, kind="stable")
some = np.r_[order[is8[order]][5::22][:7], order[~is8[order]][[0, 1, 3, 8, 20, 80, 300]]]
order = np.random.default_rng(seed).permutation(len(pixels))
drawn = pixels[order][names[order] != 8][1225:1605], pixels[order][names[order] == 8][25:170]
plots.images(
    np.concatenate(drawn)[some].reshape(-1, 8, 8),
    [f"{v:.3f}" if v < 0.1 else f"{v:.2f}" for v in p0[some]],
    "Two rows of handwritten digits. Above, seven eights with falling probabilities, from clear "
    "to clumsy. Below, seven other digits, the first of which look a little like eights.",
    columns=7,
)

# %% [markdown] name="formula"
# Above: eights of one test part, and what the plain model says. Below: other digits, first those that it takes most for eights. Most of the eights stay below $\frac12$, and still above most of the other digits.
#
# ## What to count
#
# An alarm for a digit that is no eight is a **false alarm**. Two shares say how good the alarms are. The **recall** is the share of the eights that get an alarm, and the **precision** is the share of the alarms that are right:
#
# $$\text{recall} = \frac{\text{eights found}}{\text{all eights}}, \qquad \text{precision} = \frac{\text{eights found}}{\text{eights found} + \text{false alarms}}$$
#
# Neither counts the digits about which the model rightly keeps silent. That is where accuracy gets its 98 per cent from. Both depend on the threshold: a lower one raises the recall and mostly lowers the precision. The **average precision** judges all thresholds at once: go down from the highest score, note the precision at each eight that you pass, and take the mean of these notes. In a formula:
#
# $$\text{AP} = \sum_n (R_n - R_{n-1})\, P_n$$
#
# Here $R_n$ and $P_n$ are recall and precision when the $n$ highest scores get an alarm. A model that ranks all eights first has the AP 1. One that ranks by chance has about 0.02, the share of the eights.


# %% name="curve"
def curve(z, y):  # from the highest score down: recall, and false alarms among the others
    order = np.argsort(-z, kind="stable")
    return y[order].cumsum() / y.sum(), (1 - y[order]).cumsum() / (1 - y).sum()

def precision(recall, false):  # where 20 digits of 1000 are eights
    return 20 * recall / (20 * recall + 980 * false)

def average_precision(z, y):
    recall, false = curve(z, y)
    return (np.diff(recall, prepend=0) * precision(recall, false)).sum()

# %% [markdown] name="play-text"
# ## Play
#
# Move the threshold. On the left are the logits of both classes, on the right precision over recall. A missed eight shall cost as much as 20 false alarms. The cost of 1000 digits, in false alarms, stands below the picture.
#
# 1. At which threshold is the accuracy highest? How many of the 20 eights does it find?
# 2. At which threshold is the cost lowest?

# %% tags=["fold", "nbval-ignore-output"] name="play-picture"
# The first split: the scores of both classes, and the threshold on the curve.
z0, rare0 = logits["cross-entropy"][0], y_test[0]
fig, (left, right) = plots.panels(2)
edges = np.linspace(-13, 4, 35)
for label, value, total, ls in (("980 others", 0, 980, "-"), ("20 eights", 1, 20, "--")):
    part = z0[rare0 == value]
    left.hist(
        np.clip(part, -13, 4),
        edges,
        weights=np.full(len(part), total / len(part)),
        lw=2,
        histtype="step",
        log=True,
        ls=ls,
        label=label,
    )
left.set(xlabel="logit", ylabel="digits of 1000 (log)", ylim=(0.1, 1000), xlim=(-13, 4))
left.legend(loc="upper right")
recall0, false0 = curve(z0, rare0)
right.plot(recall0, precision(recall0, false0), color="0.4")
right.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.05))

def cost(recall, false, ratio=20):  # of 1000 digits, in false alarms
    return 20 * (1 - recall) * ratio + 980 * false

def shares(z, y, cut):  # recall, and false alarms among the others
    return (z[y == 1] > cut).mean(), (z[y == 0] > cut).mean()

def threshold(left, right, t):
    z = np.log(t / (1 - t))
    left.axvline(z, color="C3", lw=2)
    left.axvspan(z, 4, color="C3", alpha=0.12, lw=0)
    r, f = shares(z0, rare0, z)
    if r + f == 0:
        return f"Nothing is above p = {t:g}: no alarm at all. Accuracy 98.0 %, cost 400."
    right.plot([r], [precision(r, f)], "o", color="C3", ms=10)
    return (
        f"Alarm where p > {t:g}: {20 * r:.1f} of 20 eights found, {980 * f:.1f} false alarms. "
        f"Recall {r:.2f}, precision {precision(r, f):.2f}, "
        f"accuracy {2 * r + 98 * (1 - f):.1f} %, cost {cost(r, f):.0f}."
    )

cuts = [
    0.001,
    0.002,
    0.003,
    0.005,
    0.007,
    0.01,
    0.015,
    0.02,
    0.03,
    0.04,
    0.05,
    0.06,
    0.08,
    0.1,
    0.13,
    0.16,
    0.2,
    0.25,
    0.3,
    0.4,
    0.5,
    0.6,
    0.7,
    0.8,
]
plots.moving(
    fig,
    "threshold",
    cuts,
    threshold,
    start=0.5,
    alt="Left: the logits of 980 other digits form a wide hill far below zero; those of 20 eights "
    "a flat hill further right that overlaps with it. At the threshold 1/2 most eights lie on the "
    "silent side. Right: precision falls from 1 to 0.02 as recall rises to 1; a dot marks the "
    "threshold.",
)

# %% [markdown] name="race-text"
# <details><summary>Answers</summary>
#
# 1. With seed 0 at 0.3: 98.8 per cent. It finds 8 of the 20 eights.
# 2. At 0.08, where it is 148, against 314 at $\frac12$. The bottom is flat: from 0.05 to 0.1 it stays below 160.
#
# </details>
#
# ## The race
#
# The dot moves along the curve, and the curve stays. So the first question to a loss is not what it finds at $\frac12$, but what curve it draws.

# %% tags=["fold", "nbval-ignore-output"] name="curves-picture"
# Precision over recall for the three losses, in the ten splits.
levels = np.linspace(0.02, 1, 50)

def over_recall(z):
    rows = []
    for a, b in zip(z, y_test, strict=True):
        recall, false = curve(a, b)
        rows.append(precision(recall, false)[np.searchsorted(recall, levels - 1e-9)])
    return plots.band(rows)

bands = {k: over_recall(z) for k, z in logits.items()}
plots.lines(
    levels,
    {k: v if k == "cross-entropy" else v[1] for k, v in bands.items()},
    "recall",
    "precision",
    "Three curves that fall from 1 to almost 0. They nearly lie on each other, inside the wide "
    "band of the splits; between recall 0.5 and 0.75 the weighted one is lower.",
    title="Ten splits: medians, and cross-entropy's lowest to highest",
)

# %% tags=["fold", "nbval-ignore-output"] name="race-table"
# Average precision of twenty recorded splits; and ten splits with equally many false alarms.
def as_many_alarms(z):  # eights found, with the false alarms that the weight gives at 1/2
    limit = [shares(a, b, 0)[1] for a, b in zip(logits["weight 49"], y_test, strict=True)]
    paths = [curve(a, b) for a, b in zip(z, y_test, strict=True)]
    return [20 * r[f < c + 1e-9].max() for (r, f), c in zip(paths, limit, strict=True)]

rows, plain = [], found["cross-entropy"][:, 0]
here = {k: np.array([average_precision(*v) for v in zip(z, y_test, strict=True)])
        for k, z in logits.items()}
for label, row in found.items():
    less, first = row[:, 0] - plain, label == "cross-entropy"
    rows.append([label, spread(row[:, 0]), "" if first else spread(less, "+.3f"),
                 "" if first else f"{(less > 0).sum()} of {len(less)}",
                 spread(as_many_alarms(logits[label]), ".1f")])
behind = {k: np.median(here[k] - here["cross-entropy"]) for k in here}
assert max(behind.values()) < 0.02 and behind["focal loss"] > -0.03
Table(["loss", "average precision, 20 splits", "minus that of cross-entropy", "higher in",
       "eights found of 20, equal false alarms"], rows,
      "Median, and lowest to highest: of 20 recorded splits; in the last column of 10 trained "
      "here, each model with as many false alarms as the weighted one gives at p > 1/2.")

# %% [markdown] name="why-text"
# The curve of focal loss lies on that of cross-entropy, the curve of the weight in part below it. Compared on the same split, the average precision of focal loss is 0.005 lower than that of cross-entropy, and that of the weight 0.026 lower (medians). **No cure has raised the curve.** The weight has walked along it: its $\frac12$ stands at another point of nearly the same curve. Now give every model as many false alarms as the weight has. Then cross-entropy finds 15.2 of the 20 eights, the weight 15.6 and focal loss 15.2: the threshold alone finds what the weight found.
#
# ## Derivation: why a cure does not move the curve
#
# Of many digits that look the same, let the share $q$ be eights. The best model with cross-entropy says $p = q$. With a weight it says other numbers: the odds of $q$, [times the weight](../03_algorithms/22_rare_label.ipynb). And with focal loss? Set the mean slope to zero and solve for $q$:

# %% tags=["fold"] name="derive-focal"
# Derivation 1: the true share behind what focal loss says.
q, p = sp.symbols("q p", positive=True)
z = sp.Symbol("z", real=True)

def mean_focal(z, q):  # the library's, over both labels: value and slope
    scores, label = np.stack([0 * z, z], -1), np.ones(z.shape, dtype=int)
    one, zero = focal(scores, label, 2.0), focal(scores, 0 * label, 2.0)
    return q * one.value + (1 - q) * zero.value, q * one.grad[:, 1] + (1 - q) * zero.grad[:, 1]

(
    derive(
        r"\bar\ell",
        "-q*(1 - p)**2*log(p) - (1 - q)*p**2*log(1 - p)",
        r"the mean focal loss, $\gamma = 2$, with label 1 at the share $q$",
        {"q": q, "p": p, "z": z},
        ranges={q: (0.01, 0.99)},
        means={p: "1 / (1 + exp(-z))"},
    )
    .library("q * focal(z, 1).value + (1 - q) * focal(z, 0).value",
             lambda z, q: mean_focal(z, q)[0])
    .slope(
        z,
        "(1 - q)*p**2*(p - 2*(1 - p)*log(1 - p)) - q*(1 - p)**2*(1 - p - 2*p*log(p))",
        r"the product rule, with $\partial p / \partial z = p (1 - p)$",
        tex=r"(1 - q)\, a(p) - q\, a(1 - p), \quad "
        r"a(p) = p^2 \left( p - 2 (1 - p) \log(1 - p) \right)",
    )
    .library("q * focal(z, 1).grad + (1 - q) * focal(z, 0).grad", lambda z, q: mean_focal(z, q)[1])
    .zero_at(
        "q",
        "p**2*(p - 2*(1 - p)*log(1 - p))"
        " / (p**2*(p - 2*(1 - p)*log(1 - p)) + (1 - p)**2*(1 - p - 2*p*log(p)))",
        "**the true share behind what focal loss says**",
        tex=r"\frac{a(p)}{a(p) + a(1 - p)}",
    )
)

# %% [markdown] name="why-reading"
# Where $p$ rises, this $q$ rises ([shown here](../03_algorithms/10_soft_targets.ipynb)). The same holds for the weight. So all three best models put the digits into *the same order*; they only call the places by other numbers. A threshold sees nothing but the order. Every alarm that a weight or focal loss can give, plain cross-entropy can give at another threshold.
#
# This is a sentence about best models. Fifteen eights do not make a best model, so the three orders differ a little. The table says that neither cure gains by it.
#
# ## Derivation: the threshold from the costs
#
# Then where shall the threshold be? Let a false alarm cost $c_p$ and a missed eight $c_n$. With the true share $q$ an alarm costs $c_p (1 - q)$ on average, and silence costs $c_n\, q$.

# %% tags=["fold"] name="cost-picture"
# What an alarm and silence cost on average, for c_p = 1 and c_n = 20.
at = np.linspace(0, 0.15, 101)
fig, (ax,) = plots.panels()
plots.draw_lines(ax, at, {"alarm": 1 - at, "silence": 20 * at},
                 "true share of eights among such digits, q", "mean cost (false alarms)",
                 "A missed eight costs 20 false alarms")
ax.axvline(1 / 21, color="0.5", lw=1)
ax.text(1 / 21 + 0.002, 2.6, "q = 1/21", color="0.3")
ax.fill_between(at, np.minimum(1 - at, 20 * at), color="0.5", alpha=0.2, lw=0)
plots.Picture(
    fig, "Two lines. Silence rises steeply from 0, the alarm falls slowly from 1. They cross where "
    "one digit in 21 is an eight. The area below the lower line is shaded.",
)

# %% tags=["fold"] name="derive-cost"
# Derivation 2: the threshold, and a weight that does the same.
c_n, c_p = sp.symbols("c_n c_p", positive=True)
(
    derive(
        "S",
        "c_n*q - c_p*(1 - q)",
        "what an alarm saves: the cost of silence minus its own",
        [q, c_n, c_p],
        ranges={q: (0.01, 0.99)},
    )
    .library(
        "-2 * c_p * binary_cross_entropy(0, q, c_n / c_p).grad",
        lambda q, c_n, c_p: -2 * c_p * binary_cross_entropy(0 * q, q, c_n / c_p).grad,
        r"the slope of the loss with the weight $c_n / c_p$, at $p = \frac12$",
    )
    .equals("(c_n + c_p)*q - c_p", "sorted by $q$")
    .zero_at("q", "c_p / (c_n + c_p)", "**above this share an alarm is cheaper, below it silence**")
)

# %% [markdown] name="cost-reading"
# Left of the crossing silence is cheaper, right of it the alarm. For 20 to 1 the threshold is $\frac{1}{21}$. It follows from the costs alone (Elkan, 2001). Neither the number of eights nor any data enters.
#
# The second line says what a weight is. Where an alarm saves something, the slope of the weighted loss at $p = \frac12$ is negative, and training pushes the logit above 0. Where it saves nothing, training pushes the logit below 0. **For a best model, a weight of $c_n / c_p$ with the threshold $\frac12$, and no weight with the threshold $c_p / (c_n + c_p)$, are the same decision.** Whoever takes a weight has chosen costs.
#
# ## The bill
#
# The threshold asks for a true share $q$, and two of our models say something else. So first undo it: take $\log w$ off the logit for a weight, and apply the last line of derivation 1 for focal loss.


# %% name="mend"
def behind_weight(z, w=49):
    return sigmoid(z - np.log(w))

def behind_focal(z):
    p = sigmoid(z)
    yes, no = (s**2 * (s - 2 * (1 - s) * np.log(1 - s)) for s in (p, 1 - p))
    return yes / (yes + no)

# %% tags=["fold", "nbval-ignore-output"] name="cost-table"
# What 1000 digits cost, at three thresholds; twenty recorded splits.
rows, half = [], {k: cost(row[:, 1], row[:, 2]) for k, row in found.items()}
for label, row in found.items():
    rows.append([label, *(spread(v, ".0f") for v in (half[label], row[:, 11], row[:, 10]))])
Table(
    ["cost (false alarms)", "p > 1/2", "q > 1/21", "chosen on 500 validation digits"],
    rows,
    "Median, and lowest to highest of the splits. Without any alarm the cost is 400.",
)

# %% [markdown] name="calibration-text"
# At $p > \frac12$ the costs differ by far: 308, 139 and 320 (medians). With a threshold chosen on validation data nearly nothing is left of that: 132, 139 and 135. Plain cross-entropy needs no validation data for it: the threshold from the costs also ends at 132. **The threshold does nearly everything, and the loss nearly nothing.**
#
# One number stands out. The weighted model, mended and with the right threshold, costs 156. What went wrong there?
#
# ## What the cures destroy
#
# A model is [calibrated](../02_concepts/02_what_makes_a_loss_good.ipynb) if of the digits to which it gives 0.1, one tenth are eights. We sort the digits of the ten test parts by what the model says, and count.

# %% tags=["fold", "nbval-ignore-output"] name="calibration-picture"
# What the models say against the share of eights, raw and mended; ten splits together.
steps_of = np.array([0.003, 0.01, 0.03, 0.1, 0.3, 0.6])
heavy = np.where(y_test == 1, 20 / 145, 980 / 380)

def reliability(p):  # in each bin: the mean of what was said, and the share of eights
    place = np.digitize(p, steps_of)
    total = np.array([heavy[place == k].sum() for k in range(7)])
    kept = np.array([(place == k).sum() for k in range(7)]) >= 30
    sums = np.array([[(heavy * v)[place == k].sum() for k in range(7)] for v in (p, y_test)])
    return sums[:, kept] / total[kept]

raw = {k: reliability(sigmoid(v)) for k, v in logits.items()}
mended = {"cross-entropy": raw["cross-entropy"],
          "weight 49": reliability(behind_weight(logits["weight 49"])),
          "focal loss": reliability(behind_focal(logits["focal loss"]))}
fig, axes = plots.panels(2)
for ax, title, lines in zip(axes, ("what they say", "mended"), (raw, mended), strict=True):
    looks = zip(lines.items(), ("-", "--", ":"), "osD", strict=True)
    for (label, (said, true)), look, mark in looks:
        ax.plot(said, true, ls=look, marker=mark, ms=5, label=label)
    ax.plot([5e-4, 1], [5e-4, 1], color="0.6", lw=1, label="calibrated")
    ax.set(xlim=(5e-4, 1.2), ylim=(5e-4, 1.2), xscale="log", yscale="log", title=title,
           xlabel="mean probability said (log)", ylabel="share of eights (log)")
axes[0].legend(loc="upper left", fontsize=8)
for label, (said, true) in raw.items():
    pairs = [f"{a:.2g} (share {b:.2g})" for a, b in zip(said, true, strict=True) if 0.03 < a < 0.5]
    print(f"{label} says: {', '.join(pairs)}")
raised = np.median((logits["weight 49"] - logits["cross-entropy"])[:, :380], axis=1)
print(f"log 49 is {np.log(49):.1f}; the weight has raised the middle logit of the others by "
      f"{spread(raised, '.1f')}")
assert np.median(raised) < 0.9 * np.log(49)
plots.Picture(
    fig, "Two panels, what is said against the share of eights, both logarithmic. Left: plain "
    "cross-entropy crosses the diagonal near 0.1, the weight runs far below it, and focal loss "
    "climbs steeply from far below. Right: mended, focal loss is as near to the diagonal as "
    "cross-entropy, and the weight lies above it.",
)

# %% tags=["fold", "nbval-ignore-output"] name="calibration-table"
# The loss of the probabilities, and their mean.
rows = [[label, *(spread(row[:, c], ".3f") for c in (3, 4, 5, 6))] for label, row in found.items()]
Table(
    ["", "loss on new digits (nats)", "loss, mended", "mean probability", "mean, mended"],
    rows,
    "Twenty recorded splits. The true share of eights is 0.020.",
)

# %% [markdown] name="breaks-text"
# Where cross-entropy says 0.05, the share of eights is 0.04. It says too much below 0.1 and too little above. Where focal loss says 0.16, one digit in a hundred is an eight; where the weighted model says 0.44, one in twenty-three. Mended, focal loss lies where cross-entropy lies: its loss falls from 0.147 to 0.050 nats. The weight's falls from 0.099 to 0.056 nats only. Taking off $\log 49 = 3.9$ was too much: the mended mean is 0.008, and 0.020 are eights. In a best model the weight raises every logit by that. In this one it has raised the middle logit of the other digits by 0.7 only. **The probabilities are what a weight costs, and the correction gives them back only in part.**
#
# ## What breaks
#
# Somebody chooses the threshold on the test part, and reports the cost there. We let the validation part play that role, 500 digits with 10 eights, and then look at new digits.

# %% tags=["fold", "nbval-ignore-output"] name="breaks-table"
# The cost that the chosen threshold promises, and what it is on new digits.
rows = []
for label, row in found.items():
    rows.append(
        [
            label,
            spread(row[:, 12], ".0f"),
            spread(row[:, 10], ".0f"),
            f"{(row[:, 12] < row[:, 10]).sum()} of {len(row)}",
        ]
    )
Table(["cost of 1000 digits", "promised", "on new digits", "promised too little in"], rows)

# %% [markdown] name="exercises"
# The promise was too low in 17 or 18 of 20 splits: 81 was promised with cross-entropy, and 132 came. The smallest of 501 noisy numbers is small in part by luck. The signature: the cost on the digits that chose the threshold lies below the cost on new ones, whatever the loss. The cure: choose on one part and report on another.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Three numbers (6 minutes, easy)
# `p` holds the model's probabilities, no two alike, and `y` is 1 for the rare class, else 0. An alarm is given where `p > t`. Return precision, recall and average precision of these examples as they are, without scaling to 1000.


# %% name="exercise-report"
def report(p, y, t):
    ### BEGIN SOLUTION
    alarm = p > t
    order = np.argsort(-p)
    hits = y[order]
    precisions = np.cumsum(hits) / np.arange(1, len(y) + 1)
    return y[alarm].mean(), alarm[y == 1].mean(), (precisions * hits).sum() / hits.sum()
    ### END SOLUTION

# %% name="check-report"
check("report")

# %% [markdown] name="exercise-cheapest-text"
# <details><summary>Hint 1</summary>y[alarm] holds the labels of all alarms. What is its mean?</details>
# <details><summary>Hint 2</summary>Sort the labels from the highest p down. Their running sum over 1, 2, 3, ... is the precision at each place.</details>
#
# ### 2. The threshold from validation data (8 minutes, medium)
# Give an alarm where `p >= t`. A false alarm costs `c_p`, a missed example `c_n`. Return the `t` with the lowest total cost on these examples: one of the numbers in `p`, or `np.inf` if no alarm at all is cheapest.


# %% name="exercise-cheapest"
def cheapest(p, y, c_p, c_n):
    ### BEGIN SOLUTION
    cuts = np.append(p, np.inf)
    alarm = p >= cuts[:, None]
    costs = c_p * (alarm & (y == 0)).sum(1) + c_n * (~alarm & (y == 1)).sum(1)
    return cuts[costs.argmin()]
    ### END SOLUTION

# %% name="check-cheapest"
check("cheapest")

# %% [markdown] name="exercise-price-text"
# <details><summary>Hint 1</summary>Build a table alarm[k, n]: does example n get an alarm at the k-th threshold?</details>
# <details><summary>Hint 2</summary>p >= cuts[:, None] is that table. Sum both mistakes over n, and take the place of the smallest.</details>
#
# ### 3. Whose costs are these? (5 minutes, medium)
# A colleague has trained with `pos_weight=w` and gives an alarm where the model says more than `t`. Nobody spoke of costs, and yet some have been chosen. How many false alarms is a missed example worth here, $c_n / c_p$? Take the model for a best one.


# %% name="exercise-price"
def price(w, t):
    ### BEGIN SOLUTION
    return w * (1 - t) / t
    ### END SOLUTION

# %% name="check-price"
check("price")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Which odds does the model say at the threshold, and which true odds are behind them?</details>
# <details><summary>Hint 2</summary>At the threshold an alarm saves nothing: the true odds q / (1 - q) are c_p / c_n.</details>
# <details><summary>Find out (after solving)</summary>Many libraries call w = (others) / (rare) "balanced". Call price(49, 0.5), then price(999, 0.5) for one example in a thousand. Would you pay that?</details>
#
# ## Takeaways
#
# - Judge a rare class by recall and precision, or by the costs. At 2 per cent, silence alone has an accuracy of 98.
# - The threshold follows from the costs: $c_p / (c_p + c_n)$ on a calibrated probability. Plain cross-entropy with this threshold was as cheap here as any loss with a threshold chosen on validation data.
# - Do not weigh a class, and do not take focal loss, merely because the class is rare: neither raised the curve here, and both spoil the probabilities. Mended, those of focal loss were as good as plain ones, and those of the weight worse.
#
# ## Does it hold?
#
# **Other weights, other gammas.** Each with its own best penalty out of the 15:

# %% tags=["fold"] name="control-strength"
# Average precision and mean cost for five weights and four gammas.
rows = []
for kind in ("weight 1", "weight 7", "weight 20", "weight 49", "weight 120",
             "focal 0.5", "focal 1", "focal 2", "focal 4"):
    row = judged(kind)
    costs = cost(row[:, 1], row[:, 2]), row[:, 11], row[:, 10]
    rows.append([kind, f"{penalties[best(kind)]:.2g}", f"{row[:, 0].mean():.3f}",
                 "" if kind == "weight 1" else f"{(row[:, 0] > plain).sum()} of {len(plain)}",
                 *(f"{v.mean():.0f}" for v in costs)])
Table(["loss", "penalty", "mean AP", "above weight 1 in", "mean cost at p > 1/2", "at q > 1/21",
       "chosen"], rows, "Weight 1 is plain cross-entropy; at gamma = 0 focal loss is the same.")

# %% [markdown] name="control-digits-text"
# The larger the weight, the lower the average precision. Focal loss stays within 0.01 of cross-entropy. The weight 20, which is the ratio of the costs, costs 144 at $p > \frac12$; no weight with the threshold from the costs, 131.
#
# **Other digits.** Each of the ten digits once as the rare class, tuned anew:

# %% tags=["fold"] name="control-digits"
# Average precision and cost for each digit as the rare class: means of twenty splits.
rows, ahead, gaps, saved = [], 0, [], []
for digit in range(10):
    row = [judged(kind, digit) for kind in kinds.values()]
    first = 10 if digit == 8 else 7
    mean_ap, picked, priced = ([v[:, c].mean() for v in row] for c in (0, first, first + 1))
    ahead, gaps = ahead + (priced[2] < priced[0]), [*gaps, max(mean_ap) - mean_ap[0]]
    saved.append(100 - 100 * priced[2] / priced[0])
    rows.append([digit, " / ".join(f"{v:.3f}" for v in mean_ap),
                 *(" / ".join(f"{v:.0f}" for v in part) for part in (picked, priced))])
print(f"a cure is ahead in average precision by at most {max(gaps):.3f}; mended focal loss is "
      f"cheaper at q > 1/21 for {ahead} of 10 digits, by {min(saved):.0f} to {max(saved):.0f} %")
Table(["digit", "average precision", "cost, threshold chosen", "cost, q > 1/21"], rows,
      "Each time: cross-entropy / weight 49 / focal loss.")

# %% [markdown] name="control-ratio-text"
# With chosen thresholds the mean costs of the three losses lie within 5 of each other for nine digits, and within 13 for the eight. Cross-entropy with the threshold from the costs is mostly cheaper than with the chosen one. One cure comes out ahead somewhere: focal loss, mended, with the threshold from the costs. It is cheaper than cross-entropy for every digit: by 2 to 8 per cent for six of them, and by about a quarter for 0, 2, 4 and 6, which are easy. Its order is no better there, so its mended probabilities must be. Those of the weight are worse, for all digits but the six.
#
# **Other costs.** The eight again:

# %% tags=["fold"] name="control-ratio"
# Mean cost for four ratios of the two costs.
rows = []
for i, ratio in enumerate((5, 20, 49, 100)):
    for label, row in found.items():
        rows.append([f"{ratio} false alarms", label,
                     *(f"{v.mean():.0f}" for v in (cost(row[:, 1], row[:, 2], ratio),
                                                   row[:, 8 + 3 * i], row[:, 7 + 3 * i]))])
Table(["a missed one costs", "loss", "p > 1/2", "from the costs", "chosen"], rows)

# %% [markdown] name="control-steps-text"
# For cross-entropy the threshold from the costs is as good as the chosen one, at each ratio. At 49 to 1, the costs that the weight 49 stands for, that weight costs 286 at $p > \frac12$, and cross-entropy 245. Mended focal loss is dearer than cross-entropy at 5 to 1 and cheaper at 49 and 100 to 1.
#
# **Is it trained to the end?** Three times as many steps, with the ten splits:

# %% tags=["fold", "nbval-ignore-output"] name="control-steps"
# Average precision after 300 and after 900 steps, ten splits.
rows = []
for label in ("cross-entropy", "weight 49"):
    long = (x_test @ train(slopes[label], penalty[label], 900))[..., 0]
    there = np.array([average_precision(*v) for v in zip(long, y_test, strict=True)])
    assert abs(np.median(there) - np.median(here[label])) < 0.03
    rows.append([label, spread(here[label], ".3f"), spread(there, ".3f")])
Table(["loss", "300 steps", "900 steps"], rows)

# %% tags=["fold-all"] name="record"
# The record behind the tables.
record

# %% [markdown] name="sources"
# The model is trained to its end. All this is one linear model with fifteen rare examples. A network that can learn them by heart may rank differently with each loss, and then the same comparison decides: curves on validation data, each side with as many tries.
#
# ## Sources
#
# - C. Elkan, 2001: *The foundations of cost-sensitive learning*, IJCAI (the threshold from the costs).
# - T.-Y. Lin, P. Goyal, R. Girshick, K. He and P. Dollár, 2017: *Focal loss for dense object detection*, ICCV.
# - N. Charoenphakdee, J. Vongkulbhisal, N. Chairatanakul and M. Sugiyama, 2021: *On focal loss for class-posterior probability estimation: a theoretical perspective*, CVPR (the true probability behind focal loss, for any number of classes).
# - T. Saito and M. Rehmsmeier, 2015: *The precision-recall plot is more informative than the ROC plot when evaluating binary classifiers on imbalanced datasets*, PLOS ONE 10.
# - scikit-learn's documentation of `average_precision_score` (the formula of the average precision).
