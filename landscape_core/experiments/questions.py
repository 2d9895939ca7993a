"""What one would ask first of the results, where each answer is looked for, and what the paper says to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WORDS = {"val": "known actions", "ood": "unknown actions", "l2": "L2", "linf": "L∞"}
_BY = r"(?: Adam| L-BFGS| Levenberg-Marquardt)"
_LANES = rf"Z against X L-BFGS|Z(?P<by>{_BY}) against X(?P=by)"
_EARLY = rf"(?P<on>\w+): (?:loss in )?(?P<who>Z{_BY}?) after 2 steps against (?P<x>X{_BY}) after 20"
_SAME = rf"(?P<on>\w+): loss after (?P<steps>\d+) steps, (?P<who>{_LANES})"


@dataclass(frozen=True)
class Question:
    """`pattern` finds, in the experiments named, the claims that answer it: relative changes of `measure` (or with "share"
    what is left of it), or differences in `unit`. The `template` says which claim it was, from the pattern's groups. `paper` is
    what the paper says and why ours may differ; the questions that have it are the ones that its readers ask first. Where the
    pattern has a group `trained`, that row's training has to be a fair share of the paper's draws, or nothing can be said of
    the paper's Θ."""

    asked: str
    experiments: tuple[str, ...]
    pattern: str
    template: str
    unit: Literal["%", "share", "points", "dB"] = "%"
    measure: str = "loss"
    paper: str = ""


