// A text with its masks filled in, and the likeliest words of each mask.

import { bars, element, marked, percent } from "../elements.js";

export function shown(answer) {
  const marks = answer.masks.map(({ start, end }) => ({ start, end, name: "", tone: 1 }));
  const parts = [marked(answer.text, marks, "reading")];
  for (const { word, candidates } of answer.masks) {
    parts.push(element("p", { className: "sure" }, `“${word}” is the likeliest of:`));
    parts.push(
      bars(candidates.map((each) => ({ name: each.word, share: each.probability, text: percent(each.probability) }))),
    );
  }
  return parts;
}
