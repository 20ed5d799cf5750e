"""Made-up documents -> models/document_net.onnx: which kind of document a found quadrilateral holds, and which way up.

    python models/train/document.py --photos DIR [--out models] [--fonts DIR] [--cache DIR] [--reports FILE]
    python models/train/document.py --photos DIR --check [--reports FILE] [--simulated DIR]

The documents are drawn (`faces.py`), the views of them cached, then learnt; a stopped run goes on after its last whole
epoch. Marked frames of `document_corners.csv` join as far as `locator.py` may train on them; and of every other source
cards and papers of `material.csv`, at the quadrilaterals that `bonafide screen --format jsonl` found (`--reports`), and
screens of `captures.csv` that show things, as no document. `--check` measures an exported net on what was left out, and
on captures of `bonafide simulate` (`--simulated`), which are never trained on.
"""
import argparse
import csv
import json
import multiprocessing
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from dataset import SCREEN, generator, load_photographs  # noqa: E402
from export import Graph, session, write_manifest, _value  # noqa: E402
from faces import HEIGHT, KINDS, UNTURNED, WIDTH, Stock, cut, framed, laid, view  # noqa: E402
from locator import SEEN_TYPES, UNSEEN_SETTINGS, marked_rows, photographs  # noqa: E402
from reader import Conv, share  # noqa: E402

# Kernel, stride, padding, output channels, residual. The last sees the whole map of 4 x 6 places at once.
CONVS = (
    ((5, 5), (2, 2), (2, 2), 16, False),
    ((3, 3), (2, 2), (1, 1), 24, False),
    ((3, 3), (1, 1), (1, 1), 24, True),
    ((3, 3), (2, 2), (1, 1), 40, False),
    ((3, 3), (1, 1), (1, 1), 40, True),
    ((3, 3), (2, 2), (1, 1), 56, False),
    ((3, 3), (1, 1), (1, 1), 56, True),
    ((3, 3), (2, 2), (1, 1), 44, False),
    ((1, 1), (1, 1), (0, 0), 16, False),
    ((4, 6), (1, 1), (0, 0), 36, False),
)
TURNS = 4
INPUT_SCALE = 1 / 64
BATCH, RATE, DECAY, SMOOTHING, TURN_WEIGHT = 64, 4e-3, 0.02, 0.05, 0.7
MOVED = 4  # pixels, at most
MIRRORED = 0.25  # of the cards with a portrait: it may be on either side
PART = 2000  # views drawn at a time
VIEWS_A_FRAME, VIEWS_A_QUAD, VIEWS_A_SCREEN = 12, 10, 4
FIRST_SEED, CHECK_SEED, CHECKED = 20_000_000, 1, 2000
SURE = 0.9
KIND_OF_TYPE = {
    "alb_id": "portrait_side", "est_id": "portrait_side", "svk_id": "portrait_side", "fin_id": "portrait_side",
    "aze_passport": "passport_page", "grc_passport": "passport_page", "rus_internalpassport": "passport_page",
}
KIND_OF_DESIGN = {"card": "portrait_side", "reverse": "emblem_side", "passport": "passport_page", "page": "licence"}
KIND_OF_MATERIAL = {"cards": "card", "documents": "page"}
SCREEN_CONTENTS = ("photo", "screen_text")
# Where the portrait is on the types that are trained on: left, top, right, bottom in shares.
PORTRAITS = {"alb_id": (0.09, 0.17, 0.31, 0.6), "aze_passport": (0.07, 0.19, 0.24, 0.58),
             "est_id": (0.08, 0.22, 0.31, 0.74), "svk_id": (0.07, 0.21, 0.28, 0.74)}
# Photographs of grey copies: never trained on.
COPIES = "hossamamrani__Project"


class DocumentNet(nn.Module):
    """[n,3,120,192] RGB 0..255 -> logits of the kind [n,7] and of the turn [n,4]."""

    def __init__(self):
        super().__init__()
        self.convs, inputs = nn.ModuleList(), 3
        for kernel, stride, pad, outputs, residual in CONVS:
            self.convs.append(Conv(inputs, kernel, stride, pad, outputs, residual))
            inputs = outputs
        self.kind, self.turn = nn.Linear(inputs, len(KINDS)), nn.Linear(inputs, TURNS)

    def forward(self, x):
        x = x * INPUT_SCALE
        for conv in self.convs:
            x = conv(x)
        x = x.mean((2, 3))
        return self.kind(x), self.turn(x)


