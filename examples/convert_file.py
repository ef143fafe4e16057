"""Convert a file: python examples/convert_file.py in.wav out.wav"""

import sys

import soundfile

from edge_vc.assets import ASSETS
from edge_vc.audio.io import read_audio
from edge_vc_runtime import Session, convert_array

source, target = sys.argv[1:3]
session = Session.open(ASSETS / "kathleen-base.evc")
audio = read_audio(source, session.sample_rate)  # mono float32 [T], resampled
converted = convert_array(session, audio)  # time-aligned with the input, same length
soundfile.write(target, converted, session.sample_rate)
print(f"{target}: {len(converted) / session.sample_rate:.2f} s")
