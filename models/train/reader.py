"""Made-up lines -> models/reader_net.onnx: what stands in a machine-printed line of a document.

    python models/train/reader.py [--out models] [--fonts DIR] [--cache DIR]

The lines are drawn first (`lines.py`), then learnt; a stopped run goes on where it last saved. `--check` measures
an exported net on lines of other seeds, in faces and with damage that are in no training line, and prints the
tables of the model card. The fonts are those of `lines.PACKAGES`.
"""
import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from scipy.stats import beta  # noqa: E402
from torch import nn  # noqa: E402

import lines as made  # noqa: E402
from export import Graph, session, write_manifest, _value  # noqa: E402
from lines import ROWS, SYMBOLS, replace  # noqa: E402

# Kernel, stride and padding (rows, columns), output channels, residual. A frame of the output is 4 columns wide.
CONVS = (
    ((5, 5), (2, 2), (2, 2), 16, False),
    ((3, 3), (2, 2), (1, 1), 48, False),
    ((3, 3), (1, 1), (1, 1), 48, True),
    ((3, 3), (2, 1), (1, 1), 64, False),
    ((3, 3), (1, 1), (1, 1), 64, True),
    ((3, 3), (2, 1), (1, 1), 96, False),
    ((2, 3), (1, 1), (0, 1), 128, False),
    ((1, 5), (1, 1), (0, 2), 128, True),
    ((1, 5), (1, 1), (0, 2), 128, True),
)
BLANK, CLASSES, FRAME = 0, len(SYMBOLS) + 1, 4
# Variance (grey levels squared) below which a line counts as even: keeps an empty line from being blown up.
FLOOR = 4.0
COLUMNS, RATE, DECAY = 26_624, 3e-3, 0.01  # columns of pixels in a batch
PART = 4_000  # lines drawn at a time
FIRST_SEED, CHECK_SEED = 10_000_000, 1


class Conv(nn.Module):
    def __init__(self, inputs, kernel, stride, pad, outputs, residual):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, pad, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.residual = residual

    def forward(self, x):
        y = F.relu(self.norm(self.conv(x)))
        return x + y if self.residual else y

    def folded(self):
        """-> weight and bias with the batch norm in them."""
        scale = self.norm.weight.detach().double() / torch.sqrt(self.norm.running_var.double() + self.norm.eps)
        return ((self.conv.weight.detach().double() * scale[:, None, None, None]).float().numpy(),
                (self.norm.bias.detach().double() - self.norm.running_mean.double() * scale).float().numpy())


class Reader(nn.Module):
    """[n,1,32,W] grey 0..255 -> [n,W/4,39] logits."""

    def __init__(self):
        super().__init__()
        self.convs, inputs = nn.ModuleList(), 1
        for kernel, stride, pad, outputs, residual in CONVS:
            self.convs.append(Conv(inputs, kernel, stride, pad, outputs, residual))
            inputs = outputs
        self.said = nn.Conv2d(inputs, CLASSES, 1)

    def forward(self, x):
        off = x - x.mean((1, 2, 3), keepdim=True)
        x = off / torch.sqrt((off * off).mean((1, 2, 3), keepdim=True) + FLOOR)
        for conv in self.convs:
            x = conv(x)
        return self.said(x).squeeze(2).transpose(1, 2)


