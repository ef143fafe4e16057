"""A server without a network: the application and a client that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from serve_client import HOST, Client
from starlette.testclient import TestClient
from voices import voice

from edge_vc.assets import bundle_path
from edge_vc.serve.access import AccessRules, rules_for
from edge_vc.serve.application import make_application
from edge_vc.serve.options import ServeOptions
from edge_vc.serve.voices import VoiceCatalogue


@pytest.fixture(scope="session")
def catalogue() -> VoiceCatalogue:
    """Two voices: nano (the default) and base."""
    return VoiceCatalogue.read([bundle_path("kathleen-nano"), bundle_path("kathleen-base")])


@pytest.fixture
def client(catalogue: VoiceCatalogue) -> Iterator[Client]:
    """Make clients of applications with given options or rules; they end with the test."""
    opened: list[TestClient] = []

    def make(rules: AccessRules | None = None, **options: object) -> TestClient:
        settings = ServeOptions(**options)  # type: ignore[arg-type]
        rules = rules or rules_for("127.0.0.1", 8765)
        app = make_application(catalogue, settings, rules)
        made = TestClient(app, base_url=f"http://{HOST}", headers={"origin": f"http://{HOST}"})
        opened.append(made.__enter__())
        return made

    yield make
    for each in opened:
        each.__exit__()


@pytest.fixture(scope="session")
def speech() -> np.ndarray:
    """Two seconds at 48 kHz, float32."""
    return voice(2.0, rate=48000)
