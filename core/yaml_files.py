"""YAML that anybody may have written: no aliases, nothing twice, bounded in size and depth."""

from __future__ import annotations

from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

LARGEST = 2**18  # characters of a configuration
DEEPEST = 50


# That of libyaml, where there is one, splits a text many times as fast.
_EVENTS: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(Composer, SafeConstructor, Resolver):
    """Refuses what makes a small text a large tree, and what would silently be lost."""

    def __init__(self, text: str) -> None:
        for part in (Composer, SafeConstructor, Resolver):
            part.__init__(self)
        events = _EVENTS(text)
        self.check_event, self.peek_event, self.get_event = (
            events.check_event,
            events.peek_event,
            events.get_event,
        )
        self.dispose = events.dispose
        self.depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise _problem("aliases (*name) are not taken: write it out", self.peek_event())
        self.depth += 1
        if self.depth > DEEPEST:
            raise _problem(f"nested more than {DEEPEST} deep", self.peek_event())
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:str" and key.value in seen:
                raise _problem(f"the key {key.value[:80]!r} stands there twice", key)
            seen.add(key.value if key.tag == "tag:yaml.org,2002:str" else None)
        return super().construct_mapping(node, deep=deep)

    def construct_yaml_int(self, node: Any) -> int:
        number = super().construct_yaml_int(node)
        if abs(number) >= 2**63:
            raise _problem("a whole number of more than 64 bits", node)
        return number


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)  # type: ignore[type-var]


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _problem(problem: str, place: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)


def parsed_yaml(text: str) -> Any:
    """Return what YAML says.

    Raises:
        YAMLError: It is no YAML, or holds aliases, a key twice, or nests that are too deep; with
            `problem_mark` where the place is known.

    Example:

    >>> parsed_yaml("fit: {epochs: 3}")
    {'fit': {'epochs': 3}}
    """
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    except yaml.YAMLError:
        raise
    except RecursionError:
        raise yaml.MarkedYAMLError(problem="nested too deep") from None
    except Exception as error:  # a value that is not what its tag or its form says, such as 2026-13-45
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise yaml.MarkedYAMLError(problem=f"a value can't be read ({reason})") from None
    finally:
        loader.dispose()


def to_yaml(tree: Any) -> str:
    """Return YAML of nested plain values, in which nothing refers to anything else."""
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
