"""How an encoder learns: as a classifier of labelled images, judged on classes held back from it.

The parts, and where they come from:

- classes held apart by a cosine softmax with a margin (CosFace, Wang et al., 2018) and images of
  one class drawn together (SupCon, Khosla et al., 2020): `clustering.convnet`;
- random views as a phone camera gives them: `clustering.augment`;
- batches of pairs, small classes more often than they come: `clustering.sampling`;
- a one-cycle learning rate (Smith and Topin, 2018) for AdamW (Loshchilov and Hutter, 2019);
- what is kept is not the last weights but their exponential moving average (Polyak and Juditsky,
  1992, for the mean; Tarvainen and Valpola, 2017, for this one);
- early stopping on *classes*, not images, that are held back: the encoder is for new classes, and
  how well it tells apart those it learns says little about them.

Everything that an epoch draws at random follows from the seed and its number. So a training is
taken up after a kill from nothing but its tensors and a few numbers, and ends in the same bits.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from clustering.augment import Draws, augment
from clustering.convnet import CosineClassifier, supervised_contrast
from clustering.crew import Crew, crew_of
from clustering.embedding import device, embed, to_float
from clustering.image_network import ImageNetwork
from clustering.retrieval import map_at_r
from clustering.sampling import in_pairs

BATCH = 64
SCALE = 16.0
CONTRAST = 0.5
TEMPERATURE = 0.1
RISING_SHARE = 0.25
HALF_LIFE = 1.0
"""Epochs after which weights count half in their moving average."""

FEWEST_CLASSES = 100
HELD_OUT_SHARE = 0.1
MOST_HELD_OUT = 100

CHECKPOINT = "training.safetensors"


@dataclass(frozen=True)
class Recipe:
    """What a person chooses; `Encoder` says what each means."""

    epochs: int
    learning_rate: float
    weight_decay: float
    margin: float
    patience: int
    seed: int


@dataclass
class Course:
    """What has happened in a training, epoch by epoch.

    Attributes
    ----------
    losses : list of float
        Mean loss of each epoch.
    history : list of float
        mAP@R of the classes held back, after each epoch; empty if there are none.
    """

    losses: list[float] = field(default_factory=list)
    history: list[float] = field(default_factory=list)

    @property
    def epoch(self) -> int:
        return len(self.losses)

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights are kept: the best on the classes held back, or the last."""
        return int(np.argmax(self.history)) + 1 if self.history else self.epoch

    def is_over(self, recipe: Recipe) -> bool:
        return self.epoch >= recipe.epochs or self.epoch - self.best_epoch >= recipe.patience


