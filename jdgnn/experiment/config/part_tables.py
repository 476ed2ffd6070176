"""Parts by name: the keys of a part's table are the arguments of its factory.

A table `{name = "gcn", units = 64}` is looked up in a registry and checked against the signature and the type hints of
the factory found there, so a new part needs its registry line and nothing here.
"""

import functools
import inspect
import operator
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import jax
from jax.typing import ArrayLike
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    conint,
    create_model,
)

from jdgnn.errors import InputError, suggestion
from jdgnn.experiment.config.problems import Problem, first_problem, from_factory, shown
from jdgnn.learning.objectives import OBJECTIVES
from jdgnn.learning.optimizers import RATE_SCHEDULES
from jdgnn.protocol.acceptance import ACCEPTANCES
from jdgnn.protocol.attacks import ATTACKS
from jdgnn.protocol.clocks import CLOCKS
from jdgnn.protocol.content import CONTENTS
from jdgnn.protocol.link_presence import LINK_PRESENCES
from jdgnn.protocol.links import DELAYS, DROPS, link, partition
from jdgnn.protocol.merging import MERGES
from jdgnn.protocol.peers import PEERS
from jdgnn.protocol.presence import PRESENCES
from jdgnn.protocol.schedules import SCHEDULES

Factory = Callable[..., Any]
Registry = Mapping[str, Factory]

COUNT = conint(lt=2**31)
"""A whole number that the engine can count with."""