QUESTIONS = (
    Question(
        "Is Z faster than X by the same optimiser, on real pictures?", ("convergence", "convergence-cats"), _SAME,
        "on {on}, loss after {steps} steps, {who}",
        paper="−31 % after 20 steps, −7 % out of range; after 200 steps −23.6 % in Table 2 and −29.53 % in Tables 4 and 5"
        " for one setting. Its X is Adam at the projector's rate; ours is tuned, by L-BFGS too, and our generator "
        "is small.",
    ),
    Question(
        "On pictures, do 2 steps in Z reach what X reaches in 20?", ("convergence", "convergence-cats"), _EARLY,
        "on {on}, loss of {who} after 2 steps against {x} after 20",
        paper='"On par or better". Its X has hardly left its start by step 4 (its Fig. 4); ours is tuned on training '
        "data.",
    ),
    Question(
        "Is Z ahead of every other method at equal cost?", ("budget",),
        r"(?P<on>\w+), (?P<cost>\d+ evaluations): (?P<who>Z, L-BFGS against the best other) .*",
        "on {on}, {cost} of F, {who}",
        paper="Compared with one rival, Adam in X. Here everything people use is tuned alike and given the same "
        "evaluations of F.",
    ),
    Question(
        "Does training Θ add to taking the mean curvature out?", ("ablation", "why", "why-pose"),
        r"(?:(?P<on>\w+), (?P<at>\d+) steps: residual Θ, full against residual Θ, curvature only"
        r"|loss after (?P<steps>\d+) steps, Θ against whitener alone)",
        "{on}, loss after {at}{steps} steps",
        paper="It has no such row: all of its lead is put down to learning. A whitener that nothing trained is mere "
        "preconditioning.",
    ),
    Question(
        "Is the loss rounder in Z?", ("why", "why-pose"), r"condition number (?P<place>.*), Θ against X", "{place}",
        measure="condition number",
        paper="\"Smoother\" and \"more convex\", from pictures of four examples (Fig. 8). Here it is the Hessian's spectrum, "
        "and the same is asked of the whitener alone.",
    ),
    Question(
        "Does an M-step lower its buffer's loss?", ("em", "em-pose", "em-pose-paper"),
        r"mean loss of what the buffer holds, after the M-step against before", "mean loss of a buffer",
        paper="Every M-step and every E-step, by the argument of its Appendix B; but Algorithm 1 begins z anew and "
        "averages over all z_t (docs/training.md).",
    ),
    Question(
        "Is Z ahead on pictures far from what it learned on?", ("spectrum",),
        r"(?P<on>aligned cats|cats out of line|ships|noise): loss after (?P<steps>\d+) steps, "
        r"Z (?P<by>Adam|L-BFGS) against X .*",
        "{on}, {steps} steps, {by}",
        paper="−36 % on aligned cats (more than on faces), −24 % on unaligned ones, −17 % on ships, −7 % on noise (Table "
        "5). Our cats are one set, turned and shifted for the second; our ships are CIFAR-10's.",
    ),
    Question(
        "Does Z's lead fall as the pictures get noisier?", ("noise",),
        r"Z/X by (?P<by>Adam|L-BFGS) after (?P<steps>\d+) steps, σ 0 against σ 0.4", "{by}, {steps} steps, clean against σ 0.4",
        measure="Z's share of X's loss",
    ),
    Question(
        "Does a Θ that saw noise alone still beat X?", ("noise-only",),
        r"(?P<on>\w+): loss after (?P<steps>\d+) steps, Z from noise (?P<by>Adam|L-BFGS) against X .*",
        "{on}, {steps} steps, {by}",
    ),
    Question(
        "Is a rate that is four times too large cheaper in Z?", ("fragile",),
        r"what a rate four times the best costs, (?P<by>.*) after (?P<steps>\d+) steps, Z against X", "{by}, {steps} steps",
        measure="what it costs",
    ),
    Question(
        "Does the paper's own Θ beat X?", ("ablation", "z-dimension"),
        r"(?P<on>\w+), (?P<steps>\d+) steps: (?P<trained>paper Θ, full|Z 512) against baseline",
        "on {on}, loss of {trained} after {steps} steps",
        paper='−31 % and −23.6 % (Table 2); and random Θ "consistently outperforms" X, though that table has it at 2.723 '
        "above X's 2.569. Its Θ saw 2,560,000 draws; at a small share of them ours is not comparable with it.",
    ),
    Question(
        "Are completions in Z closer to what is seen?", ("completions-x-lbfgs", "completions"),
        r"visible loss of completions, (?P<who>.*)", "visible loss, {who}",
    ),
    Question(
        "Are completions in Z more varied?", ("completions-x-lbfgs", "completions"),
        r"diversity in the hidden region, (?P<who>.*)", "diversity of what is hidden, {who}", measure="diversity",
    ),
    Question(
        "Is Z faster than X by the same optimiser, on poses?", ("pose", "pose-positions"), _SAME,
        "{on}, loss after {steps} steps, {who}",
        paper="−19 % on known and −11 % on unknown data, by Adam. Ours are other recordings than GRAB and PROX, and X is "
        "searched by stronger optimisers too.",
    ),
    Question(
        "On poses, do 2 steps in Z reach what X reaches in 20?", ("pose", "pose-positions"), _EARLY,
        "{on}, loss of {who} after 2 steps against {x} after 20",
    ),
    Question(
        "Does Z follow a motion more closely than X by the same optimiser?", ("follow", "follow-positions"),
        rf"(?P<on>\w+): joint error by (?P<steps>\d+) steps a frame, (?P<order>cold|warm), (?P<who>Z{_BY} against X{_BY})",
        "{on}, {steps} steps a frame, {order}, {who}", measure="joint error",
    ),
    Question(
        "Does a frame begin better with what was found of the last one?", ("follow", "follow-positions"),
        rf"(?P<on>\w+): joint error by (?P<steps>\d+) steps a frame, (?P<who>[XZ]{_BY}), warm against cold",
        "{on}, {steps} steps a frame, {who}", measure="joint error",
    ),
    Question(
        "Is more of Z's landscape convex?",
        ("landscapes", "landscapes-x-lbfgs", "landscapes-cats", "landscapes-pose", "landscapes-pose-positions"),
        r"share of convex points, (?P<who>Z .* X \(.*\)), mean over examples", "share of the plane, {who}", "points",
        "convex share",
    ),
    Question(
        "Does one step in Z restore attacked answers better than one in X?", ("defence-ro", "defence-mart"),
        r"(?P<on>l2|linf), (?P<attack>static|aware): accuracy after 1 step, Z tuned minus X tuned",
        "{on} attack, {attack}", "points", "right answers",
        paper="+10 to +18 points in one step (Table 1). Our classifiers and their Θ are far smaller, and X has its own "
        "best rate.",
    ),
    Question(
        "Is anything gained over no defence where the attacker knows of it?", ("defence-ro", "defence-mart"),
        r"(?P<on>l2|linf), aware: accuracy after 1 step, Z tuned minus undefended", "{on} attack, Z", "points", "right answers",
    ),
    Question(
        "Do robust features give pictures back better than plain ones?", ("features",),
        r"(?P<on>\w+), (?P<what>.*): PSNR in dB, robust minus plain", "{on}, {what}, PSNR", "dB", "PSNR",
    ),
    Question(
        "Does a small mirror decoder give more back from robust features?", ("features-table",),
        r"(?P<on>stage \d): robust against standard: PSNR in dB, difference", "CIFAR-10's test, {on}, PSNR", "dB", "PSNR",
    ),
    Question(
        "Is there a best robustness, above and below which features give less back?",
        ("features-sweet-spot", "features-sweet-spot-vgg"),
        r"(?P<best>L∞ \d+/255), the best on training pictures, against (?P<other>L∞ \d+/255): PSNR in dB, difference",
        "{best} against {other}, PSNR", "dB", "PSNR",
    ),
    Question(
        "Is a picture with given features found sooner in Z?", ("features-inversion",),
        r"over (?P<on>pixels|codes): loss after (?P<steps>\d+) steps, Z against X, Adam in both",
        "over {on}, loss after {steps} steps",
    ),
    Question(
        "Do robust features tell one class from the rest better than standard ones?", ("features-anomaly",),
        r"AUROC, robust, (?P<what>.*) minus standard, .*", "{what}, AUROC", "points", "AUROC",
    ),
    Question(
        "Do decoders of robust features denoise better than standard ones, untrained for it?", ("features-denoise",),
        r"(?P<on>stage \d, noise \d+/255): robust against standard: PSNR in dB, difference", "{on}, PSNR", "dB", "PSNR",
    ),
    Question(
        "Where both are planes, does Z need fewer steps?", ("playground",),
        r"(?P<on>\w+): Z's median steps to tolerance as a share of X's", "{on}, median steps to tolerance", "share", "steps",
    ),
    Question(
        "Does Z find more of what many minima hide?", ("playground",),
        r"(?P<on>\w+): share of (?P<what>targets reached|random starts that arrive), Z minus X", "{on}, {what}", "points",
        "arrivals",
    ),
    Question(
        "Does a wider Z lower its loss?", ("z-dimension",), r"(?P<on>\w+), (?P<steps>\d+) steps: (?P<who>Z \d+ against Z 16)",
        "on {on}, loss after {steps} steps, {who}",
    ),
)  # fmt: skip
