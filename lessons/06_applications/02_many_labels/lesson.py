# ---
# jupyter:
#   lesson:
#     title: "Many labels at once"
#     question: "Each of ten yes-or-no answers is the more probable one. Why is there a better guess?"
#     minutes: 40
#     needs: [03_algorithms/04_adam, 03_algorithms/24_label_distributions, 03_algorithms/30_mean_sum_or_half, 01_the_rare_class]
#     settles: []
#     studies: [losses.multilabel_soft_margin]
#     terms: [multi-hot, exact match, marginal, classifier chain, F1, micro average, macro average]
# ---

# %% [markdown] name="title"
# # Many labels at once
#
# **Goal.** Turn the probabilities of many labels into an answer, and see why each metric wants another one.
#
# **The question.** Which statements does an unseen function of Python's library contain? You know only how frequent each one is. Three functions of four contain `return`, every second one `if`, and the others are rare. So you take the more probable side of each: `{return, if}`, and nothing else. You win if the whole set is right. Is there a better guess?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, and the recorded runs.
from collections import Counter

import numpy as np
import sympy as sp

from lessons_lib import bridge, exercises, parity, plots, records
from lessons_lib.derive import derive
from lessons_lib.losses import (
    binary_cross_entropy,
    multilabel_margin,
    multilabel_soft_margin,
    soft_cross_entropy,
)
from lessons_lib.losses._stable import sigmoid
from lessons_lib.optim import Adam, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("06_applications/02_many_labels")
record, made = (f("06_applications/02_many_labels") for f in (records.of, records.load))
runs = [record.runs[s] for s in sorted(record.runs)]
labels, sets = made["LABELS"], made["SETS"]  # ten names; all 1024 sets, one row each

def of(model, name, k=None):  # one number for each of the recorded splits
    return np.array([run[model][name] if k is None else run[model][name][k] for run in runs])

def spread(values, form=".2f"):  # median (lowest to highest) over the splits
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

def spell(row):
    return "{" + ", ".join(name for name, yes in zip(labels, row, strict=True) if yes) + "}"

# %% tags=["fold", "nbval-ignore-output"] name="question-picture"
# The functions, and how often each set of statements occurs.
functions = made["functions"]()
y_all = np.array([f[3] for f in functions], dtype=float)
often = Counter(map(tuple, y_all.astype(int).tolist()))
obvious = tuple(np.round(y_all.mean(0)).astype(int).tolist())
first = [row for row, _ in often.most_common(8)]
share = {row: count / len(functions) for row, count in often.items()}
print(f"{len(functions)} functions, {len(often)} different sets")
print(", ".join(f"{n} {m:.0%}" for n, m in zip(labels, y_all.mean(0), strict=True)))
print(f"{spell(obvious)}: {share[obvious]:.0%} of the functions; "
      f"{spell(first[0])}: {share[first[0]]:.0%}")
with_if = y_all[:, 1] == 1
print(f"of the functions with if, {share[obvious] / with_if.mean():.0%} are {spell(obvious)}; "
      f"of those without, {share[first[0]] / (1 - with_if.mean()):.0%} are {spell(first[0])}")
assert share[first[0]] > 1.4 * share[obvious]
fig, (ax,) = plots.panels()
names = [spell(row) if any(row) else "{} (none of the ten)" for row in first]
for at, row in enumerate(first):
    ax.barh(at, 100 * share[row], color="C1" if row == obvious else "C0",
            hatch="//" if row == obvious else "", edgecolor="white")
    ax.text(100 * share[row] + 0.4, at, f"{100 * share[row]:.0f}", va="center", fontsize=9)
ax.set(yticks=range(8), yticklabels=names, xlabel="share of the functions (%)", xlim=(0, 33))
ax.invert_yaxis()
ax.grid(axis="y", visible=False)
plots.Picture(fig, "Bars for the eight most frequent sets. The set with return alone is twice as "
              "frequent as the hatched one with return and if, which comes second.")

# %% [markdown] name="question-reading"
# There is. `{return}` alone is right about twice as often as `{return, if}` (hatched), although most functions contain `if`. The functions with `if` share out among many sets: `raise`, `try` or a loop comes along, and only 28 per cent of them are `{return, if}`. Of the functions without `if`, 61 per cent are `{return}`. **The set of the most probable labels is not the most probable set.**
#
# ## The task
#
# A model reads the line with `def` and the first line of the docstring, the text that says what the function does. It answers for each of the ten statements: is it in the body, yes or no? The functions are those of Python's standard library (PSF licence). A seed draws two fifths of them for training, one fifth for validation and two fifths for the test. Twenty such splits stand behind the ranges on this page.
#
# | | choice |
# |---|---|
# | input | which of the 399 most frequent words occur, and a constant 1 |
# | output layer | one logit for each label, and a sigmoid on each |
# | loss | the sum of ten binary cross-entropies, one for each label |
# | penalty | $\frac{\lambda}{2}$ times the sum of the squared weights; every model tries the same six $\lambda$ and keeps the one that is best on the validation part |
# | optimizer | [Adam](../03_algorithms/04_adam.ipynb), 150 steps with all functions, learning rate 0.05 |
# | metric | that is the theme of this lesson |
#
# The label is **multi-hot**: a row of ten numbers, 1 for each statement that is there and 0 for the others. Here are some rows, and which statements come together.

