# ---
# jupyter:
#   lesson:
#     title: "A character model, in nats, bits and perplexity"
#     question: "Two models read the same text. One has perplexity 6, the other 30. Which one is better?"
#     minutes: 25
#     needs: [03_algorithms/02_cross_entropy, 03_algorithms/04_adam, 03_algorithms/25_whose_mean]
#     studies: [losses.cross_entropy]
#     settles: [G21, E18]
#     terms: [token, padding, perplexity, bit]
# ---

# %% [markdown] name="title"
# # A character model, in nats, bits and perplexity
#
# **Goal.** Train a small language model, and read its loss in three units without being fooled by them.
#
# **The question.** Two models read the same text. One has perplexity 6, the other 30. Perplexity says how unsure a model is: low is good. So which model is better?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import re
from pydoc_data.topics import topics

import numpy as np
import sympy as sp
from matplotlib import colormaps

from lessons_lib import bridge, exercises, plots
from lessons_lib.core import mean, weighted_mean
from lessons_lib.derive import derive
from lessons_lib.losses import cross_entropy
from lessons_lib.optim import Adam, Each
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("04_mathematics/11_a_character_model")

# %% [markdown] name="text-reading"
# The text is Python's own documentation, as `help()` shows it (PSF licence), with the characters a to z and the space. Half of the pages are for training, half for the test. A paragraph that stands on several pages is kept once: so the test text is new to the models.
#
# A language model does not read letters but tokens. A **token** is one of $V$ numbered pieces into which a text is cut. Our first model has 27 tokens, the characters. The second one begins with the same 27. The pair of neighbours that is most frequent in the training text becomes a new token. Done 200 times, this gives 227 tokens; we call them pieces. Llama 2 has 32 000 tokens made in this way, but none of its pieces runs from one word into the next.

# %% tags=["fold"] name="text"
# The text as numbers; and how frequent pairs become tokens.
SIGNS = " abcdefghijklmnopqrstuvwxyz"

def signs(text):  # the numbers 0 to 26
    return np.maximum(np.frombuffer(text.encode(), np.uint8).astype(int) - ord("a") + 1, 0)

def halves(seed):  # the paragraphs for training, and those for the test, each one once
    halves, known = ([], []), set()
    for n, page in enumerate(np.random.default_rng(seed).permutation(sorted(topics))):
        for part in topics[page].lower().split("\n\n"):
            part = " ".join(re.findall("[a-z]+", part))
            if part and part not in known:
                halves[n % 2].append(part)
                known.add(part)
    return halves

def join(ids, pair, new):  # every such pair of neighbours becomes one token
    taken = []
    for i in np.flatnonzero((ids[:-1] == pair[0]) & (ids[1:] == pair[1])):
        if not taken or i > taken[-1] + 1:  # pairs may not overlap, as the two in "aaa" do
            taken.append(i)
    ids = ids.copy()
    ids[taken] = new
    return np.delete(ids, np.array(taken, int) + 1)

def frequent_pairs(ids, count):
    pairs = []
    for V in range(27, 27 + count):
        often = np.bincount(ids[:-1] * V + ids[1:], minlength=V * V)
        pairs.append(divmod(int(often.argmax()), V))
        ids = join(ids, pairs[-1], V)
    return pairs

def cut(ids, pairs):  # a text of characters in tokens
    for new, pair in enumerate(pairs, 27):
        ids = join(ids, pair, new)
    return ids

def spelling(pairs):
    spelled = list(SIGNS)
    for a, b in pairs:
        spelled.append(spelled[a] + spelled[b])
    return spelled

# %% [markdown] name="model-text"
# Both models are the same small network. It looks at the last four tokens. For each of the four places there is a table with a row of 64 numbers per token. The four rows are added up, a tanh bends the sum, and a head makes the logits of the next token. The label needs no human: it is the text itself, one token on.

# %% name="model"
K, HIDDEN = 4, 64  # tokens that the model looks back; width of its hidden layer

def windows(ids):  # the K tokens before each one; before the text stand spaces
    return np.lib.stride_tricks.sliding_window_view(np.r_[np.zeros(K, int), ids[:-1]], K)

def start(V, seed):  # a head of zeros: at first every token is as likely as any other
    rows = np.random.default_rng(seed).normal(size=(K * V, HIDDEN)) / K**0.5
    return {name: a.astype(np.float32) for name, a in
            {"rows": rows, "head": np.zeros((HIDDEN, V)), "bias": np.zeros(V)}.items()}

