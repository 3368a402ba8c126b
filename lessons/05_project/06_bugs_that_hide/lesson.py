# ---
# jupyter:
#   lesson:
#     title: "Bugs that hide"
#     question: "Five training curves fall as they should. Four of the runs have a bug. Which number tells?"
#     minutes: 45
#     needs: [03_fine_tuning, 05_what_this_curve_says, 03_algorithms/13_adamw, 03_algorithms/17_clipping_and_accumulation, 03_algorithms/25_whose_mean, 04_mathematics/11_a_character_model]
#     settles: []
#     studies: [core.weighted_mean]
#     terms: [probe]
# ---

# %% [markdown] name="title"
# # Bugs that hide
#
# **Goal.** Find the bugs that a training curve does not show, each by the one number that does.
#
# **The question.** Five runs fine-tune the small pre-trained model on the same task: a function's signature is given, the first line of its docstring is to be said. All five curves fall as they should. Four of the runs have a bug. Which is the sound one?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: imports, the recorded runs, the model and its task.
from pydoc_data.topics import topics

import numpy as np
import sympy as sp
import torch
import torch.nn.functional as F

from lessons_lib import bridge, data, exercises, models, plots, records
from lessons_lib.core import Loss, weighted_mean
from lessons_lib.data.corpus import held_out
from lessons_lib.derive import derive
from lessons_lib.show import Table
from lessons_lib.training import Recipe, evaluate, token_loss, train

setting = bridge.start(device, seed, profile)
check = exercises.of("05_project/06_bugs_that_hide")
record = records.of("05_project/06_bugs_that_hide")
runs = list(record.runs.values())

def pretrained():
    return models.pretrained(str(setting.device))

tokenizer = pretrained().tokenizer
learn_examples, test_examples = data.docstring_task(tokenizer, seed)
learn, test = (data.answers(part, 64) for part in (learn_examples, test_examples))

def over(name, number):  # one number of a run, for each recorded seed
    return np.array([run[name][number] for run in runs])

def spread(values, form=".2f"):  # median (lowest to highest)
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

# %% tags=["fold"] name="question-picture"
# The five curves: median and range of five seeds, each point the mean of ten updates.
letters = dict(zip("ABCDE", ("mean of means", "norms decay", "padding counted", "sound",
                             "END ignored"), strict=True))
fig, axes = plots.panels(5, sharey=True)
fig.set_size_inches(9.2, 2.6)
for ax, (letter, name) in zip(axes, letters.items(), strict=True):
    curves = over(name, "curve").reshape(len(runs), -1, 10).mean(-1)
    low, middle, high = plots.band(curves)
    steps = 10 * np.arange(1, curves.shape[1] + 1)
    ax.fill_between(steps, low, high, color="C0", alpha=0.25, lw=0)
    ax.plot(steps, middle, color="C0")
    ax.set(title=letter, xlabel="update", ylim=(0, None))
axes[0].set_ylabel("training loss (nats)")
plots.Picture(
    fig,
    alt="Five panels, A to E, each with a training loss over 150 updates. All fall fast at first "
    "and slowly later, without a jump. C falls lowest, to about 1.3 nats; B ends highest, near "
    "2.9; A, D and E look alike and end near 2.5.",
)

# %% [markdown] name="question-reading"
# No curve jumps, and none rises. B flattens early, and C is by far the lowest. Is C the sound one? Ask the trained models something else: their mean loss on the answers of functions that they have not seen.

# %% tags=["fold"] name="question-table"
# What the runs report, and what new answers cost.
rows, gain = [], {}
for letter, name in letters.items():
    gain[name] = over(name, "answer") - over("sound", "answer")
    rows.append([letter, spread([np.mean(c[-20:]) for c in over(name, "curve")]),
                 spread(over(name, "answer")),
                 "" if name == "sound" else spread(gain[name], "+.3f")])
reported = np.array([np.mean(c[-20:]) for c in over("padding counted", "curve")])
assert all((gain[name] > 0).all() for name in letters.values() if name != "sound")
assert (reported < 0.7 * over("padding counted", "answer")).all()
Table(["run", "training loss at the end (nats)", "new answers (nats per token)",
       "more than D, same seed"], rows,
      f"Median, and lowest to highest of {len(runs)} seeds; the last 20 of 150 updates.")

# %% [markdown] name="idea-text"
# D is the sound run, and its model is the best for every seed. C *reports* half of what D reports and is a little worse. E is far behind, and its curve looks like that of D.
#
# Every one of the bugs has a **probe**, a number other than the loss that gives the bug away. This lesson goes from bug to bug and finds its probe. Two more bugs follow that no run shows: one sits in the test, one in a rare batch. Ranges over five seeds come from recorded runs, 150 updates each. Everything else is computed here, unless it says that it is recorded.

