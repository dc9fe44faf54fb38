"""Every edit is made whole, or refused with the reason and nothing changed."""

from __future__ import annotations

import contextlib
import copy
import math

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from wellfit.errors import ConfigError
from wellfit.treatment.surgery import (
    Edit,
    add_residuals,
    anatomy,
    deepen,
    gate_recurrence,
    insert_activations,
    insert_norms,
    narrow,
    perform,
    rectify_recurrence,
    reinitialize,
    resize_output,
    set_dropout,
    set_output,
    standardize_inputs,
    swap_activations,
    unfreeze,
    unscale_outputs,
    widen,
)
from wellfit.treatment.surgery.residuals import Residual
from wellfit.treatment.surgery.scales import Standardize


class Custom(nn.Module):
    """Layers as attributes, one activation a module, one a function."""

    def __init__(self, *, functional: bool = False) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 3)
        self.act = nn.Sigmoid()
        self.act2 = nn.Tanh()
        self.functional = functional

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.first(x))
        x = torch.tanh(self.second(x)) if self.functional else self.act2(self.second(x))
        return self.last(x)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.RNN(4, 8, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cell(x)[0][:, -1])


def dense() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 6), nn.Sigmoid(), nn.Linear(6, 6), nn.Sigmoid(), nn.Linear(6, 3), nn.Softmax(-1))


def conv() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(64, 3),
    )  # fmt: skip


ROWS = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
SEQUENCE = torch.randn(5, 7, 4, generator=torch.Generator().manual_seed(0))
IMAGES = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))

SUBJECTS = {
    "dense": (dense, ROWS),
    "nested": (lambda: nn.Sequential(nn.Sequential(*list(dense())[:4]), nn.Linear(6, 3)), ROWS),
    "custom": (Custom, ROWS),
    "functional": (lambda: Custom(functional=True), ROWS),
    "recurrent": (Recurrent, SEQUENCE),
    "conv": (conv, IMAGES),
    "linear": (lambda: nn.Linear(4, 3), ROWS),
    "bare": (lambda: nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 3)), ROWS),
}

EDITS = [
    swap_activations("relu"),
    swap_activations("gelu"),
    insert_activations(),
    insert_norms("batch"),
    insert_norms("layer"),
    add_residuals(),
    reinitialize(),
    reinitialize("orthogonal"),
    set_dropout(0.5),
    set_dropout(0.0),
    widen(),
    narrow(),
    deepen(),
    set_output("none"),
    set_output("sigmoid"),
    gate_recurrence(),
    rectify_recurrence(),
    resize_output(5),
    unfreeze(),
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.what)
@pytest.mark.parametrize("name", SUBJECTS)
def test_an_edit_is_made_whole_or_refused(name: str, edit: Edit) -> None:
    make, rows = SUBJECTS[name]
    module = make()
    before = copy.deepcopy(module.state_dict())
    text = repr(module)
    edited = None
    with contextlib.suppress(ConfigError):
        edited = perform([edit], module, [rows])
    assert repr(module) == text
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    if edited is not None:
        output = edited.train()(rows)
        assert output.shape == (5, 5 if edit.reshapes else 3)
        output.square().sum().backward()
        assert all(weight.grad is not None for weight in edited.parameters())


def test_a_functional_activation_is_refused_by_name_and_the_other_stays() -> None:
    module = Custom(functional=True)
    with pytest.raises(ConfigError, match="tanh called in forward"):
        perform([swap_activations("relu")], module, [ROWS])
    assert isinstance(module.act, nn.Sigmoid)


def test_custom_attributes_are_exchanged() -> None:
    edited = perform([swap_activations("relu"), insert_norms()], Custom(), [ROWS])
    kinds = [part.kind for part in anatomy(edited, [ROWS]).parts]
    assert kinds == ["linear", "batch_norm", "relu", "linear", "batch_norm", "relu", "linear"]


def test_the_output_activation_is_no_hidden_one() -> None:
    edited = perform([swap_activations("relu")], dense(), [ROWS])
    assert [part.kind for part in anatomy(edited, [ROWS]).parts][-1] == "softmax"
    assert perform([set_output("none")], edited, [ROWS])(ROWS).sum(1).sub(1).abs().max() > 1e-3


def test_convolutions_get_batch_norm_of_channels_and_residuals() -> None:
    edited = perform([insert_norms(), add_residuals()], conv(), [IMAGES])
    assert sum(isinstance(part, nn.BatchNorm2d) for part in edited.modules()) == 2
    assert sum(isinstance(part, Residual) for part in edited.modules()) == 1


def test_a_residual_adds_its_input() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        module[0].weight.zero_()
        module[0].bias.zero_()
    edited = perform([add_residuals()], module, [ROWS])
    assert torch.equal(edited(ROWS), module[2](ROWS))


