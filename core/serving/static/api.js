// Calls the routes of the run that the page is about.

const { name } = document.getElementById("form").dataset;

const token = () => document.getElementById("token")?.value;

export async function call(path, options = {}) {
  const headers = { ...options.headers };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  let response;
  try {
    response = await fetch(`/v1/${name}/${path}`, { ...options, headers });
  } catch {
    throw new Error("The server can't be reached.");
  }
  const answer = await response.json();
  if (response.ok) return answer;
  throw new Error(answer.field ? `${answer.field}: ${answer.error}` : answer.error);
}

// Yields the states of an answer that is sent as it grows.
export async function* events(path, options = {}) {
  const headers = { ...options.headers };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  const response = await fetch(`/v1/${name}/${path}`, { ...options, headers });
  if (!response.ok) {
    const problem = await response.json();
    throw new Error(problem.field ? `${problem.field}: ${problem.error}` : problem.error);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const whole = text.split("\n\n");
    text = whole.pop();
    for (const event of whole) {
      const data = JSON.parse(event.slice(event.indexOf("data: ") + 6));
      if (event.startsWith("event: end")) return;
      if (event.startsWith("event: problem")) throw new Error(data.error);
      yield data;
    }
  }
}
