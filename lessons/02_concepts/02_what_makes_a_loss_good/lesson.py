# ---
# jupyter:
#   lesson:
#     title: "What makes a loss a good loss?"
#     question: "You believe in 70 %. Under which loss is it cheaper to say 100 %?"
#     minutes: 45
#     needs: [01_model_and_objective]
#     settles: [E4, E15]
#     studies: [losses.squared_error, losses.absolute_error, losses.binary_cross_entropy_on_probabilities]
#     terms: [proper, entropy, lead, surrogate, overfitting, calibrated, validation part, early stopping]
#     claims:
#       C15: {verdict: conditional, cell: distance, says: "The absolute error is a metric. Cross-entropy and the squared error are none: a detour over 1/2 is cheaper than the direct way (cross-entropy: 3.0 nats for 4.6), and cross-entropy is not 0 at its own target."}
#       C16: {verdict: conditional, cell: overfitting-numbers, says: "The optimum is one for the examples that were paid for. After 1500 steps on 80 tumours a network with 256 weights has 4.5 times the loss on new tumours that it had where a validation part would have stopped it."}
#       C17: {verdict: confirmed, cell: which-number-numbers, says: "On the same 569 areas three losses train three different numbers: the mean, the median and the level that nine of ten stay below."}
# ---

# %% [markdown] name="title"
# # What makes a loss a good loss?
#
# **Goal.** Know the two things that a loss must do: make it cheapest to say what one believes, and tell training which way to go.
#
# **The question.** A forecaster pays for every forecast: the loss is the price. It believes in rain with 70 %. Is there a loss under which it is cheaper to say 100 %?
#
# Here are two forecasters with real data: 569 tumours, some harmless (benign), the others malignant. They see one measurement, the *texture*: how much the grey of the cells varies in the picture. It does not decide the matter. So each forecaster may only say, for each of eight groups of tumours, how probable "benign" is. One pays the squared error of what it says, the other the absolute error. Both are trained on 399 of the tumours; the other 170 are kept as new ones. A stated probability above one half *names* the tumour benign, one below malignant.

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp
from sklearn.datasets import load_breast_cancer

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.derive import derive
from lessons_lib.losses import (
    absolute_error,
    binary_cross_entropy,
    binary_cross_entropy_on_probabilities,
    hinge,
    quantile_loss,
    soft_margin,
    squared_error,
)
from lessons_lib.losses._stable import sigmoid
from lessons_lib.optim import Adam, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("02_concepts/02_what_makes_a_loss_good")

def spread(values, form="{:.2f}"):  # middle (lowest to highest)
    low, middle, high = (form.format(v) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

# %% name="forecaster"
def forecaster(loss, y, group, steps=2500, lr=0.01):
    p = np.full(8, 0.5)  # what it says of each group
    for _ in range(steps):
        slope = np.bincount(group, loss(p[group], y).grad) / np.bincount(group)
        p = np.clip(p - lr * slope, 0, 1)  # a small step against the mean slope
    return p

# %% tags=["fold"] name="question-picture"
# Groups of about 50 tumours by texture; the two forecasters, and what is true of each group.
TEXTURE = 1
paid = {"squared error": squared_error, "absolute error": absolute_error}

def groups(split, measurement=TEXTURE):  # the groups of the training part and of the new tumours
    cuts = np.quantile(split.x[:, measurement], np.arange(1, 8) / 8)
    return [np.searchsorted(cuts, x[:, measurement]) for x in (split.x, split.x_test)]

splits = [data.breast_cancer(s) for s in setting.seeds]
first, (group, _) = splits[0], groups(splits[0])
share = np.array([first.y[group == g].mean() for g in range(8)])
said = {name: forecaster(loss, first.y.astype(float), group) for name, loss in paid.items()}
fig, (ax,) = plots.panels()
ax.bar(np.arange(1, 9), share, color="0.8", label="benign in truth")
for (name, p), look in zip(said.items(), ("C0o", "C1X"), strict=True):
    ax.plot(np.arange(1, 9), p, look, ms=9, label=f"says, paying {name}", clip_on=False, zorder=3)
ax.axhline(0.5, color="0.4", lw=1, ls=":")
ax.set(xlabel="group, from the most even texture to the most uneven", ylim=(0, 1),
       ylabel="share, or stated probability, of benign")
ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.2), ncol=3, fontsize=9)
plots.Picture(
    fig, alt="Eight grey bars, the share of benign tumours in each group, most of them falling "
    "from 0.9 to 0.2. A blue dot sits on top of every bar: the forecaster that pays squared "
    "error. Orange crosses, paying absolute error, lie at 1 for the groups above one half and "
    "at 0 for those below.",
)

# %% tags=["fold", "nbval-ignore-output"] name="question-numbers"
# On new tumours, over all splits: right names, and what "100 %" and "0 %" are worth.
right, sure, stated_sure = {name: [] for name in paid}, [], []
for split in splits:
    old, new = groups(split)
    for name, loss in paid.items():
        p = forecaster(loss, split.y.astype(float), old)[new]
        right[name].append(((p > 0.5) == split.y_test).mean())
        if name == "squared error":
            stated_sure.append(np.maximum(p, 1 - p).mean())
    certain = np.minimum(p, 1 - p) < 0.02  # a last step may lead away from 0 or 1
    sure.append((p.round() == split.y_test)[certain].mean())
    assert certain.mean() > 0.6 and 1 - sure[-1] > 0.1
    assert abs(right["squared error"][-1] - right["absolute error"][-1]) < 0.08
    assert abs(right["squared error"][-1] - stated_sure[-1]) < 0.15
for name, values in right.items():
    print(f"{name}: names {spread(values, '{:.0%}')} of the new tumours right")
print(f"squared error: is sure of these names to {spread(stated_sure, '{:.0%}')}, on average")
print(f"absolute error: what it says with certainty is true for {spread(sure, '{:.0%}')}")

