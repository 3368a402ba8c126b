# ---
# jupyter:
#   lesson:
#     title: "Fine-tuning"
#     question: "What does fine-tuning gain, and what does the model forget for it?"
#     minutes: 45
#     needs: [02_pre_training, 01_background/01_why_fine_tune, 03_algorithms/25_whose_mean, 04_mathematics/11_a_character_model]
#     settles: [E17]
#     studies: [losses.squared_error, core.weighted_mean]
#     terms: [price, replay]
# ---

# %% [markdown] name="title"
# # Fine-tuning
#
# **Goal.** Fine-tune a language model, and read off two numbers: what it gains on the task, and what it forgets.
#
# **The question.** Our small model has learned to continue Python's documentation. Now it gets a task: read the first line of a function, and say in one line what the function does. After 160 steps its loss there is two nats lower. On the documentation its loss has risen. Is that the price, or can one have the gain without it?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, and the recorded runs.
import copy

import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, models, plots, records, training
from lessons_lib.core import weighted_mean
from lessons_lib.derive import derive
from lessons_lib.losses import squared_error
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("05_project/03_fine_tuning")
record = records.of("05_project/03_fine_tuning")
runs = [record.runs[s] for s in sorted(record.runs)]

def of(name, *where):  # (splits, 2): loss on the task, loss on the old text
    found = []
    for run in runs:
        value = run[name]
        for k in where:
            value = value[k]
        found.append(value)
    return np.array(found)

def spread(values, form=".2f"):  # median (lowest to highest) over the splits
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

before, after, scratch = of("base"), of("tuned", 2), of("scratch", 1)

# %% tags=["fold"] name="question-picture"
# The two losses, recorded with five splits.
for label, found in (("before", before), ("fine-tuned", after), ("from scratch", scratch)):
    print(f"{label}: task {spread(found[:, 0])}, old text {spread(found[:, 1])} nats per token")
print(f"gain {spread((before - after)[:, 0])}, price {spread((after - before)[:, 1])}")
assert ((before - after)[:, 0] > 1).all() and ((after - before)[:, 1] > 0.5).all()
assert (scratch - after)[:, 0].min() > 0.3
plots.bars(
    {"task: before": plots.band(before[:, 0]), "task: fine-tuned": plots.band(after[:, 0]),
     "task: from scratch": plots.band(scratch[:, 0]),
     "old text: before": plots.band(before[:, 1]),
     "old text: fine-tuned": plots.band(after[:, 1])},
    "loss on held-out text (nats per token)",
    "Five bars with their spread. On the task the loss is highest before fine-tuning, lower from "
    "scratch and lowest after fine-tuning. On the old text it is higher after fine-tuning.",
    title="160 steps, five splits (median, lowest to highest)",
)

# %% [markdown] name="question-reading"
# On the task, fine-tuning ends a nat below the same 160 steps from random parameters. So what the model had learned is worth a lot. But on held-out pages of the documentation, the *old text*, the loss has risen by 0.8 nats. We call the fall of the task's loss the *gain*. The **price** is the rise of the loss on the old text.
#
# ## The task
#
# The functions are those of Python's standard library (PSF licence). The *prompt* is the line with `def`. The *answer* is the first line of the *docstring*, the text below `def` that says what the function does, and a token that says "end". Four fifths of the modules are for training. The others are for the test, without answers that occur in the training part. A seed draws the modules: that is a *split*. An example that does not fit into a row of 64 tokens is left out.
#
# Five recorded runs stand behind every range on this page. Each has its own split and its own order of the examples; from scratch, also its own random beginning. The base model and the old text are the same in all five.

# %% tags=["nbval-ignore-output"] name="task"
base, tokenizer, about = models.pretrained(str(setting.device))
text = data.corpus(seed=0)  # the pages and the split with which the base was trained
old = data.in_order(data.encode(tokenizer, text.validation), 64)
train_set, test_set = data.docstring_task(tokenizer, seed)
rows = data.answers(train_set, 64)
test = data.answers(test_set, 64).rows(slice(0, None, 2))  # every other one saves time
print(f"{len(rows.x)} examples to train, {len(test.x)} to test; "
      f"{models.parameter_count(base):,} parameters")

