"""Both screen nets -> how long they take in ONNX Runtime on one thread, and what others would cost.

    python -m train speed [--models models]

Medians over 40 runs, after a warm-up.
"""

import os
import tempfile

import torch

from .. import options
from ..nets.backbone import SCENE_REGIONS, SCENE_TAPS, TILE_TAPS, Backbone
from ..nets.screen import export_scene_net, export_texture_net
from ..nets.timing import milliseconds, zeros
from ..paths import MODELS


@torch.no_grad()
def main():
    parser = options.parser(__doc__)
    parser.add_argument("--models", default=MODELS)
    args = parser.parse_args()
    texture, scene = (os.path.join(args.models, f"{n}.onnx") for n in ("texture_net", "scene_net"))
    for count in (1, 6, 12):
        print(f"texture_net, tiles {count}: {milliseconds(texture, 'tiles', (count, 3, 128, 128)):.1f} ms")
    print(f"scene_net: {milliseconds(scene, 'overview', (1, 3, 192, 192)):.1f} ms")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "variant.onnx")
        for taps in (TILE_TAPS[:2], TILE_TAPS[:3], TILE_TAPS):
            network = Backbone(taps)
            export_texture_net(path, network.folded(), taps, zeros(network, 128, 3), zeros(network, 128))
            print(f"pretrained on 6 tiles, taps {taps}: {milliseconds(path, 'tiles', (6, 3, 128, 128)):.1f} ms")
        for taps, regions in ((SCENE_TAPS, ()), (SCENE_TAPS, SCENE_REGIONS), (SCENE_TAPS, (*SCENE_REGIONS, 15))):
            network = Backbone(taps, regions)
            for size in (160, 192, 224, 256):
                export_scene_net(path, network.folded(), taps, regions, zeros(network, size), size)
                print(
                    f"overview {size}, taps {taps}, regions {regions}: "
                    f"{milliseconds(path, 'overview', (1, 3, size, size)):.1f} ms, {os.path.getsize(path) / 1e6:.1f} MB"
                )