def hold_back(classes: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Choose the classes on which a training is judged; none where there are fewer than 100.

    A tenth of the classes, at most 100, of those that have two images.
    """
    sizes = np.bincount(classes)
    if len(sizes) < FEWEST_CLASSES:
        return np.empty(0, dtype=np.int64)
    count = min(round(HELD_OUT_SHARE * len(sizes)), MOST_HELD_OUT)
    found = np.flatnonzero(sizes >= 2)
    return np.sort(np.random.default_rng(seed).permutation(found)[:count])


def train(
    network: ImageNetwork,
    pixels: Tensor,
    classes: Tensor,
    held_back: Tensor,
    recipe: Recipe,
    *,
    checkpoint: Path | None = None,
    key: str = "",
    on_epoch: Callable[[int, float], None] | None = None,
    processes: int = 1,
) -> tuple[ImageNetwork, Course]:
    """Train a network and return it as it was at its best, with the course of the training.

    Parameters
    ----------
    network : ImageNetwork
        Maps float images (B, 3, S, S) in [0, 1] to unit vectors (B, dim).
    pixels : Tensor of uint8 (N, 3, S, S)
    classes : Tensor of int (N,)
    held_back : Tensor of bool (N,)
        Images of the classes that are not learnt but judged on.
    checkpoint : Path, optional
        Folder in which the state after each epoch is kept under `key`, until the training ends. A
        state of another key is overwritten.
    processes : int, default=1
        That share each batch.
    """
    given = (network, pixels, classes, held_back, recipe, checkpoint, key)
    with crew_of(processes, _train, *given) as crew:
        return _train(crew, *given, on_epoch=on_epoch)


def _train(
    crew: Crew,
    network: ImageNetwork,
    pixels: Tensor,
    classes: Tensor,
    held_back: Tensor,
    recipe: Recipe,
    checkpoint: Path | None,
    key: str,
    on_epoch: Callable[[int, float], None] | None = None,
) -> tuple[ImageNetwork, Course]:
    """Do the share of one process in `train`."""
    if not crew.leads:
        # What is passed to a process lies in memory that it shares, and each changes its own.
        network = deepcopy(network)
    learnt, judging = (~held_back).nonzero()[:, 0], held_back.nonzero()[:, 0]
    _, numbers = torch.unique(classes[learnt], return_inverse=True)
    training = _Training(network, int(numbers.max()) + 1, -(-len(numbers) // BATCH), recipe, crew)
    path = None if checkpoint is None else checkpoint / CHECKPOINT
    if path is not None:
        training.take_up(path, key)
    while not training.course.is_over(recipe):
        training.run_epoch(pixels, learnt, numbers)
        if len(judging):
            training.judge(pixels[judging], classes[judging])
        if path is not None and crew.leads:
            training.lay_down(path, key)
        if on_epoch is not None:
            on_epoch(training.course.epoch, training.course.losses[-1])
    if path is not None and crew.leads:
        path.unlink(missing_ok=True)
    return training.best(), training.course


class Objective(nn.Module):
    """What is made small: the loss over a batch of which each process embeds its share."""

    def __init__(self, network: ImageNetwork, classifier: CosineClassifier, crew: Crew) -> None:
        super().__init__()
        self.network = network
        self.classifier = classifier
        self.crew = crew

    def forward(self, views: Tensor, classes: Tensor) -> Tensor:
        """Map the views seen here, and the classes of the whole batch, to its loss."""
        # Half precision for what is dear only; cosines and losses stay whole.
        with torch.autocast(views.device.type, torch.bfloat16, enabled=half_precision()):
            embeddings = self.network(views)
        embeddings = self.crew.gather(embeddings.float(), len(classes))
        contrast = supervised_contrast(embeddings, classes, temperature=TEMPERATURE)
        loss: Tensor = self.classifier(embeddings, classes) + CONTRAST * contrast
        return loss


class _Training:
    """A network in training, and all that is needed to go on with it."""

    def __init__(
        self, network: ImageNetwork, n_classes: int, n_batches: int, recipe: Recipe, crew: Crew
    ) -> None:
        self.crew = crew
        self.recipe = recipe
        self.course = Course()
        self.n_batches = n_batches
        self.network = network.to(device())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            classifier = CosineClassifier(network.dim, n_classes, scale=SCALE, margin=recipe.margin)
        self.classifier = classifier.to(device())
        decay = 0.5 ** (1.0 / (HALF_LIFE * n_batches))
        follow = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.network, multi_avg_fn=follow, use_buffers=True)
        self.averaged = cast(ImageNetwork, self.average.module)
        self.kept: dict[str, Tensor] = {}
        self.objective = crew.together(Objective(self.network, self.classifier, crew))
        head = [*network.head.parameters(), *self.classifier.parameters()]
        in_head = {id(parameter) for parameter in head}
        body = [each for each in network.parameters() if id(each) not in in_head]
        rate = recipe.learning_rate
        groups = [
            {"params": group, "lr": share * rate}
            for group, share in ((body, network.body_rate), (head, 1.0))
            if group
        ]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]

    def run_epoch(self, pixels: Tensor, learnt: Tensor, classes: Tensor) -> None:
        """Draw as many images as are learnt: rows of `pixels`, and the class of each."""
        seed = np.random.SeedSequence([self.recipe.seed, self.course.epoch])
        generator = torch.Generator().manual_seed(int(seed.generate_state(1, np.uint64)[0]))
        self.network.train()
        total, seen = 0.0, 0
        order = in_pairs(classes, generator)
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(generator.initial_seed())
            for step, batch in enumerate(order.tensor_split(self.n_batches)):
                self._set_pace(self.course.epoch * self.n_batches + step + 0.5)
                seen_here = pixels[learnt[self.crew.share(batch)]]
                draws = Draws(generator, len(batch), self.crew.share)
                views = augment(to_float(seen_here.to(device())), draws)
                loss = self.objective(views, classes[batch].to(device()))
                self.optimizer.zero_grad()
                torch.autograd.backward(loss)
                self.optimizer.step()
                self.average.update_parameters(self.network)
                total += float(loss.detach()) * len(batch)
                seen += len(batch)
        self.course.losses.append(total / seen)

    def _set_pace(self, steps: float) -> None:
        """Set the learning rates after so many steps of all."""
        share = pace(steps / (self.recipe.epochs * self.n_batches))
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * share

    def judge(self, pixels: Tensor, classes: Tensor) -> None:
        """Embed the classes held back, and keep the weights if they are the best so far."""
        score = None
        if self.crew.leads:
            features = embed(self.averaged.eval(), pixels)
            score = map_at_r(features.numpy(), classes.numpy())
        self.course.history.append(self.crew.agree(score))
        if self.course.best_epoch == self.course.epoch:
            state = self.averaged.state_dict()
            self.kept = {name: tensor.clone() for name, tensor in state.items()}

    def best(self) -> ImageNetwork:
        """Return the averaged network as it was at its best."""
        network = self.averaged.eval()
        if self.kept:
            network.load_state_dict(self.kept)
        return network.cpu()

    def lay_down(self, path: Path, key: str) -> None:
        """Write everything to one file, which appears whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {
            f"{part}/{name}": tensor.contiguous()
            for part, state in self._parts().items()
            for name, tensor in state.items()
        }
        for number, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{number}/{name}": value for name, value in state.items()}
        said = {"key": key, "course": json.dumps(asdict(self.course))}
        unfinished = path.with_name(f".{path.name}")
        unfinished.write_bytes(save(tensors, metadata=said))
        unfinished.replace(path)

    def take_up(self, path: Path, key: str) -> None:
        """Go on from what `lay_down` wrote under this key, if anything."""
        try:
            with safe_open(path, "pt", device=str(device())) as file:
                said = file.metadata() or {}
                if said.get("key") != key:
                    return
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (FileNotFoundError, SafetensorError):
            return
        parts: dict[str, dict[str, Any]] = {}
        for name, tensor in tensors.items():
            part, _, rest = name.partition("/")
            parts.setdefault(part, {})[rest] = tensor
        self.network.load_state_dict(parts["network"])
        self.classifier.load_state_dict(parts["classifier"])
        self.average.load_state_dict(parts["average"])
        self.kept = parts.get("kept", {})
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in parts.get("optimizer", {}).items():
            number, _, moment = name.partition("/")
            moments.setdefault(int(number), {})[moment] = tensor
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": moments})
        self.course = Course(**json.loads(said["course"]))

    def _parts(self) -> dict[str, dict[str, Tensor]]:
        return {
            "network": self.network.state_dict(),
            "classifier": self.classifier.state_dict(),
            "average": self.average.state_dict(),
            "kept": self.kept,
        }


def pace(done: float) -> float:
    """Return the share of the learning rate after a share of all steps: up, and slowly to nothing.

    Half cosines, from 1/25 to 1 in the first quarter and from 1 to 0 in the rest.
    """
    if done < RISING_SHARE:
        return float(1.0 - (1.0 - 1 / 25) * (1.0 + np.cos(np.pi * done / RISING_SHARE)) / 2)
    return float((1.0 + np.cos(np.pi * (done - RISING_SHARE) / (1.0 - RISING_SHARE))) / 2)


def half_precision() -> bool:
    """Say whether bfloat16 pays here: on a GPU."""
    return torch.cuda.is_available()
