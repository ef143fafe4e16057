// A worker that owns the WebSocket: a busy page (drawing, a hidden tab) does not delay the audio.
"use strict";

const HEADER = 16;
const LEAST_BUFFER_S = 0.25;   // unsent audio beyond this is dropped here
const PING_MS = 1000;

let socket = null;
let wire = null;
let rate = 48000;
let sent = 0;
let received = 0;
let unsent = 0;
let pings = new Map();
let pingNumber = 0;
let pingTimer = 0;
let ready = false;   // the server converts: before, audio has nowhere to go

onmessage = ({ data }) => {
  if (data.open) open(data);
  else if (data.say) say(data.say);
  else if (data.close) {
    clearInterval(pingTimer);
    if (socket) socket.close(1000);
  }
};

function open({ open: url, wire: port, start }) {
  wire = port;
  rate = start.rate;
  socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    say({ type: "start", ...start });
    pingTimer = setInterval(ping, PING_MS);
  };
  socket.onclose = ({ code, reason }) => {
    clearInterval(pingTimer);
    postMessage({ closed: { code, reason } });
  };
  socket.onmessage = ({ data }) => (typeof data === "string" ? hear(JSON.parse(data)) : play(data));
  wire.onmessage = ({ data }) => send(data);
}

function say(message) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function ping() {
  pingNumber += 1;
  pings.set(pingNumber, performance.now());
  if (pings.size > 30) pings.delete(pings.keys().next().value);
  say({ type: "ping", number: pingNumber });
}

function hear(message) {
  if (message.type === "pong") {
    const began = pings.get(message.number);
    pings.delete(message.number);
    if (began !== undefined) postMessage({ trip: performance.now() - began });
  } else {
    if (message.type === "ready") ready = true;
    postMessage({ heard: message, unsent });
  }
}

function send({ position, samples }) {
  if (!ready || socket.readyState !== WebSocket.OPEN) return;
  if (socket.bufferedAmount > LEAST_BUFFER_S * rate * 2) {
    unsent += 1;
    sent += 1;
    return;
  }
  const message = new ArrayBuffer(HEADER + 2 * samples.length);
  const head = new DataView(message);
  head.setUint32(0, sent, true);
  head.setUint32(4, received, true);
  head.setFloat64(8, position, true);
  const values = new Int16Array(message, HEADER);
  for (let index = 0; index < samples.length; index += 1) {
    values[index] = Math.max(-32768, Math.min(32767, Math.round(samples[index] * 32768)));
  }
  socket.send(message);
  sent += 1;
}

function play(message) {
  const head = new DataView(message);
  received = head.getUint32(0, true) + 1;
  const values = new Int16Array(message, HEADER);
  const samples = new Float32Array(values.length);
  for (let index = 0; index < values.length; index += 1) samples[index] = values[index] / 32768;
  wire.postMessage({ position: head.getFloat64(8, true), samples }, [samples.buffer]);
}
