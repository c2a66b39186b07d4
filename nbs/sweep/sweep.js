// The sweep in the hand: a slider over 360 weight decays, four charts that follow it
import data from "./data.js";
import {chart, short} from "../explorer/charts.js";

const {wds, parts} = data;

function unpacked({width, low, high, data: text}) { // rows of numbers from 16 bits, little end first
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0)), view = new DataView(bytes.buffer);
  return wds.map((_, row) => Array.from({length: width}, (_, i) => low + (high - low)*view.getUint16(2*(row*width + i), true)/65535));
}

const rows = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, unpacked(part)]));
const nearest = wd => wds.reduce((best, v, i) => Math.abs(Math.log(v/wd)) < Math.abs(Math.log(wds[best]/wd)) ? i : best, 0);
const first = data.steps.findIndex(epoch => epoch > 0.6); // before, the training loss is off the chart
const FRAME = 40, REST = 2000; // milliseconds: of a frame, and at the best

function sweep(root) {
  root.replaceChildren();
  const box = document.createElement("div");
  box.className = "knob long";
  box.innerHTML = `<label for="sweep-wd">weight decay</label><input id="sweep-wd" type="range" min="0" max="${wds.length - 1}" step="1"><output for="sweep-wd"></output>`;
  const slider = box.querySelector("input"), shown = box.querySelector("output");
  const buttons = document.createElement("p");
  buttons.innerHTML = `<button type="button">play</button> <button type="button">to the best</button>`;
  const [play, best] = buttons.children, said = document.createElement("p"), grid = document.createElement("div");
  said.className = "said";
  grid.className = "pair wide-pair";
  root.append(box, buttons, said, grid);
  const losses = chart(grid, {x: "epoch", y: "loss, stars²", title: "Training (solid) and validation (dashed)"});
  const ends = chart(grid, {x: "weight decay, log10", y: "loss, stars²", title: "Loss at the end of all 360, and where you are"});
  const weights = chart(grid, {x: "weight", y: "how many, log10", title: "Histogram of the weights"});
  const singular = chart(grid, {x: "which", y: "singular value", title: "Singular values of the product", log: true});
  const last = name => rows[name].map(row => row.at(-1)), powers = wds.map(Math.log10);
  const curves = {train: last("train"), valid: last("valid")};
  const least = Math.min(...rows.singular.flat().filter(v => v > 0));

  function draw() {
    const began = performance.now(), i = +slider.value, wd = short(wds[i]), valid = rows.valid[i], train = rows.train[i];
    const text = `At weight decay ${wd}: training loss ${short(train.at(-1))}, validation loss ${short(valid.at(-1))} (lowest of all: ${short(curves.valid[data.best])} at ${short(wds[data.best])}); `
      + `the mean size of a weight is ${short(data.mean_abs[i])}.`;
    shown.value = wd;
    slider.setAttribute("aria-valuetext", wd);
    said.textContent = text;
    losses({curves: [["a", train.slice(first), data.steps.slice(first)], ["b", valid, [1, 2, 3, 4, 5]]], hi: 5, low: 0.2, high: 1.4, said: text});
    ends({curves: [["a", curves.train, powers], ["b", curves.valid, powers], ["a", [0.2, 1.1], [powers[i], powers[i]]]], lo: -4, hi: 0, low: 0.2, high: 1.1, said: text});
    weights({bars: rows.hist[i], lo: data.edges[0], hi: data.edges[1], low: parts.hist.low, high: parts.hist.high, said: text});
    singular({curves: [["a", rows.singular[i].map(v => Math.max(v, least))]], hi: rows.singular[i].length, low: Math.max(least, parts.singular.high*1e-4), high: parts.singular.high, said: text});
    root.dataset.milliseconds = (performance.now() - began).toFixed(2);
  }

  let timer = null, writing, waiting = false;
  const stop = () => { clearTimeout(timer); timer = null; play.textContent = "play"; };
  const change = () => {
    clearTimeout(writing);
    writing = setTimeout(() => history.replaceState(null, "", `#wd=${wds[slider.value]}`), 150);
    if (!waiting) requestAnimationFrame(() => { waiting = false; draw(); });
    waiting = true;
  };
  const to = i => { slider.value = i; change(); };
  function next() {
    if (+slider.value === wds.length - 1) return stop();
    to(+slider.value + 1);
    timer = setTimeout(next, +slider.value === data.best ? REST : FRAME);
  }
  slider.addEventListener("input", () => { stop(); change(); });
  best.addEventListener("click", () => { stop(); to(data.best); });
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (+slider.value === wds.length - 1 || +slider.value === data.best) slider.value = 0;
    play.textContent = "stop";
    next();
  });
  const asked = Number(new URLSearchParams(location.hash.slice(1)).get("wd"));
  slider.value = asked > 0 ? nearest(asked) : data.best;
  draw();
}

for (const root of document.querySelectorAll(".explorer[data-page=sweep]")) sweep(root);
