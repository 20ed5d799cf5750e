"""Photographs -> captures with the features of every network: the tuned ones, the pretrained ones, or a student's."""

import numpy as np

from ..data.captures import FOLDS, load_photographs, load_simulated
from ..data.features import cached_features, cached_pixels
from ..data.looks import with_boxes
from ..data.tiles import overview_pixels, read_pixels
from ..options import STUDENT, TUNED
from . import student, tune
from .backbone import pretrained
from .fit import NEAR, SCENE, TILES, VIEWS, Table, second_look
from .graph import session


def load_table(options, parts):
    """Reads the pictures and gives every network's features; from the cache as far as they are there. -> table, and
    the networks by the name of their features. `parts` are those of the sources that networks of one's own are trained
    on, photographs alone: see `tune.trained` and `student.trained`."""
    locator, overview = session(options.locator), lambda p: overview_pixels(read_pixels(p).whole)
    photographs = with_boxes(load_photographs(options.photos), locator, overview)
    made = with_boxes(load_simulated(options.simulated), locator, overview) if options.simulated else []
    tuning = tune.VIEWS if options.reader == TUNED else ()
    sets = [(photographs, tuple(dict.fromkeys(tuning + VIEWS))), (made, VIEWS)]
    pixels = [cached_pixels(pictures, views, options.cache, options.workers) for pictures, views in sets if pictures]

    def features_of(name, network, kind, sets=pixels):
        each = [{v: views[v] for v in VIEWS} for views in sets]
        parts = [cached_features(name, network, views, kind, options.workers) for views in each]
        found = {view: np.concatenate([part[view] for part in parts]) for view in VIEWS}
        if kind == SCENE:
            parts = [cached_features(name, network, views, NEAR, options.workers) for views in each]
            found |= {second_look(view): np.concatenate([part[view] for part in parts]) for view in VIEWS}
        return found

    if options.reader == TUNED:
        tuned = tune.trained(Table.of(photographs, {}), pixels[0], parts)
        networks = {name: network for name, (network, _) in tuned.items()}
        features = {name: features_of(name, network, tune.kind_of(name)) for name, network in networks.items()}
        table = Table.of(photographs + made, features)
        table.screen_heads = {name: head for name, (_, head) in tuned.items()}
        return table, networks
    networks = {name: pretrained(name) for name in (TILES, SCENE)}
    features = {name: features_of(name, network, name) for name, network in networks.items()}
    if options.reader == STUDENT:
        taught = Table.of(photographs, {TILES: features_of(TILES, networks[TILES], TILES, pixels[:1])})
        for part, path in student.trained(taught, pixels[0], parts, options.cache, options.workers).items():
            name = student.named(part)
            networks[name] = student.load(path)
            features[name] = features_of(name, networks[name], TILES)
    return Table.of(photographs + made, features), networks


def reader_names(reader, part="all"):
    """-> names of the features of tiles and overview for the nets of `part`, and fold -> names of those of networks
    that saw no source of it."""
    if reader == TUNED:
        both = lambda part: (tune.named(TILES, part), tune.named(SCENE, part))
        return both(part), both
    if reader == STUDENT:
        return (student.named("all"), SCENE), lambda fold: (student.named("even" if fold % 2 == 0 else "odd"), SCENE)
    return (TILES, SCENE), lambda fold: (TILES, SCENE)


def fold_parts(reader):
    """The parts that `load_table` needs for figures with sources left out."""
    return {TUNED: tuple(range(FOLDS)), STUDENT: ("even", "odd")}.get(reader, ())