def hidden(theta, before):  # before: (B, K) tokens
    V = len(theta["bias"])
    return np.tanh(theta["rows"][before + np.arange(K) * V].sum(axis=1))

# %% name="train"
def train(before, ids, V, seed, batch=256, steps=600):  # before: windows(ids)
    theta, rule, rng = start(V, seed), Each(Adam(0.01)), np.random.default_rng(seed)
    state, losses = rule.init(theta), []  # Each: one Adam per array
    for _ in range(steps):
        i = rng.integers(len(ids), size=batch)
        h = hidden(theta, before[i])
        loss = mean(cross_entropy(h @ theta["head"] + theta["bias"], ids[i]))
        back = (loss.grad @ theta["head"].T) * (1 - h**2)  # through the head and tanh
        seen = np.zeros((batch, K * V), np.float32)  # 1 where a row was added
        np.put_along_axis(seen, before[i] + np.arange(K) * V, 1, axis=1)
        g = {"rows": seen.T @ back, "head": h.T @ loss.grad, "bias": loss.grad.sum(axis=0)}
        theta, state = rule.update(theta, g, state)
        losses.append(float(loss.value))
    return theta, losses

# %% tags=["fold"] name="runs"
# Both models for every seed: other pages, other batches. The test text has 50 000 characters.
def scores(theta, before, ids):  # the loss of each token, in nats
    return cross_entropy(hidden(theta, before) @ theta["head"] + theta["bias"], ids).value

MODELS, LETTERS, TOKENS = ("characters", "pieces"), 50_000, {"characters": 27, "pieces": 227}
texts, runs = [], {name: [] for name in MODELS}
for s in setting.seeds:
    train_text, test_text = (signs(" ".join(half)) for half in halves(s))
    test_text = test_text[:LETTERS]
    pairs = frequent_pairs(train_text, 200)
    texts.append((train_text, test_text, pairs))
    for name, used in zip(MODELS, ([], pairs), strict=True):
        ids, test_ids = cut(train_text, used), cut(test_text, used)
        theta, losses = train(windows(ids), ids, TOKENS[name], s)
        runs[name].append({"theta": theta, "losses": losses, "ids": test_ids,
                           "nats": scores(theta, windows(test_ids), test_ids),
                           "spelled": spelling(used)})
test_string = "".join(SIGNS[i] for i in texts[0][1])
test_nats = runs["characters"][0]["nats"]
perplexities = {name: [np.exp(r["nats"].mean()) for r in found] for name, found in runs.items()}
assert 1.3 * max(perplexities["characters"]) < min(perplexities["pieces"])

# %% tags=["fold", "nbval-ignore-output"] name="question-picture"
# The same stretch of the test text, cut by each model, with the loss of each token.
def strip(ax, y, run, first, last):  # boxes for the tokens that begin between two characters
    ends = np.cumsum([len(run["spelled"][i]) for i in run["ids"]])
    begins = np.r_[0, ends[:-1]]
    for t in np.flatnonzero((begins >= first) & (ends <= last)):
        shade = colormaps["Oranges"](min(run["nats"][t] / 8, 1) * 0.85)
        ax.barh(y, ends[t] - begins[t], left=begins[t] - first, height=0.5, color=shade,
                edgecolor="0.35", lw=0.8)
        spelled = run["spelled"][run["ids"][t]].replace(" ", "␣")
        ax.text((begins[t] + ends[t]) / 2 - first, y, spelled, ha="center", va="center",
                fontsize=10, family="monospace")
        ax.text((begins[t] + ends[t]) / 2 - first, y + 0.33, f"{run['nats'][t]:.1f}",
                ha="center", fontsize=7)

both_end = [np.cumsum([len(r["spelled"][i]) for i in r["ids"]])
            for r in (runs["pieces"][0], runs["characters"][0])]
first = int(both_end[0][both_end[0] > 1000][0])
last = int(both_end[0][both_end[0] <= first + 36][-1])
fig, (ax,) = plots.panels()
fig.set_size_inches(9.2, 2.9)
for y, name in ((1, "characters"), (0, "pieces")):
    strip(ax, y, runs[name][0], first, last)
ax.set(ylim=(-0.45, 1.6), xlim=(-0.3, last - first + 0.3), xlabel="place in the text (characters)",
       yticks=[0, 1], yticklabels=[f"{n}:\nperplexity {perplexities[n][0]:.1f}" for n in
                                   ("pieces", "characters")],
       title="One text, cut in two ways (above each token its loss in nats)")