# %% [markdown] name="question-reading"
# The blue forecaster says the share that is benign. On average it is 73 % sure of the name it gives, and on new tumours 72 % of the names are right. The orange one says 100 % or 0 %, always. It is not stupid: it puts every group on the same side of one half as the blue one, so the two name new tumours equally well. It *lies about how sure it is*. Its certainties come true in 72 of 100 cases.
#
# Nobody told it to lie. Its loss did.
#
# ## The idea, drawn
#
# Take ten tumours that look the same; seven of them are benign. You must say one probability for all ten. Say the truth, 70 %, or boast and say 99 %. What do the ten cost together? There is a third loss to ask, the *cross-entropy*: minus the natural logarithm of the probability that one gave to what then happened. Its unit is the *nat*.

# %% tags=["fold"] name="ten"
# The ten costs, one behind the other, for two forecasts and three losses.
y_ten = np.array([1.0] * 7 + [0.0] * 3)
three = paid | {"cross-entropy": binary_cross_entropy_on_probabilities}
fig, axes = plots.panels(3, sharey=True)
fig.set_size_inches(8.6, 2.6)
totals = {}
for ax, (name, loss) in zip(axes, three.items(), strict=True):
    for row, p in enumerate((0.7, 0.99)):
        costs = loss(np.full(10, p), y_ten).value
        totals[name, p] = costs.sum()
        ax.barh(row, costs, left=np.cumsum(costs) - costs, edgecolor="w", height=0.55,
                color=["C0"] * 7 + ["C1"] * 3, hatch=[""] * 7 + ["//"] * 3)
        ax.text(costs.sum(), row, f" {costs.sum():.1f}", va="center")
    unit = " (nats)" if name == "cross-entropy" else ""
    ax.set(title=name, xlabel=f"cost of ten{unit}", yticks=(0, 1),
           yticklabels=("say 70 %", "say 99 %"), xlim=(0, 1.25 * max(totals[name, 0.7],
                                                                     totals[name, 0.99])))
    ax.grid(axis="y", visible=False)
axes[0].invert_yaxis()
pieces = axes[0].containers[0]
fig.legend([pieces[0], pieces[9]], ["the seven benign", "the three malignant"],
           loc="outside upper center", ncol=2)
assert totals["absolute error", 0.99] < totals["absolute error", 0.7]
plots.Picture(
    fig, alt="Three panels, each with two bars made of ten pieces. Squared error: saying 70 % "
    "costs 2.1, saying 99 % costs 2.9. Absolute error: 70 % costs 4.2, 99 % costs 3.0. "
    "Cross-entropy: 70 % costs 6.1, 99 % costs 13.9. In the rows of 99 % nearly all of the cost "
    "is that of the three malignant tumours.",
)

# %% [markdown] name="ten-reading"
# A boast saves a little seven times, and pays three times. Under the absolute error the savings win. Squaring shrinks small errors most: 0.3 becomes 0.09, while 0.99 stays 0.98. So there is little left to save, and the boast loses. Cross-entropy makes the three large errors enormous.
#
# ## Formula
#
# Of many tumours that look the same, the share $q$ has the label $y = 1$ (benign), and the others have $y = 0$. You say $p$. Then you pay, on average,
#
# $$\bar\ell(p) = q\; \ell(p, 1) + (1 - q)\; \ell(p, 0)$$
#
# | symbol | code | meaning |
# |---|---|---|
# | $p$ | `p` | the probability that you say, from 0 to 1 |
# | $q$ | `q` | the true share; or what you believe it to be |
# | $\ell(p, y)$ | `loss(p, y).value` | the loss of one example |
# | $\bar\ell(p)$ | `mean_loss(loss, p, q)` | the mean loss of saying $p$ |
#
# A loss is **proper** if, for every $q$, the truth $p = q$ is cheaper than every other $p$. Then honesty is cheapest. (The literature calls this *strictly* proper.)
#
# The losses of this lesson are the absolute error $|p - y|$, the squared error $(p - y)^2$ (Brier 1950 proposed it for weather forecasts) and the cross-entropy, here for two labels:
#
# $$\ell(p, y) = -y \log p - (1 - y) \log (1 - p)$$

# %% name="mean-loss"
def mean_loss(loss, p, q):
    one, zero = 1 + 0 * p, 0 * p  # the two labels, once for each p
    return q * loss(p, one).value + (1 - q) * loss(p, zero).value

def mean_slope(loss, p, q):
    one, zero = 1 + 0 * p, 0 * p
    return q * loss(p, one).grad + (1 - q) * loss(p, zero).grad

# %% [markdown] name="derivation-text"
# ## Derivation
#
# Which $p$ is cheapest? If the slope is 0 at one place only, negative before it and positive after it, the curve is lowest there. The last column says how a machine checked the line; SymPy is a program that computes with formulas.
#
# ### Squared error: honest

# %% tags=["fold"] name="derive-squared"
# Derivation 1: the squared error is proper.
p_, q_ = sp.symbols("p q", positive=True)
shares = {p_: (0.01, 0.99), q_: (0.01, 0.99)}
(
    derive(r"\bar\ell", "q * (p - 1)**2 + (1 - q) * p**2", "the mean of the two cases",
           [p_, q_], ranges=shares)
    .library("mean_loss(squared_error, p, q)", lambda p, q: mean_loss(squared_error, p, q))
    .equals("(p - q)**2 + q * (1 - q)", "multiply out: **the price of a lie, and a rest**")
    .slope(p_, "2 * (p - q)", "the rest does not depend on $p$")
    .library("mean_slope(squared_error, p, q)", lambda p, q: mean_slope(squared_error, p, q))
    .zero_at(p_, "q", "**cheapest is the truth**")
)

# %% [markdown] name="derive-log-text"
# ### Cross-entropy: honest

