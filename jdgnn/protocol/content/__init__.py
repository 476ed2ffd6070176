"""Contents of model messages, one file each; a new one needs its file and its line in `CONTENTS`."""

from collections.abc import Callable

from jdgnn.protocol.content.content import Content
from jdgnn.protocol.content.top_k import top_k
from jdgnn.protocol.content.whole import whole

CONTENTS: dict[str, Callable[..., Content | None]] = {
    "top_k": top_k,
    "whole": whole,
}

__all__ = ["CONTENTS", "Content", "top_k", "whole"]
