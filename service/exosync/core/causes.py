"""What lies inside of an error that a library raised."""

from __future__ import annotations

_DEEPEST = 10


def causes(error: BaseException) -> list[BaseException]:
    """The error, and what lies inside of it, down to the first cause.

    Libraries keep it as `reason` (urllib3), among the arguments (requests) or as `__cause__`.
    """
    found = [error]
    while len(found) < _DEEPEST:
        here = found[-1]
        inner = (getattr(here, "reason", None), *here.args, here.__cause__)
        following = next((one for one in inner if isinstance(one, BaseException)), None)
        if following is None or following in found:
            break
        found.append(following)
    return found
