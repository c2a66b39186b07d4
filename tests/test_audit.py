"""The audit on real architectures and optimizers: kinds against lists made by hand, factors against a float64 step."""
import copy
import math
import random
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from wd_lab.audit import decay_audit
from wd_lab.decay import decay_groups, momentum_decay_factor, parameter_kinds

SMALL = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, vocab_size=99)


def vit():
    timm = pytest.importorskip("timm")
    return timm.create_model("vit_tiny_patch16_224", img_size=32, patch_size=8, depth=2, embed_dim=32, num_heads=2,
                             init_values=1e-4, reg_tokens=2)

def bert():
    T = pytest.importorskip("transformers")
    return T.BertForMaskedLM(T.BertConfig(**SMALL, intermediate_size=64))

def gpt():
    T = pytest.importorskip("transformers")
    return T.GPT2LMHeadModel(T.GPT2Config(n_embd=32, n_layer=2, n_head=2, vocab_size=99, bos_token_id=0, eos_token_id=0))

def experts():
    T = pytest.importorskip("transformers")
    return T.MixtralForCausalLM(T.MixtralConfig(**SMALL, intermediate_size=48, num_key_value_heads=2, num_local_experts=4))

def xresnet():
    from fastai.vision.models.xresnet import XResNet, ResBlock
    return XResNet(ResBlock, 1, [1, 1, 1, 1], n_out=5, stem_szs=(8, 8, 64))

def unet():
    from fastai.vision.models.unet import DynamicUnet
    return DynamicUnet(nn.Sequential(*list(xresnet())[:-3]), 3, (32, 32))

def lstm():
    return nn.ModuleDict(dict(embed=nn.Embedding(50, 16), rnn=nn.LSTM(16, 16, 2), head=nn.Linear(16, 50)))


def block(prefix, **kinds):
    "Names of both layers by kind: prefix, with {} for the layer, and the names in it"
    return {kind: [f"{prefix.format(i)}.{n}" for i in (0, 1) for n in names.split()] for kind, names in kinds.items()}

def both(names): return [f"{n}.{end}" for n in names.split() for end in ("weight", "bias")]

def norms_at(model):
    "By hand: in fastai's layers 0 is the convolution and 1 the norm, which begins at 1 or, last in a block, at 0"
    return [n for n, _ in model.named_parameters() if n.split(".")[-2] == "1"]


BY_HAND = {
    vit: dict(token=["cls_token", "reg_token"], position=["pos_embed"], rest=both("patch_embed.proj head"),
              norm=both("norm"), blocks=block(
                  "blocks.{}", weight="attn.qkv.weight attn.proj.weight mlp.fc1.weight mlp.fc2.weight",
                  bias="attn.qkv.bias attn.proj.bias mlp.fc1.bias mlp.fc2.bias", scale="ls1.gamma ls2.gamma",
                  norm="norm1.weight norm1.bias norm2.weight norm2.bias")),
    bert: dict(embedding=["bert.embeddings.word_embeddings.weight", "bert.embeddings.token_type_embeddings.weight"],
               position=["bert.embeddings.position_embeddings.weight"], bias=["cls.predictions.bias"],
               norm=both("bert.embeddings.LayerNorm cls.predictions.transform.LayerNorm"),
               rest=both("cls.predictions.transform.dense"), blocks=block(
                   "bert.encoder.layer.{}", norm=" ".join(both("attention.output.LayerNorm output.LayerNorm")), **{
                       kind: " ".join(f"{n}.{kind}" for n in (
                           "attention.self.query attention.self.key attention.self.value attention.output.dense "
                           "intermediate.dense output.dense").split()) for kind in ("weight", "bias")})),
    gpt: dict(embedding=["transformer.wte.weight"], position=["transformer.wpe.weight"], norm=both("transformer.ln_f"),
              blocks=block("transformer.h.{}", norm=" ".join(both("ln_1 ln_2")), **{
                  kind: " ".join(f"{n}.{kind}" for n in "attn.c_attn attn.c_proj mlp.c_fc mlp.c_proj".split())
                  for kind in ("weight", "bias")})),
    experts: dict(embedding=["model.embed_tokens.weight"], norm=["model.norm.weight"], weight=["lm_head.weight"],
                  blocks=block("model.layers.{}", norm="input_layernorm.weight post_attention_layernorm.weight",
                               weight="self_attn.q_proj.weight self_attn.k_proj.weight self_attn.v_proj.weight "
                                      "self_attn.o_proj.weight mlp.gate.weight mlp.experts.gate_up_proj "
                                      "mlp.experts.down_proj")),
    lstm: dict(embedding=["embed.weight"], rest=both("head"),
               weight=["rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.weight_ih_l1", "rnn.weight_hh_l1"],
               bias=["rnn.bias_ih_l0", "rnn.bias_hh_l0", "rnn.bias_ih_l1", "rnn.bias_hh_l1"]),
}

