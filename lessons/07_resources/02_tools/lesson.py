# ---
# jupyter:
#   lesson:
#     title: "Tools"
#     question: "Four libraries have an optimizer called RMSProp. Do they take the same first step?"
#     minutes: 30
#     needs: [03_algorithms/04_adam, 03_algorithms/12_adaptive, 05_project/02_pre_training]
#     settles: []
#     studies: [optim.RMSProp]
#     terms: [defaults, departure]
# ---

# %% [markdown] name="title"
# # Tools
#
# **Goal.** Know which tool is there for what, and find out in ten lines whether two of them do the same.
#
# **The question.** PyTorch, optax, Keras and timm each have an optimizer called RMSProp. We give all four the same start, the same gradients and the learning rate 0.05. We set nothing else. How long is the first step of each?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 splits of the digits, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, landscapes, models, plots
from lessons_lib.derive import derive
from lessons_lib.optim import AdaGrad, Adam, AMSGrad, NAdam, RMSProp, descend
from lessons_lib.optim.rmsprop import RMSPropState
from lessons_lib.show import Table, link

setting = bridge.start(device, seed, profile)
check = exercises.of("07_resources/02_tools")

# %% name="rule"
def rmsprop(theta, gradient, steps, lr, alpha, eps, inside=False, start=0.0):
    v, trail = np.full(np.shape(theta), start), [theta]
    for t in range(steps):
        g = gradient(theta, t)
        v = alpha * v + (1 - alpha) * g**2
        theta = theta - lr * g / (np.sqrt(v + eps) if inside else np.sqrt(v) + eps)
        trail.append(theta)
    return np.array(trail)

LIBRARIES = {
    "PyTorch 2": {"alpha": 0.99, "eps": 1e-8},
    "optax 0.2": {"alpha": 0.9, "eps": 1e-8, "inside": True},
    "Keras 3": {"alpha": 0.9, "eps": 1e-7, "inside": True},
    "timm 1.0": {"alpha": 0.9, "eps": 1e-10, "inside": True, "start": 1.0},
}

# %% tags=["fold"] name="question-table"
# The first step of each on one bowl.
bowl, begin = landscapes.quadratic(0.2, 1.0), np.array([-1.6, 1.0])

def walk(name, unit=1.0, steps=40):
    return rmsprop(begin, lambda x, t: unit * bowl.gradient(x), steps, 0.05, **LIBRARIES[name])

trails = {name: walk(name) for name in LIBRARIES}
first = {name: np.abs(trail[1] - trail[0]) for name, trail in trails.items()}
assert first["PyTorch 2"].min() > 2.5 * first["optax 0.2"].max() > 2 * first["timm 1.0"].max()
Table(["library", "first step, along both axes", "in learning rates"],
      [[name, f"{a:.3f} and {b:.3f}", f"{a / 0.05:.1f} and {b / 0.05:.1f}"]
       for name, (a, b) in first.items()], "The slopes are 0.32 and 1.")

# %% tags=["fold"] name="question-picture"
# Forty steps of each.
SHOWN = {"PyTorch 2": "PyTorch", "optax 0.2": "optax, Keras", "timm 1.0": "timm"}

def three():
    fig, axes = plots.panels(3, sharey=True)
    for ax, title in zip(axes, SHOWN.values(), strict=True):
        plots.landscape.draw_contours(ax, bowl, ((-2.0, 0.5), (-0.5, 1.3)), title)
    return fig, axes

def draw(axes, unit):
    for i, (ax, name) in enumerate(zip(axes, SHOWN, strict=True)):
        ax.plot(*walk(name, unit).T, marker=".", ms=7, lw=1.2, color=f"C{i}")

fig, axes = three()
draw(axes, 1.0)
plots.Picture(fig, "Three frames with one path each over the contours of a flat bowl, from the "
              "same start at the upper left. PyTorch's path begins with a few long steps. optax's "
              "begins with steps a third as long. timm's is a dense chain that bends down first "
              "and has not arrived after 40 steps.")

