"""Streaming layers: pure step functions with explicit state, signals ``[B, C, 1, T]``."""

from edge_vc.nn.attention import WindowedAttention
from edge_vc.nn.conditioned import ConditionedLayer, Inputs
from edge_vc.nn.conv import Conv, TransposedConv
from edge_vc.nn.delay import Delay
from edge_vc.nn.following_mean import FollowingMean
from edge_vc.nn.fourier import InverseRealDFT, RealDFT
from edge_vc.nn.gru import GRU
from edge_vc.nn.harmonic import HarmonicSource
from edge_vc.nn.layer import State, StreamingLayer, flatten_state, unflatten_state
from edge_vc.nn.noise import NoiseSource
from edge_vc.nn.recovering_mean import RecoveringMean
from edge_vc.nn.residual import Residual
from edge_vc.nn.running_mean import RunningMean
from edge_vc.nn.serial import Serial
from edge_vc.nn.stateless import Stateless
from edge_vc.nn.stft import CausalISTFT, CausalSTFT

__all__ = [
    "GRU",
    "CausalISTFT",
    "CausalSTFT",
    "ConditionedLayer",
    "Conv",
    "Delay",
    "FollowingMean",
    "HarmonicSource",
    "Inputs",
    "InverseRealDFT",
    "NoiseSource",
    "RealDFT",
    "RecoveringMean",
    "Residual",
    "RunningMean",
    "Serial",
    "State",
    "Stateless",
    "StreamingLayer",
    "TransposedConv",
    "WindowedAttention",
    "flatten_state",
    "unflatten_state",
]