# %% tags=["fold", "nbval-ignore-output"] name="label-pictures"
# Labels of some functions as an image, and how often the second label comes with the first.
fig, (left, right) = plots.panels(2)
fig.set_size_inches(9.2, 4.2)
some = np.random.default_rng(seed).permutation(len(functions))[:24]
left.imshow(y_all[some], cmap="Blues", vmin=0, vmax=1.3, aspect="auto", interpolation="nearest")
left.set(title="24 functions", ylabel="function", yticks=[])
together = y_all.T @ y_all / y_all.sum(0)[:, None]
image = right.imshow(together, cmap="Blues", vmin=0, vmax=1, aspect="auto")
right.set(title="given the row's statement", yticks=range(10), yticklabels=labels,
          ylabel="statement that is there")
fig.colorbar(image, ax=right, label="share that has the column's as well")
for ax in (left, right):
    ax.set_xticks(range(10), labels, rotation=60, ha="right")
    ax.set_xlabel("statement")
    ax.grid(False)
at = {name: k for k, name in enumerate(labels)}
loops = np.maximum(y_all[:, at["for"]], y_all[:, at["while"]])
print(f"return given if: {together[at['if'], at['return']]:.2f}, return in all: "
      f"{y_all[:, 0].mean():.2f}; if given raise: {together[at['raise'], at['if']]:.2f}, "
      f"if in all: {y_all[:, 1].mean():.2f}")
print(f"with break, a loop is there in {loops[y_all[:, at['break']] == 1].mean():.0%}, "
      f"in all functions in {loops.mean():.0%}")
plots.Picture(fig, "Left: 24 rows of ten cells; the columns of return and if are mostly dark, "
              "the others sparse. Right: a matrix; its columns of return and if are dark. The row "
              "of break is dark at if, for and while as well.")

# %% [markdown] name="formula"
# The labels hang together. A `break` needs a loop, and of the functions with `raise`, 85 per cent have an `if`. Does the loss see that?
#
# ## The loss
#
# Label $i$ of $C$ has the logit $z_i$, the probability $p_i = 1 / (1 + e^{-z_i})$ and the target $y_i$, which is 0 or 1. The loss of one example is
#
# $$\ell = \sum_{i=1}^{C} \left( -y_i \log p_i - (1 - y_i) \log (1 - p_i) \right)$$
#
# Each label has [its own sigmoid](../03_algorithms/24_label_distributions.ipynb), so the probabilities need not sum to 1. PyTorch and our library call this loss `multilabel_soft_margin` and divide it by $C$: it is the mean of [binary cross-entropy](../03_algorithms/01_binary_cross_entropy.ipynb) over the labels. [The factor](../03_algorithms/30_mean_sum_or_half.ipynb) $1/C$ does not move the minimum, but beside it a penalty weighs $C$ times as much.

# %% tags=["fold"] name="source"
# The library's own code.
show(multilabel_soft_margin)

# %% [markdown] name="parity-text"
# Value and slope agree with `torch.nn.functional.multilabel_soft_margin_loss` to rounding.

# %% tags=["fold-all", "nbval-ignore-output"] name="parity"
# Parity with PyTorch.
parity.table("multilabel_soft_margin", setting.device)

# %% [markdown] name="derive-text"
# ## Derivation: what the loss sees
#
# Take two labels, and many examples that look the same. Among them the set with both labels has the share $q_{11}$, the one with the first alone $q_{10}$, with the second alone $q_{01}$, with none $q_{00}$.

# %% tags=["fold"] name="derive-marginal"
# Derivation 1: the mean loss over four sets, and its slope.
z1, z2 = sp.symbols("z_1 z_2", real=True)
q11, q10, q01 = sp.symbols("q_11 q_10 q_01", positive=True)
q00, p1, p2 = sp.symbols("q_00 p_1 p_2", positive=True)
four = {"q_11": q11, "q_10": q10, "q_01": q01, "q_00": q00}
shares = {q11: (0.05, 0.3), q10: (0.05, 0.3), q01: (0.05, 0.3)}
rest = {q00: "1 - q_11 - q_10 - q_01"}
CORNERS = np.array([[1, 1], [1, 0], [0, 1], [0, 0]], dtype=float)

def mean_of(part, z_1, z_2, q_11, q_10, q_01):  # the library's, over the four sets
    q = np.stack([q_11, q_10, q_01, 1 - q_11 - q_10 - q_01], -1)
    z = np.broadcast_to(np.stack([z_1, z_2], -1)[:, None], (len(z_1), 4, 2))
    found = multilabel_soft_margin(z, np.broadcast_to(CORNERS, z.shape))
    return 2 * ((q * found.value).sum(1) if part == "value" else (q * found.grad[..., 0]).sum(1))

