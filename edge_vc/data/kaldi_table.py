"""Kaldi's data folders: ``wav.scp`` with ``text``, ``utt2spk`` and ``spk2gender`` beside it."""

from __future__ import annotations

from pathlib import Path

from edge_vc.data.corpus_table import CorpusError, TableRow, decoded

WAV_SCP = "wav.scp"
_SEXES = {"f": "F", "m": "M"}


def read_kaldi_table(table: Path) -> tuple[TableRow, ...]:
    """Return the rows of a ``wav.scp``, with the fields from the other lists.

    Commands in it are not run. Raises `CorpusError` with a line that is a command or a part of an
    archive, and for ``segments``.
    """
    root = table.parent
    if (root / "segments").is_file():
        raise CorpusError(
            f"{root / 'segments'}: names parts of recordings; make a file of each, with "
            "ffmpeg -i RECORDING -ss START -to END ID.wav, name those in wav.scp, and remove it"
        )
    texts, speakers, sexes = (_listed(root / name) for name in ("text", "utt2spk", "spk2gender"))
    rows = []
    for number, name, place in _pairs(table):
        _check_place(f"{table}: line {number}, column 2", place)
        speaker = speakers.get(name, root.name)
        sex = _SEXES.get(sexes.get(speaker, "").lower(), "")
        columns = ("path", "utt_id", "speaker", "sex", "text")
        cells = (place, name, speaker, sex, texts.get(name, ""))
        rows.append(TableRow(table, number, columns, cells))
    return tuple(rows)


def _check_place(where: str, place: str) -> None:
    if not place:
        raise CorpusError(f"{where} is missing: ID PATH belongs there")
    if place.endswith("|"):
        raise CorpusError(
            f"{where} is a command ({place:.60}), which is not run; write its output to a file, "
            f"such as: {place[:-1].strip():.80} > wavs/NAME.wav, and name that"
        )
    if ".ark:" in place:
        raise CorpusError(
            f"{where} is a part of an archive ({place:.60}); make a file of each, with "
            "Kaldi's wav-copy, and name those"
        )


def _listed(table: Path) -> dict[str, str]:
    """Return a list's values by their first words; empty if the list does not exist."""
    return {name: value for _, name, value in _pairs(table)} if table.is_file() else {}


def _pairs(table: Path) -> list[tuple[int, str, str]]:
    """Return the line number, the first word and the rest of each line."""
    lines = enumerate(decoded(table).split("\n"), start=1)
    split = ((number, line.strip().split(maxsplit=1)) for number, line in lines)
    return [(number, words[0], " ".join(words[1:])) for number, words in split if words]