# %% [markdown] name="idea-text"
# PyTorch's first step is ten learning rates long, those of optax and Keras are 3.2, and timm's is about one where the slope is 1 and shorter where the slope is smaller. (Keras walks as optax does.) Nobody made a mistake. The four libraries have chosen four rules and given them one name.
#
# ## The idea, drawn
#
# All four keep an average $v$ of squared gradients and divide the gradient by its root. They differ in three places:
#
# | | weight $\alpha$ of the old average | $\epsilon$ | first value of $v$ |
# |---|---|---|---|
# | PyTorch 2, `torch.optim.RMSprop` | 0.99 | $10^{-8}$, beside the root | 0 |
# | optax 0.2, `optax.rmsprop` | 0.9 | $10^{-8}$, under the root | 0 |
# | Keras 3, `keras.optimizers.RMSprop` | 0.9 | $10^{-7}$, under the root | 0 |
# | timm 1.0, `RMSpropTF` | 0.9 | $10^{-10}$, under the root | 1 |
#
# The numbers are **defaults**: values that a library uses where you set none. The two other differences are in the code, and no option of PyTorch brings them back. timm's rule imitates the one of TensorFlow 1, for models that were tuned with it.
#
# ## Fifteen tools
#
# Before we go on: which tools are there, and when do you need them?

# %% tags=["fold"] name="tools"
# The tools, what each is for, and when one takes it.
HF = "https://huggingface.co/docs"
GH = "https://github.com"
Table(["tool", "what for", "when to take it, and where to look first"], [
    [link(name, address), what, when] for name, address, what, when in (
        ("PyTorch", "https://docs.pytorch.org/docs/stable/optim.html",
         "losses, optimizers, autograd",
         "the judge in this course; the page of each optimizer shows its algorithm"),
        ("NumPy", "https://numpy.org/doc/stable/", "arrays",
         "a formula in five lines, in float64, before it meets a GPU"),
        ("JupyterLab", "https://jupyterlab.readthedocs.io/", "notebooks",
         "to try and to show; what runs for a night belongs in a script"),
        ("scikit-learn", "https://scikit-learn.org/stable/", "classical models, data, metrics",
         "the baseline: first look whether a linear model does it already"),
        ("optax", "https://optax.readthedocs.io/", "optimizers for JAX, as chains of parts",
         "to read: most new rules are there, each in a page of code"),
        ("Keras", "https://keras.io/api/optimizers/", "models on PyTorch, JAX or TensorFlow",
         "when a team has its models there; read each argument's default"),
        ("transformers", f"{HF}/transformers", "language models and their Trainer",
         "to fine-tune a published model; TrainingArguments lists every default"),
        ("PEFT", f"{HF}/peft", "low-rank and other adapters",
         "when the model does not fit into memory with Adam's two states"),
        ("TRL", f"{HF}/trl", "training with preferences and rewards",
         "for DPO, GRPO and their relatives; look up how a loss is averaged"),
        ("bitsandbytes", f"{HF}/bitsandbytes", "8-bit optimizers and weights",
         "when optimizer states fill the memory of one GPU"),
        ("torchao", f"{GH}/pytorch/ao", "low-precision training in PyTorch",
         "the same need, with torch.compile in place of CUDA code"),
        ("Liger Kernel", f"{GH}/linkedin/Liger-Kernel", "losses and layers fused on the GPU",
         "when the logits of a large vocabulary fill the memory"),
        ("timm", f"{GH}/huggingface/pytorch-image-models", "vision models and their optimizers",
         "for published recipes of image models, with the rules they were tuned with"),
        ("TensorBoard", "https://www.tensorflow.org/tensorboard", "curves of many runs",
         "from the third run on; earlier, a plot in the notebook does"),
        ("AlgoPerf", f"{GH}/mlcommons/algorithmic-efficiency", "a benchmark of training methods",
         "before you believe that a new rule is faster: it sets equal budgets"),
    )])

# %% [markdown] name="formula"
# ## Formula
#
# The rule, with all that differs written out:
#
# $$v_t = \alpha\, v_{t-1} + (1 - \alpha)\, g_t^2 \qquad\qquad \theta_t = \theta_{t-1} - \eta\, \frac{g_t}{\sqrt{v_t} + \epsilon} \quad\text{or}\quad \theta_t = \theta_{t-1} - \eta\, \frac{g_t}{\sqrt{v_t + \epsilon}}$$
#
# Here $g_t$ is the gradient of step $t$ and $\eta$ the learning rate. What does the first value $v_0$ do? Let the gradient be the same in each step.
#
# ## Derivation

