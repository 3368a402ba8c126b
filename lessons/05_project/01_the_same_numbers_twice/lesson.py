# ---
# jupyter:
#   lesson:
#     title: "The same numbers twice"
#     question: "You run the same training twice and get two different models. Which of the two is wrong?"
#     minutes: 35
#     needs: [03_algorithms/03_sgd, 03_algorithms/13_adamw, 04_mathematics/11_a_character_model]
#     settles: []
#     studies: [optim.SGD]
#     terms: [last bit, deterministic, checkpoint]
# ---

# %% [markdown] name="title"
# # The same numbers twice
#
# **Goal.** Know what makes two trainings equal to the last digit, what tears them apart, and when not to care.
#
# **The question.** You run the same training twice and get two different models. Which of the two is wrong?
#
# A small transformer learns to predict the next letter. We train it once. Then we train it again from the same beginning, on the same batches, and change one of its 10 176 weights from 1 to 1.0000001. That is the next number that float32 can hold.

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed gives other numbers, and the same lesson. It trains on the CPU.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import math
import re
import tempfile
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
import sympy as sp
import torch
from torch.func import functional_call, grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from lessons_lib import bridge, data, exercises, plots
from lessons_lib.derive import derive
from lessons_lib.models import Config, Transformer
from lessons_lib.optim import SGD, AdamW, descend
from lessons_lib.self_check import self_check
from lessons_lib.show import Table, show
from lessons_lib.training import Checkpoint, Recipe, train

setting = bridge.start(device, seed, profile)
check = exercises.of("05_project/01_the_same_numbers_twice")

def spread(values, form=".2g"):  # median (lowest to highest)
    low, middle, high = (format(v, form) for v in plots.band(np.ravel(values)))
    return f"{middle} ({low} to {high})"

# %% tags=["fold"] name="model"
# The text, the transformer, and many trainings at once: theta is (seeds, runs, weights).
def letters(pages):  # 1 to 26, and 0 between two words
    words = " ".join(re.findall("[a-z]+", " ".join(topics[page].lower() for page in pages)))
    return np.maximum(np.frombuffer(words.encode(), np.uint8).astype(np.int64) - 96, 0)

pages = np.random.default_rng(seed).permutation(sorted(topics))
ids = letters(pages[::2])
config = Config(vocab_size=27, hidden_size=32, intermediate_size=64, num_hidden_layers=1,
                num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=16)
streams = [data.windows(ids, 16, 8, s) for s in setting.seeds]
unseen = data.in_order(letters(pages[1::2]), 16, 625)

def model_of(s, larger=5):  # its matrices begin 5 times as large as the library makes them
    torch.manual_seed(s)
    model = Transformer(config)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(larger if p.ndim > 1 else 1)
    return model

def flat(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])

net = model_of(seed)
shapes = {name: p.shape for name, p in net.named_parameters()}
sizes = [p.numel() for p in net.parameters()]

def losses(theta, x, y):  # of each token, in nats
    parts = zip(shapes.items(), theta.split(sizes), strict=True)
    logits = functional_call(net, {name: a.view(shape) for (name, shape), a in parts}, (x,))
    return torch.nn.functional.cross_entropy(logits.mT, y, reduction="none")

slope = vmap(grad(lambda *given: losses(*given).mean()))

def together(rule, runs, steps=150, dtype=torch.float32, larger=5):
    """The weights of all runs, a whole training each: (steps + 1, seeds, runs, weights)."""
    theta = torch.stack([flat(model_of(s, larger)) for s in setting.seeds]).to(dtype)
    theta = theta[:, None].repeat(1, len(runs), 1)
    for k, (nudge, _) in enumerate(runs.values()):
        theta[:, k, -1] += nudge
    step = iter(range(steps))

    def gradient(theta):
        t = next(step)
        batches = [feed(stream, t) for stream in streams for _, feed in runs.values()]
        x, y = (torch.from_numpy(np.stack([b[i] for b in batches])) for i in (0, 1))
        with sdpa_kernel(SDPBackend.MATH):
            return slope(theta.flatten(0, 1), x, y).view_as(theta)

    return torch.stack(descend(theta, rule, gradient, steps))

def on_unseen(theta):  # the mean loss on the text that no run has seen: (seeds, runs)
    x, y = (torch.from_numpy(a) for a in unseen[:2])
    with torch.no_grad():
        found = [losses(one, x, y).mean().item() for one in theta.flatten(0, 1)]
    return np.array(found).reshape(theta.shape[:2])

def apart(trail, k, other=0):  # the distance of two runs after each step: (steps + 1, seeds)
    return (trail[:, :, k] - trail[:, :, other]).double().norm(dim=-1).numpy()

# %% name="runs"
def as_it_is(stream, t):
    return stream(t)

def reversed_rows(stream, t):  # the same batch, its rows read from the last to the first
    return stream(t).rows(slice(None, None, -1))