class Table(BaseModel):
    """A table of the configuration: no unknown key, no conversion between types, no infinite number."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Part(Table):
    """The arguments of a factory."""

    factory: ClassVar[Factory]
    arguments: ClassVar[tuple[str, ...]]

    def make(self) -> Any:
        """Calls the factory with what the table says."""
        return type(self).factory(**{name: _made(getattr(self, name)) for name in self.arguments})


def _made(value: Any) -> Any:
    if isinstance(value, list):
        return [_made(one) for one in value]
    return value.make() if isinstance(value, Part) else value


class NamedPart(Part):
    """A part chosen by its name in a registry."""

    name: str


class SwitchedPart(Part):
    """A part that can be switched off."""

    enabled: bool = True


def registered(registry: Registry, base: type[NamedPart] = NamedPart, *, check: bool = True) -> BeforeValidator:
    """Marks a field that holds a part of this registry; a bare name stands for the part with its defaults.

    Args:
      registry: factories by name.
      base: what the table holds besides the arguments of the factory.
      check: also make the part, so that its factory can reject an impossible value at once.
    """
    return BeforeValidator(_chooser(registry, base, check))


def _chooser(registry: Registry, base: type[NamedPart] = NamedPart, check: bool = True) -> Callable[[Any], Part]:
    """Makes a part of this registry of what is given: a name, or a table with one."""
    table = functools.cache(functools.partial(table_of, base=base))

    def choose(given: Any) -> Part:
        if isinstance(given, Part):
            return given
        if given is None:
            raise Problem((), f"is missing; write a name, or a table with one; {suggestion('', registry)}")
        given = {"name": given} if isinstance(given, str) else given
        if not isinstance(given, Mapping):
            raise Problem((), f"expected a table with a name, got {shown(given)}; {suggestion('', registry)}")
        if "name" not in given:
            raise Problem(("name",), f"is missing; {suggestion('', registry)}")
        name = given["name"]
        if not isinstance(name, str) or name not in registry:
            raise Problem(("name",), f"got {shown(name)}; {suggestion(str(name), registry)}")
        return _checked(table(registry[name]), given, check)

    return choose


def arguments_of(factory: Factory, base: type[Part] = Part) -> BeforeValidator:
    """Marks a field that holds the arguments of one fixed factory.

    Args:
      factory: what is called.
      base: what the table holds besides the arguments of the factory.
    """
    table = functools.cache(lambda: table_of(factory, base))
    return BeforeValidator(lambda given: given if isinstance(given, Part) else _checked(table(), given, True))


def _one_or_several(registry: Registry) -> BeforeValidator:
    """Marks a field that holds a list of parts of this registry; what is no list stands for a list of one."""
    choose = _chooser(registry)

    def choose_all(given: Any) -> list[Part]:
        if not isinstance(given, list):
            return [choose(given)]
        return [_inside(index, choose, one) for index, one in enumerate(given)]

    return BeforeValidator(choose_all)


def _inside(key: int | str, choose: Callable[[Any], Part], given: Any) -> Part:
    try:
        return choose(given)
    except Problem as problem:
        raise problem.inside((key,)) from problem


def _number_or_part(registry: Registry) -> WrapValidator:
    """Marks a field that holds a number, or a part of this registry."""
    choose = _chooser(registry)

    def choose_one(given: Any, check_number: ValidatorFunctionWrapHandler) -> Any:
        return choose(given) if isinstance(given, str | Mapping | Part) else check_number(given)

    return WrapValidator(choose_one)


def table_of(factory: Factory, base: type[Part] = Part) -> type[Part]:
    """Makes a table of a signature.

    Example:
      >>> from jdgnn.learning.layers import gcn
      >>> table_of(gcn)(units=3)
      gcn(units=3, activation='leaky_relu', normalize=True, own=False)
    """
    hints = typing.get_type_hints(factory)
    parameters: dict[str, Any] = {}
    for parameter in inspect.signature(factory).parameters.values():
        nested = NESTED.get(f"{factory.__name__}.{parameter.name}") or NESTED.get(parameter.name)
        setting = nested.setting if nested else _setting(hints[parameter.name])
        if setting is not None:
            parameters[parameter.name] = (setting, _default(parameter, nested))
    model: type[Part] = create_model(factory.__name__, __base__=base, **parameters)
    model.factory, model.arguments = factory, tuple(parameters)
    return model


def _checked(model: type[Part], table: Any, make: bool) -> Part:
    try:
        part = model.model_validate(table)
        if make:
            part.make()
    except ValidationError as error:
        raise first_problem(error, model) from error
    except InputError as error:
        raise from_factory(error, model.arguments) from error
    return part


def _setting(hint: Any) -> Any:
    """What may be written for an argument of this type; None if nothing can."""
    if hint in (ArrayLike, jax.Array):
        return float
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        others = [
            one for one in typing.get_args(hint) if one is not jax.Array
        ]  # stands for a number of the others' kind
        options = {option for one in others if (option := _setting(one)) is not None}
        return functools.reduce(operator.or_, options) if options - {types.NoneType} else None
    if hint is int:
        return COUNT
    if hint == Sequence[str]:
        return list[str]
    if hint in (bool, float, str, types.NoneType) or typing.get_origin(hint) is Literal:
        return hint
    return None


class Nested(NamedTuple):
    """An argument of factories that is made of parts itself."""

    setting: Any  # the type of its field
    default: Any  # what a factory takes if none is given


def _groups(given: Any) -> Any:
    """Groups by the name of each node, or the path of a file with them."""
    is_table = isinstance(given, Mapping) and all(
        isinstance(group, int | str) and not isinstance(group, bool) for group in given.values()
    )
    if given is None or isinstance(given, str) or is_table:
        return given
    raise Problem((), f"expected a table {{name = group}} of all nodes, or the path of a CSV file, got {shown(given)}")


def _part(registry: Registry) -> Any:
    return Annotated[NamedPart, registered(registry)]


NESTED: dict[str, Nested] = {
    "acceptance": Nested(_part(ACCEPTANCES), "always"),
    "attack": Nested(_part(ATTACKS), None),
    "clock": Nested(_part(CLOCKS), "always"),
    "content": Nested(_part(CONTENTS), "whole"),
    "delay": Nested(Annotated[COUNT, _number_or_part(DELAYS)], 0),
    "link": Nested(Annotated[Part, arguments_of(link)], {}),
    "links": Nested(_part(LINK_PRESENCES), "always"),
    "link.partition": Nested(Annotated[Part, arguments_of(partition)] | None, None),
    "drop": Nested(Annotated[float, _number_or_part(DROPS)], 0.0),
    "merge": Nested(_part(MERGES), "average"),
    "objective": Nested(_part(OBJECTIVES), "info_nce"),
    "peers": Nested(_part(PEERS), "uniform"),
    "presence": Nested(Annotated[list[NamedPart], _one_or_several(PRESENCES)], []),
    "publish.schedule": Nested(_part(SCHEDULES) | None, None),
    "rate_schedule": Nested(_part(RATE_SCHEDULES), "constant"),
    "partition.groups": Nested(Annotated[dict[str, int | str] | str | None, BeforeValidator(_groups)], None),
    "trace.path": Nested(str, None),
    "rule": Nested(_part(MERGES), "average"),
    "schedule": Nested(_part(SCHEDULES), "every"),
}
"""By name, or by factory and name where a factory takes something else than the others."""


def _default(parameter: inspect.Parameter, nested: Nested | None) -> Any:
    if parameter.default is inspect.Parameter.empty:
        return ...
    if nested is None or nested.default is None:
        return parameter.default
    return Field(default=nested.default, validate_default=True)