# ---- Pictures to learn from

def read(path):
    return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)


def in_unseen_setting(row):
    return os.path.basename(row["path"]).split(".")[0] in UNSEEN_SETTINGS


def seen_rows(root):
    """Marked frames that may be trained on, with their corners."""
    for row in marked_rows(root):
        if row["document"] in SEEN_TYPES and not in_unseen_setting(row):
            yield row, corners_of(row)


def corners_of(row, names=("x{k}", "y{k}")):
    return np.array([[float(row[name.format(k=k)]) for name in names] for k in range(4)], np.float32)


def portraits(root):
    """Portraits cut from the marked frames that may be trained on."""
    found = []
    for row, corners in seen_rows(root):
        face = cut(read(os.path.join(root, row["path"])), corners)
        h, w = face.shape[:2]
        x0, y0, x1, y1 = (round(v * s) for v, s in zip(PORTRAITS[row["document"]], (w, h, w, h)))
        found.append(face[y0:y1, x0:x1])
    return found


_stock = None


def _begin(photos, faces, fonts):
    global _stock
    cv2.setNumThreads(1)
    _stock = Stock(photos, faces, fonts)


def _made(seed):
    return view(_stock, seed)


def drawn(stock_parts, first, count, path, workers):
    """`count` views from seed `first` on, in parts; -> pictures [N,120,192,3], kinds, turns."""
    parts, pool = [], None
    for part in range(count // PART):
        name = f"{path}_{part:03d}.npz"
        if not os.path.exists(name):
            pool = pool or multiprocessing.get_context("spawn").Pool(workers, _begin, stock_parts)
            start, seeds = time.time(), range(first + part * PART, first + (part + 1) * PART)
            _store(name, list(pool.imap(_made, seeds, chunksize=25)))
            print(f"views: {(part + 1) * PART}/{count}, {time.time() - start:.0f} s", flush=True)
        stored = np.load(name)
        parts.append((stored["pictures"], stored["kinds"], stored["turns"]))
    if pool:
        pool.close()
    return [np.concatenate(column) for column in zip(*parts)]


def _store(name, views):
    pictures, kinds, turns = zip(*views)
    with open(name + ".part", "wb") as file:
        np.savez(file, pictures=np.stack(pictures), kinds=np.array(kinds), turns=np.array(turns))
    os.replace(name + ".part", name)


def found_quads(path):
    """Rows of `bonafide screen` -> the end of each picture's path -> its document's corners."""
    found = {}
    for line in open(path) if path else ():
        row = json.loads(line)
        if row.get("document"):
            found["/".join(row["path"].split("/")[-3:])] = np.array(row["document"]["corners"], np.float32)
    return found


def material(root, quads, tested):
    """Cards and papers at the quadrilaterals that were found, of every other source; -> path, corners, kind, source."""
    pictures = [p for p in load_photographs(root) if p.kind in KIND_OF_MATERIAL]
    sources = {kind: sorted({p.source for p in pictures if p.kind == kind}) for kind in KIND_OF_MATERIAL}
    for picture in pictures:
        path = picture.overview or picture.path
        if "/".join(path.split("/")[-3:]) in quads and sources[picture.kind].index(picture.source) % 2 == tested:
            quad = quads["/".join(path.split("/")[-3:])]
            yield os.path.join(root, path), quad, KIND_OF_MATERIAL[picture.kind], picture.source


def screens(root, tested):
    """Photographs of screens that show things or text, of every other source; -> path, group."""
    pictures = [p for p in load_photographs(root) if p.label == SCREEN and p.content in SCREEN_CONTENTS]
    groups = sorted({p.group for p in pictures})
    for picture in pictures:
        if groups.index(picture.group) % 2 == tested:
            yield os.path.join(root, picture.overview or picture.path), picture.content


def outline(image):
    h, w = image.shape[:2]
    return np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)


