# ---
# jupyter:
#   lesson:
#     title: "Pre-training"
#     question: "What does a language model learn first, and how do you read it off the loss?"
#     minutes: 45
#     needs: [01_the_same_numbers_twice, 03_algorithms/02_cross_entropy, 03_algorithms/13_adamw, 03_algorithms/17_clipping_and_accumulation, 04_mathematics/11_a_character_model]
#     settles: [G21]
#     studies: [losses.cross_entropy]
#     terms: [pre-training, embedding, attention, context]
# ---

# %% [markdown] name="title"
# # Pre-training
#
# **Goal.** Train a language model from noise, and say at every loss what such a model may know.
#
# **The question.** What does a language model learn first, and how do you read it off the loss?
#
# This is the training of the small model that comes with the course. It read 2.6 million tokens. On the right is its beginning, enlarged.

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp
import torch
from matplotlib.patches import FancyBboxPatch

from lessons_lib import bridge, data, exercises, models, plots, records, training
from lessons_lib.core import weighted_mean
from lessons_lib.derive import derive
from lessons_lib.losses import cross_entropy
from lessons_lib.models.transformer import Attention, Block, Transformer
from lessons_lib.show import Table, show
from lessons_lib.training.full import recorded

setting = bridge.start(device, seed, profile)
check = exercises.of("05_project/02_pre_training")
record, made = (f("05_project/02_pre_training") for f in (records.of, records.load))
base = models.pretrained()
PER_STEP = 16 * 64  # tokens

def spread(values, form=".2f"):  # median (lowest to highest) over the seeds
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

# %% tags=["fold"] name="question-picture"
# The stored curve of the base model, on two axes.
long = base.about["loss"]
read = PER_STEP * (10.0 * np.arange(len(long)) + 1)
fig, axes = plots.panels(2)
fig.set_size_inches(8.4, 3.2)
titles = "the whole training", "its beginning"
for ax, part, title in zip(axes, (len(long), 17), titles, strict=True):
    plots.draw_lines(ax, read[:part], {"base model": long[:part]}, "tokens read",
                     "training loss (nats per token)", title)
    ax.ticklabel_format(axis="x", style="sci", scilimits=(3, 3))
axes[1].plot(read[:17], long[:17], "o", ms=4, color="#0072B2")
axes[1].annotate("slower,\nthen faster", (4.8e4, 5.2), (9e4, 5.5), arrowprops={"arrowstyle": "->"})
plots.Picture(
    fig,
    alt="Left: the loss over all tokens falls steeply from 6.2 and then ever more slowly to about "
    "2. Right: over the first 160 thousand tokens it falls, becomes flatter near 5.2, and then "
    "falls faster again.",
)

# %% [markdown] name="question-reading"
# Left is a curve as in any report: it falls fast, then ever more slowly. Right it does something odd. Near 5.2 it becomes slower, and then it falls faster again. (The kinks below 4.3 are noise: each point is one batch.) What does the model know there?
#
# ## The idea, drawn
#
# In **pre-training** a model learns to guess the next token of plain text, before it gets any task. Nobody labels anything: the label of each token is the token after it.

# %% tags=["fold"] name="data"
# The text, its tokens, and one line of it.
text, tokenizer = data.corpus(seed=0), base.tokenizer
ids, held_out = (data.encode(tokenizer, part) for part in text[:2])
assert tokenizer.decode(ids.tolist(), skip_special_tokens=False) == text.train
unseen = data.in_order(held_out, 64)
line = data.encode(tokenizer, "A new scope is created by every function definition.")

# %% tags=["fold"] name="data-picture"
# A line cut into tokens, and below it the labels.
cut = [tokenizer.decode([i]).replace(" ", "␣") for i in line]
fig, (ax,) = plots.panels()
fig.set_size_inches(9.2, 1.9)
letters = np.array([len(piece) for piece in cut])
wide = 0.5 + 0.3 * np.maximum(letters[:-1], letters[1:])
left = np.r_[0, wide.cumsum()]
for y, row, colour in ((1, cut[:-1], "#56B4E9"), (0, cut[1:], "#E69F00")):
    for piece, at, w in zip(row, left[:-1], wide, strict=True):
        ax.barh(y, w, left=at, height=0.6, color=colour, edgecolor="0.3", alpha=0.6)
        ax.text(at + w / 2, y, piece, ha="center", va="center", family="monospace", fontsize=7)
ax.set(yticks=[0, 1], yticklabels=["label", "token"], xticks=[], ylim=(-0.5, 1.5),
       xlabel="place in the text", xlim=(-0.2, left[-1] + 0.2))
ax.grid(False)
plots.Picture(
    fig,
    alt="Two rows of boxes. The upper one is a sentence cut into tokens: whole words such as "
    "'is', and pieces of words. The lower row is the same, one token further on.",
)

# %% tags=["fold", "nbval-ignore-output"] name="data-numbers"
# How large the data are.
Table(
    ["part", "characters", "tokens", "characters per token"],
    [[name, len(part), len(row), f"{len(part) / len(row):.2f}"]
     for name, part, row in (("training", text.train, ids),
                             ("validation", text.validation, held_out))],
)