def kinds_by_hand(make, model):
    if make in (xresnet, unet):
        norms = {n for n, p in model.named_parameters() if p.ndim == 1 and n.split(".")[-2] == "1"}
        norms |= {n for n, p in model.named_parameters() if make is unet and p.ndim == 1 and n.split(".")[-2] == "bn"}
        return {n: "norm" if n in norms else "bias" if n.endswith("bias") else "weight"
                for n, _ in model.named_parameters()}
    hand = dict(BY_HAND[make])
    found = {n: n.split(".")[-1] for n in hand.pop("rest", [])}
    for kind, names in [*hand.pop("blocks", {}).items(), *hand.items()]: found |= dict.fromkeys(names, kind)
    return found


ARCHITECTURES = [vit, bert, gpt, experts, xresnet, unet, lstm]
TORCH = {n: partial(getattr(torch.optim, n), lr=0.01, weight_decay=0.1) for n in
         "SGD Adam AdamW Adamax NAdam RAdam Adagrad Adadelta ASGD RMSprop Adafactor".split()}
DECOUPLED = {"SGD", "AdamW", "ASGD", "Adafactor"}


def snapshot(model, opt):
    params = [p for g in opt.param_groups for p in g["params"]]
    return (copy.deepcopy([model.state_dict(), opt.state_dict(), [p.grad for p in params], opt.defaults]),
            torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist(),
            [(id(p), p._version) for p in params])

def same(a, b):
    if isinstance(a, torch.Tensor): return torch.equal(a, b)
    if isinstance(a, dict): return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)): return len(a) == len(b) and all(map(same, a, b))
    return a == b


def lost_in_float64(make, model, steps=2):
    "By hand, in float64: the share that decay takes from each parameter in a step, all in one optimizer"
    torch.manual_seed(1)
    model = copy.deepcopy(model).double()
    for p in model.parameters(): nn.init.uniform_(p, 0.5, 1.)
    opt = make(model.parameters())
    def gradients():
        for p in model.parameters(): p.grad = torch.randn_like(p)
    for _ in range(steps):
        gradients()
        opt.step()
    gradients()
    before, ends = [p.detach().clone() for p in model.parameters()], []
    for wd in (0.1, 0.):
        m, o = copy.deepcopy((model, opt))
        for a, b in zip(m.parameters(), model.parameters()): a.grad = b.grad.clone()
        for g in o.param_groups: g["weight_decay"] = wd
        o.step()
        ends.append([p.detach() for p in m.parameters()])
    return [(((free - kept)*w).sum()/w.square().sum()).item() for w, kept, free in zip(before, *ends)]


@pytest.mark.parametrize("make", ARCHITECTURES, ids=lambda f: f.__name__)
def test_every_kind_and_row(make):
    torch.manual_seed(0)
    model = make()
    by_hand = kinds_by_hand(make, model)
    assert {uses[0][0]: uses[0][1] for uses in parameter_kinds(model).values()} == by_hand
    opt = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
    for p in model.parameters(): p.grad = torch.randn_like(p)
    opt.step()
    before = snapshot(model, opt)
    table = decay_audit(opt, model).table
    assert same(before, snapshot(model, opt))
    assert dict(zip(table.name, table.kind)) == by_hand
    exact = lost_in_float64(partial(torch.optim.AdamW, lr=0.01, weight_decay=0.1), model)
    names = {n: x for (n, _), x in zip(model.named_parameters(), exact)}
    for row in table.itertuples():
        assert row.how == "lr x wd" and abs((1 - row.factor)/names[row.name] - 1) < 1e-3, row
        assert math.isnan(row.moved) or row.moved > 0.99, row
    grouped = decay_audit(torch.optim.AdamW(decay_groups(model, 0.1), lr=0.01), model).table
    assert set(grouped.kind[grouped.factor < 1]) <= {"weight", "embedding"}
    assert set(grouped.kind[grouped.factor == 1]) <= {"norm", "bias", "scale", "token", "position"}


@pytest.mark.parametrize("name", TORCH)
def test_torch(name):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.Conv1d(2, 3, 2))
    for started in (False, True):
        opt = TORCH[name](model.parameters())
        if started:
            for _ in range(7):
                for p in model.parameters(): p.grad = torch.randn_like(p)
                opt.step()
        before = snapshot(model, opt)
        table = decay_audit(opt, model).table
        assert same(before, snapshot(model, opt))
        assert set(table.how) == {"lr x wd" if name in DECOUPLED else "L2 in the gradient"}
        if name in DECOUPLED: assert np.allclose(1 - table.factor, lost_in_float64(TORCH[name], model), rtol=2e-3)
        else: assert table.factor.isna().all()


@pytest.mark.parametrize("options", [dict(foreach=True), dict(fused=True), dict(lr=torch.tensor(0.01)), dict(amsgrad=True),
                                     dict(maximize=True)], ids=str)
def test_kernels(options):
    w = nn.Parameter(torch.randn(50, 3))
    row = decay_audit(torch.optim.AdamW([w], **{"lr": 0.01, "weight_decay": 0.1} | options)).table.loc[0]
    assert (row.how, row.factor, row.lr) == ("lr x wd", pytest.approx(0.999, abs=1e-7), pytest.approx(0.01))