# %% tags=["fold"] name="record"
# Where the numbers with a range come from.
record

# %% [markdown] name="kinds-text"
# ## The idea, drawn
#
# A batch of our task is a table of labels, one row for each function. Here are twelve rows. A row has the prompt, the words of the answer, END (the token that ends an answer), and [padding](../04_mathematics/11_a_character_model.ipynb) up to the length 64.

# %% name="kinds"
def kinds(batch):  # three masks: answer with its END, END alone, padding
    answer = batch.weight > 0
    past = np.cumsum(answer, 1) == answer.sum(1, keepdims=True)
    return answer, answer & (batch.y == 0), past & ~answer

answer, end, padding = kinds(learn)
length = answer.sum(1, keepdims=True)  # tokens of each answer

# %% tags=["fold", "nbval-ignore-output"] name="kinds-picture"
# Twelve rows, one colour for each kind of label.
fig, (ax,) = plots.panels()
fig.set_size_inches(8.2, 3.0)
shades = {"prompt": "#DDDDDD", "words": "#0072B2", "END": "#D55E00", "padding": "#F0E442"}
map_ = (answer.astype(int) + end + 3 * padding)[:12]
ax.imshow(np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in shades.values()])[map_],
          aspect="auto", interpolation="nearest")
for name, shade in shades.items():
    ax.plot([], [], "s", color=shade, mec="0.4", label=name)
ax.grid(False)
ax.set(xlabel="place in the row", ylabel="row of the batch")
ax.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, 1.17), frameon=False)
share = padding.mean()
print(f"{learn.x.size} labels: {answer.mean():.0%} words and END, {share:.0%} padding; "
      f"answers of {length.min()} to {length.max()} tokens")
assert 0.2 < share < 0.5
plots.Picture(fig, alt="Twelve rows of 64 places. Each begins with a grey prompt, goes on with a "
              "row of blue words that ends in one orange place, and is filled with yellow padding. "
              "The lengths differ a lot from row to row.")

# %% [markdown] name="formula-text"
# Only the blue and the orange labels are to count. So the loss is a weighted mean over all labels $i$:
#
# $$J = \frac{\sum_i w_i\, \ell_i}{\sum_i w_i}$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $\ell_i$ | `loss.value` | rows x 64 | the cross-entropy of one label |
# | $w_i$ | `batch.weight` | rows x 64 | 1 where the label counts, 0 where not |
#
# **The curve shows $J$. It does not show $w$.** Three of the four bugs in the runs are wrong weights, and nothing else:

# %% name="weights"
weights = {
    "sound": answer,
    "padding counted": answer | padding,
    "END ignored": answer & (learn.y != 0),
    "mean of means": answer * length.mean() / length,
}

def batches(name):  # 16 rows in each update
    weight = weights[name].astype(np.float32)
    return data.shuffled(learn._replace(weight=weight), 16, seed)

# %% [markdown] name="labels-text"
# ## Bug 1: which labels count?
#
# **Padding counted** (run C). Somebody takes the mean over all labels after the prompt. **END ignored** (run E). Somebody excludes padding by its number, `ignore_index=0`. But the end of a row is filled with END's own number here, as in many fine-tunings where a tokenizer has no padding token of its own. So the one true END of each answer is excluded with it.
#
# Both are trained here for 50 updates, beside the sound run.

# %% name="labels"
recipe = Recipe(steps=50, lr=3e-3, warmup=10)
tuned = {}
for name in ("sound", "padding counted", "END ignored"):
    tuned[name] = pretrained().model
    train(tuned[name], batches(name), recipe)

# %% tags=["fold", "nbval-ignore-output"] name="labels-table"
# Each model on new examples, by kind of label, and what it says about one of them. First: before.
masks = dict(zip(("answer", "END", "padding"), kinds(test), strict=True))
some = test.rows(slice(0, 200))

def loss_on(model, mask):
    return evaluate(model, some._replace(weight=mask[:200].astype(np.float32)))

rows, by_kind = [], {}
prompt = tokenizer.encode("def read_lines(path):\n").ids
for name, model in {"before": pretrained().model, **tuned}.items():
    by_kind[name] = {k: loss_on(model, m) for k, m in masks.items()}
    by_kind[name]["both"] = loss_on(model, masks["answer"] | masks["padding"])
    said = models.generate(model, prompt, 40, temperature=0, end=0)[len(prompt):]
    text = tokenizer.decode(said, skip_special_tokens=False).replace("\n", " ")
    rows.append([name, *(f"{by_kind[name][k]:.2f}" for k in ("both", "answer", "END")), text])
