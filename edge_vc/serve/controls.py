"""The parameters of one conversion, and the chains that they control."""

from __future__ import annotations

from collections.abc import Mapping

from edge_vc.serve.voices import ServeError, VoiceCatalogue, described
from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.chain.error import ChainError
from edge_vc_runtime.chain.parameters import DECLARED, Parameters


class VoiceControls:
    """Opens chains whose parameters can be changed while they run."""

    def __init__(self, catalogue: VoiceCatalogue, settings: Mapping[str, object]) -> None:
        """Check the settings, values by name; raises `ServeError`."""
        self._catalogue = catalogue
        self._parameters = Parameters(declared=(*DECLARED, *catalogue.input_parameters()))
        self._chain: Chain | None = None
        for name, value in settings.items():
            self.set(name, value)

    def open(self, key: str) -> Chain:
        """Return a new chain around a voice; raises `ServeError`."""
        self._chain = Chain(self._catalogue.open(key), self._parameters)
        return self._chain

    def set(self, name: str, value: object) -> float:
        """Check and set a parameter, and return its value; raises `ServeError`."""
        try:
            return self._parameters.set(name, value)
        except ChainError as error:
            raise ServeError(str(error)) from error

    def status(self) -> dict[str, object]:
        """Return the current state of the chain, for the page."""
        chain = self._chain
        if chain is None:
            return {}
        return {"gate_open": chain.gate_open, "clipped": chain.clipped, "bypassed": chain.bypassed}


def described_parameters() -> list[dict[str, object]]:
    """Return every parameter that the page may set, with its initial value, as JSON objects."""
    return [described(each) for each in DECLARED]