# %% tags=["fold"] name="derivation-average"
# The average under a constant gradient, tied to the library's own state.
alpha, g, v_0 = sp.symbols("alpha g v_0", positive=True)
t, k = sp.symbols("t k", integer=True, positive=True)

def average(alpha, g, v_0, t):  # the library's v after t steps from v_0
    rule, theta = RMSProp(0.1, alpha, eps=0.0), np.zeros(1)
    state = rule.init(theta)._replace(v=np.full(1, v_0))
    for _ in range(int(t)):
        theta, state = rule.update(theta, np.full(1, g), state)
    return state.v[0]

(
    derive("v_t", "alpha**t * v_0 + Sum((1 - alpha) * alpha**k * g**2, (k, 0, t - 1))",
           r"each step multiplies by $\alpha$ and adds $(1 - \alpha)\, g^2$",
           {"alpha": alpha, "g": g, "v_0": v_0, "t": t, "k": k}, ranges={alpha: (0.05, 0.95)})
    .equals("alpha**t * v_0 + (1 - alpha**t) * g**2",
            r"a geometric sum: **the start is forgotten like $\alpha^t$**")
    .library("RMSProp(alpha).update: v", average, "the library's $v$ after $t$ gradients",
             each=True)
)

# %% [markdown] name="derivation-first-text"
# From $v_0 = 0$ the average is too small at first, so the first steps are too long:

# %% tags=["fold"] name="derivation-first"
# The first step, tied to the library's update.
def moved(alpha, g, v_0):  # the library's first step from v_0, at learning rate 1
    rule, theta = RMSProp(1.0, alpha, eps=0.0), np.zeros(1)
    state = RMSPropState(0, np.full(1, v_0), np.zeros(1), np.zeros(1))
    return -rule.update(theta, np.full(1, g), state)[0][0]

(
    derive(r"\frac{\theta_0 - \theta_1}{\eta}", "g / sqrt(alpha * v_0 + (1 - alpha) * g**2)",
           r"the formula at $t = 1$, without $\epsilon$", [alpha, g, v_0],
           ranges={alpha: (0.05, 0.95)})
    .library("RMSProp(1, alpha, eps=0).update", moved, "the library's first step", each=True)
    .put(v_0, 0, "1 / sqrt(1 - alpha)", r"**from 0: the gradient cancels**")
)

# %% [markdown] name="derivation-one-text"
# From $v_0 = 1$ it does not cancel:

# %% tags=["fold"] name="derivation-one"
# The first step from 1, tied to the library's update.
(
    derive(r"\frac{\theta_0 - \theta_1}{\eta\, g}", "1 / sqrt(alpha + (1 - alpha) * g**2)",
           "from 1, divided by the gradient", [alpha, g], ranges={alpha: (0.05, 0.95)})
    .library("RMSProp(1, alpha, eps=0).update / g", lambda alpha, g: moved(alpha, g, 1.0) / g,
             "the library's step from $v_0 = 1$", each=True)
    .limit(g, 0, "1 / sqrt(alpha)", "**small gradients: a step of gradient descent**")
)

# %% [markdown] name="derivation-reading"
# With $\alpha = 0.99$ the first step is $1 / \sqrt{0.01} = 10$ learning rates long, with 0.9 it is 3.2. From $v_0 = 1$ the rule is at first not adaptive at all: a gradient of 0.01 gives about a hundredth of the step that a gradient of 1 gives. That is the upper left of the picture.
#
# And the place of $\epsilon$? [Adam's lesson](../03_algorithms/04_adam.ipynb) has shown it: under the root, $10^{-8}$ begins to matter where gradients are smaller than $\sqrt{10^{-8}} = 10^{-4}$.
#
# ## Play: change the unit
#
# Let the loss be measured in another unit: all gradients are multiplied by one number. A rule that divides by the size of the gradient should not notice.

# %% tags=["fold"] name="play-picture"
# The same bowl in other units: forty steps of three libraries.
UNITS = [float(f"1e{e}") for e in range(-10, 5)]
fig, axes = three()