@pytest.mark.parametrize("options", [dict(momentum=0.9), dict(momentum=0.9, nesterov=True), dict(momentum=0.5, dampening=0.3),
                                     dict(momentum=0.99), dict(momentum=0.9, foreach=True)], ids=str)
@pytest.mark.parametrize("lr, wd", [(0.1, 1e-4), (0.01, 0.2), (0.1, 0.5)])
def test_momentum_settles_as_the_formula_says(options, lr, wd):
    row = decay_audit(torch.optim.SGD([nn.Parameter(torch.randn(20, 3))], lr=lr, weight_decay=wd, **options)).table.loc[0]
    exact = momentum_decay_factor(lr, wd, **{k: v for k, v in options.items() if k != "foreach"})
    assert row.how == "L2 in the gradient"
    assert (1 - row.factor)/(1 - exact) == pytest.approx(1, abs=0.02)


def test_muon_and_a_list_of_optimizers():
    model = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 4))
    muon = torch.optim.Muon([m.weight for m in model], lr=0.01, weight_decay=0.1)
    rest = torch.optim.AdamW([m.bias for m in model], lr=0.01, weight_decay=0.)
    table = decay_audit([muon, rest], model).table.set_index("name")
    assert table.group.tolist() == [0, 1, 0, 1] and table.factor.round(6).tolist() == [0.999, 1, 0.999, 1]
    twice = decay_audit([muon, torch.optim.AdamW(model.parameters())], model)
    assert next(v for v in twice.verdicts if v.says.startswith("Held twice: stepped and decayed twice, and the row")).parameters == ["0.weight", "1.weight"]
    alone = decay_audit(muon, model)
    assert next(v for v in alone.verdicts if "no group" in v.says).parameters == ["0.bias", "1.bias"]
    assert alone.table.group.isna().sum() == 2


def test_ours():
    import wd_lab.optimizers as ours
    for name in ("SGD", "RMSprop", "Adam", "AbsAdam"):
        row = decay_audit(getattr(ours, name)([nn.Parameter(torch.randn(9, 3))], lr=0.01, weight_decay=0.1)).table.loc[0]
        assert row.how == "lr x wd" and row.factor == pytest.approx(0.999, abs=1e-9), name
    for name in ("RMSprop", "Adam"):
        make = partial(getattr(ours, name), lr=0.01, weight_decay=0.1, decoupled=False)
        assert decay_audit(make([nn.Parameter(torch.randn(9, 3))])).table.how[0] == "L2 in the gradient"


def test_fastai():
    import fastai.optimizer as fai
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    for name in ("SGD", "RMSProp", "Adam", "RAdam", "QHAdam", "Lamb"):
        opt = getattr(fai, name)([[*model[0].parameters()], [*model[1].parameters()]], lr=0.01, wd=0.1)
        opt.state[model[0].bias]["do_wd"] = False              # as a Learner marks it
        before = copy.deepcopy([p.detach() for p in model.parameters()])
        table = decay_audit(opt, model).table.set_index("name")
        assert same(before, [p.detach() for p in model.parameters()])
        assert table.factor["0.weight"] == pytest.approx(0.999, abs=1e-8) and table.group.tolist() == [0, 0, 1, 1], name
        assert table.factor["0.bias"] == 1 and table.how["0.bias"] == "none", name
        assert len(opt.state) == 1
    wrapper = fai.OptimWrapper(opt=torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1))
    assert decay_audit(wrapper, model).table.factor.round(9).tolist() == [0.999]*4


TIMM = {"adabelief": "lr x wd", "adafactor": "lr x wd", "adafactorbv": "lr x wd", "adam": "L2 in the gradient",
        "adamc": "lr^2 x wd", "adamw": "lr x wd", "adan": "lr x wd", "adoptw": "lr x wd", "lion": "lr x wd",
        "laprop": "lr x wd", "nadamw": "lr x wd", "momentum": "L2 in the gradient", "muon": "lr x wd",
        "radam": "L2 in the gradient", "sgdc": "lr^2 x wd", "sgdw": "lr x wd", "rmsproptf": "L2 in the gradient",
        "lookahead_adamw": "lr x wd", "lamb": "lr x wd", "madgrad": "L2 in the gradient", "adamp": "lr x wd",
        "sgdp": "lr x wd"}

