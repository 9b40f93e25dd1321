"""Policies in ONNX: weights that onnxruntime runs on the CPU."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skill_arcade.agents.policy import Policy
from skill_arcade.errors import InvalidRequest

INSTALL = "pip install 'skill-arcade[agents]'"
TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}
"""Types of inputs, as onnxruntime names them, and the NumPy types that are fed to them."""


class OnnxPolicy(Policy):
    """Chooses the action with the greatest output.

    The model has an input for the observation, with one dimension before it for the batch of 1. If the observation has
    keys, it may have several, each named after its key. Values are passed as they are, in the type of the input, so
    scaling is a part of the model. Its first output has one value for each action, or the action itself as an integer.
    """

    def __init__(self, file: Path, action_map: Sequence[int] | None = None) -> None:
        """Load a model.

        `action_map` gives the action of the game for each action of the model; None: the same.

        Raises:
            InvalidRequest: onnxruntime is not installed, or the file is not a model that can play.
        """
        self._action_map = action_map
        self._session = _open(file)
        self._inputs = {one.name: (TYPES.get(one.type), list(one.shape)) for one in self._session.get_inputs()}
        unknown = [f"{one.name} is {one.type}" for one in self._session.get_inputs() if one.type not in TYPES]
        if unknown or not self._inputs:
            expected = ", ".join(TYPES)
            raise InvalidRequest(f"{file.name}: inputs must be of one of the types {expected}; {'; '.join(unknown)}.")
        self._output = self._session.get_outputs()[0].name
        self._name = file.name

    @property
    def metadata(self) -> dict[str, str]:
        """What the file says about itself (`metadata_props`)."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def n_outputs(self) -> int | None:
        """Number of actions of the model, or None if the file does not say."""
        shape = self._session.get_outputs()[0].shape
        return int(shape[-1]) if len(shape) == 2 and isinstance(shape[-1], int) else None

    def start(self, seed: int) -> None:
        """Begin an episode. The model has no state."""

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        """Run the model."""
        output: NDArray[Any] = np.asarray(self._session.run([self._output], self._feed(observation))[0])
        if np.issubdtype(output.dtype, np.integer) and output.size == 1:
            action = int(output.reshape(-1)[0])
        else:
            action = int(np.argmax(output.reshape(-1)))
        if self._action_map is None:
            return action
        if action >= len(self._action_map):
            raise InvalidRequest(
                f"{self._name} chose {action}, and the action map of this version has {len(self._action_map)} actions."
            )
        return self._action_map[action]

    def _feed(self, observation: Any) -> dict[str, NDArray[Any]]:
        if isinstance(observation, Mapping):
            missing = self._inputs.keys() - observation.keys()
            if missing:
                raise InvalidRequest(
                    f"{self._name} has the inputs {', '.join(sorted(missing))}, and the observation the keys "
                    f"{', '.join(map(str, observation))}."
                )
            return {name: self._convert(name, observation[name]) for name in self._inputs}
        if len(self._inputs) != 1:
            raise InvalidRequest(f"{self._name} has {len(self._inputs)} inputs, and the observation is one array.")
        (name,) = self._inputs
        return {name: self._convert(name, observation)}

    def _convert(self, name: str, value: Any) -> NDArray[Any]:
        type_, shape = self._inputs[name]
        array = np.asarray(value, type_)[None]
        fixed = [size if isinstance(size, int) else None for size in shape]
        if len(fixed) != array.ndim or any(
            size not in (None, actual) for size, actual in zip(fixed, array.shape, strict=True)
        ):
            raise InvalidRequest(
                f"{self._name}: the input {name} has the shape {shape}, and the observation {list(array.shape)}, with "
                "a batch of 1 before it. Check --observation of the version, and the shape with which it was exported."
            )
        return array


def _open(file: Path) -> Any:
    try:
        import onnxruntime  # type: ignore[import-not-found]  # noqa: PLC0415  (78 MB, an extra)
    except ImportError as error:
        raise InvalidRequest(f"{file.name} needs onnxruntime, which is not installed. Run: {INSTALL}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # a decision takes less than waking a thread
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no common class of its errors
        raise InvalidRequest(f"{file} is not a model that onnxruntime can run: {error}") from error
