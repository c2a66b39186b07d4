// The page: sliders and maps. walk.js has the arithmetic, settings.js what can be set.
import {FAR, lowest, surface, walk} from "./walk.js";
import {chart, element, short} from "./charts.js";
import {PRESETS, SHARED, WALKER, forWalk, fromAddress, toAddress, withChanges} from "./settings.js";

const tag = (name, attributes = {}, ...inside) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
};

// ---- a map: the colours of matplotlib's cividis, bright where the loss is low

const CIVIDIS = [[253, 234, 69], [228, 207, 91], [203, 186, 105], [179, 166, 114], [155, 145, 120], [131, 126, 121],
                 [109, 107, 115], [87, 93, 109], [61, 78, 108], [18, 53, 112], [0, 34, 78]];
const BANDS = 24, SIDE = 101;

function colour(part) {
  const at = Math.min(part, 0.9999)*(CIVIDIS.length - 1), i = Math.floor(at), left = at - i;
  return CIVIDIS[i].map((c, k) => c + (CIVIDIS[i + 1][k] - c)*left);
}

function paint(ground) { // bands of equal width in the root of the loss
  const by = (ground.hi - ground.lo)/(SIDE - 1), heights = new Float64Array(SIDE*SIDE);
  for (let i = 0; i < SIDE; i++) for (let j = 0; j < SIDE; j++)
    heights[i*SIDE + j] = Math.sqrt(ground.loss(ground.hi - i*by, ground.lo + j*by));
  const low = heights.reduce((a, b) => Math.min(a, b)), high = heights.reduce((a, b) => Math.max(a, b));
  const image = new ImageData(SIDE, SIDE);
  heights.forEach((h, k) => {
    const band = Math.floor((h - low)/(high - low)*(BANDS - 1e-6));
    image.data.set([...colour(band/(BANDS - 1)), 255], 4*k);
  });
  return image;
}

// ---- controls

function knob(definition, prefix, change) {
  const {name, options, lo, hi, by, says} = definition, id = `knob-${prefix}${name}`;
  const input = options
    ? tag("select", {id}, ...Object.entries(options).map(([value, text]) => tag("option", {value}, text)))
    : tag("input", {id, type: "range", min: definition.log ? Math.log10(lo)*100 : lo, max: definition.log ? Math.log10(hi)*100 : hi, step: by ?? 1});
  const shown = tag("output", {for: id});
  const box = tag("div", {class: "knob"}, tag("label", {for: id}, says), input, shown);
  if (options) input.style.gridColumn = "2 / 4", shown.hidden = true;
  input.addEventListener("input", () => {
    const raw = options ? input.value : +input.value;
    change(name, definition.log ? +(10**(raw/100)).toPrecision(3) : raw);
  });
  return {box, show(values) {
    const value = values[name], text = options ? options[value] : short(value);
    box.hidden = definition.when ? !definition.when(values) : false;
    const place = String(definition.log ? Math.round(Math.log10(value)*100) : value);
    if (input.value !== place) input.value = place;
    if (!options) input.setAttribute("aria-valuetext", text);
    shown.value = text;
  }};
}

// ---- the page

let explorers = 0; // several on a page: their controls need names of their own

