# ---
# jupyter:
#   lesson:
#     title: A weight for the rare label
#     minutes: 30
#     question: One tumour in twenty is malignant. What does a weight for the rare label buy, and what does it cost?
#     needs: [01_binary_cross_entropy]
#     settles: []
#     studies: [losses.binary_cross_entropy]
#     terms: [odds, pos_weight]
# ---

# %% [markdown] name="title"
# # A weight for the rare label
#
# **Goal.** Weigh one label more than the other, derive what the model then says, and undo it.
#
# **The question.** Among the tumours of a screening only about one in twenty is malignant. A model that is trained on them misses many. Somebody counts each malignant one 20 times in the loss. Now the model finds more. What did that cost?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.derive import derive
from lessons_lib.losses import binary_cross_entropy
from lessons_lib.losses._stable import sigmoid
from lessons_lib.optim import SGD, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/22_rare_label")

# %% tags=["fold"] name="screening"
# All benign tumours, every tenth malignant one (label 1); two measurements and a constant.
def inputs(x):
    return np.stack([x[:, 0], x[:, 1], np.ones(len(x))], 1)

def screening(seed):
    split = data.breast_cancer(seed)
    y, y_test = 1.0 - split.y, 1.0 - split.y_test
    kept = (y == 0) | (np.cumsum(y) % 10 == 0)
    return inputs(split.x)[kept], y[kept], inputs(split.x_test), y_test

def train(x, y, w, steps=600):
    def gradient(theta):
        return x.T @ binary_cross_entropy(x @ theta, y, w).grad / len(y)
    return descend(np.zeros(3), SGD(3 / w**0.5), gradient, steps)[-1]

def told(seed, w):  # share of malignant, mean p, malignant found, false alarms among the benign
    x, y, x_test, y_test = screening(seed)
    theta = train(x, y, w)
    alarm = x_test @ theta > 0
    return y.mean(), sigmoid(x @ theta).mean(), alarm[y_test == 1].mean(), alarm[y_test == 0].mean()

found = {w: np.array([told(s, w) for s in setting.seeds]).T for w in (1, 20)}
share = found[1][0]
plots.bars(
    {f"weight {w}: {what}": plots.band(found[w][row]) for row, what in
     ((2, "malignant ones found"), (1, "mean probability")) for w in found}
    | {"truly malignant": plots.band(share)},
    "share",
    "Five bars. Malignant tumours found: about 0.6 with the weight 1, 0.9 with the weight 20. "
    "Mean probability of being "
    "malignant: 0.06 with the weight 1, as many as truly are; above 0.2 with the weight 20.",
    title="Black lines: lowest to highest of the splits",
)

# %% tags=["fold", "nbval-ignore-output"] name="screening-numbers"
# The numbers in the picture.
for w, (_, mean_p, hits, alarms) in found.items():
    print(f"weight {w}: finds {hits.mean():.0%} of the malignant, "
          f"false alarm for {alarms.mean():.0%} of the benign; "
          f"mean p {mean_p.mean():.1%}, truly malignant {share.mean():.1%}")
assert (found[20][2] > found[1][2]).all() and (found[20][1] > 2 * share).all()
assert np.allclose(found[1][1], share, atol=0.01)

# %% [markdown] name="screening-reading"
# With the weight 20 far more malignant tumours are found. But the model now claims to see malignant tumours everywhere: its mean probability is several times the true share. By how much exactly, and can one take it back?
#
# ## The idea, drawn
#
# The loss of label 1 is multiplied, the loss of label 0 stays. Label 1 pulls $w$ times as hard:

# %% tags=["fold"] name="shape"
# The loss of label 1 with three weights, and of label 0.
grid = np.linspace(-6, 6, 241)
one, zero = np.ones_like(grid), np.zeros_like(grid)
plots.shape(
    grid, {f"label 1, weight {w}": binary_cross_entropy(grid, one, w) for w in (1, 2, 5)}
    | {"label 0": binary_cross_entropy(grid, zero)}, "logit z",
    "Left: the loss of label 1 falls with the logit, five times as steep with the weight 5. The "
    "loss of label 0 rises as "
    "ever. Right: the slopes, from -1, -2 and -5 up to 0 for label 1 and from 0 to 1 for label 0.",
    ylabel="loss (nats)",
)

