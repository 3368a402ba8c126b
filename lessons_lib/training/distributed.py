"""The same training in several processes, by PyTorch's own engines.

torchrun --standalone --nproc-per-node 2 -m lessons_lib.training.distributed --engine fsdp --steps 20
python -m lessons_lib.training.distributed --steps 20                          one process, the same batches

ddp: every process has the whole model and a share of each batch. fsdp: parameters, gradients and the optimizer's state
lie in pieces as well. The first process prints loss and gradient norm of each step as a line of JSON. With --checkpoint
the run goes on from that folder, also with another number of processes or another engine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from .. import bridge, data
from ..bridge.sharded import init_state
from ..models import Config, Transformer
from ..optim import AdamW, Momentum, Muon
from .checkpoint import Checkpoint
from .loop import History, Share, train
from .recipe import Recipe, optimizers_for

RULES = {"adamw": AdamW, "momentum": Momentum, "muon": Muon}


class ShardedCheckpoint(Checkpoint):
    """A folder with a folder per saved step, each written by torch.distributed.checkpoint; the last whole one counts.

    Every process writes its own pieces, and any number of processes reads them.
    """

    def _whole(self) -> list[Path]:
        """Those that are finished, which have .metadata: it is written last."""
        return sorted(file.parent for file in self.path.glob("step-*/.metadata"))

    def exists(self) -> bool:
        return bool(self._whole())

    def read(self, model, optimizers) -> dict[str, Any]:
        from torch.distributed.checkpoint import load
        from torch.distributed.checkpoint.state_dict import set_model_state_dict

        found = {**_pieces(model, optimizers), "about": ""}
        load(found, checkpoint_id=self._whole()[-1])
        set_model_state_dict(model, found["model"])
        for optimizer, state in zip(optimizers, found["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        return json.loads(found["about"])

    def save(self, model, optimizers, history) -> None:
        from torch.distributed.checkpoint import save

        old = self._whole()
        about = json.dumps({"settings": self.settings, "history": history._asdict()})
        target = self.path / f"step-{len(history.loss):08}"
        save({**_pieces(model, optimizers), "about": about}, checkpoint_id=target)
        if not dist.is_initialized() or dist.get_rank() == 0:
            for folder in old:
                if folder != target:
                    shutil.rmtree(folder)


def _pieces(model, optimizers) -> dict[str, Any]:
    """What this process has of model and optimizers. PyTorch's get_state_dict would make a step to have a state: Adam
    would count it."""
    from torch.distributed.checkpoint.state_dict import get_model_state_dict

    for optimizer in optimizers:
        init_state(optimizer)
    return {"model": get_model_state_dict(model), "optimizers": [o.state_dict() for o in optimizers]}


def distribute(model: nn.Module, engine: str) -> nn.Module:
    """The model under this engine: "none", "ddp" or "fsdp". Its optimizer is built afterwards."""
    if engine == "ddp":
        return nn.parallel.DistributedDataParallel(model)
    if engine == "fsdp":
        from torch.distributed.fsdp import fully_shard

        for layer in model.layers:
            fully_shard(layer)
        fully_shard(model)  # last, with what is left: the embedding, which is used at both ends
    return model


def run(
    engine: str = "none",
    rule: str = "adamw",
    recipe: Recipe | None = None,
    rows: int = 16,
    checkpoint: str | None = None,
    seed: int = 0,
) -> tuple[nn.Module, History]:
    """Pre-train the small model on Python's pages; `rows` of each batch are shared among the processes."""
    recipe = recipe or Recipe(steps=20, warmup=5)
    share = Share(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))
    device = bridge.start("auto", seed).device
    if share.world > 1 or engine != "none":
        if device.type == "cuda":
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(device)
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        text = data.corpus(seed=seed)
        tokenizer = data.bpe(text.train)
        config = Config()
        torch.manual_seed(seed)  # the same beginning in every process
        model = distribute(Transformer(config).to(device), engine)
        optimizers = optimizers_for(model, recipe, RULES[rule](lr=recipe.lr))
        history = train(
            model,
            data.windows(data.encode(tokenizer, text.train), config.max_position_embeddings, rows, seed),
            recipe,
            optimizers=optimizers,
            checkpoint=ShardedCheckpoint(checkpoint) if checkpoint else None,
            share=share,
        )
        if share.rank == 0:
            for step, (loss, norm) in enumerate(zip(history.loss, history.norm, strict=True)):
                print(json.dumps({"step": step, "loss": loss, "norm": norm}), flush=True)
        return model, history
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def main(args: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--engine", choices=["none", "ddp", "fsdp"], default="none")
    parser.add_argument("--rule", choices=RULES, default="adamw")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--rows", type=int, default=16, help="of each batch, over all processes")
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--checkpoint", help="a folder to save to and to go on from")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(args)
    recipe = Recipe(steps=given.steps, lr=given.lr, warmup=min(5, given.steps - 1), save_every=given.save_every)
    run(given.engine, given.rule, recipe, given.rows, given.checkpoint, given.seed)


if __name__ == "__main__":
    main()
