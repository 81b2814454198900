//! The service side: REST API, extension, page.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use core::time::Duration;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    thread,
};

use common::{ACCEPTED, HOST, START, config, connect, id, publish_qos1, subscribe, tls::TlsClient};
use iothub_sim::{
    Clock, Config, Event, IotHub, KeyKind, LocalHub, Pki, PkiOptions, ServerOptions,
    ServiceOptions, SharedAccessKey, sas_token,
};
use mqtt311::{Decoder, Packet, QoS};
use rustls::StreamOwned;
use serde_json::{Value, json};

const VERSION: &str = "api-version=2021-04-12";
const SOON: Duration = Duration::from_secs(10);

fn key() -> SharedAccessKey {
    SharedAccessKey::from_bytes([9; 32])
}

struct Fixture {
    hub: LocalHub,
    config: Config,
}

struct Answer {
    status: u16,
    headers: String,
    body: Value,
}

impl Fixture {
    fn new() -> Self {
        let mut config = config();
        config.hubs.push(IotHub::new("fabrikam.azure-devices.net"));
        let mut pki_options = PkiOptions::for_hosts([HOST]);
        pki_options.key_kind = KeyKind::EcdsaP256;
        let pki = Pki::new(&pki_options).unwrap();
        let mut options = ServerOptions::default();
        options.clock = Clock::StartingAt(START);
        options.service = Some(ServiceOptions::new(key()));
        let hub = LocalHub::start_with(&config, &pki, &options).unwrap();
        Self { hub, config }
    }

    /// A token of a policy of the first hub.
    fn token(&self, policy: &str) -> String {
        let hub = &self.config.hubs[0];
        let policy = hub
            .policies
            .iter()
            .find(|known| known.name == policy)
            .unwrap();
        sas_token(HOST, &policy.primary_key, START + 600, Some(&policy.name))
    }

    fn raw(&self, text: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.hub.service_addr().unwrap()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    fn with(
        &self,
        authorization: &str,
        method: &str,
        path: &str,
        more: &str,
        body: &str,
    ) -> Answer {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {authorization}\r\nContent-Length: {}\r\n{more}\r\n{body}",
            body.len()
        );
        let (headers, body) = self.raw(&request);
        let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
        let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
        Answer {
            status,
            headers,
            body,
        }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {}", key().to_base64());
        self.with(&bearer, method, path, "", body)
    }

    fn device(&self) -> Device {
        let tcp = TcpStream::connect(self.hub.addr()).unwrap();
        tcp.set_read_timeout(Some(SOON)).unwrap();
        let client = TlsClient::new(self.hub.ca_pem(), START).connection();
        let mut device = Device {
            tls: StreamOwned::new(client, tcp),
            decoder: Decoder::new(1 << 20),
        };
        device.send(&Packet::Connect(connect()));
        assert_eq!(device.receive(), ACCEPTED);
        device
    }
}

struct Device {
    tls: StreamOwned<rustls::ClientConnection, TcpStream>,
    decoder: Decoder,
}

impl Device {
    fn send(&mut self, packet: &Packet) {
        self.tls.write_all(&packet.to_bytes().unwrap()).unwrap();
    }

    fn receive(&mut self) -> Packet {
        loop {
            if let Some(packet) = self.decoder.next_packet().unwrap() {
                return packet;
            }
            let mut chunk = [0; 4096];
            let n = self.tls.read(&mut chunk).unwrap();
            assert!(n > 0, "closed");
            self.decoder.push(&chunk[..n]);
        }
    }
}

