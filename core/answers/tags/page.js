// A text with its entities marked, and what the colours mean.

import { element, marked, percent, tone } from "../elements.js";

function words({ text, type, probability }) {
  const sure = typeof probability === "number" ? ` (${percent(probability)})` : "";
  return `${type}: ${text}${sure}`;
}

export function shown(answer) {
  const spans = answer.spans ?? [];
  const marks = spans.map(({ start, end, type }) => ({ start, end, name: type, tone: tone(type) }));
  const parts = [marked(answer.text, marks)];
  if (typeof answer.label === "string") {
    const sure = typeof answer.probability === "number" ? ` (${percent(answer.probability)})` : "";
    parts.unshift(element("p", { className: "answer" }, `${answer.label}${sure}`));
  }
  if (!spans.length) return [...parts, element("p", { className: "sure" }, "No entities are found.")];
  const list = element("ul", { className: "legend" });
  for (const span of spans) {
    list.append(element("li", {}, element("mark", { className: `tone${tone(span.type)}` }, words(span))));
  }
  return [...parts, list];
}
