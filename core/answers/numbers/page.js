// A number, or items ranked by one.

export { shown } from "./rankings.js";