(
    derive(
        "J",
        "-q_11*log(p_1*p_2) - q_10*log(p_1*(1 - p_2))"
        " - q_01*log((1 - p_1)*p_2) - q_00*log((1 - p_1)*(1 - p_2))",
        "each set costs minus the logarithm of its product of sigmoids; the mean over the sets",
        {**four, "z_1": z1, "z_2": z2, "p_1": p1, "p_2": p2},
        ranges=shares,
        means={**rest, p1: "1 / (1 + exp(-z_1))", p2: "1 / (1 + exp(-z_2))"},
    )
    .library("2 * (q * multilabel_soft_margin(z, y).value).sum()",
             lambda z_1, z_2, q_11, q_10, q_01: mean_of("value", z_1, z_2, q_11, q_10, q_01))
    .equals(
        "-(q_11 + q_10)*log(p_1) - (q_01 + q_00)*log(1 - p_1)"
        " - (q_11 + q_01)*log(p_2) - (q_10 + q_00)*log(1 - p_2)",
        "the logarithm of a product; sorted by label",
    )
    .slope(z1, "p_1 - (q_11 + q_10)",
           r"with $\partial p_1 / \partial z_1 = p_1 (1 - p_1)$: **prediction minus the share of "
           "all sets with label 1**")
    .library("2 * (q * multilabel_soft_margin(z, y).grad[:, 0]).sum()",
             lambda z_1, z_2, q_11, q_10, q_01: mean_of("grad", z_1, z_2, q_11, q_10, q_01))
)

# %% [markdown] name="derive-marginal-reading"
# The slope is 0 where $p_1 = q_{11} + q_{10}$. This share of all examples with label 1, whatever else they have, is called its **marginal** $m_1$. So the sigmoids learn the marginals. How often the two labels come *together* has dropped out.
#
# Read as a model of sets, the sigmoids say $m_1 m_2$ for the set with both. How far is that from the truth?

# %% tags=["fold"] name="derive-together"
# Derivation 2: what the product of the sigmoids misses.
def missed(q_11, q_10, q_01):
    m = np.stack([q_11 + q_10, q_11 + q_01], -1)
    said = multilabel_soft_margin(np.log(m / (1 - m)), np.ones_like(m)).value
    return q_11 - np.exp(-2 * said)

(
    derive(
        "d",
        "q_11 - (q_11 + q_10)*(q_11 + q_01)",
        "the true share of the set with both, minus the product of the marginals",
        four,
        ranges=shares,
        means=rest,
    )
    .library("q11 - exp(-2 * multilabel_soft_margin(z, [1, 1]).value)", missed,
             r"at the best logits, $z_i = \log \frac{m_i}{1 - m_i}$")
    .equals("q_11*(1 - q_11 - q_10 - q_01) - q_10*q_01", "multiply out, and collect $q_{11}$")
    .equals("q_11*q_00 - q_10*q_01",
            "the four sum to 1: **both and none, against one and the other**")
)

# %% [markdown] name="play-text"
# The best sigmoids have the marginals right. So what the set with both gains, the sets with one label must lose, and the set with none must gain: the four are off by $d$, $-d$, $-d$ and $d$. The loss cannot see this $d$. Two metrics differ in just that:
#
# $$\text{mean errors of an answer } a = \sum_{i=1}^{C} \left( a_i (1 - m_i) + (1 - a_i)\, m_i \right), \qquad \text{exact match of } a = q_a$$
#
# The errors count wrong labels; their mean needs the marginals alone. It is smallest with yes where $m_i > \frac12$: the *answer by halves*. The **exact match** is the share of the examples whose whole set is right. It is largest for the most frequent set, and the marginals do not tell which one that is.
#
# ## Play
#
# Two labels with the marginals 0.75 and 0.55. Move the share of the set with both.
#
# 1. From which share on is the answer by halves also the best guess of the whole set?
# 2. Which two numbers in the sentence never change?

# %% tags=["fold"] name="play-picture"
# Four sets with fixed marginals; the slider moves the share of the set with both.
m1, m2 = 0.75, 0.55
floor_loss = -sum(m * np.log(m) + (1 - m) * np.log(1 - m) for m in (m1, m2))
corner_names = ["both", "first alone", "second alone", "none"]
product = np.array([m1 * m2, m1 * (1 - m2), (1 - m1) * m2, (1 - m1) * (1 - m2)])
fig, (ax,) = plots.panels()
ax.set(xticks=range(4), xticklabels=corner_names, ylabel="share of the examples", ylim=(0, 0.62),
       xlabel="set of labels")
ax.bar([0], [0], color="C0", label="the set's share")
ax.bar([0], [0], color="C1", hatch="//", edgecolor="white", label="the answer by halves")
for k, v in enumerate(product):
    ax.plot([k - 0.4, k + 0.4], [v, v], "--", color="0.25", lw=2,
            label="product of the marginals" if k == 0 else None)
ax.legend(loc="upper right")
ax.grid(axis="x", visible=False)

