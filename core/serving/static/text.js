// A text, typed or pasted.

const text = document.getElementById("text");

export function setUp(form) {
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}

export function read() {
  if (!text.value.trim()) throw new Error("Write a text first.");
  return text.value;
}
