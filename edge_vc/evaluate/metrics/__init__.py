"""Metrics of converted speech, one file each, and their registry."""

from edge_vc.evaluate.metrics.metric import Counts, IntrusiveMetric, Metric
from edge_vc.evaluate.metrics.recording import Recording
from edge_vc.evaluate.metrics.registry import register_metric

__all__ = ["Counts", "IntrusiveMetric", "Metric", "Recording", "register_metric"]
