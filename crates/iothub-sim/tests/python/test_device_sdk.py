"""Microsoft's device SDK for Python, unmodified, against the local hub."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import time
from typing import Any

import pytest
from azure.iot.device import (
    X509,
    IoTHubDeviceClient,
    IoTHubModuleClient,
    Message,
    MethodResponse,
    ProvisioningDeviceClient,
)
from azure.iot.device import exceptions

from conftest import GROUP_KEY, HOST, KEY, SCOPE, Hub


def connection_string(device: str = "device1", key: str = KEY, more: str = "") -> str:
    return f"HostName={HOST};DeviceId={device};SharedAccessKey={key};GatewayHostName=localhost{more}"


def client(hub: Hub, string: str | None = None, **options: Any) -> IoTHubDeviceClient:
    return IoTHubDeviceClient.create_from_connection_string(
        string or connection_string(), server_verification_cert=hub.ca, **options
    )


@pytest.fixture
def device(hub: Hub) -> Any:
    connected = client(hub)
    connected.connect()
    yield connected
    connected.shutdown()


def test_telemetry(hub: Hub, device: IoTHubDeviceClient) -> None:
    since = hub.mark()
    message = Message(json.dumps({"t": 21.5}))
    message.message_id = "id:1"
    message.content_type = "application/json"
    message.content_encoding = "utf-8"
    message.custom_properties["alarm level"] = "high/5"
    device.send_message(message)
    line = hub.wait_for("telemetry device1", since)
    assert "QoS 1" in line and "warning" not in line
    device.send_message("plain")
    hub.wait_for("telemetry device1 5 bytes", since)


def test_cloud_to_device(hub: Hub, device: IoTHubDeviceClient) -> None:
    received: queue.Queue[Message] = queue.Queue()
    device.on_message_received = received.put
    time.sleep(0.5)
    since = hub.mark()
    assert hub.order("message device1 hello there") == "sent"
    message = received.get(timeout=10)
    assert message.data == b"hello there"
    assert message.message_id == "id/1"
    assert message.custom_properties == {"colour": "light blue"}
    hub.wait_for("cloud-to-device message .* device1: completed", since)


def test_method(hub: Hub, device: IoTHubDeviceClient) -> None:
    def answer(request: Any) -> None:
        response = MethodResponse.create_from_method_request(
            request, 207, {"name": request.name, "got": request.payload}
        )
        device.send_method_response(response)

    device.on_method_request_received = answer
    time.sleep(0.5)
    outcome = hub.order('method device1 {"on": true}')
    assert outcome.startswith("Response { status: 207"), outcome


def test_twin(hub: Hub, device: IoTHubDeviceClient) -> None:
    patches: queue.Queue[dict[str, Any]] = queue.Queue()
    device.on_twin_desired_properties_patch_received = patches.put
    before = device.get_twin()
    assert set(before) == {"desired", "reported"}
    version = before["desired"]["$version"]
    assert hub.order('desired device1 {"rate": 5}') == str(version + 1)
    patch = patches.get(timeout=10)
    assert patch == {"rate": 5, "$version": version + 1}
    device.patch_twin_reported_properties({"firmware": {"version": "1.0"}, "gone": None})
    after = device.get_twin()
    assert after["reported"]["firmware"] == {"version": "1.0"}
    assert after["desired"]["rate"] == 5
    with pytest.raises(exceptions.ClientError):
        device.patch_twin_reported_properties({"bad.name": 1})


def test_module(hub: Hub) -> None:
    since = hub.mark()
    module = IoTHubModuleClient.create_from_connection_string(
        connection_string(more=";ModuleId=module1"), server_verification_cert=hub.ca
    )
    module.connect()
    module.send_message("from a module")
    hub.wait_for("telemetry device1/module1 13 bytes", since)
    assert module.get_twin()["desired"]["$version"] == 1
    module.shutdown()


@pytest.mark.parametrize(("device_id", "proof"), [("thumb", "a certificate of its thumbprint"), ("signed", "a certificate of an authority")])
def test_x509(hub: Hub, device_id: str, proof: str) -> None:
    since = hub.mark()
    certificate = X509(
        cert_file=str(hub.folder / f"{device_id}.pem"),
        key_file=str(hub.folder / f"{device_id}-key.pem"),
    )
    connected = IoTHubDeviceClient.create_from_x509_certificate(
        certificate, HOST, device_id, server_verification_cert=hub.ca, gateway_hostname="localhost"
    )
    connected.connect()
    connected.send_message("x")
    hub.wait_for(f"connected .*/{device_id} with {proof}", since)
    connected.shutdown()


def test_sas_renewal(hub: Hub) -> None:
    since = hub.mark()
    # The SDK renews 120 s before the end.
    connected = client(hub, sastoken_ttl=123)
    connected.connect()
    hub.wait_for("connected", since)
    first = hub.mark()
    hub.wait_for("connected .*/device1 with a SAS token", first, timeout=15)
    time.sleep(0.5)
    connected.send_message("still here")
    hub.wait_for("telemetry device1 10 bytes", first)
    connected.shutdown()


@pytest.mark.parametrize("how", ["drop device1", "restart"])
def test_reconnect(hub: Hub, device: IoTHubDeviceClient, how: str) -> None:
    received: queue.Queue[Message] = queue.Queue()
    device.on_message_received = received.put
    time.sleep(0.5)
    since = hub.mark()
    assert not hub.order(how).startswith("error")
    hub.wait_for("disconnected", since)
    hub.wait_for("connected .*/device1 with a SAS token", since)
    # It subscribes to nothing again: the session must have kept what it had.
    assert hub.order("message device1 after") == "sent"
    assert received.get(timeout=10).data == b"after"


def test_takeover(hub: Hub) -> None:
    # Neither comes back by itself, or they would take over from each other for ever.
    first, second = (client(hub, auto_connect=False, connection_retry=False) for _ in range(2))
    first.connect()
    since = hub.mark()
    second.connect()
    hub.wait_for(r"disconnected .* \[taken-over\]", since)
    second.shutdown()
    deadline = time.monotonic() + 10
    while first.connected and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not first.connected
    first.shutdown()


@pytest.mark.parametrize(
    ("string", "reason"),
    [
        (connection_string(key=GROUP_KEY), "token-signature"),
        (connection_string(device="Device1"), "identity-unknown"),
        (connection_string(device="disabled"), "identity-disabled"),
        (connection_string(device="thumb"), "password-for-certificate"),
        (connection_string().replace(HOST, "fabrikam.azure-devices.net"), "hub-unknown"),
    ],
)
def test_refused(hub: Hub, string: str, reason: str) -> None:
    since = hub.mark()
    refused = client(hub, string, connection_retry=False)
    with pytest.raises(exceptions.CredentialError):
        refused.connect()
    hub.wait_for(rf"refused .* \[{reason}\]", since)
    refused.shutdown()


def test_missing_certificate_authority(hub: Hub) -> None:
    since = hub.mark()
    stranger = IoTHubDeviceClient.create_from_connection_string(
        connection_string(),
        server_verification_cert=(hub.folder / "ca.pem").read_text(),
        connection_retry=False,
    )
    with pytest.raises(exceptions.ClientError):
        stranger.connect()
    hub.wait_for("the client refused the server .*UnknownCA", since)
    stranger.shutdown()


@pytest.mark.parametrize("qos_topic", ["devices/other/messages/events/", "devices/device1/messages/events", "$iothub/twin/get/?$rid=1"])
def test_wrong_topics_end_the_connection(hub: Hub, qos_topic: str) -> None:
    # Without retries: one that runs while the client shuts down makes the shutdown fail.
    device = client(hub, connection_retry=False)
    device.connect()
    since = hub.mark()
    pipeline: Any = device._mqtt_pipeline
    stage = pipeline._pipeline
    while not hasattr(stage, "transport"):
        stage = stage.next
    stage.transport._mqtt_client.publish(qos_topic, b"x", qos=1)
    hub.wait_for(r"disconnected .* \[topic\]", since)
    noticed_by = time.monotonic() + 10.0
    while device.connected and time.monotonic() < noticed_by:
        time.sleep(0.01)
    assert not device.connected
    device.shutdown()


def registration(hub: Hub, registration_id: str, key: str) -> ProvisioningDeviceClient:
    return ProvisioningDeviceClient.create_from_symmetric_key(
        "localhost", registration_id, SCOPE, key, server_verification_cert=hub.ca
    )


def test_provisioning_with_own_key(hub: Hub) -> None:
    provisioning = registration(hub, "reg-key", KEY)
    provisioning.provisioning_payload = {"modelId": "dtmi:a;1"}
    result = provisioning.register()
    assert result.status == "assigned"
    state = result.registration_state
    assert (state.assigned_hub, state.device_id) == (HOST, "reg-key")
    assert json.loads(state.response_payload) == {"hello": "device"}
    connected = client(hub, connection_string(device=state.device_id))
    connected.connect()
    connected.shutdown()


def test_provisioning_with_group_key(hub: Hub) -> None:
    digest = hmac.digest(base64.b64decode(GROUP_KEY), b"sensor-7", hashlib.sha256)
    derived = base64.b64encode(digest).decode()
    result = registration(hub, "sensor-7", derived).register()
    assert result.registration_state.device_id == "sensor-7"
    connected = client(hub, connection_string(device="sensor-7", key=derived))
    connected.connect()
    connected.shutdown()


def test_provisioning_with_certificate(hub: Hub) -> None:
    certificate = X509(
        cert_file=str(hub.folder / "thumb.pem"), key_file=str(hub.folder / "thumb-key.pem")
    )
    provisioning = ProvisioningDeviceClient.create_from_x509_certificate(
        "localhost", "thumb", SCOPE, certificate, server_verification_cert=hub.ca
    )
    result = provisioning.register()
    assert result.registration_state.device_id == "from-certificate"


@pytest.mark.parametrize(
    ("registration_id", "key", "record"),
    [
        ("reg-off", KEY, "registration .*reg-off: the enrollment is disabled"),
        ("reg-fail", KEY, "registration .*reg-fail: failed with 400207"),
        ("reg-key", GROUP_KEY, r"refused .* \[token-signature\]"),
        ("sensor-8", GROUP_KEY, r"refused .* \[group-key\]"),
    ],
)
def test_provisioning_that_fails(hub: Hub, registration_id: str, key: str, record: str) -> None:
    since = hub.mark()
    with pytest.raises(exceptions.ClientError):
        registration(hub, registration_id, key).register()
    hub.wait_for(record, since)