def test_new_weights_keep_the_variance_their_activation_wants() -> None:
    wide = nn.Sequential(nn.Linear(400, 500), nn.ReLU(), nn.Linear(500, 600), nn.Tanh(), nn.Linear(600, 50))
    rows = torch.randn(6, 400)
    torch.manual_seed(0)
    he, xavier, last = (part for part in perform([reinitialize()], wide, [rows]) if isinstance(part, nn.Linear))
    assert float(he.weight.detach().var()) == pytest.approx(2 / 400, rel=0.02)
    assert float(xavier.weight.detach().var()) == pytest.approx(2 / 1100, rel=0.02)
    assert float(last.weight.detach().var()) == pytest.approx(1 / 600, rel=0.05)
    assert not he.bias.any()


def test_recurrent_weights_become_orthogonal_and_the_identity_under_relu() -> None:
    gated = perform([gate_recurrence(), reinitialize()], Recurrent(), [SEQUENCE])
    for block in gated.cell.weight_hh_l0.split(8):
        torch.testing.assert_close(block @ block.T, torch.eye(8), atol=1e-5, rtol=0)
    rectified = perform([rectify_recurrence(), reinitialize()], Recurrent(), [SEQUENCE])
    assert rectified.cell.nonlinearity == "relu"
    assert torch.equal(rectified.cell.weight_hh_l0, torch.eye(8))


def test_standardised_inputs_equal_scikit_learn() -> None:
    table = np.random.default_rng(0).normal([5.0, -300.0, 0.0, 0.01], [2.0, 100.0, 1.0, 0.001], (200, 4))
    scaler = StandardScaler().fit(table)
    edit = standardize_inputs(scaler.mean_.tolist(), scaler.scale_.tolist())
    module = nn.Linear(4, 3)
    rows = torch.from_numpy(table[:20]).float()
    expected = module(torch.from_numpy(scaler.transform(table[:20])).float())
    torch.testing.assert_close(perform([edit], module, [rows])(rows), expected, atol=1e-3, rtol=1e-4)


def test_what_is_not_finite_becomes_the_mean() -> None:
    rows = torch.tensor([[math.nan, math.inf, 3.0, -math.inf]])
    assert Standardize([1.0] * 4, [2.0] * 4)(rows).tolist() == [[0.0, 0.0, 1.0, 0.0]]


def test_channels_of_images_are_scaled_alone() -> None:
    images = torch.stack([torch.full((4, 4), 3.0), torch.full((4, 4), 10.0)])[None]
    scaled = Standardize([1.0, 10.0], [2.0, 5.0], axis=1)(images)
    assert scaled[0, 0].unique().tolist() == [1.0]
    assert scaled[0, 1].unique().tolist() == [0.0]


def test_outputs_are_put_into_units() -> None:
    module = nn.Linear(4, 1)
    edited = perform([unscale_outputs([100.0], [20.0])], module, [ROWS])
    torch.testing.assert_close(edited(ROWS), 100 + 20 * module(ROWS))


def test_scales_are_put_around_whatever_comes_first() -> None:
    edits = [standardize_inputs([0.0] * 4, [1.0] * 4), swap_activations("relu"), reinitialize()]
    edited = perform(edits, dense(), [ROWS])
    assert isinstance(edited.front, Standardize)
    assert {part.kind for part in anatomy(edited, [ROWS]).hidden} == {"relu"}


def test_a_mask_beside_the_rows_goes_through() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 2)

        def forward(self, x: Tensor, ids: Tensor) -> Tensor:
            return self.linear(x) * ids

    ids = torch.ones(5, 1)
    edited = perform([standardize_inputs([0.0] * 4, [1.0] * 4)], Two(), [ROWS, ids])
    assert edited(ROWS, ids).shape == (5, 2)


def test_an_edit_that_breaks_the_module_is_refused() -> None:
    broken = Edit("broken", lambda module, sample: nn.Sequential(module, nn.Linear(99, 1)))
    with pytest.raises(ConfigError, match="'broken' does not fit this module"):
        perform([broken], dense(), [ROWS])
    other = Edit("other", lambda module, sample: nn.Sequential(module, nn.Linear(3, 1)))
    with pytest.raises(ConfigError, match="must not change the output's shape"):
        perform([other], dense(), [ROWS])


def test_widths() -> None:
    wide = perform([widen(4.0)], dense(), [ROWS])
    assert [part.out_features for part in wide if isinstance(part, nn.Linear)] == [64, 64, 3]
    thin = nn.Sequential(nn.Linear(4, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 3))
    thin = perform([narrow()], thin, [ROWS])
    assert [tuple(weight.shape) for weight in thin.parameters() if weight.ndim > 1] == [(64, 4), (3, 64)]
    assert thin[1].num_features == 64


def test_frozen_weights_are_freed() -> None:
    module = dense().requires_grad_(False)
    assert all(weight.requires_grad for weight in perform([unfreeze()], module, [ROWS]).parameters())
    with pytest.raises(ConfigError, match="frozen"):
        perform([unfreeze()], dense(), [ROWS])
