// Calls the routes of the run that the page is about.

const { name } = document.getElementById("form").dataset;

const token = () => document.getElementById("token")?.value;

function problem({ field, error }) {
  return new Error(field ? `${field}: ${error}` : error);
}

async function asked(path, options) {
  const headers = { ...options.headers };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  try {
    return await fetch(new URL(`../v1/${name}/${path}`, import.meta.url), { ...options, headers });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Error("The server can't be reached.");
  }
}

export async function call(path, options = {}) {
  const response = await asked(path, options);
  const answer = await response.json();
  if (response.ok) return answer;
  throw problem(answer);
}

// Yields the states of an answer that is sent as it grows; the event at its end holds which run answered.
export async function* events(path, options = {}) {
  const response = await asked(path, options);
  if (!response.ok) throw problem(await response.json());
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error("The answer broke off.");
    text += value;
    const whole = text.split("\n\n");
    text = whole.pop();
    for (const lines of whole) {
      const { event, data } = Object.fromEntries(lines.split("\n").map(field));
      if (event === "problem") throw problem(JSON.parse(data));
      if (data !== undefined) yield { isEnd: event === "end", state: JSON.parse(data) };
      if (event === "end") return;
    }
  }
}

// A line without a name is a comment, by which the server sees whether anybody listens.
function field(line) {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
}