def export(model, path):
    """`line` [1,1,32,W] -> `logits` [1,W/4,39]."""
    g = Graph()
    off = g.add("Sub", ["line", g.add("ReduceMean", ["line"], axes=[1, 2, 3], keepdims=1)])
    variance = g.add("ReduceMean", [g.add("Mul", [off, off])], axes=[1, 2, 3], keepdims=1)
    x = g.add("Div", [off, g.add("Sqrt", [g.add("Add", [variance, g.constant(FLOOR)])])])
    for index, (conv, (kernel, stride, pad, _, residual)) in enumerate(zip(model.convs, CONVS)):
        weight, bias = conv.folded()
        y = g.add("Conv", [x, g.constant(weight, f"w{index}"), g.constant(bias, f"b{index}")],
                  kernel_shape=list(kernel), strides=list(stride), pads=list(pad) * 2)
        y = g.add("Relu", [y])
        x = g.add("Add", [x, y]) if residual else y
    x = g.add("Conv", [x, g.constant(model.said.weight.detach().numpy(), "w_said"),
                       g.constant(model.said.bias.detach().numpy(), "b_said")], kernel_shape=[1, 1])
    g.constants["rows"] = np.array([2], np.int64)
    g.add("Transpose", [g.add("Squeeze", [x, "rows"])], "logits", perm=[0, 2, 1])
    g.save(path, "reader_net", [_value("line", [1, 1, ROWS, "width"])], [_value("logits", [1, "frames", CLASSES])],
           "A rectified text line, grey 0..255, 32 rows, the width a multiple of 8 -> CTC logits, a frame every 4 "
           f"columns: blank, then {SYMBOLS}")


# ---- Decoding

def decode(logits):
    """Greedy: [T,39] logits -> [(symbol, confidence, frame)].

    In each frame the class with the highest logit speaks (of equals the first). A run of frames with one class is
    one character, unless the class is blank. Its confidence is the highest softmax probability of that class in
    the run, its frame the first that has it. Frame t is centred on column 4 t of the strip.
    """
    odds = np.exp(logits - logits.max(1, keepdims=True))
    odds /= odds.sum(1, keepdims=True)
    best, read, before = logits.argmax(1), [], BLANK
    for frame, symbol in enumerate(best):
        if symbol != BLANK:
            odd = float(odds[frame, symbol])
            if symbol != before:
                read.append((SYMBOLS[symbol - 1], odd, frame))
            elif odd > read[-1][1]:
                read[-1] = (read[-1][0], odd, frame)
        before = symbol
    return read


def text_of(read):
    return "".join(symbol for symbol, _, _ in read)


# ---- Training