# %% [markdown] name="formula"
# ## Formula
#
# The weight $w$ stands before the term with $y$ and only there:
#
# $$\ell = -w\, y \log p - (1 - y) \log (1 - p) \qquad\qquad p = \frac{1}{1 + e^{-z}}$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $w$ | `pos_weight` | a number $\geq 0$ | how often an example with label 1 counts |
# | $q$ | `q` | a number in $(0, 1)$ | the true share of label 1 |
#
# In PyTorch and in our library $w$ is called **pos_weight**, the weight of the label 1 (the *positive* one).
#
# ## Derivation
#
# ### How hard does each label pull?

# %% tags=["fold"] name="derive-slope"
# Derivation 1: the slope by the logit.
z, y_ = sp.symbols("z y", real=True)
p_, q, w_ = sp.symbols("p q w", positive=True)
(
    derive(r"\ell", "-w*y*log(p) - (1 - y)*log(1 - p)", "the formula", [z, y_, w_, p_],
           ranges={y_: (0, 1)}, means={p_: "1 / (1 + exp(-z))"})
    .equals("w*y*log(1 + exp(-z)) + (1 - y)*log(1 + exp(z))", "the sigmoid put in")
    .library("binary_cross_entropy(z, y, w).value",
             lambda z, y, w: binary_cross_entropy(z, y, w).value)
    .slope(z, "-w*y*exp(-z) / (1 + exp(-z)) + (1 - y)*exp(z) / (1 + exp(z))",
           "the chain rule, twice")
    .equals("-w*y*(1 - p) + (1 - y)*p",
            "**label 1 pulls up $w$ times as hard, label 0 pulls down as ever**")
    .library("binary_cross_entropy(z, y, w).grad",
             lambda z, y, w: binary_cross_entropy(z, y, w).grad)
)

# %% [markdown] name="best-text"
# ### Where do the pulls balance?
#
# Of many tumours that measure the same, the share $q$ has label 1. The mean slope is the formula above with $q$ in the place of $y$. Where it is 0, the mean loss is lowest:

# %% tags=["fold"] name="derive-best"
# Derivation 2: the best probability.
unit = {p_: (0.01, 0.99), q: (0.01, 0.99)}
(
    derive(r"\frac{\partial \bar\ell}{\partial z}", "-w*q*(1 - p) + (1 - q)*p",
           "the pulls of both labels", [p_, q, w_], ranges=unit)
    .library("binary_cross_entropy(log(p / (1 - p)), q, w).grad",
             lambda p, q, w: binary_cross_entropy(np.log(p / (1 - p)), q, w).grad)
    .equals("(w*q + 1 - q)*p - w*q", "sorted by $p$")
    .zero_at("p", "w*q / (w*q + 1 - q)", "**the best prediction: no longer the share $q$**")
)

# %% [markdown] name="odds-text"
# What is this number? The **odds** of an event are its probability divided by the probability that it does not happen. In odds:

# %% tags=["fold"] name="derive-odds"
# Derivation 3: in odds, and in logits.
(
    derive(r"\frac{p}{1 - p}", "(w*q / (w*q + 1 - q)) / (1 - w*q / (w*q + 1 - q))",
           "the best $p$, as odds", [q, w_], ranges={q: (0.01, 0.99)},
           tex=r"\frac{w q}{w q + 1 - q} \Big/ \left( 1 - \frac{w q}{w q + 1 - q} \right)")
    .equals("(w*q / (w*q + 1 - q)) / ((1 - q) / (w*q + 1 - q))", "one denominator",
            tex=r"\frac{w q}{w q + 1 - q} \Big/ \frac{1 - q}{w q + 1 - q}")
    .equals("w * (q / (1 - q))", "**the true odds times the weight**", tex=r"w\, \frac{q}{1 - q}")
)

# %% [markdown] name="logit-text"
# And the logit is the logarithm of the odds, because $p = 1 / (1 + e^{-z})$ means $p / (1 - p) = e^z$. A logarithm makes a sum of the product:
#
# $$z = \log \frac{q}{1 - q} + \log w$$
#
# **The weight adds $\log w$ to every logit, and does nothing else**, as far as the model is free to say what it likes.

# %% tags=["fold"] name="best-picture"
# The best prediction against the true share.
a = np.linspace(0.001, 0.999, 300)
plots.lines(
    a, {f"weight {w}": w * a / (w * a + 1 - a) for w in (1, 3, 20)},
    "true share q of label 1", "what the model says, p",
    "Three curves from (0, 0) to (1, 1). Weight 1 is the diagonal. Weight 3 bends up, weight 20 "
    "rises steeply: "
    "a true share of 0.05 becomes 0.5.",
    title="The best prediction",
)

