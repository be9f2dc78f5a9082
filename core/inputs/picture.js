// A picture: drawn by pointer or by keyboard, or a file.

import { onFile } from "../files.js";

const STEP = 8;
const WIDTH = 22;

export function setUp({ find }) {
  const canvas = find("canvas");
  const paper = find("paper");
  const preview = find("preview");
  const fileName = find("file-name");
  const brush = canvas.getContext("2d");
  let file = null;
  let drawn = false;
  let last = null;
  let pen = { x: canvas.width / 2, y: canvas.height / 2, down: false };

  function clear() {
    brush.fillStyle = paper.checked ? "#fff" : "#000";
    brush.fillRect(0, 0, canvas.width, canvas.height);
    brush.strokeStyle = paper.checked ? "#000" : "#fff";
    brush.lineWidth = WIDTH;
    brush.lineCap = brush.lineJoin = "round";
    drawn = false;
  }

  function line(from, to) {
    brush.beginPath();
    brush.moveTo(from.x, from.y);
    brush.lineTo(to.x, to.y);
    brush.stroke();
    drawn = true;
    useFile(null);
  }

  function useFile(chosen) {
    file = chosen;
    preview.hidden = !chosen;
    if (preview.src) URL.revokeObjectURL(preview.src);
    if (chosen) preview.src = URL.createObjectURL(chosen);
    else preview.removeAttribute("src");
    fileName.textContent = chosen ? chosen.name : "Choose, drop or paste a picture";
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
  }

  function byKey(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    if (!move) {
      pen.down = !pen.down;
      if (pen.down) line(pen, pen);
      return;
    }
    const to = {
      x: Math.max(0, Math.min(canvas.width, pen.x + STEP * move[0])),
      y: Math.max(0, Math.min(canvas.height, pen.y + STEP * move[1])),
    };
    if (pen.down) line(pen, to);
    pen = { ...to, down: pen.down };
  }

  clear();
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    line(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const here = place(event);
    line(last, here);
    last = here;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (last = null));
  canvas.addEventListener("keydown", byKey);
  find("clear").addEventListener("click", clear);
  paper.addEventListener("change", clear);
  onFile(find("drop"), find("file"), useFile);

  return async function read() {
    if (file) return file;
    if (!drawn) throw new Error("Draw something or choose a picture first.");
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  };
}