def frame(*axes_and_unit):
    *axes, unit = axes_and_unit
    draw(axes, unit)
    ends = {name: np.linalg.norm(walk(name, unit)[-1] - begin) for name in SHOWN}
    return f"Gradients times {unit:g}. Way from the start: " + ", ".join(
        f"{SHOWN[name]} {way:.2g}" for name, way in ends.items()) + "."

plots.moving(fig, "gradients times", UNITS, frame, 1.0, "The three paths. In small units PyTorch's "
             "path stays as it is. timm's shrinks to nothing first, then optax's.")

# %% [markdown] name="play-questions"
# 1. From which unit on does timm's path shrink, and from which does optax's?
# 2. PyTorch's path keeps its shape over many units. Where does it change, and why there?
#
# <details><summary>Answers</summary>timm's shrinks as soon as gradients are below 1, because its average begins at 1 and needs many steps to forget that. optax's shrinks below about 0.0001, the root of its epsilon. PyTorch's rule changes only where gradients come near 0.00000001, its epsilon itself.</details>
#
# ## Ten lines that find it out
#
# A usual test feeds two rules gradients of size one and compares where they end. We call the length of the difference, over the length of the way gone, the **departure**. The test has one fault; so we repeat it over gradients of eleven sizes.

# %% name="departure"
def departure(one, other, size, steps=20, numbers=50):
    g = size * np.random.default_rng(seed).normal(size=(steps, numbers))
    a, b = one(g), other(g)  # where each rule ends, from 0, after these gradients
    return np.linalg.norm(a - b) / np.linalg.norm(a)

# %% tags=["fold"] name="departures"
# Six pairs: this library's rule, which is PyTorch's, and the other rule with one thing changed.
def ours(rule):
    def end(g):
        rows = iter(g)
        return descend(np.zeros(g.shape[1]), rule, lambda _: next(rows), len(g))[-1]
    return end

def other_rmsprop(**changed):
    options = {"alpha": 0.99, "eps": 1e-8} | changed
    return lambda g: rmsprop(np.zeros(g.shape[1]), lambda _, t: g[t], len(g), 0.01, **options)[-1]

def other_adagrad(g):
    v = np.cumsum(g**2, axis=0)
    return -0.01 * (g / np.sqrt(v + 1e-8)).sum(axis=0)

def other_adam(kind):  # m and v as always; what is done with them differs
    def end(g):
        theta, m, v, top = np.zeros((4, g.shape[1]))
        for t, now in enumerate(g, 1):
            m, v = 0.9 * m + 0.1 * now, 0.999 * v + 0.001 * now**2
            m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
            if kind == "eps":  # added before the correction
                theta = theta - 0.01 * m_hat * np.sqrt(1 - 0.999**t) / (np.sqrt(v) + 1e-8)
            if kind == "max":  # the largest corrected v, not the correction of the largest
                top = np.maximum(top, v_hat)
                theta = theta - 0.01 * m_hat / (np.sqrt(top) + 1e-8)
            if kind == "nesterov":  # one weight for all steps
                ahead = 0.9 * m / (1 - 0.9 ** (t + 1)) + 0.1 * now / (1 - 0.9**t)
                theta = theta - 0.01 * ahead / (np.sqrt(v_hat) + 1e-8)
        return theta
    return end

PAIRS = {
    "RMSProp: average begins at 1 (timm)": (RMSProp(0.01), other_rmsprop(start=1.0)),
    "RMSProp: eps under the root (optax)": (RMSProp(0.01), other_rmsprop(inside=True)),
    "AdaGrad: eps under the root (optax)": (AdaGrad(0.01, eps=1e-8), other_adagrad),
    "Adam: eps before the correction (Keras)": (Adam(0.01), other_adam("eps")),
    "AMSGrad: maximum after the correction (optax)": (AMSGrad(0.01), other_adam("max")),
    "NAdam: one momentum for all steps (optax)": (NAdam(0.01), other_adam("nesterov")),
}
SIZES = [float(f"1e{e}") for e in range(-10, 1)]
gaps = np.array([[departure(ours(rule), other, size) for size in SIZES]
                 for rule, other in PAIRS.values()])
