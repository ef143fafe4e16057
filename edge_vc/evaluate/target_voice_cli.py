"""``edge-vc target-voice``: store the target's voice as one embedding, to evaluate elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_vc.command_line.notices import name_notices
from edge_vc.command_line.output import output_option
from edge_vc.command_line.verb import Verb, notes, verb_app
from edge_vc_runtime.files.output_kinds import JSON_FILE
from edge_vc_runtime.message import shown_path

HELP = """Store the mean speaker embedding of the target's sentences in a corpus.

Evaluation measures speaker similarity against this file on machines without the target's
recordings. Every tenth sentence with the role target is embedded (Resemblyzer, 256 values). The
path of the file is printed on stdout.
"""
NOTES = notes(
    """
edge-vc target-voice corpus/train -o my-voice.json
""",
    "0 done, 2 bad input, 130 Ctrl-C",
)

app = verb_app()


@app.command("target-voice", cls=Verb, help=HELP, epilog=NOTES)
def target_voice(
    corpus: Annotated[Path, typer.Argument(help="Folder with metadata.csv.", show_default=False)],
    output: Annotated[Path, output_option(JSON_FILE, "--output", "-o", help="JSON file to write.")],
) -> None:
    """See `HELP`."""
    from edge_vc.data.corpus import Corpus
    from edge_vc.evaluate.metrics.target_voice import make_centroid

    opened = Corpus.open(corpus)
    name_notices(utterance.path for utterance in opened)
    make_centroid(opened, output)
    typer.echo(shown_path(output), color=True)
