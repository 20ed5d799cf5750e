"""Photographs of print -> tiles of it under faults, or whole photographs under faults, and what a strong
reader still reads.

    python -m train ladder --photos DIR [--simulated DIR] [--cache DIR]
    python -m train ladder --photos DIR --whole OUT

`--whole` writes whole photographs under faults, with labels for the program and the benchmark: of documents that a
person reads without effort, what share of their surely read characters is left.
"""

import os

from .. import options
from ..data.print_tiles import UNKNOWN, load, make
from ..data.whole_photographs import whole
from ..paths import DATASETS

READABLE = os.path.join(DATASETS, "readable.csv")


def main():
    parser = options.parser(__doc__)
    options.photos(parser)
    parser.add_argument("--simulated")
    options.cache(parser, "ladder")
    options.workers(parser, 1)
    parser.add_argument("--whole", help="folder for whole photographs under faults")
    parser.add_argument("--readable", default=READABLE, help="which documents a person reads, by eye")
    args = parser.parse_args()
    if args.whole:
        whole(args.photos, args.whole, args.cache, args.readable, args.workers)
        return
    names = make(args.photos, args.cache, args.simulated, args.workers)
    pictures, prints, readable, about = load(names)
    known = readable != UNKNOWN
    print(
        f"{len(pictures)} tiles of {len({a['path'] for a in about})} photographs, {len({a['source'] for a in about})} "
        f"sources; {known.sum()} cells read, of which {(readable[known] >= 180).mean():.0%} nearly whole, "
        f"{(readable[known] <= 60).mean():.0%} hardly"
    )
