// The moves that are thought of, best first, and the best one on the board where the position is one of chess.

import { bars, element, percent } from "../elements.js";

const MOST_BARS = 8;
const SQUARE = 45;
const FILES = "abcdefgh";
const FIGURES = { k: "♚", q: "♛", r: "♜", b: "♝", n: "♞", p: "♟" };
const AS_TEXT = "\ufe0e"; // asks for a letter where a font has a coloured picture too
const PLACEMENT = /^[pnbrqkPNBRQK1-8]+(\/[pnbrqkPNBRQK1-8]+){7}$/;

function drawn(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// The rows of a board from the top, each of eight letters or blanks; nothing where the text is no position.
function rowsOf(placement) {
  if (!PLACEMENT.test(placement)) return null;
  const rows = placement.split("/").map((row) => row.replace(/[1-8]/g, (digit) => " ".repeat(Number(digit))));
  return rows.every((row) => row.length === 8) ? rows : null;
}

function board(position, move) {
  const [placement, turn] = position.split(" ");
  const rows = rowsOf(placement);
  if (!rows) return [];
  const seen = (place) => (turn === "b" ? 7 - place : place);
  const svg = drawn("svg", { class: "drawn-board", viewBox: "0 0 360 360", role: "img", "aria-label": `The board: ${position}` });
  rows.forEach((row, down) =>
    [...row].forEach((piece, across) => {
      const [x, y] = [seen(across) * SQUARE, seen(down) * SQUARE];
      svg.append(
        drawn("rect", { x, y, width: SQUARE, height: SQUARE, fill: (across + down) % 2 ? "#a9b4c2" : "#eeeeee" }),
      );
      if (piece === " ") return;
      const white = piece === piece.toUpperCase();
      const look = { fill: white ? "#ffffff" : "#111111", stroke: white ? "#111111" : "#ffffff", "stroke-width": 0.8 };
      const at = { x: x + SQUARE / 2, y: y + SQUARE * 0.82, "font-size": 40, "text-anchor": "middle" };
      svg.append(drawn("text", { ...at, ...look }, FIGURES[piece.toLowerCase()] + AS_TEXT));
    }),
  );
  if (/^[a-h][1-8][a-h][1-8]/.test(move)) svg.append(...arrow(move, seen));
  return [svg];
}

function arrow(move, seen) {
  const middle = (place) => seen(place) * SQUARE + SQUARE / 2;
  const [x1, x2] = [0, 2].map((at) => middle(FILES.indexOf(move[at])));
  const [y1, y2] = [1, 3].map((at) => middle(8 - Number(move[at])));
  const line = { x1, y1, x2, y2, stroke: "#d55e00", "stroke-width": 6, "stroke-linecap": "round", opacity: 0.85 };
  return [drawn("line", line), drawn("circle", { cx: x2, cy: y2, r: 9, fill: "#d55e00", opacity: 0.85 })];
}

export function shown(answer) {
  const [best] = answer.moves;
  if (!best) return [element("p", { className: "answer" }, "There is no move.")];
  const rows = answer.moves.slice(0, MOST_BARS);
  return [
    element("p", { className: "answer" }, best.move),
    element("p", { className: "sure" }, `with a probability of ${percent(best.probability)}`),
    ...board(answer.position ?? "", best.move),
    bars(rows.map(({ move, probability }) => ({ name: move, share: probability, text: percent(probability) }))),
  ];
}
