// Progress of the plan on this page: figures and two lines, redrawn with each event.
"use strict";
const root = document.getElementById("live");
const field = (name) => document.getElementById(name);
const points = [];
const number = (value) => (value === null ? "–" : Number(value.toPrecision(4)).toLocaleString("en"));

function line(element, key, seconds, least, most) {
  const wide = 560, high = 170, span = Math.max(most - least, 1e-9);
  const shown = points.filter((point) => point[key] !== null);
  element.setAttribute("points", shown.map((point) => {
    const x = 50 + (wide * point.elapsed_s) / Math.max(seconds, 1e-9);
    return `${x.toFixed(1)},${(20 + high * (1 - (point[key] - least) / span)).toFixed(1)}`;
  }).join(" "));
}

function draw() {
  const values = points.flatMap((point) => [point.objective, point.bound]).filter((value) => value !== null);
  if (!values.length) return;
  const seconds = points[points.length - 1].elapsed_s;
  const least = Math.min(...values), most = Math.max(...values);
  line(field("objective-line"), "objective", seconds, least, most);
  line(field("bound-line"), "bound", seconds, least, most);
  field("most").textContent = number(most);
  field("least").textContent = number(least);
  field("end").textContent = `${seconds.toFixed(1)} s`;
}

const source = new EventSource(root.dataset.events);
source.addEventListener("progress", (message) => {
  const event = JSON.parse(message.data);
  if (points.length && event.phase !== points[points.length - 1].phase) points.length = 0;  // each phase has its own goal
  points.push(event);
  field("phase").textContent = event.phase;
  field("elapsed").textContent = `${event.elapsed_s.toFixed(1)} s`;
  field("objective").textContent = number(event.objective);
  field("bound").textContent = number(event.bound);
  const known = event.objective !== null && event.bound !== null;
  const gap = event.gap ?? (known ? (event.objective - event.bound) / Math.max(Math.abs(event.objective), 1e-9) : null);
  field("gap").textContent = gap === null ? "–" : `${(100 * gap).toPrecision(2)} %`;
  draw();
});
source.addEventListener("done", () => { source.close(); location.reload(); });