assert by_kind["END ignored"]["END"] > 2 * by_kind["sound"]["END"]
assert by_kind["padding counted"]["both"] < 0.9 * by_kind["padding counted"]["answer"]
Table(["run", "answer and padding", "answer", "END alone", "what it says to def read_lines(path)"],
      rows, "Mean loss in nats per label; at most 40 tokens are said.")

# %% [markdown] name="labels-reading"
# One model, two losses: with padding in the mean the run that counts padding reports little more than half of what its answers cost. Padding is easy. After END comes END, and after a few dozen updates that costs nearly nothing. The mean of hard and easy labels falls whenever a batch has more padding.
#
# The run that ignores END has a normal curve (E above). The pre-trained model had never met END, and this run does not teach it to stop: END alone costs nearly what it cost before. Here are the recorded runs:

# %% tags=["fold"] name="labels-numbers"
# The recorded runs, after 150 updates.
ratio = over("END ignored", "END") / over("sound", "END")
words = over("END ignored", "words") - over("sound", "words")
shown = over("padding counted", "answer and padding")
print(f"loss of END: {spread(over('END ignored', 'END'), '.1f')} nats where it is ignored, "
      f"{spread(over('sound', 'END'), '.1f')} in the sound run")
print(f"loss of all other words of the answer, difference: {spread(words, '+.3f')}")
print(f"padding counted: {spread(shown)} with padding, {spread(over('padding counted', 'answer'))} "
      f"for the answers alone")
assert ratio.min() > 4 and np.abs(words).max() < 0.1

# %% [markdown] name="arrows-text"
# **The probe: the mean loss of each kind of label, and how many labels counted.** The words of the answer are learned as well as ever in the run without END, so no mean over them can tell.
#
# Wrong weights turn the gradient, too. Take the first gradient of fine-tuning, at the pre-trained weights, for six batches. Draw it so that the sound gradient points up and is 1 long.

# %% name="gradients"
base = pretrained().model

def gradient(model, batch):  # of the batch's mean loss, as one long vector
    x, y, w = (torch.from_numpy(a).to(setting.device) for a in batch)
    model.zero_grad()
    counts = w > 0
    each = token_loss(model(x)[counts], y[counts])
    ((each * w[counts]).sum() / w.sum()).backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()]).cpu().double()

# %% tags=["fold", "nbval-ignore-output"] name="arrows"
# Three kinds of wrong gradients beside the sound one.
def beside(name, model=base, begin=0):  # six cosines with the sound gradient, six ratios of length
    pairs = [[gradient(model, batches(n)(begin + t)) for n in (name, "sound")] for t in range(6)]
    return np.array([[F.cosine_similarity(g, h, dim=0), g.norm() / h.norm()] for g, h in pairs]).T

fig, (ax,) = plots.panels()
fig.set_size_inches(8.2, 3.2)
turned = {name: beside(name) for name in weights if name != "sound"}
styles = {"padding counted": "#D55E00", "mean of means": "#0072B2", "END ignored": "#009E73"}
for name, colour in styles.items():
    cosine, size = turned[name]
    across, up = size * np.sqrt(1 - cosine**2), size * cosine
    ax.quiver(np.zeros(6), np.zeros(6), across, up, color=colour, angles="xy", scale_units="xy",
              scale=1, width=0.004, label=f"{name}: cosine {spread(cosine)}")
ax.quiver([0], [0], [0], [1], color="k", angles="xy", scale_units="xy", scale=1, width=0.006,
          label="sound")
ax.grid(False)
ax.set(xlim=(-0.2, 3.6), ylim=(-0.15, 1.3), aspect="equal", ylabel="along the sound gradient",
       xlabel="across it (unit: length of the sound gradient)")
ax.legend(loc="upper right", fontsize=8)
assert np.abs(turned["padding counted"][0]).max() < 0.6
assert turned["padding counted"][1].min() > 0.9
assert 1 - turned["mean of means"][0].max() > 0.0005
plots.Picture(fig, alt="Arrows from one point. The sound gradient points up and has the length 1. "
              "Six arrows of the mean of means and six without END lean a little to the right. "
              "Six arrows with padding counted are longer and point far to the right.")

# %% [markdown] name="means-text"
# With padding counted the first gradient is longer, and it points far from the sound one: most of it teaches padding. After 50 updates padding is learned, and the gradient has turned back (first control). That is why this run ends almost as good as the sound one. What stays wrong is the report.
#
# The blue arrows are the next bug.
#
# ## Bug 2: whose mean?
#
# A batch that does not fit into memory is cut into $K$ micro-batches, and their gradients are added up. [How to weigh them](../03_algorithms/17_clipping_and_accumulation.ipynb) is known: by the labels that count. The mean of means weighs them equally. In October 2024 this very error was mended in much-used trainers (sources). What does it do to a single token?
#
# ## Derivation
#
# Micro-batch $k$ has $n_k$ labels that count, and $s_k$ is the sum of their losses. On average a micro-batch has $\bar n$, so the batch has $K \bar n$. The sound weight of a token is one over that number.

