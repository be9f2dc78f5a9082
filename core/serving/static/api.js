// Calls the routes of the run that the page is about.

const { name } = document.getElementById("form").dataset;

const token = () => document.getElementById("token")?.value;

export async function call(path, options = {}) {
  const headers = { ...options.headers };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  let response;
  try {
    response = await fetch(new URL(`../v1/${name}/${path}`, import.meta.url), { ...options, headers });
  } catch {
    throw new Error("The server can't be reached.");
  }
  const answer = await response.json();
  if (response.ok) return answer;
  throw new Error(answer.field ? `${answer.field}: ${answer.error}` : answer.error);
}