ax.grid(False)
plots.Picture(
    fig,
    alt="Two rows of boxes over the same stretch of text. The upper row has a box for each "
    "character, most of them pale, with losses from 0 to about 5 nats. The lower row has fewer "
    "boxes, most of two or more characters, with losses up to about 8 nats. Left stand the "
    "perplexities: small for the characters, several times as large for the pieces.",
)

# %% tags=["fold", "nbval-ignore-output"] name="question-numbers"
# The perplexities of all seeds.
def spread(values, digits=3):
    return f"{np.median(values):.{digits}g} ({min(values):.{digits}g} to {max(values):.{digits}g})"

for name in MODELS:
    print(f"perplexity of the model of {name}: {spread(perplexities[name])} over the seeds")

# %% [markdown] name="question-reading"
# The pieces have a perplexity several times as high. But there are fewer of them to guess. What does perplexity count?
#
# ## Derivation: from the probability of a text to its loss
#
# The article is about fine-tuning large language models, and gives no loss for one. Here it is. A language model gives a probability to every text, token after token:
#
# $$p_t = P(x_t \mid x_1, \dots, x_{t-1})$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $x_t$ | `ids[t]` | $(T,)$, integers in $0..V-1$ | the tokens; $T$ of them |
# | $p_t$ | | $(T,)$ | the probability that the model gave to the token that came |
# | $w_t$ | `w` | $(T,)$, at least 0 | how much a token counts |
#
# Take three tokens. What does cross-entropy, added up, have to do with the probability of all three?

# %% tags=["fold"] name="derive-chain"
# Derivation 1: the losses of the tokens add up to that of the text.
P1, P2, P3 = sp.symbols("P_1 P_2 P_3", positive=True)
p1, p2, p3 = sp.symbols("p_1 p_2 p_3", positive=True)
names = {"P1": P1, "P2": P2, "P3": P3, "p1": p1, "p2": p2, "p3": p3}

def token_losses(p):  # p: the probability of the token that came, here the first of two
    logits = np.log(np.stack([p, 1 - p], axis=-1))
    return cross_entropy(logits, np.zeros(p.shape, int))

(
    derive(
        r"-\log P(x_1, x_2, x_3)",
        "-log(P1 * (P2 / P1) * (P3 / P2))",
        "$P_t$ is the probability of the first $t$ tokens; all but $P_3$ cancels",
        names,
        means={p1: P1, p2: P2 / P1, p3: P3 / P2},
        ranges={P1: (0.5, 0.9), P2: (0.2, 0.45), P3: (0.02, 0.15)},
        tex=r"-\log \left( P_1 \cdot \frac{P_2}{P_1} \cdot \frac{P_3}{P_2} \right)",
    )
    .equals("-log(p1 * p2 * p3)", "each quotient is the probability of a token, given those before")
    .equals("-log(p1) - log(p2) - log(p3)", "**the losses of the tokens, added up**")
    .library(
        "cross_entropy(z, x).value.sum()",
        lambda P1, P2, P3: token_losses(np.stack([P1, P2 / P1, P3 / P2], -1)).value.sum(-1),
    )
)

# %% [markdown] name="formula"
# So the sum of the losses belongs to *the text*, not to a token. What training minimises, and what is reported, is a mean:
#
# $$J = -\frac{\sum_{t} w_t \log p_t}{\sum_{t} w_t}$$
#
# Most weights are 1. In fine-tuning on questions and answers the question, called the prompt, often gets the weight 0, as in Llama 2: the model shall learn to answer, not to ask. The **padding**, filler tokens that make all rows of a batch equally long, gets the weight 0 too.
#
# What does a weight do to the training? Take one token with the logits $z$ and the weight $w$. Number its classes so that class 1 is the one that came. All other tokens together have the weight $W$ and the mean loss $R$.

# %% tags=["fold"] name="derive-pull"
# Derivation 2: how hard a token pulls at its own logit.
z, j, V = sp.IndexedBase("z", real=True), *sp.symbols("j V", integer=True, positive=True)
w1, others, rest = sp.symbols("w W R", positive=True)

def pair_of_tokens(z, w, W, R):  # the token, and one that stands for all others
    p = np.exp(-R)
    other = np.log(np.r_[p, np.full(len(z) - 1, (1 - p) / (len(z) - 1))])
    return weighted_mean(cross_entropy(np.stack([z, other]), np.zeros(2, int)), np.array([w, W]))

