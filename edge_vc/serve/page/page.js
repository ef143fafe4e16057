// The live part of the page: what is clicked and shown. Its sound is in live.js.

import { showBudget } from "/budget.js";
import { LivePicture } from "/drawing.js";
import { element, get, ms, show, title } from "/elements.js";
import { Live, LiveError, obstacle } from "/live.js";
import { showPlace, wirePlayer } from "/player.js";

const MAIN = ["pitch", "gain", "mix"];          // sliders that are seen at once
const HIDDEN = ["bypass", "backing_gain"];      // the button; nothing to mix with here
const PROCESSING = { echoCancellation: true, noiseSuppression: false, autoGainControl: false };
const RETRY_MS = [1000, 2000, 4000, 8000];
const LOST = [1006, 1012, 1001];                // the server went away: worth another try

const settings = new Map();
const labels = new Map();
let facts = null;
let canCompare = false;
let live = null;
let retries = 0;
let retryTimer = 0;

const heard = new LivePicture(get("heard"), get("heard-meter"), get("heard-level"));
const made = new LivePicture(get("made"), get("made-meter"), get("made-level"));

function valueText(parameter, value) {
  const digits = Number.isInteger(parameter.step) ? 0 : 1;
  return `${value > 0 && parameter.low < 0 ? "+" : ""}${value.toFixed(digits)} ${parameter.unit}`;
}

function addControl(parameter) {
  const isSwitch = parameter.unit === "on/off";
  const main = MAIN.includes(parameter.name) || parameter.name.startsWith("model_");
  const slider = main ? "controls" : "more-controls";
  const place = get(isSwitch ? "switches" : slider);
  settings.set(parameter.name, parameter.value);
  const input = element("input", { id: `set-${parameter.name}`, title: parameter.help });
  if (isSwitch) {
    Object.assign(input, { type: "checkbox", checked: parameter.value > 0 });
    input.onchange = () => setParameter(parameter.name, input.checked ? 1 : 0);
    place.append(element("label", { className: "tick", title: parameter.help }, input, title(parameter.name)));
    return;
  }
  const { low, high, step } = parameter;
  Object.assign(input, { type: "range", min: low, max: high, step: Math.min(step, 1), value: parameter.value });
  const output = element("output", { textContent: valueText(parameter, parameter.value) });
  input.oninput = () => {
    output.textContent = valueText(parameter, Number(input.value));
    setParameter(parameter.name, Number(input.value));
  };
  input.ondblclick = () => {
    input.value = parameter.value;
    input.oninput();
  };
  const label = element("label", { className: "control", title: parameter.help }, title(parameter.name), input, output);
  place.append(label);
  labels.set(parameter.name, label);
}

/** Show the conditioning inputs of the chosen bundle alone. */
function showInputs() {
  const chosen = facts.voices.find((each) => each.key === get("voice").value);
  const names = new Set(chosen.inputs.map((each) => each.name));
  for (const [name, label] of labels) if (name.startsWith("model_")) label.hidden = !names.has(name);
}

function setParameter(name, value) {
  settings.set(name, value);
  if (live) live.say({ type: "set", name, value });
}

// ---- live ----

async function start() {
  clearTimeout(retryTimer);
  const problem = obstacle();
  if (problem) return show(problem);
  show("");
  get("start").disabled = true;
  const mine = new Live((type, data) => (mine === live ? told(type, data) : undefined));
  live = mine;
  try {
    await mine.start({
      voice: get("voice").value,
      settings: Object.fromEntries(settings),
      microphone: get("microphone").value,
      speaker: get("speaker").value,
      processing: Object.fromEntries(Object.keys(PROCESSING).map((name) => [name, get(name).checked])),
    });
    heard.listen(mine.heard);
    made.listen(mine.made);
    await listDevices();
  } catch (error) {
    if (live !== mine) return undefined;
    live = null;
    if (error instanceof LiveError) show(error.message);
    else if (await serverAnswers()) show(`The audio could not be started: ${error.message}`);
    else lost({ code: LOST[0] });
  }
  showState();
  return undefined;
}

const serverAnswers = () => fetch("/facts").then((answer) => answer.ok, () => false);

async function stop() {
  clearTimeout(retryTimer);
  const mine = live;
  live = null;
  if (mine) await mine.stop();
  showState();
}

function told(type, data) {
  if (type === "ready") {
    retries = 0;
    show("");
  } else if (type === "refused") show(data.message);
  else if (type === "closed") lost(data);
}

function lost({ reason, code }) {
  live = null;
  showState();
  if (!LOST.includes(code) || retries >= RETRY_MS.length) {
    show(LOST.includes(code) ? "The server is gone. Start it again in its terminal, then press Start." : reason);
    retries = 0;
    return;
  }
  show(`The connection to the server broke; trying again (${retries + 1} of ${RETRY_MS.length}).`);
  retryTimer = setTimeout(start, RETRY_MS[retries]);
  retries += 1;
}

