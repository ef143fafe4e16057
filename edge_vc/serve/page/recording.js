// A recording: up as it is, back as a WAV file of two channels (itself and its conversion).

const HEADER = 44;

/** Send a file; `on(share, samples, frames)` gets the progress and interleaved int16 samples. */
export async function convertRecording(file, query, on, signal) {
  const address = `/convert?${new URLSearchParams({ ...query, pair: "1" })}`;
  const answer = await fetch(address, { method: "POST", body: file, signal });
  if (!answer.ok) throw new Error(await reason(answer));
  const total = Number(answer.headers.get("content-length"));
  const frames = (total - HEADER) / 4;
  const reader = answer.body.getReader();
  const parts = [];
  let size = 0;
  let odd = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    const begin = Math.max(0, HEADER - size);
    size += value.length;
    const data = join(odd, value.subarray(Math.min(begin, value.length)));
    const whole = data.length - (data.length % 4);
    on(size / total, new Int16Array(data.slice(0, whole).buffer), frames);
    odd = data.slice(whole);
  }
  if (size !== total) throw new Error("The conversion stopped early: the connection broke.");
  const pair = new Blob(parts, { type: "audio/wav" });
  const notice = answer.headers.get("edge-vc-notice") ?? "";
  return { pair, converted: await oneChannel(pair, 1), frames, notice };
}

async function reason(answer) {
  try {
    return (await answer.json()).error;
  } catch {
    return `The server answered ${answer.status}.`;
  }
}

function join(first, second) {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

// Take one channel out of a two-channel WAV file, in pieces, so that memory stays small.
async function oneChannel(pair, channel) {
  const head = new DataView(await pair.slice(0, HEADER).arrayBuffer());
  const size = (pair.size - HEADER) / 2;
  head.setUint32(4, 36 + size, true);
  head.setUint16(22, 1, true);
  head.setUint32(28, head.getUint32(24, true) * 2, true);
  head.setUint16(32, 2, true);
  head.setUint32(40, size, true);
  const parts = [head.buffer];
  for (let at = HEADER; at < pair.size; at += 1 << 22) {
    const both = new Int16Array(await pair.slice(at, Math.min(pair.size, at + (1 << 22))).arrayBuffer());
    parts.push(Int16Array.from({ length: both.length / 2 }, (_, index) => both[2 * index + channel]));
  }
  return new Blob(parts, { type: "audio/wav" });
}

/** Plays the pair; `choose(0)` is the recording, `choose(1)` its conversion, at the same time. */
export class PairPlayer {
  constructor(audio) {
    this.audio = audio;
    this.chosen = 1;
  }

  load(blob) {
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(blob);
    this.audio.src = this.address;
  }

  async play() {
    if (!this.context) this.connect();
    await this.context.resume();
    await this.audio.play();
  }

  connect() {
    this.context = new AudioContext();
    const split = this.context.createChannelSplitter(2);
    this.context.createMediaElementSource(this.audio).connect(split);
    this.gains = [0, 1].map((channel) => {
      const gain = this.context.createGain();
      split.connect(gain, channel);
      gain.connect(this.context.destination);
      return gain;
    });
    this.choose(this.chosen);
  }

  choose(channel) {
    this.chosen = channel;
    if (!this.gains) return;
    this.gains.forEach((gain, index) => {
      gain.gain.setTargetAtTime(index === channel ? 1 : 0, this.context.currentTime, 0.005);
    });
  }
}
