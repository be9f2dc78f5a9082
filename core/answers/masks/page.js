// A mask over the picture it is of, as strong as one likes, and the share of each class.

import { element, percent, pictureOfForm } from "../elements.js";

// Okabe and Ito: told apart with every kind of colour vision.
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#000000"];
const VEIL = 0.55;

function levels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

// The mask's own values, grey or "#rrggbb", become colours that can be told apart.
function paint(canvas, image, classes, hidden) {
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  brush.drawImage(image, 0, 0);
  const pixels = brush.getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Map();
  classes.forEach((each, place) => {
    const [red, green, blue] = typeof each.value === "string" ? levels(each.value) : Array(3).fill(each.value);
    const colour = hidden.has(each.class) ? null : levels(COLOURS[place % COLOURS.length]);
    colours.set((red << 16) | (green << 8) | blue, colour);
  });
  const data = pixels.data;
  for (let at = 0; at < data.length; at += 4) {
    const colour = colours.get((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    if (colour) [data[at], data[at + 1], data[at + 2], data[at + 3]] = [...colour, 255];
    else data[at + 3] = 0;
  }
  brush.putImageData(pixels, 0, 0);
}

export function shown(answer) {
  const classes = answer.classes;
  // The commonest is mostly what the others stand on.
  const commonest = classes.reduce((one, other) => (other.share > one.share ? other : one));
  const hidden = new Set([commonest.class]);
  const under = element("img", { src: pictureOfForm() || answer.mask, alt: "The picture with its mask; the classes are listed below." });
  Object.assign(under.style, { width: "100%", display: "block" });
  const canvas = element("canvas", { ariaHidden: "true" });
  Object.assign(canvas.style, { position: "absolute", inset: 0, width: "100%", height: "100%", imageRendering: "pixelated" });
  const frame = element("figure", {}, under, canvas);
  frame.style.position = "relative";
  const mask = element("img", { alt: "" });
  const repaint = () => paint(canvas, mask, classes, hidden);
  mask.addEventListener("load", () => {
    under.style.aspectRatio = `${mask.naturalWidth} / ${mask.naturalHeight}`;
    repaint();
  });
  mask.src = answer.mask;

  const slider = element("input", { type: "range", id: "veil", min: 0, max: 1, step: 0.05, value: VEIL });
  canvas.style.opacity = VEIL;
  slider.addEventListener("input", () => (canvas.style.opacity = slider.value));

  const list = element("ul", { className: "bars" });
  classes.forEach((each, place) => {
    const fill = element("div", { className: "fill" });
    fill.style.width = `${100 * each.share}%`;
    fill.style.background = COLOURS[place % COLOURS.length];
    const box = element("input", { type: "checkbox", checked: !hidden.has(each.class), ariaLabel: `Show ${each.class}` });
    box.addEventListener("change", () => {
      if (box.checked) hidden.delete(each.class);
      else hidden.add(each.class);
      repaint();
    });
    list.append(
      element(
        "li",
        {},
        element("label", { className: "name" }, box, ` ${each.class}`),
        element("span", { className: "track", ariaHidden: "true" }, fill),
        element("span", { className: "number" }, percent(each.share)),
      ),
    );
  });
  return [
    frame,
    element("label", { className: "switch", htmlFor: "veil" }, "Mask over the picture ", slider),
    list,
    element("p", {}, element("a", { href: answer.mask, download: "mask.png" }, "Download the mask")),
  ];
}
