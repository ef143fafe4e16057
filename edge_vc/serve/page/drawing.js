// Pictures of sound: a scrolling spectrogram with a level meter, and the outline of a recording.

const FLOOR_DB = -60;

function palette() {
  const colours = [];
  for (let level = 0; level < 256; level += 1) {
    const x = level / 255;
    const red = Math.round(255 * Math.min(1, Math.max(0, 1.7 * x - 0.55)));
    const green = Math.round(255 * Math.pow(Math.max(0, x - 0.12), 1.5) * 1.15);
    const blue = Math.round(255 * Math.min(1, 0.09 + 0.75 * Math.sin(Math.PI * Math.min(x * 1.1, 1)) * 0.8 + Math.max(0, x - 0.8) * 3));
    colours.push([red, Math.min(255, green), blue]);
  }
  return colours;
}

const PALETTE = palette();

/** Draws what an AnalyserNode hears; one column per picture of the screen. */
export class LivePicture {
  constructor(canvas, meter, text) {
    this.canvas = canvas;
    this.meter = meter;
    this.text = text;
    this.pen = canvas.getContext("2d", { alpha: false });
    this.peak = FLOOR_DB;
    this.clear();
  }

  clear() {
    this.canvas.width = 480;
    this.canvas.height = 128;
    this.pen.fillStyle = `rgb(${PALETTE[0].join()})`;
    this.pen.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.setLevel(FLOOR_DB);
  }

  listen(analyser) {
    analyser.fftSize = 1024;
    analyser.smoothingTimeConstant = 0;
    analyser.minDecibels = -100;
    analyser.maxDecibels = -25;
    this.analyser = analyser;
    this.bins = new Uint8Array(analyser.frequencyBinCount);
    this.wave = new Float32Array(analyser.fftSize);
    this.rows = this.rowBins(analyser.context.sampleRate);
    this.column = this.pen.createImageData(2, this.canvas.height);
  }

  // Rows from 0 to 8 kHz, closer together where speech has its harmonics.
  rowBins(rate) {
    const height = this.canvas.height;
    const top = Math.min(8000, rate / 2);
    const mel = (hz) => Math.log(1 + hz / 700);
    return Array.from({ length: height }, (_, row) => {
      const hz = 700 * (Math.exp((1 - row / height) * mel(top)) - 1);
      return Math.min(this.bins.length - 1, Math.round((hz / rate) * 2 * this.bins.length));
    });
  }

  draw() {
    if (!this.analyser) return;
    this.analyser.getByteFrequencyData(this.bins);
    this.analyser.getFloatTimeDomainData(this.wave);
    this.pen.drawImage(this.canvas, -2, 0);
    const pixels = this.column.data;
    for (let row = 0; row < this.rows.length; row += 1) {
      const [red, green, blue] = PALETTE[this.bins[this.rows[row]]];
      for (let at = row * 8; at < row * 8 + 8; at += 4) {
        pixels[at] = red;
        pixels[at + 1] = green;
        pixels[at + 2] = blue;
        pixels[at + 3] = 255;
      }
    }
    this.pen.putImageData(this.column, this.canvas.width - 2, 0);
    let power = 0;
    for (const value of this.wave) power += value * value;
    this.setLevel(10 * Math.log10(power / this.wave.length + 1e-12));
  }

  setLevel(db) {
    const shown = Math.max(FLOOR_DB, db);
    this.peak = Math.max(shown, this.peak - 0.4);
    this.meter.value = this.peak - FLOOR_DB;
    this.text.textContent = this.peak <= FLOOR_DB ? "silent" : `${this.peak.toFixed(0)} dB`;
  }
}

/** Draws the outline of a recording and its conversion, piece by piece as they arrive. */
export class Outline {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.columns = 600;
    this.start(1);
  }

  start(frames) {
    this.perColumn = Math.max(1, Math.ceil(frames / this.columns));
    this.peaks = [new Float32Array(this.columns), new Float32Array(this.columns)];
    this.done = 0;
    this.draw(0, 0);
  }

  /** Take interleaved int16 samples of two channels. */
  add(samples) {
    for (let index = 0; index + 1 < samples.length; index += 2) {
      const column = Math.min(this.columns - 1, Math.floor((this.done + index / 2) / this.perColumn));
      for (const channel of [0, 1]) {
        const size = Math.abs(samples[index + channel]) / 32768;
        if (size > this.peaks[channel][column]) this.peaks[channel][column] = size;
      }
    }
    this.done += samples.length / 2;
  }

  draw(played, chosen) {
    const { canvas, pen } = this;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const style = getComputedStyle(canvas);
    pen.clearRect(0, 0, width, height);
    for (const channel of [0, 1]) {
      const middle = height * (channel === 0 ? 0.25 : 0.75);
      pen.fillStyle = style.getPropertyValue(channel === 0 ? "--soft" : "--accent");
      pen.globalAlpha = channel === chosen ? 1 : 0.35;
      for (let column = 0; column < this.columns; column += 1) {
        const size = Math.max(0.5, Math.sqrt(this.peaks[channel][column]) * height * 0.23);
        pen.fillRect((column / this.columns) * width, middle - size, Math.max(1, width / this.columns - 0.5), 2 * size);
      }
    }
    pen.globalAlpha = 1;
    if (played > 0) {
      pen.fillStyle = style.getPropertyValue("--ink");
      pen.fillRect(played * width, 0, Math.max(2, ratio * 1.5), height);
    }
  }
}