fig, (ax,) = plots.panels()
fig.set_size_inches(8.6, 3.6)
image = ax.imshow(np.log10(np.maximum(gaps, 1e-9)), cmap="viridis", vmin=-9, vmax=0, aspect="auto")
ax.set_xticks(range(0, 11, 2), [f"$10^{{{e}}}$" for e in range(-10, 1, 2)])
ax.set_yticks(range(len(PAIRS)), list(PAIRS))
ax.set(xlabel="size of the gradients")
ax.grid(False)
bar = fig.colorbar(image, ax=ax, label="departure", ticks=[-8, -6, -4, -2, 0])
bar.ax.set_yticklabels([f"$10^{{{e}}}$" for e in (-8, -6, -4, -2, 0)])
assert (gaps[1:4, -1] < 0.1).all() and (gaps[1:4, 1] > 0.5).all()
assert (gaps[4:, 4:] > 0.05).all()
plots.Picture(fig, "An image of six pairs of rules times eleven sizes of gradients. Three rows, "
              "those of the place of epsilon, are dark at size 1 and turn bright towards small "
              "gradients. The row of the average's start is bright nearly everywhere. The rows of "
              "AMSGrad and NAdam have one colour each except at the smallest sizes.")

# %% tags=["fold"] name="departure-table"
# Three of the columns as numbers.
at = [SIZES.index(s) for s in (1.0, 1e-4, 1e-6)]
Table(["pair", "size 1", "size 0.0001", "size 0.000001"],
      [[name, *(f"{gap[i]:.1g}" for i in at)] for name, gap in zip(PAIRS, gaps, strict=True)])

# %% [markdown] name="departure-text"
# The third row is the trap. At size 1 the two rules end within a millionth of the way of each other, and a test with a tolerance of $10^{-6}$ says "equal". At size 0.000001 they have nothing in common. Rows two and four do the same at other sizes. AMSGrad and NAdam depart at every size that is far above $\epsilon$: these are different formulas, and one test finds them.
#
# Are gradients of a real model that small? Here are those of [the course's language model](../05_project/02_pre_training.ipynb), for 8 pieces of 64 tokens of new text.

# %% tags=["fold", "nbval-ignore-output"] name="gradients"
# Every number of the gradient, in the embedding and in the other matrices.
saved = models.pretrained()
batch = data.in_order(data.encode(saved.tokenizer, data.corpus().validation), 64, 8)
logits = saved.model(torch.tensor(batch.x))
torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor(batch.y).flatten()).backward()
sizes = {"embedding": [], "all other weights": []}
for name, weight in saved.model.named_parameters():
    part = "embedding" if "embed" in name else "all other weights"
    sizes[part].append(weight.grad.abs().flatten().numpy())
sizes = {part: np.log10(np.maximum(np.concatenate(found), 1e-14)) for part, found in sizes.items()}
small = {part: float((found < -4).mean()) for part, found in sizes.items()}
print("below 0.0001: " + ", ".join(f"{part} {share:.0%}" for part, share in small.items()))
came = np.isin(np.arange(len(saved.model.embed_tokens.weight)), [batch.x, batch.y])
tiny = (saved.model.embed_tokens.weight.grad.abs() < 1e-4).float().mean(dim=1).numpy()
print(f"in the embedding: {tiny[came].mean():.0%} of the rows of tokens that occur, "
      f"{tiny[~came].mean():.0%} of the others")
assert small["embedding"] > 0.25 > 3 * small["all other weights"]
fig, axes = plots.panels(2, sharey=True)
for ax, (part, found) in zip(axes, sizes.items(), strict=True):
    ax.hist(found, bins=np.linspace(-12, 0, 49), weights=np.full(len(found), 1 / len(found)),
            color="C0", edgecolor="white", lw=0.3)
    ax.axvline(-4, color="C1", ls="--")
    ax.text(-4.2, 0.28, "root of\n$10^{-8}$", color="C1", ha="right", va="top")
    ax.set(xlabel="size of a gradient", title=part, ylabel="share", ylim=(0, 0.3))
    ax.set_xticks(range(-12, 1, 4), [f"$10^{{{e}}}$" for e in range(-12, 1, 4)])
