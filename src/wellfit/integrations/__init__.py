"""The doctor in other people's training loops: in three lines, and with the same bits as without it.

A loop of one's own:

>>> import torch, wellfit
>>> module, X = torch.nn.Linear(2, 1), torch.randn(64, 2)
>>> optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
>>> monitor = wellfit.Monitor(module, optimizer)
>>> for _ in range(5):
...     loss = torch.nn.functional.mse_loss(module(X)[:, 0], X.sum(1))
...     optimizer.zero_grad()
...     loss.backward()
...     monitor.observe(loss)
...     _ = optimizer.step()
>>> findings = wellfit.diagnose(monitor.history)

Lightning and Transformers have a callback each, `wellfit.integrations.lightning.DoctorCallback` and
`wellfit.integrations.transformers.DoctorCallback`.
"""