def four_sets(ax, both):
    q = np.array([both, m1 - both, m2 - both, 1 - m1 - m2 + both]).clip(0)
    for k, v in enumerate(q):
        ax.bar(k, v, 0.8, color="C1" if k == 0 else "C0", hatch="//" if k == 0 else "",
               edgecolor="white")
        ax.text(k, v + 0.012, f"{v:.2f}", ha="center")
    best = int(q.argmax())
    d = q[0] * q[3] - q[1] * q[2]
    return (f"Both: {both:.2f}, so d = {d:+.3f}. The answer by halves is “both”: exact match "
            f"{q[0]:.2f}, mean errors {2 - m1 - m2:.2f}, mean loss of the best sigmoids "
            f"{floor_loss:.2f} nats. The best guess of the set is “{corner_names[best]}”, "
            f"exact match {q[best]:.2f}.")

plots.moving(
    fig, "share of the set with both", [round(0.3 + 0.01 * k, 2) for k in range(26)], four_sets,
    start=0.32,
    alt="Four bars for the sets of two labels. The set with both, hatched, is the answer by "
    "halves, at 0.32. The set with the first label alone is higher, at 0.43. Dashed lines show "
    "the product of the marginals, highest for both.",
)

# %% [markdown] name="chain-text"
# <details><summary>Answers</summary>
#
# 1. From 0.38 on; at 0.375 the two sets are equally frequent.
# 2. The mean errors of the answer by halves and the mean loss of the best sigmoids. They depend on the marginals alone.
#
# </details>
#
# ## A model of sets
#
# To guess whole sets, a model must know what comes together. Write the set as a sentence of ten words, yes or no, and do what a language model does. Say one word after the other, each with the words before it in view:
#
# $$p(y \mid x) = \prod_{i=1}^{C} p(y_i \mid x, y_1, \ldots, y_{i-1}), \qquad z_i = \theta_i \cdot x + \sum_{j < i} w_{ji}\, y_j$$
#
# Here $x$ is the input, $\theta_i$ are the weights of label $i$, and $w_{ji}$ says what a yes to label $j$ adds to the logit of a later label $i$. This is a **classifier chain** (Read and others). The product holds for every distribution; the only assumption is that the labels before add up in the logit. Loss and training stay as they are; the labels before are simply ten more inputs. In training they are the true ones. Ten labels make 1024 sets, few enough to compute the probability of each. The chain's marginals are sums of these.

# %% name="train"
def train(x, y, see, strength):  # see[j, i]: may label i look at input j?
    price = strength * np.r_[0, np.ones(x.shape[1] - 1)][:, None]  # the constant costs nothing

    def gradient(theta):
        return see * (x.T @ binary_cross_entropy(x @ theta, y).grad) / len(x) + price * theta

    return descend(np.zeros(see.shape), Adam(0.05), gradient, 150)[-1]

def joint(x, theta):  # (functions, 1024): the chain's probability of every set
    z, shift = x @ theta[:-10], sets @ theta[-10:]
    cost = np.zeros((len(x), len(sets)))
    for i in range(10):
        logit = z[:, i, None] + shift[:, i]
        cost += binary_cross_entropy(logit, np.broadcast_to(sets[:, i], logit.shape)).value
    return np.exp(-cost)

# %% tags=["fold"] name="run"
# This page's split: both models, and the two answers of the chain.
x, y, part = made["split"](functions, seed)
x, y = x.astype(float), y.astype(float)
learn, judge = part == 0, np.flatnonzero(part == 2)[::3]
everything, before = np.ones((400, 10)), np.triu(np.ones((10, 10)), 1)
penalty = {k: made["PENALTIES"][int(np.median(of(k, "penalty")))] for k in ("sigmoids", "chain")}
alone = train(x[learn], y[learn], everything, penalty["sigmoids"])
chain = train(np.hstack([x, y])[learn], y[learn], np.vstack([everything, before]),
              penalty["chain"])
p_sets = joint(x[judge], chain)
assert abs(p_sets.sum(1) - 1).max() < 1e-4
halves, likely = (p_sets @ sets > 0.5) * 1.0, sets[p_sets.argmax(1)]