# %% [markdown] name="formula"
# The text is Python's own documentation, as `help()` shows it (PSF licence). About every fifth page is held out for validation, and paragraphs that stand on training pages too are left out of it. `data.corpus(path)` takes a text of yours in its place. `data.bpe` has made the 512 tokens as [the lesson on a character model](../04_mathematics/11_a_character_model.ipynb) does, from bytes. So every text can be cut, and comes back exactly.
#
# ## Formula
#
# The loss is the one of [that lesson](../04_mathematics/11_a_character_model.ipynb), which also derives the perplexity $e^J$:
#
# $$J = -\frac{\sum_t w_t \log p(x_t \mid x_1, \dots, x_{t-1})}{\sum_t w_t}$$
#
# In pre-training every weight $w_t$ is 1.
#
# ## Derivation: the loss of one who does not look
#
# Take a model that ignores the text before the token. It has one row of logits $b$, the same at every place.
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $b_k$ | `b` | $(V,)$ | the logit of token $k$ at every place |
# | $p_k$ | | $(V,)$ | its softmax |
# | $f_k$ | `frequencies` | $(V,)$ | the share of token $k$ in the text |

# %% tags=["fold"] name="derivation"
# Derivation 1: one row of logits for all places.
b, f, p = (sp.IndexedBase(name, real=True) for name in "bfp")
V, j, k, i = sp.symbols("V j k i", integer=True, positive=True)
names = {"b": b, "f": f, "p": p, "V": V, "j": j, "k": k, "i": i}
softmax = sp.exp(b[k]) / sp.Sum(sp.exp(b[j]), (j, 1, V))

def everywhere(b, f):  # place t has the label t and the weight 3 f_t; b stands at each of them
    return weighted_mean(cross_entropy(np.tile(b, (len(f), 1)), np.arange(len(f))), 3 * f)

(
    derive("J", "-Sum(f[k] * log(p[k]), (k, 1, V))",
           "places with the same label have the same loss; $f_k$ is their share of the weight",
           names, {V: (2, 3, 4)}, simplex=[f], means={p[k]: softmax})
    .equals("log(Sum(exp(b[j]), (j, 1, V))) - Sum(f[k] * b[k], (k, 1, V))",
            "the logarithm of the softmax; the $f_k$ sum to 1")
    .library("weighted_mean(cross_entropy(b, x), w).value",
             lambda b, f: everywhere(b, f).value, each=True)
    .slope("b[i]", "exp(b[i]) / Sum(exp(b[j]), (j, 1, V)) - f[i]",
           "the first term gives the softmax, the second $f_i$")
    .equals("p[i] - f[i]", "**prediction minus frequency**")
    .library("weighted_mean(cross_entropy(b, x), w).grad.sum(0)",
             lambda b, f: everywhere(b, f).grad.sum(0), each=True)
)

# %% [markdown] name="derivation-text"
# The slope is zero where $p_k = f_k$, and nowhere else. $J$ is a bowl in $b$, so this is its minimum. What is the loss at the start, where all logits are equal, and what is it at the minimum?

# %% tags=["fold"] name="derivation-ends"
# Derivation 2: the loss with equal logits.
(
    derive(r"J_{\text{start}}", "-Sum(f[k] * log(1 / V), (k, 1, V))", "all logits are equal",
           names, {V: (2, 3, 4)}, simplex=[f], tex=r"-\sum_{k=1}^{V} f_k \log \frac{1}{V}")
    .equals("log(V)", "**the uniform guess**: the $f_k$ sum to 1")
    .library("weighted_mean(cross_entropy(0 * b, x), w).value",
             lambda f: everywhere(0 * f, f).value, each=True)
)

# %% tags=["fold"] name="derivation-frequencies"
# Derivation 3: the loss at the minimum.
(
    derive(r"J_{\text{frequencies}}", "-Sum(f[k] * log(f[k]), (k, 1, V))",
           "$p_k = f_k$: **the entropy of the frequencies**", names, {V: (2, 3, 4)}, simplex=[f])
    .library("weighted_mean(cross_entropy(log(f), x), w).value",
             lambda f: everywhere(np.log(f), f).value, each=True)
)

# %% [markdown] name="levels-text"
# This is why the frequencies can come first. Every batch has nearly the same frequencies. So every step pushes the logits the same way, along $f_k - p_k$.
#
# Now let a model see the last token, and nothing before it. It has a row of logits for each last token, and the same derivation holds for each row: the best row is the share of each next token *after this one*. That is a table of pairs, and one can count it. With the last two tokens it is a table of triples. **In the text in which we count, no model that looks so far back and no farther can do better than its table.**
#
# ## Four levels
#
# So we count in the training text and measure on the validation text. A pair that never occurred must not get the probability 0. So each row of the table of pairs gets ten more tokens, dealt out by the frequencies.

# %% name="tables"
V = 512
n = np.zeros((V, V))
np.add.at(n, (ids[:-1], ids[1:]), 1)  # n[i, j]: how often token j follows token i
frequencies = (n.sum(0) + 1) / (n.sum() + V)
pairs = (n + 10 * frequencies) / (n.sum(1, keepdims=True) + 10)

