"""Microsoft's service SDK for Python, unmodified, against the hub's REST interface."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from azure.iot.device import IoTHubDeviceClient, MethodResponse
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod, ExportImportDevice, QuerySpecification, Twin, TwinProperties
from msrest.exceptions import HttpOperationError

from conftest import HOST, KEY, Hub


@pytest.fixture
def registry(hub: Hub, tmp_path: Path) -> Any:
    # Only where the name leads to is changed; the token is still for the hub's host.
    manager = IoTHubRegistryManager.from_connection_string(hub.description["policies"]["iothubowner"])
    client = manager.protocol._client
    client.config.base_url = f"https://localhost:{hub.description['service_port']}"
    client._base_url = client.config.base_url
    client.config.connection.verify = hub.description["root_certificate"]
    yield manager
    # Its finaliser would wait for an AMQP link that was never needed.
    manager.amqp_svc_client = None


def test_registry(hub: Hub, registry: IoTHubRegistryManager) -> None:
    created = registry.create_device_with_sas("made", KEY, KEY, "enabled")
    assert created.authentication.symmetric_key.primary_key == KEY
    with pytest.raises(HttpOperationError) as exists:
        registry.create_device_with_sas("made", KEY, KEY, "enabled")
    assert exists.value.response.status_code == 409
    assert registry.get_device("made").connection_state == "Disconnected"
    updated = registry.update_device_with_sas("made", created.etag, KEY, KEY, "disabled")
    assert updated.status == "disabled"
    module = registry.create_module_with_sas("made", "part", "", KEY, KEY)
    assert module.module_id == "part"
    assert [m.module_id for m in registry.get_modules("made")] == ["part"]
    x509 = registry.create_device_with_x509("made-x509", "A" * 40, "B" * 40, "enabled")
    assert x509.authentication.x509_thumbprint.primary_thumbprint == "A" * 40
    registry.create_device_with_certificate_authority("made-ca", "enabled")
    assert {"made", "made-x509", "made-ca"} <= {d.device_id for d in registry.get_devices(100)}
    assert registry.get_device_registry_statistics().total_device_count >= 3
    assert registry.get_service_statistics().connected_device_count >= 0
    for device in ("made", "made-x509", "made-ca"):
        registry.delete_device(device)
    entries = [ExportImportDevice(id=name, import_mode="create", status="enabled") for name in ("b1", "b2")]
    assert registry.bulk_create_or_update_devices(entries).is_successful
    gone = [ExportImportDevice(id=name, import_mode="delete") for name in ("b1", "b2")]
    assert registry.bulk_create_or_update_devices(gone).is_successful
    with pytest.raises(HttpOperationError):
        registry.get_device("made")


def test_twin_and_query(hub: Hub, registry: IoTHubRegistryManager) -> None:
    registry.create_device_with_sas("twinned", KEY, KEY, "enabled")
    patch = Twin(tags={"site": "north"}, properties=TwinProperties(desired={"rate": 7}))
    twin = registry.update_twin("twinned", patch)
    assert twin.properties.desired["rate"] == 7
    assert registry.get_twin("twinned").tags == {"site": "north"}
    found = registry.query_iot_hub(
        QuerySpecification(query="SELECT * FROM devices WHERE tags.site = 'north'"), None, 10
    )
    assert [twin.device_id for twin in found.items] == ["twinned"]
    registry.delete_device("twinned")


def test_method(hub: Hub, registry: IoTHubRegistryManager) -> None:
    call = CloudToDeviceMethod(method_name="blink", payload={"n": 1}, response_timeout_in_seconds=10)
    with pytest.raises(HttpOperationError) as offline:
        registry.invoke_device_method("device1", call)
    assert offline.value.response.status_code == 404

    device = IoTHubDeviceClient.create_from_connection_string(
        f"HostName={HOST};DeviceId=device1;SharedAccessKey={KEY};GatewayHostName=localhost",
        server_verification_cert=hub.ca,
    )
    device.on_method_request_received = lambda request: device.send_method_response(
        MethodResponse.create_from_method_request(request, 200, {"got": request.payload})
    )
    device.connect()
    time.sleep(0.5)
    answer = registry.invoke_device_method("device1", call)
    assert (answer.status, answer.payload) == (200, {"got": {"n": 1}})
    device.shutdown()