# %% tags=["fold", "nbval-ignore-output"] name="answers"
# Some functions of the test part for which the two answers differ.
rows = []
differ = np.flatnonzero((halves != likely).any(1))
for k in differ[:: max(len(differ) // 6, 1)][:6]:
    signature = functions[judge[k]][1]
    rows.append([signature if len(signature) < 50 else signature[:47] + "...",
                 spell(halves[k]), spell(likely[k]), spell(y[judge[k]])])
smaller = (likely.sum(1) < halves.sum(1))[differ].mean()
print(f"they differ for {len(differ) / len(judge):.0%} of the functions; there the most probable "
      f"set is the smaller one in {smaller:.0%}")
Table(["function", "by halves", "most probable set", "what is there"], rows)

# %% [markdown] name="exact-text"
# Where they differ, the most probable set is mostly the smaller one. Here are all twenty splits:

# %% tags=["fold"] name="exact-table"
# Loss, exact match and errors of four ways to answer.
def constant(k):
    return np.array([run["constant"][k] for run in runs])

rows = [["always {return}", "", spread(100 * constant(1), ".1f"), spread(constant(0))]]
rows += [[label, spread(of(m, "loss")), spread(100 * of(m, a, 1), ".1f"), spread(of(m, a, 0))]
         for label, m, a in (("sigmoids, by halves", "sigmoids", "half"),
                             ("chain, by halves", "chain", "half"),
                             ("chain, most probable set", "chain", "mode"))]
more = 100 * (of("chain", "mode", 1) - of("chain", "half", 1))
here, right_half, right_mode = (100 * of("chain", "differ", k) for k in range(3))
fewer = of("chain", "mode", 0) - of("chain", "half", 0)
print(f"most probable set against halves, same chain: exact match {spread(more, '+.1f')} points, "
      f"higher in {(more > 0).sum()} of {len(more)} splits; errors {spread(fewer, '+.3f')}")
print(f"the two answers differ for {spread(here, '.0f')} % of the functions; right there: "
      f"halves {spread(right_half, '.0f')} %, most probable set {spread(right_mode, '.0f')} %")
nats = of("sigmoids", "loss") - of("chain", "loss")
print(f"the chain's loss is {spread(nats)} nats below that of the sigmoids")
gain = 100 * (of("sigmoids", "half", 1) - constant(1))
print(f"sigmoids by halves against always {{return}}: {spread(gain, '+.1f')} points")
assert np.median(more) > 1 and (more > 0).all() and nats.min() > 0.1
Table(["answer", "loss (nats)", "exact match (%)", "errors in ten labels"], rows,
      "Median, and lowest to highest of twenty splits.")

# %% [markdown] name="metrics-text"
# Read by halves, the sigmoids get 31 sets of a hundred right. Somebody who reads nothing and always says `{return}` gets 29. The chain read by halves does no better than the sigmoids, although its loss is a quarter of a nat lower. Asked for its most probable set, the same chain gets 34 right. Where the two answers differ, the most probable set is right for 25 per cent of the functions and the answer by halves for 14. The price is a few more single errors.
#
# **A better model was not enough. It had to be asked for what the metric counts.**
#
# ## Four metrics, four answers
#
# Errors and exact match are not the only judges. [Precision and recall](01_the_rare_class.ipynb) are often drawn together in the **F1** of a label: with $t$ for the right yeses, $f$ for the wrong ones and $n$ for the missed ones it is
#
# $$F_1 = \frac{2t}{2t + f + n}$$
#
# With many labels there are two ways to average it. The **micro average** adds $t$, $f$ and $n$ over all labels and takes the F1 of the sums, so each yes counts the same. The **macro average** takes the F1 of each label and then their mean, so each label counts the same, however rare.
#
# From the probabilities of one chain we draw four answers, each made for one of the metrics. The two answers for F1 move the threshold: one for all labels, or one for each label, chosen on the validation part.

# %% tags=["fold"] name="metrics-picture"
# Four answers of the same chain, judged by four metrics: medians of twenty splits.
answers = {"by halves": "half", "most probable set": "mode", "one threshold": "one",
           "a threshold for each label": "each"}
metrics = ("errors", "exact match (%)", "micro F1", "macro F1")
scale = (1, 100, 1, 1)
values = np.array([[np.median(of("chain", a, k)) * scale[k] for k in range(4)]
                   for a in answers.values()])
low, high = values.min(0), values.max(0)
good = (values - low) / (high - low)
good[:, 0] = 1 - good[:, 0]  # few errors are good
fig, (ax,) = plots.panels()
fig.set_size_inches(7.6, 3.2)
image = ax.imshow(good, cmap="Blues", vmin=0, vmax=1.35, aspect="auto")
for (i, j), v in np.ndenumerate(values):
    text = f"{v:.1f}" if j == 1 else f"{v:.2f}"
    ax.text(j, i, text, ha="center", va="center", fontsize=12,
            color="white" if good[i, j] > 0.7 else "black",
            fontweight="bold" if good[i, j] == 1 else "normal")
ax.set(xticks=range(4), xticklabels=metrics, yticks=range(4), yticklabels=answers,
       xlabel="metric", ylabel="answer")
ax.grid(False)
assert good.argmax(0).tolist() == [0, 1, 2, 3]
for k, (mine, name) in enumerate(zip(answers.values(), metrics, strict=True)):
    won = {a: (of("chain", mine, k) - of("chain", b, k)) * (-1 if k == 0 else 1)
           for a, b in answers.items() if b != mine}
    print(f"{name}: best in the median with its own answer; better than",
          ", ".join(f"{a!r} in {(w > 0).sum()} of {len(w)} splits" for a, w in won.items()))
plots.Picture(fig, "A table of four answers and four metrics, darkest where an answer is best. "
              "The dark cells lie on the diagonal: each metric has its own best answer. The "
              "thresholds for each label are worst in errors and exact match.")

# %% [markdown] name="labels-text"
# The dark cells lie on the diagonal: each metric is won by its own answer, and no answer wins twice. Micro and macro F1 rank the two kinds of thresholds in opposite order. Whoever reports only one of the two averages has chosen the winner.
#
# Why does macro F1 like thresholds of its own so much? Look at the single labels.

# %% tags=["fold"] name="labels-picture"
# F1 of each label, by halves and with its own threshold: medians of twenty splits.
fig, (ax,) = plots.panels()
fig.set_size_inches(7.6, 3.6)
per_label = {a: np.array([run["chain"][a][4:14] for run in runs]) for a in ("half", "each")}
places = np.arange(10)
for k, (label, a) in enumerate((("by halves", "half"), ("a threshold for each label", "each"))):
    low, middle, high = plots.band(per_label[a])
    ax.bar(places + 0.4 * k - 0.2, middle, 0.38, color=f"C{k}", hatch="//" * k, edgecolor="white",
           yerr=[middle - low, high - middle], capsize=2, ecolor="0.35", label=label)
ax.set(xticks=places, xlabel="label (share of the functions)", ylabel="F1", ylim=(0, 1))
ax.set_xticklabels([f"{n}\n{m:.0%}" for n, m in zip(labels, y_all.mean(0), strict=True)],
                   fontsize=8.5)
ax.legend(loc="upper right")
ax.grid(axis="x", visible=False)
silent = (np.median(per_label["half"], 0) < 0.005).sum()
print(f"labels whose F1 by halves is 0 in the median: {silent} of 10")
cuts = np.median([run["chain"]["cuts"] for run in runs], 0)
print("thresholds: one for all " f"{cuts[1]:.2f}; each label's own:",
      ", ".join(f"{n} {c:.2f}" for n, c in zip(labels, cuts[2:], strict=True)))
print("half of the F1 reached:", ", ".join(
    f"{n} {c / 2:.2f}" for n, c in zip(labels, np.median(per_label["each"], 0), strict=True)))
plots.Picture(fig, "Two bars for each label, from frequent to rare. For return and if both are "
              "high and nearly equal. For the eight others the bar by halves is short or missing, "
              "and the one with an own threshold clearly higher.")

# %% [markdown] name="breaks-text"
# By halves the chain seldom says yes to one of the eight rarer labels, and to some never. For errors that is right: a label with $p = 0.2$ is absent four times of five. But F1 counts nothing except yeses, and a rare label weighs as much in the macro average as `return`. For true probabilities the best threshold of an F1 is half of the F1 that it reaches (Lipton and others), so always below one half. The last two printed lines show that: the chosen thresholds lie near half of the F1. The price stands in the picture above: with a threshold for each label, 14 sets of a hundred are right.
#
# ## What breaks
#
# Somebody has ten classes and reaches for the usual loss: softmax and cross-entropy. The target must sum to 1, so the multi-hot row is divided by its sum. The loss falls, and nothing complains. Functions without any of the ten cannot be divided; they are left out.

# %% name="breaks"
def train_softmax(x, y, strength):
    x, y = x[y.any(1)], y[y.any(1)]
    shares = y / y.sum(1, keepdims=True)
    price = strength * np.r_[0, np.ones(x.shape[1] - 1)][:, None]

    def gradient(theta):
        return x.T @ soft_cross_entropy(x @ theta, shares).grad / len(x) + price * theta

    return descend(np.zeros((x.shape[1], 10)), Adam(0.05), gradient, 150)[-1]

strength = made["PENALTIES"][int(np.median(of("softmax", "penalty")))]
z_soft = x[judge] @ train_softmax(x[learn], y[learn], strength)
p_soft = np.exp(z_soft) / np.exp(z_soft).sum(1, keepdims=True)
p_sig = sigmoid(x[judge] @ alone)

# %% tags=["fold", "nbval-ignore-output"] name="breaks-picture"
# The sum of the ten probabilities of each function, against how many statements are there.
fig, (ax,) = plots.panels()
many = y[judge].sum(1).clip(max=6)
rng = np.random.default_rng(0)
jitter = rng.uniform(-0.17, 0.17, len(many))
for k, (label, p, marker) in enumerate((("ten sigmoids", p_sig, "o"), ("softmax", p_soft, "x"))):
    total = p.sum(1)
    ax.plot(many + jitter + 0.4 * k - 0.2, total, marker, ms=3, alpha=0.45, color=f"C{k}",
            label=label)
    mean = [total[many == n].mean() for n in range(7)]
    if label != "softmax":
        ax.plot(np.arange(7) - 0.2, mean, color="0.1", lw=2, label="mean of the sigmoids")
    print(f"{label}: mean sum with 0, 2 and 4 statements: "
          + ", ".join(f"{mean[n]:.2f}" for n in (0, 2, 4)))
    assert label == "softmax" or mean[4] > mean[0] + 0.1
ax.set(xticks=range(7), xticklabels=[*range(6), "6+"], ylim=(0, 5.2),
       xlabel="statements that are there, of ten", ylabel="sum of the ten probabilities")
ax.legend(loc="upper left")
plots.Picture(fig, "Points over the number of statements. With sigmoids the sums scatter between "
              "1 and 4, and their mean rises. With softmax every sum is 1.")

# %% tags=["fold"] name="breaks-table"
# What the softmax costs, with the threshold that makes the fewest errors in the validation part.
rows = [[label, spread(of(m, "fewest", 0)), spread(100 * of(m, "fewest", 1), ".1f"),
         spread(of(m, "one", 2)), spread(of(m, "each", 3)),
         spread(100 * of(m, "fewest, none"), ".0f")]
        for label, m in (("ten sigmoids", "sigmoids"), ("softmax", "softmax"))]
costs = of("softmax", "fewest", 0) - of("sigmoids", "fewest", 0)
print(f"softmax minus sigmoids, errors: {spread(costs, '+.3f')}, more in {(costs > 0).sum()} of "
      f"{len(costs)} splits")
lifted, hot = np.array([[2.0, -1.0, -0.5]]) + np.array([[0.0], [5.0]]), np.array([[1.0, 0, 1]] * 2)
for label, loss in (("ten sigmoids", binary_cross_entropy(lifted, hot).value.sum(1)),
                    ("softmax", soft_cross_entropy(lifted, hot / 2).value),
                    ("multilabel_margin",
                     multilabel_margin(lifted, np.array([[0, 2, -1]] * 2)).value)):
    print(f"{label}: loss at the logits 2, -1, -0.5: {loss[0]:.2f}; all three 5 higher: "
          f"{loss[1]:.2f}")
Table(["loss", "errors", "exact match (%)", "micro F1", "macro F1",
       '"none" found (% of such functions)'], rows,
      "Median, and lowest to highest of twenty splits. Every threshold is chosen on the "
      "validation part for its metric; errors, exact match and none use that for the fewest "
      "errors.")

# %% [markdown] name="exercises"
# The signature: **the ten probabilities sum to 1, whatever the model reads.** A function without any of the statements gets the same sum as one with six. The three printed losses show why training cannot mend it: add a number to all logits, and the loss stays. So nothing teaches this model to say "none" or "all". `multilabel_margin`, a hinge loss which wants each label that is there 1 above each that is not, has the same blind spot.
#
# A threshold does not mend it. With the one for the fewest errors, the softmax makes more errors than the sigmoids in every split. Of the functions with none of the ten it finds not one; the sigmoids find a third. Its F1 is nearly as good: the order of the labels is right, their number is not. The cure is a sigmoid for each label.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Two averages (5 minutes, easy)
# `answer` and `y` hold zeros and ones, shape `(N, C)`: a row for each example, a column for each label. Return the micro and the macro average of F1. A label that is never there and never said has the F1 0.

# %% name="exercise-averages"
def averages(answer, y):
    ### BEGIN SOLUTION
    right = (answer * y).sum(0)
    said_or_there = answer.sum(0) + y.sum(0)  # the right ones count twice
    each = 2 * right / np.where(said_or_there > 0, said_or_there, 1)
    return 2 * right.sum() / said_or_there.sum(), each.mean()
    ### END SOLUTION

# %% name="check-averages"
check("averages")

# %% [markdown] name="exercise-chain-text"
# <details><summary>Hint 1</summary>What are 2t + f + n in terms of the yeses said and the yeses there?</details>
# <details><summary>Hint 2</summary>t + f is the number of yeses said, t + n the number of those that are there. Divide by 1 where both are 0.</details>
#
# ### 2. The loss of a chain (8 minutes, medium)
# `z` holds what the inputs say to each label, shape `(N, C)`. `w[j, i]` is what a yes to label `j` adds to the logit of label `i`; only labels before `i` may count, although `w` has numbers everywhere. `y` holds zeros and ones, shape `(N, C)`. Return minus the logarithm of the chain's probability of each row of `y`, shape `(N,)`.

# %% name="exercise-chain"
def chain_loss(z, w, y):
    ### BEGIN SOLUTION
    logit = z + y @ np.triu(w, 1)
    return (np.logaddexp(0, logit) - y * logit).sum(1)
    ### END SOLUTION

# %% name="check-chain"
check("chain_loss")

# %% [markdown] name="exercise-never-text"
# <details><summary>Hint 1</summary>First the logits of all labels at once; then a binary cross-entropy for each.</details>
# <details><summary>Hint 2</summary>np.triu(w, 1) keeps the entries with j < i. The cross-entropy of a logit is np.logaddexp(0, z) - y z.</details>
#
# ### 3. The answer that never occurs (8 minutes, hard)
# How bad can the answer by halves be? `q[a, b, c]` is the share of the examples whose three labels are `a`, `b`, `c`, each 0 or 1. Find an array of shape `(2, 2, 2)` for which the answer by halves is a set that never occurs. No marginal may be exactly one half.

# %% name="exercise-never"
q = ...  # q[a, b, c]
### BEGIN SOLUTION
q = np.array([[[0, 0], [0, 1]], [[0, 1], [1, 0]]]) / 3
### END SOLUTION

# %% name="check-never"
check("q")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Try to make the answer by halves the set with all three, and give that set the share 0.</details>
# <details><summary>Hint 2</summary>Each label must be in more than half of the examples, and no example may have all three. How many labels may an example have, and how many do three marginals need on average?</details>
# <details><summary>What it means (after solving)</summary>With two labels the answer by halves always occurs: if both marginals are above one half, the set with both has at least the share m₁ + m₂ − 1. Three labels are enough for an answer that is never right.</details>
#
# ## Takeaways
#
# - A sigmoid for each label learns how frequent the label is, and not which labels come together.
# - Each metric has its own best answer. Thresholds of one half serve the errors, the most probable set serves exact match, and F1 wants lower thresholds.
# - Do not take a softmax for labels that come in sets: its probabilities sum to 1, so it can say neither "none" nor "all". And do not build a chain where only the errors count: there ten sigmoids do as well.
#
# ## Does it hold?
#
# **The other order.** The same chain from the last label to the first:

# %% tags=["fold"] name="control-order"
# The chain in the opposite order, and the answer that takes label by label the likelier side.
rows = [[label, spread(of(m, "loss")), spread(100 * of(m, "mode", 1), ".1f"),
         spread(100 * of(m, "greedy", 1), ".1f"), spread(100 * of(m, "half", 1), ".1f")]
        for label, m in (("return first", "chain"), ("yield first", "reversed"))]
lead = [100 * (of(m, "mode", 1) - of(m, "greedy", 1)) for m in ("chain", "reversed")]
print("most probable set minus greedy, exact match in points: "
      f"return first {spread(lead[0], '+.1f')}, yield first {spread(lead[1], '+.1f')}")
Table(["order", "loss (nats)", "most probable set (%)", "greedy (%)", "by halves (%)"], rows)

# %% [markdown] name="control-sigmoids-text"
# The loss and the most probable set hardly depend on the order. The *greedy* answer does. It takes label by label the more probable side, given its answers so far, as a language model does at temperature 0. With `return` first it mostly says `return`, then often finds `if` more probable than not, and ends where the halves end. With the rare labels first it has said no to `raise`, `try` and the loops before it comes to `if`, and then `if` is improbable.
#
# **Do the thresholds need the chain?** The same three answers from the ten sigmoids:

# %% tags=["fold"] name="control-sigmoids"
# The sigmoids with their thresholds.
Table(["answer of the sigmoids", *metrics],
      [[label, spread(of("sigmoids", a, 0)), spread(100 * of("sigmoids", a, 1), ".1f"),
        spread(of("sigmoids", a, 2)), spread(of("sigmoids", a, 3))]
       for label, a in answers.items() if a != "mode"])

# %% [markdown] name="control-penalty-text"
# No. Thresholds need the marginals alone, and the sigmoids have them.
#
# **The penalties.** The loss on the validation part, a mean over the twenty splits:

# %% tags=["fold"] name="control-penalty"
# The validation loss over the penalties, for each model.
grid = made["PENALTIES"]
rows = []
for label, m in (("ten sigmoids", "sigmoids"), ("chain", "chain"), ("softmax", "softmax"),
                 ("chain, new modules", "modules, chain")):
    tuned = np.array([run[m]["validation"] for run in runs])
    chosen = np.array([run[m]["penalty"] for run in runs])
    assert chosen.min() > 0 and chosen.max() < len(grid) - 1
    rows.append([label, *(f"{v:.2f}" for v in tuned.mean(0)),
                 f"{grid[chosen.min()]:.2g} to {grid[chosen.max()]:.2g}"])
Table(["", *(f"{v:.1e}" for v in grid), "chosen"], rows)

# %% [markdown] name="control-modules-text"
# Every choice lies inside the grid.
#
# **New modules.** Now a seed draws whole modules for the three parts, so that the test functions come from files that the training has not seen:

# %% tags=["fold"] name="control-modules"
# The chain where the parts share no module.
plain = np.array([run["modules, constant"] for run in runs])
rows = [["always {return}", spread(plain[:, 0]), *(spread(100 * plain[:, 1], ".1f"),),
         spread(plain[:, 2]), spread(plain[:, 3])]]
rows += [[label, spread(of("modules, chain", a, 0)),
          spread(100 * of("modules, chain", a, 1), ".1f"), spread(of("modules, chain", a, 2)),
          spread(of("modules, chain", a, 3))]
         for label, a in answers.items()]
ahead = 100 * (of("modules, chain", "mode", 1) - of("modules, chain", "half", 1))
print(f"most probable set against halves: {spread(ahead, '+.1f')} points of exact match, higher in "
      f"{(ahead > 0).sum()} of {len(ahead)} splits")
Table(["answer of the chain", *metrics], rows)

# %% [markdown] name="control-modules-reading"
# The task is harder: a new module has other words and other habits. The answer by halves falls behind the constant `{return}`, and the most probable set is about level with it. It stays ahead of the halves in every split, and each metric still has its own best answer.

# %% tags=["fold"] name="record"
# What made the recorded numbers.
record

# %% [markdown] name="sources"
# ## Sources
#
# - K. Dembczyński, W. Waegeman, W. Cheng and E. Hüllermeier, 2012: *On label dependence and loss minimization in multi-label classification*, Machine Learning 88 (marginals for the errors, the most probable set for exact match).
# - J. Read, B. Pfahringer, G. Holmes and E. Frank, 2011: *Classifier chains for multi-label classification*, Machine Learning 85. Their chain answers greedily; the probabilities of all sets are from K. Dembczyński and others, 2010: *Bayes optimal multilabel classification via probabilistic classifier chains*, ICML.
# - Z. C. Lipton, C. Elkan and B. Narayanaswamy, 2014: *Thresholding classifiers to maximize F1 score*, arXiv 1402.1892.
