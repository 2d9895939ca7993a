"""Views: exact where maths says so, seeded, differentiable, one picture independent of the rest."""

from __future__ import annotations

import torch

from landscape_core.defence.views import Views, ViewSettings, identity_view, joined, sample_views
from tests.tiny.defended import pictures


def drawn(n: int, settings: ViewSettings | None = None, seed: int = 0) -> Views:
    return sample_views(n, settings or ViewSettings(), torch.Generator().manual_seed(seed))


def test_the_identity_view_is_the_picture() -> None:
    x = pictures(2)
    assert torch.allclose(identity_view()(x)[0], x, atol=1e-6)


def test_without_crop_and_jitter_a_view_is_the_picture_or_its_mirror_image() -> None:
    x = pictures(1)
    views = drawn(12, ViewSettings(crop=1.0, jitter=0.0, grey=0.0))(x)[:, 0]
    same = torch.stack([(view - x[0]).abs().max() for view in views])
    mirrored = torch.stack([(view - x[0].flip(2)).abs().max() for view in views])
    assert (torch.minimum(same, mirrored) < 1e-5).all()
    assert (same < 1e-5).any()
    assert (mirrored < 1e-5).any()


def test_a_crop_shows_a_part_enlarged() -> None:
    ramp = torch.linspace(-1, 1, 32).expand(1, 3, 32, 32)
    views = drawn(8, ViewSettings(crop=0.5, jitter=0.0, grey=0.0))(ramp)[:, 0, 0, 0]  # one row of each: (8, 32)
    span = (views[:, -1] - views[:, 0]).abs()
    assert (span < 2.0).all()
    assert (span > 0.9).all()  # half of the ramp at least
    step = views.diff(dim=1).abs()
    assert torch.allclose(step[:, 10:20], step[:, 10:11].expand(-1, 10), atol=1e-5)  # still a straight ramp


def test_grey_views_have_no_colour() -> None:
    views = drawn(4, ViewSettings(grey=1.0))(pictures(2))
    assert torch.allclose(views[:, :, 0], views[:, :, 1], atol=1e-5)


def test_jitter_scales_brightness_and_contrast_of_a_flat_picture() -> None:
    flat = torch.full((1, 3, 32, 32), 0.2)
    views = drawn(1)
    assert torch.allclose(views(flat), (1.2 * views.brightness - 1.0).reshape(1, 1, 1, 1, 1).expand(1, 1, 3, 32, 32), atol=1e-5)


def test_one_each_is_the_diagonal_and_pictures_do_not_see_each_other() -> None:
    x, views = pictures(5), drawn(5)
    every = views(x)
    assert torch.allclose(views.one_each(x), torch.stack([every[i, i] for i in range(5)]), atol=1e-6)
    assert torch.allclose(views(x[2:3])[:, 0], every[:, 2], atol=1e-6)


def test_the_seed_fixes_the_views_and_joining_keeps_their_order() -> None:
    x = pictures(2)
    assert torch.equal(drawn(3)(x), drawn(3)(x))
    assert not torch.equal(drawn(3)(x), drawn(3, seed=1)(x))
    both = joined(identity_view(), drawn(3))
    assert len(both) == 4
    assert torch.allclose(both(x)[1:], drawn(3)(x), atol=1e-6)


def test_gradients_reach_every_pixel_of_an_uncropped_view() -> None:
    x = pictures(1).requires_grad_()
    (gradient,) = torch.autograd.grad(drawn(1, ViewSettings(crop=1.0, grey=0.0))(x).square().sum(), x)
    assert (gradient != 0).float().mean() > 0.99
