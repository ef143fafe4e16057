// Elements of the page: found, made, and the line that tells what went wrong.

export const get = (id) => document.getElementById(id);

export function show(text) {
  get("message").hidden = !text;
  get("message").textContent = text || "";
}

export function element(tag, properties = {}, ...children) {
  const whole = Object.assign(document.createElement(tag), properties);
  whole.append(...children);
  return whole;
}

export const title = (name) => name[0].toUpperCase() + name.slice(1).replaceAll("_", " ");

export const ms = (value) => (value === null || value === undefined ? "–" : `${value.toFixed(value < 10 ? 1 : 0)} ms`);
