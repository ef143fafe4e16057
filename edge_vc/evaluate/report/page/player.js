"use strict";
// One version sounds at a time; the spectrogram shows where and can be clicked.
for (const card of document.querySelectorAll(".card")) {
  const audio = card.querySelector("audio");
  const picture = card.querySelector(".spectrogram");
  const head = card.querySelector(".head");
  if (!audio || !picture || !head) continue;
  const show = () => {
    if (!audio.duration) return;
    head.style.left = (100 * audio.currentTime) / audio.duration + "%";
    head.style.opacity = audio.currentTime > 0 && !audio.ended ? 0.9 : 0;
    if (!audio.paused) requestAnimationFrame(show);
  };
  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    show();
  });
  for (const event of ["seeked", "pause", "ended"]) audio.addEventListener(event, show);
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    if (audio.duration) audio.currentTime = (audio.duration * (event.clientX - box.left)) / box.width;
    audio.play();
  });
}
