# ---
# jupyter:
#   lesson:
#     title: "What does your curve say?"
#     question: "Three losses lie flat at 2.30. One run needs a larger learning rate, one a smaller one, and one only patience. Which is which?"
#     minutes: 35
#     needs: [03_algorithms/02_cross_entropy, 03_algorithms/03_sgd, 03_algorithms/19_fields, 04_mathematics/03_the_floor_of_cross_entropy, 04_mathematics/04_the_bowl_under_softmax]
#     settles: []
#     studies: [optim.SGD]
#     terms: [dead unit]
# ---

# %% [markdown] name="title"
# # What does your curve say?
#
# **Goal.** Find the curve that looks like yours, and be led to its cause, to the test that proves it, and to the cure.
#
# **The question.** Three networks learn the ten digits. In the first 100 steps all three losses lie at 2.30, the price of a guess among ten. One run needs a larger learning rate, one a smaller one, and one only patience. Which is which?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: imports, and the digits, split and shuffled anew for every seed.
from types import SimpleNamespace

import numpy as np
import sympy as sp
from sklearn.datasets import load_digits

from lessons_lib import bridge, exercises, plots
from lessons_lib.core import Loss
from lessons_lib.derive import derive
from lessons_lib.landscapes import quadratic
from lessons_lib.losses import cross_entropy
from lessons_lib.optim import SGD, descend
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("09_faq/02_what_does_your_curve_say")
S = len(setting.seeds)
rng = np.random.default_rng(seed + 1000)
pixels, digit = load_digits(return_X_y=True)
pixels = pixels / 16  # from 0 to 1
mixed = np.array([np.random.default_rng(s).permutation(len(digit)) for s in setting.seeds])
x, x_test = pixels[mixed[:, :1258]], pixels[mixed[:, 1258:]]  # (seeds, examples, 64)
y, y_test = digit[mixed[:, :1258]], digit[mixed[:, 1258:]]
each = np.arange(S)[:, None]

def spread(values, form=".2f"):  # median (lowest to highest) over the seeds
    low, middle, high = (format(v, form) for v in plots.band(values))
    return middle if low == high else f"{middle} ({low} to {high})"

# %% tags=["fold"] name="network"
# One hidden layer of 32 units; all seeds are trained at once, on the first axis.
def start(inputs=64, classes=10, body=1.0, head=0.0):  # weights and biases of the two layers
    draw = np.random.default_rng(seed + 99)
    first = body * draw.normal(size=(S, inputs, 32)) * (2 / inputs) ** 0.5
    last = head * draw.normal(size=(S, 32, classes)) / 32**0.5
    return [first, np.zeros((S, 1, 32)), last, np.zeros((S, 1, classes))]

def forward(theta, x):  # the hidden units, and the logits
    hidden = np.maximum(x @ theta[0] + theta[1], 0)
    return hidden, hidden @ theta[2] + theta[3]

def gradient(theta, x, y, loss=cross_entropy):  # mean loss, its four gradients, the logits
    hidden, z = forward(theta, x)
    found = loss(z, y)
    pull = found.grad / x.shape[1]
    back = (pull @ theta[2].mT) * (hidden > 0)
    return found.value.mean(1), [x.mT @ back, back.sum(1, keepdims=True), hidden.mT @ pull,
                                 pull.sum(1, keepdims=True)], z