def draw_lines(cache, fonts, count):
    """Lines in parts of `PART`; -> [(pixels, widths, texts)], the pixels strip after strip."""
    os.makedirs(cache, exist_ok=True)
    atlas, grounds, parts, start = None, None, [], time.time()
    for part in range(count // PART):
        path = os.path.join(cache, f"lines_{part:03d}.npz")
        if not os.path.exists(path):
            if atlas is None:
                atlas, grounds = made.Atlas(fonts), made.Grounds(FIRST_SEED)
            strips = [made.line(np.random.default_rng(FIRST_SEED + part * PART + i), atlas, grounds, made.TRAINING)
                      for i in range(PART)]
            with open(path + ".part", "wb") as file:
                np.savez(file, pixels=np.concatenate([strip.ravel() for strip, _ in strips]),
                         widths=np.array([strip.shape[1] for strip, _ in strips]),
                         texts=np.array([text for _, text in strips]))
            os.replace(path + ".part", path)
            print(f"lines: {(part + 1) * PART}/{count}, {time.time() - start:.0f} s", flush=True)
        stored = np.load(path)
        parts.append((stored["pixels"], stored["widths"], stored["texts"]))
    return parts


def batches(widths, epoch):
    """Rows of one width together, about `COLUMNS` columns in a batch, in random order."""
    rng, out = np.random.default_rng(epoch), []
    for width in np.unique(widths):
        rows = rng.permutation(np.flatnonzero(widths == width))
        size = max(16, COLUMNS // int(width))
        out += [rows[i : i + size] for i in range(0, len(rows), size)]
    return [out[i] for i in rng.permutation(len(out))]


def train(parts, path, epochs):
    """Trains on the drawn lines; a stopped run goes on after its last saved step."""
    torch.manual_seed(0)
    pixels = [part[0] for part in parts]
    widths = np.concatenate([part[1] for part in parts])
    begins = np.concatenate([np.cumsum(ROWS * part[1]) - ROWS * part[1] for part in parts])
    home = np.repeat(np.arange(len(parts)), [len(part[1]) for part in parts])
    wanted = [torch.tensor([SYMBOLS.index(c) + 1 for c in text]) for part in parts for text in part[2]]
    orders = [batches(widths, epoch) for epoch in range(epochs)]
    steps = [batch for order in orders for batch in order]
    model = Reader().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=len(steps), pct_start=0.08)
    begun = 0
    if os.path.exists(path):
        state = torch.load(path, weights_only=False)
        if state["steps"] == len(steps):
            model.load_state_dict(state["model"])
            optimiser.load_state_dict(state["optimiser"])
            schedule.load_state_dict(state["schedule"])
            begun = state["done"]
    model.train()
    total, seen, right, count, start = 0.0, 0, 0, 0, time.time()
    for step in range(begun, len(steps)):
        batch = steps[step]
        width = int(widths[batch[0]])
        strips = [pixels[home[i]][begins[i] : begins[i] + ROWS * width] for i in batch]
        x = torch.from_numpy(np.stack(strips).reshape(-1, 1, ROWS, width)).float()
        with torch.autocast("cpu", torch.bfloat16):
            said = model(x)
        said = torch.log_softmax(said.float(), -1)
        texts = [wanted[i] for i in batch]
        lengths = torch.tensor([len(text) for text in texts])
        loss = F.ctc_loss(said.transpose(0, 1), torch.cat(texts), torch.full((len(batch),), width // FRAME), lengths,
                          blank=BLANK, reduction="sum", zero_infinity=True) / max(int(lengths.sum()), 1)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        total, seen = total + float(loss.detach()), seen + 1
        if step % 10 == 0:
            for row, text in zip(said.detach().numpy()[:8], texts):
                right += text_of(decode(row)) == "".join(SYMBOLS[i - 1] for i in text)
                count += 1
        if (step + 1) % 250 == 0 or step + 1 == len(steps):
            print(f"step {step + 1}/{len(steps)}: loss a character {total / seen:.4f}, whole lines right "
                  f"{100 * right / count:.1f} %, {time.time() - start:.0f} s", flush=True)
            total, seen, right, count = 0.0, 0, 0, 0
            torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(),
                        "schedule": schedule.state_dict(), "done": step + 1, "steps": len(steps)}, path + ".part")
            os.replace(path + ".part", path)
    return model.eval()


@torch.no_grad()
def agree(model, path, fonts, tolerance=1e-4, count=100):
    """Largest difference between PyTorch and ONNX Runtime, relative to 1 + |logit|."""
    atlas, grounds, run, worst = made.Atlas(fonts), made.Grounds(CHECK_SEED), session(path), 0.0
    for seed in range(count):
        strip, _ = made.line(np.random.default_rng(seed), atlas, grounds, made.Style())
        line = strip[None, None].astype(np.float32)
        got = run.run(None, {"line": line})[0]
        worst = max(worst, float((np.abs(model(torch.from_numpy(line)).numpy() - got) / (1 + np.abs(got))).max()))
    if not worst < tolerance:
        raise SystemExit(f"ONNX Runtime differs from PyTorch by {worst:.2e}, more than {tolerance}")
    return worst


# ---- Measuring

