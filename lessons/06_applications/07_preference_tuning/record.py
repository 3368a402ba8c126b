"""Preference tuning of the small model: six losses, four rates each, judged by fresh answers to new prompts."""

import copy

import numpy as np
import torch

from lessons_lib import bridge, data, losses, models, training
from lessons_lib.bridge import as_autograd

SEEDS = range(7)
RATES = [3e-5, 1e-4, 2e-4, 4e-4]
STEPS, PAIRS, MOST = 32, 8, 32  # updates, pairs in each, tokens of an answer at most
LOSSES = ["DPO", "IPO", "KTO", "CPO", "SimPO", "ORPO"]
OF_PAIRS = {k: as_autograd(getattr(losses, k.lower())) for k in LOSSES}


def short(text):
    return len(text) <= 40


def full_stop(text):
    return text.endswith(".")


class World:
    """A reference fine-tuned on docstrings, pairs of its own answers, and prompts of other modules to judge by."""

    def __init__(self, seed, steps=160, prompts=256, judged=128, rule=short):
        base, self.tokenizer, _ = models.pretrained()
        train, test = data.docstring_task(self.tokenizer, seed)
        self.reference, self.rule, self.seed = copy.deepcopy(base), rule, seed
        rows = data.shuffled(data.answers(train, 64), 16, seed)
        training.train(self.reference, rows, training.Recipe(steps=steps, lr=3e-3, warmup=20))
        self.reference.requires_grad_(False)
        rng = np.random.default_rng(seed)
        brief, new = ([e.prompt for e in part if len(e.prompt) <= 24] for part in (train, test))
        self.prompts = [brief[i] for i in rng.permutation(len(brief))[:prompts]]
        self.new = [new[i] for i in rng.permutation(len(new))[:judged]]
        self.drawn = [self.sample(self.reference, self.prompts, seed + 1000 * k) for k in (1, 2)]
        self.compare(rule)

    def compare(self, rule):
        """Keep the prompts where the rule likes one of the two answers alone; a quarter of the pairs is held out."""
        first, second = (np.array([rule(t) for t in self.texts(d)]) for d in self.drawn)
        kept = np.flatnonzero(first != second)
        both = [torch.stack(part) for part in zip(*self.drawn, strict=True)]  # each (2, prompts, ...)
        won = torch.from_numpy(np.where(first[kept], 0, 1))
        at = torch.from_numpy(kept)
        self.chosen, self.rejected = ([part[k, at] for part in both] for k in (won, 1 - won))
        self.held = len(kept) // 4
        with torch.no_grad():
            self.before = [self.log_p(self.reference, side) for side in (self.chosen, self.rejected)]

    @torch.no_grad()
    def sample(self, model, prompts, seed):
        """Tokens (n, 24 + MOST), where each answer begins, and where it ends."""
        draw = torch.Generator().manual_seed(seed)
        begin = torch.tensor([len(p) for p in prompts])
        tokens = torch.zeros(len(prompts), 24 + MOST, dtype=torch.long)
        for row, p in zip(tokens, prompts, strict=True):
            row[: len(p)] = torch.from_numpy(p)
        end, open_ = begin.clone(), torch.arange(len(prompts))
        for _ in range(MOST):
            h = model.embed_tokens(tokens[open_, : int(end[open_].max())])
            for layer in model.layers:
                h = layer(h)
            h = model.norm(h[torch.arange(len(open_)), end[open_] - 1])
            word = torch.multinomial((h @ model.embed_tokens.weight.T).softmax(-1), 1, generator=draw)[:, 0]
            tokens[open_, end[open_]] = word
            end[open_] += 1
            open_ = open_[word != 0]
            if not len(open_):
                break
        return tokens, begin, end

    def texts(self, answers):
        rows = zip(*(part.tolist() for part in answers), strict=True)
        return [self.tokenizer.decode(t[b:e]).strip() for t, b, e in rows]

    def tokens_log_p(self, model, answers):
        """log-probabilities (n, T, vocabulary) of what may come next, and a mask: 1 on the answer."""
        tokens, begin, end = answers
        top = int(end.max())
        place = torch.arange(1, top)
        mask = (place >= begin[:, None]) & (place < end[:, None])
        return model(tokens[:, : top - 1]).log_softmax(-1), mask.float()

    def log_p(self, model, answers, mean=False):
        all_, mask = self.tokens_log_p(model, answers)
        word = answers[0][:, 1 : mask.shape[1] + 1]
        log_p = all_.gather(-1, word[..., None])[..., 0]
        return losses.mean_log_p(log_p, mask) if mean else losses.sequence_log_p(log_p, mask)

    def loss(self, name, model, at, flip=None):
        """The mean loss of the pairs `at`."""
        both = [torch.cat([c[at], r[at]]) for c, r in zip(self.chosen, self.rejected, strict=True)]
        log_p = self.log_p(model, both, mean=name in ("SimPO", "ORPO"))
        c, r = log_p.chunk(2)
        ref_c, ref_r = (part[at] for part in self.before)
        if name == "KTO":  # the baseline: answers under the prompts of others, as the paper estimates it
            turned = self.behind_another_prompt(both)
            with torch.no_grad():
                lead = self.log_p(model, turned) - self.log_p(self.reference, turned)
            labels = torch.cat([torch.ones(len(at)), -torch.ones(len(at))]).long()
            return OF_PAIRS[name](log_p, torch.cat([ref_c, ref_r]), labels, max(0.0, float(lead.mean()))).mean()
        if name in ("DPO", "IPO"):
            return OF_PAIRS[name](c, r, ref_c, ref_r).mean()
        return OF_PAIRS[name.split(",")[0]](c, r).mean()

    def behind_another_prompt(self, answers):
        tokens, begin, end = answers
        new = torch.zeros_like(tokens)
        ends = []
        for i, row in enumerate(new):
            j = (i + 1) % len(new)  # the next example's prompt
            words = torch.cat([tokens[j, : begin[j]], tokens[i, begin[i] : end[i]]])
            row[: len(words)] = words
            ends.append(len(words))
        return new, begin.roll(-1), torch.tensor(ends)

    def tuned(self, name, lr, steps=STEPS):
        model = copy.deepcopy(self.reference).requires_grad_(True)
        adam = torch.optim.Adam(model.parameters(), lr)
        rng = np.random.default_rng(self.seed)
        for _ in range(steps):
            at = torch.from_numpy(rng.integers(self.held, len(self.before[0]), PAIRS))
            value = self.loss(name, model, at)
            adam.zero_grad()
            value.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
        return model.requires_grad_(False)

    @torch.no_grad()
    def judge(self, model):
        """Share of fresh answers that the rule likes, KL from the reference (nats an answer), how much the log-p of
        held-out chosen and rejected answers changed (nats), the length of the fresh answers (tokens)."""
        fresh = self.sample(model, self.new, self.seed + 5000)
        ours, mask = self.tokens_log_p(model, fresh)
        theirs, _ = self.tokens_log_p(self.reference, fresh)
        kl = ((ours.exp() * (ours - theirs)).sum(-1) * mask).sum(1).mean()
        share = np.mean([self.rule(t) for t in self.texts(fresh)])
        moved = [
            (self.log_p(model, [p[: self.held] for p in side]) - before[: self.held]).mean()
            for side, before in zip((self.chosen, self.rejected), self.before, strict=True)
        ]
        return [float(v) for v in (share, kl, *moved, (fresh[2] - fresh[1]).float().mean())]


def run(seed):
    """For each loss and rate what `judge` returns; the same for the reference and for another rule; two lengths."""
    bridge.start("cpu", seed)
    world = World(seed)
    found = {"reference": world.judge(world.reference), "pairs": len(world.before[0])}
    found["chosen length"] = float((world.chosen[2] - world.chosen[1]).float().mean())
    for name in LOSSES:
        found[name] = [world.judge(world.tuned(name, lr)) for lr in RATES]
    found["SimPO, sums"] = [world.judge(world.tuned("SimPO, sums", lr)) for lr in RATES[1:3]]
    world.rule = full_stop
    world.compare(full_stop)
    found["full stop"] = [world.judge(world.reference)] + [world.judge(world.tuned("DPO", lr)) for lr in RATES[1::2]]
    return found