plots.Picture(fig, "Two histograms of gradient sizes on a logarithmic axis. The embedding's has "
              "two hills, one far left of the mark at 0.0001. The other weights' "
              "is a narrow hill right of the mark.")

# %% [markdown] name="gradients-text"
# In the embedding, 43 per cent of the gradients lie below 0.0001. Nearly all of them belong to tokens that do not occur in these pieces. There rules that a test calls equal move at different speeds: under the root, $\epsilon$ slows rare tokens down. So test with gradients of many sizes, the smallest below the smallest $\epsilon$.
#
# ## What breaks: a rate that moves to another library
#
# A recipe says "RMSProp, learning rate 0.008". It was tuned in one library, and you use another. We train a linear model on the digits, 150 steps of 32 pictures, with each library's rule and with 21 rates, each twice the one before. Then we do the same with the loss divided by 10 000, as if it were one small term among others.

# %% tags=["fold", "nbval-ignore-output"] name="rates"
# Digits: loss on new digits for each rule and rate, loss as it is and divided by 10 000.
RATES = 2.0 ** np.arange(-11, 10)
SPLITS = range(seed, seed + (20 if profile == "full" else 5))

def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)

def trained(split, unit, rows=32, steps=150):  # {library: loss on new digits for each rate}
    d = data.digits(split)
    x, new = (np.c_[a, np.ones(len(a))] for a in (d.x, d.x_test))
    label = np.eye(10)[d.y]
    drawn = np.random.default_rng(split).integers(len(x), size=(steps, rows))
    found = {}
    for name, options in LIBRARIES.items():
        def gradient(theta, t):
            b = drawn[t]
            return unit * np.matmul(x[b].T, softmax(x[b] @ theta) - label[b]) / rows
        begin = np.zeros((len(RATES), 65, 10))
        theta = rmsprop(begin, gradient, steps, RATES[:, None, None], **options)[-1]
        p = softmax(new @ theta)[:, np.arange(len(new)), d.y_test]
        found[name] = -np.log(np.maximum(p, 1e-300)).mean(axis=1)
    return found

runs = {unit: [trained(s, unit) for s in SPLITS] for unit in (1.0, 1e-4)}
curves = {unit: {name: np.median([run[name] for run in part], axis=0) for name in LIBRARIES}
          for unit, part in runs.items()}
home = curves[1.0]["PyTorch 2"].argmin()
rows = []
for name in LIBRARIES:
    row = [name]
    for unit in (1.0, 1e-4):
        loss = curves[unit][name]
        row += [f"{RATES[loss.argmin()]:.3g}", f"{loss.min():.2f}", f"{loss[home]:.2f}"]
    rows.append(row)
assert all(0 < c.argmin() < len(RATES) - 1 for c in curves[1.0].values())
assert curves[1e-4]["timm 1.0"][home] > 1.5 > 4 * curves[1e-4]["PyTorch 2"][home]
Table(["library", "best rate", "its loss", f"loss at {RATES[home]:.2g}",
       "loss / 10 000: best rate", "its loss", f"loss at {RATES[home]:.2g}"], rows,
      f"Loss on new digits, median of {len(SPLITS)} splits. The rate {RATES[home]:.2g} is "
      "PyTorch's best.")

# %% tags=["fold", "nbval-ignore-output"] name="rates-picture"
# The two sets of curves.
fig, axes = plots.panels(2, sharey=True)
for ax, unit, title in zip(axes, (1.0, 1e-4), ("loss as it is", "loss / 10 000"), strict=True):
    for i, name in enumerate(("PyTorch 2", "optax 0.2", "timm 1.0")):
        ax.plot(RATES, curves[unit][name], ls=("-", "--", ":")[i], color=f"C{i}", marker="osD"[i],
                ms=4, label=name)
    ax.axvline(RATES[home], color="0.6", lw=1)
    ax.set(xscale="log", yscale="log", ylim=(0.12, 12), title=title, xlabel="learning rate",
           ylabel="loss on new digits")
axes[0].legend()
plots.Picture(fig, "Loss over learning rate for three libraries, two frames. On the left the three "
              "valleys lie nearly together, timm's a little to the right. On the right PyTorch's "
              "valley has not moved, optax's has moved to the right, and timm's still further.")