# Name, what is set, style, lines. What is called unseen was in no training line.
COMMON = replace(made.COMMON, height=(20, 40))
SETS = (
    ("ID number, clean", "id", made.CLEAN, 3000),
    ("ID number, capitals of 16 px", "id", replace(made.COMMON, height=(16, 16)), 3000),
    ("MRZ line, clean", "mrz", made.CLEAN, 3000),
    ("MRZ line, capitals of 16 px", "mrz", replace(made.COMMON, height=(16, 16)), 2000),
    ("social credit code, clean", "code", made.CLEAN, 2000),
    ("ID number, clean, trained faces as in training", "id", replace(made.CLEAN, faces="trained"), 2000),
    ("ID number, common damage, 20 to 40 px", "id", COMMON, 2000),
    ("MRZ line, common damage, 20 to 40 px", "mrz", COMMON, 2000),
    ("ID number, clean, unseen `OCRBS`", "id", replace(made.CLEAN, faces="OCR-B sharp"), 2000),
    ("MRZ line, clean, unseen `OCRBS`", "mrz", replace(made.CLEAN, faces="OCR-B sharp"), 2000),
    ("ID number, clean, unseen designs", "id", replace(made.CLEAN, faces="others"), 2000),
    ("ID number, clean, unseen Latin label before three in ten", "id",
     replace(made.CLEAN, labels=made.UNSEEN_LABELS), 2000),
    ("ID number, unseen damage, 20 to 40 px", "id", replace(COMMON, foreign=True), 2000),
    ("MRZ line, unseen damage, 20 to 40 px", "mrz", replace(COMMON, foreign=True), 2000),
    ("ID number, `OCRBS` with unseen damage, 16 px", "id",
     replace(made.COMMON, height=(16, 16), foreign=True, faces="OCR-B sharp"), 2000),
)
HEIGHTS, SIGMAS, SWEPT = (8, 10, 12, 16, 20, 28), (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0), 1000
THRESHOLDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
REJECTED = 20_000


def interval(hits, count):
    """Clopper and Pearson, 95 %."""
    low = beta.ppf(0.025, hits, count - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, count - hits) if hits < count else 1.0
    return low, high


def share(hits, count, digits=1):
    low, high = interval(hits, count)
    return f"{100 * hits / count:.{digits}f} % [{100 * low:.{digits}f}, {100 * high:.{digits}f}]"


