"""A metric of your own: the RMS level of a converted recording.

edge-vc evaluate source kathleen-base --corpus CORPUS --plugin own_metric
"""

import numpy as np

from edge_vc.evaluate.metrics import Metric, Recording, register_metric
from edge_vc.evaluate.metrics.registry import metric_list


def level_db(recording: Recording) -> float | None:
    """Return the level in dBFS; None for digital silence."""
    power = float(np.square(recording.samples.astype(np.float64)).mean())
    return 10 * np.log10(power) if power else None


register_metric(
    Metric(
        key="level_db",
        title="level",
        unit="dBFS",
        better=0,
        digits=1,
        description="RMS level of the whole recording.",
        compute=level_db,
    )
)

if __name__ == "__main__":
    print(metric_list()[-1])
