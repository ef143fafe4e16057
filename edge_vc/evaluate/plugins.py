"""Options of ``edge-vc evaluate`` for metrics from outside the package."""

from __future__ import annotations

import importlib

import typer


def import_plugins(modules: list[str] | None) -> list[str] | None:
    """Import modules that call `edge_vc.evaluate.metrics.register_metric`.

    Raises `typer.BadParameter` for a module that is not found.
    """
    for module in modules or ():
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise typer.BadParameter(
                f"{module}: {error}; give an installed module, or one in a folder of PYTHONPATH"
            ) from error
    return modules


def show_metrics(wanted: bool) -> None:
    """Print one line per metric and exit, if ``wanted``."""
    if wanted:
        from edge_vc.evaluate.metrics.registry import metric_list

        typer.echo("\n".join(metric_list()))
        raise typer.Exit
