"""Holds an answer's bytes against the SDK's own model of it.

The Python SDK converts much silently: ``int("5")`` is 5 and a misspelt field
is None. So the tests do not look at what the SDK made of an answer alone; this
module walks the bytes along the types the SDK declares and reports every name
and every JSON type that differs. It knows nothing of what the values mean.
"""

import decimal
import re

import simplejson


class Literal(str):
    """A JSON number as it stood in the answer."""


def parse(raw):
    """The answer as Python values, each number kept as its literal."""
    return simplejson.loads(raw, parse_float=Literal, parse_int=Literal)


_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)$")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?$")


def _scalar(value, declared):
    number = isinstance(value, Literal)
    if declared == "int":
        return number and bool(_INTEGER.match(value))
    if declared in ("decimal.Decimal", "float"):
        # A client written in another language may not read an exponent
        # exactly; amounts are plain literals.
        return number and bool(_DECIMAL.match(value))
    if declared == "str":
        return isinstance(value, str) and not number
    if declared == "datetime":
        return isinstance(value, str) and bool(_INSTANT.match(value))
    if declared == "bool":
        return isinstance(value, bool)
    return declared == "object"


def differences(value, declared, models, path="$", extra_names=False):
    """What in value is not as declared, as sentences; empty when all is well.

    models is the SDK's model package. extra_names allows fields that the SDK
    does not know (IAM sends more than the SDK declares; BSS must not).
    """
    if value is None:
        return []  # null is allowed anywhere
    held = re.match(r"list\[(.*)]$", declared)
    if held:
        if not isinstance(value, list):
            return [f"{path}: a list was expected, got {value!r}"]
        return [line
                for i, item in enumerate(value)
                for line in differences(item, held.group(1), models, f"{path}[{i}]", extra_names)]
    model = getattr(models, declared, None)
    if model is None:
        if _scalar(value, declared):
            return []
        shown = str(value) if isinstance(value, Literal) else simplejson.dumps(value)
        return [f"{path}: {declared} was expected, got {shown}"]
    if not isinstance(value, dict):
        return [f"{path}: an object ({declared}) was expected, got {value!r}"]
    types = {model.attribute_map[name]: kind for name, kind in model.openapi_types.items()}
    found = []
    for name, item in value.items():
        if name in types:
            found += differences(item, types[name], models, f"{path}.{name}", extra_names)
        elif not extra_names:
            found.append(f"{path}: the field {name!r} is not in the SDK's {declared}")
    return found


def check(response, models, extra_names=False):
    """Fails unless the bytes of response are what its model declares."""
    assert response.raw_content, f"{type(response).__name__}: the answer has no body"
    lines = differences(parse(response.raw_content), type(response).__name__, models, extra_names=extra_names)
    assert not lines, "the answer differs from the SDK's model:\n  " + "\n  ".join(lines)


def places(amount):
    """How many decimals an amount carries, trailing zeros not counted."""
    exponent = decimal.Decimal(amount).normalize().as_tuple().exponent
    return max(0, -exponent)
