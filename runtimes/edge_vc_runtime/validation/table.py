"""Validations of one or two machines as lines of text, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge_vc_runtime.validation.speech_figures import SpeechFigures
from edge_vc_runtime.validation.validation import ValidatedModel, Validation

_ROWS: tuple[tuple[str, str, Callable[[ValidatedModel], float | None]], ...] = (
    ("difference from the recording", ".1e", lambda model: model.difference),
    ("SNR to the recording (dB)", ".1f", lambda model: model.snr_db),
    ("spectral distance (dB)", ".3f", lambda model: model.quality.spectral_distance_db),
    ("level (dBFS)", ".2f", lambda model: model.quality.level_db),
    ("peak (dBFS)", ".2f", lambda model: model.quality.peak_db),
    ("noise floor (dBFS)", ".2f", lambda model: model.quality.noise_floor_db),
    ("clipped (%)", ".3f", lambda model: model.quality.clipped_percent),
)


_SPEECH: tuple[tuple[str, str, Callable[[SpeechFigures], float | None]], ...] = (
    ("SNR to the host's output (dB)", ".1f", lambda speech: speech.snr_db),
    ("spectral distance from it (dB)", ".3f", lambda speech: speech.spectral_distance_db),
    ("level of the speech (dBFS)", ".2f", lambda speech: speech.level_db),
    ("clipped (%)", ".3f", lambda speech: speech.clipped_percent),
    ("F0 median (Hz)", ".1f", lambda speech: speech.f0_hz),
    ("F0 correlation with the source", ".3f", lambda speech: speech.f0_correlation),
)


def validation_lines(validations: Sequence[Validation], names: Sequence[str]) -> list[str]:
    """Return a table with one column per machine, named by ``names``."""
    columns = [{model.key: model for model in each.models} for each in validations]
    keys = sorted({key for column in columns for key in column})
    machines = [f"{name} ({each.machine})" for name, each in zip(names, validations, strict=True)]
    rows = [(validations[0].bundle, *machines)]
    for key in keys:
        found = [column.get(key) for column in columns]
        rows += [("", *[""] * len(found)), (" ".join(key).strip(), *map(_verdict, found))]
        rows += [_row(title, form, value, found) for title, form, value in _ROWS]
        if len(found) > 1:
            rows.append(("  samples", *[""] * (len(found) - 1), _same(found)))
    rows += _speech_rows([each.speech for each in validations])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _row(
    title: str,
    form: str,
    value: Callable[[ValidatedModel], float | None],
    found: Sequence[ValidatedModel | None],
) -> tuple[str, ...]:
    values = [None if model is None else value(model) for model in found]
    return (f"  {title}", *["-" if each is None else format(each, form) for each in values])


def _speech_rows(found: Sequence[SpeechFigures | None]) -> list[tuple[str, ...]]:
    measured = [each for each in found if each]
    if not measured:
        return []
    verdicts = ["" if each is None else "same sound" if each.same_sound else "OUTSIDE"
                for each in found[1:]]  # fmt: skip
    rows: list[tuple[str, ...]] = [("", *[""] * len(found))]
    rows.append((f"speech of {measured[0].seconds:.1f} s", "", *verdicts))
    for title, form, value in _SPEECH:
        values = [None if each is None else value(each) for each in found]
        rows.append((f"  {title}", *("-" if v is None else format(v, form) for v in values)))
    return rows


def _verdict(model: ValidatedModel | None) -> str:
    if model is None:
        return "not there"
    word = "within" if model.equal else "OUTSIDE"
    return f"{word} {model.tolerance:.0e}, {model.version}"


def _same(found: Sequence[ValidatedModel | None]) -> str:
    digests = {model.quality.sha256 for model in found if model}
    return "" if None in found else "the same to the last bit" if len(digests) == 1 else "differ"
