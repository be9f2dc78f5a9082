// A class, how sure it is, and how likely the others are.

import { bars, element, percent } from "../elements.js";

const MOST_BARS = 8;

export function shown(answer) {
  const ranked = Object.entries(answer.probabilities).sort((one, other) => other[1] - one[1]);
  const listed = ranked.slice(0, MOST_BARS);
  const rows = listed.map(([name, share]) => ({ name, share, text: percent(share) }));
  const headline = answer.abstained ? "Not sure enough to say" : answer.label;
  const sure = answer.abstained
    ? `The likeliest is ${answer.label}, with ${percent(answer.probability)}.`
    : `with a probability of ${percent(answer.probability)}`;
  const parts = [
    element("p", { className: "answer" }, headline),
    element("p", { className: "sure" }, sure),
    bars(rows),
  ];
  const hidden = ranked.length - listed.length;
  if (hidden) parts.push(element("p", { className: "by" }, `and ${hidden} more`));
  return parts;
}