# %% tags=["fold", "nbval-ignore-output"] name="levels"
# The loss of each table on the validation text; triples are counted in the same way.
levels = {
    "uniform guess": np.log(V),
    "frequencies": -np.log(frequencies[unseen.y]).mean(),
    "pairs": -np.log(pairs[unseen.x, unseen.y]).mean(),
    "triples": made["triples"](ids, held_out, pairs),
}
trained = training.evaluate(base.model, unseen)
assert levels["frequencies"] - levels["pairs"] > 0.7 and levels["triples"] - trained > 0.05
Table(["who predicts", "sees", "loss (nats per token)", "perplexity"],
      [[name, sees, f"{J:.2f}", f"{np.exp(J):.0f}"] for (name, J), sees in zip(
          [*levels.items(), ("base model", trained)],
          ("nothing", "nothing", "1 token", "2 tokens", "up to 64 tokens"), strict=True)])

# %% [markdown] name="model-text"
# ## The model
#
# Our model has the shape of the Llama language models, in small. Each token becomes a row of 64 numbers, its **embedding**. That row runs through the model, and four parts add something to it. Before each part, and once at the end, a norm scales the row to a fixed size. In **attention** a place receives a weighted mean of what stands at the places before it and at its own. The weights are a softmax, computed from the rows and from how far apart they stand. Attention is the only part in which a place sees others. The MLP (multilayer perceptron) is a hidden layer that works on each place alone. At the end the embedding is used once more: its product with the row makes the logits. The model sees at most 64 tokens, its **context**.

# %% tags=["fold"] name="model-picture"
# The model as a flow, with the number of parameters of each part.
model = Transformer(models.Config())
size = {name: models.parameter_count(part) for name, part in (
    ("embedding", model.embed_tokens), ("attention", model.layers[0].self_attn),
    ("MLP", model.layers[0].mlp))}
fig, (ax,) = plots.panels()
fig.set_size_inches(9.2, 2.9)

def box(x, y, words, colour):
    ax.add_patch(FancyBboxPatch((x - 0.62, y - 0.3), 1.24, 0.6, boxstyle="round,pad=0.05",
                                fc=colour, ec="0.3"))
    ax.text(x, y, words, ha="center", va="center", fontsize=8)

ax.annotate("", (11.1, 0), (0.7, 0), arrowprops={"arrowstyle": "->", "lw": 4, "color": "0.6"})
box(0, 0, f"embedding\n{size['embedding']:,}", "#F0E442")
box(11.8, 0, "logits\n(embedding)", "#F0E442")
for n_part, part in enumerate(("attention", "MLP", "attention", "MLP")):
    x = 2.1 + 2.3 * n_part
    box(x + 0.45, 1.35, f"{part}\n{size[part]:,}", "#56B4E9" if part == "attention" else "#E69F00")
    ax.annotate("norm", (x - 0.05, 1.0), (x - 0.55, 0.08), fontsize=7, color="0.3",
                arrowprops={"arrowstyle": "->"}, ha="right", va="bottom")
    ax.annotate("", (x + 1.25, 0.12), (x + 0.95, 1.0), arrowprops={"arrowstyle": "->"})
    ax.text(x + 1.3, 0, "+", ha="center", va="center", fontsize=13, fontweight="bold",
            bbox={"boxstyle": "circle,pad=0.1", "fc": "w", "ec": "0.3"})
ax.text(10.75, 0.12, "norm", fontsize=7, color="0.3", ha="center", va="bottom")
ax.text(2.8 + 0.9, 2.0, "layer 1", ha="center")
ax.text(7.4 + 0.9, 2.0, "layer 2", ha="center")
ax.set(xlim=(-0.9, 12.7), ylim=(-0.6, 2.3))
ax.axis("off")
print(f"parameters in all, with the norms: {models.parameter_count(model):,}")
plots.Picture(
    fig,
    alt="A thick line from the embedding on the left to the logits on the right. Four branches "
    "leave it, each through a norm, and come back to a plus on the line: attention and MLP of "
    "layer 1, attention and MLP of layer 2. A last norm stands before the logits. The numbers of "
    "parameters stand in the boxes.",
)

# %% name="show-model"
show(Transformer.forward, Block.forward, Attention.forward)

# %% [markdown] name="model-reading"
# The picture holds a prediction. Take the attention away: then each place sees its own token alone, so the model can be a table of pairs at best. **Whatever lies below the level of pairs on the training text came through attention.**
#
# ## The loop
#
# One function trains every model of this chapter:

# %% name="show-train"
show(training.train)

# %% [markdown] name="loop-text"
# Line by line, from the `for` on:
#
# - **Rate.** Each optimizer gets its rate: it rises during the warm-up, then it falls as the recipe says.
# - **`zero_grad`.** Gradients add up in PyTorch. What the last step left must go.
# - **Batch.** It depends on the seed and the number of the step alone. So a run that goes on later gets the same one.
# - **`_gradient`.** Our cross-entropy of each token, times its weight, added up, divided by the weights of the *whole* batch, and back through the model.
# - **Clipping.** A gradient [longer than `clip`](../03_algorithms/17_clipping_and_accumulation.ipynb) is shortened to it.
# - **Step.** [AdamW](../03_algorithms/13_adamw.ipynb), with decay on the matrices and none on the norms.
# - **Evaluation.** Now and then the loss on text that is never trained on.
# - **Checkpoint.** Model, optimizer and history in one file. Kill the run, start it again, and it ends with the same bits (`make kill` tries it).
#
# What `show` leaves out calls `watch`, and stops at a token outside the vocabulary or a loss that is not finite. The same function serves several processes (`torchrun -m lessons_lib.training.distributed`) and computes in 16 bits on a GPU that can.
#
# ## The run
#
# We train for 240 steps, like the beginning of the base model's training. `watch` is called before each update. It notes the model's probabilities for one fixed beginning and the gradient norm of each part, and copies the model once.

