// A time chart in SVG: lines over shared axes, a legend that switches lines off, and a reading under the pointer.

import { figure } from "./view.js";

const HEIGHT = 300;
const MARGIN = { top: 12, right: 34, bottom: 28, left: 56 };
const SVG = "http://www.w3.org/2000/svg";

function shape(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** About `count` round numbers from 0 to at least `most`. */
export function ticks(most, count) {
  const rough = Math.max(most, 1e-9) / count;
  const scale = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * scale).find((s) => s >= rough);
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => i * step);
}

export class TimeChart {
  #svg = shape("svg", { class: "plot", role: "img", height: HEIGHT });
  #reading = document.createElement("div");
  #lines;
  #points = [];
  #delays = {};
  #hidden = new Set();
  #scale = null;

  /** `lines`: what to draw, as `{key, name, kind, filled}`; `kind` is the class that gives the colour. */
  constructor(place, legend, lines) {
    this.#lines = lines;
    this.#reading.className = "reading";
    this.#reading.hidden = true;
    place.append(this.#svg, this.#reading);
    legend.append(...lines.map((line) => this.#switch(line)));
    new ResizeObserver(() => this.#draw()).observe(place);
    place.addEventListener("pointermove", (event) => this.#read(event.clientX - place.getBoundingClientRect().left));
    place.addEventListener("pointerleave", () => { this.#read(null); });
  }

  /** `points`: oldest first, each with `at` in ms; `delays`: by key, how many ms later a line's values hold. */
  show(points, delays) {
    this.#points = points;
    this.#delays = delays;
    this.#draw();
  }

  #switch(line) {
    const button = document.createElement("button");
    button.className = line.kind;
    button.textContent = line.name;
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      const off = this.#hidden.delete(line.key) ? false : Boolean(this.#hidden.add(line.key));
      button.setAttribute("aria-pressed", String(!off));
      this.#draw();
    });
    return button;
  }

  #shown() {
    return this.#lines.filter((line) => !this.#hidden.has(line.key));
  }

  #draw() {
    const width = this.#svg.parentElement.clientWidth;
    const shown = this.#shown();
    if (this.#points.length < 2 || width === 0) {
      this.#svg.replaceChildren(shape("text", { x: width / 2, y: HEIGHT / 2, class: "empty" }, "two windows of history are needed"));
      return;
    }
    this.#svg.setAttribute("width", width);
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const marks = ticks(Math.max(...shown.flatMap((line) => this.#points.map((p) => p[line.key] ?? 0))), 4);
    const first = this.#points[0].at;
    const last = this.#points.at(-1).at + Math.max(0, ...Object.values(this.#delays));
    const inner = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
    this.#scale = {
      x: (at) => MARGIN.left + ((at - first) / (last - first)) * inner.width,
      y: (value) => MARGIN.top + (1 - value / marks.at(-1)) * inner.height,
      right: MARGIN.left + inner.width,
    };
    this.#svg.replaceChildren(...this.#axes(marks, first, last), ...shown.flatMap((line) => this.#path(line)), this.#cursor());
    this.#svg.setAttribute("aria-label", this.#inWords(shown));
  }

  #axes(marks, first, last) {
    const { x, y, right } = this.#scale;
    const rows = marks.flatMap((value) => [
      shape("line", { class: "grid", x1: MARGIN.left, x2: right, y1: y(value), y2: y(value) }),
      shape("text", { class: "y", x: MARGIN.left - 8, y: y(value) + 4 }, figure(value)),
    ]);
    const count = Math.max(2, Math.min(8, Math.floor((right - MARGIN.left) / 110)));
    const columns = Array.from({ length: count + 1 }, (_, i) => first + ((last - first) * i) / count);
    return [...rows, ...columns.map((at) => shape("text", { class: "x", x: x(at), y: HEIGHT - 8 }, clock(at, last - first)))];
  }

  #path(line) {
    const { x, y } = this.#scale;
    const delay = this.#delays[line.key] ?? 0;
    const known = this.#points.filter((p) => Number.isFinite(p[line.key]));
    if (known.length === 0) return [];
    const corners = known.map((p) => `${x(p.at + delay).toFixed(1)},${y(p[line.key]).toFixed(1)}`);
    const drawn = [shape("polyline", { class: `line ${line.kind}`, points: corners.join(" ") })];
    if (!line.filled) return drawn;
    const ends = [known.at(-1), known[0]].map((p) => `${x(p.at + delay).toFixed(1)},${y(0)}`);
    return [shape("polygon", { class: `area ${line.kind}`, points: [...corners, ...ends].join(" ") }), ...drawn];
  }

  #cursor() {
    return shape("line", { class: "cursor", y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, x1: -1, x2: -1 });
  }

  /** Shows the values of the window nearest to the pointer, `left` pixels into the chart; hides them for null. */
  #read(left) {
    const cursor = this.#svg.querySelector(".cursor");
    this.#reading.hidden = left === null || !cursor;
    if (this.#reading.hidden) {
      cursor?.setAttribute("class", "cursor");
      return;
    }
    const { x, right } = this.#scale;
    const distance = (point) => Math.abs(x(point.at) - left);
    const nearest = this.#points.reduce((best, point) => (distance(point) < distance(best) ? point : best));
    cursor.setAttribute("class", "cursor on");
    cursor.setAttribute("x1", x(nearest.at));
    cursor.setAttribute("x2", x(nearest.at));
    this.#reading.replaceChildren(...this.#rows(nearest));
    const flip = x(nearest.at) > right / 2;
    this.#reading.style.left = `${x(nearest.at) + (flip ? -12 : 12)}px`;
    this.#reading.style.transform = flip ? "translateX(-100%)" : "none";
  }

  #rows(point) {
    const row = (kind, text) => Object.assign(document.createElement("p"), { className: kind, textContent: text });
    const values = this.#shown().map((line) => row(line.kind, `${line.name} ${figure(this.#valueAt(line, point))}`));
    return [row("time", clock(point.at, 0)), ...values];
  }

  /** A delayed line's value at a time is the one that was made for that time. */
  #valueAt(line, point) {
    const made = point.at - (this.#delays[line.key] ?? 0);
    const half = (this.#points[1].at - this.#points[0].at) / 2;
    return this.#points.find((p) => Math.abs(p.at - made) <= half)?.[line.key];
  }

  #inWords(shown) {
    const newest = this.#points.at(-1);
    const values = shown.map((line) => `${line.name} ${figure(newest[line.key])}`);
    return `The last ${this.#points.length} windows; in the newest, per second: ${values.join(", ")}`;
  }
}

function clock(at, span) {
  const seconds = span < 1_200_000 ? { second: "2-digit" } : {};
  return new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...seconds });
}
