"""The methods by name."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from medgemma_dash.core.errors import MethodError
from medgemma_dash.methods.specification import Method, MethodSpec


@cache
def _methods() -> MappingProxyType[str, Method]:
    """Every module of this package that defines METHOD registers it by being here."""
    package = import_module("medgemma_dash.methods")
    modules = (
        import_module(f"{package.__name__}.{m.name}") for m in iter_modules(package.__path__)
    )
    found: list[Method] = [module.METHOD for module in modules if hasattr(module, "METHOD")]
    return MappingProxyType({method.spec.name: method for method in found})


def available() -> tuple[MethodSpec, ...]:
    """The specs of all methods, by name."""
    return tuple(method.spec for _, method in sorted(_methods().items()))


def get(name: str) -> Method:
    """The method called `name`; raises MethodError that lists the valid names."""
    try:
        return _methods()[name]
    except KeyError:
        raise MethodError(
            f"There is no method {name!r}. Methods: {', '.join(sorted(_methods()))}."
        ) from None
