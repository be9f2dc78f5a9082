// Boxes over the picture they are of, those below a confidence left out.

import { element, percent, pictureOfForm } from "../elements.js";

// Okabe and Ito: told apart with every kind of colour vision.
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];
const SVG = "http://www.w3.org/2000/svg";

function drawing(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function box(each, colour, letter) {
  const [left, top, right, bottom] = each.box;
  const outline = { x: left, y: top, width: Math.max(right - left, 0), height: Math.max(bottom - top, 0), fill: "none" };
  const thin = { "vector-effect": "non-scaling-stroke" };
  return drawing(
    "g",
    { "data-score": each.score },
    drawing("rect", { ...outline, ...thin, stroke: "#fff", "stroke-width": 5 }),
    drawing("rect", { ...outline, ...thin, stroke: colour, "stroke-width": 2.5 }),
    drawing(
      "text",
      {
        x: left + letter / 4,
        y: Math.max(top, 0) + letter,
        "font-size": letter,
        fill: colour,
        stroke: "#fff",
        "stroke-width": letter / 4,
        "paint-order": "stroke",
        "font-weight": "bold",
      },
      each.label,
    ),
  );
}

export function shown(answer) {
  const boxes = [...answer.boxes].sort((one, other) => other.score - one.score);
  if (!boxes.length) return [element("p", { className: "answer" }, "Nothing found")];
  const [height, width] = answer.size;
  const labels = [...new Set(boxes.map((each) => each.label))].sort();
  const colour = (label) => COLOURS[labels.indexOf(label) % COLOURS.length];
  const drawn = boxes.map((each) => box(each, colour(each.label), Math.max(width, height) / 24));

  const over = drawing("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  over.append(...[...drawn].reverse());
  Object.assign(over.style, { position: "absolute", inset: 0, width: "100%", height: "100%", overflow: "visible" });
  const image = element("img", { src: pictureOfForm(), alt: "The picture with what was found in it; listed below." });
  Object.assign(image.style, { width: "100%", aspectRatio: `${width} / ${height}` });
  const frame = element("figure", {}, image, over);
  frame.style.position = "relative";

  const count = element("p", { className: "answer", role: "status" });
  const list = element("ul", { className: "bars" });
  const slider = element("input", { type: "range", id: "least-score", min: 0, max: 1, step: 0.01 });
  const least = element("output", { htmlFor: "least-score" });

  function show() {
    const score = Number(slider.value);
    const sure = boxes.filter((each) => each.score >= score);
    least.textContent = percent(score);
    count.textContent = sure.length === 1 ? "1 object" : `${sure.length} objects`;
    boxes.forEach((each, place) => (drawn[place].style.display = each.score >= score ? "" : "none"));
    list.replaceChildren(
      ...sure.map((each) => {
        const fill = element("div", { className: "fill" });
        fill.style.width = `${100 * each.score}%`;
        fill.style.background = colour(each.label);
        return element(
          "li",
          {},
          element("span", { className: "name" }, each.label),
          element("span", { className: "track", ariaHidden: "true" }, fill),
          element("span", { className: "number" }, percent(each.score)),
        );
      }),
    );
  }

  // What a detector keeps goes down to hardly sure; half as sure as the surest is a start.
  slider.value = (boxes[0].score / 2).toFixed(2);
  slider.addEventListener("input", show);
  show();
  return [
    count,
    frame,
    element("label", { className: "switch", htmlFor: "least-score" }, "Least confidence ", slider, least),
    list,
  ];
}