@pytest.mark.parametrize("name", TIMM)
def test_timm(name):
    optim = pytest.importorskip("timm.optim")
    torch.manual_seed(0)
    w = nn.Parameter(torch.randn(16, 12))
    opt = optim.create_optimizer_v2([w], opt=name, lr=0.01, weight_decay=0.1)
    before = copy.deepcopy((w.detach(), opt.state_dict()))
    audit = decay_audit(opt)
    row = audit.table.loc[0]
    assert same(before, (w.detach(), opt.state_dict()))
    assert row.how == TIMM[name] and not any("Held twice" in v.says for v in audit.verdicts)     # Lookahead shares its groups
    expected = {"momentum": momentum_decay_factor(0.01, 0.1, 0.9), "lookahead_adamw": 0.9995, "lamb": math.nan,
                "adan": 1/1.001, "adamp": math.nan, "sgdp": math.nan}       # less at a right angle to the gradient
    expected = expected.get(name, math.nan if row.how.startswith("L2") else 0.999)
    assert row.factor == pytest.approx(expected, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("name", ["adamw_torch", "adamw_torch_fused", "adafactor", "sgd", "rmsprop", "adagrad"])
def test_transformers(name):
    T = pytest.importorskip("transformers")
    from transformers.trainer_pt_utils import get_parameter_names
    model = bert()
    makes = {"adafactor": partial(T.Adafactor, scale_parameter=False, relative_step=False),
             "adamw_torch": torch.optim.AdamW, "adamw_torch_fused": partial(torch.optim.AdamW, fused=True),
             "sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop, "adagrad": torch.optim.Adagrad}
    decayed = set(get_parameter_names(model, [nn.LayerNorm], ["bias", "layernorm"]))
    named = list(model.named_parameters())
    groups = [dict(params=[p for n, p in named if (n in decayed) == inside], weight_decay=0.1*inside) for inside in (1, 0)]
    scheduler = None
    opt = makes[name](groups, lr=0.01)
    scheduler = T.get_cosine_schedule_with_warmup(opt, 10, 100)
    table = decay_audit(opt, model, 100, scheduler).table
    assert opt.param_groups[0]["lr"] == 0                       # the warm-up's first, as before
    assert set(table.kind[table.wd > 0]) == {"weight", "embedding", "position"}
    assert (table.factor[table.wd == 0] == 1).all()
    if name in ("rmsprop", "adagrad"): assert set(table.how[table.wd > 0]) == {"L2 in the gradient"}
    else:
        assert np.allclose(table.factor[table.wd > 0], 0.999, atol=1e-6) and table.lr.iloc[0] == pytest.approx(0.01)
        rates = [0.01*(t/10 if t < 10 else (1 + math.cos(math.pi*(t - 10)/90))/2) for t in range(100)]
        assert np.allclose(table.left[table.wd > 0], np.prod([1 - 0.1*lr for lr in rates]), atol=1e-5)


@pytest.mark.parametrize("name", ["SGDScheduleFree", "AdamWScheduleFree"])
def test_schedule_free(name):
    sf = pytest.importorskip("schedulefree")
    w = nn.Parameter(torch.randn(9, 3))
    opt = getattr(sf, name)([w], lr=0.01, weight_decay=0.1)
    row = decay_audit(opt).table.loc[0]
    assert opt.param_groups[0]["train_mode"] is False and not opt.state
    assert math.isnan(row.factor) and math.isnan(row.half_life)


class Plain:
    "An optimizer that is none of torch's: a class with groups and a step"
    def __init__(self, params, lr, wd): self.param_groups, self.state = [dict(params=list(params), lr=lr, wd=wd)], {}
    @torch.no_grad()
    def step(self):
        for g in self.param_groups:
            for p in g["params"]:
                if p.grad is None: continue
                m = self.state.setdefault(p, torch.zeros_like(p)).mul_(0.5).add_(p.grad)
                p.mul_(1 - g["lr"]*g["wd"]).sub_(m + 0.01*torch.randn_like(m), alpha=g["lr"])

class Drops(torch.optim.AdamW):
    "A subclass that loses the setting"
    def step(self, closure=None):
        for g in self.param_groups: g["weight_decay"] = 0.
        return super().step(closure)

def test_unknown_classes():
    w = nn.Parameter(torch.randn(9, 3))
    state = torch.get_rng_state()
    row = decay_audit(Plain([w], 0.01, 0.1)).table.loc[0]
    assert (row.how, round(row.factor, 8)) == ("lr x wd", 0.999)
    assert torch.equal(state, torch.get_rng_state())
    audit = decay_audit(Drops([w], lr=0.01, weight_decay=0.1))
    assert audit.table.how[0] == "none" and "never used" in audit.verdicts[0].says

    class Broken(Plain):
        def step(self): raise OSError("no device")
    audit = decay_audit(Broken([w], 0.01, 0.1))
    assert audit.table.how[0] == "refused" and any("no device" in v.says for v in audit.verdicts)


def test_frozen_sparse_complex_hooks():
    still = nn.Linear(2, 3).requires_grad_(False)
    still.weight.grad = torch.zeros(3, 2)
    audit = decay_audit(torch.optim.SGD(still.parameters(), lr=0.1, weight_decay=0.5), still)
    assert audit.table.how.tolist() == ["lr x wd", "none"]
    assert [v.parameters for v in audit.verdicts if v.says.startswith("Frozen")] == [["weight"], ["bias"]]

    sparse = nn.Embedding(9, 3, sparse=True)
    audit = decay_audit(torch.optim.SGD(sparse.parameters(), lr=0.1, weight_decay=0.1), sparse)
    assert audit.table.how[0] == "refused" and "sparse" in str(audit.verdicts)
    audit = decay_audit(torch.optim.SparseAdam(sparse.parameters()), sparse)
    assert audit.table.how[0] == "none" and any(v.says.startswith("A sparse table") for v in audit.verdicts)

    z = nn.Parameter(torch.randn(5, dtype=torch.complex64))
    assert decay_audit(torch.optim.AdamW([z], lr=0.01, weight_decay=0.1)).table.factor[0] == pytest.approx(0.999, abs=1e-6)

    calls = []
    opt = torch.optim.AdamW(nn.Linear(2, 2).parameters())
    opt.register_step_pre_hook(lambda *_: calls.append(1))
    assert any("Hooks" in v.says for v in decay_audit(opt).verdicts) and not calls
    assert decay_audit(torch.optim.LBFGS(nn.Linear(2, 2).parameters())).table.how.tolist() == ["none"]*2


def test_low_precision_and_batch_norm():
    w = nn.Parameter(torch.randn(4000).bfloat16())
    audit = decay_audit(torch.optim.AdamW([w], lr=1e-3, weight_decay=0.1))
    assert audit.table.moved[0] == 0 and audit.table.factor[0] == 1 and audit.verdicts[0].says.startswith("Rounded")
    for dtype in (torch.bfloat16, torch.float16):
        w = nn.Parameter(torch.randn(4000).to(dtype))
        w.grad = torch.ones_like(w)                             # float16 has no digits for the square of a small one
        eps = torch.finfo(dtype).eps
        for share, moves in ((eps/4.2, 0), (eps/1.9, 1)):
            moved = decay_audit(torch.optim.AdamW([w], lr=1e-6, weight_decay=share/1e-6)).table.moved[0]
            assert moved == pytest.approx(moves, abs=0.02)

    w = nn.Parameter(torch.randn(4000).half())
    assert "nan or infinite" in str(decay_audit(torch.optim.AdamW([w])).verdicts)

    model = xresnet()
    x = torch.randn(4, 3, 32, 32)
    for real in (False, True):
        if real: model(x).square().sum().backward()
        audit = decay_audit(torch.optim.AdamW(decay_groups(model, 0.1)), model)
        covered = next(v for v in audit.verdicts if "undoes the size" in v.says).parameters
        assert "0.0.weight" in covered and len(covered) >= 5 and not any(n.startswith(str(len(model) - 1)) for n in covered)


def test_a_learner_before_and_after_fit():
    "Its rate and decay are those of `fit`; what fastai leaves out is said and not mended; the Learner stays as it was"
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    data = torch.utils.data.TensorDataset(torch.randn(32, 4), torch.randn(32, 1))
    dls = DataLoaders(*[torch.utils.data.DataLoader(data, 16) for _ in range(2)])
    model = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 1))
    learner = Learner(dls, model, nn.MSELoss(), wd=0.1, lr=3e-3)
    audit = decay_audit(learner, steps=1000)
    assert learner.opt is None
    frame = audit.to_frame().set_index("name")
    assert (frame.wd == 0.1).all() and (frame.lr == 3e-3).all() and frame.how["0.weight"] == "lr x wd"
    said = [v for v in audit.verdicts if "a rule of its own" in v.says]
    assert said[0].parameters == ["0.bias", "1.weight", "1.bias", "2.bias"] and not said[0].remedy
    assert not any("never used" in v.says for v in audit.verdicts)


