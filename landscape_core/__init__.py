"""Inversion of frozen networks by descent in X and in a learned Z (Landscape Learning, arXiv 2206.09027).

Where to begin: `inversion.Solver` (init, step, done) runs lanes of `spaces` and `optimizers` on an `objectives.Target`;
`tasks.gan.load_image_task` gives a ready problem; `training.mapping` learns Θ for another.
"""

from __future__ import annotations

__version__ = "0.1.0"