def rows_of(n, batch, steps):  # which examples each step sees: every epoch in a new order
    draw, size = np.random.default_rng(seed + 7), n // batch
    for _ in range(-(-steps // size)):
        order = np.array([draw.permutation(n) for _ in range(S)])
        yield from np.split(order[:, : size * batch], size, 1)

def cosine(a, b):  # of two gradients, for every seed
    return (a * b).sum(1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-30)

# %% tags=["fold"] name="train"
# The training: gradient descent with batches, and what it notes at each step.
def train(x=x, y=y, lr=0.3, batch=64, steps=200, begin=None, test=(x_test, y_test),
          loss=cross_entropy, touch=None):
    theta, rule, notes, late = begin or start(), SGD(lr), [], []
    state, before = rule.init(theta[0]), None
    for t, rows in zip(range(steps), rows_of(x.shape[1], batch, steps), strict=False):
        labels = y[each, rows] if touch is None else touch(t, y[each, rows])
        value, parts, z = gradient(theta, x[each, rows], labels, loss)
        now = np.concatenate([p.reshape(S, -1) for p in parts], 1)
        turn = np.full(S, np.nan) if before is None else cosine(before, now)
        notes.append([value, turn, np.linalg.norm(now, axis=1),
                      np.linalg.norm(parts[2], axis=(1, 2)), z.max((1, 2))])
        if t % 5 == 0:
            guess = forward(theta, test[0])[1]
            late.append([cross_entropy(guess, test[1]).value.mean(1),
                         (guess.argmax(2) == test[1]).mean(1)])
        before = now
        theta = [rule.update(p, g, state)[0] for p, g in zip(theta, parts, strict=True)]
    notes, late = (np.swapaxes(np.array(a), 0, 1) for a in (notes, late))
    names = ("loss", "cosine", "norm", "head_norm", "top")
    return SimpleNamespace(**dict(zip(names, notes, strict=True)), valid=late[0], accuracy=late[1],
                           theta=theta, hidden=forward(theta, x)[0], lr=lr, batch=batch)

# %% tags=["fold", "nbval-ignore-output"] name="question-picture"
# Three runs, logged every fiftieth step.
slow = train(lr=0.003)
dead = train(lr=3.0)
patient = train(begin=start(body=0.001, head=0.001))
fig, (ax,) = plots.panels()
at = np.arange(0, 101, 50)
for run, label, mark in ((slow, "run A", "o-"), (dead, "run B", "s--"), (patient, "run C", "^-.")):
    ax.plot(at, run.loss[at, 0], mark, label=label)
ax.set(xlabel="step", ylabel="training loss (nats)", ylim=(0, 3))
ax.legend(loc="lower left")
for run in (slow, dead, patient):
    assert np.median(abs(run.loss[at] - np.log(10))) < 0.5
plots.Picture(fig, "Three lines with markers lie on each other at 2.3 for 100 steps.")

# %% [markdown] name="question-reading"
# The loss is logged every 50 steps, and you cannot see it. The learning rate of one of them is a thousand times that of another, and the curves are the same. **A curve names a family of causes. Only a test names the cause.**
#
# This page has twelve sick curves in six families. Each is a real training with one thing made wrong. The data are scikit-learn's handwritten digits (UCI, CC BY 4.0), with pixels from 0 to 1. The network has one [hidden layer](../04_mathematics/04_the_bowl_under_softmax.ipynb) of 32 units that cut off at 0 (ReLU). The healthy setting is gradient descent with rate 0.3 and batches of 64. Five seeds draw the split and the start; ranges run over them.
#
# ## The twelve
#
# The solid line is the training loss, the dotted one the loss on held-out digits. One colour is one family. Which one is yours?

# %% tags=["fold"] name="make"
# What is made wrong in each case, and the same training with it put right.
def half(z, y):  # softmax without subtracting the largest logit, in 16 bits
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(z.astype(np.float16)).astype(float)
        p = e / e.sum(-1, keepdims=True)
        own = np.take_along_axis(p, y[..., None], -1)
        return Loss(-np.log(own)[..., 0], p - (np.arange(z.shape[-1]) == y[..., None]))

def noisy(labels, share=0.2):  # this share of the labels is drawn at random
    return np.where(rng.random(labels.shape) < share, rng.integers(0, 10, labels.shape), labels)

def fine(detail, draw=None):  # 1000 waves over the pixels; the finer, the less two pictures share
    draw = np.random.default_rng(seed + 3)
    wave, shift = detail * draw.normal(size=(64, 1000)), draw.uniform(0, 2 * np.pi, 1000)
    return [0.3 * np.cos(part @ wave + shift) for part in (x[:, :640], x_test)]

def shifted(t, labels):  # one batch has the labels of another
    return (labels + 1) % 10 if t == 120 else labels

shuffle = np.array([rng.permutation(1258) for _ in range(S)])
eight, eight_test = (y == 8).astype(int), (y_test == 8).astype(int)
pair = dict(begin=start(classes=2), test=(x_test, eight_test))
y_noisy, y_test_noisy = noisy(y), noisy(y_test)
inside, inside_y = x[:, :200], y_noisy[:, :200]
exam = inside[:, :100], inside_y[:, :100]  # the examples that judge
(waves, waves_test), (broad, broad_test) = fine(2.0), fine(0.5)
wide = start(1000, body=3.0)

sick = {
    1: train(loss=half, steps=300), 2: slow, 3: dead, 4: patient,
    5: train(lr=1.0, batch=1258, steps=60), 6: train(batch=4),
    7: train(waves, y[:, :640], batch=16, begin=wide, test=(waves_test, y_test)),
    8: train(touch=shifted), 9: train(y=eight[each, shuffle], **pair),
    10: train(x[:, :100], y_noisy[:, :100], batch=20, steps=400, test=(x_test, y_test_noisy)),
    11: train(begin=start(head=5.0)), 12: train(inside, inside_y, 0.5, 20, 500, test=exam),
}
healthy = train()
cured = {
    1: train(steps=300), 2: healthy, 3: healthy, 4: train(begin=start(head=1.0)),
    5: train(batch=1258, steps=60), 6: healthy,
    7: train(broad, y[:, :640], 0.1, 16, begin=wide, test=(broad_test, y_test)),
    8: healthy, 9: train(y=eight, **pair),
    10: train(y=y_noisy, steps=400, test=(x_test, y_test_noisy)),
    11: healthy, 12: train(x[:, 200:400], y_noisy[:, 200:400], 0.5, 20, 500, test=exam),
}

# %% tags=["fold"] name="atlas-words"
# For each case: what one sees, the cause, the test, the cure.
looks = {
    1: "NaN", 2: "flat: crawls", 3: "flat: for ever", 4: "flat, then falls",
    5: "oscillates: waves", 6: "oscillates: jitter", 7: "staircase", 8: "spike",
    9: "falls, accuracy does not", 10: "held-out loss rises", 11: "starts too high",
    12: "below its floor",
}
causes = {
    1: "exp of a logit overflows in 16 bits", 2: "learning rate far too small",
    3: "learning rate far too large, all units dead", 4: "weights start too small",
    5: "learning rate too near the edge", 6: "batch too small",
    7: "each example learned by heart, once per epoch", 8: "one batch with wrong labels",
    9: "inputs and labels shuffled apart", 10: "too few examples, learned by heart",
    11: "head starts too large", 12: "test examples in the training set",
}
cures = {
    1: "loss from logits, largest one subtracted", 2: "rate times 100",
    3: "rate a tenth, start anew", 4: "larger start, or patience", 5: "smaller rate",
    6: "larger batch, or let the rate fall", 7: "coarser features", 8: "mend or skip the batch",
    9: "one permutation for both", 10: "more examples, or stop early", 11: "head starts at 0",
    12: "take them out, judge anew",
}
tests = {
    1: "largest logit at the first NaN (cured: at all)",
    2: "head's gradient, step 40 over step 0; loss at the end",
    3: "share of dead units", 4: "head's gradient, step 40 over step 0",
    5: "cosine of successive gradients", 6: "the same cosine; spread of the last 50 losses",
    7: "share of the fall at the borders of epochs",
    8: "gradient norm of the batch over the median",
    9: "loss on held-out digits over the entropy of the label",
    10: "held-out loss: last over lowest",
    11: "first loss minus log 10", 12: "share of test examples found in the training set",
}

# %% tags=["fold"] name="atlas-picture"
# The twelve curves as small pictures, first seed.
families = ["NaN", "flat", "flat", "flat", "oscillates", "oscillates", "jumps", "jumps",
            "falls, but", "falls, but", "wrong height", "wrong height"]
tint = dict(zip(dict.fromkeys(families), ("#b2187b", "#0072b2", "#008060", "#d55e00", "#8a6d00",
                                                "#5b3f9e"), strict=True))

own = 1 - 0.2 + 0.2 / 10  # the true label's probability when 20 % are drawn at random
floor = -own * np.log(own) - (1 - own) * np.log((1 - own) / 9)

def curves(ax, run, color, thin=1):
    n = len(run.loss)
    ax.plot(100 * np.arange(n)[::thin] / n, run.loss[::thin, 0], color=color, lw=1.5)
    with np.errstate(invalid="ignore"):
        ax.plot(500 * np.arange(len(run.valid))[::thin] / n, run.valid[::thin, 0], ":",
                color="0.2", lw=1.5)
    if np.isnan(run.loss[-1, 0]):
        last = int(np.isnan(run.loss[:, 0]).argmax()) - 1
        ax.plot(100 * last / n, run.loss[last, 0], "x", color=color, ms=10, mew=3)

fig, axes = plots.panels(12)
fig.clear()
fig.set_size_inches(7.6, 6)
grid = fig.subplots(3, 4, sharex=True, sharey=True).flat
for k, ax in enumerate(grid, 1):
    curves(ax, sick[k], tint[families[k - 1]])
    ax.set_title(f"{k}. {looks[k]}", fontsize=8)
    ax.set_ylim(0, 5)
    if k == 12:
        ax.axhline(floor, color="0.4", ls="--", lw=1)
        ax.text(100, floor + 0.1, "floor", ha="right", fontsize=9)
    if k > 8:
        ax.set_xlabel("share of the training (%)", fontsize=9)
    if k % 4 == 1:
        ax.set_ylabel("loss (nats)", fontsize=9)
plots.Picture(fig, "Twelve small training curves. 1 falls and ends in a cross. 2 and 3 lie flat. "
              "4 lies flat and falls late. 5 falls in waves, 6 jitters. 7 falls in steps, and the "
              "held-out loss stays up. 8 has one spike. 9 falls to 0.3. In 10 the held-out loss "
              "rises. 11 starts above 4. In 12 both losses fall to nearly 0.")

# %% tags=["fold"] name="readings"
# Each test, run on the sick training and on the cured one.
def dead_share(run):  # units that are 0 for every example
    return (run.hidden.max(1) == 0).mean(1)

def top(run):  # the largest logit at the first NaN, or of the whole run
    bad = np.isnan(run.loss)
    return np.where(bad.any(0), run.top[bad.argmax(0), np.arange(S)], run.top.max(0))

def growth(run):
    return run.head_norm[40] / run.head_norm[0]

def turns(run, first=20):
    return np.nanmean(run.cosine[first:], 0)

def at_borders(run):  # of 5 epochs of 40 steps
    parts = run.loss.reshape(5, 4, 10, S).mean(2)  # (epoch, quarter, seed)
    return (parts[:-1, -1] - parts[1:, 0]).sum(0) / (parts[0, 0] - parts[-1, -1])

def found_in(train_x, test_x):
    return np.array([np.mean([(row == a).all(1).any() for row in b])
                     for a, b in zip(train_x, test_x, strict=True)])

def entropy(labels):
    f = labels.mean(1)
    return -f * np.log(f) - (1 - f) * np.log(1 - f)

read = {
    1: top, 2: growth, 3: dead_share, 4: growth, 5: turns, 6: turns, 7: at_borders,
    8: lambda run: run.norm[120] / np.median(run.norm[80:160], 0),
    9: lambda run: run.valid[-8:].mean(0) / entropy(eight_test),
    10: lambda run: run.valid[-1] / run.valid.min(0),
    11: lambda run: run.loss[0] - np.log(10),
    12: lambda run: found_in(inside if run is sick[12] else x[:, 200:400], exam[0]),
}
form = {k: ".0%" if k in (3, 7, 12) else ".1f" if k in (1, 4, 8) else ".2f" for k in sick}
values = {k: (read[k](sick[k]), read[k](cured[k])) for k in sick}
shown = {k: [spread(v, form[k]) for v in pair] for k, pair in values.items()}
wobble = [run.loss[-50:].std(0) for run in (sick[6], cured[6])]
shown[6] = [f"{a}; spread {spread(b)}" for a, b in zip(shown[6], wobble, strict=True)]
final = [run.loss[-20:].mean(0) for run in (sick[2], cured[2])]
shown[2] = [f"{a}; last loss {spread(b)}" for a, b in zip(shown[2], final, strict=True)]
assert (wobble[0] > 3 * wobble[1]).all() and (final[0] > 5 * final[1]).all()
low = {k: v[0].min() for k, v in values.items()}
high = {k: v[1].max() for k, v in values.items()}
assert low[3] > 0.5 and high[3] < 0.3 and low[4] > 2.8 and high[4] < 2.4
assert low[7] > 1.2 * high[7] and low[8] > 2.5 and high[9] < 0.7 and low[9] > 0.7
assert low[10] > 1.05 and high[10] < 1.5 and low[11] > 0.3 and low[12] == 1

# %% tags=["fold", "nbval-ignore-output"] name="atlas-table"
# The atlas in words.
print(f"case 9: accuracy {spread(sick[9].accuracy[-1], '.0%')}; "
      f"floor of case 12: {floor:.2f} nats")
Table(["curve", "cause", "test", "sick", "cured", "cure"],
      [[f"{k}. {looks[k]}", causes[k], tests[k], *shown[k], cures[k]] for k in sick],
      "Median, and lowest to highest of the seeds.")

# %% [markdown] name="atlas-reading"
# *Sick* is the number that the test gives for the sick run, *cured* after only the cause has been put right. Cases 2 and 6 have two numbers: the first parts them from their namesakes, the second shows that the cure works.
#
# The twelve curves have namesakes, and the tests part them:
#
# - **Flat (2, 3, 4).** Look at the gradient of the head's weights. In run A (case 2) it stays as it was: the road goes down, and the steps are tiny. In run C (case 4) it grows from step to step: wait. In run B (case 3) it dies with the units. A **dead unit** is a hidden unit that gives 0 for every example. It has no slope, so no rate can wake it. The one overlong step that killed it fell between two points of the picture.
# - **Oscillates (5, 6).** Two gradients in a row point against each other in case 5, and nearer to right angles in case 6. The derivation below says why.
# - **NaN (1).** The loss before the NaN is healthy, and with the NaN the largest logit has passed 11.09. In 16 bits $e^z$ is infinite from there on. If the loss explodes *before* the NaN, it is the [edge](../03_algorithms/03_sgd.ipynb) instead.
# - **Jumps (7, 8).** Stairs as long as an epoch come from memory: the loss falls where the network sees an example again. A spike that comes once comes from its batch.
# - **Falls, but (9, 10).** In case 9 the loss ends at the [entropy](../04_mathematics/03_the_floor_of_cross_entropy.ipynb) of the label. The network has learned how frequent eights are, and nothing about pictures. It never says "eight", and is right in about 90 % of the cases.
# - **Wrong height (11, 12).** Know the [first loss](../03_algorithms/19_fields.ipynb) before you start. In case 12 a fifth of the labels are drawn at random. No network can foresee those, so a held-out loss under 0.87 is too good to be true.
#
# ## Pick yours
#
# Choose a curve, look for the cause, then go one further: the second picture of each number shows the cause, the test and the cure.

# %% tags=["fold", "nbval-ignore-output"] name="pick"
# Each curve twice: sick alone, and with the cured run.
fig, (ax, right) = plots.panels(2)
ax.set(xlabel="share of the training (%)", ylabel="loss (nats)", ylim=(0, 5), xlim=(-3, 103))
right.set(xlabel="share of the training (%)", ylabel="accuracy on held-out digits (%)",
          ylim=(-3, 103), xlim=(-3, 103))
ax.plot([], [], color="C3", label="sick: training")
ax.plot([], [], ":", color="0.2", label="sick: held-out")
ax.plot([], [], "--", color="C0", label="cured: training")
ax.legend(loc="upper right")

def pick(ax, right, name):
    k, told = int(name.split()[0]), name.endswith("told")
    curves(ax, sick[k], "C3", max(1, len(sick[k].loss) // 80))
    for run, line in ((sick[k], "C3-"), (cured[k], "C0--")):
        n = len(run.loss)
        if told or run is sick[k]:
            right.plot(1000 * np.arange(len(run.accuracy[::2])) / n,
                       100 * run.accuracy[::2, 0], line)
    if not told:
        return f"Curve {k}, {looks[k]}. {len(sick[k].loss)} steps. What is the cause?"
    n, thin = len(cured[k].loss), max(1, len(cured[k].loss) // 80)
    ax.plot(100 * np.arange(n)[::thin] / n, cured[k].loss[::thin, 0], "C0--", lw=1.2)
    return (f"Cause: {causes[k]}. Test: {tests[k]}: {shown[k][0]}; cured: {shown[k][1]}. "
            f"Cure: {cures[k]}.")

plots.moving(
    fig, "curve", [f"{k}{end}" for k in sick for end in ("", " told")], pick, start="3 told",
    alt="Left, the loss of case 3 stays at 2.3 while the cured run falls to nearly 0. Right, its "
    "accuracy stays near 10 per cent while that of the cured run rises above 90 per cent.",
)

# %% [markdown] name="tree-text"
# Which sick runs end with an accuracy above 90 per cent? And in which does the accuracy fall back to chance though the loss was healthy?
#
# ## The tree
#
# The same as a tree, and one more NaN. Start on the left with what you see, read one number, and end at the cause:

# %% tags=["fold"] name="tree"
# From what is seen, over the test, to the cause.
branches = {
    "NaN": [("loss was healthy before", 1), ("loss exploded before", 0)],
    "flat": [("head's gradient: constant", 2), ("all units dead", 3),
             ("head's gradient: grows", 4)],
    "oscillates": [("cosine near -1", 5), ("cosine near 0", 6)],
    "jumps": [("once an epoch, down", 7), ("once, up", 8)],
    "falls, but": [("ends at the label's entropy", 9), ("held-out loss rises", 10)],
    "wrong height": [("first loss above log C", 11), ("held-out loss below floor", 12)],
}
ends = causes | {0: "learning rate past the edge"}
fig, (ax,) = plots.panels()
fig.set_size_inches(8, 5)
ax.set(xlim=(0, 10), ylim=(12.5, -0.5))
ax.axis("off")
row = 0
for name, leaves in branches.items():
    color, middle = tint[name], row + (len(leaves) - 1) / 2
    for told, k in leaves:
        ax.plot([0.9, 1.65], [middle, row], color=color, lw=1.5)
        ax.plot([4.35, 4.8], [row, row], color=color, lw=1.5)
        ax.text(1.7, row, told, va="center", fontsize=9)
        ax.text(4.9, row, f"{k}. {ends[k]}" if k else ends[k], va="center", fontsize=9)
        row += 1
    ax.text(0, middle, name, va="center", fontsize=10, fontweight="bold",
            bbox={"boxstyle": "round", "fc": "white", "ec": color, "lw": 2})
plots.Picture(fig, "A tree from left to right. Six boxes: NaN, flat, oscillates, jumps, falls "
              "but, wrong height. Lines lead to a reading each, and from there to thirteen causes.")

# %% [markdown] name="idea"
# ## Waves and jitter, drawn
#
# Cases 5 and 6 look alike, so let us see what they do. A bowl of two directions, with curvatures 1 and 12, stands for the loss:

# %% tags=["fold"] name="bowl-picture"
# One bowl, two trails that never come to rest.
bowl = quadratic(1.0, 12.0)
draw = np.random.default_rng(0)

def noisy_slope(theta):
    return bowl.gradient(theta) + 1.5 * draw.normal(size=2)

begin = np.array([-1.8, 0.6])
trails = {"rate at the edge": descend(begin, SGD(0.163), bowl.gradient, 25),
          "noise": descend(begin, SGD(0.03), noisy_slope, 120)}
fig, axes = plots.panels(2)
fig.set_size_inches(7.6, 3.1)
for ax, (name, trail) in zip(axes, trails.items(), strict=True):
    plots.draw_contours(ax, bowl, ((-2.2, 2.2), (-1, 1)), name)
    plots.draw_trails(ax, {name: trail})
    ax.grid(False)
    ax.set(xlabel="along the valley")
    ax.set(ylabel="across the valley")
plots.Picture(fig, "Two maps of a long valley. Left, the trail jumps from one wall to the other "
              "at each step. Right, it wanders down and stays as a cloud around the bottom.")

# %% [markdown] name="derivation-text"
# On the left each step jumps across the valley, so the next gradient points back. On the right the gradient is mostly noise, and each step draws it anew. So let us multiply each gradient by the one before.
#
# ## Derivation: what two gradients in a row tell
#
# Take one direction with curvature $h$, and $\theta$ as the distance from the bottom. A step sees the gradient $g = h\theta + \varepsilon$. Its noise $\varepsilon$ has mean 0 and variance $\sigma^2$, and is drawn anew each time. The step is $\theta' = \theta - \eta g$, and the next gradient is $g' = h\theta' + \varepsilon'$. After many steps the variance of $\theta$ settles at $V = \eta\sigma^2 / (h(2 - \eta h))$, the [noise ball](../03_algorithms/03_sgd.ipynb). What is the mean $C$ of the product $g\,g'$?

# %% tags=["fold"] name="derivation"
# The mean product of two gradients in a row, tied to the library's step.
eta, h, sigma, V = sp.symbols("eta h sigma V", positive=True)
names, ball = {"eta": eta, "h": h, "sigma": sigma, "V": V}, "eta * sigma**2 / (h * (2 - eta*h))"

def products(rng, size, eta, h, sigma):  # g g', with theta from the noise ball
    settled = eta * sigma**2 / (h * (2 - eta * h))
    theta = settled**0.5 * rng.normal(size=size)
    g = h * theta + sigma * rng.normal(size=size)
    rule = SGD(eta)
    after = rule.update(theta, g, rule.init(theta))[0]
    following = h * after + sigma * rng.normal(size=size)
    return g * following

(
    derive("C", "h * (h*V) - eta*h * (h**2*V + sigma**2)",
           "$g' = h\\theta - \\eta h g + \\varepsilon'$; the mean of $\\theta g$ is $hV$, that of "
           "$g^2$ is $h^2 V + \\sigma^2$, and $\\varepsilon'$ is new, so it drops out", names,
           ranges={eta: (0.3, 0.8), h: (0.5, 2)}, means={V: ball})
    .equals("-eta*h * sigma**2 / (2 - eta*h)", "$V$ put in: **below 0**")
    .expects("g * (h * SGD(eta).update(theta, g, state)[0] + noise)", products,
             "the library's own step gives this mean")
)

# %% [markdown] name="derivation-ratio-text"
# The size of the noise is still in it. Divide by the mean square of a gradient, and it is gone:

# %% tags=["fold"] name="derivation-ratio"
# The same product on the scale of a cosine.
def scaled(rng, size, eta, h, sigma):
    return products(rng, size, eta, h, sigma) / (2 * sigma**2 / (2 - eta * h))

(
    derive("r", "-eta*h * sigma**2 / (2 - eta*h) / (h**2*V + sigma**2)",
           "$C$ over the mean of $g^2$", names, ranges={eta: (0.3, 0.8), h: (0.5, 2)},
           means={V: ball})
    .equals("-eta*h / 2", "$h^2 V + \\sigma^2 = 2 \\sigma^2 / (2 - \\eta h)$: **rate over edge, "
            "with a minus**")
    .expects("g * (h * SGD(eta).update(theta, g, state)[0] + noise) / mean of g**2", scaled,
             "the library's own step gives this mean")
)

# %% [markdown] name="derivation-reading"
# The edge is the rate $2/h$. So $r$ says how near the rate is to it: $r = -0.05$ means one twentieth of the edge, $r = -1$ means the edge itself. In many directions, $r$ is a mean of $-\eta h_i / 2$, weighted by how much of the gradient lies in direction $i$. Two cases lie outside. Still on the way down, the slope outweighs the noise, and the cosine is positive. And without noise $g' = (1 - \eta h)\, g$, so the cosine is $-1$ as soon as the rate has passed half of the edge.
#
# Now in the real network. Three runs, the cosine of every two gradients in a row:

# %% tags=["fold", "nbval-ignore-output"] name="cosines"
# The cosines of three runs, all seeds, from step 20 on.
kinds = {"full batch, rate 0.3": cured[5], "full batch, rate 1 (case 5)": sick[5],
         "batch of 4, rate 0.3 (case 6)": sick[6]}
for name, run in kinds.items():
    print(f"{name}: mean cosine {spread(turns(run))}")
assert turns(sick[5]).max() < -0.4 and abs(turns(sick[6])).max() < 0.35
assert turns(cured[5]).min() > 0.6
plots.histogram({k: run.cosine[20:60].ravel() for k, run in kinds.items()},
                "cosine of two gradients in a row",
                "Three histograms. One stands at plus 1, one near minus 1, and one is a hill "
                "around 0.", title="Steps 20 to 60, all seeds")

# %% [markdown] name="breaks-text"
# One number parts what the eye could not. Near $+1$: still on the way, and the rate may grow. Near $0$: noise, and a larger batch helps; case 6 reads $-0.15$. Near $-1$: the steps jump across the valley, and a larger batch is no cure. The batch of case 5 already holds all examples.
#
# ## What breaks: turning the rate first
#
# Case 1 again. People see a NaN and lower the rate. The NaN goes away, and they stop looking:

# %% tags=["fold", "nbval-ignore-output"] name="breaks"
# Case 1 at three rates: the step of the first NaN, and the largest logit there.
rows, first_nan = [], {}
for lr, steps in ((0.3, 300), (0.15, 600), (0.075, 1100)):
    run = sick[1] if lr == 0.3 else train(lr=lr, loss=half, steps=steps)
    bad = np.isnan(run.loss)
    assert bad.any(0).all()
    first_nan[lr] = bad.argmax(0)
    before = run.loss[first_nan[lr] - 1, np.arange(S)]
    rows.append([lr, spread(first_nan[lr], ".0f"), spread(before), spread(top(run), ".1f")])
assert (first_nan[0.075] > 2 * first_nan[0.3]).all()
print(f"largest number in 16 bits: {np.finfo(np.float16).max:.0f}; its logarithm: "
      f"{np.log(float(np.finfo(np.float16).max)):.2f}")
Table(["rate", "step of the first NaN", "loss just before (nats)", "largest logit at the NaN"],
      rows)

# %% [markdown] name="breaks-reading"
# At half the rate the NaN comes after about twice as many steps. At a rate small enough it comes after the end of the test run, and in the middle of the long one.
#
# **The signature:** a healthy loss right before the NaN, and the same largest logit at every rate. **The cure:** a loss that takes logits and subtracts the largest one first, as `cross_entropy` [does](../03_algorithms/02_cross_entropy.ipynb). With it the logits pass 11.09 and nothing happens (table above, case 1).
#
# Bugs in the loop itself have [a page of their own](../05_project/05_what_this_curve_says.ipynb), and so have those that [no curve shows](../05_project/06_bugs_that_hide.ipynb).
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. How far is the edge? (3 minutes, easy)
# A run jitters at its floor with the rate `lr`. You measured `r`, the mean product of two gradients in a row over the mean square of a gradient. Treat the run as one direction. Return two numbers: the curvature $h$, and the rate at which the edge lies.

# %% name="exercise-edge"
def edge(r, lr):
    ### BEGIN SOLUTION
    return -2 * r / lr, -lr / r
    ### END SOLUTION

# %% name="check-edge"
check("edge")

# %% [markdown] name="exercise-turns-text"
# <details><summary>Hint 1</summary>Solve the last line of the derivation for h.</details>
# <details><summary>Hint 2</summary>The edge is 2 / h: put your h in.</details>
#
# ### 2. The cosine (5 minutes, medium)
# `g` holds the gradients of a run, one row per step, shape `(steps, d)`. Return the mean cosine of two gradients in a row.

# %% name="exercise-turns"
def turning(g):
    ### BEGIN SOLUTION
    before, after = g[:-1], g[1:]
    squares = (before**2).sum(1) * (after**2).sum(1)
    return ((before * after).sum(1) / squares**0.5).mean()
    ### END SOLUTION

# %% name="check-turns"
check("turning")

# %% [markdown] name="exercise-ward-text"
# <details><summary>Hint 1</summary>All rows but the last one, and all rows but the first one.</details>
# <details><summary>Hint 2</summary>A cosine for every pair: the sum of the products, over both lengths. The mean comes last.</details>
#
# ### 3. Three patients (10 minutes, hard)
# What is wrong with these three runs? Each has one of the causes 1 to 12, but not always with the curve of the atlas. `train(**ward["A"])` repeats a run, and what you add changes it: `train(**ward["A"] | {"lr": 0.1})`. Its result has `loss`, `valid`, `accuracy`, `cosine`, `norm`, `head_norm` and `hidden`. The functions `dead_share` and `turns` read it. Return the numbers of the three causes as a list, that of A first.

# %% tags=["fold", "nbval-ignore-output"] name="ward"
# Three runs, each with one thing wrong.
ward = {
    "A": dict(x=16 * x, y=y, test=(16 * x_test, y_test), steps=60),
    "B": dict(x=x, y=y[each, shuffle], steps=60),
    "C": dict(x=x[:, :600], y=y[:, :600], batch=600, lr=1.0, steps=60),
}
patients = {name: train(**given) for name, given in ward.items()}
assert dead_share(patients["A"]).min() > 0.5 and turns(patients["C"]).max() < -0.2
assert dead_share(patients["B"]).max() < 0.3 and abs(patients["B"].accuracy[-1] - 0.1).max() < 0.2
fig, axes = plots.panels(3)
fig.set_size_inches(9, 3)
for ax, (name, run) in zip(axes, patients.items(), strict=True):
    ax.plot(run.loss[:, 0], lw=1.5)
    ax.set(title=f"Patient {name}", xlabel="step", ylim=(0, 5))
axes[0].set(ylabel="training loss (nats)")
plots.Picture(fig, "Three training curves. A starts at 2.3, leaves the picture and comes back to "
              "2.3. B stays at 2.3. C falls in waves.")

# %% name="exercise-ward"
def patient_causes():
    ### BEGIN SOLUTION
    return [3, 9, 5]
    ### END SOLUTION

# %% name="check-ward"
check("patient_causes")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Are any units dead? Do two gradients in a row point against each other?</details>
# <details><summary>Hint 2</summary>For B: can the network learn 20 examples by heart, with batches of 20? If so, the network and its rate are sound. What is left?</details>
# <details><summary>What it means (after solving)</summary>Unscaled pixels make the usual rate far too large. Labels of other pictures look flat with ten equally frequent digits, and like a success with rare eights. And the edge is the edge with any number of examples.</details>
#
# ## Takeaways
#
# - A curve names a family of causes. A second number names the cause: dead units, the head's gradient, the cosine of two gradients in a row.
# - Along one direction at the floor that cosine is $-\eta h / 2$, the rate over its edge. A loss that waves with a cosine near $-1$ needs a smaller rate, and no larger batch.
# - Do not turn the learning rate before you have a cause. In case 1 it only delays the NaN. And do not diagnose from one point in fifty: the steps that killed run B lie between two of them.
#
# ## Does it hold?
#
# **Is it the rate that kills?** Only the rate changes:

# %% tags=["fold", "nbval-ignore-output"] name="control-rate"
# Dead units and the loss at the end, for several rates.
rows = []
for lr in (0.1, 0.3, 1.0, 2.0, 3.0):
    run = train(lr=lr, steps=100)
    rows.append([lr, spread(dead_share(run), ".0%"), spread(run.loss[-20:].mean(0))])
Table(["rate", "dead units", "loss of the last 20 of 100 steps (nats)"], rows)

# %% [markdown] name="control-rate-text"
# Up to a rate of 1 the network lives and learns. From 2 on nearly all units are dead, and the loss is that of a guess.
#
# **Does the cosine follow the rate and the batch?** Steps 40 to 80, two rates, five batches:

# %% tags=["fold", "nbval-ignore-output"] name="control-batch"
# The cosine for batches and rates.
rows = [[batch, *(spread(turns(train(lr=lr, batch=batch, steps=80), 40)) for lr in (0.3, 0.6))]
        for batch in (4, 16, 64, 256, 1258)]
Table(["batch", "cosine, rate 0.3", "cosine, rate 0.6"], rows)

# %% [markdown] name="sources"
# Down a column, more noise moves the cosine towards 0. Along a row, a larger rate moves it towards $-1$, but for the batch of 4, where the noise hides the rate. One trap is left: at the rate 0.3 the batch of 256 reads about 0 as well. There the way down, near $+1$, and the turns, near $-1$, cancel. So a reading near 0 asks for the second half of test 6: take a larger batch, and see whether the spread shrinks.
#
# ## Sources
#
# - G. Pflug, 1990, and J. Chee and P. Toulis, 2017: *Convergence diagnostics for stochastic gradient descent with constant step size*. The product of successive gradients says when the noise has taken over.
# - L. Lu, Y. Shin, Y. Su and G. E. Karniadakis, 2020: *Dying ReLU and initialization: theory and numerical examples*, Communications in Computational Physics 28 (5).
# - J. Howard and J. Whitaker, 2023: *Can LLMs learn from a single example?*, fast.ai. The staircase in fine-tuning.
# - A. Karpathy, 2019: *A recipe for training neural networks*. Checks of the first loss, and of one batch learned by heart.