# of each run: what is added to the last weight, and how it reads the batches
single = together(AdamW(lr=0.03, beta2=0.95), {
    "first": (0, as_it_is), "again": (0, as_it_is),
    "one weight": (2**-23, as_it_is), "rows reversed": (0, reversed_rows),
})

# %% tags=["fold", "nbval-ignore-output"] name="question-picture"
# How far the two runs are apart, after each step.
bit = apart(single, 2)
pairs = [(a, b) for a in range(len(streams)) for b in range(a)]
two_seeds = [(single[-1, a, 0] - single[-1, b, 0]).norm().item() for a, b in pairs]
way = (single[-1, :, 0] - single[0, :, 0]).norm(dim=-1).numpy()
test = on_unseen(single[-1])
fig, (ax,) = plots.panels()
plots.draw_lines(ax, np.arange(151), {"one weight 1.0000001 instead of 1": plots.band(bit, 1)},
                 "step", "distance of the two models (log)", log="y")
ax.axhline(np.median(two_seeds), color="C1", ls="--", label="two other seeds, at the end")
ax.axhline(np.median(way), color="0.4", ls=":", label="way from the beginning to the end")
ax.set(ylim=(3e-8, 300))
ax.legend()
print(f"weights: {single.shape[-1]}")
print(f"distance after  20 steps: {spread(bit[20])}")
print(f"distance after  80 steps: {spread(bit[80])}")
print(f"distance after 150 steps: {spread(bit[150])}; way of a run: {spread(way)}")
print(f"two other seeds, after 150 steps: {spread(two_seeds)}")
print(f"the same training twice, nothing changed: {apart(single, 1).max():.0f}")
assert apart(single, 1).max() == 0
assert np.median(bit[150] / way) > 0.3 and np.median(bit[5]) < 1e-3
plots.Picture(fig, "A curve on a logarithmic axis over 150 steps. It begins at one "
              "ten-millionth, climbs by eight powers of ten in 100 steps, and ends near two thirds "
              "of the length of the way that a run has gone.")

# %% [markdown] name="question-reading"
# Numbers are the median of five seeds and, in brackets, their range; so is the band. The text is half of the pages of Python's documentation (PSF licence), as letters and spaces. Each run takes 150 steps of AdamW at the rate 0.03, with 8 rows of 16 letters. We chose a high rate, and matrices that begin five times as large as the library makes them. Other settings follow.
#
# With nothing changed the distance is exactly 0, in every step. A training is **deterministic** if the same numbers in give the same numbers out, to the last digit. This one is. With one weight changed in its seventh decimal place the two models end about two thirds as far from each other as each has travelled. Two questions arise. Who changes a seventh place when nobody has touched the weights? And why does it grow?
#
# ## The idea, drawn
#
# A computer rounds after every addition. So the result of a sum depends on the order:

# %% name="three-numbers"
a, b, c = np.float32([1e8, -1e8, 1])
print((a + b) + c, a + (b + c))

# %% [markdown] name="sum-text"
# At 100 million the next number that float32 can hold is 8 away, and the 1 is rounded off. We call a change to the next number that the format can hold a change of the **last bit**.
#
# A training adds all the time. Here are 10 000 numbers of the kind that it adds up: the losses of one of our models on 10 000 letters that it has not seen. We add them one after the other, in 1000 random orders, and divide by 10 000.

# %% tags=["fold", "nbval-ignore-output"] name="sum-picture"
# The mean of the same 10 000 losses in 1000 orders, in two formats.
rng = np.random.default_rng(seed)
with torch.no_grad():
    each = losses(single[-1, 0, 0].double(), *map(torch.from_numpy, unseen[:2])).numpy().ravel()
orders, off, count = [rng.permutation(len(each)) for _ in range(1000)], {}, {}
for kind in (np.float32, np.float64):
    numbers = each.astype(kind)
    sums = np.array([np.cumsum(numbers[o])[-1] for o in orders], dtype=np.float64)
    off[kind], count[kind] = (sums - math.fsum(numbers)) / len(each), len(np.unique(sums))
fig, axes = plots.panels(2)
for k, (kind, power) in enumerate(zip(off, (6, 15), strict=True)):
    ax = axes[k]
    ax.hist(10.0**power * off[kind], 30, color=f"C{k}")
    ax.axvline(0, color="k", lw=1)
    ax.set(xlabel=f"error of the mean loss ($10^{{-{power}}}$ nats)", ylabel="orders",
           title=kind.__name__)
for kind, error in off.items():
    typical = np.sqrt((error**2).mean())
    print(f"{kind.__name__}: mean loss {each.mean():.2f} nats, typical error {typical:.0e}, "
          f"{count[kind]} different results")