(
    derive(
        "J",
        "(w * (log(Sum(exp(z[j]), (j, 1, V))) - z[1]) + W * R) / (w + W)",
        "the weighted mean; the first bracket is cross-entropy from logits",
        {"z": z, "j": j, "V": V, "w": w1, "W": others, "R": rest},
        sizes={V: (2, 3)},
        ranges={rest: (0.1, 3)},
    )
    .library(
        "weighted_mean(cross_entropy(z, x), w).value",
        lambda z, w, W, R: pair_of_tokens(z, w, W, R).value,
        each=True,
    )
    .slope(
        "z[1]",
        "w / (w + W) * (exp(z[1]) / Sum(exp(z[j]), (j, 1, V)) - 1)",
        "**the token's share of the weights, times prediction minus 1**",
        tex=r"\frac{w}{w + W} \left( \frac{e^{z_1}}{\sum_j e^{z_j}} - 1 \right)",
    )
    .library(
        "weighted_mean(cross_entropy(z, x), w).grad",
        lambda z, w, W, R: pair_of_tokens(z, w, W, R).grad[0, 0],
        each=True,
    )
)

# %% [markdown] name="perplexity-text"
# A token with the weight 0 does not pull at all, and the others then share all the weight.
#
# The **perplexity** of a model on a text is $e^J$. What does it count?

# %% tags=["fold"] name="derive-perplexity"
# Derivation 3: perplexity is an inverse geometric mean.
p, w = sp.symbols("p w", cls=sp.IndexedBase, real=True, positive=True)
t, T = sp.symbols("t T", integer=True, positive=True)
(
    derive(
        "e^J",
        "exp(-Sum(w[t] * log(p[t]), (t, 1, T)) / Sum(w[t], (t, 1, T)))",
        "the weighted mean of the losses",
        {"p": p, "w": w, "t": t, "T": T},
        sizes={T: (2, 3)},
        simplex=[p],
        tex=r"\exp \left( -\frac{\sum_t w_t \log p_t}{\sum_t w_t} \right)",
    )
    .library(
        "exp(weighted_mean(cross_entropy(z, x), w).value)",
        lambda p, w: np.exp(weighted_mean(token_losses(p), w).value),
        each=True,
    )
    .equals(
        "1 / Product(p[t]**w[t], (t, 1, T))**(1 / Sum(w[t], (t, 1, T)))",
        "**one over the geometric mean of the probabilities**",
        tex=r"\frac{1}{\left( \prod_t p_t^{\,w_t} \right)^{1 / \sum_t w_t}}",
    )
)

# %% [markdown] name="units"
# A model that guesses among $V$ tokens gives each one $p_t = 1/V$. Then $J = \log V$, and the perplexity is $V$. So perplexity 6 means: on average as unsure as among six equally likely tokens. It is **per token**, and tokens differ in length. So to compare models we return to the sum, which belongs to the text: $T \cdot J$, when all weights are 1. We divide it by something that no model chooses: the number of characters.
#
# $$\text{bits per character} = \frac{T \cdot J}{\text{characters} \cdot \log 2}$$
#
# A **bit** is $\log 2 = 0.69$ nats: what a prediction of $p = 1/2$ costs if it comes true.

# %% tags=["fold", "nbval-ignore-output"] name="one-coin"
# The same text in all units, for both models: each number is the median over the seeds.
def bits(run):  # per character, whatever the tokens
    return run["nats"].sum(dtype=float) / np.log(2) / LETTERS

per_character = {name: [bits(r) for r in found] for name, found in runs.items()}
rows = []
for name, found in runs.items():
    middle = [np.median([f(r) for r in found]) for f in (
        lambda r: len(r["nats"]), lambda r: LETTERS / len(r["nats"]), lambda r: r["nats"].mean(),
        lambda r: np.exp(r["nats"].mean()), lambda r: r["nats"].sum(), bits)]
    rows.append([name, *(f"{m:,.0f}" if m > 1000 else f"{m:.3g}" for m in middle)])
gain = np.subtract(per_character["characters"], per_character["pieces"])
assert (gain > 0.08).all()
Table(["", "tokens", "characters per token", "nats per token", "perplexity", "nats of the text",
       "bits per character"], rows,
      f"50 000 characters of test text. The pieces save {spread(gain, 2)} bits per character.")