#[test]
fn who_may_do_what() {
    let fixture = Fixture::new();
    let get = format!("/devices/dev1?{VERSION}");
    let twin = format!("/twins/dev1?{VERSION}");
    let other = sas_token(HOST, &key(), START + 600, Some("iothubowner"));
    let owner = &fixture.config.hubs[0].policies[0].primary_key;
    let expired = sas_token(HOST, owner, START, Some("iothubowner"));
    let device = sas_token(HOST, &common::key(), START + 600, None);
    for (authorization, method, path, status) in [
        (fixture.token("iothubowner"), "GET", &get, 200),
        (fixture.token("registryRead"), "GET", &get, 200),
        (fixture.token("registryRead"), "DELETE", &get, 401),
        (fixture.token("service"), "GET", &get, 401),
        (fixture.token("service"), "GET", &twin, 200),
        (fixture.token("device"), "GET", &get, 401),
        (other, "GET", &get, 401),
        (expired, "GET", &get, 401),
        (device, "GET", &get, 401),
        ("Bearer AAAA".to_owned(), "GET", &get, 401),
        ("Basic x".to_owned(), "GET", &get, 401),
        (String::new(), "GET", &get, 401),
    ] {
        let answer = fixture.with(&authorization, method, path, "", "");
        assert_eq!(
            answer.status, status,
            "{authorization} {method} {path} {}",
            answer.body
        );
    }
    let (headers, body) =
        fixture.raw("GET /sim/overview HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(headers.starts_with("HTTP/1.1 401"), "{headers}");
    assert!(body.contains("Authorization"), "{body}");
}

#[test]
fn paths_and_methods() {
    let fixture = Fixture::new();
    let large = "x".repeat(256 * 1024 + 1);
    for (method, path, body, status) in [
        ("GET", "/nowhere?api-version=1", "", 404),
        ("GET", "/devices/dev1", "", 400),
        ("GET", "/devices/dev2?api-version=1", "", 404),
        ("POST", "/devices/dev1?api-version=1", "", 405),
        ("PUT", "/devices/x?api-version=1", "{", 400),
        (
            "PUT",
            "/devices/x?api-version=1",
            "{\"deviceId\":\"y\"}",
            400,
        ),
        ("PUT", "/devices/a%20b?api-version=1", "{}", 400),
        ("PUT", "/devices/x/modules/m?api-version=1", "{}", 404),
        (
            "PUT",
            "/devices/x?api-version=1",
            "{\"status\":\"asleep\"}",
            400,
        ),
        (
            "PUT",
            "/devices/x?api-version=1",
            "{\"authentication\":{\"type\":\"none\"}}",
            400,
        ),
        (
            "PUT",
            "/devices/x?api-version=1",
            "{\"authentication\":{\"symmetricKey\":{\"primaryKey\":\"?\"}}}",
            400,
        ),
        (
            "PUT",
            "/devices/x?api-version=1",
            "{\"authentication\":{\"type\":\"selfSigned\"}}",
            400,
        ),
        (
            "POST",
            "/devices/query?api-version=1",
            "{\"query\":\"DROP TABLE\"}",
            400,
        ),
        ("POST", "/devices/query?api-version=1", "{}", 400),
        (
            "PATCH",
            "/twins/dev1?api-version=1",
            "{\"properties\":{\"desired\":[]}}",
            400,
        ),
        ("POST", "/twins/dev1/methods?api-version=1", "{}", 400),
        (
            "POST",
            "/twins/dev1/methods?api-version=1",
            "{\"methodName\":\"a/b\"}",
            400,
        ),
        (
            "POST",
            "/twins/dev1/methods?api-version=1",
            "{\"methodName\":\"a\"}",
            404,
        ),
        ("POST", "/sim/devices/dev2/messages", "x", 404),
        ("GET", "/sim/devices/dev1/messages", "", 405),
        (
            "POST",
            "/sim/devices/dev1/messages?time-to-live-s=x",
            "x",
            400,
        ),
        ("POST", "/sim/devices/dev1/faults", "\"explode\"", 400),
        ("POST", "/sim/devices/dev1/faults", "explode", 400),
        ("POST", "/sim/registrations/0ne1/reg-1/faults", "7", 400),
        ("GET", "/sim/registrations/0ne1/reg-1/faults", "", 405),
        ("POST", "/sim/chaos", "7", 400),
        ("POST", "/sim/throttle", "{\"speed\":1}", 400),
        ("GET", "/sim/restart", "", 405),
        ("POST", "/sim/devices/dev1/messages", large.as_str(), 413),
    ] {
        let answer = fixture.ask(method, path, body);
        assert_eq!(answer.status, status, "{method} {path} {}", answer.body);
        assert!(
            answer.body["Message"]
                .as_str()
                .unwrap()
                .starts_with("ErrorCode:"),
            "{path}"
        );
    }
    let garbage = fixture.raw("\u{1}\u{2}\r\n\r\n").0;
    assert!(garbage.starts_with("HTTP/1.1 400"), "{garbage}");
}

#[test]
fn a_device_from_birth_to_end() {
    let fixture = Fixture::new();
    let path = format!("/devices/new?{VERSION}");
    let created = fixture.ask("PUT", &path, "{\"deviceId\":\"new\"}");
    assert_eq!(created.status, 200, "{}", created.body);
    let keys = &created.body["authentication"]["symmetricKey"];
    assert_eq!(keys["primaryKey"].as_str().unwrap().len(), 44);
    assert_eq!(created.body["connectionState"], "Disconnected");
    assert_eq!(created.body["status"], "enabled");
    assert_eq!(fixture.ask("PUT", &path, "{}").status, 409);
    assert_eq!(fixture.ask("GET", &path, "").body, created.body);

    let etag = created.body["etag"].as_str().unwrap();
    assert!(
        created
            .headers
            .to_lowercase()
            .contains(&format!("etag: \"{etag}\"").to_lowercase())
    );
    let bearer = format!("Bearer {}", key().to_base64());
    let update = |if_match: &str, body: &str| {
        fixture.with(
            &bearer,
            "PUT",
            &path,
            &format!("If-Match: \"{if_match}\"\r\n"),
            body,
        )
    };
    let thumbprint = "DF3C24F9BFD666761B268073FE06D1CC8D4F82A4";
    let body = json!({"status": "disabled", "authentication": {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": thumbprint}}});
    assert_eq!(update("AAAAAAAAAAk=", &body.to_string()).status, 412);
    let updated = update(etag, &body.to_string());
    assert_eq!(updated.status, 200, "{}", updated.body);
    assert_eq!(updated.body["status"], "disabled");
    assert_eq!(
        updated.body["authentication"]["x509Thumbprint"]["primaryThumbprint"],
        thumbprint
    );
    assert_eq!(update(etag, &body.to_string()).status, 412);

    let module = format!("/devices/new/modules/m?{VERSION}");
    assert_eq!(
        fixture.ask("PUT", &module, "{\"moduleId\":\"m\"}").body["moduleId"],
        "m"
    );
    let modules = fixture.ask("GET", &format!("/devices/new/modules?{VERSION}"), "");
    assert_eq!(modules.body.as_array().unwrap().len(), 1);

    let list = fixture.ask("GET", &format!("/devices?top=10&{VERSION}"), "");
    assert_eq!(list.body.as_array().unwrap().len(), 2);
    let statistics = fixture.ask("GET", &format!("/statistics/devices?{VERSION}"), "");
    assert_eq!(
        statistics.body,
        json!({"totalDeviceCount": 2, "enabledDeviceCount": 1, "disabledDeviceCount": 1})
    );

    assert_eq!(fixture.ask("DELETE", &path, "").status, 204);
    assert_eq!(fixture.ask("DELETE", &path, "").status, 404);
    assert_eq!(
        fixture.ask("GET", &module, "").status,
        404,
        "modules go with their device"
    );

    // Another hub has devices of its own.
    let elsewhere = format!("/devices/new?hub=fabrikam.azure-devices.net&{VERSION}");
    assert_eq!(fixture.ask("PUT", &elsewhere, "{}").status, 200);
    assert_eq!(fixture.ask("GET", &path, "").status, 404);
}

#[test]
fn twins_and_queries() {
    let fixture = Fixture::new();
    let path = format!("/twins/dev1?{VERSION}");
    let patch =
        json!({"tags": {"floor": 3}, "properties": {"desired": {"rate": 5, "deep": {"a": 1}}}});
    let twin = fixture.ask("PATCH", &path, &patch.to_string());
    assert_eq!(twin.status, 200, "{}", twin.body);
    assert_eq!(twin.body["properties"]["desired"]["rate"], 5);
    assert_eq!(twin.body["properties"]["desired"]["$version"], 2);
    assert_eq!(twin.body["version"], 3);
    assert_eq!(twin.body["tags"], json!({"floor": 3}));
    let bearer = format!("Bearer {}", key().to_base64());
    let stale = fixture.with(
        &bearer,
        "PATCH",
        &path,
        "If-Match: \"AAAAAAAAAAE=\"\r\n",
        "{}",
    );
    assert_eq!(stale.status, 412);
    let replaced = fixture.ask("PUT", &path, "{\"properties\":{\"desired\":{\"z\":1}}}");
    assert_eq!(replaced.body["tags"], json!({}));
    assert_eq!(replaced.body["properties"]["desired"].get("rate"), None);

    for n in 0..5 {
        fixture.ask("PUT", &format!("/devices/q{n}?{VERSION}"), "{}");
        let tags = json!({"tags": {"n": n}});
        fixture.ask(
            "PATCH",
            &format!("/twins/q{n}?{VERSION}"),
            &tags.to_string(),
        );
    }
    let query = |text: &str, more: &str| {
        let body = json!({ "query": text }).to_string();
        fixture.with(
            &bearer,
            "POST",
            &format!("/devices/query?{VERSION}"),
            more,
            &body,
        )
    };
    let found = query("SELECT * FROM devices WHERE tags.n >= 3", "");
    let ids: Vec<_> = found
        .body
        .as_array()
        .unwrap()
        .iter()
        .map(|twin| twin["deviceId"].clone())
        .collect();
    assert_eq!(ids, ["q3", "q4"]);
    assert!(found.headers.contains("x-ms-item-type: Twin"));
    assert_eq!(
        query("SELECT COUNT() AS total FROM devices", "").body,
        json!([{"total": 6}])
    );
    let first = query("SELECT * FROM devices", "x-ms-max-item-count: 4\r\n");
    assert_eq!(first.body.as_array().unwrap().len(), 4);
    assert!(first.headers.contains("x-ms-continuation: 4"));
    let second = query(
        "SELECT * FROM devices",
        "x-ms-max-item-count: 4\r\nx-ms-continuation: 4\r\n",
    );
    assert_eq!(second.body.as_array().unwrap().len(), 2);
    assert!(!second.headers.contains("x-ms-continuation"));
}

#[test]
fn methods_messages_and_feedback() {
    let fixture = Fixture::new();
    let mut device = fixture.device();
    let filters = [
        "$iothub/methods/POST/#",
        "devices/dev1/messages/devicebound/#",
    ];
    device.send(&subscribe(1, &filters, QoS::AtLeastOnce));
    assert!(matches!(device.receive(), Packet::Suback(_)));
    let feedback = format!("/messages/serviceBound/feedback?{VERSION}");
    thread::scope(|scope| {
        let call = scope.spawn(|| {
            let body =
                json!({"methodName": "blink", "payload": {"n": 1}, "responseTimeoutInSeconds": 10});
            fixture.ask(
                "POST",
                &format!("/twins/dev1/methods?{VERSION}"),
                &body.to_string(),
            )
        });
        let Packet::Publish(request) = device.receive() else {
            panic!("no call");
        };
        assert_eq!(request.payload, br#"{"n":1}"#);
        let (_, rid) = request.topic.split_once("?$rid=").unwrap();
        device.send(&publish_qos1(
            2,
            &format!("$iothub/methods/res/201/?$rid={rid}"),
            "{\"ok\":true}",
        ));
        assert_eq!(device.receive(), Packet::Puback(id(2)));
        let answer = call.join().unwrap();
        assert_eq!(
            (answer.status, answer.body),
            (200, json!({"status": 201, "payload": {"ok": true}}))
        );
    });

    assert_eq!(fixture.ask("GET", &feedback, "").status, 204);
    let sent = fixture.ask(
        "POST",
        "/sim/devices/dev1/messages?%24.mid=m1&iothub-ack=full&colour=light%20blue",
        "hello",
    );
    assert_eq!(
        (sent.status, &sent.body["sequenceNumber"]),
        (201, &json!(1))
    );
    let Packet::Publish(message) = device.receive() else {
        panic!("no message");
    };
    assert_eq!(message.payload, b"hello");
    assert!(
        message.topic.contains("colour=light%20blue"),
        "{}",
        message.topic
    );
    device.send(&Packet::Puback(message.packet_id.unwrap()));
    fixture
        .hub
        .wait_for(SOON, |record| {
            matches!(record.event, Event::CloudToDevice { .. }).then_some(())
        })
        .unwrap();
    let answer = fixture.ask("GET", &feedback, "");
    assert_eq!(answer.body[0]["originalMessageId"], "m1");
    assert_eq!(answer.body[0]["description"], "Success");
    let etag = answer
        .headers
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .unwrap()
        .trim_matches('"');
    let settle = |token: &str| {
        fixture
            .ask(
                "DELETE",
                &format!("/messages/serviceBound/feedback/{token}?{VERSION}"),
                "",
            )
            .status
    };
    assert_eq!(settle("0x"), 412);
    assert_eq!(settle(etag), 204);
    assert_eq!(fixture.ask("GET", &feedback, "").status, 204);

    // A connected device that does not take its messages, then loses them.
    let armed = fixture.ask("POST", "/sim/devices/dev1/faults", "drop-pubacks = 0");
    assert_eq!(armed.status, 204, "{}", armed.body);
    fixture.ask("POST", "/sim/devices/dev1/faults", "\"drop\"");
    for _ in 0..3 {
        fixture.ask("POST", "/sim/devices/dev1/messages", "x");
    }
    let purged = fixture.ask("DELETE", &format!("/devices/dev1/commands?{VERSION}"), "");
    assert_eq!(purged.body["totalMessagesPurged"], 3);
}

#[test]
fn bad_days_on_request() {
    let fixture = Fixture::new();
    let device = fixture.device();
    assert_eq!(fixture.ask("POST", "/sim/restart", "").status, 204);
    let ended = |record: &iothub_sim::Record| {
        matches!(record.event, Event::Disconnected { .. }).then_some(())
    };
    fixture.hub.wait_for(SOON, ended).unwrap();
    drop(device);
    let mut device = fixture.device();
    assert_eq!(
        fixture
            .ask("POST", "/sim/chaos", "{\"seed\":1,\"per_thousand\":1000}")
            .status,
        204
    );
    device.send(&publish_qos1(1, "devices/dev1/messages/events/", "x"));
    assert_eq!(fixture.ask("POST", "/sim/chaos", "null").status, 204);
    let slow = "{\"telemetry_per_s\":1}";
    for throttle in [slow, "null"] {
        assert_eq!(fixture.ask("POST", "/sim/throttle", throttle).status, 204);
    }
    drop(device);
    let mut device = fixture.device();
    device.send(&publish_qos1(1, "devices/dev1/messages/events/", "x"));
    assert_eq!(device.receive(), Packet::Puback(id(1)));
    for fault in [
        json!({"drop-pubacks": 1}),
        json!({"delay-pubacks": {"count": 1, "delay_ms": 5}}),
        json!({"refuse-connects": {"count": 1, "code": 3}}),
        json!({"twin-status": {"count": 1, "status": 429}}),
        json!("half-open"),
        json!("expire-token"),
    ] {
        let answer = fixture.ask("POST", "/sim/devices/dev1/faults", &fault.to_string());
        assert_eq!(answer.status, 204, "{fault} {}", answer.body);
    }
}

#[test]
fn what_was_made_later_is_found() {
    let fixture = Fixture::new();
    fixture.ask("PUT", &format!("/devices/later?{VERSION}"), "{}");
    let string = fixture.hub.connection_string("later").unwrap();
    assert!(
        string.starts_with(&format!("HostName={HOST};DeviceId=later;SharedAccessKey=")),
        "{string}"
    );
    assert!(fixture.hub.twin("later").is_some());
    let introduction = fixture.hub.introduction("ca.pem".as_ref());
    assert!(
        introduction.contains(&string) && introduction.contains("Service side and page: http://")
    );
}

#[test]
fn records_as_a_stream() {
    let fixture = Fixture::new();
    let mut device = fixture.device();
    device.send(&publish_qos1(
        1,
        "devices/dev1/messages/events/a=1",
        "{\"t\":1}",
    ));
    assert_eq!(device.receive(), Packet::Puback(id(1)));
    let past = fixture.ask("GET", "/sim/records?follow=false&kind=telemetry", "");
    assert_eq!(
        past.body["text"],
        Value::Null,
        "chunked, so not one JSON document"
    );
    assert!(
        past.body
            .as_str()
            .unwrap()
            .contains("\"kind\":\"telemetry\"")
    );

    let mut stream = TcpStream::connect(fixture.hub.service_addr().unwrap()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let bearer = key().to_base64();
    write!(stream, "GET /sim/records HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer {bearer}\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let mut next = |kind: &str| {
        let wanted = format!("\"kind\":\"{kind}\"");
        let line = lines
            .find(|line| line.starts_with("data: ") && line.contains(&wanted))
            .unwrap();
        serde_json::from_str::<Value>(line.trim_start_matches("data: ")).unwrap()
    };
    let message = next("telemetry");
    assert_eq!(message["message"]["body"], json!({"t": 1}));
    assert_eq!(message["message"]["properties"], json!({"a": "1"}));
    device.send(&publish_qos1(
        2,
        "devices/dev1/messages/events/",
        "\u{1f600}",
    ));
    assert_eq!(next("telemetry")["message"]["body"], "\u{1f600}");
    drop(device);
    assert_eq!(next("disconnected")["reason"], "lost");
}

#[test]
fn the_past_reaches_as_far_as_it_is_kept() {
    let fixture = Fixture::new();
    let mut device = fixture.device();
    device.send(&publish_qos1(1, "devices/dev1/messages/events/", "1"));
    assert_eq!(device.receive(), Packet::Puback(id(1)));
    device.send(&subscribe(2, &["devices/dev2/#"], QoS::AtMostOnce));
    device.receive();
    fixture.hub.with_hub(|hub, now| {
        for _ in 0..300 {
            hub.refuse_tls(now, None, iothub_sim::Reason::NotTls);
        }
    });
    let lines = |more: &str| {
        let answer = fixture.ask("GET", &format!("/sim/records?follow=false{more}"), "");
        assert_eq!(answer.status, 200);
        // Chunked: the lines of JSON are those that begin with a brace.
        let text = answer.body.as_str().unwrap_or_default().to_owned();
        text.lines().filter(|line| line.starts_with('{')).count()
    };
    assert_eq!(lines("&kind=telemetry"), 1);
    assert_eq!(lines(""), 200);
    assert_eq!(lines("&limit=3"), 3);
    assert_eq!(lines("&limit=0"), 0);
    assert_eq!(lines("&limit=10000"), 303);
    let answer = fixture.ask("GET", "/sim/records?limit=many", "");
    assert_eq!(answer.status, 400, "{}", answer.body);
    // What is refused has its code in brackets, also where the connection stays.
    let path = "/sim/records?follow=false&kind=subscribed";
    let subscribed = fixture.ask("GET", path, "").body;
    assert!(
        subscribed.as_str().unwrap().contains("[filter]\""),
        "{subscribed}"
    );
}

#[test]
fn twins_that_are_none() {
    let fixture = Fixture::new();
    let path = format!("/twins/dev1?{VERSION}");
    for (body, expected) in [
        ("[1]", "not a JSON object"),
        ("7", "not a JSON object"),
        ("{\"desired\":{\"a\":1}}", "a twin has no `desired`"),
        ("{\"tag\":{}}", "a twin has no `tag`"),
        ("{\"tags\":7}", "not a JSON object"),
        ("{\"properties\":[]}", "`properties` is not a JSON object"),
        (
            "{\"properties\":{\"reported\":{\"a\":1}}}",
            "only the device changes",
        ),
        (
            "{\"tags\":{\"a\":1},\"properties\":{\"desired\":{\"a.b\":1}}}",
            "the name `a.b`",
        ),
        (
            "{\"properties\":{\"wanted\":{}}}",
            "`properties` has no `wanted`",
        ),
        (
            "{\"properties\":{\"desired\":{\"n\":99999999999999999999}}}",
            "the number at `n`",
        ),
    ] {
        for method in ["PATCH", "PUT"] {
            let answer = fixture.ask(method, &path, body);
            assert_eq!(answer.status, 400, "{method} {body}: {}", answer.body);
            let message = answer.body["ExceptionMessage"].as_str().unwrap();
            assert!(message.contains(expected), "{body}: {message}");
        }
    }
    let entry =
        "[{\"id\":\"dev1\",\"importMode\":\"updateTwin\",\"tags\":{\"n\":99999999999999999999}}]";
    let answer = fixture.ask("POST", &format!("/devices?{VERSION}"), entry);
    assert_eq!(answer.status, 400, "{}", answer.body);
    // Nothing of this has left a trace, and what was read can be sent back.
    let twin = fixture.ask("GET", &path, "");
    assert_eq!(twin.body["version"], 1, "{}", twin.body);
    let answer = fixture.ask("PATCH", &path, &twin.body.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    // A method takes any number.
    let call = "{\"methodName\":\"m\",\"payload\":99999999999999999999}";
    let answer = fixture.ask("POST", &format!("/twins/dev1/methods?{VERSION}"), call);
    assert_eq!(answer.status, 404, "{}", answer.body);
}

#[test]
fn messages_that_the_hub_does_not_take() {
    let fixture = Fixture::new();
    for (query, status, expected) in [
        ("time-to-live-s=0", 400, "1 to 172800"),
        ("time-to-live-s=172801", 400, "1 to 172800"),
        ("time-to-live-s=18446744073709551615", 400, "1 to 172800"),
        ("time-to-live-s=18446744073709551616", 400, "1 to 172800"),
        ("iothub-ack=bogus", 400, "none, positive, negative or full"),
        ("iothub-ack=", 400, "none, positive, negative or full"),
        ("time-to-live-s=1&iothub-ack=none", 201, ""),
        ("time-to-live-s=172800&iothub-ack=negative", 201, ""),
    ] {
        let path = format!("/sim/devices/dev1/messages?{query}");
        let answer = fixture.ask("POST", &path, "x");
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
        let message = answer.body["ExceptionMessage"].as_str().unwrap_or_default();
        assert!(message.contains(expected), "{query}: {message}");
    }
    let module = fixture.ask("POST", "/sim/devices/dev1/modules/m1/messages", "x");
    assert_eq!(module.status, 404);
    assert!(
        module.body.to_string().contains("docs/hub.md"),
        "{}",
        module.body
    );
}

#[test]
fn each_feedback_has_a_lock_of_its_own() {
    let fixture = Fixture::new();
    for _ in 0..2 {
        let path = "/sim/devices/dev1/messages?iothub-ack=full";
        assert_eq!(fixture.ask("POST", path, "x").status, 201);
    }
    // Both end in the same millisecond.
    fixture.ask("DELETE", &format!("/devices/dev1/commands?{VERSION}"), "");
    let token = || {
        let path = format!("/messages/serviceBound/feedback?{VERSION}");
        let headers = fixture.ask("GET", &path, "").headers;
        let etag = headers.lines().find_map(|line| line.strip_prefix("etag: "));
        etag.unwrap().trim_matches('"').to_owned()
    };
    let settle = |token: &str| {
        let path = format!("/messages/serviceBound/feedback/{token}?{VERSION}");
        fixture.ask("DELETE", &path, "").status
    };
    let first = token();
    assert_eq!(settle(&first), 204);
    assert_eq!(settle(&first), 412, "the second is another one");
    assert_eq!(settle(&token()), 204);
}

#[test]
fn many_identities_at_once() {
    let fixture = Fixture::new();
    let path = format!("/devices?{VERSION}");
    let entries = |modes: &[(&str, &str)]| {
        let entries = modes.iter().map(|(id, mode)| {
            json!({"id": id, "importMode": mode, "status": "disabled", "eTag": "x", "twinETag": "x",
                   "tags": {"a": 1}})
        });
        Value::from_iter(entries).to_string()
    };
    for (modes, failed) in [
        (&[("b1", "create"), ("b2", "createOrUpdate")][..], &[][..]),
        (
            &[("b1", "create"), ("b2", "createOrUpdate"), ("b2", "update")],
            &["b1"],
        ),
        (
            &[("b3", "update"), ("b1", "updateTwin"), ("", "create")],
            &["b3", ""],
        ),
        (
            &[
                ("b1", "updateIfMatchETag"),
                ("b1", "deleteIfMatchETag"),
                ("b1", "updateTwinIfMatchETag"),
                ("b1", "grow"),
            ],
            &["b1", "b1", "b1", "b1"],
        ),
        (&[("b1", "delete")], &[]),
    ] {
        let answer = fixture.ask("POST", &path, &entries(modes));
        let expected = if failed.is_empty() { 200 } else { 400 };
        assert_eq!(answer.status, expected, "{modes:?} {}", answer.body);
        assert_eq!(answer.body["isSuccessful"], failed.is_empty());
        let errors = answer.body["errors"].as_array().unwrap();
        let ids: Vec<_> = errors
            .iter()
            .map(|e| e["deviceId"].as_str().unwrap())
            .collect();
        assert_eq!(ids, failed, "{errors:?}");
    }
    let left = fixture.ask("GET", &format!("/devices/b2?{VERSION}"), "");
    assert_eq!(left.body["status"], "disabled");
    assert_eq!(
        fixture
            .ask("GET", &format!("/devices/b1?{VERSION}"), "")
            .status,
        404
    );
    let many = vec![("b", "create"); 101];
    for body in [entries(&many), "{}".to_owned()] {
        assert_eq!(fixture.ask("POST", &path, &body).status, 400);
    }
}

#[test]
fn the_page_and_https() {
    let fixture = Fixture::new();
    let (headers, body) = fixture.raw("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(headers.starts_with("HTTP/1.1 200"), "{headers}");
    assert!(
        headers.contains("content-security-policy: default-src 'none'"),
        "{headers}"
    );
    assert!(body.contains("<title>Local IoT Hub</title>"));
    assert!(
        !body.contains("http://") && !body.contains("https://"),
        "works without the internet"
    );
    let overview = fixture.ask("GET", "/sim/overview", "");
    assert_eq!(overview.body["identities"][0]["deviceId"], "dev1");

    let tcp = TcpStream::connect(fixture.hub.service_addr().unwrap()).unwrap();
    let client = TlsClient::new(fixture.hub.ca_pem(), START).connection();
    let mut tls = StreamOwned::new(client, tcp);
    let token = fixture.token("iothubowner");
    write!(tls, "GET /devices/dev1?{VERSION} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nAuthorization: {token}\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = tls.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