assert min(count.values()) > 25 and off[np.float32].std() > 1e6 * off[np.float64].std()
plots.Picture(fig, "Two histograms in the shape of bells. The errors in float32 are some "
              "millionths of a nat and need not lie around 0; those in float64 are near 10 to -15.")

# %% [markdown] name="sum-reading"
# The black line is the exact mean. In float32 the 1000 orders give some 80 different results; they need not even lie around the exact one. In float64 it is the same, on a scale that is hundreds of millions of times finer.
#
# And who chooses the order? Not you. It follows from how the work is cut into pieces, for instance among the threads, the workers that share a computation:

# %% tags=["fold", "nbval-ignore-output"] name="threads"
# The sum of a million numbers with several threads; the first gradient of a training, cut.
many = torch.randn(10**6, generator=torch.Generator().manual_seed(seed))
sums = {}
for n in (1, 2, 3, 4):
    torch.set_num_threads(n)
    sums[n] = many.sum().item()
torch.set_num_threads(1)
begin, first = single[0, :1, 0], streams[0](0)

def push(rows):
    return slope(begin, *(torch.from_numpy(a[rows])[None] for a in first[:2]))[0].double()

with sdpa_kernel(SDPBackend.MATH):
    whole = push(slice(None))
    ways = {
        "the rows read backwards": push(np.arange(8)[::-1]),
        "in two halves, their mean": (push(slice(4)) + push(slice(4, None))) / 2,
        "row by row, the mean": sum(push(slice(i, i + 1)) for i in range(8)) / 8,
    }
rows = [[f"sum of a million numbers, threads: {n}", f"{total:.4f}", f"{total - sums[1]:.1g}"]
        for n, total in sums.items()]
rows += [[f"gradient of one batch, {name}", f"{whole.norm():.4f}", f"{(g - whole).norm():.1g}"]
         for name, g in ways.items()]
assert all((g - whole).norm() < 1e-4 * whole.norm() for g in ways.values())
Table(["what is added", "result (of a gradient: length)", "difference from one piece"], rows)

# %% [markdown] name="threads-reading"
# The number of threads, the size of the pieces in which a batch goes through the model, the number of machines, the kernel (the small program for one operation) that a GPU picks: each can change the order of some sum, and so a last bit. None of them is a mistake. Some GPU operations even add in the order in which their threads happen to finish; there the same program on the same machine can give other bits each time.
#
# ## Formula
#
# Now the growth. Two runs of the same training stand at $\theta_t$ and $\theta'_t$ after step $t$. We follow their difference
#
# $$\delta_t = \theta'_t - \theta_t$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $\theta_t$, $\theta'_t$ | `a`, `b` | as the weights | the two runs after step $t$ |
# | $\delta_t$ | `b - a` | as the weights | their difference |
# | $\eta$, $h$ | `eta`, `h` | numbers | learning rate and curvature, [as before](../03_algorithms/03_sgd.ipynb); here $h$ may be negative |
#
# ## Derivation
#
# One weight, gradient descent, and a loss with the same curvature everywhere: $J = \frac h2 \theta^2$ with the slope $h\,\theta$. Where $h$ is positive this is a valley; where $h$ is negative, the crest of a hill.

# %% tags=["fold"] name="derivation-step"
# Derivation 1: one step of both runs.
eta, c = sp.symbols("eta c", positive=True)
h, delta = sp.symbols("h delta_0", real=True)
now, other = sp.Symbol(r"\theta_{t-1}", real=True), sp.Symbol(r"\theta'_{t-1}", real=True)
t = sp.Symbol("t", integer=True, positive=True)
ranges = {eta: (0.05, 0.8), h: (-2, 3), c: (0.1, 2)}

def both(eta, h, starts, steps):  # the library's rule from two places; their difference
    a, b = (descend(np.array(float(s)), SGD(float(eta)), lambda theta: h * theta, int(steps))[-1]
            for s in starts)
    return b - a

(
    derive(r"\delta_t", "(b - eta * (h * b)) - (a - eta * (h * a))",
           "a step of each run; the slope is $h\\,\\theta$",
           {"a": now, "b": other, "eta": eta, "h": h}, ranges=ranges)
    .library("SGD(eta)", lambda a, b, eta, h: both(eta, h, (a, b), 1),
             "the library's step, from both places", each=True)
    .equals("(1 - eta * h) * (b - a)",
            "**each step multiplies the difference by the same factor**, wherever the runs are")
)

# %% [markdown] name="derivation-text"
# The second bracket is $\delta_{t-1}$. So after $t$ steps:

# %% tags=["fold"] name="derivation-steps"
# Derivation 2: t steps, and a loss that curves down.
(
    derive(r"\delta_t", "(1 - eta * h)**t * delta", "$t$ times the same factor",
           {"eta": eta, "h": h, "t": t, "delta": delta, "c": c}, ranges=ranges)
    .library("SGD(eta)", lambda eta, h, t, delta: both(eta, h, (0, delta), t),
             "$t$ steps of the library", each=True)
    .put(h, "-c", "(1 + eta * c)**t * delta",
         "**the loss curves down: the difference grows without end**")
)

