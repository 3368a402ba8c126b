"""Tuning the small model by a reward: four advantages at three rates each, a penalty, another checker, the noise."""

import collections
import copy
import re

import numpy as np
import torch

from lessons_lib import bridge, data, models, training
from lessons_lib.losses import group_advantage, leave_one_out_advantage, reinforce

SEEDS = range(7)
STEPS, PROMPTS, GROUP, PROMPT, ANSWER = 32, 4, 8, 6, 10
PENALTIES = [0.2, 0.5]
TOLD = 6  # answers that are kept as text
policy_loss = bridge.as_autograd(reinforce)


def plain(rewards):
    return rewards


def ten_more(rewards):
    return rewards + 10


ADVANTAGES = {
    "plain": (plain, [3e-4, 1e-3, 3e-3]),
    "plus 10": (ten_more, [3e-4, 1e-3, 3e-3]),
    "leave one out": (leave_one_out_advantage, [1e-3, 3e-3, 1e-2]),
    "group": (group_advantage, [1e-3, 3e-3, 1e-2]),
}


def run(seed):
    """For each run: reward, entropy, KL and one-letter words of every step, and answers; the noise of the gradient."""
    bridge.start("cpu", seed)
    base, tokenizer, _ = models.pretrained()
    text = data.corpus(seed=0).train
    ids = data.encode(tokenizer, text)
    begins = np.array([tokenizer.id_to_token(k).startswith("Ġ") for k in range(tokenizer.get_vocab_size())])
    places = np.flatnonzero(begins[ids[PROMPT:]])
    counts = collections.Counter(re.findall(r"[a-z]+", text.lower()))
    known = {word for word, n in counts.items() if n >= 5}

    def words(row):
        return {w for w in re.findall(r"[a-z]+", tokenizer.decode(row[PROMPT:]).lower()) if w in known}

    def sample(model, n, rng, draw):
        at = rng.choice(places, n)
        x = torch.from_numpy(ids[at[:, None] + np.arange(PROMPT)]).repeat_interleave(GROUP, 0)
        with torch.no_grad():
            for _ in range(ANSWER):
                x = torch.cat([x, torch.multinomial(model(x)[:, -1].softmax(-1), 1, generator=draw)], 1)
        return x

    def log_probabilities(model, x):
        log_p = model(x[:, :-1])[:, PROMPT - 1 :].log_softmax(-1)
        return log_p, log_p.gather(2, x[:, PROMPT:, None])[..., 0]

    def tuned(advantage, lr, penalty=0.0, least=1):
        rng, draw = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        model, found = copy.deepcopy(base), collections.defaultdict(list)
        (optimizer,) = training.optimizers_for(model, training.Recipe(lr=lr, weight_decay=0.0))
        for _ in range(STEPS):
            x = sample(model, PROMPTS, rng, draw)
            said = [words(row) for row in x.tolist()]
            rewards = torch.tensor([float(sum(len(w) >= least for w in answer)) for answer in said])
            log_p, token = log_probabilities(model, x)
            with torch.no_grad():
                far = (token - log_probabilities(base, x)[1]).sum(1)
            A = advantage((rewards - penalty * far).view(PROMPTS, GROUP)).flatten()
            loss = policy_loss(token, A[:, None].expand_as(token)).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found["reward"].append(rewards.mean().item())
            found["entropy"].append(-(log_p.exp() * log_p).sum(-1).mean().item())
            found["far"].append(far.mean().item())
            found["letters"].append(float(np.mean([sum(len(w) == 1 for w in answer) for answer in said])))
        texts = [[tokenizer.decode(part) for part in (row[:PROMPT], row[PROMPT:])] for row in x.tolist()]
        return {k: [round(v, 4) for v in values] for k, values in found.items()} | {"answers": texts[:: 32 // TOLD]}

    def noise(groups=32):  # what each advantage makes of the same answers of the base model
        x = sample(base, groups, np.random.default_rng(100 + seed), torch.Generator().manual_seed(100 + seed))
        rewards = torch.tensor([float(len(words(row))) for row in x.tolist()]).view(groups, GROUP)
        grads = []
        for row in x:
            base.zero_grad()
            log_probabilities(base, row[None])[1].sum().backward()
            grads.append(torch.cat([p.grad.ravel() for p in base.parameters()]))
        grads = torch.stack(grads).view(groups, GROUP, -1)
        sizes = (grads**2).sum(-1)
        sums = [float((sizes * rewards**k).mean()) for k in range(3)]
        spread = {}
        for name, (advantage, _) in ADVANTAGES.items():
            each = torch.einsum("ng,ngd->nd", advantage(rewards), grads) / GROUP
            spread[name] = float(each.var(0).sum())
        return {"sums": sums, "mean": float(rewards.mean()), "variance": spread}

    return {
        "noise": noise(),
        "rates": {name: [tuned(advantage, lr) for lr in rates] for name, (advantage, rates) in ADVANTAGES.items()},
        "penalties": [tuned(leave_one_out_advantage, 3e-3, penalty) for penalty in PENALTIES],
        "long": tuned(leave_one_out_advantage, 3e-3, least=4),
    }
