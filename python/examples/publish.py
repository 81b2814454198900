"""Publishes one message over a Quectel module, and waits for one if asked.

Without hardware and without Azure, against the simulated module and the local hub::

    python publish.py --demo

With a module::

    export IOTHUB_DEVICE_CONNECTION_STRING='HostName=…;DeviceId=…;SharedAccessKey=…'
    python publish.py --port /dev/ttyUSB2 --apn iot.example --message '{"temperature": 21.5}'

Exit status: 0 published, 1 failed, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from quectel_azure import Client, Event, QuectelAzureError, StepBegun, WarningRaised
from quectel_azure.sim import LocalHub, SimulatedModule

VARIABLE = "IOTHUB_DEVICE_CONNECTION_STRING"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Publishes one message over a Quectel module.")
    parser.add_argument("--demo", action="store_true", help="use a simulated module and a local hub")
    parser.add_argument("--model", default="bg96", help="model of the simulated module")
    parser.add_argument("--port", help="the module's AT port, or tcp:HOST:PORT")
    parser.add_argument("--urc-port", default="auto", choices=["auto", "keep", "uart1", "usbat", "usbmodem", "all"])
    parser.add_argument("--apn", default="", help="access point of the mobile network")
    parser.add_argument("--ca", type=Path, help="root certificate to trust, PEM, if the hub is not Azure's")
    parser.add_argument("--certificate", type=Path, help="client certificate, PEM, for x509=true")
    parser.add_argument("--private-key", type=Path, help="its key, PEM")
    parser.add_argument("--message", default='{"temperature": 21.5}', help="the body, JSON")
    parser.add_argument("--wait-s", type=float, default=0.0, help="seconds to wait for a message from the cloud")
    parser.add_argument("--trace", type=Path, help="file for the AT conversation")
    arguments = parser.parse_args()
    if not arguments.demo and not arguments.port:
        parser.error("give --port, or --demo")
    if not arguments.demo and not os.environ.get(VARIABLE):
        parser.error(f"the device's connection string is expected in the environment variable {VARIABLE}")
    return arguments


def show(event: Event) -> None:
    if isinstance(event, StepBegun):
        print(f"{event.at_s:8.3f} s  {event.step}", file=sys.stderr)
    elif isinstance(event, WarningRaised):
        print(f"{event.at_s:8.3f} s  warning: {event.text}", file=sys.stderr)


def publish(client: Client, arguments: argparse.Namespace) -> None:
    client.publish(arguments.message.encode(), content_type="application/json")
    print("published, acknowledged by the hub")
    if arguments.wait_s > 0:
        message = client.receive(arguments.wait_s)
        print("no message came" if message is None else f"received {message.payload!r} {dict(message.properties)}")


def demo(arguments: argparse.Namespace) -> None:
    with LocalHub() as hub, SimulatedModule(model=arguments.model, hosts=hub.hosts) as module:
        with Client(
            port=module.port,
            connection_string=hub.connection_string(),
            ca=hub.ca_pem,
            trace=arguments.trace,
            on_event=show,
        ) as client:
            hub.send(b"report every 60 s", properties={"command": "interval"})
            publish(client, arguments)
        telemetry = hub.wait_for_telemetry()
        print(f"the hub received {telemetry.payload!r} from {telemetry.device_id}")


def read(path: Path | None) -> bytes | None:
    return None if path is None else path.read_bytes()


def run(arguments: argparse.Namespace) -> None:
    with Client(
        port=arguments.port,
        urc_port=arguments.urc_port,
        connection_string=os.environ[VARIABLE],
        certificate=read(arguments.certificate),
        private_key=read(arguments.private_key),
        ca=read(arguments.ca),
        apn=arguments.apn,
        trace=arguments.trace,
        on_event=show,
    ) as client:
        publish(client, arguments)


def main() -> int:
    arguments = parse_arguments()
    try:
        if arguments.demo:
            demo(arguments)
        else:
            run(arguments)
    except QuectelAzureError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
