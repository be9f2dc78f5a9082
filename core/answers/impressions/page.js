// Candidates in the order of their scores, best first.

export { shown } from "./rankings.js";