def test_arguments_the_other_way_round():
    model = nn.Linear(2, 2)
    with pytest.raises(TypeError, match="optimizer must come first"):
        decay_audit(model, torch.optim.SGD(model.parameters(), 0.1))


def test_state_kept_on_the_parameter_stays():
    class Buffered(torch.optim.Optimizer):
        def step(self):
            for p in self.param_groups[0]["params"]:
                if not hasattr(p, "buf"): p.buf = torch.zeros_like(p)
                p.buf.mul_(0.9).add_(p.grad)
                p.data.mul_(1 - self.defaults["lr"]*self.param_groups[0]["weight_decay"]).sub_(p.buf, alpha=0.1)
    w = nn.Parameter(torch.randn(50))
    optimizer = Buffered([w], dict(lr=0.1, weight_decay=0.1))
    w.grad = torch.randn(50)
    optimizer.step()
    before = w.buf.clone()
    table = decay_audit(optimizer).to_frame()
    assert torch.equal(w.buf, before) and abs(table.factor[0] - 0.99) < 1e-6


class ByChance(torch.optim.Optimizer):
    "Decay and update in float32; then up or down by chance"
    def __init__(self, params, lr, weight_decay): super().__init__(params, dict(lr=lr, weight_decay=weight_decay))
    @torch.no_grad()
    def step(self):
        for g in self.param_groups:
            for p in g["params"]:
                exact = p.float()*(1 - g["lr"]*g["weight_decay"]) - g["lr"]*p.grad.float().sign()
                if p.dtype == torch.bfloat16:
                    noise = torch.randint(0, 2**16, exact.shape, dtype=torch.int32)
                    exact = ((exact.contiguous().view(torch.int32) + noise) & -2**16).view(torch.float32)
                p.copy_(exact)

