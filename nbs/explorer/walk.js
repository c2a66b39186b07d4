// Walks on loss surfaces, in float64: what wd_lab.surface.descend does with the optimizers of wd_lab.optimizers.
// tests/test_explorer.py compares the two. Nothing here knows of the page.
import {POINTS} from "./points.js";

// ---- surfaces: a loss of a line's weight and bias, over the fifty points or of a valley

const KINDS = { // of one residual r: its loss and its slope
  mse: () => [r => r*r, r => 2*r],
  l1: () => [Math.abs, Math.sign],
  huber: knee => [r => Math.abs(r) < knee ? r*r/2 : knee*(Math.abs(r) - knee/2),
                  r => Math.abs(r) < knee ? r : knee*Math.sign(r)],
  smoothl1: knee => [r => Math.abs(r) < knee ? r*r/2/knee : Math.abs(r) - knee/2,
                     r => Math.abs(r) < knee ? r/knee : Math.sign(r)],
};

const ALL = POINTS.map((_, i) => i);

function fit(kind, knee) {
  const [height, slope] = KINDS[kind](knee);
  return {
    lo: -5, hi: 8, points: POINTS.length,
    loss(weight, bias, index = ALL) {
      let sum = 0;
      for (const i of index) sum += height(weight*POINTS[i][0] + bias - POINTS[i][1]);
      return sum/index.length;
    },
    gradient(weight, bias, index = ALL) {
      let w = 0, b = 0;
      for (const i of index) {
        const g = slope(weight*POINTS[i][0] + bias - POINTS[i][1]);
        w += g*POINTS[i][0];
        b += g;
      }
      return [w/index.length, b/index.length];
    },
  };
}

function valley(condition, degrees) { // curvature 1 along its floor, `condition` across
  const turn = degrees*Math.PI/180, c = Math.cos(turn), s = Math.sin(turn);
  return {
    lo: -10, hi: 10, points: 1, minimum: [0, 0],
    loss: (w, b) => ((b*c + w*s)**2 + condition*(w*c - b*s)**2)/2,
    gradient: (w, b) => [(b*c + w*s)*s + condition*(w*c - b*s)*c, (b*c + w*s)*c - condition*(w*c - b*s)*s],
  };
}

export function surface({surface: kind, knee = 1, condition = 100, angle = 0}) {
  return kind === "valley" ? valley(condition, angle) : fit(kind, knee);
}

export function lowest(ground) { // by zooming in: there is one valley
  if (ground.minimum) return ground.minimum;
  let best = [0, 0], height = ground.loss(0, 0);
  for (let width = 13; width > 1e-9; width *= 0.5) {
    const [w0, b0] = best;
    for (let i = -5; i <= 5; i++) for (let j = -5; j <= 5; j++) {
      const spot = [w0 + width*i/10, b0 + width*j/10], loss = ground.loss(...spot);
      if (loss < height) [best, height] = [spot, loss];
    }
  }
  return best;
}

// ---- the order of the points: NumPy's default_rng(seed).permutation(n), one for each epoch

function seedWords(seed) { // NumPy's SeedSequence: four words of 64 bits
  const hash = (value, state) => {
    value = (value ^ state.constant) >>> 0;
    state.constant = Math.imul(state.constant, state.factor) >>> 0;
    value = Math.imul(value, state.constant) >>> 0;
    return (value ^ value >>> 16) >>> 0;
  };
  const into = {constant: 0x43b0d7e5, factor: 0x931e8875}, out = {constant: 0x8b51f9dd, factor: 0x58f38ded};
  const pool = [seed, 0, 0, 0].map(value => hash(value, into));
  for (let from = 0; from < 4; from++) for (let to = 0; to < 4; to++) if (from !== to) {
    const mixed = Math.imul(0xca01f9dd, pool[to]) - Math.imul(0x4973f715, hash(pool[from], into)) >>> 0;
    pool[to] = (mixed ^ mixed >>> 16) >>> 0;
  }
  const words = Array.from({length: 8}, (_, i) => BigInt(hash(pool[i % 4], out)));
  return [0, 2, 4, 6].map(i => words[i] | words[i + 1] << 32n);
}

