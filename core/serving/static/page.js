// Sends what the form holds, and shows the answer. Each kind of input and of answer has a file of its own.

import { call, events } from "./api.js";
import { element } from "./elements.js";

const form = document.getElementById("form");
const result = document.getElementById("result");
const title = document.getElementById("result-title");
const stop = document.getElementById("stop");

const answers = await import(form.dataset.answers);
const readers = await Promise.all([...form.querySelectorAll(".input")].map(readerOf));

async function readerOf(part) {
  const { name, label, id, script, settings } = part.dataset;
  const { setUp } = await import(script);
  const find = (what) => document.getElementById(id + what);
  const made = setUp({ find, form, call, settings: JSON.parse(settings) });
  // What remembers answers, as a dialogue does, gives more than a function that reads.
  return { name, label, answered() {}, ...(typeof made === "function" ? { read: made } : made) };
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Error("The file can't be read."));
    reader.readAsDataURL(file);
  });
}

async function input() {
  if (readers.length === 1) return readers[0].read();
  const values = {};
  for (const { name, label, read } of readers) {
    try {
      const value = await read();
      values[name] = value instanceof Blob ? await base64(value) : value;
    } catch (error) {
      throw new Error(`${label}: ${error.message}`);
    }
  }
  return values;
}

function options() {
  const asked = {};
  for (const field of form.querySelectorAll("[data-option]")) {
    if (field.type === "checkbox") asked[field.dataset.option] = field.checked;
    else if (field.value !== "") asked[field.dataset.option] = field.type === "number" ? Number(field.value) : field.value;
  }
  return Object.keys(asked).length ? { options: asked } : {};
}

function shown(answer) {
  const parts = answers.shown(answer);
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

async function body(what, value) {
  if (value instanceof Blob && what !== "stream") {
    const files = new FormData();
    files.append("files", value, value.name ?? "input");
    return { body: files };
  }
  const sent = value instanceof Blob ? await base64(value) : value;
  const asked = what === "predict" ? { inputs: [sent] } : { input: sent };
  const all = what === "explain" ? asked : { ...asked, ...options() };
  return { headers: { "Content-Type": "application/json" }, body: JSON.stringify(all) };
}

async function answer(what) {
  title.textContent = what === "explain" ? "Explanation" : "Prediction";
  const request = { method: "POST", ...(await body(what, await input())) };
  if (what === "stream") return streamed(request);
  const given = await call(what, request);
  const parts = what === "predict" ? shown(given.predictions[0]) : explained(given);
  show(parts, `Answered by ${given.run}`);
  if (what === "predict") for (const reader of readers) reader.answered(given.predictions[0]);
}

function show(parts, by) {
  result.replaceChildren(...parts, element("p", { className: "by" }, by));
}

async function streamed(request) {
  const stopping = new AbortController();
  let answer = null;
  stop.onclick = () => stopping.abort();
  stop.hidden = false;
  try {
    for await (const { isEnd, state } of events("stream", { ...request, signal: stopping.signal })) {
      if (isEnd) show(shown(answer), `Answered by ${state.run}`);
      else result.replaceChildren(...shown((answer = state)));
    }
  } catch (error) {
    if (error.name !== "AbortError") throw error;
    show(answer ? shown(answer) : [], "Stopped");
  } finally {
    if (document.activeElement === stop) form.querySelector(".actions button").focus();
    stop.hidden = true;
  }
  if (answer) for (const reader of readers) reader.answered(answer);
}

function setBusy(busy) {
  result.setAttribute("aria-busy", busy);
  // Not `disabled`: that would take the focus from whoever works by keyboard.
  for (const button of form.querySelectorAll(".actions [type=submit]")) button.setAttribute("aria-disabled", busy);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (result.getAttribute("aria-busy") === "true") return;
  setBusy("true");
  try {
    await answer(event.submitter?.value ?? form.dataset.first);
  } catch (error) {
    result.replaceChildren(element("p", { className: "error", role: "alert" }, error.message));
  } finally {
    setBusy("false");
    title.scrollIntoView({ block: "nearest" });
  }
});
form.dataset.ready = "true";