def test_a_short_bias_under_rounding():
    "Of 256 weights none may move, and yet they decay: no half-life is better than a wrong one. To nearest none ever does"
    torch.manual_seed(0)
    net = nn.Linear(512, 256).bfloat16()
    audit = decay_audit(ByChance(net.parameters(), 1e-4, 0.01), net)
    table = audit.table.set_index("name")
    assert 0 < table.moved["bias"] < 0.01 and math.isnan(table.half_life["bias"]) and math.isnan(table.factor["bias"])
    assert audit.verdicts[0].says.startswith("Rounded together") and audit.verdicts[0].parameters == ["weight", "bias"]
    plain = decay_audit(torch.optim.AdamW(net.parameters(), lr=1e-4), net)
    assert plain.table.half_life.tolist() == [math.inf]*2 and plain.verdicts[0].says.startswith("Rounded away")


def test_schedulers_of_several_optimizers():
    "A GAN, or Muon beside AdamW: each has its scheduler, or keeps its rate"
    net = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 4))
    muon = torch.optim.Muon([m.weight for m in net], lr=0.01, weight_decay=0.1)
    rest = torch.optim.AdamW([m.bias for m in net], lr=0.01, weight_decay=0.1)
    half = torch.optim.lr_scheduler.LambdaLR(rest, lambda t: 0.5)
    third = torch.optim.lr_scheduler.LambdaLR(muon, lambda t: 1/(1 + 2*(t > 0)))
    def left(scheduler): return decay_audit([muon, rest], net, 100, scheduler).table.left.round(4).tolist()
    assert left(half) == [0.9048, 0.9512]*2
    assert left([half, third]) == left((third, half)) == [round(0.999*(1 - 1e-3/3)**99, 4), 0.9512]*2
    assert left(lambda t: 0.5) == [round((1 - 5e-4)**100, 4), round((1 - 2.5e-4)**100, 4)]*2
    other = torch.optim.lr_scheduler.LambdaLR(torch.optim.SGD(net.parameters()), lambda t: 1.)
    with pytest.raises(ValueError, match="one of the audited optimizer"): left([half, other])
    with pytest.raises(ValueError, match="ChainedScheduler"): left([half, half])
    with pytest.raises(TypeError, match="a list of such, got a int"): left([3])


def test_a_scheduler_that_waits_for_a_metric():
    net = nn.Linear(3, 2)
    opt = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.1)
    audit = decay_audit(opt, net, 100, torch.optim.lr_scheduler.ReduceLROnPlateau(opt))
    assert np.allclose(audit.table.left, 0.999**100) and any("waits for a metric" in v.says for v in audit.verdicts)


def test_groups_with_rates_and_decays_of_their_own():
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    groups = [dict(params=net[0].parameters(), lr=0.1, weight_decay=0.2), dict(params=[net[1].weight], lr=1e-3),
              dict(params=[net[1].bias], weight_decay=0.)]
    table = decay_audit(torch.optim.AdamW(groups, lr=0.01, weight_decay=0.1), net, 10).table
    assert table.group.tolist() == [0, 0, 1, 2] and table.lr.tolist() == [0.1, 0.1, 1e-3, 0.01]
    assert table.wd.tolist() == [0.2, 0.2, 0.1, 0] and np.allclose(table.factor, [0.98, 0.98, 0.9999, 1], atol=1e-7)
    assert np.allclose(table.left, table.factor**10)


def test_nothing_measured_says_why():
    net = nn.Linear(3, 2)
    capturable = torch.optim.AdamW(net.parameters(), capturable=True)            # on this machine torch's own step refuses it
    audit = decay_audit(capturable, net)
    if torch.cuda.is_available(): return
    assert audit.table.how.tolist() == ["refused"]*2
    said, = [v for v in audit.verdicts if v.says.startswith("Nothing could be measured: AssertionError: If capturable=True")]
    assert said.parameters == ["weight", "bias"] and not any("Nothing is decayed" in v.says for v in audit.verdicts)


def test_empty_parameters():
    empty = nn.ParameterList([torch.zeros(0), torch.zeros(0, 4), torch.ones(3)])
    audit = decay_audit(torch.optim.AdamW(empty.parameters(), lr=0.01, weight_decay=0.1), empty, 10)
    assert audit.table.how.tolist() == ["none", "none", "lr x wd"] and audit.table.half_life[:2].tolist() == [math.inf]*2
    assert not any("never used" in v.says or "rule of its own" in v.says for v in audit.verdicts)


def test_made_up_gradients_are_named():
    net = nn.Linear(3, 2)
    opt = torch.optim.AdamW(net.parameters())
    made_up = "No gradients at hand: measured with made-up ones"
    assert made_up in [v.says for v in decay_audit(opt, net).verdicts] and decay_audit(opt, net).made_up
    net(torch.randn(4, 3)).sum().backward()
    assert made_up not in [v.says for v in decay_audit(opt, net).verdicts] and not decay_audit(opt, net).made_up