def distance(a, b):
    """Levenshtein."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


class Examiner:
    def __init__(self, path, fonts):
        self.run = session(path)
        self.atlas, self.grounds, self.sets = made.Atlas(fonts, list(made.FACES)), made.Grounds(CHECK_SEED), 0

    def readings(self, kind, style, count):
        """-> what is set (`x` as `X`), what is read, and the confidences, line by line."""
        self.sets += 1
        for index in range(count):
            rng = np.random.default_rng((CHECK_SEED, self.sets, index))
            text = {"id": made.id_number, "mrz": made.mrz, "altered": lambda rng: made.id_number(rng, False),
                    "zone": made.zone_line, "altered zone": lambda rng: made.zone_line(rng, False),
                    "code": made.credit_code, "none": lambda rng: ""}[kind](rng)
            strip, _ = made.line(rng, self.atlas, self.grounds, style, text)
            read = decode(self.run.run(None, {"line": strip[None, None].astype(np.float32)})[0][0])
            yield text.upper(), text_of(read).upper(), [odd for _, odd, _ in read]

    def accuracy(self, kind, style, count):
        exact, wrong, characters = 0, 0, 0
        for text, read, _ in self.readings(kind, style, count):
            exact, characters = exact + (text == read), characters + len(text)
            wrong += distance(text, read) if text != read else 0
        return exact, wrong / characters


def well_formed(text):
    return len(text) == 18 and text[:17].isdigit() and (text[17].isdigit() or text[17] == "X")


def check(path, fonts):
    """Prints the tables of the model card."""
    examiner = Examiner(path, fonts)
    print("| lines | n | exact | character errors |\n| --- | --- | --- | --- |")
    for name, kind, style, count in SETS:
        exact, errors = examiner.accuracy(kind, style, count)
        print(f"| {name} | {count} | {share(exact, count)} | {100 * errors:.2f} % |", flush=True)
    sweeps = (("capitals in the capture, px", HEIGHTS, lambda v: replace(made.COMMON, height=(v, v))),
              ("sigma of the blur, px of capitals 20 px high", SIGMAS,
               lambda v: replace(made.COMMON, height=(20, 20), blur=(v / 20, v / 20))))
    for name, values, style in sweeps:
        print(f"\n| {name} | n each | ID number exact | MRZ line exact |\n| --- | --- | --- | --- |")
        for value in values:
            found = [examiner.accuracy(kind, style(value), SWEPT)[0] for kind in ("id", "mrz")]
            print(f"| {value} | {SWEPT} | {share(found[0], SWEPT)} | {share(found[1], SWEPT)} |", flush=True)
    reject(examiner)
    reject_zones(examiner)


def reject(examiner):
    """What a threshold on the confidence of every character lets through."""
    measures = (("least confidence of a character", min), ("product of the confidences", lambda c: float(np.prod(c))))
    populations = (("right number, half legible", "id", made.HARD, REJECTED),
                   ("altered number, half legible", "altered", made.HARD, REJECTED),
                   ("altered number, common damage, 8 to 40 px", "altered", replace(made.COMMON, height=(8, 40)), 5000),
                   ("no number at all, half legible", "none", replace(made.HARD, faces="trained"), 5000))
    for name, kind, style, count in populations:
        found = list(examiner.readings(kind, style, count))
        for measure, of in measures:
            print(f"\n{name}, n = {count}; {measure}\n\n| at least | well formed | read right | read wrong | "
                  "wrong, yet consistent | wrong and inconsistent |\n| --- | --- | --- | --- | --- | --- |")
            for threshold in THRESHOLDS:
                kept = [(text, read) for text, read, odds in found if well_formed(read) and of(odds) >= threshold]
                wrong = [read for text, read in kept if text != read]
                passed = sum(made.id_consistent(read) for read in wrong)
                print(f"| {threshold} | {share(len(kept), count, 2)} | {len(kept) - len(wrong)} | {len(wrong)} | "
                      f"{passed}: {share(passed, count, 3)} | {len(wrong) - passed}: "
                      f"{share(len(wrong) - passed, count, 3)} |", flush=True)
        if kind == "none":
            for least in (0.0, 0.5, 0.9):
                hits = sum(any(odd >= least for odd in odds) for _, _, odds in found)
                print(f"\nany character with confidence of at least {least}: {share(hits, count)}")


def reject_zones(examiner):
    """The same for the second line of a passport, whose check digits cover all but state and sex."""
    print("\n| lines, half legible | at least | n | read right | right and consistent | covered part wrong, yet consistent |\n"
          "| --- | --- | --- | --- | --- | --- |")
    covered = lambda text: text[:10] + text[13:20].replace("O", "0") + text[21:].replace("O", "0")  # noqa: E731
    for name, kind in (("right zone", "zone"), ("altered zone", "altered zone")):
        found = list(examiner.readings(kind, made.HARD, REJECTED))
        for threshold in THRESHOLDS:
            kept = [(text, read) for text, read, odds in found if len(read) == 44 and min(odds) >= threshold]
            right = sum(text == read for text, read in kept)
            held = sum(covered(text) == covered(read) and made.zone_consistent(read) for text, read in kept)
            passed = sum(covered(text) != covered(read) and made.zone_consistent(read) for text, read in kept)
            print(f"| {name} | {threshold} | {len(found)} | {right} | {held} | {passed}: {share(passed, len(found), 3)} |",
                  flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="models", help="folder of the net and of manifest.toml")
    parser.add_argument("--fonts", action="append", default=[], help="more folders with fonts")
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/bonafide-train/reader"),
                        help="drawn lines and the state of the training")
    parser.add_argument("--lines", type=int, default=88_000, help=f"a multiple of {PART}")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="measure the net in --out instead of training")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    path = os.path.join(args.out, "reader_net.onnx")
    if args.check:
        check(path, args.fonts)
        return
    model = train(draw_lines(args.cache, args.fonts, args.lines), os.path.join(args.cache, "reader.pt"), args.epochs)
    model = model.to(memory_format=torch.contiguous_format)
    export(model, path)
    print(f"{path}: {os.path.getsize(path) / 1e6:.2f} MB, PyTorch and ONNX Runtime agree to "
          f"{agree(model, path, args.fonts):.1e}")
    write_manifest(args.out, ["reader_net"])


if __name__ == "__main__":
    main()