# %% [markdown] name="rates-text"
# With the loss as it is, the mistake is hardly seen: timm wants about twice the rate and loses a little without it. With the loss divided, PyTorch's best rate stays where it was. optax wants about sixty times this rate, timm about a thousand times, and at PyTorch's rate timm's model has learned next to nothing: guessing has a loss of $\ln 10 = 2.3$. **The signature:** a rate that was good elsewhere trains slowly, and a much larger rate repairs it. **The cure:** write out every setting; run the ten lines; where they show a departure, tune the rate again.
#
# ### Settings that nobody set
#
# Even where the formulas agree, defaults may not. AdamW multiplies each weight by $1 - \eta \lambda$ in each step ([weight decay](../03_algorithms/13_adamw.ipynb)). Without a gradient, after how many steps is half of a weight left?

# %% tags=["fold"] name="half-lives"
# AdamW's own decay where nothing is set: steps until half of an unused weight is left.
DECAYS = (("PyTorch 2, AdamW", 1e-3, 1e-2), ("Keras 3, AdamW", 1e-3, 4e-3),
          ("bitsandbytes 0.50, AdamW", 1e-3, 1e-2), ("optax 0.2, adamw (rate 0.001)", 1e-3, 1e-4),
          ("transformers 5, Trainer", 5e-5, 0.0))
Table(["library", "learning rate", "weight decay", "steps to one half"],
      [[name, lr, decay, f"{np.log(0.5) / np.log1p(-lr * decay):,.0f}" if decay else "never"]
       for name, lr, decay in DECAYS], "optax has no rate of its own; 0.001 is put in.")

# %% [markdown] name="exercises"
# From 69 thousand steps to never, under one name. So a paper's sentence "AdamW with default settings" says something only together with the name of a library and its version.
#
# ## Exercises
#
# ### 1. Where epsilon takes over (5 minutes, easy)
# Under a constant gradient $g$, the average $v$ settles at $g^2$. With $\epsilon$ **under** the root, for which size of $g$ is the step half of the learning rate? Write `half(eps)`.

# %% name="exercise-half"
def half(eps):
    ### BEGIN SOLUTION
    return (eps / 3) ** 0.5
    ### END SOLUTION

# %% name="check-half"
check("half")

# %% [markdown] name="exercise-buffer-text"
# <details><summary>Hint 1</summary>The step over the rate is g / sqrt(g² + eps).</details>
# <details><summary>Hint 2</summary>Set it to one half and square both sides.</details>
# <details><summary>What it means (after solving)</summary>With 1e-8 it is about 0.00006. With epsilon beside the root the answer would be epsilon itself, 0.00000001.</details>
#
# ### 2. A fourth difference (10 minutes, medium)
# With momentum, PyTorch collects $u \leftarrow \mu u + g$ and moves by $\eta\, u$. timm's rule multiplies by the rate before it collects: $u \leftarrow \mu u + \eta\, g$, and moves by $u$. Under a constant rate that is the same. Write `further(g, rates, mu)`: how much further timm's form goes, in the direction of $-g$, when the gradient is $g$ in every step and step $i$ has the rate `rates[i]`. Then try a rate that falls to a tenth.

# %% name="exercise-buffer"
def further(g, rates, mu):
    ### BEGIN SOLUTION
    collected = scaled = way = scaled_way = 0.0
    for rate in rates:
        collected = mu * collected + g
        scaled = mu * scaled + rate * g
        way += rate * collected
        scaled_way += scaled
    return scaled_way - way
    ### END SOLUTION

# %% name="check-buffer"
check("further")

# %% [markdown] name="exercise-which-text"
# <details><summary>Hint 1</summary>Keep two sums u, one for each form, and two ways.</details>
# <details><summary>Hint 2</summary>PyTorch's way grows by the rate of this step times u; timm's grows by u, which holds the old rates.</details>
# <details><summary>What it means (after solving)</summary>When a schedule lowers the rate, timm's form rolls on at the old rate for about 1 / (1 - mu) steps. During warm-up it lags behind by as much.</details>
#
# ### 3. Which library is it? (10 minutes, medium)
# `box["A"]`, `box["B"]`, `box["C"]` and `box["D"]` are the rules of PyTorch (1), optax (2), Keras (3) and timm (4), in some order, with the settings of the table and the rate 1. Each takes a list of gradients of one number and gives where it ends, from 0. Find out which is which, and put the four numbers into `which`, in the order of the boxes.