# %% tags=["fold"] name="derivation"
# Derivation: the weight of a token under the mean of means, tied to the library's weighted mean.
K, k, j = sp.symbols("K k j", integer=True, positive=True)
n, s = sp.IndexedBase("n", positive=True), sp.IndexedBase("s")
middle = sp.Symbol("m", positive=True)

def part(s, n):  # the first label counts 1; the second stands for the n - 1 others
    loss = Loss(np.array([s - n + 1, 1.0]), np.ones(2))
    return weighted_mean(loss, np.array([1.0, n - 1]))

def each_part(of, s, n):
    return np.array([[of(part(*pair)) for pair in zip(*row, strict=True)]
                     for row in zip(s, n, strict=True)]) / n.shape[1]

(
    derive("M", "Sum(s[j] / n[j], (j, 1, K)) / K", "the mean of the $K$ means",
           {"K": K, "k": k, "j": j, "n": n, "s": s, "m": middle}, {K: (2, 3, 4)},
           ranges={n: (2, 40)}, means={middle: sp.Sum(n[j], (j, 1, K)) / K})
    .library("weighted_mean(loss, w).value",
             lambda s, n: each_part(lambda mean: mean.value, s, n).sum(1),
             "the library's mean of each micro-batch, averaged")
    .slope(s[k], "1 / (K * n[k])",
           "a token's loss is one of the terms of $s_k$, so this is its weight")
    .equals("1 / (K * m) * (m / n[k])", "**the sound weight, times the mean count over its own**",
            tex=r"\frac{1}{K \bar n} \cdot \frac{\bar n}{n_k}")
    .library("weighted_mean(loss, w).grad / K",
             lambda s, n: each_part(lambda mean: mean.grad[0], s, n),
             "the library's weight of one label in each micro-batch")
)

# %% [markdown] name="play-text"
# A token counts $\bar n / n_k$ times what it should. A token of a short answer is loud, a token of a long one is faint. Where all counts are equal, the factor is 1; that is why tests on full rows pass.
#
# Here are eight real answers, each a micro-batch of its own. Move the slider: it sets the length of the first answer. At which length is its token right? And what happens to the seven others when the first becomes very long?

# %% tags=["fold", "nbval-ignore-output"] name="play"
# The weight of a token in each of eight micro-batches, as a multiple of the sound weight.
eight = np.sort(length[:8, 0]).astype(float)
fig, (ax,) = plots.panels()
ax.axhline(1, color="0.3", lw=1, ls="--")
ax.set(yscale="log", ylim=(0.1, 30), xlim=(0.4, 8.6), xticks=range(1, 9),
       xlabel="micro-batch (the first has the length of the slider)",
       ylabel="weight of one token / sound weight")
ax.set_yticks([0.1, 0.3, 1, 3, 10, 30], ["0.1", "0.3", "1", "3", "10", "30"])

def loud(ax, tokens):
    counts = np.array([tokens, *eight[1:]])
    factor = counts.mean() / counts
    ax.bar(range(1, 9), factor - 1, bottom=1, color=["C1", *["C0"] * 7])
    for place, (f, c) in enumerate(zip(factor, counts, strict=True), 1):
        ax.text(place, f * (1.12 if f > 1 else 0.82), f"{c:.0f}", ha="center", va="center",
                fontsize=8)
    return (f"The first answer has {tokens} tokens, the mean is {counts.mean():.1f}. One of its "
            f"tokens counts {factor[0]:.2f} times what it should; one of the longest answer's "
            f"counts {factor.min():.2f} times.")

plots.moving(fig, "tokens", [*range(1, 11), *range(12, 42, 2), *range(50, 130, 10)], loud, start=3,
             alt="Eight bars on a logarithmic axis around 1. At 3 tokens the first bar stands "
             "far above 1; the bars of the long answers end below it. The number "
             "at each bar is the answer's length.")

# %% [markdown] name="means-effect-text"
# And the training? In run A each of the 16 rows of a batch is a micro-batch:

# %% tags=["fold", "nbval-ignore-output"] name="means-effect"
# What the mean of means does in training.
factor = length.mean() / length
worse = gain["mean of means"]
print(f"weight of a token / sound weight: {factor.min():.1f} to {factor.max():.1f}")
print(f"loss of new answers, A - D: {spread(worse, '+.3f')} nats per token")
for part, half in (("short", "shorter"), ("long", "longer")):
    more = over("mean of means", part) - over("sound", part)
    print(f"  the {half} half of them: {spread(more, '+.3f')}")