# %% [markdown] name="cases"
# Four cases, then:
#
# | where | factor $1 - \eta h$ | the difference |
# |---|---|---|
# | on a crest, $h < 0$ | above 1 | grows |
# | on a plain, $h = 0$ | 1 | stays |
# | in a valley, below [the edge](../03_algorithms/03_sgd.ipynb), $0 < \eta h < 2$ | between $-1$ and 1 | dies |
# | in a valley, beyond the edge, $\eta h > 2$ | below $-1$ | grows, and changes its sign in each step |
#
# A model with many weights has a curvature in every direction, and the difference has a part in every direction. One direction with a factor beyond 1 or $-1$ is enough.
#
# ## Play
#
# Most losses curve up at one place and down at another. Here are two valleys with a crest between them, $J = \frac14 \theta^4 - \frac12 \theta^2$. Its curvature is $3\theta^2 - 1$: it is $-1$ on the crest and 2 at the bottom of each valley, so the edge there is the rate 1. Two runs start beside the crest, one millionth apart. Move the learning rate.
#
# 1. At the rate 0.1, why does the difference first grow and then die?
# 2. From which rate of the slider on does it never die?

# %% tags=["fold"] name="play-picture"
# The figure to move: 200 steps of two runs for each learning rate.
def slope_of(theta):
    return theta**3 - theta

def pair(rate, begin=0.02, steps=200):
    return np.array(descend(np.array([begin, begin + 1e-6]), SGD(rate), slope_of, steps))

rates = [0.05, *np.round(np.arange(0.1, 1.91, 0.1), 1).tolist()]
fig, (left, right) = plots.panels(2)
ground = np.linspace(-1.55, 1.55, 201)
left.plot(ground, ground**4 / 4 - ground**2 / 2, color="0.6")
left.set(xlabel=r"$\theta$", ylabel="loss", title="The first run", ylim=(-0.32, 0.35))
right.axhline(1e-6, color="0.4", ls=":")
right.set(xlabel="step", ylabel="difference of the runs (log)", yscale="log", ylim=(1e-17, 10),
          xlim=(0, 200), title="Two runs, at first a millionth apart")

def two_runs(left, right, rate):
    run = pair(rate)
    gap = np.abs(run[:, 1] - run[:, 0])
    left.plot(run[:, 0], run[:, 0] ** 4 / 4 - run[:, 0] ** 2 / 2, "o-", lw=0.6, ms=4)
    right.plot(np.maximum(gap, 1e-17))
    end = "0" if gap[-1] == 0 else f"{gap[-1]:.0e}"
    return (f"Factor on the crest {1 + rate:.2f}, at the bottom of a valley {1 - 2 * rate:.2f}. "
            f"The difference is {gap.max():.0e} at most and {end} after 200 steps.")

plots.moving(
    fig, "learning rate", rates, two_runs, start=0.1,
    alt="Left: a loss with two valleys and a crest between them; a run starts beside the crest "
    "and rolls into the right valley. Right: the difference of two runs on a logarithmic axis. It "
    "grows about twentyfold in 40 steps and then falls.",
)

# %% tags=["fold"] name="play-check"
# The largest difference in all 1000 steps, and in the last 500, for six rates.
ends = {r: np.abs(np.diff(pair(r, steps=1000)))[:, 0] for r in (0.1, 1.0, 1.3, 1.4, 1.8, 1.83)}
for rate, gap in ends.items():
    print(f"rate {rate}: largest {gap.max():.0e}, in steps 500 to 1000 {gap[500:].max():.0e}")
assert ends[0.1].max() > 1e-5 and max(ends[r][500:].max() for r in (0.1, 1.3)) < 1e-11
assert min(ends[r][500:].max() for r in (1.4, 1.8)) > 0.1

# %% [markdown] name="play-reading"
# <details><summary>Answers</summary>
#
# 1. Beside the crest each step multiplies it by 1.1; in the valley by 0.8. The two runs part on the crest and meet again at the bottom.
# 2. From 1.4 on. Above 1 the bottom of a valley is beyond the edge, and a run jumps from side to side. Up to 1.3 both runs end in the same regular jumps, and the difference still dies. (At 1, exactly the edge, it takes thousands of steps.) At the slider's rates from 1.4 on a run finds no rhythm, and the two soon have nothing in common. Between them lie exceptions: at 1.83 it finds a rhythm again, and the difference dies.
#
# </details>
#
# ## In the transformer
#
# Does a difference grow or die there? We nudge the one weight as before, at two lower rates. In a third experiment the rate is low too, but the matrices begin a fifth as large:

# %% name="rates"
one = {"first": (0, as_it_is), "one weight": (2**-23, as_it_is)}
calm = together(AdamW(lr=0.003, beta2=0.95), one)
lower = together(AdamW(lr=0.01, beta2=0.95), one)
small = together(AdamW(lr=0.003, beta2=0.95), one, larger=1)

# %% tags=["fold", "nbval-ignore-output"] name="rates-picture"
# The distance over the steps, for three rates and a smaller beginning.
trails = {"rate 0.003": calm, "rate 0.01": lower, "rate 0.03": single,
          "rate 0.003, small beginning": small}
gaps = {name: apart(trail, 2 if trail is single else 1) for name, trail in trails.items()}
test = {name: on_unseen(trail[-1]) for name, trail in trails.items()}
for name, gap in gaps.items():
    print(f"{name}: distance after 150 steps {spread(gap[150])}, "
          f"loss on unseen text {spread(test[name][:, 0], '.2f')} nats")
ends = {name: np.median(gap[150]) for name, gap in gaps.items()}
assert ends["rate 0.003"] < 1e-3 and ends["rate 0.01"] < 1e-2 * ends["rate 0.03"]
assert min(ends["rate 0.03"], ends["rate 0.003, small beginning"]) > 100 * ends["rate 0.003"]
fig, (ax,) = plots.panels()
plots.draw_lines(ax, np.arange(151), {name: plots.band(gap, 1) for name, gap in gaps.items()},
                 "step", "distance of the two models (log)", "The same nudge in four settings", "y")
ax.set_ylim(5e-8, 1e6)
plots.Picture(
    fig, "Four bands over 150 steps on a logarithmic axis. At the rate 0.003 the distance stays at "
    "some millionths. At 0.01 it climbs slowly, to less than a thousandth. At 0.03 it climbs to "
    "20. At 0.003 with a small beginning it stays low for 20 steps and then climbs by about "
    "four powers of ten.",
)

# %% [markdown] name="rates-reading"
# At the rate 0.003 the nudge is some millionths after 150 steps. At 0.03 it has become two thirds of the way. Nothing else was changed, so here the rate decides.
#
# But a low rate is no shelter. The fourth curve has the rate 0.003 again, and matrices as the library makes them. There the distance ends thousands of times above the first curve. The growth depends on the whole setting. **So test it: change one weight by its last bit, train again, and look.**
#
# Is it the crest or the edge? Neither alone, as the last table of this lesson shows. Beyond the edge the difference would change its sign in each step, and it does not. On a crest the loss would curve down along the difference. In most of the steps with growth it curves up. The four cases hold for one weight, one curvature and plain gradient descent. AdamW in a transformer has none of the three.
#
# ## Which of the two is wrong?
#
# Back to the rate 0.03. For every seed we have three runs that differ in last bits alone. Here is their loss on 10 000 letters that they have not seen:

# %% tags=["fold", "nbval-ignore-output"] name="verdict-picture"
# The loss on unseen text: three runs per seed that differ by last bits.
names = ["nothing changed", "one weight 1.0000001", "rows reversed"]
three = test["rate 0.03"][:, [0, 2, 3]]
fig, (ax,) = plots.panels()
for k, (name, mark) in enumerate(zip(names, "osx", strict=True)):
    ax.plot(np.arange(len(three)) + 0.12 * (k - 1), three[:, k], mark, ms=8, label=name)
ax.set(xticks=range(len(three)), xticklabels=setting.seeds, xlabel="seed",
       ylabel="loss on unseen text (nats)")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
fig.set_size_inches(7.4, 3.4)
inside = np.array([abs(three[:, a] - three[:, b]) for a, b in ((0, 1), (0, 2), (1, 2))])
between = np.array([abs(three[a, 0] - three[b, 0]) for a, b in pairs])
print(f"two runs of one seed differ by {spread(inside, '.3f')} nats")
print(f"two seeds differ by {spread(between, '.3f')} nats")
assert inside.max() > 0.1 * np.median(between) and inside.max() < 0.3
plots.Picture(fig, "Three marks for each of five seeds: the loss on unseen text. Within a seed the "
              "marks lie up to some hundredths of a nat apart, and the seeds somewhat farther.")