# %% [markdown] name="formula"
# One row holds prompt and answer, one after the other, and zeros up to 64 tokens. The model predicts every token from those before. Which of its predictions shall count? The weight $w_t$ is 1 where the token to predict belongs to the answer, else 0:
#
# $$J = \frac{\sum_t w_t\, \ell_t}{\sum_t w_t}, \qquad \frac{\partial J}{\partial z_{tk}} = \frac{w_t}{\sum_s w_s} \left( p_{tk} - y_{tk} \right)$$
#
# Here $\ell_t$ is the [cross-entropy](../03_algorithms/02_cross_entropy.ipynb) of the prediction at place $t$, $z_{tk}$ its logit for token $k$, $p_{tk}$ the probability and $y_{tk}$ the one-hot label. Prompt and filling have $w_t = 0$, so nothing there pulls ([derived here](../04_mathematics/11_a_character_model.ipynb)). Every token of an answer counts the same, so an answer of 30 tokens counts three times as much as one of 10 ([Whose mean?](../03_algorithms/25_whose_mean.ipynb)).
#
# Fine-tuning is then nothing but more training, with other rows:

# %% name="train"
recipe = training.Recipe(steps=160, lr=3e-3, warmup=20)
tuned = copy.deepcopy(base)
history = training.train(tuned, data.shuffled(rows, 16, seed), recipe)

# %% tags=["fold"] name="token-losses"
# The loss of every token that counts, and the two losses of a model.
@torch.no_grad()
def token_losses(model, batch):
    x, y, weight = (torch.from_numpy(part).to(setting.device) for part in batch)
    counts, losses = weight > 0, torch.zeros(y.shape)
    losses[counts.cpu()] = training.token_loss(model(x)[counts].float(), y[counts]).cpu()
    return losses.numpy()

