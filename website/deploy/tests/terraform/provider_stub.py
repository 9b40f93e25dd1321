"""Providers for Terraform that know the schema of the real ones, and no Google.

Usage: python -m terraform.provider_stub FOLDER CONFIGURATION NAME=BINDINGS...
Serves each provider with the types that the text in CONFIGURATION names, and prints the value of TF_REATTACH_PROVIDERS.

It runs in a virtual environment of its own, because the package `tf` needs an older protobuf than the server.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from tf.gen import grpc_controller_pb2_grpc as controller_rpc
from tf.gen import grpc_stdio_pb2_grpc as stdio_rpc
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc
from tf.types import Unknown
from tf.utils import read_dynamic_value, to_dynamic_value

from terraform.provider_schema import Attribute, Block, named_types, read_provider, read_resource

NESTING = {
    "list": pb.Schema.NestedBlock.LIST,
    "set": pb.Schema.NestedBlock.SET,
    "single": pb.Schema.NestedBlock.SINGLE,
}


def attribute_message(attribute: Attribute) -> Any:
    """Return an attribute as a message of Terraform's plugin protocol."""
    return pb.Schema.Attribute(
        name=attribute.name,
        type=attribute.type.encode(),
        required=attribute.required,
        optional=attribute.optional,
        computed=attribute.computed,
    )


def block_message(block: Block) -> Any:
    """Return a block as a message of Terraform's plugin protocol."""
    nested = [
        pb.Schema.NestedBlock(
            type_name=name, nesting=NESTING[mode], min_items=low, max_items=high, block=block_message(content)
        )
        for name, mode, low, high, content in block.blocks
    ]
    return pb.Schema.Block(attributes=[attribute_message(part) for part in block.attributes], block_types=nested)


def compile_schema(configuration: str, bindings: Path) -> Any:
    """Return the schema of the types that a configuration names. A type that does not exist is left out."""
    response = pb.GetProviderSchema.Response(provider=pb.Schema(block=block_message(read_provider(bindings))))
    types = named_types(configuration)
    for kind, target in (("resource", response.resource_schemas), ("data", response.data_source_schemas)):
        for name in sorted(types[kind]):
            block = read_resource(bindings, name, data=kind == "data")
            if block is not None:
                target[name].CopyFrom(pb.Schema(block=block_message(block)))
    return response


class StubServicer(rpc.ProviderServicer):  # type: ignore[misc]
    """Accepts every configuration that fits the schema, and plans to create everything."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._project = ""

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        return self._schema

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        self._project = read_dynamic_value(request.config)["project"]
        return pb.ConfigureProvider.Response()

    def PlanResourceChange(self, request: Any, context: Any) -> Any:
        """Plan what the configuration says. What Google would compute is not known yet."""
        planned = read_dynamic_value(request.proposed_new_state)
        if planned is not None and read_dynamic_value(request.prior_state) is None:
            planned |= unknown(self._schema.resource_schemas[request.type_name], planned)
        return pb.PlanResourceChange.Response(planned_state=to_dynamic_value(planned), legacy_type_system=True)

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:
        """Create what was planned, with values in place of those that Google would compute."""
        state = read_dynamic_value(request.planned_state)
        if state is not None:
            known = {name: value for name, value in state.items() if value is not Unknown}
            schema = self._schema.resource_schemas[request.type_name].block
            texts = {part.name for part in schema.attributes if part.computed and part.type == b'"string"'}
            state = {name: computed(name, known, self._project, name in texts) for name in state} | known
        return pb.ApplyResourceChange.Response(new_state=to_dynamic_value(state), legacy_type_system=True)

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:
        return pb.UpgradeResourceState.Response(upgraded_state=pb.DynamicValue(json=request.raw_state.json))

    def ReadDataSource(self, request: Any, context: Any) -> Any:
        """Return the number of the project and the key of its web app."""
        state = read_dynamic_value(request.config)
        known = {"number": "123456789012", "api_key": "AIza-web"}
        state |= {name: value for name, value in known.items() if name in state}
        return pb.ReadDataSource.Response(state=to_dynamic_value(state))

    def ImportResourceState(self, request: Any, context: Any) -> Any:
        """Say that the resource exists. What it is like, nobody knows here."""
        block = self._schema.resource_schemas[request.type_name].block
        state: dict[str, Any] = {part.name: None for part in block.attributes}
        state |= {part.type_name: None if part.nesting == NESTING["single"] else [] for part in block.block_types}
        state |= {name: request.id for name in ("id", "name") if name in state}
        state |= {"email": request.id.rpartition("/")[2]} if "email" in state else {}
        found = pb.ImportResourceState.ImportedResource(type_name=request.type_name, state=to_dynamic_value(state))
        return pb.ImportResourceState.Response(imported_resources=[found])

    def ReadResource(self, request: Any, context: Any) -> Any:
        return pb.ReadResource.Response(new_state=request.current_state)

    def StopProvider(self, request: Any, context: Any) -> Any:
        return pb.StopProvider.Response()


def computed(name: str, known: dict[str, Any], project: str, is_text: bool) -> Any:
    """Return a value in place of one that Google would compute for a resource with these values."""
    if name in ("email", "name", "member", "id") and "account_id" in known:
        email = f"{known['account_id']}@{project}.iam.gserviceaccount.com"
        return {"email": email, "member": f"serviceAccount:{email}"}.get(name, f"projects/-/serviceAccounts/{email}")
    if name in ("id", "name"):
        # What else the resource is called by.
        keys = ("repository_id", "secret_id", "site_id", "workload_identity_pool_id", "display_name", "service")
        return next((known[key] for key in keys if known.get(key)), name)
    if name == "app_id":
        return "1:1:web:1"
    return name if is_text else None


def unknown(schema: Any, planned: dict[str, Any]) -> dict[str, Any]:
    """Return a marker for each computed attribute without a value."""
    computed = (attribute.name for attribute in schema.block.attributes if attribute.computed)
    return {name: Unknown for name in computed if planned.get(name) is None}


class Output(stdio_rpc.GRPCStdioServicer):  # type: ignore[misc]
    """The output of the provider, which is none."""

    def StreamStdio(self, request: Any, context: Any) -> Any:
        return iter([])


def serve(name: str, schema: Any, folder: Path) -> tuple[Any, dict[str, Any]]:
    """Serve a provider at a socket in `folder`. Returns the server, and how Terraform attaches to it."""
    server = grpc.server(ThreadPoolExecutor(max_workers=10))
    rpc.add_ProviderServicer_to_server(StubServicer(schema), server)
    controller_rpc.add_GRPCControllerServicer_to_server(controller_rpc.GRPCControllerServicer(), server)
    stdio_rpc.add_GRPCStdioServicer_to_server(Output(), server)
    address = str(folder / f"{name}.sock")
    server.add_insecure_port(f"unix://{address}")
    server.start()
    process = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True}
    return server, process | {"Addr": {"Network": "unix", "String": address}}


def main() -> None:
    """Serve until the process is terminated."""
    folder, configuration = Path(sys.argv[1]), Path(sys.argv[2]).read_text()
    servers, attached = [], {}
    for argument in sys.argv[3:]:
        name, _, bindings = argument.partition("=")
        server, how = serve(name, compile_schema(configuration, Path(bindings)), folder)
        servers.append(server)
        attached[f"registry.terraform.io/hashicorp/{name}"] = how
    print(json.dumps(attached), flush=True)
    for server in servers:
        server.wait_for_termination()


if __name__ == "__main__":
    main()