# %% tags=["fold", "nbval-ignore-output"] name="one-coin-picture"
# Bits per character, beside two models that do not read.
def by_frequency(train_text, test_text):
    share = np.bincount(train_text, minlength=27) / len(train_text)
    return -np.log2(share[test_text]).mean()

known = {"every character equally likely": np.log2(27),
         "the frequency of each character": plots.band([by_frequency(*x[:2]) for x in texts])}
known |= {f"model of {name}": plots.band(per_character[name]) for name in MODELS}
plots.bars(
    known, "bits per character of the test text",
    "Four bars. Equally likely characters: 4.75 bits. Character frequencies: about 4.1. The model "
    "of characters: about 2.5. The model of pieces, the shortest bar: about 2.2.",
    title="One text, one unit (line: lowest to highest seed)",
)

# %% [markdown] name="answer"
# **The model with the higher perplexity is better**: it gives the same text a higher probability, in every seed. Its tokens are longer, each is harder to guess, and there are fewer of them. Each unit has its use: nats for training, bits per character for comparing, perplexity for models that cut the text alike.
#
# ## Training starts at log V
#
# The uniform guess gives the first thing to look at in any training. With a head of zeros the first loss must be $\log V$. A first loss far above it means a start that is sure of wrong things. Does the loss soon fall to nearly 0? Then look whether the label has leaked into the input. To see both, we give the model of characters a head of random numbers, and then a window that ends with the token to be predicted.

# %% tags=["fold", "nbval-ignore-output"] name="training"
# The loss of each step, with a band over the seeds.
steps = np.arange(1, 601)
curves = {f"{name}, V = {TOKENS[name]}": plots.band([r["losses"] for r in found])
          for name, found in runs.items()}
fig, (ax,) = plots.panels()
plots.draw_lines(ax, steps, curves, "step (log)", "loss of the batch (nats per token)",
                 "Training with Adam (bands: all seeds)", log="x")
for name in MODELS:
    ax.axhline(np.log(TOKENS[name]), color="0.5", lw=0.8)
    ax.text(600, np.log(TOKENS[name]) + 0.05, f"log {TOKENS[name]}", ha="right", fontsize=8)
    assert all(np.isclose(r["losses"][0], np.log(TOKENS[name]), rtol=1e-5) for r in runs[name])
leaks, sure = [], []
for s, (ids, _, _) in zip(setting.seeds, texts, strict=True):
    leaks.append(train(windows(np.r_[ids[1:], 0]), ids, 27, s, steps=150)[1])
    drawn = start(27, s) | {"head": np.random.default_rng(s).normal(size=(HIDDEN, 27))}
    sure.append(scores(drawn, windows(ids[:5000]), ids[:5000]).mean())
assert np.mean(leaks, axis=0)[-20:].max() < 0.1 and min(sure) > 2 * np.log(27)
ax.plot(steps[:150], np.median(leaks, axis=0), ":", color="#009E73",
        label="characters, not shifted")
ax.set_ylim(bottom=0)
ax.legend(loc="lower left")
for name, found in runs.items():
    begin, end = found[0]["losses"][0], np.mean([r["losses"][-50:] for r in found])
    print(f"{name}: first loss {begin:.3f}, log {TOKENS[name]} = {np.log(TOKENS[name]):.3f}; "
          f"mean of the last 50 steps {end:.2f}")
print(f"characters, a head of random numbers: first loss {spread(sure)}")
print(f"characters, not shifted: loss after 100 steps {spread([x[99] for x in leaks], 1)}")
plots.Picture(
    fig,
    alt="Two falling curves over the steps, on a logarithmic axis. Each starts on a thin line: the "
    "characters at log 27 = 3.3, the pieces at log 227 = 5.4. Both fall in every seed, to about "
    "1.6 and 2.4. A third curve, without the shift, falls to 0 within 100 steps.",
)

# %% [markdown] name="sample-text"
# Both models start where they must. The pieces stay higher all the time, and that says nothing about which model is better. (On the test text both lose more, 1.74 and 3.41 nats in the table above: its pages are new.) The loss without the shift is no success: the model copies. What have the two models learned? Draw one token after the other from the models' probabilities:

# %% tags=["fold", "nbval-ignore-output"] name="sample"
# 100 characters of each model, after a space; and, for comparison, one without training.
def predicted(theta, before):
    z = hidden(theta, before) @ theta["head"] + theta["bias"]
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)