# %% name="run"
prompt = torch.from_numpy(data.encode(tokenizer, "the value of"))[None]
said, norms, shelf = [], [], Transformer(models.Config())

@torch.no_grad()
def watch(step, model):
    if step == 48:
        shelf.load_state_dict(model.state_dict())  # a copy, for later
    said.append(torch.softmax(model(prompt)[0, -1], -1).numpy())
    parts = model.embed_tokens, *(part for b in model.layers for part in (b.self_attn, b.mlp))
    norms.append([sum((p.grad**2).sum() for p in part.parameters()) ** 0.5 for part in parts])

recipe = training.Recipe(steps=240, lr=3e-3, warmup=50, lr_end=1, evaluate_every=20)
torch.manual_seed(seed)
model = Transformer(models.Config())
batches = data.windows(ids, context=64, rows=16, seed=seed)
history = training.train(model, batches, recipe, validation=unseen, watch=watch)

# %% tags=["fold", "nbval-ignore-output"] name="run-picture"
# The run, the levels, and the base model's validation loss.
tokens = PER_STEP * np.arange(1.0, 241)  # read when the loss was noted, with the current batch
checked, stored = np.array(history.validation), np.array(base.about["validation"])
fig, (ax,) = plots.panels()
fig.set_size_inches(7.6, 4.2)
plots.draw_lines(
    ax,
    {"this run, training": tokens, "this run, validation": PER_STEP * checked[:, 0],
     "base model, validation": PER_STEP * stored[:, 0]},
    {"this run, training": history.loss, "this run, validation": checked[:, 1],
     "base model, validation": stored[:, 1]},
    "tokens read (log)", "loss (nats per token)", log="x")
for name, J in levels.items():
    ax.axhline(J, color="0.35", lw=1, ls=":")
    ax.text(1.1e3, J + 0.05, f"{name} {J:.2f}", fontsize=8)

def crossed(level, course):  # tokens read when the validation loss was first below
    return PER_STEP * course[course[:, 1] < level][0, 0]

share = n.sum(0)[n.sum(0) > 0] / n.sum()
print(f"entropy of the frequencies in the training text: {-(share * np.log(share)).sum():.2f} nats")
print(f"first check below the frequencies after "
      f"{crossed(levels['frequencies'], checked):,.0f} tokens, "
      f"below the pairs after {crossed(levels['pairs'], checked):,.0f}")
print(f"base model: below the triples after {crossed(levels['triples'], stored):,.0f} tokens")
assert 0.4e6 < crossed(levels["triples"], stored) < 1.6e6
plots.Picture(
    fig,
    alt="Loss over the logarithm of the tokens. The run starts at the uniform guess, stays there "
    "for some thousand tokens, falls to the level of the frequencies and lies on a shelf there. "
    "Then it falls through the level of the pairs. The base model's validation loss goes on, and "
    "passes the level of the triples near a million tokens.",
)

# %% [markdown] name="run-reading"
# The run starts at the uniform guess. Near 5.2, the entropy of the frequencies in its text, it nearly stops: here is the odd place of the first picture, as a shelf. It passes the level of the pairs without a rest. The base model needs 0.8 million tokens to do better than a table of triples, which is counted in a second.
#
# ## Play
#
# What the model says after "the value of", step by step. A ring is the frequency of the token, a cross its share after " of" in the table of pairs. At which steps do the bars stand on the rings? When do they leave for the crosses?

# %% tags=["fold", "nbval-ignore-output"] name="play-picture"
# The probabilities of some tokens, as the run goes on.
after_of = pairs[int(prompt[0, -1])]
shown = np.unique(np.r_[after_of.argsort()[-7:], frequencies.argsort()[-7:]])
shown = shown[np.argsort(-after_of[shown])]
labels = [repr(tokenizer.decode([int(t)])).strip("'").replace(" ", "␣") for t in shown]
fig, (ax,) = plots.panels()
fig.set_size_inches(7.8, 3.6)
ax.set(xlabel="next token (␣ is a space)", ylabel="probability", ylim=(0, 0.55),
       xticks=range(len(shown)), xlim=(-0.6, len(shown) - 0.4))
ax.set_xticklabels(labels, family="monospace", fontsize=8, rotation=45)
ax.plot(range(len(shown)), frequencies[shown], "ok", mfc="none", label="frequency", zorder=5)
ax.plot(range(len(shown)), after_of[shown], "x", color="#D55E00", label='after " of"', zorder=5)
ax.legend()
the = tokenizer.encode(" the").ids[0]

def at(ax, step):
    p = said[step]
    ax.bar(range(len(shown)), np.minimum(p[shown], 0.55), color="#56B4E9")
    return (f"After {step} steps the loss is {history.loss[step]:.2f}; ' the' has "
            f"{p[the]:.0%} (frequency {frequencies[the]:.0%}, after ' of' {after_of[the]:.0%}).")