function showState() {
  const on = live !== null;
  get("start").disabled = false;
  get("start").textContent = on ? "Stop" : "Start";
  get("start").classList.toggle("on", on);
  get("compare").disabled = !on || !canCompare;
  if (!on) {
    compare(false);
    heard.setLevel(-120);
    made.setLevel(-120);
    showBudget(null);
  }
}

function compare(on) {
  get("compare").classList.toggle("on", on);
  get("made-name").textContent = on ? "You, through the server" : "Converted";
  if (live) live.say({ type: "set", name: "bypass", value: on ? 1 : 0 });
}

async function listDevices() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  for (const [id, kind] of [["microphone", "audioinput"], ["speaker", "audiooutput"]]) {
    const select = get(id);
    const chosen = select.value;
    const found = devices.filter((device) => device.kind === kind && device.deviceId && device.deviceId !== "default");
    const options = found.map((device, index) => new Option(device.label || `${title(id)} ${index + 1}`, device.deviceId));
    select.replaceChildren(new Option("System default", ""), ...options);
    select.value = found.some((device) => device.deviceId === chosen) ? chosen : "";
  }
}

function tick() {
  if (!live || !facts) return;
  const voice = facts.voices.find((each) => each.key === get("voice").value);
  if (live.context && live.context.state !== "closed" && live.worker) showBudget(live.budget(voice));
  const { status, sound } = live;
  if (!status || !sound) return;
  const missed = status.dropped + status.lost + status.unsent + live.unsent;
  const parts = [
    `compute ${ms(status.step_p50_ms)} median, ${ms(status.step_p99_ms)} p99 of ${voice.hop_ms} ms`,
    `${sound.gaps} gaps`, `${sound.late} late`, `${missed} frames dropped`,
  ];
  if (status.gate_open === false) parts.push("gate closed");
  get("counts").textContent = parts.join(" · ");
}

function draw() {
  if (live) {
    heard.draw();
    made.draw();
  }
  showPlace();
  requestAnimationFrame(draw);
}

// ---- wiring ----

function wire() {
  get("start").onclick = () => (live ? stop() : start());
  const button = get("compare");
  button.onpointerdown = (event) => {
    button.setPointerCapture(event.pointerId);
    compare(true);
  };
  for (const name of ["onpointerup", "onpointercancel", "onlostpointercapture", "onblur"]) button[name] = () => compare(false);
  button.oncontextmenu = (event) => event.preventDefault();
  const isHold = (event) =>
    !event.repeat && !button.disabled && !event.ctrlKey && !event.metaKey && !event.altKey &&
    ((event.key.toLowerCase() === "b" && !["SELECT", "INPUT"].includes(event.target.tagName)) ||
      (event.target === button && [" ", "Enter"].includes(event.key)));
  window.addEventListener("keydown", (event) => isHold(event) && compare(true));
  window.addEventListener("keyup", (event) => button.classList.contains("on") && ["b", "B", " ", "Enter"].includes(event.key) && compare(false));
  get("voice").onchange = () => {
    showInputs();
    if (live) live.say({ type: "voice", voice: get("voice").value });
  };
  get("speaker").onchange = () => live && live.useSpeaker(get("speaker").value);
  for (const id of ["microphone", ...Object.keys(PROCESSING)]) {
    get(id).onchange = async () => {
      if (live) {
        await stop();
        await start();
      }
    };
  }
  for (const [name, on] of Object.entries(PROCESSING)) get(name).checked = on;
  get("speaker-row").hidden = !("setSinkId" in AudioContext.prototype);
}

async function begin() {
  wire();
  showBudget(null);
  facts = await (await fetch("/facts")).json();
  for (const voice of facts.voices) get("voice").append(new Option(`${voice.key} (${voice.tier}, ${voice.algorithmic_ms} ms)`, voice.key));
  get("voice-label").hidden = facts.voices.length < 2;
  if (facts.voices.length === 1) get("about").textContent = `Speak, and hear ${facts.voices[0].key}.`;
  for (const parameter of facts.parameters) if (!HIDDEN.includes(parameter.name)) addControl(parameter);
  for (const voice of facts.voices) {
    for (const parameter of voice.inputs) if (!labels.has(parameter.name)) addControl(parameter);
  }
  showInputs();
  canCompare = facts.parameters.some((each) => each.name === "bypass");
  get("more").hidden = !get("more-controls").children.length;
  get("limits").textContent = `${facts.suffixes.map((each) => each.slice(1).toUpperCase()).join(", ")} · up to ${facts.upload_mb} MB and ${facts.minutes} minutes`;
  const voice = facts.voices[0];
  get("footer").textContent = `Edge VC ${facts.version} · ${voice.engine}, ${voice.precision} · voice: ${voice.licence}. ${voice.consent}`;
  wirePlayer(facts.upload_mb, () => ({ voice: get("voice").value, ...Object.fromEntries(settings) }));
  show(obstacle());
  if (obstacle()) get("start").disabled = true;
  requestAnimationFrame(draw);
  setInterval(tick, 250);
}

begin().catch((error) => show(`The page could not reach its server: ${error.message}`));