def photographed(root, quads, path):
    """Views of marked frames, cards and papers, and of screens without documents, that may be trained on."""
    if not os.path.exists(path):
        views = []
        for row, corners in seen_rows(root):
            image, kind = read(os.path.join(root, row["path"])), KINDS.index(KIND_OF_TYPE[row["document"]])
            for k in range(VIEWS_A_FRAME):
                picture, turn = framed(image, corners, generator(row["path"], k))
                views.append((picture, kind, turn))
        for name, corners, kind, _ in material(root, quads, tested=0):
            image = read(name)
            for k in range(VIEWS_A_QUAD):
                views.append((framed(image, corners, generator(name, k))[0], KINDS.index(kind), UNTURNED))
        for name, content in screens(root, tested=0):
            if content != "photo":  # text on a screen, close by, looks like a page
                continue
            image = read(name)
            for k in range(VIEWS_A_SCREEN):
                rng = generator(name, k)
                low, high = rng.uniform(0, 0.35, 2), rng.uniform(0.65, 1, 2)
                corners = outline(image) * (high - low) + low * image.shape[1::-1]
                views.append((framed(image, corners.astype(np.float32), rng)[0], KINDS.index("none"), UNTURNED))
        _store(path, views)
    stored = np.load(path)
    return stored["pictures"], stored["kinds"], stored["turns"]


# ---- Training

def altered(pictures, kinds, turns, rng):
    """Half upside down, some grey, some cards with a portrait mirrored, all brighter or darker and moved a little."""
    count = len(pictures)
    mirrored = (kinds == KINDS.index("portrait_side")) & (rng.random(count) < MIRRORED)
    pictures = np.where(mirrored[:, None, None, None], pictures[:, :, ::-1], pictures)
    turns = np.where(mirrored & (turns != UNTURNED), -turns % TURNS, turns)
    over = rng.random(count) < 0.5
    pictures = np.where(over[:, None, None, None], pictures[:, ::-1, ::-1], pictures).astype(np.float32)
    turns = np.where(over & (turns != UNTURNED), (turns + 2) % TURNS, turns)
    grey = rng.random(count) < 0.15
    pictures[grey] = pictures[grey].mean(3, keepdims=True)
    pictures *= np.exp(rng.normal(0, 0.15, (count, 1, 1, 1)) + rng.normal(0, 0.05, (count, 1, 1, 3)))
    x, y = rng.integers(0, 2 * MOVED + 1, 2)
    pictures = np.pad(pictures, ((0, 0), (MOVED, MOVED), (MOVED, MOVED), (0, 0)), "edge")
    return np.clip(pictures[:, y : y + HEIGHT, x : x + WIDTH], 0, 255).astype(np.float32), turns


def train(pictures, kinds, turns, epochs, out):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = DocumentNet().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=DECAY)
    steps = len(pictures) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=epochs * steps, pct_start=0.15)
    begun = 0
    if os.path.exists(out):
        state = torch.load(out, weights_only=False)
        if (state["epochs"], state["steps"]) == (epochs, steps):
            for part, name in ((model, "model"), (optimiser, "optimiser"), (schedule, "schedule")):
                part.load_state_dict(state[name])
            begun = state["done"]
    for epoch in range(begun, epochs):
        model.train()
        rng = np.random.default_rng(epoch)
        order, total, right, start = rng.permutation(len(pictures)), 0.0, 0, time.time()
        for step in range(steps):
            batch = order[step * BATCH : (step + 1) * BATCH]
            x, turn = altered(pictures[batch], kinds[batch], turns[batch], rng)
            x = torch.from_numpy(np.ascontiguousarray(x)).permute(0, 3, 1, 2)
            turn, kind = torch.from_numpy(turn), torch.from_numpy(kinds[batch])
            with torch.autocast("cpu", torch.bfloat16):
                said, said_turn = model(x)
            loss = F.cross_entropy(said.float(), kind, label_smoothing=SMOOTHING)
            loss = loss + TURN_WEIGHT * F.cross_entropy(said_turn.float(), turn, ignore_index=UNTURNED)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            optimiser.step()
            schedule.step()
            total, right = total + float(loss.detach()), right + int((said.argmax(1) == kind).sum())
        print(f"epoch {epoch + 1}/{epochs}: loss {total / steps:.4f}, kinds right "
              f"{100 * right / (steps * BATCH):.1f} %, {time.time() - start:.0f} s", flush=True)
        torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict(),
                    "done": epoch + 1, "epochs": epochs, "steps": steps}, out + ".part")
        os.replace(out + ".part", out)
    return model.eval()


