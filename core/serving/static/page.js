// Sends what the form holds, and shows the answer. Each kind of input has a file of its own.

import { call } from "./api.js";

const form = document.getElementById("form");
const result = document.getElementById("result");
const title = document.getElementById("result-title");
const { kind } = form.dataset;
const MOST_BARS = 8;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const percent = (share) => `${(100 * share).toFixed(share < 0.0995 || share > 0.995 ? 2 : 1)}%`;

function bars(rows) {
  const list = element("ul", { className: "bars" });
  for (const { name, share, text } of rows) {
    const fill = element("div", { className: "fill" });
    fill.style.width = `${Math.max(0, Math.min(100, 100 * share))}%`;
    list.append(
      element(
        "li",
        {},
        element("span", { className: "name" }, name),
        element("span", { className: "track", ariaHidden: "true" }, fill),
        element("span", { className: "number" }, text),
      ),
    );
  }
  return list;
}

function classes(answer) {
  const ranked = Object.entries(answer.probabilities).sort((one, other) => other[1] - one[1]);
  const shown = ranked.slice(0, MOST_BARS);
  const rows = shown.map(([name, share]) => ({ name, share, text: percent(share) }));
  const headline = answer.abstained ? "Not sure enough to say" : answer.label;
  const sure = answer.abstained
    ? `The likeliest is ${answer.label}, with ${percent(answer.probability)}.`
    : `with a probability of ${percent(answer.probability)}`;
  const parts = [
    element("p", { className: "answer" }, headline),
    element("p", { className: "sure" }, sure),
    bars(rows),
  ];
  const hidden = ranked.length - shown.length;
  if (hidden) parts.push(element("p", { className: "by" }, `and ${hidden} more`));
  return parts;
}

const ANSWERS = ["user", "item", "title", "note", "recommendations"];

function scoreOf(row) {
  return Object.entries(row).find(([key, value]) => !ANSWERS.includes(key) && typeof value === "number");
}

const told = (score) => (Number.isInteger(score) ? `${score}` : score.toFixed(2));

function recommendations(answer) {
  const rows = answer.recommendations;
  if (!rows.length) return [element("p", { className: "empty" }, "There is nothing left to recommend.")];
  const list = element("ol", { className: "ranked" });
  for (const row of rows) {
    list.append(
      element(
        "li",
        {},
        element("span", {}, row.title ?? row.item),
        element("span", { className: "number" }, told(scoreOf(row)[1])),
      ),
    );
  }
  return [element("p", { className: "sure" }, `Recommended, by ${scoreOf(rows[0])[0]}`), list];
}

function shown(answer) {
  let parts;
  if (answer.probabilities) parts = classes(answer);
  else if (answer.recommendations) parts = recommendations(answer);
  else if (scoreOf(answer)) {
    const [what, score] = scoreOf(answer);
    parts = [
      element("p", { className: "answer" }, score.toFixed(2)),
      element("p", { className: "sure" }, [what, answer.title ?? answer.item].filter(Boolean).join(" of ")),
    ];
  } else parts = [element("pre", {}, JSON.stringify(answer, null, 2))];
  if (answer.note) parts.push(element("p", { className: "note" }, answer.note));
  return parts;
}

function explained(answer) {
  const { explanation, picture } = answer;
  const method = explanation.method ? ` by ${explanation.method.replaceAll("_", " ")}` : "";
  return [
    element("p", { className: "answer" }, explanation.target),
    element(
      "figure",
      {},
      element("img", { src: picture, alt: `Picture of the explanation${method}. Its numbers stand below.` }),
    ),
    element(
      "details",
      {},
      element("summary", {}, "The same in numbers"),
      element("pre", { tabIndex: 0 }, JSON.stringify(explanation, null, 2)),
    ),
  ];
}

function body(what, input) {
  if (!(input instanceof Blob)) {
    const asked = what === "predict" ? { inputs: [input] } : { input };
    return { headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked) };
  }
  const files = new FormData();
  files.append("files", input, input.name ?? "input");
  return { body: files };
}

async function answer(what) {
  title.textContent = what === "predict" ? "Prediction" : "Explanation";
  const input = await reading.read();
  const given = await call(what, { method: "POST", ...body(what, input) });
  const parts = what === "predict" ? shown(given.predictions[0]) : explained(given);
  return [...parts, element("p", { className: "by" }, `Answered by ${given.run}`)];
}

function setBusy(busy) {
  result.setAttribute("aria-busy", busy);
  // Not `disabled`: that would take the focus from whoever works by keyboard.
  for (const button of form.querySelectorAll(".actions button")) button.setAttribute("aria-disabled", busy);
}

const reading = await import(`./${kind}.js`);
reading.setUp(form);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (result.getAttribute("aria-busy") === "true") return;
  setBusy("true");
  try {
    result.replaceChildren(...(await answer(event.submitter?.value ?? "predict")));
  } catch (error) {
    result.replaceChildren(element("p", { className: "error", role: "alert" }, error.message));
  } finally {
    setBusy("false");
    title.scrollIntoView({ block: "nearest" });
  }
});
form.dataset.ready = "true";