plots.moving(
    fig, "steps", [*range(0, 64, 4), *range(64, 240, 16), 239], at, start=48, play=True,
    alt="A bar for each of about a dozen tokens. After 48 steps the bars stand near the rings, the "
    "frequencies. At the end the bar of ' the' has grown far beyond its ring.",
)

# %% [markdown] name="norms-text"
# Near step 48 the bars stand close to the rings: the " of" before makes no difference yet. At the end the bar of " the" has come near its cross.
#
# ## Who learns on the shelf?
#
# A model that does not look at the text needs no attention and no MLP. Here is the length of the gradient of each part, in the same run.

# %% tags=["fold", "nbval-ignore-output"] name="norms-picture"
# Gradient norm of each part (after clipping) in this run; the numbers are of five recorded runs.
def of_runs(setup, what):
    return np.array([run[setup][what] for run in record.runs.values()])

def first_below(setup, name):  # the step at which the validation loss was first below a level
    level = np.array([[run["levels"][name]] for run in record.runs.values()])
    return of_runs(setup, "step")[0][(of_runs(setup, "loss") < level).argmax(1)]

names_of = ["embedding", "attention 1", "MLP 1", "attention 2", "MLP 2"]
pull, at_step = of_runs("whole", "pull"), of_runs("whole", "step")[0]
shelf_pull = np.median(pull[:, (at_step >= 30) & (at_step < 45)], axis=1)
rise = np.median(pull[:, -5:], axis=1) / shelf_pull
print("gradient norm at the end / on the shelf: "
      + ", ".join(f"{name} {spread(r, '.1f')}" for name, r in zip(names_of, rise.T, strict=True)))
print("below the frequencies at step: all parts "
      + spread(first_below("whole", "frequencies"), ".0f")
      + ", embedding alone " + spread(first_below("embedding alone", "frequencies"), ".0f"))
assert (rise[:, 1:].min(1) > 1.5 * rise[:, 0]).all()
plots.lines(
    np.arange(120), dict(zip(names_of, np.array(norms[:120]).T, strict=True)), "step",
    "gradient norm (log)",
    "Five curves. The embedding's gradient stays between 0.3 and 0.8 throughout. Those of "
    "attention and MLP of both layers are several times smaller between the steps 27 and 42, and "
    "rise when the shelf ends.", title="On the shelf little pulls at the inner parts", log="y",
)

# %% [markdown] name="knowing-text"
# On the shelf the embedding keeps its gradient, and attention and MLP receive little. That alone proves nothing: [AdamW](../03_algorithms/13_adamw.ipynb) divides a gradient by its usual size, so a small one can make a full step. The test is to freeze both layers as they began. **The embedding alone passes the level of the frequencies as early as the whole model.**
#
# ## Is a crossed level a thing learned?
#
# A loss equal to a table's does not prove that the model *is* that table. So we compare the probabilities themselves, at every place of the validation text. The distance is the [Kullback-Leibler divergence](../03_algorithms/09_divergences.ipynb) of the model from the table: 0 nats if both say the same everywhere. And we make the test that the drawing of the model suggests: the same training with attention taken out.

# %% name="blind"
class Nothing(torch.nn.Module):  # in the place of each layer's attention
    def forward(self, x):
        return torch.zeros_like(x)

blind = Transformer(models.Config())
for layer in blind.layers:
    layer.self_attn = Nothing()

# %% tags=["fold", "nbval-ignore-output"] name="knowing-picture"
# Five recorded runs of 320 steps, each with other pages, weights and batches; bands over them.
def above(setup, what="loss"):  # the validation loss above the level of the pairs
    level = np.array([[run["levels"]["pairs"]] for run in record.runs.values()])
    return of_runs(setup, what) - level

at_tokens = PER_STEP * at_step
fig, axes = plots.panels(2)
fig.set_size_inches(8.4, 3.2)
plots.draw_lines(axes[0], at_tokens, {
    "to the frequencies": plots.band(of_runs("whole", "to_frequencies")),
    "to the pairs": plots.band(of_runs("whole", "to_pairs")),
    "to the pairs, no attention": plots.band(of_runs("no attention", "to_pairs"))},
    "tokens read", "distance (nats)", "How far from the tables?")
plots.draw_lines(axes[1], at_tokens, {
    "with attention": plots.band(above("whole")),
    "no attention": plots.band(above("no attention"))},
    "tokens read", "loss above the pairs (nats)", "What attention brings")
axes[1].axhline(0, color="0.35", lw=1, ls=":")
for ax in axes:
    ax.ticklabel_format(axis="x", style="sci", scilimits=(3, 3))
plots.Picture(
    fig,
    alt="Left: the model's distance to the frequencies falls from 2 nats to nearly 0 near 45 "
    "thousand tokens and rises again; its distance to the pairs falls from 5.8 to 1 nat, without "
    "attention to one half. Right: validation loss above the level of the pairs. Without attention "
    "it is lower at first and stops above 0. With attention it falls later and goes below 0.",
)