def written(theta, spelled, rng):
    ids, text = [0] * K, ""
    while len(text) < 100:
        p = predicted(theta, np.array([ids[-K:]]))[0].astype(float)
        ids.append(int(rng.choice(len(p), p=p / p.sum())))
        text += spelled[ids[-1]]
    return text[:100]

rows = [["untrained", written(start(27, seed), list(SIGNS), np.random.default_rng(seed))]]
rows += [[name, written(runs[name][0]["theta"], runs[name][0]["spelled"],
                        np.random.default_rng(seed))] for name in MODELS]
Table(["model", "what it writes"], rows)

# %% [markdown] name="play-text"
# Both write common words, between strings that only look like words. No sentence makes sense.
#
# ## Play
#
# The model of characters reads 36 characters of the test text. The bars are its probabilities for the next one; the filled bar is the one that came. Two questions: Where in a word are the characters that cost most? And is there one that costs more than 4.75 bits, so that a uniform guess would have been cheaper?

# %% tags=["fold", "nbval-ignore-output"] name="play-picture"
# The next-character probabilities along the text.
read = runs["characters"][0]
place = np.arange(first, first + 36)
chances = predicted(read["theta"], windows(read["ids"])[place])
spelled = "".join(SIGNS[i] for i in read["ids"][first - K : first + 36])
cost = read["nats"][place] / np.log(2)
fig, (ax,) = plots.panels()
fig.set_size_inches(7.6, 3.6)
ax.set(xticks=np.arange(27), xticklabels=["␣", *SIGNS[1:]], ylim=(0, 1), xlim=(-0.7, 26.7),
       xlabel="next character", ylabel="predicted probability",
       title="What comes next? (filled: what came)")
ax.grid(axis="x", visible=False)

def next_character(ax, n):
    came = read["ids"][place[n - 1]]
    ax.bar(np.arange(27), chances[n - 1], color=["#D55E00" if i == came else "white"
                                                 for i in range(27)], edgecolor="#0072B2")
    seen = ("…" + spelled[: K + n - 1]).replace(" ", "␣")
    ax.text(26.3, 0.93, seen + " ?", ha="right", family="monospace", fontsize=9)
    what = "a space" if came == 0 else SIGNS[came]
    return (f"{what} came. Its probability was {chances[n - 1, came]:.2g}: "
            f"{cost[n - 1] * np.log(2):.2f} nats, {cost[n - 1]:.2f} bits. "
            f"So far {cost[:n].sum():.1f} bits for {n} characters.")

plots.moving(
    fig, "character", list(range(1, 37)), next_character, start=6, play=True,
    alt="A bar for each of the 27 characters: the model's probabilities for the next character of "
    "the text that stands above. The bar of the character that came is filled.",
)

# %% [markdown] name="breaks-text"
# The first characters of words cost most: 2.96 nats on average, against 1.37 for the fourth ones (last table of this page). And about one character in six costs more than 4.75 bits: there the model expected something else.
#
# ## What breaks
#
# Rows of a batch must be equally long. So the short ones are filled up with padding, a 28th token. Somebody forgets the weights and takes the mean over everything. We train the model of characters like that, on the training paragraphs, all filled up or cut to 300 characters. Then it reads 100 test paragraphs, in batches. Each batch is filled up to its own longest row, as many programs do.

# %% tags=["fold"] name="padding-runs"
# Paragraphs as padded rows, and the loss of every token, for batches of several sizes.
def filled(parts):  # rows as long as the longest, and the K tokens before each place
    width = max(map(len, parts))
    ids = np.array([np.r_[part, np.full(width - len(part), 27)] for part in parts])
    rows = np.pad(ids[:, :-1], ((0, 0), (K, 0)), constant_values=27)  # before a row: padding
    return np.lib.stride_tricks.sliding_window_view(rows, K, axis=1).reshape(-1, K), ids.ravel()

# Each size divides the next: a larger batch joins whole smaller ones, and is never less padded.
sizes, shown, masked, shares, cheap = (1, 2, 4, 20, 100), [], [], [], []
for s in setting.seeds:
    parts, test_parts = ([signs(part)[:300] for part in half] for half in halves(s))
    theta, _ = train(*filled(parts), 28, s, steps=400)
    for kept in (shown, masked, shares):
        kept.append([])
    for size in sizes:
        batches = [filled(test_parts[i : i + size]) for i in range(0, 100, size)]
        nats = np.concatenate([scores(theta, *batch) for batch in batches])
        w = np.concatenate([ids != 27 for _, ids in batches])
        shown[-1].append(np.exp(nats.mean()))
        masked[-1].append(np.exp((w * nats).sum() / w.sum()))
        shares[-1].append(1 - w.mean())
    cheap.append(nats[~w].mean())