# %% tags=["fold"] name="derive-log"
# Derivation 2: cross-entropy is proper.
cross = binary_cross_entropy_on_probabilities
(
    derive(r"\bar\ell", "-q * log(p) - (1 - q) * log(1 - p)", "the mean of the two cases",
           [p_, q_], ranges=shares)
    .library("mean_loss(cross_entropy, p, q)", lambda p, q: mean_loss(cross, p, q))
    .slope(p_, "-q / p + (1 - q) / (1 - p)", r"the slope of $\log p$ is $1 / p$")
    .equals("(p - q) / (p * (1 - p))", "one denominator")
    .library("mean_slope(cross_entropy, p, q)", lambda p, q: mean_slope(cross, p, q))
    .zero_at(p_, "q", "**cheapest is the truth**")
)

# %% [markdown] name="derive-absolute-text"
# The slope is the lie, $p - q$, divided by $p (1 - p)$. So the same lie pulls harder near 0 and 1, where $p (1 - p)$ is small.
#
# ### Absolute error: a liar

# %% tags=["fold"] name="derive-absolute"
# Derivation 3: the absolute error is not proper.
(
    derive(r"\bar\ell", "q * (1 - p) + (1 - q) * p", r"$|p - 1| = 1 - p$ and $|p - 0| = p$",
           [p_, q_], ranges=shares)
    .library("mean_loss(absolute_error, p, q)", lambda p, q: mean_loss(absolute_error, p, q))
    .slope(p_, "-q + (1 - q)", "a straight line in $p$")
    .equals("1 - 2 * q", r"**the slope does not contain** $p$")
    .library("mean_slope(absolute_error, p, q)", lambda p, q: mean_slope(absolute_error, p, q))
)

# %% [markdown] name="code-text"
# Wherever you stand, the slope is the same. For $q$ above one half it is negative: more is cheaper, up to $p = 1$. Below one half, less is cheaper, down to $p = 0$. So the answer to the question is yes. **Under the absolute error the cheapest forecast is always 0 or 1** (at $q = 1/2$ all cost the same).
#
# ## Code
#
# What we have derived is what the library computes: value and slope, example by example.

# %% name="source"
show(squared_error, absolute_error)

# %% [markdown] name="parity-text"
# ## Parity
#
# The absolute error agrees with PyTorch's `l1_loss` to rounding (folded table); the lesson before shows it for the squared error.

# %% tags=["fold-all", "nbval-ignore-output"] name="parity-absolute"
# Parity with PyTorch: the absolute error.
parity.table("absolute_error", setting.device)

# %% [markdown] name="play"
# ## Play
#
# Move the truth $q$. The fourth curve is the share of wrong names: a forecast above one half says "benign", one below says "malignant". It is 1 minus the accuracy.
#
# 1. Where do the four curves have their lowest points when $q$ crosses one half?
# 2. Even the honest forecaster pays. For which $q$ does it pay most?

# %% tags=["fold"] name="play-picture"
# The figure to move: four mean losses over what is said, for one truth after the other.
def wrong(p, q):  # share of wrong names
    return np.where(p > 0.5, 1 - q, q)

stated = np.r_[0.005, np.arange(1, 50) / 50, 0.99, 0.995]
fig, (ax,) = plots.panels()
four = [*three, "wrong names"]
for i, name in enumerate(four):
    ax.plot([], [], color=f"C{i}", ls=("-", "--", "-.", ":")[i], label=name)
ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.2), ncol=4, fontsize=9)
ax.set(xlabel="stated probability p", ylabel="mean loss (cross-entropy: nats)", ylim=(0, 1.6),
       xlim=(0, 1))
fig.set_size_inches(5.8, 3.6)

def truth(ax, q):
    for i, name in enumerate(four):
        at = np.array([0, 0.4999, 0.5001, 1]) if name == "wrong names" else stated
        y = wrong(at, q) if name == "wrong names" else mean_loss(three[name], at, q)
        ax.plot(at, y, color=f"C{i}", ls=("-", "--", "-.", ":")[i])
        if name in ("squared error", "cross-entropy"):
            ax.plot(q, mean_loss(three[name], np.array([q]), q), "o", color=f"C{i}", ms=8)
        elif name == "absolute error" and q != 0.5:
            ax.plot(float(q > 0.5), min(q, 1 - q), "X", color="C1", ms=9, clip_on=False)
    ax.axvline(q, color="0.5", lw=1, ls=":")
    end = "says 1" if q > 0.5 else "says 0" if q < 0.5 else "does not care"
    floor = -q * np.log(q) - (1 - q) * np.log(1 - q)
    return (f"Squared error and cross-entropy say {q:.2f}. Absolute error {end}. "
            f"Honesty costs {q * (1 - q):.2f} (squared error) and {floor:.2f} nats.")

plots.moving(
    fig, "true share q", [round(v, 2) for v in np.linspace(0.05, 0.95, 19)], truth, start=0.7,
    alt="Four curves over the stated probability for the true share 0.7. Squared error and "
    "cross-entropy are bowls with a dot at their lowest point, at 0.7. The absolute error is a "
    "straight line falling to a cross at 1. The share of wrong names is a stair: 0.7 below one "
    "half, 0.3 above it.",
)

# %% [markdown] name="play-reading"
# <details><summary>Answers</summary>
#
# 1. The two dots pass through one half with $q$. The cross jumps from 0 to 1. The stair turns over: its low side changes, and on that side every forecast is equally cheap.
# 2. For $q = 1/2$, where nobody can know. There the squared error costs 0.25 and cross-entropy 0.69 nats.
#
# </details>
#
# The stair shows the accuracy, upside down. On its low side 51 % and 99 % cost the same. It does not punish honesty, and it does not reward it. Its second fault is worse.
#
# ## A slope to follow
#
# Training moves the parameters a little, against the slope of the loss. What if the loss has none? Take a model that names tumours by all 30 measurements: it multiplies each by a weight and adds up. The sum is its **score**, and a score above 0 means "benign". We train it with cross-entropy. (A curve called sigmoid turns the score into a probability; [chapter 3](../03_algorithms/01_binary_cross_entropy.ipynb) begins with it.) Then we change one of its weights, that of the texture, and watch both measures:

# %% tags=["fold"] name="stairs"
# One weight of a trained classifier is moved: the share of wrong names, and the cross-entropy.
x, y = first.x, first.y.astype(float)

def names_wrong(theta):
    return ((x @ theta > 0) != y).mean()

def smooth(theta):
    return binary_cross_entropy(x @ theta, y).value.mean()

def smooth_slope(theta):
    return binary_cross_entropy(x @ theta, y).grad @ x / len(y)

def train_by(slope, theta, steps=300, lr=0.1):
    for _ in range(steps):
        theta = theta - lr * slope(theta)
    return theta

trained = train_by(smooth_slope, np.zeros(30))
fig, axes = plots.panels(2)
fig.set_size_inches(8.2, 3.1)
for ax, low, high in ((axes[0], -3, 3), (axes[1], 1.3, 1.6)):
    at = np.linspace(low, high, 1201)
    moved = [trained + a * np.eye(30)[TEXTURE] for a in at]
    ax.grid(False)
    ax.plot(at, [100 * names_wrong(m) for m in moved], color="C3", label="wrong names (%)")
    ax.set(xlabel="change of the texture's weight", ylabel="wrong names (%)")
    other = ax.twinx()
    other.plot(at, [smooth(m) for m in moved], color="C2", ls="-.")
    other.set(ylabel="cross-entropy (nats)")
    other.grid(False)
axes[0].plot([], [], color="C2", ls="-.", label="cross-entropy (nats)")
axes[0].axvspan(1.3, 1.6, color="0.85")
axes[0].legend(loc="upper center", fontsize=9)
axes[0].set(title="from far")
axes[1].set(title="the grey strip, from near")
plots.Picture(
    fig, alt="Two panels. From far, the share of wrong names is a ragged valley and the "
    "cross-entropy a smooth one. A strip of it, from near: the share of wrong names is a stair "
    "with a few flat steps, and the cross-entropy is a smooth line that rises.",
)

# %% tags=["fold"] name="flat"
# At 1000 random places: does a tiny move of the weights change anything? And training on each.
rng = np.random.default_rng(seed)

def by_trying(measure, h=1e-8):  # the slope by each weight, from the measure at two near places
    def slope(theta):
        return np.array([(measure(theta + h * e) - measure(theta - h * e)) / (2 * h)
                         for e in np.eye(30)])
    return slope

tries = rng.normal(size=(1000, 30)), rng.normal(size=(1000, 30))
flat = {name: np.mean([measure(a + 1e-6 * b) == measure(a) for a, b in zip(*tries, strict=True)])
        for name, measure in (("wrong names", names_wrong), ("cross-entropy", smooth))}
begins = rng.normal(size=(len(setting.seeds), 30)) / 30

def from_all(measure, h=1e-8):  # 50 steps from every start: how far, and the wrong names there
    ends = [train_by(by_trying(measure, h), begin, steps=50, lr=0.5) for begin in begins]
    return np.linalg.norm(ends - begins, axis=1), [names_wrong(end) for end in ends]

before = spread([names_wrong(begin) for begin in begins], "{:.0%}")
rows = []
for name, measure in (("wrong names", names_wrong), ("cross-entropy", smooth)):
    gone, after = from_all(measure)
    rows.append([name, f"{flat[name]:.1%}", spread(gone), before, spread(after, "{:.0%}")])
    assert (gone < 1e-9).all() if name == "wrong names" else (gone > 0.5).all()
assert flat["wrong names"] > 0.8 and flat["cross-entropy"] < 0.02
Table(["trained on", "random places without a slope", "how far 50 steps move the weights",
       "wrong names before", "and after"], rows,
      f"Of the 399 training tumours; middle (lowest to highest of {len(begins)} starts).")

# %% [markdown] name="surrogate-text"
# From far, both look like a valley. From near, one is a stair. Between two jumps its slope is 0, and training stands still: 50 steps on the share of wrong names move nothing. The same steps on cross-entropy bring it down.
#
# So one trains on something else, a **surrogate**: a loss with a slope, in the hope that what it makes small makes the wrong names few as well. Call **lead** how far the score lies on the right side of 0; a negative lead is a wrong name. Four surrogates, with $l$ for the lead:
#
# $$\text{squared } (1 - l)^2 \qquad \text{hinge } \max(0,\, 1 - l) \qquad \text{cross-entropy } \log(1 + e^{-l}) \qquad \text{exponential } e^{-l}$$

# %% tags=["fold"] name="surrogates"
# Four surrogates, and the wrong names, over the lead.
lead = np.linspace(-2, 3, 501)
ones = np.ones(lead.shape, dtype=int)
family = {
    "squared": tuple(squared_error(lead, np.ones(lead.shape))),
    "hinge": tuple(hinge(lead, ones)),
    "cross-entropy": tuple(soft_margin(lead, ones)),
    "wrong name (0 or 1)": ((lead <= 0) * 1.0, 0 * lead),
    "exponential": (np.exp(-lead), -np.exp(-lead)),
}
fig, axes = plots.panels(2)
fig.set_size_inches(8.2, 3.3)
for ax, k, label in zip(axes, (0, 1), ("loss", "slope of the loss"), strict=True):
    plots.draw_lines(ax, lead, {name: pair[k] for name, pair in family.items()},
                     "lead of the score", label)
    ax.axvline(0, color="0.5", lw=1)
    ax.get_legend().remove()
axes[0].set(ylim=(-0.1, 4))
axes[1].set(ylim=(-4, 3))
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncol=5, fontsize=9)
plots.Picture(
    fig, alt="Left: five losses over the lead. The wrong name is a stair from 1 to 0. "
    "Cross-entropy falls smoothly, the hinge falls in a straight line to 0 at a lead of 1, the "
    "exponential falls steeply, the squared loss falls to 0 at 1 and rises again. Right: their "
    "slopes. That of the wrong name is 0 everywhere; the others are negative for wrong names.",
)