# %% tags=["fold", "nbval-ignore-output"] name="knowing-numbers"
# The numbers of the picture.
near, near_pairs = of_runs("whole", "to_frequencies"), of_runs("whole", "to_pairs")
nearest = near.argmin(1)
ahead = above("whole") - above("no attention")
print(f"to the frequencies, at the start: {spread(near[:, 0])} nats")
print(f"to the frequencies, at the nearest: {spread(near.min(1))} nats, "
      f"after {spread(at_tokens[nearest], ',.0f')} tokens")
passed = np.arange(len(near)), (above("whole") < 0).argmax(1)  # where the pairs are crossed
alone = above("whole", "from_last")[passed]
print(f"where the level of the pairs is crossed: {spread(near_pairs[passed])} nats from the pairs; "
      f"loss from the last token alone {spread(alone)} above the pairs")
print("no attention, at the end: "
      f"{spread(of_runs('no attention', 'to_pairs')[:, -1])} nats from the pairs, "
      f"loss {spread(above('no attention')[:, -1])} above them")
print(f"with attention, at the end: loss {spread(-above('whole')[:, -1])} below the pairs")
worst = ahead.argmax(1)
print(f"without attention ahead by up to {spread(ahead.max(1))} nats, "
      f"after {spread(at_tokens[worst], ',.0f')} tokens")
assert (near.min(1) < 0.2 * near[:, 0]).all() and (above("no attention") > 0).all()
assert (above("whole")[:, -1] < -0.1).all() and (ahead.max(1) > 0.1).all() and (alone > 0.1).all()
record

# %% [markdown] name="knowing-reading"
# The first level is real. On the shelf the model nearly *is* the table of frequencies: it says the same everywhere and does not look at the text. The second level is only a height. When the loss passes the pairs, the model is still about 1 nat away from that table. Shown the last token alone, it guesses worse than the table. What lies farther back makes up for it.
#
# The prediction was for the training text. It holds on the validation text too: in these 320 steps no run without attention gets below the level of the pairs, and all runs with attention do. They also surprise: they have no shelf, and at first they are *ahead*. In this model attention costs time at the beginning and pays later.
#
# ## What attention looks at
#
# Each layer forms four such weighted means of attention side by side, its attention heads. To use triples, a place must see the token before its own. One head in layer 2 of the base model does mostly that:

# %% tags=["fold", "nbval-ignore-output"] name="attention-picture"
# The attention weights of one head over a sentence, and its mean weight on the token before.
@torch.no_grad()
def looks(tokens, layer=1):
    x = base.model.embed_tokens(torch.from_numpy(tokens))
    for block in base.model.layers[:layer]:
        x = block(x)
    block = base.model.layers[layer]
    return block.self_attn.weights(block.input_layernorm(x)).numpy()

one_back = np.diagonal(looks(unseen.x), -1, 2, 3).mean((0, 2))  # of each head
head = int(one_back.argmax())
sentence = line[:18]
cells = looks(sentence[None])[0, head]
pieces = [tokenizer.decode([t]).replace(" ", "␣") for t in sentence]
fig, (ax,) = plots.panels()
fig.set_size_inches(6.2, 5.2)
fig.colorbar(ax.imshow(cells, cmap="Blues", vmin=0, vmax=1), label="attention weight")
ax.set(xticks=range(len(pieces)), yticks=range(len(pieces)), xlabel="looks at", ylabel="place")
ax.set_xticklabels(pieces, rotation=90, family="monospace", fontsize=8)
ax.set_yticklabels(pieces, family="monospace", fontsize=8)
ax.grid(False)
print("mean weight on the token before, per head of layer 2: "
      + ", ".join(f"{weight:.2f}" for weight in one_back))
assert one_back.max() > 0.35
plots.Picture(
    fig,
    alt="A square matrix over the tokens of a sentence. Above the diagonal it is empty. Most of "
    "the weight lies just below the diagonal: each place looks at the token before.",
)

# %% [markdown] name="samples-text"
# Most of the weight of this head lies one place back. And what do the models write after "The"?

# %% tags=["fold", "nbval-ignore-output"] name="samples"
# What the models write, at temperature 0.7.
def writes(model):
    row = models.generate(model, data.encode(tokenizer, "The"), 40, 0.7, seed=1)
    return " ".join(tokenizer.decode(row.tolist()).split())

torch.manual_seed(seed)
fresh = Transformer(models.Config())
Table(["tokens read", "loss", "writes"],
      [[f"{read_:,}", f"{training.evaluate(m, unseen):.2f}", writes(m)] for read_, m in (
          (0, fresh), (48 * PER_STEP, shelf), (240 * PER_STEP, model),
          (base.about["tokens"], base.model))],
      "Drawn from the probabilities to the power 1/0.7, which favours the likely tokens.")

# %% [markdown] name="breaks-text"
# Tokens at random, then frequent tokens, then pieces of words, then words. The base model writes what looks like documentation and means nothing. That is what 123,712 parameters can do.
#
# ## What breaks
#
# Somebody judges a model by its training loss. It is printed at every step, and it costs nothing. Here are both losses of the base model.

# %% tags=["fold", "nbval-ignore-output"] name="breaks-picture"
# Training loss (mean of ten noted batches, over 100 steps) and validation loss of the base model.
means = np.array(long).reshape(-1, 10).mean(1)
middle = PER_STEP * (100 * np.arange(len(means)) + 46)
def change(course, first, last):  # from the mean of three checks to that of three others
    return np.mean(course[last - 3 : last]) - np.mean(course[first - 3 : first])
