// A position of chess as moves (`e2e4 e7e5`) or in Forsyth-Edwards notation, with a board to see and to move on.
// Whether a move is legal is for the task to say. Any other text is sent as it is, without a board.

import { element } from "../elements.js";

const START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR";
const MOVE = /^([a-h][1-8])([a-h][1-8])([qrbn]?)$/;
const PIECES = { k: "♚", q: "♛", r: "♜", b: "♝", n: "♞", p: "♟" };
const NAMES = { k: "king", q: "queen", r: "rook", b: "bishop", n: "knight", p: "pawn" };
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -8, ArrowDown: 8 };

const nameOf = (place) => "abcdefgh"[place % 8] + (8 - Math.floor(place / 8));
const placeOf = (name) => "abcdefgh".indexOf(name[0]) + 8 * (8 - Number(name[1]));
const isWhite = (piece) => piece !== piece.toLowerCase();

// The 64 squares from a8 to h1, "" for an empty one; nothing where the text describes no board.
export function squaresOf(description) {
  const squares = [];
  const rows = description.split("/");
  for (const row of rows) {
    const before = squares.length;
    for (const sign of row) {
      if (/[1-8]/.test(sign)) squares.push(...Array(Number(sign)).fill(""));
      else if (sign.toLowerCase() in PIECES) squares.push(sign);
      else return null;
    }
    if (squares.length - before !== 8) return null;
  }
  return rows.length === 8 ? squares : null;
}

// The squares after a move; nothing where no piece stands there to be moved.
export function moved(squares, move) {
  const [, first, second, promoted] = MOVE.exec(move);
  const from = placeOf(first);
  const to = placeOf(second);
  const piece = squares[from];
  if (!piece) return null;
  const after = [...squares];
  const sideways = (to % 8) - (from % 8);
  // A pawn that goes aslant to an empty square takes the one that it passes.
  if (piece.toLowerCase() === "p" && sideways && !squares[to]) after[from + sideways] = "";
  if (piece.toLowerCase() === "k" && Math.abs(sideways) === 2) {
    const row = from - (from % 8);
    after[from + sideways / 2] = after[row + (sideways > 0 ? 7 : 0)];
    after[row + (sideways > 0 ? 7 : 0)] = "";
  }
  after[from] = "";
  const kind = promoted || piece.toLowerCase();
  after[to] = isWhite(piece) ? kind.toUpperCase() : kind;
  return after;
}

// What the board shows for a text, and why it shows none.
export function boardOf(text) {
  const words = text.trim().split(/\s+/).filter(Boolean);
  if (words[0]?.includes("/")) {
    const squares = squaresOf(words[0]);
    return { squares, problem: squares ? "" : "This describes no board." };
  }
  let squares = squaresOf(START);
  for (const [place, word] of words.entries()) {
    if (!MOVE.test(word)) return { squares: null, problem: `Move ${place + 1}, ${word}, is not written like e2e4.` };
    squares = moved(squares, word);
    if (!squares) return { squares: null, problem: `Move ${place + 1}, ${word}: no piece stands on ${word.slice(0, 2)}.` };
  }
  return { squares, problem: "" };
}

export function setUp({ find }) {
  const field = find("position");
  const board = find("board");
  const hint = find("position-hint");
  let picked = null;
  let focused = placeOf("e2");

  function draw(note = "") {
    const { squares, problem } = boardOf(field.value);
    const last = field.value.trim().split(/\s+/).pop();
    const marked = MOVE.test(last) ? [placeOf(last.slice(0, 2)), placeOf(last.slice(2, 4))] : [];
    const hadFocus = board.contains(document.activeElement);
    board.hidden = !squares;
    hint.textContent = problem || note;
    const cells = (squares ?? []).map((piece, place) => square(piece, place, marked.includes(place)));
    const rows = Array.from({ length: cells.length / 8 }, (_, row) =>
      element("div", { role: "row" }, ...cells.slice(8 * row, 8 * row + 8)),
    );
    board.replaceChildren(...rows);
    if (hadFocus) cells[focused]?.firstChild.focus();
  }

  function square(piece, place, isMarked) {
    const colour = piece && (isWhite(piece) ? "white" : "black");
    const dark = (place + Math.floor(place / 8)) % 2 ? "dark" : "light";
    const className = ["square", dark, colour, isMarked && "last", place === picked && "picked"].filter(Boolean).join(" ");
    const named = piece ? `${colour} ${NAMES[piece.toLowerCase()]}` : "empty";
    const button = element("button", { type: "button", className, tabIndex: place === focused ? 0 : -1 });
    button.textContent = piece ? PIECES[piece.toLowerCase()] + "\uFE0E" : ""; // as text, never as an emoji
    button.dataset.square = nameOf(place);
    button.setAttribute("aria-label", `${nameOf(place)}, ${named}${place === picked ? ", picked" : ""}`);
    button.addEventListener("click", () => choose(place));
    return element("div", { role: "gridcell" }, button);
  }

  function choose(place) {
    const { squares } = boardOf(field.value);
    focused = place;
    if (picked === null) picked = squares[place] ? place : null;
    else if (picked === place) picked = null;
    else return move(squares, place);
    draw();
  }

  function move(squares, place) {
    const isPawn = squares[picked].toLowerCase() === "p";
    const promoted = isPawn && (place < 8 || place >= 56) ? "q" : "";
    const written = nameOf(picked) + nameOf(place) + promoted;
    picked = null;
    if (field.value.includes("/")) return draw("Moves are added to a game, not to a position.");
    field.value = `${field.value.trim()} ${written}`.trim();
    draw();
  }

  board.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const to = focused + (step ?? 0);
    if (!step || to < 0 || to > 63 || (Math.abs(step) === 1 && Math.floor(to / 8) !== Math.floor(focused / 8))) return;
    event.preventDefault();
    focused = to;
    draw();
  });
  board.addEventListener("focusin", (event) => {
    const name = event.target.dataset.square;
    if (name) focused = placeOf(name);
  });
  field.addEventListener("input", () => {
    picked = null;
    draw();
  });
  find("back").addEventListener("click", () => {
    picked = null;
    if (!field.value.includes("/")) field.value = field.value.trim().split(/\s+/).slice(0, -1).join(" ");
    draw();
  });
  find("start").addEventListener("click", () => {
    picked = null;
    field.value = "";
    draw();
  });
  draw();

  return function read() {
    return field.value.trim();
  };
}
