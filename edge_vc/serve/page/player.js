// The part of the page for recordings: drop one, see it, hear it and its conversion in turn.

import { Outline } from "/drawing.js";
import { get, show } from "/elements.js";
import { PairPlayer, convertRecording } from "/recording.js";

const outline = new Outline(get("outline"));
const player = new PairPlayer(get("audio"));
let upload = null;
let limitMb = 0;
let query = null;

/** Make the part work; `read` returns the voice and the parameters, by name, of a conversion. */
export function wirePlayer(megabytes, read) {
  limitMb = megabytes;
  query = read;
  get("file").onchange = () => {
    if (get("file").files[0]) convert(get("file").files[0]);
    get("file").value = "";
  };
  const drop = get("drop");
  window.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  window.addEventListener("dragleave", (event) => event.relatedTarget === null && drop.classList.remove("over"));
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files[0]) convert(event.dataTransfer.files[0]);
  });
  get("play").onclick = () => (get("audio").paused ? player.play() : get("audio").pause());
  get("hear-original").onclick = () => hear(0);
  get("hear-converted").onclick = () => hear(1);
  get("outline").onpointerdown = seek;
  get("outline").onpointermove = (event) => event.buttons && seek(event);
  get("outline").onkeydown = (event) => {
    const by = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
    if (by) get("audio").currentTime += by;
  };
}

async function convert(file) {
  if (upload) upload.abort();
  upload = new AbortController();
  const { signal } = upload;
  get("audio").pause();
  get("result").hidden = false;
  get("transport").hidden = true;
  get("progress").hidden = false;
  get("progress").removeAttribute("value");
  get("file-name").textContent = file.name;
  show("");
  if (file.size > limitMb * 1e6) return failed(`${file.name} is larger than ${limitMb} MB. Cut or compress it.`);
  const asked = query();
  let begun = false;
  try {
    const result = await convertRecording(file, asked, (share, samples, frames) => {
      if (!begun) outline.start(frames);
      begun = true;
      outline.add(samples);
      get("progress").value = share;
    }, signal);
    show(result.notice);
    player.load(result.pair);
    get("progress").hidden = true;
    get("transport").hidden = false;
    if (get("download").href) URL.revokeObjectURL(get("download").href);
    get("download").href = URL.createObjectURL(result.converted);
    get("download").download = `${file.name.replace(/\.\w+$/, "")}-${asked.voice}.wav`;
  } catch (error) {
    if (!signal.aborted) failed(error instanceof TypeError ? "The server is gone, or it refused the upload." : error.message);
  }
  return undefined;
}

function failed(text) {
  get("result").hidden = true;
  show(text);
}

function hear(channel) {
  player.choose(channel);
  get("hear-original").setAttribute("aria-checked", String(channel === 0));
  get("hear-converted").setAttribute("aria-checked", String(channel === 1));
}

/** Show where the recording plays; to be called once per picture. */
export function showPlace() {
  if (get("result").hidden) return;
  const { currentTime, duration, paused } = get("audio");
  outline.draw(duration > 0 ? currentTime / duration : 0, player.chosen);
  get("play").textContent = paused ? "Play" : "Pause";
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  get("clock").textContent = duration > 0 ? `${clock(currentTime)} / ${clock(duration)}` : "";
  get("outline").setAttribute("aria-valuenow", String(duration > 0 ? Math.round((100 * currentTime) / duration) : 0));
}

function seek(event) {
  const box = get("outline").getBoundingClientRect();
  const { duration } = get("audio");
  if (duration > 0) get("audio").currentTime = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * duration;
}
