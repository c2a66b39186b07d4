// Small SVG charts: axes with three to six numbers, lines that follow a list of values
const NS = "http://www.w3.org/2000/svg", WIDTH = 420, HEIGHT = 220, LEFT = 62, BOTTOM = 44, TOP = 8;

export function element(name, attributes = {}, parent) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
}

export const short = value => value === 0 ? "0" : Math.abs(value) >= 1e4 || Math.abs(value) < 1e-3
  ? value.toExponential(1).replace(".0", "").replace("+", "") : String(+value.toPrecision(3));

function ticks(lo, hi, log) {
  if (log) {
    const [first, last] = [Math.ceil(Math.log10(lo) - 1e-9), Math.floor(Math.log10(hi) + 1e-9)], by = Math.ceil((last - first + 1)/5);
    const powers = [];
    for (let k = first; k <= last; k += by) powers.push(10**k);
    return powers.length > 1 ? powers : [lo, Math.sqrt(lo*hi), hi];
  }
  const rough = (hi - lo)/4, power = 10**Math.floor(Math.log10(rough)), by = [1, 2, 5, 10].find(m => m*power >= rough)*power;
  const all = [];
  for (let v = Math.ceil(lo/by - 1e-9)*by; v <= hi + by*1e-9; v += by) all.push(+v.toPrecision(12));
  return all;
}

export function chart(parent, {x: across, y: up, log = false, title}) {
  const figure = document.createElement("div");
  figure.className = "chart";
  parent.append(figure);
  const head = document.createElement("h3");
  head.textContent = title;
  figure.append(head);
  const svg = element("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img"}, figure);
  return function draw({curves = [], bars, hi = 1, lo = 0, low, high, said, mark}) {
    const toX = v => LEFT + (WIDTH - LEFT - 8)*(v - lo)/(hi - lo || 1), scale = log ? Math.log10 : v => v;
    const toY = v => {
      const part = (scale(v) - scale(low))/(scale(high) - scale(low) || 1);
      return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP)*Math.max(-0.02, Math.min(1.02, Number.isNaN(part) ? 1.02 : part));
    };
    svg.replaceChildren();
    svg.setAttribute("aria-label", `${title}. ${said}`);
    element("path", {class: "frame", d: `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - 8}`}, svg);
    for (const v of ticks(low, high, log)) element("text", {x: LEFT - 6, y: toY(v) + 4, "text-anchor": "end"}, svg).textContent = short(v);
    for (const v of ticks(lo, hi)) element("text", {x: toX(v), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle"}, svg).textContent = short(v);
    element("text", {x: (LEFT + WIDTH)/2, y: HEIGHT - 4, "text-anchor": "middle"}, svg).textContent = across;
    element("text", {x: 13, y: (HEIGHT - BOTTOM)/2, "text-anchor": "middle", transform: `rotate(-90 13 ${(HEIGHT - BOTTOM)/2})`}, svg).textContent = up;
    if (mark !== undefined) element("path", {class: "frame", "stroke-dasharray": "2 3", d: `M${LEFT} ${toY(mark)}H${WIDTH - 8}`}, svg);
    if (bars) {
      const wide = (hi - lo)/bars.length;
      const d = bars.map((v, i) => `M${toX(lo + i*wide).toFixed(1)} ${HEIGHT - BOTTOM}V${toY(v).toFixed(1)}H${toX(lo + (i + 1)*wide).toFixed(1)}V${HEIGHT - BOTTOM}Z`);
      element("path", {class: "bar", d: d.join("")}, svg);
    }
    for (const [name, values, xs] of curves) {
      const d = values.map((v, i) => `${i ? "L" : "M"}${toX(xs ? xs[i] : i).toFixed(1)} ${toY(v).toFixed(1)}`).join("");
      element("path", {class: `curve ${name}`, d}, svg);
    }
  };
}