# %% [markdown] name="verdict-reading"
# **Neither is wrong.** Two roundings of the same training are two draws, as two seeds are. The roundings differ by hundredths of a nat; two seeds differ by some hundredths more. Nothing makes one of the three the right one.
#
# This has a use. A new idea that lowers the loss of one run by 0.01 nats has shown nothing here: reading the rows backwards can do as much. So train several seeds with and without the idea, and compare the gain with their spread.
#
# ## What to fix
#
# Equal numbers still have their use: to find a bug, to go on after a crash, to check a change of the code that should change nothing. For that, everything that chooses an order or a draw must be fixed:
#
# | what | how |
# |---|---|
# | the draws: first weights, and all that a model draws later | a seed, `torch.manual_seed(seed)` |
# | the batches | a function of seed and step alone, as `data.windows` below |
# | threads | `torch.set_num_threads(1)`; `OMP_NUM_THREADS=1` in the environment, before Python starts, for the other libraries |
# | kernels of a GPU | `torch.use_deterministic_algorithms(True)`: slower, and an error where there is no such kernel. For matrix products also `CUBLAS_WORKSPACE_CONFIG=:4096:8` in the environment |
# | number format, size and cut of the batches | write them down with the run |
# | versions of the packages, device | write them down too |
#
# Two things remain out of reach: another processor and another version of a library. PyTorch promises equal numbers across neither. There, compare with a tolerance.
#
# ### Code
#
# The first call of each lesson, and the batches:

# %% name="source"
show(bridge.start, data.windows)

# %% [markdown] name="source-reading"
# The inner function gets a step and draws with a generator of its own, made from seed and step. It remembers nothing. Is this installation the one that the course was tested with?

# %% tags=["fold-all", "nbval-ignore-output"] name="self-check"
# The versions of the packages, found and tested.
self_check()

# %% [markdown] name="breaks"
# ## What breaks
#
# A training is killed every 10 steps and resumes each time from its saved weights. The weights are right, the optimizer's state is right, the seed is right. But the loader holds *one* generator and draws the next batch from it. After each start it begins anew:

# %% name="loader"
class Loader:  # wrong: what comes next depends on how often it was asked
    def __init__(self, ids, seed):
        self.ids, self.rng = ids, np.random.default_rng(seed)

    def __call__(self, step):
        starts = self.rng.integers(len(self.ids) - 16, size=8)
        tokens = self.ids[starts[:, None] + np.arange(17)]
        return data.Batch(tokens[:, :-1], tokens[:, 1:], np.ones((8, 16), np.float32))

def restarted(stream, t):  # what is read if it begins anew every 10 steps
    return stream(t % 10)

again = together(AdamW(lr=0.003, beta2=0.95), {"restarted": (0, restarted)})

# %% [markdown] name="breaks-text"
# So the first 10 batches come again and again. The last line trains such a run for each seed, at the rate 0.003. The pictures set the right run beside it:

# %% tags=["fold", "nbval-ignore-output"] name="breaks-picture"
# Which batch is read in which step; the loss on what was read last, and on unseen text.
def on_read(trail, feed, last=30):  # the mean loss of the last batches, before each step
    found = []
    for s, stream in enumerate(streams):
        at = trail[-last - 1 : -1, s, 0]
        batches = [feed(stream, t) for t in range(150 - last, 150)]
        x, y = (torch.from_numpy(np.stack([b[i] for b in batches])) for i in (0, 1))
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
            found.append(vmap(losses)(at, x, y).mean().item())
    return np.array(found)

read = {"right": on_read(calm, as_it_is), "restarted": on_read(again, restarted)}
fresh = {"right": test["rate 0.003"][:, 0], "restarted": on_unseen(again[-1])[:, 0]}
fig, (ax, over) = plots.panels(2)
at = np.arange(150)
ax.plot(at, at, ".", ms=3, label="right")
ax.plot(at, at % 10, "x", ms=3, label="restarted loader")
ax.set(xlabel="step", ylabel="number of the batch that is read", title="What is read")
ax.legend()
for k, (name, hatch) in enumerate(zip(read, ("", "//"), strict=True)):
    low, middle, high = np.array([plots.band(v[name]) for v in (read, fresh)]).T
    over.bar(np.arange(2) + 0.4 * k - 0.2, middle, 0.38, hatch=hatch, label=name,
             yerr=[middle - low, high - middle], capsize=4)
over.set(xticks=[0, 1], xticklabels=["the batches it reads", "unseen text"], ylim=(0, 3.6),
         ylabel="loss after 120 to 150 steps (nats)", title="What is learned")
over.legend()
for name in read:
    print(f"{name}: loss on its batches {spread(read[name], '.2f')}, "
          f"on unseen text {spread(fresh[name], '.2f')}")
assert (read["right"] - read["restarted"]).min() > 0.2
assert (fresh["restarted"] - fresh["right"]).min() > 0.1
plots.Picture(fig, "Left: the right run reads batch 0 to 149 in a straight line; the restarted one "
              "reads batches 0 to 9 fifteen times, a saw. Right: on the batches that it reads the "
              "restarted run has the lower loss, on unseen text the higher one.")

# %% [markdown] name="breaks-reading"
# **The signature: the training loss looks better, and the loss on unseen text is worse.** No error appears. The run has seen 10 batches 15 times each, and 140 batches never.
#
# ### The cure, and its test
#
# A **checkpoint** is a file with all that the next step depends on. Make the batch a function of seed and step. If the model itself draws nothing, the file then needs only the weights, the optimizer's state and the number of the step. The test takes a minute, and each training program deserves it: train without a break, train with a break, and compare to the last bit.

