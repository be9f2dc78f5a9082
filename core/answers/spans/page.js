// An answer, how sure it is, and where in the context it stands.

import { element, marked, percent } from "../elements.js";

export function shown(answer) {
  const found = Boolean(answer.answer);
  const parts = [element("p", { className: "answer" }, found ? answer.answer : "There is no answer in the context.")];
  if (typeof answer.probability === "number") {
    parts.push(element("p", { className: "sure" }, `with a probability of ${percent(answer.probability)}`));
  }
  if (!answer.context) return parts;
  const marks = found ? [{ start: answer.start, end: answer.end, name: "", tone: 1 }] : [];
  const context = marked(answer.context, marks, "reading long");
  // It has a place only when it stands on the page.
  requestAnimationFrame(() => context.querySelector("mark")?.scrollIntoView({ block: "nearest" }));
  return [...parts, context];
}
