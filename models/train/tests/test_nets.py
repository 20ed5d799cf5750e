"""Losses fall on a toy, a stopped run goes on to the same weights, and exported graphs say what PyTorch says."""

import os
from contextlib import nullcontext

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ..draw.cover_maps import COLUMNS, MAPS
from ..draw.cover_maps import ROWS as CELL_ROWS
from ..draw.lines import line
from ..draw.numbers import SYMBOLS
from ..draw.print import TRAINING
from ..nets import cover, document, legibility, locator, loop, reader, student
from ..nets.backbone import signed_root
from ..nets.conv import Conv, Layer, chain
from ..nets.engines import agree
from ..nets.graph import Graph, session, value_info
from ..nets.screen import export_scene_net, export_texture_net


@pytest.fixture(autouse=True)
def full_floats(monkeypatch):
    """bfloat16 is slow on a processor that has to imitate it, and no toy needs it."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())


def settled(model):
    """Batch norm with statistics that are not those of a new net, as after training."""
    torch.manual_seed(1)
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.5, 2)
            part.weight.data.uniform_(0.5, 1.5)
            part.bias.data.normal_(0, 0.2)
    return model.eval()


def noise(*shape):
    return [np.random.default_rng(k).uniform(0, 255, shape).astype(np.float32) for k in range(3)]


NETS = {
    "document": (document.DocumentNet, document.export, noise(1, 3, 120, 192), None),
    "reader": (reader.Reader, reader.export, [*noise(1, 1, 32, 128), *noise(1, 1, 32, 64)], None),
    "legibility": (legibility.LegibilityNet, legibility.export, noise(2, 1, 64, 128), None),
    "locator": (locator.Locator, locator.export, noise(1, 3, 192, 192), None),
    "cover": (cover.CoverNet, cover.export, noise(1, 3, 120, 192), cover.odds),
}


@pytest.mark.parametrize("name", NETS)
def test_an_exported_graph_says_what_pytorch_says(name, tmp_path):
    make, export, inputs, said = NETS[name]
    torch.manual_seed(0)
    model = settled(make())
    path = str(tmp_path / "net.onnx")
    export(model, path)
    assert agree(said(model) if said else model, path, inputs) < 1e-4


def test_engines_that_disagree_end_the_run(tmp_path):
    model = settled(document.DocumentNet())
    path = str(tmp_path / "net.onnx")
    document.export(model, path)
    with pytest.raises(SystemExit):
        agree(settled(document.DocumentNet()), path, noise(1, 3, 120, 192))


def test_an_exported_locator_is_loaded_back(tmp_path):
    model, path = settled(locator.Locator()), str(tmp_path / "net.onnx")
    locator.export(model, path)
    assert agree(locator.Locator().load_exported(path).eval(), path, noise(1, 3, 192, 192)) < 1e-4


def test_the_student_is_a_backbone_like_the_pretrained_one():
    model = settled(student.Student(12))
    x = torch.from_numpy(noise(1, 3, 128, 128)[0])
    with torch.no_grad():
        # The student's roots begin at a small number instead of at 0.
        assert torch.allclose(model.backbone()(x), model.taps(x), atol=0.04)


def test_tiles_are_pooled_and_heads_read_in_the_exported_screen_nets(tmp_path):
    backbone = settled(student.Student(12)).backbone()
    width = backbone(torch.zeros(1, 3, 128, 128)).shape[1]
    rng = np.random.default_rng(0)
    heads = lambda width: [(rng.normal(0, 1, width).astype(np.float32), np.float32(0.5)) for _ in range(2)]
    texture, tile = heads(3 * width), heads(width)
    path = str(tmp_path / "texture_net.onnx")
    export_texture_net(path, backbone.folded(), backbone.taps, texture, tile)
    tiles = np.random.default_rng(1).uniform(0, 255, (3, 3, 128, 128)).astype(np.float32)
    logits, tile_logits = session(path).run(["logits", "tile_logits"], {"tiles": tiles})
    with torch.no_grad():
        rows = backbone(torch.from_numpy(tiles)).numpy()
    pooled = np.concatenate([rows.mean(0), rows.max(0), rows.std(0)])
    assert logits[0] == pytest.approx([weight @ pooled + bias for weight, bias in texture], abs=1e-2)
    assert tile_logits == pytest.approx(np.stack([rows @ weight + bias for weight, bias in tile], 1), abs=1e-2)
    export_scene_net(str(tmp_path / "scene_net.onnx"), backbone.folded(), backbone.taps, (), tile)
    assert session(str(tmp_path / "scene_net.onnx")).get_outputs()[0].shape == [1, 2]


def test_a_residual_convolution_adds_its_input(tmp_path):
    layers = settled(chain(3, (Layer(3, 1, 3, residual=True), Layer(3, 2, 4), Layer(3, 1, 4, dilation=2))))
    g = Graph()
    g.add("Identity", [g.chain("x", layers, scale=0.5, dilated=True)], "y")
    g.save(str(tmp_path / "n.onnx"), "n", [value_info("x", [1, 3, 16, 16])], [value_info("y", [1, 4, 8, 8])], "")

    def model(x):
        x = x * 0.5
        for layer in layers:
            x = layer(x)
        return x

    x = noise(1, 3, 16, 16)[0]
    got = session(str(tmp_path / "n.onnx")).run(None, {"x": x})[0]
    inner = torch.from_numpy(x)
    with torch.no_grad():
        # The scale is taken into the first weights alone: its own residual input stays as it came.
        first = inner + torch.relu(layers[0].norm(layers[0].conv(inner * 0.5)))
        assert np.allclose(layers[2](layers[1](first)).numpy(), got, rtol=1e-4, atol=1e-3)


def test_six_bounds_the_rectifier():
    high = torch.full((1, 2, 4, 4), 1e4)
    assert Conv(2, Layer(1, 1, 3), six=True).eval()(high).max() <= 6
    assert Conv(2, Layer(1, 1, 8)).eval()(high).max() > 6


def falls(path):
    curve = torch.load(path, weights_only=True)["curve"]
    return [told["loss"] for told in curve]


def test_the_classifier_of_documents_learns_a_toy(tmp_path):
    kinds = np.arange(128) % 2
    pictures = np.random.default_rng(0).integers(0, 60, (128, 120, 192, 3)).astype(np.uint8)
    pictures[kinds == 1, :60] += 150
    path = str(tmp_path / "document.pt")
    document.train(pictures, kinds, np.zeros(128, int), 2, path)
    losses = falls(path)
    assert losses[-1] < losses[0]


def test_the_net_of_covers_learns_a_toy(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 60, (64, 120, 192, 3)).astype(np.uint8)
    maps = np.zeros((64, len(MAPS), CELL_ROWS, COLUMNS), np.uint8)
    maps[::2, 0, :, :8] = 1
    pictures[::2, :, :64] += 150
    path = str(tmp_path / "cover.pt")
    cover.train(pictures, maps, 3, path)
    losses = falls(path)
    assert losses[-1] < losses[0]


def test_the_legibility_net_learns_a_toy(tmp_path):
    rng = np.random.default_rng(0)
    tiles = rng.integers(100, 110, (128, 128, 128)).astype(np.uint8)
    tiles[::2] = rng.integers(0, 256, (64, 128, 128))
    prints = np.zeros((128, 8, 8), np.uint8)
    prints[::2] = 1
    readable = np.full((128, 8, 8), legibility.UNKNOWN, np.uint8)
    about = [{"source": f"s{k % 5}", "share": 1.0 if k % 2 == 0 else -1.0} for k in range(128)]
    path = str(tmp_path / "legibility.pt")
    legibility.train((tiles, prints, readable, about), np.arange(128), path, "toy", 4)
    losses = falls(path)
    assert losses[-1] < losses[0]


def test_folds_of_tiles_keep_a_source_together():
    about = [{"source": f"s{k % 7}"} for k in range(70)]
    folds = legibility.folds_of(about)
    assert all(len({folds[k] for k in range(s, 70, 7)}) == 1 for s in range(7))


def test_the_reader_learns_a_toy_and_reads_what_its_logits_say(tmp_path, typeset):
    strips = [line(np.random.default_rng(k), *typeset, TRAINING, "0123") for k in range(24)]
    pixels = np.concatenate([strip.ravel() for strip, _ in strips])
    parts = [(pixels, np.array([s.shape[1] for s, _ in strips]), np.array([text for _, text in strips]))]
    path = str(tmp_path / "reader.pt")
    reader.train(parts, path, 2)
    assert os.path.exists(path)
    logits = np.full((6, reader.CLASSES), -5.0, np.float32)
    for frame, said in enumerate("11 1AA"):
        logits[frame, 0 if said == " " else SYMBOLS.index(said) + 1] = 5
    assert reader.text_of(reader.decode(logits)) == "11A"


def test_the_locator_learns_from_its_maps(tmp_path):
    pictures = np.zeros((16, 192, 192, 3), np.uint8)
    targets = np.zeros((16, 3, 48, 48), np.uint8)
    pictures[:, 40:120, 40:150], targets[:, 0, 10:30, 10:37] = 220, 255
    stage = locator.Stage("toy", 0, 16, False, 0, 0, 3, 2e-3, 8)
    path = str(tmp_path / "locator.pt")
    known = [np.ones((16, 3), bool)]
    locator.train(stage, [pictures], [targets], known, locator.Locator(), path)
    losses = falls(path)
    assert losses[-1] < losses[0]
    # What is not known has no say.
    unknown = locator.loss_of(torch.randn(2, 3, 48, 48), torch.zeros(2, 3, 48, 48), torch.zeros(2, 3))
    assert float(unknown) == 0


def test_frozen_batch_norm_stays_as_it_is(tmp_path):
    model = locator.Locator()
    before = model.down[0][0].norm.running_mean.clone()
    pictures, targets = np.full((8, 192, 192, 3), 90, np.uint8), np.zeros((8, 3, 48, 48), np.uint8)
    stage = locator.Stage("toy", 0, 8, False, 0, 0, 1, 1e-3, 8)
    known = [np.ones((8, 3), bool)]
    model = locator.train(stage, [pictures], [targets], known, model, str(tmp_path / "l.pt"), frozen=True)
    assert torch.equal(model.down[0][0].norm.running_mean, before)


def toy(path, rounds, stop=None):
    """A line through points, by the loop; stopped before round `stop`."""

    def batches(number):
        if number == stop:
            raise KeyboardInterrupt
        x = torch.from_numpy(np.random.default_rng(number).normal(0, 1, (3, 16, 2)).astype(np.float32))
        for part in x:
            yield part, part @ torch.tensor([[1.0], [-2.0]]) + 0.5

    def loss_of(said, wanted):
        return ((said - wanted) ** 2).mean(), {"largest": (said - wanted).abs().max().detach()}

    plan = loop.Plan(rate=0.05, decay=0.0, warm_up=0.3, clip=5.0, seed=3, bfloat16=False)
    make = lambda: torch.nn.Linear(2, 1)
    return loop.train("toy", plan, make, rounds, 3 * rounds, batches, loss_of, path)


def test_the_loop_lowers_the_loss_and_keeps_the_figures(tmp_path):
    model, curve = toy(str(tmp_path / "a.pt"), 30)
    assert len(curve) == 30 and curve[-1]["loss"] < 0.05 * curve[0]["loss"] and curve[-1]["largest"] < 1
    assert not model.training


def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path):
    whole, curve = toy(str(tmp_path / "a.pt"), 6)
    with pytest.raises(KeyboardInterrupt):
        toy(str(tmp_path / "b.pt"), 6, stop=3)
    again, same = toy(str(tmp_path / "b.pt"), 6)
    assert torch.equal(whole.weight, again.weight) and torch.equal(whole.bias, again.bias) and curve == same


def test_a_state_of_another_length_is_not_gone_on_from(tmp_path):
    toy(str(tmp_path / "a.pt"), 2)
    _, curve = toy(str(tmp_path / "a.pt"), 4)
    assert len(curve) == 4


def test_the_signed_root_has_a_slope_at_zero():
    x = torch.zeros(3, requires_grad=True)
    signed_root(x).sum().backward()
    assert torch.isfinite(x.grad).all()