def test_rows_of_a_table_that_no_batch_meets():
    table = nn.Embedding(1000, 8)
    opt = torch.optim.AdamW(table.parameters(), lr=0.01, weight_decay=0.1)
    table(torch.tensor([3, 5, 5])).sum().backward()
    said, = [v for v in decay_audit(opt, table, 1000).verdicts if "table's rows" in v.says]
    assert "one met every 693 steps is half gone" in said.says and "one never met keeps 0.37 of itself in 1,000" in said.says
    assert "meets 2 of 1,000" in said.says and "embedding" in said.remedy
    before = table.weight[7].norm().item()
    for _ in range(693):
        opt.zero_grad()
        table(torch.tensor([3])).sum().backward()
        opt.step()
    assert table.weight[7].norm().item()/before == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("options", [dict(foreach=True), dict(fused=True), dict(foreach=False)], ids=str)
def test_kernels_measure_what_is_declared_after_steps(options):
    net = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 4))
    for make in (torch.optim.AdamW, torch.optim.SGD):
        opt = make(net.parameters(), lr=0.01, weight_decay=0.1, **options)
        for _ in range(3):
            for p in net.parameters(): p.grad = torch.randn_like(p)
            opt.step()
        table = decay_audit(opt, net).table
        assert np.allclose(table.factor, 0.999, atol=1e-7) and set(table.how) == {"lr x wd"} and (table.moved > 0.99).all()


class OnlyMetRows(torch.optim.Optimizer):
    "SGD for sparse gradients that decays the rows they hold"
    def __init__(self, params): super().__init__(params, dict(lr=0.1, weight_decay=0.1))
    @torch.no_grad()
    def step(self):
        for g in self.param_groups:
            for p in g["params"]:
                grad = (p.grad if p.grad.is_sparse else p.grad.to_sparse(1)).coalesce()
                i, = grad.indices()
                p[i] = p[i]*(1 - g["lr"]*g["weight_decay"]) - g["lr"]*grad.values()

@pytest.mark.parametrize("real", [False, True])
def test_a_sparse_table_whose_met_rows_decay(real):
    table = nn.Embedding(50, 4, sparse=True)
    if real: table(torch.tensor([1, 2])).sum().backward()
    before = table.weight.detach().clone()
    audit = decay_audit(OnlyMetRows(table.parameters()), table, 100)
    row = audit.table.loc[0]
    assert (row.how, row.factor, row.left) == ("lr x wd", 1, 1) and torch.equal(before, table.weight)
    assert row.moved == pytest.approx(2/50 if real else 1)
    assert [v.says for v in audit.verdicts][0] == "A sparse table: a step decays the rows that the batch meets alone"
    refused = decay_audit(torch.optim.SGD(table.parameters(), lr=0.1, weight_decay=0.1), table)
    assert refused.verdicts[0].says.startswith("Nothing could be measured") and len(refused.verdicts) == 1


def test_groups_of_timm():
    "timm's own groups, layer by layer with rates of their own: what it decays is decayed, at the rate of its group"
    optim = pytest.importorskip("timm.optim")
    torch.manual_seed(0)
    model = vit()
    opt = optim.create_optimizer_v2(model, opt="adamw", lr=0.01, weight_decay=0.1, layer_decay=0.5)
    for g in opt.param_groups: g["lr"] = 0.01*g["lr_scale"]                # as timm's schedulers set it
    table = decay_audit(opt, model, 10).table
    assert len(set(table.lr)) > 2 and set(table.kind[table.wd > 0]) <= {"weight", "token", "position"}
    assert np.allclose(table.factor, 1 - table.lr*table.wd, atol=1e-6) and (table.kind[table.wd == 0] != "weight").all()


def test_a_parameter_twice_in_a_group():
    w = nn.Parameter(torch.randn(8, 8))
    with pytest.warns(UserWarning, match="duplicate"): opt = torch.optim.AdamW([w, w], lr=0.01, weight_decay=0.1)
    audit = decay_audit(opt)
    assert audit.table.factor[0] == pytest.approx(0.999**2, abs=1e-8)
    assert any(v.says == "Held twice: stepped and decayed twice" for v in audit.verdicts)


def test_adapters_on_a_frozen_base():
    "What is frozen and in no group is meant so, and no remedy would put it there"
    model = nn.Sequential(nn.Linear(4, 4).requires_grad_(False), nn.Linear(4, 4, bias=False))
    audit = decay_audit(torch.optim.AdamW(model[1].parameters(), lr=0.01), model)
    frozen = [v for v in audit.verdicts if set(v.parameters) & {"0.weight", "0.bias"}]
    assert [(v.says, v.remedy) for v in frozen] == [("Frozen: neither trained nor decayed", "")]


class Wrapper:
    "Shares the groups of an optimizer"
    def __init__(self, inner): self.inner, self.param_groups, self.state, self.calls = inner, inner.param_groups, inner.state, 0
    def step(self): self.inner.step()

class Fourth(Wrapper):
    "Steps at every fourth call"
    def step(self):
        self.calls += 1
        if self.calls % 4 == 0: self.inner.step()