# %% [markdown] name="best-reading"
# With the weight 20 a true share of 1 in 21 is reported as 1/2. An alarm at $p > 1/2$ is therefore an alarm at $q > 1/21$.
#
# ## Code

# %% name="source"
show(binary_cross_entropy)

# %% [markdown] name="parity-with-pytorch"
# ## Parity
#
# Value and slope agree with PyTorch's `binary_cross_entropy_with_logits` to rounding, with `pos_weight` and without.

# %% tags=["fold-all", "nbval-ignore-output"] name="parity"
# Parity with PyTorch: the largest relative difference.
parity.table("binary_cross_entropy", setting.device)

# %% [markdown] name="play"
# ## Play
#
# Move the weight. The line is where the model says $p = 1/2$; on its right it gives the alarm. Shown are the tumours of the screening.
#
# 1. From which weight on are at least nine of ten malignant *new* tumours found? What happens to the false alarms?
# 2. Does the line turn, or only shift?

# %% tags=["fold"] name="play-picture"
# The figure to move: the line p = 1/2 for one weight after the other.
x, y, x_test, y_test = screening(seed)
fig, (ax,) = plots.panels()
for label, look, name in ((0, "o", "benign"), (1, "x", "malignant")):
    ax.plot(*x[y == label, :2].T, look, color="k" if label else "0.45",
            ms=4 + 3 * label, mfc="none", label=name)
ax.set(xlabel="size of the cells", ylabel="unevenness of the cells",
       xlim=(-2.5, 4), ylim=(-2.5, 4.5), title="Where the alarm begins")
ax.legend(loc="upper left")

def line(ax, w):
    theta = train(x, y, w)
    up = np.array([-2.5, 4.5])
    across = -(theta[1] * up + theta[2]) / theta[0]
    ax.plot(across, up)
    ax.fill_betweenx(up, across, 4, alpha=0.15)
    alarm = x_test @ theta > 0
    return (f"Of the new tumours {alarm[y_test == 1].sum()} of {int(y_test.sum())} malignant ones "
            f"give an alarm, "
            f"and {alarm[y_test == 0].sum()} of {int((1 - y_test).sum())} benign ones. "
            f"Mean probability in the screening: {sigmoid(x @ theta).mean():.2f}.")

plots.moving(
    fig, "weight", [1, 2, 3, 5, 8, 12, 20, 35, 60, 100], line, start=1,
    alt="Tumours by size and unevenness; few are malignant, most of these large. A falling line "
    "separates the "
    "largest cells; with the weight 1 many malignant tumours lie on its left, where no alarm is "
    "given.",
)

# %% [markdown] name="play-reading"
# <details><summary>Answers</summary>
#
# 1. With seed 0 from 12 on: 57 of 62. The false alarms rise from 1 to 7 of the benign ones, and to 35 at the weight 100. A weight chooses between two mistakes; it removes neither.
# 2. It shifts, and hardly turns. If the model could say any probability, it would only shift, by $\log w$ in the logit.
#
# </details>
#
# ## What breaks
#
# Somebody reads the weighted model's $p$ as a probability: "one patient in four is ill". The cure follows from the derivation: take $\log w$ off each logit.

# %% name="cure"
theta = train(x, y, 20)
raw = sigmoid(x @ theta)
mended = sigmoid(x @ theta - np.log(20))

# %% tags=["fold"] name="cure-picture"
# The predicted probabilities of the screening, raw and mended.
plots.histogram(
    {"weight 20": raw, "weight 20, log 20 taken off": mended,
     "weight 1": sigmoid(x @ train(x, y, 1))},
    "predicted probability of malignant",
    "Three histograms. With the weight 20 the probabilities spread over 0 to 1. With log 20 "
    "taken off nearly all are "
    "below 0.1, as with the weight 1.",
    bins=np.linspace(0, 1, 26), log=True,
)

# %% tags=["fold", "nbval-ignore-output"] name="cure-numbers"
# Mean probabilities, raw and mended, over the splits.
def means(seed):
    x, y, *_ = screening(seed)
    z = x @ train(x, y, 20)
    return y.mean(), sigmoid(z).mean(), sigmoid(z - np.log(20)).mean()

truth, claimed, cured = np.array([means(s) for s in setting.seeds]).T
for name, values in {"truly malignant": truth, "weight 20": claimed, "log 20 off": cured}.items():
    print(f"{name}: {values.mean():.1%} ({values.min():.1%} to {values.max():.1%})")
