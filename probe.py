import time, torch, random, numpy as np
import torch.nn.functional as F
from wd_lab.lr_range import _undo_all, lr_range_test, _call_all
from wd_lab.data import cifar100
from wd_lab.images import image_dls, image_learner
import fastai.callback.all
dls=image_dls(cifar100(),256,n=2000,n_valid=200,seed=0)
learn=image_learner(dls,20,seed=0)
t=time.process_time(); u,s=_undo_all([dls,None],besides=[learn.model,learn.opt,learn],are_loaders=True); print('dls',len(u),len(s),time.process_time()-t, any(isinstance(x,torch.nn.Module) for x in s))
t=time.process_time(); u,s=_undo_all([learn.model,learn.opt,learn],besides=s); print('learn',len(u),len(s),time.process_time()-t)
t=time.process_time(); _call_all(u); print(time.process_time()-t)
print(sum(x.nbytes for x in s if isinstance(x,torch.Tensor)), max((x.nbytes for x in s if isinstance(x,torch.Tensor))))
from collections import Counter
print(Counter(type(x).__module__.split('.')[0]+'.'+type(x).__name__ for x in s).most_common(30))
class Wrap:
    def __init__(self, dl): self.dl=dl
    def __iter__(self): return iter(self.dl)
    def __len__(self): return len(self.dl)
from torch.utils.data import DataLoader, TensorDataset
if __name__=='__main__':
    ds=TensorDataset(torch.randn(640,10),torch.randint(4,(640,)))
    net=torch.nn.Sequential(torch.nn.Linear(10,4)); opt=torch.optim.Adam(net.parameters(),foreach=True)
    for kw in (dict(),dict(num_workers=1),dict(num_workers=1,persistent_workers=True),dict(pin_memory=False,sampler=torch.utils.data.WeightedRandomSampler(torch.ones(640),640,generator=torch.Generator().manual_seed(3)))):
        kw.setdefault('sampler',None)
        g=torch.Generator().manual_seed(1)
        dl=DataLoader(ds,32,shuffle=kw['sampler'] is None,generator=g,**kw)
        if kw.get('persistent_workers'): next(iter(dl))
        a=lr_range_test(net,Wrap(dl),F.cross_entropy,opt,num_it=30)
        b=lr_range_test(net,Wrap(dl),F.cross_entropy,opt,num_it=30)
        print(kw.keys(), np.array_equal(a.losses,b.losses), list(opt.state))