shown, masked, shares = map(np.array, (shown, masked, shares))
assert (shown[:, -1] < 0.7 * masked[:, -1]).all() and (np.diff(shown, axis=1) < 1e-4).all()
assert np.allclose(masked, masked[:, :1], rtol=1e-3) and max(cheap) < 0.2

# %% tags=["fold", "nbval-ignore-output"] name="padding-picture"
# Both means, over the size of the batch.
fig, (ax,) = plots.panels()
plots.draw_lines(
    ax, sizes, {"weight 0 for padding": plots.band(masked), "everything counts": plots.band(shown)},
    "paragraphs in a batch (log)", "perplexity", "One model, one text (bands: all seeds)", log="x",
)
ax.minorticks_off()
ax.set_xticks(sizes, sizes)
plots.Picture(
    fig,
    alt="Perplexity over the size of a batch. With weight 0 for padding the line is flat. With "
    "everything counted the line begins at the same height and falls to less than half of it.",
)

# %% tags=["fold", "nbval-ignore-output"] name="padding-numbers"
# The same numbers, median over seeds.
Table(["paragraphs in a batch", "share of padding", "perplexity, everything counts",
       "with weights"],
      [[size, f"{np.median(shares[:, i]):.0%}", spread(shown[:, i]), spread(masked[:, i])]
       for i, size in enumerate(sizes)],
      f"Mean loss of a padding token: {spread(cheap, 2)} nats.")

# %% [markdown] name="exercises"
# Padding is easy to predict: after padding comes padding. Its losses are nearly 0, and they pull the mean down. **The signature: one model and one text, and the perplexity falls as the batch grows.** The cure is the weight 0, `weighted_mean(loss, w)`. Beware of the mean of the means of rows, too: there a token of a short row counts more ([Whose mean?](../03_algorithms/25_whose_mean.ipynb)).
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. As good as (3 minutes, easy)
# A model of characters has the perplexity `perplexity`. Another model reads tokens of `characters_per_token` characters on average. At which perplexity would it be exactly as good?

# %% name="exercise-even"
def break_even(perplexity, characters_per_token):
    ### BEGIN SOLUTION
    return perplexity ** characters_per_token
    ### END SOLUTION

# %% name="check-even"
check("break_even")

# %% [markdown] name="exercise-loss-text"
# <details><summary>Hint 1</summary>Both must give the text the same sum of nats. Write it for 100 characters.</details>
# <details><summary>Hint 2</summary>The model of characters pays 100 times the log of its perplexity. The other one pays the log of its own once per token, and has fewer tokens.</details>
# <details><summary>What it means (after solving)</summary>Take the table with all units: the perplexity of the characters, and the characters per token of the pieces. The result is far above the perplexity that the pieces have.</details>
#
# ### 2. The loss of a language model (5 minutes, medium)
# A network that has read the tokens `ids` $(T,)$ gives `logits` $(T, V)$: row $t$ has seen `ids[0]` to `ids[t]`. `w[t]` says how much the token `ids[t]` counts as something to learn. Return the weighted mean loss in nats, as a number, finite for every logit. Nothing predicts the first token, and nothing tests the last row.

# %% name="exercise-loss"
def next_token_loss(logits, ids, w):
    ### BEGIN SOLUTION
    z, x, w = logits[:-1], ids[1:], w[1:]
    z = z - z.max(axis=1, keepdims=True)
    loss = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(x)), x]
    return (w * loss).sum() / w.sum()
    ### END SOLUTION

# %% name="check-loss"
check("next_token_loss")

# %% [markdown] name="exercise-place-text"
# <details><summary>Hint 1</summary>Row 0 predicts <code>ids[1]</code>. Shift first, then it is the cross-entropy that you know.</details>
# <details><summary>Hint 2</summary>The weight travels with the token that is predicted. <code>z[np.arange(len(x)), x]</code> picks one logit from each row.</details>
#
# ### 3. Where are the nats? (5 minutes, medium)
# `text` is a string of words, with one space between two words. `nats` has a loss for each character. Return the mean loss of the first characters of all words, of the second ones, and so on: an array of `places` numbers. The space after a word counts as its last character.