print(f"last 600 steps: training loss {change(means, 19, 25):+.2f}, "
      f"validation loss {change(stored[:, 1], 19, 25):+.2f}")
print(f"training, last 100 steps: {means[-1]:.2f} nats, perplexity {np.exp(means[-1]):.1f}")
print(f"validation: {trained:.2f} nats, perplexity {np.exp(trained):.1f}")
print(f"tokens read / tokens of the text: {base.about['tokens'] / len(ids):.0f}")
assert trained - means[-1] > 0.3
fig, (ax,) = plots.panels()
plots.draw_lines(ax, {"training": middle, "validation": PER_STEP * stored[:, 0]},
                 {"training": means, "validation": stored[:, 1]}, "tokens read",
                 "loss (nats per token)", "Base model")
plots.Picture(
    fig,
    alt="Two falling curves. Near 100 thousand tokens they meet. Then the training loss keeps "
    "falling to below 2 nats, while the validation loss flattens at 2.9.",
)

# %% [markdown] name="exercises"
# The signature: two curves that part and do not meet again. After 100 steps the model has read half as many tokens as the text has, and they are nearly equal. At the end it has read 13 times as many: it has seen each page again and again, and a part of what it gains is that it remembers them. In the last 600 steps the training loss falls by 0.13 nats, and the validation loss by 0.02. The report would say perplexity 7; on new pages it is 17.
#
# The cure costs one line, `validation=unseen`: pages that the model never trains on. Keep the parameters with the lowest validation loss, as in [early stopping](../02_concepts/02_what_makes_a_loss_good.ipynb).
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Two levels (5 minutes, medium)
# `n[i, j]` says how often token `j` follows token `i` in a text. Return the lowest mean loss on this text for a model that sees nothing, and for one that sees the last token. Every entry of `n` is above 0.

# %% name="exercise-two-levels"
def two_levels(n):
    ### BEGIN SOLUTION
    f = n.sum(axis=0) / n.sum()
    q = n / n.sum(axis=1, keepdims=True)
    return -(n * np.log(f)).sum() / n.sum(), -(n * np.log(q)).sum() / n.sum()
    ### END SOLUTION

# %% name="check-two-levels"
check("two_levels")

# %% [markdown] name="exercise-pull-text"
# <details><summary>Hint 1</summary>The best model without sight gives each token its share of the column sums.</details>
# <details><summary>Hint 2</summary>With the last token in sight each row of n has its own shares. The mean of -log of the share runs over all pairs, each as often as it occurs.</details>
#
# ### 2. The pull on the logits (5 minutes, medium)
# Logits `z` of shape `(T, V)`, labels `y` and weights `w` of shape `(T,)`. Return the gradient of $J$ in the logits, shape `(T, V)`: the first thing that goes back through the model.

# %% name="exercise-pull"
def pull(z, y, w):
    ### BEGIN SOLUTION
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    hot = np.eye(z.shape[1])[y]
    return w[:, None] * (p - hot) / w.sum()
    ### END SOLUTION

# %% name="check-pull"
check("pull")

# %% [markdown] name="exercise-context-text"
# <details><summary>Hint 1</summary>Prediction minus label, for each token. What share of the weight has it?</details>
# <details><summary>Hint 2</summary>np.eye(V)[y] has a 1 at each label. Subtract the largest logit of a row before the exponential, or large logits overflow.</details>
#
# ### 3. Does a longer context help? (6 minutes, medium)
# `loss` has the shape `(rows, context)`: the loss of each label, and `context` is a power of two. The label at place $t$ (from 0) is guessed from $t + 1$ tokens. Return a list of mean losses: from 1 token, from 2, from 3 to 4, from 5 to 8, and so on, each group twice as long as the one before. Then call `by_context(nats)`, the base model's losses on the validation text.

# %% tags=["fold", "nbval-ignore-output"] name="nats"
# The base model's loss of each label of the validation text, (rows, 64).
with torch.no_grad():
    logits = base.model(torch.from_numpy(unseen.x)).numpy()
nats = cross_entropy(logits.reshape(-1, V), unseen.y.ravel())
nats = nats.value.reshape(unseen.y.shape)
by_pairs = -np.log(pairs[unseen.x, unseen.y])[:, 0].mean()
print(f"the table of pairs, on the first label of each row: {by_pairs:.2f} nats")

# %% name="exercise-context"
def by_context(loss):
    ### BEGIN SOLUTION
    found, first, last = [], 0, 1
    for _ in range(loss.shape[1].bit_length()):
        found.append(loss[:, first:last].mean())
        first, last = last, 2 * last
    return found
    ### END SOLUTION

