"""Preparation of one recording: examine, cut, denoise, level, measure and write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edge_vc.audio.denoise import denoise
from edge_vc.audio.fingerprint import fingerprint
from edge_vc.audio.io import AudioError, Samples
from edge_vc.audio.level import SILENCE_DB, active_level_db, frame_power, normalize_level
from edge_vc.audio.segment import find_segments, frames_of, speech_share, whole_segment
from edge_vc.audio.snr import snr_db
from edge_vc.audio.span import Span
from edge_vc.audio.stream import cut, stream_audio
from edge_vc.audio.voice_activity import FRAME, SpeechDetector
from edge_vc.data.utterance import Utterance
from edge_vc.prepare.examine import Examination, Step, examine
from edge_vc.prepare.measures import band_spectrum_db, f0_counts
from edge_vc.prepare.record import Piece, PrepareRecord, encode_words, file_hash
from edge_vc.prepare.settings import SAMPLE_RATE, PrepareSettings
from edge_vc.prepare.variants import Variants, write_variants
from edge_vc.prepare.write import write_piece

_CONTEXT_FRAMES = 31
"""One second on either side, where the denoiser and the SNR estimate find the noise."""


@dataclass(frozen=True)
class PrepareTask:
    """One recording and the destination of its pieces."""

    utterance: Utterance
    source: str
    """The recording's path relative to the input folder."""
    stem: str
    """Path of its pieces relative to the prepared corpus, without number and suffix."""
    varied: bool
    """Whether augmented copies are made of it."""
    key: str
    """Hash of the recording's file state, the settings and this task."""


def prepare_recording(
    task: PrepareTask, settings: PrepareSettings, root: Path, detector: SpeechDetector, step: Step
) -> PrepareRecord:
    """Prepare one recording under ``root``; if it cannot be read, the record says so.

    ``step`` is called with the seconds of audio in both passes, which take about equally long.
    """
    path = task.utterance.path
    try:
        found = examine(path, detector, step)
        spans = _spans(found, task.utterance, settings)
        wide = [_widened(span, found.length) for span in spans]
        stream = _counted(stream_audio(path, SAMPLE_RATE), step)
        pieces = [
            _piece(task, settings, root, found, number if len(spans) > 1 else 0, span, audio)
            for number, (span, audio) in enumerate(zip(spans, cut(stream, wide), strict=True), 1)
        ]
    except AudioError as error:
        fact = str(error).removeprefix(f"{path}: ")
        return PrepareRecord(task.source, task.key, task.utterance.seconds, "", (), fact)
    seconds = found.length / SAMPLE_RATE
    if not pieces:
        pieces = [Piece("", 0.0, seconds, "no speech", "the detector found no speech")]
    return PrepareRecord(task.source, task.key, seconds, found.content, tuple(pieces))


def _spans(found: Examination, utterance: Utterance, settings: PrepareSettings) -> list[Span]:
    """Cut at pauses in speech, but keep whole what is short enough and has a text."""
    if utterance.text and found.length <= settings.segment.max_seconds * SAMPLE_RATE:
        return whole_segment(found.probabilities, found.length, settings.segment)
    return find_segments(found.probabilities, found.length, settings.segment)


def _widened(span: Span, length: int) -> Span:
    """Return the span with its context on both sides, starting at a frame boundary."""
    wide = span.widened(_CONTEXT_FRAMES * FRAME, length)
    return Span(wide.start // FRAME * FRAME, wide.stop)


def _piece(
    task: PrepareTask,
    settings: PrepareSettings,
    root: Path,
    found: Examination,
    number: int,
    span: Span,
    audio: Samples,
) -> Piece:
    wide = _widened(span, found.length)
    raw = audio - audio.mean()
    clean = (
        raw if settings.denoise == "none" else denoise(raw, SAMPLE_RATE, method=settings.denoise)
    )
    inner = slice(span.start - wide.start, span.stop - wide.start)
    speech = frames_of(found.probabilities, wide)
    before, after = (snr_db(frame_power(a, FRAME), speech) for a in (raw, clean))
    piece = Piece(
        path="",
        start=round(span.start / SAMPLE_RATE, 3),
        seconds=round(len(span) / SAMPLE_RATE, 3),
        level_before_db=round(active_level_db(raw[inner], SAMPLE_RATE), 2),
        snr_before_db=round(before, 2),
        snr_after_db=round(after, 2),
        speech_share=round(speech_share(found.probabilities, span), 4),
        clipped_share=round(float(frames_of(found.clipped, span).mean()), 6),
    )
    reason, detail = _fault(piece, settings)
    if reason:
        return replace(piece, reason=reason, detail=detail)
    levelled = normalize_level(clean[inner], SAMPLE_RATE, settings.level_db)
    name = f"{task.stem}-{number:04d}" if number else task.stem
    copies = write_variants(root, name, levelled, settings) if task.varied else Variants()
    path = write_piece(root, name, levelled, settings.audio_format)
    return replace(
        piece,
        path=path,
        sha256=tuple(file_hash(root / written) for written in (path, *copies.paths)),
        level_after_db=round(active_level_db(levelled, SAMPLE_RATE), 2),
        words=encode_words(fingerprint(levelled, SAMPLE_RATE)),
        f0_counts=f0_counts(levelled),
        spectrum_db=band_spectrum_db(levelled),
        variants=copies.paths,
        variant_seconds=copies.seconds,
    )


def _fault(piece: Piece, settings: PrepareSettings) -> tuple[str, str]:
    """Return why a piece cannot be used, as reason and detail; empty if it can."""
    if piece.level_before_db <= SILENCE_DB:
        return "no speech", "digital silence"
    if piece.seconds < settings.min_seconds:
        return "too short", f"{piece.seconds:.2f} s, less than {settings.min_seconds:g}"
    if piece.clipped_share > settings.max_clipped:
        return "clipped", f"{piece.clipped_share:.2%} of its samples"
    if settings.min_snr_db and not piece.snr_before_db >= settings.min_snr_db:
        return "noisy", f"SNR {piece.snr_before_db:.1f} dB, less than {settings.min_snr_db:g}"
    return "", ""


def _counted(blocks: Iterator[Samples], step: Step) -> Iterator[Samples]:
    for block in blocks:
        step(block.shape[0] / SAMPLE_RATE)
        yield block