class Masters:
    "Steps copies in float32"
    def __init__(self, inner):
        self.inner, self.pairs = inner, []
        for g in inner.param_groups:
            self.pairs += [(p, nn.Parameter(p.detach().float())) for p in g["params"]]
            g["params"] = [q for _, q in self.pairs]
    param_groups = property(lambda self: self.inner.param_groups)
    def step(self):
        for p, q in self.pairs: q.grad = None if p.grad is None else p.grad.float()
        self.inner.step()

@pytest.mark.parametrize("wrap", [Fourth, Masters])
def test_a_step_that_moves_nothing_is_no_step(wrap):
    "Nothing is said about a decay that was not seen; and where to look is"
    layer = nn.Linear(4, 4).bfloat16()
    audit = decay_audit(wrap(torch.optim.AdamW(layer.parameters(), lr=0.01, weight_decay=0.1)), layer)
    assert set(audit.table.how[audit.table.wd > 0]) == {"refused"}
    said = next(v for v in audit.verdicts if "a step with a gradient moves nothing" in v.says)
    assert said.says.startswith("Nothing could be measured") and said.remedy.startswith("decay_audit(optimizer.inner, model)")
    assert not any("never used" in v.says or "Shrinks" in v.says for v in audit.verdicts)


class Hull:
    "As the NoamOpt of tutorials: sets the rate and steps; has no groups"
    def __init__(self, inner): self.inner = inner
    def step(self): self.inner.step()

def test_hulls_and_the_schedulers_of_what_they_hold():
    w = nn.Parameter(torch.rand(6, 5) + 0.5)
    inner = torch.optim.AdamW([w], lr=0.01, weight_decay=0.1)
    lightning = type("LightningAdamW", (Wrapper, torch.optim.AdamW), dict(__module__="lightning.pytorch.core.optimizer"))
    wrapped = object.__new__(lightning)
    wrapped._optimizer = inner                                  # its step would ask for a Trainer
    falls = torch.optim.lr_scheduler.LinearLR(inner, 1., 0.5, 9)
    expected = decay_audit(inner, None, 10, falls).table
    assert expected.left[0] < 1 and expected.lr[0] == 0.01
    hulled = type("AcceleratedScheduler", (), dict(scheduler=falls))()
    for optimizer, scheduler in ((Hull(inner), falls), (Wrapper(inner), falls), (wrapped, falls), (inner, hulled)):
        assert decay_audit(optimizer, None, 10, scheduler).table.equals(expected)
    bare = type("Bare", (), {})()
    bare.param_groups = inner.param_groups                      # groups, and nothing that steps
    with pytest.raises(TypeError, match="got a Bare"): decay_audit(bare)


def test_a_default_device_elsewhere():
    w = nn.Parameter(torch.rand(6, 5) + 0.5)
    opt = torch.optim.SGD([w], lr=0.01, weight_decay=0.1)
    with torch.device("meta"): table = decay_audit(opt).table
    assert table.factor[0] == pytest.approx(0.999, abs=1e-8)


def test_what_a_row_cannot_say():
    "A decay that no setting switches off has no `moved`; a nan of one weight in low precision has its sentence"
    assert math.isnan(decay_audit(torch.optim.ASGD([nn.Parameter(torch.ones(3))], lr=0.01)).table.moved[0])
    scale = nn.Parameter(torch.tensor(2.659).bfloat16())
    audit = decay_audit(torch.optim.AdamW([scale], lr=0.01, weight_decay=0.1, fused=True))
    assert math.isnan(audit.table.factor[0]) and audit.verdicts[0].says.startswith("Rounded together")


def test_a_bias_before_the_relu_has_a_size():
    "Without gradients, the order of the layers must tell: relu(c*w*x + b) is no multiple of relu(w*x + b)"
    for bias, covered in ((True, 0), (False, 1)):
        model = nn.Sequential(nn.Linear(4, 4, bias=bias), nn.ReLU(), nn.BatchNorm1d(4))
        audit = decay_audit(torch.optim.AdamW(model.parameters()), model)
        assert sum("undoes the size" in v.says for v in audit.verdicts) == covered


def test_decay_as_large_as_the_weights():
    "Gone at once, from side to side, or off to infinity: by sign, with a sentence, and a remedy that halves in the run"
    w = nn.Parameter(torch.rand(6, 5) + 0.5)
    for wd, factor, word in ((1., 0., "Forgets"), (1.5, -0.5, "Forgets"), (3., -2., "Grows")):
        for optimizer in (torch.optim.AdamW, torch.optim.SGD):
            audit = decay_audit(optimizer([w], lr=1., weight_decay=wd), None, 1000)
            assert audit.table.how[0] == "lr x wd" and audit.table.factor[0] == pytest.approx(factor, abs=1e-6)
            said = audit.verdicts[0]
            assert said.says.startswith(word) and not any("Not 1 - lr x wd" in v.says for v in audit.verdicts)
            cure = float(said.remedy.split("=")[1].split()[0])
            assert (1 - cure)**1000 == pytest.approx(0.5, rel=0.03)
    hidden = decay_audit(torch.optim.ASGD([w], lr=1e-3), None, 10)
    assert "Decays next to nothing" in hidden.verdicts[0].says and not hidden.verdicts[0].remedy     # no setting to name