# %% name="check-context"
check("by_context")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>The groups are the columns 0, 1, 2 to 3, 4 to 7, ...</details>
# <details><summary>Hint 2</summary>Each group begins where the last one ended, and ends at twice that place.</details>
# <details><summary>What it means (after solving)</summary>From one token the base model guesses at about 4.1 nats: worse than the table of pairs, though its loss over all places lies below the triples. From 5 to 8 tokens it has 2.8, and the later groups hardly less. But each group has other labels, and some are easier. The same labels, guessed from 8 tokens and from 64, differ by 0.1 nats (last table of this lesson).</details>
#
# ## Takeaways
#
# - Count before you train. Uniform guess, frequencies, pairs and triples are levels that cost a second. They say which table does as well as your model.
# - Our model first learns how often each token occurs. For a while it is nearly that table, and hardly looks at the text.
# - Do not judge a model by its training loss, and do not take a passed level for a thing learned. Do not train a network of this size where it stays above the level of the triples: there the table is better.
#
# ## Does it hold?
#
# **Other pages, rates and batches.** The recorded runs, five seeds each, measured on 48 rows of the validation text of that seed. In "embedding alone" both layers are frozen.

# %% tags=["fold", "nbval-ignore-output"] name="control-table"
# How near to the frequencies, and when.
rows = []
for setup in ("whole", "no warm-up", "a third of the rate", "half the rows",
              "no attention", "embedding alone"):
    steps, near = of_runs(setup, "step")[0], of_runs(setup, "to_frequencies")
    rows.append([setup.replace("whole", "as above"), spread(near.min(1)),
                 spread(steps[near.argmin(1)], ".0f"),
                 spread(first_below(setup, "frequencies"), ".0f")])
    assert near.min(1).max() < 0.4
groups = [nats[:, first:last].mean() for first, last in ((0, 1), (4, 8), (32, 64))]
assert np.allclose(groups, (4.1, 2.8, 2.8), atol=0.4)  # what exercise 3 says
Table(["training", "nearest to the frequencies (nats)", "at step",
       "below the frequencies at step"], rows)

# %% [markdown] name="control-text"
# Every training passes near the table of frequencies. Without a warm-up it does so sooner, so the warm-up does not make the shelf. With a third of the rate it comes later. With half the rows it takes about as many steps, that is half the tokens. Without attention, and with the embedding alone, the model comes less near and passes on.
#
# **Other tables.** Ten mixed-in tokens are a choice. With one, the tables trust what they saw once, and triples lose most. From ten on both levels hardly move. The base model lies below all of them.

# %% tags=["fold", "nbval-ignore-output"] name="control-mixed"
# The levels of pairs and of triples with other numbers of mixed-in tokens.
rows = []
for extra in (1, 5, 10, 20, 50):
    table = (n + extra * frequencies) / (n.sum(1, keepdims=True) + extra)
    rows.append([extra, -np.log(table[unseen.x, unseen.y]).mean(),
                 made["triples"](ids, held_out, pairs, extra)])
lowest = np.array(rows).min(0)
assert levels["pairs"] - lowest[1] < 0.15 and lowest[2] - trained > 0.05
Table(["mixed-in tokens", "pairs (nats per token)", "triples (nats per token)"],
      [[extra, f"{two:.2f}", f"{three:.2f}"] for extra, two, three in rows])

# %% [markdown] name="control-labels-text"
# **The same labels from fewer tokens.** Every 13th token of the validation text is guessed from the 4 to 64 tokens before it.

# %% tags=["fold", "nbval-ignore-output"] name="control-labels"
# The base model's loss on the same labels, from more and from fewer tokens.
ends, seen = np.arange(64, len(held_out), 13), {}
for tokens in (4, 8, 16, 32, 64):
    with torch.no_grad():
        logits = base.model(torch.from_numpy(held_out[ends[:, None] + np.arange(-tokens, 0)]))
    seen[tokens] = cross_entropy(logits[:, -1].numpy(), held_out[ends]).value
more = {tokens: found - seen[64] for tokens, found in seen.items()}
assert more[8].mean() > 0.05 and abs(more[32].mean()) < 0.05
Table(["tokens", "loss (nats per token)", "above 64 tokens (with its standard error)"],
      [[tokens, f"{seen[tokens].mean():.2f}",
        f"{d.mean():.2f} ± {d.std() / len(d) ** 0.5:.2f}"] for tokens, d in more.items()])

# %% [markdown] name="control-labels-reading"
# Each doubling helps less. Beyond 32 tokens the base model gains nothing that we can measure.
#
# **Ten million parameters.** The same loop with a larger model, on the source of Python's whole standard library, for one GPU.

# %% tags=["fold", "nbval-ignore-output"] name="control-gpu"
# What the newest recorded run on a GPU found.
recorded()

# %% [markdown] name="sources"
# ## Sources
#
# - C. E. Shannon, 1951: *Prediction and entropy of printed English*. The levels by how far one looks back, for letters.
# - T. A. Chang, Z. Tu and B. K. Bergen, 2024: *Characterizing learning curves during language model pre-training: learning, forgetting, and stability*, arXiv 2308.15419. Large models, too, begin with the statistics of short runs of tokens.
# - N. Belrose, Q. Pope, L. Quirke, A. Mallen and X. Fern, 2024: *Neural networks learn statistics of increasing complexity*, arXiv 2402.04362. Simple statistics first, also in the language models of the Pythia family.
# - N. Elhage and others, 2021: *A mathematical framework for transformer circuits*. A transformer without layers is a table of pairs.
# - The model: A. Vaswani and others, 2017, *Attention is all you need*; H. Touvron and others, 2023, *LLaMA: open and efficient foundation language models*.
