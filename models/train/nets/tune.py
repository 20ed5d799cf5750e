"""The pretrained network and captures -> the same network fine-tuned to tell screens from bona fide captures.

Tuning begins at the linear head on the frozen network (`heads.py` fits the same), since a head drawn at random would
first spoil what the network knows. Batch norm is folded and so stays frozen; the kept weights are a running mean over
the steps; every source has a level of its own, as in `heads.source_levels`. Print is not tuned for: its head is fitted
on the tuned network's rows like any other. The head is part of what is trained and the kept weights are a mean, so the
loop of `loop.py` does not serve here.

Each epoch is kept, and a stopped run goes on.
"""

import math
import os
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from ..data.captures import PRINT, SCREEN
from ..data.features import as_input
from ..device import device
from ..storing import storing
from .backbone import pool_rows, pretrained
from .fit import EVALUATION_TILES, NEAR, SCENE, SCREEN_VIEWS, TILES, Settings
from .heads import source_weights

# The views of training are drawn from these; `plain` is the file as it is.
VIEWS = SCREEN_VIEWS + ("train5", "train6", "train7", "train8")
BATCH = 64
WARM_UP_STEPS = 40
# The running mean of the weights forgets all but this share a step.
KEPT = 0.99
# Light and colour of a capture vary by these standard deviations: gain of a channel, of all three, offset of all three.
CHANNEL_GAIN, GAIN, OFFSET = 0.04, 0.10, 6.0
# Of the overview also the fall of light across it, by this standard deviation of the gain at nine places; and on this
# share of the captures of either class lies the reflection of a lamp or window, this wide (share of the side) and this
# bright.
FALL, LAMPS, LAMP_SIZE, LAMP_LIGHT = 0.15, 0.35, (0.03, 0.2), (30.0, 230.0)


@dataclass(frozen=True)
class Plan:
    rate: float  # of the network; the head's is three times it
    epochs: int


PLANS = {TILES: Plan(4e-4, 16), SCENE: Plan(1e-4, 14)}


def named(kind, part):
    """Name of the tuned network's features; `part` says which sources it saw."""
    return f"{kind}:{part}"


def kind_of(name):
    return name.split(":")[0]


class Views:
    """Pixels of the views on the device; the whole picture and the second look are views of one network."""

    def __init__(self, kind, pixels):
        self.kind = kind
        looks = (TILES,) if kind == TILES else (SCENE, NEAR)
        self.of = [torch.from_numpy(np.array(pixels[view][look])).to(device()) for look in looks for view in VIEWS]

    def drawn(self, pictures):
        """A view of each picture at random, and of tiles as many as are looked at: [B,(t,)h,w,3]."""
        rows = []
        for picture, view in zip(pictures.tolist(), torch.randint(len(self.of), (len(pictures),)).tolist()):
            pixels = self.of[view][picture]
            rows.append(pixels[torch.randperm(len(pixels))[:EVALUATION_TILES]] if self.kind == TILES else pixels)
        return torch.stack(rows)

    def whole(self, view, rows):
        pixels = self.of[view][rows]
        return pixels[:, :EVALUATION_TILES] if self.kind == TILES else pixels


def lit(x):
    """[B,3,s,s] overviews under another light: one that falls off, and a reflection on some."""
    count, side = len(x), x.shape[-1]
    fall = 1 + torch.randn(count, 1, 3, 3, device=x.device) * FALL
    x = x * F.interpolate(fall, size=(side, side), mode="bilinear", align_corners=True).clamp_min(0.3)
    place = lambda: torch.rand(count, 1, 1, 1, device=x.device)
    between = lambda ends: ends[0] + (ends[1] - ends[0]) * place()
    along = torch.linspace(0, 1, side, device=x.device)
    wide, high = between(LAMP_SIZE), between(LAMP_SIZE)
    far = ((along - place()) / wide) ** 2 + ((along[:, None] - place()) / high) ** 2
    return x + torch.exp(-far) * between(LAMP_LIGHT) * (place() < LAMPS)


def rows_of(network, kind, pixels, vary=False):
    """[B,(t,)h,w,3] bytes -> [B,d]: what the network makes of each capture, as `fit.Table.rows` has it."""
    tiles = pixels.shape[1] if kind == TILES else 1
    x = as_input(pixels.reshape(-1, *pixels.shape[-3:]))
    if vary:
        x = lit(x) if kind == SCENE else x
        drawn = lambda spread, channels: torch.randn(len(pixels), channels, 1, 1, device=x.device) * spread
        gain, offset = 1 + drawn(CHANNEL_GAIN, 3) + drawn(GAIN, 1), drawn(OFFSET, 1)
        gain, offset = (part.repeat_interleave(tiles, 0) for part in (gain, offset))
        x = (x * gain + offset).clamp(0, 255)
    with torch.autocast("cuda", torch.bfloat16, enabled=vary and x.is_cuda):
        rows = network(x.contiguous(memory_format=torch.channels_last))
    rows = rows.float()
    return pool_rows(rows.reshape(len(pixels), tiles, -1)) if kind == TILES else rows