print(f"cosine with the sound gradient, six batches: {spread(turned['mean of means'][0])}")
assert worse.min() > 0 and factor.max() > 4

# %% [markdown] name="norms-text"
# A token of the shortest answer counts 8 times what it should, one of the longest answer half. Every gradient is turned a little. New answers cost 0.05 nats per token more than in run D (median), and more for every seed. Even the short ones, whose tokens were loud, cost more. That is little, and no curve shows it: run A ends as low as run D.
#
# **The probe: one update's gradient in $K$ micro-batches, beside that of the whole batch. The cosine must be 1.** It takes the function above, one batch and no training.
#
# ## Bug 3: what decays?
#
# [Weight decay](../03_algorithms/13_adamw.ipynb) is meant for matrices. The weights of a norm are factors that scale what passes through. Decay pulls them towards 0, and less and less passes. Yet `AdamW(model.parameters(), weight_decay=0.1)` takes them all. Where no gradient pulls back, $T$ steps with the rates $\eta_t$ and the decay $\lambda$ leave of each
#
# $$\prod_{t=1}^{T} (1 - \eta_t \lambda) \approx e^{-\lambda \sum_t \eta_t}$$
#
# With $\lambda = 0.1$ and a rate of 0.001 the factor is 0.90 after 1000 steps and $e^{-1} = 0.37$ after 10 000.
#
# Does the gradient pull back? A steady gradient moves a weight $w$ by about $\eta$ in a step of Adam. Decay moves it by $\eta \lambda w$. So decay surely wins where $\lambda w > 1$.
#
# Run B shows such a case in 150 steps. Its norms decay with $\lambda = 4$, its matrices with 0.1 as in run D. The usual 0.1 does no harm that the loss shows (second control).

# %% tags=["fold"] name="norms"
# The factor that decay alone would leave, and what is left.
before = np.array([run["norms before"] for run in runs])
plan = Recipe(steps=150, lr=3e-3, warmup=10)
exponent = 4.0 * sum(plan.lr * plan.factor(t) for t in range(150))
left = {name: over(name, "norms") / before for name in letters.values()}
early = {name: np.mean([c[:10] for c in over(name, "curve")], 1) for name in letters.values()}
print(f"mean weight w before: {before.mean():.1f}, so lambda w = {4 * before.mean():.1f}")
print(f"exponent {exponent:.2f}, decay alone leaves {np.exp(-exponent):.2f}")
print(f"loss of the first 10 updates, B - D: "
      f"{spread(early['norms decay'] - early['sound'], '+.3f')} nats")
print(f"new answers, B - D: {spread(gain['norms decay'], '+.2f')} nats")
assert left["norms decay"].max() < 0.7 < left["sound"].min()
plots.bars({f"{letter}: {name}": plots.band(left[name]) for letter, name in letters.items()},
           "mean size of the norms' weights after 150 updates / before",
           "Five bars with small ranges. Four runs keep almost all of the size of their norms' "
           "weights. Run B, whose norms decay, keeps less than half.")

# %% [markdown] name="leak-text"
# The norms of run B keep 0.42 of their size, close to the 0.37 that decay alone would leave. In the first 10 updates its loss is even 0.03 nats below that of run D, and alone on a screen its curve looks healthy. At the end it costs 0.27 nats per token more on new answers (median), and only the decay of the norms is different.
#
# The cure: two groups of parameters. Whatever has one axis does not decay, whatever has more does; `optimizers_for` sorts them like this. Do not sort by class or name. The trainer of a much-used library knew norms by their class, and until 2025 it let norms decay whose class was not in its list (sources).
#
# **The probe: the mean size of the norms' weights, at the start and now.**
#
# ## Bug 4: who has seen the test?
#
# The model was pre-trained on pages of Python's documentation (PSF licence). Some pages were held out to test it. But pages share paragraphs, so some paragraphs of the held-out pages stand in the training pages as well. What do these known paragraphs do to the test?
#
# The known ones may just be easy. So the model gets a twin: the same recipe and seed, and a training text without them (recorded once).

# %% name="leak"
def paragraphs_of(pages):
    return [paragraph.strip() for page in pages for paragraph in page.split("\n\n")]

train_pages = [topics[name] for name in topics if not held_out(name, 5, 0)]
test_pages = [topics[name] for name in topics if held_out(name, 5, 0)]
known = set(paragraphs_of(train_pages))
paragraphs = paragraphs_of(test_pages)
texts = {
    "all": paragraphs,
    "known": [p for p in paragraphs if p in known],
    "new": [p for p in paragraphs if p not in known],
}
seen_share = np.mean([p in known for p in paragraphs])