# %% tags=["fold"] name="boxes"
# The four closed boxes.
def closed(name):
    return lambda g: float(rmsprop(0.0, lambda _, t: g[t], len(g), 1.0, **LIBRARIES[name])[-1])

box = {letter: closed(list(LIBRARIES)[i]) for letter, i in zip("ABCD", (2, 3, 0, 1), strict=True)}
print({letter: round(end([1.0] * 3), 3) for letter, end in box.items()})

# %% name="exercise-which"
which = (
    ### BEGIN SOLUTION
    [3, 4, 1, 2]
    ### END SOLUTION
)

# %% name="check-which"
check("which")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>One gradient of size 1 separates three of the groups.</details>
# <details><summary>Hint 2</summary>Two rules agree there. Take a gradient that lies between the roots of their two epsilons.</details>
# <details><summary>What it means (after solving)</summary>Two questions were enough, because they were chosen: one size at which the starts differ and one at which the epsilons do.</details>
#
# ## Takeaways
#
# - One name, four rules: RMSProp's first step is 10, 3.2 or about one learning rate long, by the library that you call.
# - A test with gradients of size one does not see an $\epsilon$. Compare rules over gradients of many sizes.
# - Do not take a learning rate from one library to another before the ten lines have said that both have the same rule.
#
# ## Does it hold?
#
# **Is the first line of the table really PyTorch's rule?**

# %% tags=["fold"] name="control-torch"
# Our ten lines against torch.optim.RMSprop, for gradients of three sizes.
table = []
for size in (1.0, 1e-4, 1e-8):
    g = size * np.random.default_rng(seed).normal(size=(20, 50))
    theta = torch.zeros(50, dtype=torch.float64, requires_grad=True)
    judge = torch.optim.RMSprop([theta], lr=0.01)
    for row in g:
        theta.grad = torch.tensor(row)
        judge.step()
    theirs = theta.detach().numpy()
    gap = np.abs(other_rmsprop()(g) - theirs).max() / np.abs(theirs).max()
    assert gap < 1e-9
    table.append([size, f"{gap:.0e}" if gap > 1e-15 else "below 1e-15"])
Table(["size of the gradients", "departure from torch.optim.RMSprop"], table)

# %% [markdown] name="control-rates-text"
# It is. The other three lines were read in the sources of the versions named there.
#
# **Does the ranking of the rates depend on the batch?** The best rate of each library with batches of 8 and of 128, the loss divided by 10 000, on one split.

# %% tags=["fold", "nbval-ignore-output"] name="control-batch"
# Best rates with other batches.
table = {name: [name] for name in LIBRARIES}
for rows in (8, 128):
    found = trained(seed + 100, 1e-4, rows, 100)
    for name, loss in found.items():
        table[name].append(f"{RATES[loss.argmin()]:.2g}")
    assert found["timm 1.0"].argmin() > found["optax 0.2"].argmin() > found["PyTorch 2"].argmin()
Table(["library", "best rate, batches of 8", "of 128"], table.values())

# %% [markdown] name="sources"
# The order stays.
#
# ## Sources
#
# - T. Tieleman and G. Hinton, 2012: *Lecture 6.5: rmsprop, divide the gradient by a running average of its recent magnitude*, Coursera: Neural networks for machine learning.
# - The rules and defaults: the sources of [PyTorch](https://docs.pytorch.org/docs/stable/optim.html) 2.13, [optax](https://github.com/google-deepmind/optax) 0.2.8, [Keras](https://github.com/keras-team/keras) 3.15.1, [timm](https://github.com/huggingface/pytorch-image-models) 1.0.31, [transformers](https://github.com/huggingface/transformers) 5.24.0 and [bitsandbytes](https://github.com/bitsandbytes-foundation/bitsandbytes) 0.50.2.
# - G. Dahl and others, 2023: *Benchmarking neural network training algorithms*, arXiv 2306.07179 (AlgoPerf).
# - The digits: E. Alpaydin and C. Kaynak, UCI, CC BY 4.0, the copy in scikit-learn.
