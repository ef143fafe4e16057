// Runs on the browser's audio thread: cuts the microphone into frames, plays what comes back.
//
// Both directions share one clock (currentFrame), so the delay between them can be measured: every
// frame carries the clock's time of its first sample, and the server returns it with the output.
"use strict";

const QUANTUM = 128;
const FADE = 96;              // samples: no click where playback stops, starts or skips
const LONGEST_S = 1;          // ring; more than this is never kept
const LIMIT_S = 0.35;         // a burst beyond this is cut at once
const FIRST_RESERVE_S = 0.012;
const LEAST_RESERVE_S = 0.004;
const MOST_RESERVE_S = 0.2;
const CALM_S = 15;            // without a gap; then the reserve shrinks
const WINDOW_S = 0.5;         // of the least fill, from which surplus is cut
const REPORT_S = 0.25;

class LiveProcessor extends AudioWorkletProcessor {
  constructor(options) {
    super();
    this.frame = new Float32Array(options.processorOptions.frame);
    this.filled = 0;
    this.framePosition = currentFrame;
    this.sending = true;
    this.ring = new Float32Array(Math.ceil(LONGEST_S * sampleRate));
    this.written = 0;           // samples put in the ring since the start
    this.read = 0;              // samples taken from it
    this.marks = [];            // [written, position on the clock] of each arrival
    this.playing = false;
    this.everPlayed = false;
    this.fadeIn = 0;
    this.last = 0;
    this.reserve = FIRST_RESERVE_S * sampleRate;
    this.leastFill = Infinity;
    this.windowEnd = currentFrame + WINDOW_S * sampleRate;
    this.calmSince = currentFrame;
    this.reportAt = currentFrame;
    this.gaps = 0;
    this.late = 0;
    this.cut = 0;
    this.port.onmessage = ({ data }) => {
      if (data.wire) {
        this.wire = data.wire;
        this.wire.onmessage = (event) => this.arrive(event.data);
      }
      if (data.frame) {
        this.frame = new Float32Array(data.frame);
        this.filled = 0;
      }
    };
  }

  process(inputs, outputs) {
    const input = inputs[0];
    this.capture(input && input[0]);
    const output = outputs[0];
    this.play(output[0]);
    for (let channel = 1; channel < output.length; channel += 1) output[channel].set(output[0]);
    if (currentFrame >= this.reportAt) this.report();
    return true;
  }

  capture(samples) {
    for (let index = 0; index < QUANTUM; index += 1) {
      if (this.filled === 0) this.framePosition = currentFrame + index;
      this.frame[this.filled] = samples ? samples[index] : 0;
      this.filled += 1;
      if (this.filled === this.frame.length) {
        if (this.wire) this.wire.postMessage({ position: this.framePosition, samples: this.frame.slice() });
        this.filled = 0;
      }
    }
  }

  arrive({ position, samples }) {
    const room = this.ring.length - (this.written - this.read);
    if (samples.length > room) this.skip(samples.length - room);
    if (this.everPlayed && !this.playing) this.late += 1;
    this.marks.push([this.written, position]);
    if (this.marks.length > 400) this.marks.splice(0, 200);
    for (let index = 0; index < samples.length; index += 1) {
      this.ring[(this.written + index) % this.ring.length] = samples[index];
    }
    this.written += samples.length;
  }

  play(out) {
    let fill = this.written - this.read;
    if (fill > LIMIT_S * sampleRate) {
      this.crossfade(fill - this.reserve - this.frame.length);
      fill = this.written - this.read;
    }
    if (!this.playing && fill >= this.reserve + this.frame.length) {
      this.playing = this.everPlayed = true;
      this.fadeIn = FADE;
      this.leastFill = Infinity;
      this.windowEnd = currentFrame + WINDOW_S * sampleRate;
    }
    const count = this.playing ? Math.min(fill, QUANTUM) : 0;
    for (let index = 0; index < count; index += 1) {
      const gain = this.fadeIn > 0 ? 1 - this.fadeIn / FADE : 1;
      if (this.fadeIn > 0) this.fadeIn -= 1;
      out[index] = gain * this.ring[(this.read + index) % this.ring.length];
    }
    this.read += count;
    if (count > 0) this.last = out[count - 1];
    for (let index = count; index < QUANTUM; index += 1) {
      this.last *= 0.96;          // to silence within 2 ms
      out[index] = this.last;
    }
    if (this.playing && count < QUANTUM) this.runDry();
    if (this.playing) this.adapt(this.written - this.read);
  }

  runDry() {
    this.playing = false;
    this.gaps += 1;
    this.reserve = Math.min(this.reserve * 1.5, MOST_RESERVE_S * sampleRate);
    this.calmSince = currentFrame;
  }

  // Cut what has not been needed for a while; keep less in reserve after a calm time.
  adapt(fill) {
    this.leastFill = Math.min(this.leastFill, fill);
    if (currentFrame - this.calmSince > CALM_S * sampleRate) {
      this.reserve = Math.max(this.reserve * 0.8, LEAST_RESERVE_S * sampleRate);
      this.calmSince = currentFrame;
    }
    if (currentFrame < this.windowEnd) return;
    const surplus = this.leastFill - this.reserve;
    if (surplus > 0.002 * sampleRate) this.crossfade(Math.min(surplus, 0.01 * sampleRate));
    this.leastFill = Infinity;
    this.windowEnd = currentFrame + WINDOW_S * sampleRate;
  }

  // Leave out samples; the seam is blended over the next ones.
  crossfade(samples) {
    const count = Math.floor(samples);
    if (count <= 0 || this.written - this.read < count + FADE) return;
    const size = this.ring.length;
    for (let index = 0; index < FADE; index += 1) {
      const weight = (index + 1) / FADE;
      const to = (this.read + count + index) % size;
      this.ring[to] = (1 - weight) * this.ring[(this.read + index) % size] + weight * this.ring[to];
    }
    this.skip(count);
  }

  skip(count) {
    this.read += count;
    this.cut += count;
  }

  report() {
    this.reportAt = currentFrame + REPORT_S * sampleRate;
    let mark = null;
    for (const each of this.marks) if (each[0] <= this.read) mark = each;
    this.port.postMessage({
      playing: this.playing,
      fill: (this.written - this.read) / sampleRate * 1000,
      reserve: this.reserve / sampleRate * 1000,
      delay: this.playing && mark ? (currentFrame - mark[1] - (this.read - mark[0])) / sampleRate * 1000 : null,
      gaps: this.gaps,
      late: this.late,
      cut: this.cut / sampleRate * 1000,
    });
  }
}

registerProcessor("edge-vc-live", LiveProcessor);