# %% tags=["fold"] name="readable"
# The cheapest score for three truths, on a fine grid.
scores = np.linspace(-4, 4, 8001)
up = np.ones(scores.shape, dtype=int)
one_sided = {
    "squared": lambda s: squared_error(s, np.ones(s.shape)).value,
    "cross-entropy": lambda s: soft_margin(s, up).value,
    "exponential": lambda s: np.exp(-s),
    "hinge": lambda s: hinge(s, up).value,
}
truths, rows = (0.6, 0.7, 0.9), []
for name, loss in one_sided.items():
    found = [scores[np.argmin(q * loss(scores) + (1 - q) * loss(-scores))] for q in truths]
    rows.append([name, *(f"{s:.2f}" for s in found), "no" if np.ptp(found) < 0.01 else "yes"])
rows.append(["wrong name", *["any above 0"] * 3, "no"])
assert [row[-1] for row in rows] == ["yes", "yes", "yes", "no", "no"]
Table(["loss", *(f"q = {q}" for q in truths), "can q be read from it?"], rows,
      "The score with the least mean loss, when the share q is benign.")

# %% [markdown] name="surrogate-reading"
# All four surrogates have a slope wherever the name is wrong. Three of them also keep the truth: from the cheapest score one can compute $q$. The hinge does not. It says 1 for 60 % and for 90 %: it is told only which side is right, as accuracy is. That may be all that one needs; [Margins](../03_algorithms/08_margins.ipynb) makes use of it.
#
# | | has a slope to follow | honesty is cheapest |
# |---|---|---|
# | wrong names (accuracy) | no | no |
# | absolute error of a probability, hinge | yes | no |
# | squared error, cross-entropy | yes | yes |
#
# ## Honest about what?
#
# The absolute error is not a bad loss. It asks another question. "Different tasks need different losses", the article says. It is right, and this is the reason: **the loss decides which number is the honest answer.** Now take a target that is a number: the area of the cells. Guess one number for all 569 tumours. We train the guess with three losses, from the same start. The third, the quantile loss, charges nine times as much per unit for a guess that is too low as for one that is too high:

# %% tags=["fold"] name="which-number"
# One number, trained by gradient steps on each of three losses.
area = load_breast_cancer().data[:, 3]
asked = {"squared error": lambda p: squared_error(p, area),
         "absolute error": lambda p: absolute_error(p, area),
         "quantile loss (0.9)": lambda p: quantile_loss(p, area, 0.9)}
answers = {}
for name, loss in asked.items():
    guess = 1000.0
    for step in range(4000):
        rate = 0.1 if name == "squared error" else 20 * 0.998**step
        guess = guess - rate * loss(np.full(len(area), guess)).grad.mean()
    answers[name] = guess
fig, (ax,) = plots.panels()
fig.set_size_inches(6.0, 3.2)
ax.hist(area, 50, color="0.8")
for i, (name, value) in enumerate(answers.items()):
    ax.axvline(value, color=f"C{i}", ls=("-", "--", "-.")[i], lw=2.5, label=f"{name}: {value:.0f}")
ax.set(xlabel="mean area of the cells (the data's unit)", ylabel="tumours")
ax.legend()
plots.Picture(
    fig, alt="A histogram of 569 areas, a hill near 500 with a long tail to 2500. Three vertical "
    "lines: the absolute error's answer near 550, the squared error's near 655, the quantile "
    "loss's near 1180.",
)

# %% tags=["fold"] name="which-number-numbers"
# Each answer beside the number that it should be.
meant = {"squared error": ("the mean", area.mean()),
         "absolute error": ("the median: half lie below", np.median(area)),
         "quantile loss (0.9)": ("nine of ten lie below", np.quantile(area, 0.9))}
for name, value in answers.items():
    assert abs(value / meant[name][1] - 1) < 0.02
Table(["loss", "trained answer", "what it is", "computed"],
      [[name, f"{v:.0f}", meant[name][0], f"{meant[name][1]:.0f}"] for name, v in answers.items()])

# %% [markdown] name="distance-text"
# The area of most tumours is below their mean, because a few are very large. None of the three numbers is wrong. For labels 0 and 1 the mean is the share $q$, and the median is 0 or 1: that is the liar of the first picture, explained. [Squared, absolute and Huber error](../03_algorithms/05_regression.ipynb) derives mean and median.
#
# ## Is a loss a distance?
#
# The article calls a loss a "metric function" that measures a difference. In mathematics a metric is a distance: 0 exactly where two things are equal, the same there and back, and never longer straight than by a detour. (A metric such as accuracy only shares the word.) The absolute error is one: $|a - c|$ is at most $|a - b| + |b - c|$. We try three losses as distances from a truth $a$ to a forecast $b$, both probabilities. So $a$ takes the place of $y$, and $b$ that of $p$:

# %% tags=["fold"] name="distance"
# The three demands, with numbers; the detour from 1 to 0.01 goes over 0.5.
def between(name, a, b):
    return three[name](np.array([b]), np.array([a])).value[0]

rows, far = [], {}
for name in ("absolute error", "squared error", "cross-entropy"):
    equal = between(name, 0.9, 0.9)
    there, back = between(name, 0.9, 0.5), between(name, 0.5, 0.9)
    straight = between(name, 1.0, 0.01)
    detour = between(name, 1.0, 0.5) + between(name, 0.5, 0.01)
    far[name] = equal, there, back, straight, detour
    rows.append([name, f"{equal:.2f}", f"{there:.2f}, {back:.2f}", f"{straight:.2f}, {detour:.2f}",
                 "yes" if np.isclose(there, back) and straight <= detour + 1e-9 else "no"])
assert [row[-1] for row in rows] == ["yes", "no", "no"]
assert np.allclose(far["cross-entropy"], [0.325, 0.693, 1.204, 4.605, 3.001], atol=2e-3)
Table(["loss", "from 0.9 to 0.9", "0.9 to 0.5, and back", "1 to 0.01, and by way of 0.5",
       "a distance?"], rows)