@torch.no_grad()
def export(model, path):
    """`document` [1,3,120,192] -> `kind` [1,7] and `turn` [1,4], logits."""
    g, x = Graph(), "document"
    for index, (conv, (kernel, stride, pad, _, residual)) in enumerate(zip(model.convs, CONVS)):
        weight, bias = conv.folded()
        weight = weight * np.float32(INPUT_SCALE) if index == 0 else weight
        y = g.add("Conv", [x, g.constant(weight, f"w{index}"), g.constant(bias, f"b{index}")],
                  kernel_shape=list(kernel), strides=list(stride), pads=list(pad) * 2)
        y = g.add("Relu", [y])
        x = g.add("Add", [x, y]) if residual else y
    x = g.add("Flatten", [g.add("GlobalAveragePool", [x])], axis=1)
    for name, layer in (("kind", model.kind), ("turn", model.turn)):
        weight, bias = (p.detach().numpy() for p in (layer.weight, layer.bias))
        g.add("Gemm", [x, g.constant(weight, f"{name}_weight"), g.constant(bias, f"{name}_bias")], name, transB=1)
    g.save(path, "document_net", [_value("document", [1, 3, HEIGHT, WIDTH])],
           [_value("kind", [1, len(KINDS)]), _value("turn", [1, TURNS])],
           "The document seen straight on, its longer side across, 192 x 120, RGB 0..255 -> logits of its kind: "
           f"{', '.join(KINDS)}; and of the quarter turns clockwise that brought it from upright to here.")


@torch.no_grad()
def agree(model, path, pictures, tolerance=1e-4):
    """Largest difference between PyTorch and ONNX Runtime, relative to 1 + |logit|."""
    run, worst = session(path), 0.0
    for picture in pictures:
        x = fed(picture)
        for expected, got in zip(model(torch.from_numpy(x)), run.run(["kind", "turn"], {"document": x})):
            worst = max(worst, float((np.abs(expected.numpy() - got) / (1 + np.abs(got))).max()))
    if not worst < tolerance:
        raise SystemExit(f"ONNX Runtime differs from PyTorch by {worst:.2e}, more than {tolerance}")
    return worst


# ---- Measuring

def fed(picture):
    return np.ascontiguousarray(np.asarray(picture).transpose(2, 0, 1)[None].astype(np.float32))


def straight(image, corners, turn):
    """As the program lays it: the upright document at `corners` turned by `turn` quarters, area-averaged."""
    return cv2.resize(cut(image, laid(corners, turn)), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


def lengthwise(corners):
    """The two turns that bring the longer side across."""
    across, down = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[1])
    return (0, 2) if across >= down else (1, 3)


class Examiner:
    def __init__(self, path):
        self.run = session(path)
        print(f"| set | n | kind right | turn right | kind wrong at {SURE} or more | turn wrong at {SURE} or more |\n"
              "| --- | --- | --- | --- | --- | --- |")

    def said(self, picture):
        """-> the kind and the turn that are likeliest, each with its probability."""
        for logits in self.run.run(["kind", "turn"], {"document": fed(picture)}):
            odds = np.exp(logits[0] - logits[0].max())
            yield int(odds.argmax()), float(odds.max() / odds.sum())

    def table(self, name, views):
        """Prints a row of the card's table for (picture, kind, turn); -> the confusions."""
        confused, turned, sure, sure_turned = np.zeros((len(KINDS), len(KINDS)), int), [], [], []
        for picture, kind, turn in views:
            (said, odd), (said_turn, turn_odd) = self.said(picture)
            confused[kind, said] += 1
            sure.append(said != kind and odd >= SURE)
            if turn != UNTURNED:
                turned.append(said_turn == turn)
                sure_turned.append(said_turn != turn and turn_odd >= SURE)
        columns = [(np.trace(confused), len(sure)), (sum(turned), len(turned)), (sum(sure), len(sure)),
                   (sum(sure_turned), len(sure_turned))]
        cells = [share(int(hits), count) if count else "-" for hits, count in columns]
        print(f"| {name} | {len(sure)} | {' | '.join(cells)} |", flush=True)
        return confused


def print_confusions(name, confused):
    print(f"\n{name}: truth in rows, said in columns\n\n| | {' | '.join(KINDS)} |\n| --- |{' --- |' * len(KINDS)}")
    for kind, row in zip(KINDS, confused):
        if row.sum():
            print(f"| {kind} | {' | '.join(str(n) for n in row)} |")


def marked_views(root, wanted):
    for row in marked_rows(root):
        if wanted(row):
            image, corners = read(os.path.join(root, row["path"])), corners_of(row)
            for turn in lengthwise(corners):
                yield straight(image, corners, turn), KINDS.index(KIND_OF_TYPE[row["document"]]), turn


