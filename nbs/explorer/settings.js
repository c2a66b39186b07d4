// What can be set, in which range, and how a setting is written in the address
const log = (name, lo, hi, start, says) => ({name, lo, hi, start, says, log: true});
const line = (name, lo, hi, by, start, says, when) => ({name, lo, hi, by, start, says, when});
const pick = (name, options, start, says, when) => ({name, options, start, says, when});

export const SHARED = [
  pick("surface", {mse: "mean squared error", l1: "L1", huber: "Huber", smoothl1: "smooth L1", valley: "bowl or valley"}, "mse", "loss"),
  line("knee", 0.1, 3, 0.1, 1, "knee δ or β", s => ["huber", "smoothl1"].includes(s.surface)),
  line("condition", 1, 200, 1, 100, "condition κ", s => s.surface === "valley"),
  line("angle", 0, 180, 1, 0, "angle, degrees", s => s.surface === "valley"),
  pick("batch", {50: "all 50 points", 25: "25 points", 10: "10 points", 5: "5 points", 1: "1 point"}, "50", "each step sees", s => s.surface !== "valley"),
  line("seed", 0, 20, 1, 0, "order's seed", s => s.surface !== "valley" && s.batch !== "50"),
  line("steps", 10, 400, 10, 100, "steps"),
  line("weight", -10, 10, 0.1, 6, "start: weight"),
  line("bias", -10, 10, 0.1, -3, "start: bias"),
];
const is = (...kinds) => s => kinds.includes(s.optimizer);
export const WALKER = [
  pick("optimizer", {sgd: "SGD", rmsprop: "RMSprop", adam: "Adam"}, "sgd", "optimizer"),
  log("lr", 1e-4, 10, 0.1, "learning rate η"),
  line("momentum", 0, 0.99, 0.01, 0, "momentum μ", is("sgd", "rmsprop")),
  line("dampening", 0, 0.99, 0.01, 0, "dampening τ", s => s.optimizer === "sgd" && s.momentum > 0 && !+s.nesterov),
  pick("nesterov", {0: "no", 1: "yes"}, "0", "Nesterov", s => s.optimizer === "sgd" && s.momentum > 0),
  line("alpha", 0, 0.999, 0.001, 0.99, "mean square α", is("rmsprop")),
  line("beta1", 0, 0.99, 0.01, 0.9, "mean β₁", is("adam")),
  line("beta2", 0, 0.999, 0.001, 0.99, "mean square β₂", is("adam")),
  log("eps", 1e-8, 1, 1e-5, "ε", is("rmsprop", "adam")),
  line("wd", 0, 5, 0.05, 0, "weight decay λ"),
  pick("decoupled", {0: "L2, in the gradient", 1: "decoupled"}, "0", "its kind", s => s.wd > 0),
];
WALKER.find(k => k.name === "eps").when = is("rmsprop", "adam");

const fresh = knobs => Object.fromEntries(knobs.map(k => [k.name, k.start]));
export const defaults = () => ({...fresh(SHARED), a: fresh(WALKER), b: {...fresh(WALKER), momentum: 0.9}});

export function withChanges(changes) { // a whole set of settings from a few
  const all = defaults();
  return {...all, ...changes, a: {...all.a, ...changes.a}, b: {...all.b, ...changes.b}};
}

const SIDES = [["", SHARED, s => s], ["a.", WALKER, s => s.a], ["b.", WALKER, s => s.b]];

export function toAddress(settings) { // only what differs from the start
  const first = defaults(), words = new URLSearchParams();
  for (const [prefix, knobs, side] of SIDES) for (const {name} of knobs) {
    if (String(side(settings)[name]) !== String(side(first)[name])) words.set(prefix + name, side(settings)[name]);
  }
  return words.toString();
}

export function fromAddress(text) { // what makes no sense is left at its start
  const settings = defaults(), words = new URLSearchParams(text);
  for (const [prefix, knobs, side] of SIDES) for (const {name, options, lo, hi} of knobs) {
    const word = words.get(prefix + name), value = Number(word);
    if (word === null || word.trim() === "") continue;
    if (options ? Object.hasOwn(options, word) : Number.isFinite(value)) side(settings)[name] = options ? word : Math.min(hi, Math.max(lo, value));
  }
  return settings;
}

// For walk.js: without what the chosen optimizer does not take
export const forWalk = s => ({...s, nesterov: !!+s.nesterov, decoupled: !!+s.decoupled});

const bestSGD = {lr: 2/101}, bestMomentum = {lr: (2/11)**2, momentum: (9/11)**2}, adam = {optimizer: "adam", momentum: 0};
export const PRESETS = [
  ["plain and momentum", {}, "The same rate, with and without momentum 0.9. On this bowl momentum overshoots: one of its steps, once settled, is ten times as long."],
  ["too large a rate", {steps: 30, a: {lr: 0.9}, b: {lr: 1, momentum: 0}}, "The largest stable rate here is 2 over the largest curvature, 0.976. Just below it the path jumps across and settles, just above it it leaves."],
  ["momentum in the valley", {surface: "valley", steps: 60, weight: 1, bias: 9, a: bestSGD, b: bestMomentum}, "Each at its best rate for condition 100. Plain SGD crawls along the floor; momentum swings first and is nearly there."],
  ["the valley, turned", {surface: "valley", angle: 135, weight: 7.1, bias: -5.7, steps: 200, a: bestMomentum, b: {...adam, lr: 0.5}}, "Turn the angle: SGD's walk turns with the valley, whatever the angle. Adam's does not, because it divides each coordinate by a size of its own."],
  ["Nesterov brakes sooner", {a: {momentum: 0.9}, b: {nesterov: "1"}}, "The same momentum; Nesterov's variant looks ahead, and swings less far."],
  ["dampening", {a: {momentum: 0.9}, b: {dampening: 0.8}}, "Dampening discounts each new gradient but the first: look at the long first swing."],
  ["L2 against decoupled, SGD", {a: {momentum: 0.9, wd: 2}, b: {wd: 2, decoupled: "1"}}, "Set both momenta to 0, and the two walks are one. With momentum they end at different places."],
  ["L2 against decoupled under Adam", {steps: 300, a: {...adam, wd: 1}, b: {...adam, wd: 1, decoupled: "1"}}, "Adam divides the decay that sits in the gradient by the gradient's size. Decoupled decay is not divided. Watch the length of the weights."],
  ["minibatches: the cloud", {batch: "5", steps: 400, a: {lr: 0.2}, b: {lr: 0.05, momentum: 0}}, "With five points at a step the walk never comes to rest: a smaller rate, a smaller cloud."],
  ["the corners of L1", {surface: "l1", a: {lr: 2}, b: {lr: 0.5, momentum: 0}}, "L1's slope hardly shrinks near the minimum, so the steps do not either: at the larger rate the path keeps dancing around it."],
];