assert (abs(cured - truth) < 0.35 * truth).all() and (claimed > 2 * truth).all()

# %% [markdown] name="cure-reading"
# The mended probabilities fit the true share again, nearly. (Nearly, because this model has three weights and cannot say what it likes.) With $\log w$ taken off, an alarm at $p > 1 / (1 + w)$ is the same alarm as before.
# So there are two ways to the same alarms: weigh the loss, or train without a weight and move the threshold. The second keeps the probabilities.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. The true share (5 minutes, easy)
# A model that was trained with `pos_weight=w` says the probability `p`, an array. What is the true share of label 1?

# %% name="exercise-share"
def true_share(p, w):
    ### BEGIN SOLUTION
    return p / (p + w * (1 - p))
    ### END SOLUTION

# %% name="check-share"
check("true_share")

# %% [markdown] name="exercise-weighted-text"
# <details><summary>Hint 1</summary>The odds of p are w times the true odds.</details>
# <details><summary>Hint 2</summary>From odds a back to a probability: a / (1 + a).</details>
#
# ### 2. The weighted loss itself (8 minutes, medium)
# Write the loss of each example with NumPy, finite for every logit. Targets may lie anywhere in $[0, 1]$, here and below.

# %% name="exercise-weighted"
def weighted_bce(logits, target, w):
    ### BEGIN SOLUTION
    return w * target * np.logaddexp(0, -logits) + (1 - target) * np.logaddexp(0, logits)
    ### END SOLUTION

# %% name="check-weighted"
check("weighted_bce")

# %% [markdown] name="exercise-grad-text"
# <details><summary>Hint 1</summary>The second line of the first derivation keeps the terms of both labels apart.</details>
# <details><summary>Hint 2</summary><code>np.logaddexp(0, x)</code> is log(1 + exp(x)) without overflow.</details>
#
# ### 3. Its slope (8 minutes, medium)
# The slope of each loss by its logit, finite for every logit. Find a sigmoid that does not overflow: `np.tanh` may help.

# %% name="exercise-grad"
def weighted_grad(logits, target, w):
    ### BEGIN SOLUTION
    p = (1 + np.tanh(logits / 2)) / 2
    return (1 - target) * p - w * target * (1 - p)
    ### END SOLUTION

# %% name="check-grad"
check("weighted_grad")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>The last line of the first derivation is the slope, with p the sigmoid.</details>
# <details><summary>Hint 2</summary>tanh(a) is (e^a - e^-a) / (e^a + e^-a). What is (1 + tanh(z / 2)) / 2?</details>
#
# ## Takeaways
#
# - `pos_weight` multiplies the loss of label 1. It multiplies the odds that the model reports by the same number.
# - To read the output as a probability, take $\log w$ off the logit.
# - Do not use it merely because labels are rare: without a weight the probabilities are right, and a lower threshold finds as many.
#
# ## Does it hold?
#
# Do a weight and a lower threshold really give the same alarms? The share of new tumours on which both agree, for three weights:

# %% tags=["fold", "nbval-ignore-output"] name="control-threshold"
# Alarms of the weighted model at p > 1/2, and of the unweighted one at p > 1 / (1 + w).
weights = 3, 8, 20

def agreement(seed):
    x, y, x_test, _ = screening(seed)
    plain = x_test @ train(x, y, 1)
    return [((x_test @ train(x, y, w) > 0) == (plain > -np.log(w))).mean() for w in weights]

same = np.array([agreement(s) for s in setting.seeds]).T
assert same.min() > 0.85
Table(["weight", "same alarms"],
      [[str(w), f"{row.mean():.1%} ({row.min():.1%} to {row.max():.1%})"]
       for w, row in zip(weights, same, strict=True)])

# %% [markdown] name="sources"
# They do, for all but a few. Here the weight bought nothing that a lower threshold does not give for free.
#
# ## Sources
#
# - C. Elkan, 2001: *The foundations of cost-sensitive learning*, IJCAI (a weight and a threshold as two ways to the same decision).
# - G. King and L. Zeng, 2001: *Logistic regression in rare events data*, Political Analysis 9 (the same correction, of the constant, after the rare label was sampled more often).
# - W. N. Street, W. H. Wolberg and O. L. Mangasarian, 1993: *Nuclear feature extraction for breast tumor diagnosis* (the tumours).