# %% [markdown] name="breaks-text"
# Cross-entropy fails all three demands: 0.33 at its own target, 0.69 there and 1.20 back, and the detour is shorter. Squared error fails one. So the article's word fits one loss of the three, and that is the one that makes liars. **A loss need not be a distance. It must be cheapest at the truth.**
#
# The 0.33 nats are what the honest forecaster pays at $q = 0.9$. The **entropy** of a truth is the part of cross-entropy that no forecast can save. So a loss that stays above 0 may be perfect. More in [Labels that are distributions](../03_algorithms/24_label_distributions.ipynb) and [Divergences](../03_algorithms/09_divergences.ipynb).
#
# ## What breaks
#
# "Minimising the loss finds the optimal parameters", the article says. Optimal for whom? A proper loss makes the model honest *about the examples that it pays for*. And of those the labels are known. For a model that can tell every single one apart, the honest answer is 0 or 1.
#
# Take 80 tumours with two measurements: the texture, and how rough the outline is. A network of 64 units, with 256 weights in all, is trained on their cross-entropy. We keep two other parts away from it: a **validation part** of 80 tumours decides when to stop, and 409 new ones judge the result.

# %% tags=["fold"] name="network"
# A network with one hidden layer, for all seeds at once; trained with Adam, a method of chapter 3.
def parts(seed, n, measurements=(TEXTURE, 4)):  # training, validation, new
    d = data.breast_cancer(seed)
    x = np.concatenate([d.x, d.x_test])[:, measurements]
    y = np.concatenate([d.y, d.y_test]).astype(float)
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    return [(x[rows], y[rows]) for rows in (slice(n), slice(n, n + 80), slice(n + 80, None))]

def score(theta, x):  # theta (seeds, 4, H): three weights of each hidden unit, and the one after it
    return (np.tanh(x @ theta[:, :3]) @ theta[:, 3, :, None])[..., 0]

def train_network(n=80, hidden=64, steps=1500, loss=binary_cross_entropy):
    three_parts = [parts(s, n) for s in setting.seeds]
    (x, y), check_part, new = [
        tuple(map(np.stack, zip(*part, strict=True))) for part in zip(*three_parts, strict=True)]
    start = np.stack([np.random.default_rng(s).normal(size=(4, hidden)) for s in setting.seeds])
    start[:, 3] /= hidden**0.5

    def gradient(theta):
        h = np.tanh(x @ theta[:, :3])
        push = loss(score(theta, x), y).grad[..., None] / n
        inner = x.swapaxes(1, 2) @ (push * (1 - h**2) * theta[:, 3:])
        return np.concatenate([inner, (h * push).sum(1)[:, None]], axis=1)

    trail = descend(start, Adam(0.01), gradient, steps)[::10]
    losses = {name: np.array([loss(score(theta, a), b).value.mean(1) for theta in trail])
              for name, (a, b) in (("training", (x, y)), ("validation", check_part), ("new", new))}
    return np.array(trail), losses, (x, y), new

# %% name="early-stopping"
trail, losses, paid_for, new = train_network()
best = losses["validation"].argmin(axis=0)  # for every seed: the step at which to stop
every = np.arange(len(best))
kept = trail[best, every]  # early stopping keeps the parameters of that step

# %% tags=["fold"] name="overfitting"
# The loss over the training, and the stated probabilities early and late.
fig, axes = plots.panels(3)
fig.set_size_inches(8.8, 2.9)
at = 10 * np.arange(len(trail)) + 1
plots.draw_lines(
    axes[0], at, {"the 80 paid for": plots.band(losses["training"], axis=1),
                  "new tumours": plots.band(losses["new"], axis=1)},
    "step + 1 (log)", "cross-entropy (nats)", "all seeds", log="x")
side = np.linspace(-2.4, 3.2, 90)
grid = np.stack(np.meshgrid(side, side), -1)
plane = np.concatenate([grid.reshape(-1, 2), np.ones((8100, 1))], axis=1)
for ax, theta, title in ((axes[1], kept[:1], f"after {10 * best[0]} steps"),
                         (axes[2], trail[-1][:1], "after 1500 steps")):
    colours = ax.contourf(grid[..., 0], grid[..., 1], sigmoid(score(theta, plane)).reshape(90, 90),
                          np.linspace(0, 1, 11), cmap="PuOr", alpha=0.8)
    for label, look, name in ((1, "o", "benign"), (0, "X", "malignant")):
        chosen = paid_for[0][0][paid_for[1][0] == label]
        ax.plot(chosen[:, 0], chosen[:, 1], look, color="k", mfc="w", ms=5, label=name)
    ax.grid(False)
    ax.set(xlabel="texture (standard deviations)", title=title, xlim=(-2.4, 3.2), ylim=(-2.4, 3.2))
axes[1].set(ylabel="roughness (standard deviations)")
axes[1].legend(fontsize=8, loc="upper right", frameon=True)
fig.colorbar(colours, ax=axes[1:], label="stated probability of benign")
plots.Picture(
    fig, alt="Left: over 1500 steps the loss of the 80 training tumours falls to nearly 0. The "
    "loss of new tumours falls at first and then rises to several times its lowest value. Middle: "
    "early in training the stated probability changes gently from benign at the lower left to "
    "malignant at the upper right. Right: at the end the plane is cut into islands of nearly 0 "
    "and nearly 1, and nearly every training tumour lies on an island of its own kind.",
)

# %% tags=["fold", "nbval-ignore-output"] name="overfitting-numbers"
# The last step against the step that the validation part chooses, on new tumours.
stop_loss, end_loss = losses["new"][best, every], losses["new"][-1]
def outcome(theta):  # how sure of its name, and was it right?
    p = sigmoid(score(theta, new[0]))
    return np.maximum(p, 1 - p), (p > 0.5) == (new[1] > 0)

rows, certain = [], {}
for name, theta, values, old in (
    ("stopped early", kept, stop_loss, losses["training"][best, every]),
    ("last step", trail[-1], end_loss, losses["training"][-1]),
):
    sure, ok = outcome(theta)
    certain[name] = (sure > 0.99).mean(), ok[sure > 0.99].mean()
    rows.append([name, spread(old), spread(values), f"{ok.mean():.0%}",
                 *(f"{value:.0%}" for value in certain[name])])