def copied_views(root, quads, types):
    """Photographed grey copies at the quadrilaterals found; which way up is not known."""
    for picture in load_photographs(root):
        name = "/".join((picture.overview or picture.path).split("/")[-3:])
        kind = os.path.basename(picture.path).split("-")[0]
        if name.startswith(COPIES) and name in quads and kind in types:
            image, corners = read(os.path.join(root, name)), quads[name]
            yield straight(image, corners, lengthwise(corners)[0]), KINDS.index(KIND_OF_TYPE[kind]), UNTURNED


def material_views(root, quads, wanted):
    for path, corners, kind, _ in material(root, quads, tested=1):
        if kind == wanted:
            yield straight(read(path), corners, lengthwise(corners)[0]), KINDS.index(kind), UNTURNED


def screen_views(root, content):
    for name, shown in screens(root, tested=1):
        if shown == content:
            image = read(name)
            corners = outline(image)
            yield straight(image, corners, lengthwise(corners)[0]), KINDS.index("none"), UNTURNED


def simulated_views(root):
    with open(os.path.join(root, "labels.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["content"] in KIND_OF_DESIGN and row["corner0_x"]:
            corners = corners_of(row, ("corner{k}_x", "corner{k}_y"))
            for turn in lengthwise(corners):
                picture = straight(read(os.path.join(root, row["path"])), corners, turn)
                yield picture, KINDS.index(KIND_OF_DESIGN[row["content"]]), turn


def check(path, root, quads, unseen, simulated):
    """Prints the tables of the model card."""
    examiner, shown = Examiner(path), {}

    def measured(title, sets):
        shown[title] = sum(examiner.table(name, views) for name, views in sets)

    measured("drawn", [("drawn, other seeds", zip(*unseen))])
    unseen_types = sorted(set(KIND_OF_TYPE) - set(SEEN_TYPES))
    if os.path.exists(os.path.join(root, "document_corners.csv")):
        measured("marked frames", [
            *((f"marked frames, {name}", marked_views(root, lambda row, name=name: row["document"] == name))
              for name in unseen_types),
            ("marked frames of types trained on, settings not trained on",
             marked_views(root, lambda row: row["document"] in SEEN_TYPES and in_unseen_setting(row)))])
    measured("grey copies", [
        ("grey copies of types trained on", copied_views(root, quads, SEEN_TYPES)),
        ("grey copies of types not trained on", copied_views(root, quads, unseen_types))])
    measured("cards and papers", [(f"{name}, sources not trained on", material_views(root, quads, kind))
                                  for name, kind in (("cards", "card"), ("papers", "page"))])
    measured("screens", [(f"screens with {name}, whole, sources not trained on", screen_views(root, content))
                         for name, content in (("things", "photo"), ("text", "screen_text"))])
    if simulated:
        measured("simulated", [("`bonafide simulate`", simulated_views(simulated))])
    for title, confused in shown.items():
        print_confusions(title, confused)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", required=True, help="folder with captures.csv")
    parser.add_argument("--out", default="models")
    parser.add_argument("--fonts", action="append", default=[], help="further folder with the fonts of lines.PACKAGES")
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/bonafide-train"))
    parser.add_argument("--reports", help="rows of `bonafide screen --format jsonl` for the photographs")
    parser.add_argument("--simulated", help="folder of `bonafide simulate`, to measure on")
    parser.add_argument("--views", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--check", action="store_true", help="only measure the exported net")
    options = parser.parse_args()
    os.makedirs(options.cache, exist_ok=True)
    path = os.path.join(options.out, "document_net.onnx")
    quads = found_quads(options.reports)
    stock = (photographs(options.photos), portraits(options.photos), options.fonts)
    unseen = drawn(stock, CHECK_SEED, CHECKED, os.path.join(options.cache, "documents_check"), options.workers)
    if not options.check:
        made = drawn(stock, FIRST_SEED, options.views, os.path.join(options.cache, "documents"), options.workers)
        real = photographed(options.photos, quads, os.path.join(options.cache, "documents_photographed.npz"))
        print(f"{len(made[0])} drawn views and {len(real[0])} of photographs", flush=True)
        joined = [np.concatenate(pair) for pair in zip(made, real)]
        model = train(*joined, options.epochs, os.path.join(options.cache, "document.pt"))
        export(model, path)
        worst = agree(model, path, unseen[0][:50])
        print(f"{path}: {os.path.getsize(path) / 1e6:.2f} MB; PyTorch and ONNX Runtime differ by at most {worst:.1e}")
        write_manifest(options.out, ["document_net"])
    check(path, options.photos, quads, unseen, options.simulated)


if __name__ == "__main__":
    main()
