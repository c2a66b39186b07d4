"What watching gradients costs: `GradientStats` on chapter 06's network, as a share of the step, in turns with and without."
import torch
import torch.nn.functional as F

from wd_lab.hooks import GradientStats, overhead
from wd_lab.optimizers import SGD, fashion_net

torch.manual_seed(0)
x, y = torch.randn(1024, 1, 28, 28), torch.randint(10, (1024,))
net = fashion_net()
opt = SGD(net.parameters(), lr=0.4)


def step():
    opt.zero_grad()
    F.cross_entropy(net(x), y).backward()
    opt.step()


print(f"overhead of GradientStats: {overhead(step, GradientStats(net), turns=100):.0%} of the step (under 25%)")
print(f"overhead of GradientStats with histograms: {overhead(step, GradientStats(net, histograms=True), turns=100):.0%} of the step (for information)")