print(f"loss of new tumours, last step / stopped early: {spread(end_loss / stop_loss, '{:.1f}')}")
assert (end_loss > 2 * stop_loss).all() and (losses["training"][-1] < 0.15).all()
assert certain["last step"][0] > 0.5 and 1 - certain["last step"][1] > 0.1
Table(["", "loss, the 80 (nats)", "loss, new (nats)", "named right", "said with 99 % or more",
       "of these right"], rows, "Losses: middle (lowest to highest seed); shares: all seeds.")

# %% [markdown] name="calibration-text"
# On the 80 tumours the loss goes to 0. On new ones it is 4.5 times that of the network that stopped early, and still rising. This is **overfitting**: the model has learned the labels of its training examples by heart, and they say little about new ones. So the article's sentence holds for the examples that were paid for. For new tumours better parameters came long before the minimum. The signature: the training loss falls while the loss of examples kept away rises.
#
# Look at what became of honesty. A model is **calibrated** if what it says with 80 % comes true in 80 % of the cases. Sort the new tumours by how sure the network is of its name, and count how often it is right:

# %% tags=["fold", "nbval-ignore-output"] name="reliability"
# How sure, and how often right: the new tumours of all seeds.
edges = np.array([0.5, 0.65, 0.8, 0.9, 0.99, 1.0])
fig, (ax,) = plots.panels()
fig.set_size_inches(5.6, 3.4)
ax.plot([0.5, 1], [0.5, 1], color="0.5", lw=1, label="calibrated")
curves = {}
for (name, theta), look in zip((("stopped early", kept), ("last step", trail[-1])),
                               ("C0o-", "C1X--"), strict=True):
    sure, ok = outcome(theta)
    bins = np.clip(np.searchsorted(edges, sure, side="right") - 1, 0, 4)
    curves[name] = np.array([[sure[bins == b].mean(), ok[bins == b].mean(), (bins == b).mean()]
                             for b in range(5)])
    ax.plot(*curves[name][:, :2].T, look, label=name)
    ax.scatter(*curves[name][:, :2].T, s=900 * curves[name][:, 2], color=look[:2], alpha=0.25)
ax.set(xlabel="how sure the network says it is", ylabel="share of names that are right",
       xlim=(0.48, 1.03), ylim=(0.34, 1.03))
ax.legend(loc="upper left")
gap = {name: (c[:, 2] * abs(c[:, 0] - c[:, 1])).sum() for name, c in curves.items()}
assert gap["last step"] > 1.8 * gap["stopped early"]
plots.Picture(
    fig, alt="Two curves and a diagonal. The network that stopped early runs near the diagonal. "
    "That of the last step lies near one half while its stated sureness rises to 0.95, "
    "and ends near 0.75 at a sureness of 1, where a large disc shows that most tumours lie.",
)

# %% [markdown] name="exercises"
# The larger the disc, the more tumours lie there. At the last step 73 % are named with 99 % or more, and a quarter of these names are wrong. It is the liar of the first picture again. This time no bad loss made it.
#
# The cure stands in the open cell above, in three lines. With **early stopping** one keeps the parameters with which the loss of a validation part was lowest. It costs the examples of that part.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. What the lie saves (5 minutes, easy)
# Under the absolute error, with the true share `q`: how much cheaper is the best forecast than the honest one, on average? `q` is an array.

# %% name="exercise-saved"
def saved(q):
    ### BEGIN SOLUTION
    lie = np.minimum(q, 1 - q)
    honest = 2 * q * (1 - q)
    return honest - lie
    ### END SOLUTION

# %% name="check-saved"
check("saved")

# %% [markdown] name="exercise-spherical-text"
# <details><summary>Hint 1</summary>Put p = q into the mean loss of derivation 3. That is what honesty costs.</details>
# <details><summary>Hint 2</summary>The best forecast is 0 or 1. Then one pays 1 for each tumour of the rarer kind: its share is the smaller of q and 1 - q.</details>
#
# ### 2. A proper loss (8 minutes, medium)
# Squared error and cross-entropy are not alone. The *spherical* loss is minus the probability that was given to what happened, divided by $\sqrt{p^2 + (1 - p)^2}$. Return the loss and its slope by `p`. `p` and `y` are arrays of one shape; each `y` is 0 or 1.

# %% name="exercise-spherical"
def spherical(p, y):
    ### BEGIN SOLUTION
    n = np.sqrt(p**2 + (1 - p) ** 2)
    given = y * p + (1 - y) * (1 - p)
    return -given / n, (p - y) / n**3
    ### END SOLUTION

# %% name="check-spherical"
check("spherical")

# %% [markdown] name="exercise-lie-text"
# <details><summary>Hint 1</summary>Call the root n. Its slope by p is (2p - 1) / n. For y = 1 use the rule for quotients on -p / n.</details>
# <details><summary>Hint 2</summary>For y = 1 you get -(1 - p) / n³, for y = 0 you get p / n³. One expression holds both.</details>
# <details><summary>What it means (after solving)</summary>The slope is (p - y) / n³. On average over the two labels it is (p - q) / n³, which is 0 at p = q only. So the loss is proper.</details>
#
# ### 3. Which rules make liars? (12 minutes, hard)
# Five rules by which a forecaster could pay, each a function of `p` (an array) and `y` (0 or 1):

# %% name="rules"
rules = {
    "squared": lambda p, y: (p - y) ** 2,
    "fourth power": lambda p, y: (p - y) ** 4,
    "cross-entropy": lambda p, y: -np.log(1 - abs(p - y)),
    "root": lambda p, y: -np.sqrt(1 - abs(p - y)),
    "squared, and a fee": lambda p, y: (p - y) ** 2 + p / 10,
}

