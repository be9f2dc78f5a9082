// A sound to hear, to see, and to keep.

import { element } from "../elements.js";

const POINTS = 600;

function bytesOf(url) {
  return Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
}

// Samples of a WAV of 16 bits and one channel: the page may not fetch, and so can't have it decoded.
function wave(bytes) {
  const view = new DataView(bytes.buffer);
  let rate = 1;
  for (let place = 12; place + 8 <= bytes.length; ) {
    const name = String.fromCharCode(...bytes.subarray(place, place + 4));
    const size = view.getUint32(place + 4, true);
    if (name === "fmt ") rate = view.getUint32(place + 12, true);
    if (name === "data") {
      const count = Math.floor(Math.min(size, bytes.length - place - 8) / 2);
      return { rate, samples: Int16Array.from({ length: count }, (_, at) => view.getInt16(place + 8 + 2 * at, true)) };
    }
    place += 8 + size + (size % 2);
  }
  return { rate, samples: new Int16Array() };
}

function drawn({ samples, rate }, name) {
  const seconds = (samples.length / rate).toFixed(2);
  const canvas = element("canvas", { width: POINTS, height: 120, role: "img", ariaLabel: `Waveform of ${name}, ${seconds} seconds` });
  Object.assign(canvas.style, { display: "block", width: "100%", height: "6rem" });
  const pen = canvas.getContext("2d");
  const middle = canvas.height / 2;
  pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim() || "#0072b2";
  for (let point = 0; point < POINTS; point += 1) {
    let low = 0;
    let high = 0;
    const end = Math.floor(((point + 1) * samples.length) / POINTS);
    for (let at = Math.floor((point * samples.length) / POINTS); at < end; at += 1) {
      low = Math.min(low, samples[at]);
      high = Math.max(high, samples[at]);
    }
    pen.fillRect(point, middle - (high / 32768) * middle, 1, Math.max(((high - low) / 32768) * middle, 1));
  }
  return canvas;
}

export function shown(answer) {
  const parts = [];
  for (const [name, value] of Object.entries(answer)) {
    if (typeof value === "string" && value.startsWith("data:audio/")) {
      const bytes = bytesOf(value);
      const heard = wave(bytes);
      const href = URL.createObjectURL(new Blob([bytes], { type: "audio/wav" }));
      const player = element("audio", { controls: true, src: href, ariaLabel: name });
      player.style.width = "100%";
      parts.push(
        element("p", { className: "sure" }, `${name}, ${(heard.samples.length / heard.rate).toFixed(2)} seconds`),
        player,
        drawn(heard, name),
        element("p", {}, element("a", { href, download: `${name}.wav` }, `Download ${name}`)),
      );
    } else if (name !== "note" && ["string", "number"].includes(typeof value)) {
      parts.push(element("p", { className: "sure" }, `${name}: ${value}`));
    }
  }
  return parts;
}
