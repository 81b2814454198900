"""The hub's page in a real headless browser."""

from __future__ import annotations

import shutil
import time
from typing import Any

import pytest
from azure.iot.device import IoTHubDeviceClient, MethodResponse

from conftest import GROUP_KEY, HOST, KEY, Hub

webdriver = pytest.importorskip("selenium.webdriver")
StaleElementReferenceException = pytest.importorskip("selenium.common").StaleElementReferenceException
By = pytest.importorskip("selenium.webdriver.common.by").By

pytestmark = pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("chromedriver")), reason="needs chromium"
)


@pytest.fixture
def browser() -> Any:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,1400"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


def wait_for(what: Any, timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            if what():
                return
        except StaleElementReferenceException:
            pass  # the page has just drawn it anew
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def test_page(hub: Hub, browser: Any) -> None:
    port, key = hub.description["service_port"], hub.description["service_key"]
    text = lambda element: browser.find_element(By.ID, element).text  # noqa: E731
    browser.get(f"http://127.0.0.1:{port}/")
    wait_for(lambda: browser.find_element(By.ID, "login").is_displayed())
    browser.find_element(By.ID, "key").send_keys("wrong")
    browser.find_element(By.CSS_SELECTOR, "#login button").click()
    wait_for(lambda: "not this hub's" in text("problem"))
    field = browser.find_element(By.ID, "key")
    field.clear()
    field.send_keys(key)
    browser.find_element(By.CSS_SELECTOR, "#login button").click()
    wait_for(lambda: browser.find_element(By.ID, "main").is_displayed())
    assert text("problem") == "" and HOST in text("hubs")

    device = IoTHubDeviceClient.create_from_connection_string(
        f"HostName={HOST};DeviceId=device1;SharedAccessKey={KEY};GatewayHostName=localhost",
        server_verification_cert=hub.ca,
    )
    received: list[bytes] = []
    device.on_message_received = lambda message: received.append(message.data)
    device.on_method_request_received = lambda request: device.send_method_response(
        MethodResponse.create_from_method_request(request, 200, {"got": request.payload})
    )
    device.connect()
    rows = lambda: browser.find_elements(By.CSS_SELECTOR, "#devices tr")  # noqa: E731
    row = lambda: next(r for r in rows() if r.text.startswith("device1 "))  # noqa: E731
    wait_for(lambda: "● connected" in row().text or "connected" in row().text)
    device.send_message("<b>21.5</b>")
    wait_for(lambda: "device1: <b>21.5</b>" in text("telemetry"))

    row().click()
    wait_for(lambda: row().get_attribute("aria-selected") == "true")
    browser.find_element(By.ID, "text").send_keys("from the page")
    browser.find_element(By.ID, "properties").send_keys("colour=blue")
    browser.find_element(By.CSS_SELECTOR, "#send button").click()
    wait_for(lambda: "is on its way" in text("sent"))
    wait_for(lambda: received == [b"from the page"])
    browser.find_element(By.CSS_SELECTOR, "#call button").click()
    wait_for(lambda: text("called") == 'status 200: {"got":{}}')
    desired = browser.find_element(By.ID, "desired")
    desired.clear()
    desired.send_keys('{"from":"page"}')
    browser.find_element(By.CSS_SELECTOR, "#patch button").click()
    wait_for(lambda: text("patched").startswith("version"))
    wait_for(lambda: '"from":"page"' in row().text)

    fault = browser.find_element(By.ID, "which")
    for name, answer in [("explode", "not a fault"), ("delay-pubacks = { count = 1, delay_ms = 1 }", "done")]:
        fault.clear()
        fault.send_keys(name)
        browser.find_element(By.CSS_SELECTOR, "#fault button").click()
        wait_for(lambda: answer in text("injected"))

    refused = IoTHubDeviceClient.create_from_connection_string(
        f"HostName={HOST};DeviceId=device1;SharedAccessKey={GROUP_KEY};GatewayHostName=localhost",
        server_verification_cert=hub.ca,
        connection_retry=False,
    )
    with pytest.raises(Exception):
        refused.connect()
    wait_for(lambda: "token-signature" in text("refused"))
    refused.shutdown()
    device.shutdown()
    wait_for(lambda: "not connected" in row().text)
    complaints = [entry for entry in browser.get_log("browser") if not any(status in entry["message"] for status in ("401", "400"))]
    assert complaints == [], complaints
    if shot := hub.folder / "page.png":
        browser.save_screenshot(str(shot))
        print(shot)
