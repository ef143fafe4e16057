"""Pack a corpus into a training set to carry to a GPU.

`python -m edge_vc.training.teacher.pack_cli --help`
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from edge_vc.data.pair_set import HOP, SAMPLE_RATE
from edge_vc.training.teacher.dataset_pack import PackSettings, write_pack
from edge_vc.training.teacher.sources import corpus_pack


def main(argv: Sequence[str] | None = None) -> None:
    """Pack a corpus."""
    parser = argparse.ArgumentParser(prog="edge_vc.training.teacher.pack_cli", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder with metadata.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder for the parts")
    parser.add_argument("--target", default="kathleen", help="speaker to convert into")
    parser.add_argument("--cache", type=Path, help="where pairs are kept (default: OUT/pairs)")
    parser.add_argument("--variants", type=int, default=0, help="WORLD copies of each recording")
    parser.add_argument(
        "--phones", action="store_true", help="listen to what is said, for losses.phones"
    )
    parser.add_argument("--part-mb", type=float, default=28.0, help="largest part, MB")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    args = parser.parse_args(argv)
    cache = args.cache or args.out / "pairs"
    pack = corpus_pack(args.corpus, cache, args.variants, args.workers, phones=args.phones)
    size = write_pack(pack, args.out, args.target, PackSettings(part_mb=args.part_mb))
    seconds = sum(len(pair.f0) for pair in pack.pairs) * HOP / SAMPLE_RATE
    Console().print(f"{len(pack.pairs)} recordings, {seconds / 60:.1f} min: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