def judged(model, rows=48):  # loss on the task, loss on the old text
    parts = (batch.rows(slice(None, None, max(len(batch.x) // rows, 1))) for batch in (test, old))
    return np.array([training.evaluate(model, part) for part in parts])

spelled = {data.END: "<end>", "\n": "\\n"}

def spell(token):
    word = tokenizer.decode([int(token)], skip_special_tokens=False)
    return spelled.get(word, word.replace("\n", "\\n"))

# %% tags=["fold", "nbval-ignore-output"] name="row-picture"
# One test example, token by token, before and after.
wide = [e for e in test_set if len(e.prompt) < 16 and 14 < len(e.answer) < 22]
example = wide[len(wide) // 3]
one, ends = data.answers([example], 64), len(example.prompt) + len(example.answer)
words = [spell(t) for t in (one.x[0, 0], *one.y[0, : ends - 1])]
fig, (ax,) = plots.panels()
fig.set_size_inches(7.6, 2.8)
y = 0.0
for label, model in (("before", base), ("fine-tuned", tuned)):
    cost, x = token_losses(model, one)[0], 0.0
    ax.text(0, y - 0.25, f"{label}: {cost @ one.weight[0] / one.weight.sum():.2f} nats per token",
            va="bottom", fontweight="bold", fontsize=9)
    for t, word in enumerate(words):
        size = max(len(word), 1.6) + 0.7
        if x + size > 76:
            x, y = 0.0, y + 1.15
        counts = t > 0 and one.weight[0, t - 1] > 0
        nats = min(cost[t - 1], 10) if counts else 0
        box = ax.imshow([[nats]], cmap="Oranges" if counts else "Greys", vmin=0, vmax=10,
                        extent=(x, x + size - 0.15, y + 0.9, y), aspect="auto")
        shade = "white" if nats > 6.5 else "black" if counts else "0.45"
        ax.text(x + (size - 0.15) / 2, y + 0.45, word.strip(" ") or "_", ha="center", va="center",
                fontsize=8, family="monospace", color=shade)
        scale = box if counts else None
        x += size
    y += 2.1
fig.colorbar(scale, ax=ax, label="loss (nats; darkest: 10 or more)", shrink=0.8)
ax.set(xlim=(-0.5, 76.5), ylim=(y - 0.6, -0.9))
ax.axis("off")
plots.Picture(fig, "The tokens of one row as boxes, twice. The prompt is white, without a loss. "
              "The end of the answer is dark before fine-tuning and pale after it. Of the tokens "
              "before the end some grow paler and some darker.")

# %% [markdown] name="row-reading"
# Each box is a token (`_` is a space), and the colour is its loss. The white ones are the prompt, with weight 0. The end has become cheap. Of the tokens before it, some cost less than before and some more. What brings the gain, over the whole test part?

# %% tags=["fold", "nbval-ignore-output"] name="where-table"
# Where the gain comes from: the first token of the answer, the end, and all between.
costs = [token_losses(m, test) for m in (base, tuned)]
ending = (test.y == tokenizer.token_to_id(data.END)) & (test.weight > 0)
opening = (np.cumsum(test.weight, 1) == 1) & (test.weight > 0)
groups = {"the first token": opening, "between": (test.weight > 0) & ~opening & ~ending,
          "the end": ending, "all": test.weight > 0}
total = (costs[0] - costs[1])[test.weight > 0].sum()
table = [[label, f"{part.sum() / test.weight.sum():.0%}", *(f"{c[part].mean():.2f}" for c in costs),
          f"{(costs[0] - costs[1])[part].sum() / total:.0%}"] for label, part in groups.items()]
edges = opening | ending
assert (costs[0] - costs[1])[edges].sum() / total > 1.5 * edges.sum() / test.weight.sum()
assert costs[0][ending].mean() > 5 and costs[1][ending].mean() < 3
Table(["tokens of the answer", "share of the tokens", "loss before (nats)", "after",
       "share of the gain"], table)

# %% tags=["fold", "nbval-ignore-output"] name="stranger"
# The same answers, once behind their own signature and once behind that of a function far away.
half = len(test_set) // 2
swapped = [data.Example(a.prompt, b.answer)
           for a, b in zip(test_set[half:] + test_set[:half], test_set, strict=True)]
fits = [max(len(a.prompt), len(b.prompt)) + len(b.answer) <= 65
        for a, b in zip(swapped, test_set, strict=True)]
own, strange = (data.answers([e for e, fit in zip(part, fits, strict=True) if fit], 64)
                for part in (test_set, swapped))
by_own, by_strange = (training.evaluate(tuned, part) for part in (own, strange))
print(f"own signature {by_own:.2f}, another function's signature {by_strange:.2f} nats per token")
assert abs(by_strange - by_own) < 0.3
shown = [e for e in test_set if len(e.prompt) < 18 and len(e.answer) < 24][3::29][:4]

def says(model, e, temperature=0.0):
    found = models.generate(model, e.prompt, 24, temperature, seed, end=0)[len(e.prompt):]
    return " ".join(tokenizer.decode([int(t) for t in found]).split())

Table(["prompt", "before", "fine-tuned", "what stands there"],
      [[tokenizer.decode([int(t) for t in e.prompt]).strip(), says(base, e, 0.3),
        says(tuned, e, 0.3), tokenizer.decode([int(t) for t in e.answer])] for e in shown],
      "Drawn at temperature 0.3.")

# %% [markdown] name="where-reading"
# The first token and the end are one token in twelve, and they bring more than half of the gain. The old text has no token for the end, so the base model never says it: it cost 21 nats.
#
# What the model writes now looks like a docstring. Is it true? Put every answer behind the signature of another function. If the model had understood the signature, the loss would jump. It hardly moves. **The model has learned how docstrings sound, and next to nothing from the signature.** The gain is one of form.
#
# ## Half the way
#
# And the price? Look at the two ends of the run: the base model with parameters $\theta_0$, the fine-tuned one with $\theta_1$. Nobody forces us to go all the way. On the straight line between them lie the models
#
# $$\theta = \theta_0 + \alpha\, (\theta_1 - \theta_0)$$
#
# with $\alpha$ for the share of the way. They cost no training.

# %% name="between"
def between(share):  # base and fine-tuned model, mixed parameter by parameter
    model = copy.deepcopy(base)
    with torch.no_grad():
        for p, end in zip(model.parameters(), tuned.parameters(), strict=True):
            p.lerp_(end, share)
    return model

shares = [k / 20 for k in range(25)]  # beyond 1 the line goes on
line = np.array([judged(between(share)) for share in shares])
gain, price = line[0, 0] - line[:, 0], line[:, 1] - line[0, 1]

# %% tags=["fold", "nbval-ignore-output"] name="play-picture"
# Gain and price along the way, beside the two bowls of the derivation.
fig, (ax,) = plots.panels()
at = np.array(shares)
plots.draw_lines(
    ax, at, {"gain on the task": gain, "price on the old text": price,
             "bowl: gain": gain[20] * (2 * at - at**2), "bowl: price": price[20] * at**2},
    "share of the way (0: base, 1: fine-tuned)", "change of the loss (nats)")
speaker = shown[0]

def there(ax, share):
    k = shares.index(share)
    ax.plot([share] * 2, [gain[k], price[k]], "o", ms=8, color="0.15")
    return (f"At {share:.0%} of the way: gain {gain[k]:.2f}, price {price[k]:+.2f} nats. After "
            f"“{tokenizer.decode([int(t) for t in speaker.prompt]).strip()}” the model writes "
            f"“{says(between(share), speaker)}”.")

plots.moving(
    fig, "share of the way", shares, there, start=0.5,
    alt="Two curves over the share of the way from the base to the fine-tuned model. The gain "
    "rises steeply at first and is flat near 1. The price is flat at first and steep near 1. One "
    "parabola runs close to the price, the other one below the gain.",
)

# %% tags=["fold", "nbval-ignore-output"] name="half-numbers"
# At half the way: this page's run, and the recorded ones.
way = of("way, 3e-3")
won = (before[:, None, 0] - way[..., 0]) / (before - after)[:, :1]
paid = (way[..., 1] - before[:, None, 1]) / (after - before)[:, 1:]
print(f"this run, half the way: {gain[10] / gain[20]:.0%} of the gain, "
      f"{price[10] / price[20]:.0%} of the price")
print(f"five splits: {spread(won[:, 4], '.0%')} of the gain, "
      f"{spread(paid[:, 4], '.0%')} of the price")
assert won[:, 4].min() > 0.6 and paid[:, 4].max() < 0.35
assert gain[10] > 0.55 * gain[20] and price[10] < 0.4 * price[20]

# %% [markdown] name="play-reading"
# Move the slider. Where is the gain larger than the price by the most? And from which share on does the model write like a docstring? (To be quick, the slider looks at about fifty rows of each text.)
#
# Half of the way gives almost nine tenths of the gain for about a fifth of the price. Why so unequal?
#
# ## Derivation: price and gain
#
# Call the length of the way $d$. The base model is the result of a long training on the old text. So along the way the old loss is near its lowest point, and it rises like a bowl: $b$ times the square of the distance from $\theta_0$. The fine-tuned model ends near the lowest point of the task's loss. That is a second bowl, with the factor $a$, around $\theta_1$. Price first:

# %% tags=["fold"] name="derive-price"
# Price and gain of a share of the way, tied to the library's squared error.
alpha, a, b, d, Pw, Gw, u, v = sp.symbols("alpha a b d P_1 G_1 u v", positive=True)
names = {"alpha": alpha, "a": a, "b": b, "d": d, "Pw": Pw, "Gw": Gw}
(
    derive("P", "b * (alpha * d)**2", "the old loss, at the distance $\\alpha d$ from its bottom",
           names, means={Pw: "b * d**2"})
    .equals("alpha**2 * Pw", "$P_1 = b d^2$ is the price of the whole way: **first little, then "
            "much**")
    .library("b * squared_error(alpha * d, 0).value",
             lambda alpha, b, d: b * squared_error(alpha * d, 0 * d).value)
)

# %% [markdown] name="derive-gain-text"
# At half the way, a quarter of the price. Now the gain, from the height of the task's bowl at the start down to where we are:

# %% tags=["fold"] name="derive-gain"
# The gain.
(
    derive("G", "a * d**2 - a * (d - alpha * d)**2",
           "the task's loss at the start, less that at $d - \\alpha d$ from its bottom",
           names, means={Gw: "a * d**2"})
    .equals("(2 * alpha - alpha**2) * Gw", "$G_1 = a d^2$ is the gain of the whole way: **first "
            "much, then little**")
    .library("a * (squared_error(0, d).value - squared_error(alpha * d, d).value)",
             lambda alpha, a, d: a * (squared_error(0 * d, d).value
                                      - squared_error(alpha * d, d).value))
)

# %% [markdown] name="replay-text"
# At half the way, three quarters of the gain. The two parabolas stand in the picture above. They take their heights from the end of the way alone, and nothing is fitted to the middle. The price stays near its parabola. It even dips below zero at the start: the base model was not quite at the bottom. The gain does better than its parabola. The task's loss is no exact bowl: it falls more steeply at the start. **The first nats are nearly free, and the last hundredths are dear.**
#
# ## Replay
#
# The second cure needs the old data. With **replay**, each batch also holds a piece of the old data. We add four pieces of the old text, 64 tokens each, to every 16 answers. A step then costs a quarter more:

# %% tags=["nbval-ignore-output"] name="replay"
pieces = data.windows(data.encode(tokenizer, text.train), 64, 4, seed)
answers = data.shuffled(rows, 16, seed)

def replay(step):  # the same answers, and four pieces of the old text
    return data.Batch(*map(np.concatenate, zip(answers(step), pieces(step), strict=True)))

counted = [replay(step).weight.sum(1) for step in range(20)]
share = sum(c[16:].sum() for c in counted) / sum(c.sum() for c in counted)
print(f"of the tokens that count, {share:.0%} are old text")

# %% [markdown] name="derive-replay-text"
# ## Derivation: where replay stops
#
# What should that do? Take one direction, with the two bowls as before, and measure the way in units of $d$. Replay minimises a weighted mean of both losses. Let $u$ be the weight of the answers' bowl (their share of the tokens, times the factor $a$), and $v$ that of the old text's:

# %% tags=["fold"] name="derive-replay"
# Where replay ends along one direction, tied to the library's weighted mean.
def mixed(alpha, u, v):  # for each random point, the weighted mean of two squared errors
    for at, *w in zip(alpha, u, v, strict=True):
        yield weighted_mean(squared_error(np.array([at, at]), np.array([1.0, 0.0])), np.array(w))

(
    derive("J", "(u * (1 - alpha)**2 + v * alpha**2) / (u + v)",
           "the weighted mean of the two bowls", {"alpha": alpha, "u": u, "v": v})
    .library("weighted_mean(squared_error(...), [u, v]).value",
             lambda alpha, u, v: np.array([m.value for m in mixed(alpha, u, v)]))
    .slope(alpha, "2 * (alpha - u / (u + v))", "$-2u(1 - \\alpha) + 2 v \\alpha$, over $u + v$")
    .library("weighted_mean(squared_error(...), [u, v]).grad",
             lambda alpha, u, v: np.array([m.grad.sum() for m in mixed(alpha, u, v)]))
    .zero_at(alpha, "u / (u + v)", "**it stops on the way, where the two slopes cancel**")
)

# %% [markdown] name="derive-replay-reading"
# In one direction replay is nothing new: it stops somewhere on the way, as we did with the slider. But a model has many directions, and each has its own $v$. Where the old text does not care, $v$ is nearly 0 and replay goes all the way. Where the old text is steep, $v$ is large and replay stays at home. The straight line cannot do that. It has one $\alpha$ for all directions. Here are two directions, drawn with two exact bowls:

# %% tags=["fold"] name="two-directions"
# Two bowls in two directions: the straight way, and where replay stops.
task, home = np.ones(2), np.array([0.1, 4.0])  # the weights along the two directions
stops = np.array([task / (task + w * home) for w in np.geomspace(1e-3, 1e3, 200)])
stop = task / (task + home)
gained = 1 - (task * (1 - stop) ** 2).sum() / task.sum()
matched = 1 - np.sqrt(1 - gained)  # the share of the straight way with this gain
paid_there = (home * stop**2).sum() / home.sum()
print(f"gain {gained:.0%} of the whole: replay pays {paid_there:.0%} of the price, "
      f"the straight way {matched**2:.0%}")
fig, (ax,) = plots.panels()
first, second = np.meshgrid(np.linspace(-0.3, 1.4, 90), np.linspace(-0.3, 1.3, 90))
ax.contour(first, second, home[0] * first**2 + home[1] * second**2,
           [0.05, 0.2, 0.8, 2, 4], colors="C0", linewidths=0.8)
ax.contour(first, second, (first - 1) ** 2 + (second - 1) ** 2, [0.05, 0.2, 0.5, 1], colors="C1",
           linestyles="dashed", linewidths=0.8)
ax.plot([0, 1], [0, 1], "-", color="0.3", lw=2, label="straight way")
ax.plot(*stops.T, "-.", color="C2", lw=2.5, label="replay, more old text to the left")
ax.plot(*stop, "*", color="C2", ms=15, label="replay, both losses weigh the same")
ax.plot([0, 1], [0, 1], "o", color="0.1")
ax.plot([], [], color="C0", label="loss on the old text")
ax.plot([], [], "--", color="C1", label="loss on the task")
for place, label in ((0, "base"), (1, "fine-tuned")):
    ax.annotate(label, (place, place), (-8, 6), textcoords="offset points", ha="right")
ax.set(xlabel="first direction (share of the way)", ylabel="second direction (share of the way)")
ax.legend(fontsize=8, loc="upper left")
plots.Picture(fig, "Contours of two bowls. The old text's, around the base model, is flat along "
              "the first direction and steep along the second. The task's is round. The straight "
              "way leads from one bottom to the other. Replay runs below it, far along the first "
              "direction and little along the second.")

# %% [markdown] name="two-directions-reading"
# The star goes nearly all the way along the first direction, where the old text is flat, and a fifth of the way along the second. For the same gain, the straight way pays three times as much. So replay should be better.
#
# ## Is it better?
#
# Everything that was tried, over five splits:

# %% tags=["fold"] name="trade-picture"
# Gain and price of everything that was tried, over five splits.
fig, (ax,) = plots.panels()
path = np.concatenate([0 * won[:, :1], won, 1 + 0 * won[:, :1]], 1) * (before - after)[:, :1]
toll = np.concatenate([0 * paid[:, :1], paid, 1 + 0 * paid[:, :1]], 1) * (after - before)[:, 1:]
ax.plot(np.median(toll, 0), np.median(path, 0), "-", color="0.5", lw=2)
ax.annotate("on the straight way", (0.06, 1.54), (0.1, 1.25), color="0.35")
rates = [3e-4, 1e-3, 3e-3, 1e-2]
points = {f"rate {r:g}": of("tuned", k) for k, r in enumerate(rates)}
points |= {f"replay, rate {r:g}": of("replay", k) for k, r in enumerate((1e-3, 3e-3))}
for label, found in points.items():
    x, y = (found - before)[:, 1], (before - found)[:, 0]
    (lx, mx, hx), (ly, my, hy) = plots.band(x), plots.band(y)
    again = label.startswith("replay")
    ax.errorbar(mx, my, xerr=[[mx - lx], [hx - mx]], yerr=[[my - ly], [hy - my]],
                fmt="s" if again else "o", color="C2" if again else "C1", ms=6, capsize=3)
    ax.annotate(label.replace("rate ", ""), (mx, my), (-9, 3) if again else (8, -14),
                textcoords="offset points", ha="right" if again else "left")
    print(f"{label}: gain {spread(y)}, price {spread(x)}")
ax.plot(0, 0, "x", color="0.2", ms=9)
ax.annotate("base", (0, 0), (8, 4), textcoords="offset points")
ax.set(xlabel="price: rise of the loss on the old text (nats)", xlim=(-0.55, 1.75),
       title="The numbers are learning rates",
       ylabel="gain: fall of the loss on the task (nats)")
replayed = of("replay", 1)
kept = 1 - (replayed - before)[:, 1] / (after - before)[:, 1]
lost = (replayed - after)[:, 0] / (before - after)[:, 0]
print(f"replay at 0.003 saves {spread(kept, '.0%')} of the price and gives up "
      f"{spread(lost, '.0%')} of the gain")
assert kept.min() > 0.6 and lost.max() < 0.2
plots.Picture(fig, "Gain over price. The straight way is a curve that leaves the base steeply and "
              "bends to the right. Rates 0.0003 and 0.001 lie a little below it, 0.003 is its end, "
              "0.01 lies far to the right. Replay lies at the top left: the gain without a price.")

# %% tags=["fold"] name="trade-record"
# What recorded these runs.
record

# %% [markdown] name="breaks-text"
# The smaller rates lie below the curve: at the same price, the straight way gains more. The rate 0.01 is too large. It pays nearly twice as much as 0.003 and gains less.
#
# Replay at the rate 0.003 costs nothing, and gives up one per cent of the gain. The straight way cannot do that: its free part brings 69 per cent of the gain (second control). So none of the forgetting was needed for the task. It happened because nothing spoke against it.
#
# The article says that fine-tuning improves generalisation and stability. On new functions, yes: the loss ends one nat below that of the same steps from scratch, and other draws move it a quarter as much (last control). On the text that the model knew before, no. [Why fine-tune?](../01_background/01_why_fine_tune.ipynb) shows the same on digits.
#
# ## What breaks
#
# Somebody builds the rows and forgets the token for the end. Nothing complains, and the loss falls as it should. We train twice for 40 steps. Only one thing changes: the weight of the end is 1 or 0.

# %% name="breaks"
no_end = rows._replace(weight=rows.weight * (rows.y != tokenizer.token_to_id(data.END)))
short = training.Recipe(steps=40, lr=3e-3, warmup=10)
taught = {"with the end": rows, "without": no_end}
models_of, curves = {}, {}
for label, part in taught.items():
    models_of[label] = copy.deepcopy(base)
    curves[label] = training.train(models_of[label], data.shuffled(part, 16, seed), short).loss

# %% tags=["fold", "nbval-ignore-output"] name="breaks-table"
# What the curve shows, and what it does not.
found = []
for label, model in models_of.items():
    cost = token_losses(model, test)
    others = (test.weight > 0) & ~ending
    found.append([np.mean(curves[label][-10:]), cost[others].mean(), cost[ending].mean()])
    print(f"{label}: “{says(model, speaker)}”")
(_, with_others, with_end), (_, without_others, without_end) = found
assert without_end > 3 * with_end and abs(with_others - without_others) < 0.3
Table(["trained", "training loss, last 10 steps", "test: all but the end", "test: the end"],
      [[label, *(f"{x:.2f}" for x in row)] for label, row in zip(taught, found, strict=True)])

# %% [markdown] name="exercises"
# Both runs end at the same training loss, within a few hundredths. The loss on all other tokens of the test is the same within a tenth. But the end costs nearly as much as before the training, so the model never says it. It writes one sentence after the other until somebody cuts it off. **The signature: a healthy curve, and answers that do not stop.** The cure: put the end into every answer with the weight 1, and print its loss as a number of its own.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. What is the last quarter worth? (4 minutes, easy)
# Take the two bowls of the derivation. You want the share `share` of the whole gain $G_1$, and go just as far as that needs. Return the share of the whole price $P_1$ that you pay.

# %% name="exercise-price"
def price_of(share):
    ### BEGIN SOLUTION
    alpha = 1 - np.sqrt(1 - share)
    return alpha**2
    ### END SOLUTION

# %% name="check-price"
check("price_of")

# %% [markdown] name="exercise-row-text"
# <details><summary>Hint 1</summary>First the share of the way: solve 2 alpha - alpha² = share. The left side is 1 - (1 - alpha)².</details>
# <details><summary>Hint 2</summary>alpha = 1 - sqrt(1 - share). The price is its square.</details>
# <details><summary>What it means (after solving)</summary>Three quarters of the gain cost a quarter of the price, 90 per cent cost 47, and 99 per cent cost 81. The last per cent costs 19 per cent.</details>
#
# ### 2. A row of your own (8 minutes, medium)
# The heart of every fine-tuning program. `prompt` and `answer` hold token numbers; together they have at most `context` + 1. Return three arrays of length `context`: `x`, what the model reads; `y`, at each place the token that comes next; `weight`, 1 where that next token belongs to the answer and 0 elsewhere. Fill up with zeros.

# %% name="exercise-row"
def row(prompt, answer, context):
    ### BEGIN SOLUTION
    tokens, counts = np.zeros(context + 1, dtype=int), np.zeros(context + 1)
    end = len(prompt) + len(answer)
    tokens[:end] = np.concatenate([prompt, answer])
    counts[len(prompt) : end] = 1
    return tokens[:-1], tokens[1:], counts[1:]
    ### END SOLUTION

# %% name="check-row"
check("row")

# %% [markdown] name="exercise-ship-text"
# <details><summary>Hint 1</summary>Make one row that is one token longer, and cut it twice.</details>
# <details><summary>Hint 2</summary>Mark the answer's tokens in an array beside it. The weight belongs to the token to predict, so it is cut like y.</details>
#
# ### 3. Which model do you ship? (5 minutes, medium)
# You have measured `gain` and `price` for the models at `shares` of the way, three arrays. You may forget at most `budget` nats. Return the share of the model with the largest gain among those that you may ship.

# %% name="exercise-ship"
def ship(shares, gain, price, budget):
    ### BEGIN SOLUTION
    allowed = np.flatnonzero(price <= budget)
    return shares[allowed[np.argmax(gain[allowed])]]
    ### END SOLUTION

# %% name="check-ship"
check("ship")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>price <= budget says which models are allowed.</details>
# <details><summary>Hint 2</summary>np.where(price <= budget, gain, -np.inf) leaves the others out of the maximum.</details>
# <details><summary>Find out (after solving)</summary>Call ship(np.array(shares), gain, price, budget) with the numbers of this page, for the budgets 0.05, 0.2 and 0.5. How much of the gain does each buy?</details>
#
# ## Takeaways
#
# - Fine-tuning has two results: the loss on the task and the loss on the old text. Report both.
# - Half of the way between the two models brought 87 per cent of the gain for 18 per cent of the price. Replay, which needs the old data, brought 99 per cent for nothing.
# - Do not fine-tune a model as small as this one to learn what a function does. It learned the form of the answer, and its answers are as good for the wrong function.
#
# ## Does it hold?
#
# **Other rates.** Their gain and price stand above the picture of everything. Here is the loss on the task:

# %% tags=["fold"] name="control-rates"
# The loss on the task for each rate, fine-tuned and from scratch.
means = np.array([of("tuned", k)[:, 0].mean() for k in range(len(rates))])
firsts = np.array([of("scratch", k)[:, 0].mean() for k in range(3)])
Table(["mean over five splits (nats)", *(f"rate {r:g}" for r in rates)],
      [["fine-tuned", *(f"{x:.2f}" for x in means)],
       ["from scratch", "", *(f"{x:.2f}" for x in firsts)]])

# %% [markdown] name="control-way-text"
# The best rate for the task, 0.003, lies inside the grid, for fine-tuning and from scratch alike. A third of it gives up a tenth of a nat of the gain and saves almost half of the price.
#
# **Another end of the way.** The same line, with the model that was fine-tuned at the rate 0.001:

# %% tags=["fold"] name="control-way"
# The share of gain and price along the way, for two ends.
low_way, low_end = of("way, 1e-3"), of("tuned", 1)
won_low = (before[:, None, 0] - low_way[..., 0]) / (before - low_end)[:, :1]
paid_low = (low_way[..., 1] - before[:, None, 1]) / (low_end - before)[:, 1:]
assert won_low[:, 1].min() > 0.6 and paid_low[:, 1].max() < 0.4
Table(["share of the way", "two bowls: gain, price", "rate 0.003: gain", "price",
       "rate 0.001: gain", "price"],
      [[f"{a:.0%}", f"{2 * a - a * a:.0%}, {a * a:.0%}",
        *(spread(part[:, k], ".0%") for part in (won[:, 2:7:2], paid[:, 2:7:2], won_low, paid_low))]
       for k, a in enumerate((0.3, 0.5, 0.7))])

# %% [markdown] name="control-moved-text"
# With the smaller rate as well, half of the way brings more of the gain than the two bowls say, and costs nothing.
#
# **Does replay move less?** How far the parameters went, and in which direction:

# %% tags=["fold"] name="control-moved"
# How far the parameters went, and in which direction.
lengths = np.array([run["moved"] for run in runs])
print(f"length of the change: fine-tuned {spread(lengths[:, 0], '.1f')}, with replay "
      f"{spread(lengths[:, 1], '.1f')}; cosine between the two {spread(lengths[:, 2])}")
print(f"80 % of the straight way costs {spread(paid[:, 7], '.0%')} of the price, "
      f"replay {spread(1 - kept, '.0%')}")

# %% [markdown] name="control-mask-text"
# A little, and in another direction. On the straight line, four fifths of the way cost almost two thirds of the price. Replay goes as far and pays nothing. So it is the direction that counts, as in the drawing of two directions.
#
# **Or is it only more training on the old text?** As many rows a step, all of them old pieces:

# %% tags=["fold", "nbval-ignore-output"] name="control-alone"
# Old pieces alone, 20 a step as in replay: how the loss on the old text changes.
alone = copy.deepcopy(base)
training.train(alone, data.windows(data.encode(tokenizer, text.train), 64, 20, seed), recipe)
rise = judged(alone)[1] - line[0, 1]
print(f"160 steps on 20 old pieces each: the loss on the old text changes by {rise:+.2f} nats")
assert abs(rise) < 0.15

# %% [markdown] name="control-alone-reading"
# No. More training on the old text leaves its loss about where it was.
#
# **Without the mask.** If the prompt counts as well, signatures take a good two fifths of the weight. The same steps, with and without:

# %% tags=["fold", "nbval-ignore-output"] name="control-mask"
# Loss on the answers and price, with and without the mask.
every = data.answers(train_set, 64, mask_prompt=False)
print(f"without the mask, {1 - rows.weight.sum() / every.weight.sum():.0%} of the tokens that "
      "count belong to prompts")
unmasked = of("unmasked")
Table(["", "loss on the answers (nats)", "price (nats)"],
      [["with the mask", spread(after[:, 0]), spread((after - before)[:, 1])],
       ["without", spread(unmasked[:, 0]), spread((unmasked - before)[:, 1])],
       ["difference", spread((unmasked - after)[:, 0], "+.2f"),
        spread((unmasked - after)[:, 1], "+.2f")]])

# %% [markdown] name="control-stable-text"
# Here the mask decides nothing: the answers end as good without it. Shi and others find that training on the prompt can even help, when examples are few or when long prompts have short answers. What does change is the printed training loss. Without the mask it is also a loss on signatures, so it must not be compared with one that has the mask.
#
# **Is it more stable?** One split, and five other orders of the rows; from scratch, also five other beginnings:

# %% tags=["fold"] name="control-stable"
# The loss on the task with one split, over five draws.
same = {k: of(f"same split, {k}")[:, 0] for k in ("tuned", "scratch")}
Table(["", "loss on the task (nats)", "standard deviation"],
      [[label, spread(same[k]), f"{same[k].std(ddof=1):.3f}"]
       for label, k in (("fine-tuned", "tuned"), ("from scratch", "scratch"))])

# %% [markdown] name="sources"
# Fine-tuning is better in every draw, and it scatters a quarter as much. It always begins at the same base model, while each run from scratch begins somewhere else. Several base models were not tried.
#
# ## Sources
#
# - M. McCloskey and N. J. Cohen, 1989: *Catastrophic interference in connectionist networks: the sequential learning problem*, Psychology of Learning and Motivation 24.
# - A. Robins, 1995: *Catastrophic forgetting, rehearsal and pseudorehearsal*, Connection Science 7 (replay, there called rehearsal).
# - M. Wortsman and others, 2022: *Robust fine-tuning of zero-shot models*, arXiv 2109.01903 (the way between the two models).
# - Z. Shi, A. X. Yang, B. Wu, L. Aitchison, E. Yilmaz and A. Lipani, 2024: *Instruction tuning with loss over instructions*, arXiv 2405.14394 (training without the mask).
