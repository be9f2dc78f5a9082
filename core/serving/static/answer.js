// Any answer that has no way of its own to be shown: its name and number where it is one, else as JSON.

import { element } from "./elements.js";

const NAMES = ["user", "item", "title", "note"];

export function score(answer) {
  return Object.entries(answer).find(([key, value]) => !NAMES.includes(key) && typeof value === "number");
}

export function number(value) {
  return Number.isInteger(value) ? `${value}` : value.toFixed(2);
}

export function shown(answer) {
  const scored = score(answer);
  if (!scored) return [element("pre", {}, JSON.stringify(answer, null, 2))];
  const [name, value] = scored;
  return [
    element("p", { className: "answer" }, value.toFixed(2)),
    element("p", { className: "sure" }, [name, answer.title ?? answer.item].filter(Boolean).join(" of ")),
  ];
}