const BITS = (1n << 128n) - 1n, FACTOR = 0x2360ED051FC65DA44385DF649FCCF645n;

function draws(seed) { // PCG64, 32 bits at a time
  const [high, low, highStep, lowStep] = seedWords(seed);
  const step = ((highStep << 64n | lowStep) << 1n | 1n) & BITS;
  let state = step, kept = null;
  const next = () => { state = state*FACTOR + step & BITS; };
  state = state + (high << 64n | low) & BITS;
  next();
  return () => {
    if (kept !== null) { const value = kept; kept = null; return value; }
    next();
    const x = state >> 64n ^ state & 0xffffffffffffffffn, turn = state >> 122n;
    const turned = x >> turn | x << 64n - turn & 0xffffffffffffffffn;
    kept = Number(turned >> 32n);
    return Number(turned & 0xffffffffn);
  };
}

const orders = new Map(); // seed -> {draw, epochs}: drawn once, whatever the sliders do

export function order(seed, epoch) {
  if (!orders.has(seed)) orders.set(seed, {draw: draws(seed), epochs: []});
  const {draw, epochs} = orders.get(seed);
  while (epochs.length <= epoch) {
    const shuffled = ALL.slice();
    for (let i = shuffled.length - 1; i > 0; i--) {
      const mask = 2**Math.ceil(Math.log2(i + 1)) - 1;
      let j;
      do j = draw() & mask; while (j > i);
      [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
    }
    epochs.push(shuffled);
  }
  return epochs[epoch];
}

function batch(step, size, seed) {
  if (size >= ALL.length) return ALL;
  const perEpoch = Math.ceil(ALL.length/size), i = step % perEpoch;
  return order(seed, Math.floor(step/perEpoch)).slice(i*size, (i + 1)*size);
}

// ---- optimizers: one coordinate at a time, as in wd_lab.optimizers

function runningSum(state, g, momentum, dampening = 0) {
  if (!momentum) return g;
  return state.sum = "sum" in state ? state.sum*momentum + g*(1 - dampening) : g;
}

const RULES = { // how far a weight goes for its gradient g; `state` is what the rule remembers
  sgd(g, state, {lr, momentum, dampening, nesterov}) {
    const sum = runningSum(state, g, momentum, nesterov ? 0 : dampening);
    return lr*(nesterov && momentum ? g + momentum*sum : sum);
  },
  rmsprop(g, state, {lr, momentum, alpha, eps}) {
    state.square = "square" in state ? state.square*alpha + (1 - alpha)*g*g : g*g;
    return lr*runningSum(state, g/(Math.sqrt(state.square) + eps), momentum);
  },
  adam(g, state, {lr, beta1, beta2, eps}) {
    const t = state.step = (state.step ?? 0) + 1;
    state.mean = (state.mean ?? 0) + (1 - beta1)*(g - (state.mean ?? 0));
    state.square = (state.square ?? 0)*beta2 + (1 - beta2)*g*g;
    return lr/(1 - beta1**t)*state.mean/(Math.sqrt(state.square/(1 - beta2**t)) + eps);
  },
};

export const FAR = 1e3; // beyond it a walk has left the map for good

export function walk(ground, settings, {start, steps, batch: size = ALL.length, seed = 0}) {
  const {optimizer, wd, decoupled, lr} = settings, rule = RULES[optimizer], states = [{}, {}];
  const path = [[...start]], losses = [];
  let at = [...start];
  for (let step = 0; step < steps && Math.max(...at.map(Math.abs)) <= FAR; step++) {
    const index = ground.points > 1 ? batch(step, size, seed) : undefined;
    losses.push(ground.loss(...at, index));
    const slopes = ground.gradient(...at, index);
    at = at.map((value, i) => {
      const g = decoupled ? slopes[i] : slopes[i] + wd*value;
      return (decoupled ? value*(1 - lr*wd) : value) - rule(g, states[i], settings);
    });
    path.push(at);
  }
  return {path, losses};
}
