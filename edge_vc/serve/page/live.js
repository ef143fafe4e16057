// The live conversion: microphone, audio thread, socket worker, loudspeaker.

const TRIPS = 40;   // round trips that are kept
const REPORTS = 12; // of the audio thread, four a second

const median = (values) => (values.length ? [...values].sort((a, b) => a - b)[values.length >> 1] : null);

export class LiveError extends Error {}

/** What stands in the way of a microphone here, or an empty text. */
export function obstacle() {
  if (!window.isSecureContext) {
    return (
      `Browsers allow the microphone only on localhost or over https, and this page came from ${location.origin}. ` +
      "Start the server with --cert and --key, or forward its port over SSH. Recordings can be converted below."
    );
  }
  if (!navigator.mediaDevices || !window.AudioWorkletNode) {
    return "This browser has no microphone or no AudioWorklet. Recordings can be converted below.";
  }
  return "";
}

function reasonFor(error) {
  const known = {
    NotAllowedError: "The microphone was not allowed. Allow it for this page (the icon in the address bar), then start again.",
    NotFoundError: "No microphone was found. Plug one in, then start again.",
    NotReadableError: "The microphone is used by another program, or the system blocks it.",
    OverconstrainedError: "The chosen microphone is gone. Choose another one.",
  };
  return known[error.name] || `The microphone could not be opened: ${error.message}`;
}

/** One running conversion. `on` gets "ready", "status", "set", "refused", "voice", "closed". */
export class Live {
  constructor(on) {
    this.on = on;
    this.trips = [];
    this.sound = null;
    this.reports = [];
    this.status = null;
    this.unsent = 0;
  }

  async start({ voice, settings, microphone, speaker, processing }) {
    this.context = new AudioContext({ latencyHint: "interactive" });
    try {
      await this.context.audioWorklet.addModule("/worklet.js");
      await this.openMicrophone(microphone, processing);
      await this.useSpeaker(speaker);
      this.connect(voice, settings);
      await this.context.resume();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async openMicrophone(deviceId, processing) {
    const audio = { ...processing, channelCount: 1 };
    if (deviceId) audio.deviceId = { exact: deviceId };
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      throw new LiveError(reasonFor(error));
    }
    this.track = this.stream.getAudioTracks()[0];
    this.track.onended = () => this.end("The microphone was unplugged. Choose another one and start again.");
  }

  connect(voice, settings) {
    const { context } = this;
    const frame = Math.round(context.sampleRate / 100);
    this.node = new AudioWorkletNode(context, "edge-vc-live", {
      numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1],
      channelCount: 1, channelCountMode: "explicit", processorOptions: { frame },
    });
    this.node.port.onmessage = ({ data }) => {
      this.sound = data;
      this.reports = [...this.reports, data].slice(-REPORTS);
    };
    this.heard = context.createAnalyser();
    this.made = context.createAnalyser();
    this.source = context.createMediaStreamSource(this.stream);
    this.source.connect(this.heard);
    this.source.connect(this.node);
    this.node.connect(this.made);
    this.made.connect(context.destination);
    const { port1, port2 } = new MessageChannel();
    this.node.port.postMessage({ wire: port1 }, [port1]);
    this.worker = new Worker("/socket.js");
    this.worker.onmessage = ({ data }) => this.hear(data);
    const open = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`;
    this.worker.postMessage({ open, wire: port2, start: { rate: context.sampleRate, voice, settings } }, [port2]);
  }

  hear(data) {
    if (data.trip !== undefined) {
      this.trips.push(data.trip);
      if (this.trips.length > TRIPS) this.trips.shift();
    } else if (data.closed) {
      this.end(data.closed.reason || "The server is gone.", data.closed.code);
    } else {
      const { type } = data.heard;
      this.unsent = data.unsent;
      if (data.heard.frame) this.node.port.postMessage({ frame: data.heard.frame });
      if (type === "status") this.status = data.heard;
      this.on(type, data.heard);
    }
  }

  say(message) {
    if (this.worker) this.worker.postMessage({ say: message });
  }

  async useSpeaker(deviceId) {
    if (this.context && this.context.setSinkId) {
      await this.context.setSinkId(deviceId || "").catch(() => undefined);
    }
  }

  end(reason, code) {
    if (this.ended) return;
    this.ended = true;
    this.stop();
    this.on("closed", { reason, code });
  }

  async stop() {
    this.ended = true;
    if (this.track) this.track.onended = null;
    if (this.stream) this.stream.getTracks().forEach((track) => track.stop());
    if (this.worker) {
      const { worker } = this;
      worker.postMessage({ close: true });
      setTimeout(() => worker.terminate(), 500);
      this.worker = null;
    }
    if (this.context && this.context.state !== "closed") await this.context.close();
  }

  /** Where the delay comes from, line by line: [name, ms or null, how it is known]. */
  budget(facts) {
    const { status, context } = this;
    const trip = median(this.trips);
    const playing = this.reports.filter((each) => each.delay !== null);
    const fill = median(playing.map((each) => each.fill));
    const delay = median(playing.map((each) => each.delay));
    const settings = this.track ? this.track.getSettings() : {};
    const quantum = (128 / context.sampleRate) * 1000;
    const lines = [
      ["Microphone", settings.latency === undefined ? null : settings.latency * 1000, "estimated by the browser"],
      ["Collecting a hop, for the model", facts.hop_ms, "computed"],
      ["Audio thread, in and out", 2 * quantum, "computed"],
      ["Network, there and back", trip, "measured by ping, median"],
      ["Waiting for the server's thread", status && status.queue_p50_ms, "measured, median"],
      ["Resampling", status && status.resampling_ms, "computed"],
      ["Model's look-ahead and chain", status && status.delay_ms, "computed from the graph"],
      ["Compute", status && status.step_p99_ms, "measured, 99th percentile"],
      ["Playback buffer", fill, "measured, median"],
      ["Loudspeaker", (context.outputLatency || context.baseLatency) * 1000, "estimated by the browser"],
    ];
    const inside = delay !== null && status ? delay + status.delay_ms : null;
    const ends = (lines[0][1] || 0) + lines[lines.length - 1][1];
    const known = lines.reduce((sum, line) => sum + (line[1] || 0), 0);
    const total = inside === null ? null : inside + ends;
    if (total !== null) lines.push(["Everything else (scheduling)", Math.max(0, total - known), "measured total less the lines above"]);
    return { lines, total };
  }
}