# %% tags=["fold", "nbval-ignore-output"] name="leak-picture"
# The pre-trained model's loss on each, beside its twin's.
twin = record.runs[0]["clean"]
rows_of = {name: data.in_order(data.encode(tokenizer, "\n\n".join(ps)), 64)
           for name, ps in texts.items()}
heard = {name: evaluate(base, rows) for name, rows in rows_of.items()}
print(f"{len(paragraphs)} paragraphs on {len(test_pages)} held-out pages, "
      f"{seen_share:.0%} of them known")
fresh = heard["new"]
more = {name: twin[name] - heard[name] for name in texts}
print("twin - model: " + ", ".join(f"{more[name]:.2f} ({name})" for name in texts))
print(f"more than on new ones: {more['known'] - more['new']:.2f} nats on known ones, "
      f"{more['all'] - more['new']:.2f} on all")
assert more["known"] - more["new"] > 0.15 and more["all"] - more["new"] > 0.02
plots.bars({f"{name} paragraphs, {who}": loss for name, own in heard.items()
            for who, loss in (("model", own), ("twin", twin[name]))}, "loss (nats per token)",
           "Six bars, model and twin. All paragraphs: 2.7 and 2.8 nats. The known ones: 2.0 and "
           "2.5. The new ones: 2.9 and 2.9.")

# %% [markdown] name="breaks-text"
# The twin is worse by 0.05 nats per token on new paragraphs, and by 0.43 on the known ones. The 0.38 between these numbers are memory. They make the test on all paragraphs look 0.08 nats better than it is. `data.corpus` leaves the known paragraphs out.
#
# **The probe: the share of the test that stands in the training data, word for word.** Compute it on paragraphs, answers or rows, not on files.
#
# ## What breaks: a mean over nothing
#
# The last bug does no harm for a long time and then destroys everything at once. Some signatures are so long that they fill all 64 places. `data.answers` leaves such rows out. A loader that cuts them off at the end keeps the prompt and loses the answer: no label counts. Here are three ways to write the mean:

# %% name="breaks"
def ignoring(each, w, logits, y):
    return F.cross_entropy(logits, torch.where(w > 0, y, -100), ignore_index=-100)

def masked(each, w, logits, y):
    return (each * w).sum() / w.sum()

def whole_batch(each, w, logits, y, total=400):  # as many labels count in the whole batch
    return (each * w).sum() / total

def update(mean, x, y, w):
    model = pretrained().model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    logits = model(x)[0]
    loss = mean(F.cross_entropy(logits, y, reduction="none"), w, logits, y)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item(), sum(int(p.isnan().sum()) for p in model.parameters())

# %% tags=["fold"] name="breaks-table"
# One update with a row in which nothing counts, and what the course's loop says to it.
long = next(e for e in learn_examples if len(e.prompt) > 64)
row = torch.from_numpy(np.concatenate([long.prompt, long.answer])[:65]).to(setting.device)
nothing = torch.zeros(64, device=setting.device)
results = {f"`{mean.__name__}`": update(mean, row[None, :-1], row[1:], nothing)
           for mean in (ignoring, masked, whole_batch)}
total = sum(p.numel() for p in pretrained().model.parameters())
empty = learn.rows(slice(0, 1))
try:
    train(pretrained().model, lambda step: empty._replace(weight=0 * empty.weight), recipe)
except ValueError as error:
    print("train:", error)
losses_, broken = zip(*results.values(), strict=True)
assert broken == (0, total, 0) and np.isnan(losses_[:2]).all() and losses_[2] == 0
Table(["mean", "loss", "parameters that are NaN after one update"],
      [[name.strip("`"), f"{loss:.0f}", f"{bad} of {total}"]
       for name, (loss, bad) in results.items()])

# %% [markdown] name="cut-text"
# The first two report NaN, since they divide 0 by 0. PyTorch's own mean gives the ignored labels a gradient of 0, so only the report is spoilt. The mean that one writes by hand gives each label the weight $0 / 0$. The gradient is NaN, the norm in the clipping is NaN, and after one update every parameter is NaN. Nothing brings it back. A log that leaves out NaN hides both.
#
# How long can this wait? Count the examples whose prompt leaves no room, and cut a batch of 16 rows into micro-batches:

# %% tags=["fold", "nbval-ignore-output"] name="cut"
# The chance that an update has a micro-batch in which nothing counts.
none_left = np.mean([len(e.prompt) > 64 for e in learn_examples])
chance = {r: 1 - (1 - none_left**r) ** (16 // r) for r in (4, 2, 1)}
print(f"{none_left:.1%} of the examples have no label that counts")
assert chance[4] < 1e-3 and chance[1] > 0.1
Table(["rows in a micro-batch", "chance of NaN in an update", "updates until then, on average"],
      [[r, f"{c:.1g}", f"{float(f'{1 / c:.1g}'):,.0f}"] for r, c in chance.items()])

# %% [markdown] name="print-text"
# With 4 rows in a micro-batch the bug shows once in half a million updates. Somebody cuts the batch finer to save memory, changes nothing else, and the run is dead within a few updates.
#
# The cure is `whole_batch`: add up the losses, and divide by the number of labels that count in the whole batch. An empty micro-batch adds 0. The loop of this course does that, and it refuses a batch in which nothing counts at all. **The probe: the smallest number of labels that count in a row, over the whole data, before training.**
#
# ## What to print in a run of your own
#
# Six numbers beside the loss. None of them costs more than one batch or one pass over the data.

# %% tags=["fold", "nbval-ignore-output"] name="print"
# The probes, with what they say in a sound run and with the bug.
counted = {name: batches(name)(0).weight.sum() for name in ("sound", "padding counted")}
Table(
    ["print", "once, or each update?", "sound", "with the bug"],
    [
        ["labels that count", "each", *(f"{n:.0f}" for n in counted.values())],
        ["loss of END alone (nats)", "at each test", f"{by_kind['sound']['END']:.1f}",
         f"{by_kind['END ignored']['END']:.1f}"],
        ["cosine of the gradient, in micro-batches and whole", "once", "1.00",
         spread(turned["mean of means"][0])],
        ["size of the norms' weights / at the start", "at each test",
         spread(left["sound"]), spread(left["norms decay"])],
        ["share of the test in the training data", "once", "0%", f"{seen_share:.0%}"],
        ["least labels that count in a row", "once", f"{int(length.min())}", "0"],
    ],
    "Ranges: six batches for the cosine, the recorded seeds for the norms.",
)

# %% [markdown] name="exercise-mask-text"
# ## Exercises
#
# Five short ones. Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Which labels count? (6 minutes, medium)
# `prompt` and `answer` hold the lengths of the prompts and of the answers (END included) of some rows, as arrays of whole numbers. A row is its prompt, its answer, and padding. `context` tokens are read; the label at a place is the token at the next place of the row. Return the weights, an array `(rows, context)`: 1 where the label is a token of the answer, else 0.

# %% name="exercise-mask"
def mask(prompt, answer, context):
    ### BEGIN SOLUTION
    place = np.arange(context) + 1
    begin = prompt[:, None]
    return ((place >= begin) & (place < begin + answer[:, None])).astype(float)
    ### END SOLUTION

# %% name="check-mask"
check("mask")

# %% [markdown] name="exercise-loudness-text"
# <details><summary>Hint 1</summary>Say for each label which place of the row its token has. Compare that place with the two ends of the answer.</details>
# <details><summary>Hint 2</summary>prompt[:, None] makes a column; compared with a row it gives a table.</details>
#
# ### 2. How loud is a token? (3 minutes, easy)
# Micro-batches have `counts` labels that count, an array without zeros. A trainer takes the mean of their means. Return for each micro-batch the weight that one of its tokens gets, divided by the weight that it should get.

# %% name="exercise-loudness"
def loudness(counts):
    ### BEGIN SOLUTION
    return counts.mean() / counts
    ### END SOLUTION

# %% name="check-loudness"
check("loudness")

# %% [markdown] name="exercise-part-text"
# <details><summary>Hint 1</summary>The last line of the derivation.</details>
# <details><summary>Hint 2</summary>The mean count, over the own one.</details>
#
# ### 3. The line in the loop (5 minutes, medium)
# `value` holds the losses of all labels of one micro-batch, `weight` their weights, 0 or 1. In the whole batch `total` labels count. Return the number on which to call `backward`, so that the gradients of all micro-batches add up to the gradient of the batch's mean. A label that does not count may have a loss of `inf`. A micro-batch in which nothing counts returns 0.

# %% name="exercise-part"
def part_loss(value, weight, total):
    ### BEGIN SOLUTION
    return value[weight > 0].sum() / total
    ### END SOLUTION

# %% name="check-part"
check("part_loss")

# %% [markdown] name="exercise-decays-text"
# <details><summary>Hint 1</summary>First choose the labels that count, then add up.</details>
# <details><summary>Hint 2</summary>0 times inf is NaN; a mean over nothing is NaN; a sum over nothing is 0.</details>
#
# ### 4. What decays? (3 minutes, easy)
# `shapes` is a dict from the name of each parameter to its shape, a tuple. Return a list in the order of the dict: True for a parameter that may decay, else False. Matrices may, and what has more axes still, such as a convolution. Norms and biases of every name may not.

# %% name="exercise-decays"
def decays(shapes):
    ### BEGIN SOLUTION
    return [len(shape) > 1 for name, shape in shapes.items()]
    ### END SOLUTION

# %% name="check-decays"
check("decays")

# %% [markdown] name="exercise-leaked-text"
# <details><summary>Hint 1</summary>Names differ from model to model. What do norms and biases have in common?</details>
# <details><summary>Hint 2</summary>A matrix has two axes, a vector has one.</details>
#
# ### 5. How much has leaked? (4 minutes, easy)
# `train` and `test` are lists of paragraphs. Find out how much of the test text has been seen: return the share of its characters that stand in paragraphs which the training list contains, too. Paragraphs are compared as they are, without blanks and line ends at their beginning and end.

# %% name="exercise-leaked"
def leaked(train, test):
    ### BEGIN SOLUTION
    known = {p.strip() for p in train}
    found = [p.strip() for p in test]
    return sum(len(p) for p in found if p in known) / sum(len(p) for p in found)
    ### END SOLUTION

# %% name="check-leaked"
check("leaked")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>A set of the training paragraphs answers "is it in there?" at once.</details>
# <details><summary>Hint 2</summary>Strip both sides before you compare. Count characters after stripping.</details>
# <details><summary>What it means (after solving)</summary>Call leaked(paragraphs_of(train_pages), paragraphs): that much of the held-out text has been seen. A split by files is no clean split.</details>
#
# ## Takeaways
#
# - The curve shows a weighted mean and hides the weights. Print how many labels count, and the loss of each kind of label.
# - A mean of means makes tokens of short answers loud: $\bar n / n_k$ times their sound weight. Add up losses, and divide once by the labels that count in the whole batch.
# - Do not compare two runs by the loss that they report when their masks, their cuts or their tests differ. And do not use these probes in place of the curve: a wrong rate shows there first.
#
# ## Does it hold?
#
# **Does the padding's gradient stay wrong?** The arrows stand at the beginning of training. Here are six batches after the 50 updates of the run that counted padding:

# %% tags=["fold", "nbval-ignore-output"] name="control-trained"
# The gradient with padding counted, beside the sound one, before and after 50 updates.
after = beside("padding counted", tuned["padding counted"], begin=100)
assert np.median(after[0]) > 0.7
Table(["", "cosine", "length / sound length"],
      [["before", *map(spread, turned["padding counted"])], ["after", *map(spread, after)]])

# %% [markdown] name="control-decay-text"
# Once padding is learned, the wrong gradient is the sound one times about one half, the share of its labels that are answers. Adam does not mind the factor.
#
# **And with the usual decay?** Here $\lambda w$ is about 0.1, and a gradient can hold a weight. The base model was pre-trained again, for 2500 updates with the same seed, and its norms decayed with 0.1 (recorded once):

# %% tags=["fold", "nbval-ignore-output"] name="control-decay"
# The base model, and its twin whose norms decay with 0.1.
decayed = record.runs[0]["decayed"]
assert 0.6 < decayed["norms"] / before[0] < 1 and abs(decayed["new"] - fresh) < 0.15
Table(["norms", "mean size of their weights", "loss of new paragraphs (nats per token)"],
      [["do not decay", f"{before[0]:.2f}", f"{fresh:.2f}"],
       ["decay with 0.1", f"{decayed['norms']:.2f}", f"{decayed['new']:.2f}"]])

# %% [markdown] name="sources"
# A norm's weights begin at 1. With decay they grow less, and the loss is the same. So at 0.1 the bug does no harm here, and the probe does not see it either. The optimizer's own list of groups does: print it, too.
#
# ## Sources
#
# - Unsloth, 2024: *Bugs in LLM training: gradient accumulation fix*, blog; Hugging Face, 2024: *Fixing gradient accumulation*, blog, 16 October; huggingface/trl, issue 2175, 2024: *Gradient accumulation yields worse results than the equivalent batch size*.
# - huggingface/transformers, issue 23530, 2023: *Incorrect handling of EOS tokens in DataCollatorForLanguageModeling when pad_token is set to eos_token*.
# - huggingface/transformers, pull request 35927, 2025: *layernorm_decay_fix*.
# - K. Lee, D. Ippolito, A. Nystrom, C. Zhang, D. Eck, C. Callison-Burch and N. Carlini, 2021: *Deduplicating training data makes language models better*, arXiv 2107.06499. Copies of training text affect over 4 per cent of the validation sets of standard data.
