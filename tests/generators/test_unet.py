"""The U-Net: shapes, the stated receptive field against perturbed inputs, and stretches computed by themselves."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from caw_toolkit.generators.unet import STRIDE, UNet


def random_network(widths: Sequence[int], kernel_size: int = 5, blocks: int = 1, embedding: int = 0) -> UNet:
    """No weight is zero, so that nothing hides a dependence."""
    torch.manual_seed(0)
    network = UNet(2, 3, widths=widths, kernel_size=kernel_size, blocks=blocks, embedding=embedding).double().eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network.requires_grad_(False)


@pytest.mark.parametrize("frames", [1, 2, 15, 16, 17, 63, 64, 65, 1000])
@pytest.mark.parametrize("widths", [(8,), (4, 8, 12)])
def test_as_many_frames_come_out(frames: int, widths: tuple[int, ...]) -> None:
    network = random_network(widths)
    assert network(torch.randn(2, 2, frames).double()).shape == (2, 3, frames)


@pytest.mark.parametrize(
    ("widths", "kernel_size", "blocks"), [((4,), 5, 1), ((4, 4), 3, 1), ((4, 4), 5, 2), ((4, 6, 8), 5, 1)]
)
def test_the_receptive_field_holds_for_every_place_in_the_strides(
    widths: tuple[int, ...], kernel_size: int, blocks: int
) -> None:
    """One frame is disturbed: outputs change at most half a receptive field away, on either side."""
    network = random_network(widths, kernel_size, blocks)
    total_stride = STRIDE ** (len(widths) - 1)
    centre = (network.receptive_field // total_stride + 2) * total_stride
    frames = torch.randn(1, 2, 2 * centre, generator=torch.Generator().manual_seed(1)).double()
    disturbed = frames.repeat(total_stride, 1, 1)
    for place in range(total_stride):
        disturbed[place, :, centre + place] += 1
    changed = (network(disturbed) != network(frames.repeat(total_stride, 1, 1))).any(1)
    reaches = []
    for place in range(total_stride):
        where = changed[place].nonzero()[:, 0] - (centre + place)
        assert -where.min() <= network.receptive_field / 2 and where.max() <= network.receptive_field / 2
        reaches.append(int(where.max() - where.min()) + 1)
    assert max(reaches) > 0.75 * network.receptive_field, "the stated receptive field wastes computation"


def test_a_stretch_with_its_surroundings_is_as_in_the_whole() -> None:
    network = random_network((4, 6, 8))
    margin = -(-network.receptive_field // 2 // network.total_stride) * network.total_stride
    frames = torch.randn(1, 2, 6 * margin, generator=torch.Generator().manual_seed(1)).double()
    part = network(frames[..., margin : 4 * margin])
    torch.testing.assert_close(part[..., margin : 2 * margin], network(frames)[..., 2 * margin : 3 * margin])


def test_the_condition_acts_on_its_own_example() -> None:
    network = random_network((4, 8), embedding=16)
    frames = torch.randn(1, 2, 32).double().repeat(3, 1, 1)
    first, same, other = network(frames, torch.tensor([0.2, 0.2, 0.8]).double())
    torch.testing.assert_close(first, same)
    assert not torch.allclose(first, other)


def test_training_starts_from_a_constant() -> None:
    """Zero weights at the exit: what an untrained network says does not depend on its input."""
    network = UNet(2, 3, widths=(8, 8))
    out = network(torch.randn(1, 2, 64))
    torch.testing.assert_close(out, out[..., :1].expand_as(out))