# %% name="exercise-place"
def nats_by_place(text, nats, places):
    ### BEGIN SOLUTION
    place = np.concatenate([np.arange(len(word) + 1) for word in text.split(' ')])[:-1]
    return np.array([nats[place == k].mean() for k in range(places)])
    ### END SOLUTION

# %% name="check-place"
check("nats_by_place")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Make an array that holds the place of each character in its word; for "a while" it is 0 1 0 1 2 3 4.</details>
# <details><summary>Hint 2</summary>A word of n letters, with its space, is <code>np.arange(n + 1)</code>. The last word has no space.</details>
# <details><summary>What it means (after solving)</summary>Call <code>nats_by_place(test_string, test_nats, 8)</code>. The beginning of a word costs much, its middle little. The model knows how words go on. With four characters of memory it knows little about which word comes next.</details>
#
# ## Takeaways
#
# - The loss of a language model is cross-entropy with the text as its own label, one token on. Its sum is minus the logarithm of the probability of the text.
# - A head of zeros starts at $\log V$, perplexity $V$. Perplexity is one over the geometric mean of the probabilities.
# - Do not compare perplexities, or nats per token, of models that cut the text differently: use bits per character. Do not count padding: give it the weight 0.
#
# ## Does it hold?
#
# **Did the pieces only see more?** A batch of 256 pieces is a longer text than 256 characters, and four pieces reach back about nine characters. So we train the model of characters longer, and let it look further back, for the first three seeds:

# %% tags=["fold", "nbval-ignore-output"] name="control-longer"
# Bits per character of the same test texts.
found = {(600, 4): per_character["characters"][:3]}
for steps_taken, K in ((1400, 9), (2400, 4)):  # K: the functions above read it; last, it is 4 again
    found[steps_taken, K] = []
    for s, (ids, test_ids, _) in zip(setting.seeds[:3], texts, strict=False):
        theta, _ = train(windows(ids), ids, 27, s, steps=steps_taken)
        nats = scores(theta, windows(test_ids), test_ids)
        found[steps_taken, K].append(bits({"nats": nats}))
behind = {k: np.subtract(v, per_character["pieces"][:3]) for k, v in found.items()}
assert behind[1400, 9].min() > 0.08
assert np.median(behind[2400, 4]) < 0.8 * np.median(behind[600, 4])
rows = [[*k, spread(v), spread(behind[k], 2)] for k, v in found.items()]
Table(["steps, model of characters", "characters it looks back", "bits per character",
       "more than the pieces (600 steps)"], rows)

# %% [markdown] name="control-longer-text"
# In the second row the characters have read as much text as the pieces and look as far back: they are still behind. In the third row they have read more, and much of the gap is gone; with other pages (another seed) it can be all of it. So the ranking belongs to these two trained models, not to characters and pieces as such.
#
# **Where the nats are.** The mean loss by the place in the word, for the model of characters:

# %% tags=["fold", "nbval-ignore-output"] name="control-place"
# The mean loss by place, over the seeds.
found = []
for r in runs["characters"]:
    spaces = np.r_[-1, np.flatnonzero(r["ids"] == 0)]  # a place counts from the last space before
    at = np.arange(LETTERS)
    at = at - 1 - spaces[np.searchsorted(spaces, at) - 1]
    found.append([r["nats"][at == k].mean() for k in range(6)])
found = np.array(found)
dear = [(r["nats"] > np.log(27)).mean() for r in runs["characters"]]
assert (found[:, 0] > 1.3 * found[:, 3]).all()
Table(["", *(f"{n}." for n in range(1, 7))],
      [["nats, median over seeds", *(f"{m:.2f}" for m in np.median(found, axis=0))]],
      f"Share of the characters that cost more than log2 27 = 4.75 bits: {spread(dear, 2)}.")

# %% [markdown] name="sources"
# ## Sources
#
# - C. E. Shannon, 1951: *Prediction and entropy of printed English*.
# - F. Jelinek, R. L. Mercer, L. R. Bahl and J. K. Baker, 1977: *Perplexity: a measure of the difficulty of speech recognition tasks*.
# - Y. Bengio, R. Ducharme, P. Vincent and C. Jauvin, 2003: *A neural probabilistic language model* (a network of this kind).
# - R. Sennrich, B. Haddow and A. Birch, 2016: *Neural machine translation of rare words with subword units* (the pieces).
# - H. Touvron and others, 2023: *Llama 2: open foundation and fine-tuned chat models* (its tokens; no loss on the prompt).
