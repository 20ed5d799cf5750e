"""A network, batches and a loss -> the trained network: the one training loop."""

import os
import time
from collections import defaultdict
from dataclasses import dataclass

import torch
from torch import nn

from ..storing import storing


@dataclass(frozen=True)
class Plan:
    """AdamW under one cycle of the rate."""

    rate: float
    decay: float
    warm_up: float  # share of the steps in which the rate rises
    clip: float  # norm of a step's gradient, at most
    seed: int = 0
    bfloat16: bool = True  # in the network; the loss has full floats


def train(name, plan, make, rounds, steps, batches, loss_of, path, on=None, frozen=False):
    """Trains what `make()` gives and keeps its state at `path` after every round; a stopped run goes on from there.

    `batches(number)` gives (input, wanted) of one round, `steps` is how many there are in all rounds.
    `loss_of(said, wanted)` gives the loss, and figures by name that are printed. `frozen`: batch norm stays as it is.
    -> the network, and loss and figures of each round.
    """
    on = on or torch.device("cpu")
    torch.manual_seed(plan.seed)
    torch.set_num_threads(1)
    model = make().to(on)
    optimiser = torch.optim.AdamW(model.parameters(), plan.rate, weight_decay=plan.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.rate, total_steps=steps, pct_start=plan.warm_up)
    parts = {"model": model, "optimiser": optimiser, "schedule": schedule}
    begun, curve = 0, []
    if os.path.exists(path):
        state = torch.load(path, map_location=on, weights_only=True)
        if (state["rounds"], state["steps"]) == (rounds, steps):
            for key, part in parts.items():
                part.load_state_dict(state[key])
            begun, curve = state["done"], state["curve"]
    for number in range(begun, rounds):
        model.train(not frozen)
        start, told = time.time(), defaultdict(list)
        for x, wanted in batches(number):
            with torch.autocast(on.type, torch.bfloat16, enabled=plan.bfloat16):
                said = model(x)
            loss, figures = loss_of(said, wanted)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), plan.clip)
            optimiser.step()
            schedule.step()
            for key, value in {"loss": loss.detach(), **figures}.items():
                told[key].append(float(value))
        curve.append({key: sum(values) / len(values) for key, values in told.items()})
        figures = ", ".join(f"{key} {value:.4f}" for key, value in curve[-1].items())
        print(f"{name}: {number + 1}/{rounds}, {figures}, {time.time() - start:.0f} s", flush=True)
        state = {key: part.state_dict() for key, part in parts.items()}
        state |= {"done": number + 1, "rounds": rounds, "steps": steps, "curve": curve}
        with storing(path) as file:
            torch.save(state, file)
    return model.cpu().eval(), curve
