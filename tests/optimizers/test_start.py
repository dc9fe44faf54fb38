"""An optimizer starts without torch's compiler, and works as ever once that is there."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys, torch, wellfit
from wellfit.optimizers import OPTIMIZERS

def moved():
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = OPTIMIZERS["adam"].make([weight], lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (weight**2).sum().backward()
        optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    return weight.detach()

before = moved()
X, y = torch.randn(64, 3), torch.randint(2, (64,))
wellfit.fit(torch.nn.Linear(3, 2), (X, y), loss="cce", epochs=2)
assert "sympy" not in sys.modules, "SymPy was imported"
assert "torch._dynamo" not in sys.modules, "the compiler was imported"
import torch._dynamo
assert torch.equal(moved(), before)
kept = [vars(getattr(torch.optim.Optimizer, name).__wrapped__)["__dynamo_disable"] for name in
        ("add_param_group", "zero_grad", "state_dict", "load_state_dict")]
assert all(getattr(one, "_torchdynamo_disable", False) for one in kept), "torch's own marks are not back"

class Loop(torch.nn.Module):
    def forward(self, optimizer, weight):
        optimizer.zero_grad()
        return weight * 2

weight = torch.nn.Parameter(torch.ones(3))
weight.grad = torch.ones(3)
torch.compile(Loop(), backend="eager")(OPTIMIZERS["adam"].make([weight]), weight)
assert weight.grad is None
"""


def test_compiler_is_imported_only_by_those_who_compile() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
