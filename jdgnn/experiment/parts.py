"""Parts by name: the keys of a part's table are the arguments of its factory.

A table `{name = "gcn", units = 64}` is looked up in a registry and checked against the signature and the type hints of
the factory found there, so a new part needs its registry line and nothing here.
"""

import functools
import inspect
import operator
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

import jax
from jax.typing import ArrayLike
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, conint, create_model

from jdgnn.errors import InputError, suggestion
from jdgnn.experiment.problems import Problem, first_problem, from_factory, shown
from jdgnn.learning.optimizers import RATE_SCHEDULES
from jdgnn.protocol.merging import MERGES
from jdgnn.protocol.peers import PEERS

Factory = Callable[..., Any]
Registry = Mapping[str, Factory]

NESTED: dict[str, tuple[Registry, str]] = {
    "merge": (MERGES, "average"),
    "peers": (PEERS, "uniform"),
    "rate_schedule": (RATE_SCHEDULES, "constant"),
}
"""Arguments of factories that are parts themselves, and what each factory takes if none is given."""

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
        given = {name: getattr(self, name) for name in self.arguments}
        parts = {name: value.make() if isinstance(value, Part) else value for name, value in given.items()}
        return type(self).factory(**parts)


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
      check: also make the part, so that its factory can refuse an impossible value at once.
    """
    table = functools.cache(functools.partial(table_of, base=base))

    def choose(given: Any) -> Part:
        if isinstance(given, Part):
            return given
        if given is None:
            raise Problem((), f"is missing; write a name, or a table with one; {suggestion('', registry)}")
        given = {"name": given} if isinstance(given, str) else given
        if not isinstance(given, Mapping):
            raise Problem((), f"got {shown(given)}, and a table with a name is needed; {suggestion('', registry)}")
        if "name" not in given:
            raise Problem(("name",), f"is missing; {suggestion('', registry)}")
        name = given["name"]
        if not isinstance(name, str) or name not in registry:
            raise Problem(("name",), f"got {shown(name)}; {suggestion(str(name), registry)}")
        return _checked(table(registry[name]), given, check)

    return BeforeValidator(choose)


def arguments_of(factory: Factory, base: type[Part] = Part) -> BeforeValidator:
    """Marks a field that holds the arguments of one fixed factory.

    Args:
      factory: what is called.
      base: what the table holds besides the arguments of the factory.
    """
    model = table_of(factory, base)
    return BeforeValidator(lambda given: given if isinstance(given, Part) else _checked(model, given, True))


def table_of(factory: Factory, base: type[Part] = Part) -> type[Part]:
    """Makes a table of a signature.

    Example:
      >>> from jdgnn.learning.layers import gcn
      >>> table_of(gcn)(units=3)
      gcn(units=3, activation='leaky_relu', normalize=True)
    """
    hints = typing.get_type_hints(factory)
    parameters: dict[str, Any] = {
        parameter.name: (setting, _default(parameter))
        for parameter in inspect.signature(factory).parameters.values()
        if (setting := _setting(parameter.name, hints[parameter.name])) is not None
    }
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


def _setting(name: str, hint: Any) -> Any:
    """What may be written for an argument of this type; None if nothing can."""
    if name in NESTED:
        return Annotated[NamedPart, registered(NESTED[name][0])]
    if hint in (ArrayLike, jax.Array):
        return float
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        options = {option for one in typing.get_args(hint) if (option := _setting(name, one)) is not None}
        return functools.reduce(operator.or_, options) if options - {types.NoneType} else None
    if hint is int:
        return COUNT
    if hint in (bool, float, str, types.NoneType) or typing.get_origin(hint) is Literal:
        return hint
    return None


def _default(parameter: inspect.Parameter) -> Any:
    if parameter.name in NESTED and parameter.default is None:
        return Field(default=NESTED[parameter.name][1], validate_default=True)
    return ... if parameter.default is inspect.Parameter.empty else parameter.default