class Head:
    """Logistic regression on standardised rows, with a level a source, under the penalty of `heads.fit_logistic`."""

    def __init__(self, groups, positive, settings):
        names, self.group = np.unique(groups, return_inverse=True)
        both = [0 < positive[groups == name].mean() < 1 for name in names]
        self.free = torch.tensor(both, device=device()).float() * settings.level
        self.group = torch.from_numpy(self.group).to(device())
        self.penalty = 1 / (2 * settings.c * len(groups))
        self.level = torch.zeros(len(names), device=device(), requires_grad=True)
        self.bias = torch.zeros(1, device=device(), requires_grad=True)

    def begin(self, rows):
        """Takes the scale of `rows` and a weight for each of its columns."""
        self.mean, std = rows.mean(0), rows.std(0)
        # A column that never moves says nothing.
        self.std = torch.where(std < 1e-6, torch.inf, std)
        self.weight = torch.zeros(rows.shape[1], device=device(), requires_grad=True)

    def parameters(self):
        return [self.weight, self.bias, self.level]

    def loss(self, rows, index, positive, weight):
        logits = ((rows - self.mean) / self.std) @ self.weight + self.bias + (self.level * self.free)[self.group[index]]
        errors = F.binary_cross_entropy_with_logits(logits, positive, reduction="none") * weight
        return errors.mean() + self.penalty * ((self.weight**2).sum() + (self.level**2).sum())

    def fit(self, rows, index, positive, weight):
        """All of it, the network left as it is."""
        self.begin(rows)
        optimiser = torch.optim.LBFGS(self.parameters(), max_iter=150, line_search_fn="strong_wolfe")

        def step():
            optimiser.zero_grad()
            value = self.loss(rows, index, positive, weight)
            value.backward()
            return value

        optimiser.step(step)

    def folded(self, weight, bias):
        """(weight [d], bias) on rows as they are, like `heads.fit_logistic`."""
        slope = (weight / self.std).double()
        return slope.float().cpu().numpy(), np.float32((bias - slope @ self.mean.double()).item())


def _frozen_rows(network, kind, views, captures):
    with torch.no_grad():
        return torch.cat(
            [
                rows_of(network, kind, views.whole(view, captures[i : i + BATCH]))
                for view in range(len(SCREEN_VIEWS))
                for i in range(0, len(captures), BATCH)
            ]
        )


def tune(kind, table, views, use, path, settings=Settings()):
    """Tunes on the photographs of `use` and leaves network and screen head at `path`."""
    plan = PLANS[kind]
    torch.manual_seed(0)
    captures = np.flatnonzero(use & (table.label != PRINT) & (table.kind != "simulated"))
    positive = table.label[captures] == SCREEN
    weight = torch.from_numpy(source_weights(table.group[captures], positive)).float().to(device())
    head = Head(table.group[captures], positive, settings)
    captures, positive = torch.from_numpy(captures), torch.from_numpy(positive).float().to(device())
    network = pretrained(kind).to(device()).to(memory_format=torch.channels_last)
    count, repeats = len(captures), len(SCREEN_VIEWS)
    index = torch.arange(count, device=device())
    head.fit(
        _frozen_rows(network, kind, views, captures),
        index.repeat(repeats),
        positive.repeat(repeats),
        weight.repeat(repeats),
    )
    body = list(network.parameters())
    tuned = body + head.parameters()
    means = [p.detach().clone() for p in tuned]
    optimiser = torch.optim.AdamW(
        [
            {"params": body, "lr": plan.rate, "weight_decay": 1e-4},
            {"params": head.parameters(), "lr": 3 * plan.rate, "weight_decay": 0.0},
        ]
    )
    steps = count // BATCH
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: (
            min(1.0, (step + 1) / WARM_UP_STEPS) * 0.5 * (1 + math.cos(math.pi * step / (plan.epochs * steps)))
        ),
    )
    first, kept = 0, path + ".state"
    if os.path.exists(kept):
        state = torch.load(kept, map_location=device(), weights_only=True)
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        with torch.no_grad():
            for pairs in (zip(tuned, state["tuned"]), zip(means, state["means"])):
                for mine, its in pairs:
                    mine.copy_(its)
        first = state["epoch"]
    for epoch in range(first, plan.epochs):
        torch.manual_seed(1 + epoch)
        order = torch.randperm(count)
        for i in range(steps):
            chosen = order[i * BATCH : (i + 1) * BATCH]
            rows = rows_of(network, kind, views.drawn(captures[chosen]), vary=True)
            chosen = chosen.to(device())
            loss = head.loss(rows, chosen, positive[chosen], weight[chosen])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(body, 1.0)
            optimiser.step()
            schedule.step()
            step = epoch * steps + i + 1
            with torch.no_grad():
                for mean, parameter in zip(means, tuned):
                    mean.lerp_(parameter, 1 - min(KEPT, step / (step + 20)))
        state = {
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "epoch": epoch + 1,
            "tuned": [p.detach() for p in tuned],
            "means": means,
        }
        with storing(kept) as file:
            torch.save(state, file)
    with torch.no_grad():
        for parameter, mean in zip(body, means):
            parameter.copy_(mean)
    slope, bias = head.folded(means[len(body)], means[len(body) + 1])
    with storing(path) as file:
        torch.save(
            {
                "network": {k: v.cpu().contiguous() for k, v in network.state_dict().items()},
                "head": (torch.from_numpy(slope), float(bias)),
            },
            file,
        )
    os.remove(kept)
    print(f"{os.path.basename(path)}: tuned", flush=True)


def trained(table, pixels, parts):
    """-> feature name -> (network, screen head), of both kinds for each part; cached beside the pixels.

    A part is as `Table.taught` has it.
    """
    done = {}
    for kind in (TILES, SCENE):
        folder = os.path.dirname(pixels[VIEWS[0]][kind].filename)
        path = {part: os.path.join(folder, f"tuned_{kind}_{part}.pt") for part in parts}
        todo = [part for part in parts if not os.path.exists(path[part])]
        views = Views(kind, pixels) if todo else None
        for part in todo:
            tune(kind, table, views, table.taught(part), path[part])
        for part in parts:
            state = torch.load(path[part], map_location="cpu", weights_only=True)
            network = pretrained(kind)
            network.load_state_dict(state["network"])
            done[named(kind, part)] = (network.eval(), (state["head"][0].numpy(), np.float32(state["head"][1])))
    return done
