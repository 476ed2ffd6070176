"""What a report reads of the summary of a finished run."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jdgnn.errors import InputError
from jdgnn.protocol.accounts import KINDS, OUTCOMES

Number = Annotated[float, Field(allow_inf_nan=False)]


class Speed(BaseModel):
    """How fast it ran."""

    model_config = ConfigDict(strict=True)

    ticks_per_second: Number | None
    wakes_per_second: Number | None
    roofline_bytes: dict[str, int]
    ceiling_bytes_per_second: Number
    roofline_fraction: Number | None


class Summary(BaseModel):
    """Figures of a run."""

    model_config = ConfigDict(strict=True)

    dataset: str
    nodes: int
    directed_edges: int
    features: int
    seed: int
    ticks: int
    wall_seconds: Number
    load_seconds: Number
    compile_seconds: Number
    emulate_seconds: Number
    evaluate_seconds: Number
    consensus_distance: Number | None
    norm_ratio: Number | None
    messages: dict[str, dict[str, int]]
    bytes_per_message: dict[str, int]
    bytes_sent: dict[str, int]
    digest: str
    warnings: dict[str, Any]
    versions: dict[str, str]
    accelerator: dict[str, str | int]
    memory: dict[str, Annotated[int, Field(ge=0, lt=2**63)] | None] = {}
    attackers: int = 0
    speed: Speed | None = None
    way: dict[str, Any] | None = None


def checked(path: str, summary: dict[str, Any]) -> Summary:
    """Reads a summary.

    Args:
      path: where it is from, for messages.
      summary: as it stands in `summary.json`.

    Raises:
      InputError: it says something else than `jdgnn run` does.
    """
    try:
        found = Summary.model_validate(summary)
        ends = {*OUTCOMES, "in_flight"}
        if found.messages.keys() != {*KINDS} or any(ends - counts.keys() for counts in found.messages.values()):
            raise ValueError("messages")
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise InputError(f"{path}: its summary.json says nothing sound for {where}; repeat the run") from error
    except ValueError as error:
        raise InputError(f"{path}: its summary.json counts no sound {error}; repeat the run") from error
    return found
