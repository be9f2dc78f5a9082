// A text, typed or pasted.

export function setUp({ find, form }) {
  const text = find("text");
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  return function read() {
    if (!text.value.trim()) throw new Error("Write a text first.");
    return text.value;
  };
}