# %% name="resume"
recipe = Recipe(steps=60, warmup=5, save_every=20)

def killed(step, model):
    if step == 45:
        raise KeyboardInterrupt

def with_break(batches, path):
    try:
        train(model_of(seed), batches(), recipe, checkpoint=Checkpoint(path), watch=killed)
    except KeyboardInterrupt:
        model = model_of(seed + 1)  # other weights: the file has the right ones
        return train(model, batches(), recipe, checkpoint=Checkpoint(path)), model

# %% tags=["fold", "nbval-ignore-output"] name="resume-table"
# Without a break, twice; with a break, with either kind of batches.
def windows():
    return data.windows(ids, 16, 8, seed)

def loader():
    return Loader(ids, seed)

rows, log = [], {}
with tempfile.TemporaryDirectory() as folder:
    for name, batches in (("function of seed and step", windows), ("loader with a state", loader)):
        models = [model_of(seed) for _ in range(2)]
        through = [train(m, batches(), recipe, checkpoint=Checkpoint(Path(folder, f"{name}{i}")))
                   for i, m in enumerate(models)]
        log[name], model = with_break(batches, Path(folder, name))
        gap = [(flat(models[0]) - flat(m)).abs().max().item() for m in (models[1], model)]
        same = [a == b for a, b in zip(through[0].loss, log[name].loss, strict=True)]
        rows.append([name, f"{gap[0]:.2g}", f"{gap[1]:.2g}",
                     "none" if all(same) else str(same.index(False))])
        log[name] = through[0].loss, log[name].loss
assert rows[0][1:] == ["0", "0", "none"] and rows[1][1] == "0" and rows[1][3] == "40"
Table(["batches", "two runs without a break", "without and with a break", "losses part in step"],
      rows, "Largest difference of a weight after 60 steps. Killed in step 45, saved after 40.")

# %% [markdown] name="exercises"
# With the function of seed and step the broken run and the unbroken one agree to the last bit: the largest difference is 0. With the loader the losses part in step 40, the first one after the saved step. A test without a break finds nothing: both kinds repeat themselves.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. How long does a last bit stay small? (4 minutes, easy)
# Two runs of gradient descent are `delta` apart in a direction with the curvature `h`, and the rate is `eta`. Here $|1 - \eta h|$ is larger than 1. After how many steps is the difference at least 1 for the first time, or at most $-1$? Return a whole number.

# %% name="exercise-steps"
def until_apart(delta, eta, h):
    ### BEGIN SOLUTION
    return np.ceil(np.log(1 / delta) / np.log(abs(1 - eta * h)))
    ### END SOLUTION

# %% name="check-steps"
check("until_apart")

# %% [markdown] name="exercise-rows-text"
# <details><summary>Hint 1</summary>After t steps the size of the difference is |1 − ηh| to the power t, times delta. Set it to 1 and solve for t.</details>
# <details><summary>Hint 2</summary>The logarithm of a power is t times a logarithm.</details>
# <details><summary>What it means (after solving)</summary>At a growth of 5 per cent a step, 1e-7 becomes 1 after 331 steps. In float64 the last bit is 2e-16, and it takes 741: twice as many digits buy about twice as many steps, no more.</details>
#
# ### 2. A batch function without a memory (7 minutes, medium)
# A set has `n` examples. Each pass reads all of them in an order of its own, `rows` at a time; a rest that fills no batch is left out. The order of pass $k = 0, 1, \dots$ is `np.random.default_rng([seed, k]).permutation(n)`. Return the numbers of the examples that step `step` reads; steps count from 0.

