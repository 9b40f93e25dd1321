"""Reads the schema of the Google provider for Terraform from the bindings that CDKTF generated from it.

The provider itself is in no package registry, but npm has these bindings, which were generated from the schema of
provider 6.50.0. They carry their TypeScript source, which states the type of every argument and whether it is required.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# "// name - computed: false, optional: true, required: false", then what reads it.
ATTRIBUTE = re.compile(
    r"// (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n(.*?)(?=\n\n|\Z)", re.DOTALL
)
# An entry of what becomes HCL. Settable arguments have one.
HCL_ENTRY = re.compile(
    r"^ {4,6}(\w+): \{\n\s+value: (.*?),\n\s+isBlock: (true|false),\n"
    r'\s+type: "(\w+)",\n\s+storageClassType: "(\w+)",',
    re.MULTILINE | re.DOTALL,
)
NESTED_FUNCTION = re.compile(r"\b(?!cdktf\b)(\w+)ToHclTerraform\b")
SCALARS = {"string": "string", "number": "number", "boolean": "bool"}
GETTERS = {"getStringAttribute": '"string"', "getNumberAttribute": '"number"', "getBooleanAttribute": '"bool"'}
DYNAMIC = '"dynamic"'


@dataclass
class Attribute:
    """An argument or an exported value. `type` is Terraform's JSON notation of a type."""

    name: str
    type: str
    required: bool
    optional: bool
    computed: bool


@dataclass
class Block:
    """A block: its attributes, and nested blocks with their nesting mode and maximum number (0 for no maximum)."""

    attributes: list[Attribute] = field(default_factory=list)
    blocks: list[tuple[str, str, int, int, "Block"]] = field(default_factory=list)
    """Name, nesting mode, minimum, maximum (0 for none), content."""


def read_typescript(bindings: Path, folder: str) -> str | None:
    """Return the TypeScript source of one resource, or None if the provider does not have it."""
    script = bindings / "lib" / folder / "index.js"
    if not script.exists():
        return None
    encoded = script.read_text().rpartition("sourceMappingURL=data:application/json;base64,")[2]
    source: str = json.loads(base64.b64decode(encoded))["sourcesContent"][0]
    return source


def read_resource(bindings: Path, name: str, *, data: bool) -> Block | None:
    """Return the schema of a resource or data source, such as `google_storage_bucket`."""
    kebab = name.replace("_", "-")
    # The bindings of google-beta keep the prefix of the provider in their folder names.
    short = kebab.removeprefix("google-")
    prefix = "data-" if data else ""
    folders = [f"{prefix}{kebab}", f"{prefix}google-{short}"] + ([] if data else [short])
    for folder in folders:
        source = read_typescript(bindings, folder)
        if source is not None:
            return parse_main_class(source)
    return None


def read_provider(bindings: Path) -> Block:
    """Return the schema of the provider's own configuration."""
    source = read_typescript(bindings, "provider")
    assert source is not None
    return parse_main_class(source)


def parse_main_class(source: str) -> Block:
    """Return the schema of the class that is the resource itself."""
    classes = split_classes(source)
    (main,) = (
        body
        for header, body in classes.items()
        if re.search(r"extends cdktf\.Terraform(Resource|DataSource|Provider)", header)
    )
    return parse_block(main, main.partition("synthesizeHclAttributes")[2], source, classes)


def split_classes(source: str) -> dict[str, str]:
    """Return the body of each exported class by its header."""
    parts = re.split(r"^export class ([^{]+)\{", source, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def parse_block(body: str, hcl: str, source: str, classes: dict[str, str]) -> Block:
    """Return the schema of a block from the class that reads it and the code that writes it as HCL."""
    block = Block()
    flags = {match[1]: match for match in ATTRIBUTE.finditer(body)}
    entries = {match[1]: match for match in HCL_ENTRY.finditer(hcl)}
    for name, match in flags.items():
        computed, optional, required = (match[part] == "true" for part in (2, 3, 4))
        entry = entries.get(name)
        if entry is None:
            getter = next((type for getter, type in GETTERS.items() if getter in match[5]), DYNAMIC)
            block.attributes.append(Attribute(name, getter, required=False, optional=False, computed=True))
        elif entry[3] == "true":
            nested = NESTED_FUNCTION.search(entry[2])
            assert nested, (name, entry[2])
            many = "listMapperHcl" in entry[2]
            content = parse_nested(nested[1], source, classes)
            mode = "single" if entry[4] == "struct" and name == "timeouts" else entry[4].replace("struct", "list")
            block.blocks.append((name, mode, int(required), 0 if many or mode == "single" else 1, content))
        else:
            block.attributes.append(Attribute(name, terraform_type(entry[4], entry[5]), required, optional, computed))
    missing = set(entries) - set(flags)
    # The provider's own nested blocks have no class that reads them, so nothing states their flags.
    assert not (missing and body), f"the bindings state no flags for {sorted(missing)}"
    for name in sorted(missing):
        kind = terraform_type(entries[name][4], entries[name][5])
        block.attributes.append(Attribute(name, kind, required=False, optional=True, computed=False))
    return block


def parse_nested(function: str, source: str, classes: dict[str, str]) -> Block:
    """Return the schema of a nested block, named by the function that writes it as HCL."""
    start = source.index(f"export function {function}ToHclTerraform(")
    hcl = source[start : source.index("\n}\n", start)]
    header = f"{function[0].upper()}{function[1:]}OutputReference"
    body = next((body for name, body in classes.items() if name.startswith(f"{header} ")), "")
    block = parse_block(body, hcl, source, classes)
    for attribute in block.attributes:
        # Terraform would make a list of blocks with a dynamic value a dynamic value itself, which no import can state.
        if attribute.type == DYNAMIC:
            attribute.type = '["list", "string"]'
    return block


def terraform_type(kind: str, storage: str) -> str:
    """Return a type in Terraform's JSON notation, as of a "list" of "stringList"."""
    if kind == "simple":
        return json.dumps(SCALARS[storage])
    element = re.fullmatch(r"(string|number|boolean)(List|Map)", storage)
    if element is None:
        return DYNAMIC
    return json.dumps([kind, SCALARS[element[1]]])


def named_types(text: str) -> dict[str, set[str]]:
    """Return the types that a configuration names, under `resource` and `data`."""
    found: dict[str, set[str]] = {"resource": set(), "data": set()}
    for kind, name in re.findall(
        r'^\s*(?:override_)?(resource|data|mock_resource|mock_data) "(google_\w+)"', text, re.MULTILINE
    ):
        found[kind.removeprefix("mock_")].add(name)
    return found


def describe(block: Block) -> Any:
    """Return a block as plain data, for messages and tests."""
    return {
        **{attribute.name: attribute.type for attribute in block.attributes},
        **{name: describe(content) for name, _, _, _, content in block.blocks},
    }