export function explorer(root, {address = true} = {}) { // with an address: the whole page; else small, within a chapter
  const own = explorers++ ? `${explorers}-` : "";
  let settings = fromAddress(address ? location.hash.slice(1) : root.dataset.settings ?? ""), image, painted, minimum, waiting = false, preset = null;
  root.replaceChildren();
  const buttons = PRESETS.map(([name, changes, says]) => {
    const button = tag("button", {type: "button", "aria-pressed": "false"}, name);
    button.addEventListener("click", () => { settings = withChanges(changes); preset = says; change(); });
    return [button, says];
  });
  const lesson = tag("p", {class: "note", "aria-live": "polite"});
  if (address) root.append(tag("div", {class: "presets", role: "group", "aria-label": "Presets of the course"}, ...buttons.map(([b]) => b)), lesson);

  const knobs = [];
  const group = (title, kind, definitions, prefix, side) => {
    const made = definitions.map(d => knob(d, own + prefix, (name, value) => { side()[name] = value; preset = null; change(); }));
    knobs.push(...made.map(k => [k, side]));
    return tag("fieldset", {class: kind}, tag("legend", {}, title), tag("div", {class: kind}, ...made.map(k => k.box)));
  };
  const common = group("The ground and the start", "shared", SHARED, "", () => settings);
  if (address) root.append(common);

  const sides = ["a", "b"].map(name => {
    const canvas = tag("canvas", {width: SIDE, height: SIDE, role: "img"}), paths = element("svg", {viewBox: "0 0 400 400", "aria-hidden": "true"});
    const rim = element("path", {fill: "none", stroke: "#fff", "stroke-width": 4.5, "stroke-linejoin": "round"}, paths);
    const trail = element("path", {fill: "none", stroke: "#111", "stroke-width": 1.3}, paths);
    const dots = element("path", {fill: "none", stroke: "#111", "stroke-width": 5, "stroke-linecap": "round"}, paths);
    const end = element("rect", {width: 10, height: 10, fill: "#fff", stroke: "#111", "stroke-width": 2}, paths);
    const star = element("path", {fill: "#fff", stroke: "#111", "stroke-width": 1.5}, paths);
    const axes = [[200, 394, ""], [14, 200, "rotate(-90 14 200)"], [6, 394, ""], [394, 394, ""], [6, 16, ""]];
    const names = axes.map(([x, y, transform], i) => element("text", {x, y, transform, "text-anchor": ["middle", "middle", "start", "end", "start"][i]}, paths));
    const start = tag("button", {type: "button", class: "start"}), said = tag("p", {class: "said"});
    const map = tag("div", {class: "map"}, canvas, paths, start);
    grab(start, map);
    canvas.addEventListener("pointerdown", event => moveTo(event, map));
    const box = tag("div", {}, map, said, group(name.toUpperCase(), name, WALKER, `${name}-`, () => settings[name]));
    return {name, box, canvas, rim, trail, dots, star, end, start, said, names};
  });
  root.append(tag("div", {class: "pair"}, ...sides.map(s => s.box)));
  const below = tag("div", {class: "pair"});
  const losses = chart(below, {x: "step", y: "loss", log: true, title: "Loss on all points"});
  const lengths = chart(below, {x: "step", y: "length", title: "Length of (weight, bias)"});
  const legend = "Circle: start (drag it, or use the arrow keys). Square: end. Star: the lowest point. Weight upwards, bias to the right. ";
  const more = tag("a", {href: "explorer.html"}, "All settings, losses and lengths are in the explorer.");
  if (!address) root.append(tag("p", {class: "note"}, legend, more));
  else root.append(below, tag("p", {class: "note"}, "Solid is A, dashed is B. " + legend
    + "The address of this page holds all settings: copy it to share the picture."));

  const round = v => Math.round(v*10)/10, inside = v => Math.min(10, Math.max(-10, round(v)));
  function put(weight, bias) { Object.assign(settings, {weight: inside(weight), bias: inside(bias)}); preset = null; change(); }
  function moveTo(event, map) {
    const box = map.getBoundingClientRect(), {lo, hi} = surface(settings);
    put(hi - (hi - lo)*(event.clientY - box.top)/box.height, lo + (hi - lo)*(event.clientX - box.left)/box.width);
  }
  function grab(start, map) {
    start.addEventListener("pointerdown", event => { start.setPointerCapture(event.pointerId); event.preventDefault(); start.focus(); });
    start.addEventListener("pointermove", event => { if (start.hasPointerCapture(event.pointerId)) moveTo(event, map); });
    start.addEventListener("keydown", event => {
      const way = {ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key], by = event.shiftKey ? 1 : 0.1;
      if (!way) return;
      event.preventDefault();
      put(settings.weight + by*way[0], settings.bias + by*way[1]);
    });
  }

  function draw() {
    const began = performance.now(), ground = surface(settings), key = [settings.surface, settings.knee, settings.condition, settings.angle].join();
    if (key !== painted) [painted, image, minimum] = [key, paint(ground), lowest(ground)];
    const toX = b => 400*(b - ground.lo)/(ground.hi - ground.lo), toY = w => 400*(ground.hi - w)/(ground.hi - ground.lo);
    const clip = v => Math.min(2000, Math.max(-2000, v)).toFixed(1), curves = {losses: [], lengths: []}, floor = ground.loss(...minimum);
    for (const [k, side] of knobs) k.show(side());
    for (const s of sides) {
      const values = forWalk(settings[s.name]);
      if (values.nesterov) values.dampening = 0;
      const {path} = walk(ground, values, {start: [settings.weight, settings.bias], steps: settings.steps, batch: +settings.batch, seed: settings.seed});
      const spots = path.map(([w, b]) => `${clip(toX(b))} ${clip(toY(w))}`), last = path.at(-1), left = path.length <= settings.steps;
      for (const [i, text] of ["bias", "weight", ground.lo, ground.hi, ground.hi].entries()) s.names[i].textContent = text;
      if (s.painted !== key) { s.canvas.getContext("2d").putImageData(image, 0, 0); s.painted = key; }
      for (const line of [s.rim, s.trail]) line.setAttribute("d", `M${spots.join("L")}`);
      s.dots.setAttribute("d", spots.map(p => `M${p}h0`).join(""));
      s.star.setAttribute("d", starAt(toX(minimum[1]), toY(minimum[0])));
      s.end.setAttribute("x", clip(toX(last[1]) - 5));
      s.end.setAttribute("y", clip(toY(last[0]) - 5));
      s.start.style.left = `${toX(settings.bias)/4}%`;
      s.start.style.top = `${toY(settings.weight)/4}%`;
      s.start.setAttribute("aria-label", `Start of ${s.name.toUpperCase()}: weight ${short(settings.weight)}, bias ${short(settings.bias)}. Arrow keys move it`);
      const all = path.map(p => ground.loss(...p));
      s.said.textContent = left || Math.abs(last[0]) > FAR || Math.abs(last[1]) > FAR ? `${s.name.toUpperCase()} has left the map: beyond ${FAR} after ${path.length - 1} steps.`
        : `After ${path.length - 1} steps: weight ${short(last[0])}, bias ${short(last[1])}, ${short(Math.hypot(last[0] - minimum[0], last[1] - minimum[1]))} from the lowest point. `
          + `Loss ${short(all.at(-1))}; the lowest is ${short(floor)}.`;
      s.canvas.setAttribute("aria-label", `Map of the loss with the walk of ${s.name.toUpperCase()}. ${s.said.textContent}`);
      curves.losses.push([s.name, all]);
      curves.lengths.push([s.name, path.map(p => Math.hypot(...p))]);
    }
    const said = sides.map(s => s.said.textContent).join(" "), top = list => Math.max(...list.map(([, v]) => Math.max(...v)));
    const peak = top(curves.losses), least = Math.min(...curves.losses.map(([, v]) => Math.min(...v)));
    losses({curves: curves.losses, hi: settings.steps, low: Math.max(least*0.9, peak*1e-12, 1e-12), high: Math.min(peak, 1e6)*1.1, mark: floor > 0 ? floor : undefined, said});
    lengths({curves: curves.lengths, hi: settings.steps, low: 0, high: Math.min(top(curves.lengths), 100)*1.05, said});
    if (!address) more.href = `explorer.html#${toAddress(settings)}`;
    lesson.textContent = preset ?? "Choose a preset, or move a slider.";
    for (const [button, says] of buttons) button.setAttribute("aria-pressed", String(says === preset));
    root.dataset.milliseconds = (performance.now() - began).toFixed(2);
  }

  let writing;
  function change() {
    if (address) { clearTimeout(writing); writing = setTimeout(() => history.replaceState(null, "", `#${toAddress(settings)}`), 150); }
    if (!waiting) requestAnimationFrame(() => { waiting = false; draw(); });
    waiting = true;
  }
  if (address) addEventListener("hashchange", () => { settings = fromAddress(location.hash.slice(1)); preset = null; change(); });
  if (address && !location.hash) preset = PRESETS[0][2];
  draw();
}

function starAt(x, y) {
  const corners = Array.from({length: 10}, (_, i) => {
    const r = i % 2 ? 4 : 9, turn = Math.PI*i/5;
    return `${(x + r*Math.sin(turn)).toFixed(1)} ${(y - r*Math.cos(turn)).toFixed(1)}`;
  });
  return `M${corners.join("L")}Z`;
}

for (const root of document.querySelectorAll(".explorer[data-page=explorer]")) explorer(root, {address: !("settings" in root.dataset)});