# %% [markdown] name="exercise-lie-task"
# Write the search. For each true share on the grid 0.01, 0.02, ..., 0.99 find the cheapest forecast on the same grid. Return the largest distance between a truth and its cheapest forecast: 0 for a proper rule. Then try it on the five.

# %% name="exercise-lie"
def largest_lie(loss):
    ### BEGIN SOLUTION
    p = np.arange(1, 100) / 100
    best = [p[np.argmin(q * loss(p, 1) + (1 - q) * loss(p, 0))] for q in p]
    return np.max(np.abs(best - p))
    ### END SOLUTION

# %% name="check-lie"
check("largest_lie")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>For one q: compute the mean loss of all p at once, and take the p at its argmin.</details>
# <details><summary>Hint 2</summary>Then do it for every q of the grid, and compare the answers with the grid itself.</details>
# <details><summary>What you find</summary>Squared and cross-entropy are proper. The fourth power makes forecasters timid: it lies by up to 0.23, towards one half. The root makes them boast, by up to 0.15. The fee pulls every forecast down by 0.05.</details>
#
# ## Takeaways
#
# - A proper loss is cheapest at the truth: squared error and cross-entropy are proper. The absolute error of a probability is not, and neither is accuracy.
# - Training by gradients needs a slope. Accuracy has none: report it, and train on a surrogate.
# - Do not trust the training loss, or a stated 99 %, of a model that can tell its training examples apart. Judge it on examples that it never paid for.
#
# ## Does it hold?
#
# **Other measurements.** The two forecasters of the first picture, with other measurements in the place of the texture:

# %% tags=["fold", "nbval-ignore-output"] name="control-measurements"
# Every split: right names, and what the certainties are worth.
rows = []
for name, column in (("texture", 1), ("roughness", 4), ("symmetry", 8), ("size", 0)):
    found = []
    for split in splits:
        old, unseen = groups(split, column)
        a, b = (forecaster(loss, split.y.astype(float), old)[unseen] for loss in paid.values())
        certain_b = np.minimum(b, 1 - b) < 0.02
        found.append([((a > 0.5) == split.y_test).mean(), ((b > 0.5) == split.y_test).mean(),
                      (b.round() == split.y_test)[certain_b].mean()])
    found = np.array(found).T
    assert (abs(found[0] - found[1]) < 0.1).all()
    rows.append([name, *(spread(v, "{:.0%}") for v in found)])
Table(["measurement", "squared: named right", "absolute: named right", "its certainties true"],
      rows)

# %% [markdown] name="control-steps-text"
# The names are equally good every time. The better the measurement, the smaller the lie: with the size, the certainties come true in 87 of 100 cases.
#
# **Wider steps.** A slope measured with a wide step sees more than one stair. Fifty steps on the share of wrong names, as in the table of the section on slopes:

# %% tags=["fold", "nbval-ignore-output"] name="control-wide"
# Training on the share of wrong names with wider and wider differences.
rows = []
for h in (1e-8, 1e-4, 0.01, 0.1, 0.5):
    gone, after = from_all(names_wrong, h)
    rows.append([f"{h:g}", spread(gone), spread(after, "{:.0%}")])
    assert h > 1e-8 or (gone < 1e-9).all()
Table(["width", "how far the weights move", "wrong names after"], rows,
      f"Before: {before}.")

# %% [markdown] name="control-network-text"
# With wide steps it learns. (With 0.0001 a start stands still until it meets a jump; then it is thrown far.) The wide step makes a slope out of the stairs: it is a surrogate too. It takes 60 evaluations of the whole data per step here, two for each weight, and a billion weights would need two billion.
#
# **Fewer weights, more tumours, more steps.** Is it the size of the network, or the number of tumours? The loss of new tumours, as a multiple of that of the stopped network:

# %% tags=["fold", "nbval-ignore-output"] name="control-network"
# After 1500 steps and after 6000, for two widths and three numbers of tumours.
rows, ratios = [], {}
for n, hidden in ((80, 16), (160, 16), (320, 16), (320, 2)):
    _, found, _, _ = train_network(n, hidden, steps=6000)
    stopped = found["new"][found["validation"].argmin(axis=0), every]
    ratios[n, hidden] = found["new"][[149, -1]] / stopped
    rows.append([n, 4 * hidden, spread(ratios[n, hidden][0], "{:.1f}"),
                 spread(ratios[n, hidden][1], "{:.1f}"), spread(found["training"][-1])])
middle = {key: np.median(value, axis=1) for key, value in ratios.items()}
assert middle[320, 2][1] < 1.4 and middle[80, 16][1] > 3 and middle[160, 16][1] > 2
assert 1.5 * middle[160, 16][0] < middle[160, 16][1]
Table(["tumours", "weights", "after 1500 steps", "after 6000", "training loss after 6000 (nats)"],
      rows, "Middle (lowest to highest seed).")

# %% [markdown] name="sources"
# More tumours put the harm off: with 160 it is smaller after 1500 steps, and as large as with 80 after 6000. With 8 weights for 320 tumours it cannot tell them apart, and the last step is as good as the stopped one. That is the condition under which the article's sentence holds.
#
# ## Sources
#
# - G. Brier, 1950: *Verification of forecasts expressed in terms of probability*, Monthly Weather Review 78.
# - T. Gneiting and A. Raftery, 2007: *Strictly proper scoring rules, prediction, and estimation*, Journal of the American Statistical Association.
# - P. Bartlett, M. Jordan and J. McAuliffe, 2006: *Convexity, classification, and risk bounds*, Journal of the American Statistical Association (surrogates).
# - C. Guo, G. Pleiss, Y. Sun and K. Weinberger, 2017: *On calibration of modern neural networks*, arXiv 1706.04599.
# - L. Prechelt, 1998: *Early stopping - but when?*, in *Neural Networks: Tricks of the Trade*.
# - The tumours: W. Wolberg, W. Street and O. Mangasarian, *Breast Cancer Wisconsin (Diagnostic)*, UCI Machine Learning Repository, CC BY 4.0, in scikit-learn's copy.