# %% name="exercise-rows"
def rows_of(n, rows, seed, step):
    ### BEGIN SOLUTION
    k, place = divmod(step, n // rows)
    order = np.random.default_rng([seed, k]).permutation(n)
    return order[place * rows : (place + 1) * rows]
    ### END SOLUTION

# %% name="check-rows"
check("rows_of")

# %% [markdown] name="exercise-part-text"
# <details><summary>Hint 1</summary>How many batches has a pass? Which pass is it, and which batch of the pass?</details>
# <details><summary>Hint 2</summary>divmod(step, batches per pass) gives both.</details>
#
# ### 3. Where do two logs part? (5 minutes, medium)
# `a` and `b` hold the losses of two runs, step after step, equally many. Return the number of the first step in which they are not exactly equal, and their length if there is none. Two NaN count as equal. Then run `parted(*log["loader with a state"])` and find out what happened in that step.

# %% name="exercise-part"
def parted(a, b):
    ### BEGIN SOLUTION
    a, b = np.asarray(a), np.asarray(b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return len(a) if same.all() else int(np.argmin(same))
    ### END SOLUTION

# %% name="check-part"
check("parted")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>np.argmin of an array of True and False is the place of the first False.</details>
# <details><summary>Hint 2</summary>If all are True, argmin says 0: treat that case first. NaN == NaN is False.</details>
# <details><summary>What it means (after solving)</summary>It says 40: the step at which the killed run went on. Logs that part exactly at a resume point to what was not saved.</details>
#
# ## Takeaways
#
# - A sum in floating point depends on its order. Threads, batch cuts and kernels choose the order. Some trainings make another model of the last bit: nudge one weight to see whether yours does.
# - Let batches be a function of seed and step, and test once that a broken run equals an unbroken one to the last bit.
# - Do not chase equal digits across machines or versions. Report the spread over seeds. One run that is better by less than this spread has shown nothing.
#
# ## Does it hold?
#
# **Other last bits.** A reversed batch changes no weight at the start, only the rounding of each gradient. **More digits.** In float64 the last bit of the weight is $2 \cdot 10^{-16}$:

# %% tags=["fold", "nbval-ignore-output"] name="control"
# The rate 0.03 with rows reversed, and in float64 from its own last bit.
double = together(AdamW(lr=0.03, beta2=0.95), one | {"one weight": (2**-52, as_it_is)},
                  dtype=torch.float64)
cases = {"float32, one weight": bit, "float32, rows reversed": apart(single, 3),
         "float64, one weight": apart(double, 1)}
assert cases["float32, rows reversed"][150].max() > 0.3
fine = cases["float64, one weight"]
assert np.median(fine[40]) < 1e-4 * np.median(bit[40]) and np.median(fine[150]) > 1e4 * 2**-52
Table(["last bit of", *(f"distance after {t} steps" for t in (20, 40, 80, 150))],
      [[name, *(spread(gap[t]) for t in (20, 40, 80, 150))]
       for name, gap in cases.items()])

# %% [markdown] name="control-rate-text"
# Reversed rows do what the nudged weight does. Float64 delays the climb and does not prevent it: it begins nine powers of ten lower. So the growth is no fault of float32.
#
# **A crest or the edge?** Take the difference as an arrow, after each step and after the step before. The cosine of the angle between the two is 1 if the arrow kept its direction and $-1$ if it turned round, as it would beyond the edge. The loss of the batch curves down along the arrow if $(g' - g) \cdot \delta_t$ is negative. Here $g'$ and $g$ are the gradients of the two runs. We take the steps in which the difference grew by more than 2 per cent; the last column looks at every third step:

# %% tags=["fold", "nbval-ignore-output"] name="control-sign"
# Where the difference grew: does it keep its direction, and does the loss curve down along it?
def curves_down(both, delta, t):  # on the batch of step t, in float64, between the two runs
    x, y = (torch.from_numpy(np.stack([stream(t)[i] for stream in streams])) for i in (0, 1))
    with sdpa_kernel(SDPBackend.MATH):
        first, other = (slope(both[:, k].double(), x, y) for k in (0, 1))
    return ((other - first) * delta).sum(dim=-1).numpy() < 0

rows = []
for name, k, last in (("rate 0.03", 2, 60), ("rate 0.003, small beginning", 1, 150)):
    both = trails[name][: last + 1][:, :, [0, k]]
    delta = (both[:, :, 1] - both[:, :, 0]).double()
    grew = gaps[name][1 : last + 1] > 1.02 * gaps[name][:last]  # in the step from t to t + 1
    turn = torch.cosine_similarity(delta[1:], delta[:-1], dim=-1).numpy()[grew]
    below = int((turn < 0).sum())
    down = np.concatenate([curves_down(both[t], delta[t], t)[grew[t]] for t in range(1, last, 3)])
    rows.append([f"{name}, up to step {last}", spread(turn, ".2f"), f"{below} of {len(turn)}",
                 f"{down.sum()} of {len(down)}"])
    assert np.median(turn) > 0.5 and (turn < 0).mean() < 0.1 and len(turn) > 100
    assert 0.05 < down.mean() < 0.7 and len(down) > 30
Table(["setting", "cosine", "cosine below 0", "curves down along the arrow"], rows)

# %% [markdown] name="sources"
# The arrow keeps its direction in nearly every step: this is not the edge. The loss curves down along it in fewer than half of the steps: the crest is not the whole cause.
#
# ## Sources
#
# - D. Goldberg, 1991: *What every computer scientist should know about floating-point arithmetic*, ACM Computing Surveys.
# - C. Summers and M. J. Dinneen, 2021: *Nondeterminism and instability in neural network optimization*, ICML, arXiv 2103.04514. They change one bit at the beginning, and find models about as different as from any other source of chance.
# - PyTorch: *Reproducibility*, a page of its documentation. It promises no equal results across releases or platforms, and lists what can be fixed.
