"""Croissant metadata of an export with Parquet files: a description that search engines and `mlcroissant` read.

The format is version 1.0 of the specification. Columns with pictures or nested lists are described as files only.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa

from skill_arcade.export.plan import Plan

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
PARQUET = "application/x-parquet"


def describe_dataset(plan: Plan, files: dict[str, tuple[str, str]], schemas: dict[str, pa.Schema]) -> dict[str, Any]:
    """Return the metadata.

    Args:
        plan: the plan of the export.
        files: path of each Parquet file to its SHA-256 and the name of its group.
        schemas: name of each group to the columns of its files.

    A file is a record set: `mlcroissant` 1.1 cannot read several Parquet files as one. It has the name of its group,
    and the name of the file if the group has several.
    """
    names = [group for _, group in files.values()]
    record_sets = {
        path: (group if names.count(group) == 1 else f"{group}-{Path(path).stem}", group)
        for path, (_, group) in files.items()
    }
    objects = [
        {
            "@type": "cr:FileObject",
            "@id": path,
            "name": path,
            "contentUrl": path,
            "encodingFormat": PARQUET,
            "sha256": sha256,
        }
        for path, (sha256, _) in files.items()
    ]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "skill-arcade-recordings",
        "description": f"Recordings of human play by Skill Arcade {plan.skill_arcade}. README.md is the dataset card.",
        "datePublished": plan.time_created,
        "distribution": objects,
        "recordSet": [
            _describe_record_set(record_set, path, schemas[group]) for path, (record_set, group) in record_sets.items()
        ],
    }


def _describe_record_set(name: str, path: str, schema: pa.Schema) -> dict[str, Any]:
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{name}/{field.name}",
            "name": f"{name}/{field.name}",
            "dataType": data_type,
            "source": {"fileObject": {"@id": path}, "extract": {"column": field.name}},
        }
        for field in schema
        if (data_type := _find_data_type(field.type)) is not None
    ]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields}


def _find_data_type(type_: pa.DataType) -> str | None:
    if pa.types.is_boolean(type_):
        return "sc:Boolean"
    if pa.types.is_integer(type_):
        return "sc:Integer"
    if pa.types.is_floating(type_):
        return "sc:Float"
    return "sc:Text" if pa.types.is_string(type_) else None
