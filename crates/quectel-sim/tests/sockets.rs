//! Sockets of `AT+QIOPEN` and `AT+QSSLOPEN`, transparent mode, look-up, ping.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{
    config,
    world::{Listener, World},
};
use quectel_sim::{NetEvent, NetRequest, PowerState, SocketId, Timing};

fn world(profile: &str) -> World {
    let setup = config(profile)
        .timing(Timing::Fast)
        .power(PowerState::Ready)
        .nonvolatile("urcport", "uart1");
    let mut world = World::new(setup);
    world.listen(
        "echo",
        7,
        Listener {
            echo: true,
            ..Listener::default()
        },
    );
    world.send("ATE0\r");
    world.send("AT+QIACT=1\r");
    world
}

const OK: &str = "\\r\\nOK\\r\\n";

#[test]
fn formats_of_received_and_sent_data() {
    let cases = [
        (
            "\"viewmode\",1",
            "hello",
            5,
            "\\r\\n+QIRD: 5,hello\\r\\n\\r\\nOK\\r\\n",
        ),
        (
            "\"dataformat\",0,1",
            "hello",
            5,
            "\\r\\n+QIRD: 5\\r\\n68656C6C6F\\r\\n\\r\\nOK\\r\\n",
        ),
        (
            "\"dataformat\",1,0",
            "68656c6C6f",
            10,
            "\\r\\n+QIRD: 5\\r\\nhello\\r\\n\\r\\nOK\\r\\n",
        ),
    ];
    for (setting, sent, length, received) in cases {
        let mut w = world("bg96");
        assert_eq!(w.send(format!("AT+QICFG={setting}\r")), OK, "{setting}");
        w.send("AT+QIOPEN=1,0,\"TCP\",\"echo\",7,0,0\r");
        w.send(format!("AT+QISEND=0,{length}\r"));
        w.send(sent);
        assert_eq!(w.send("AT+QIRD=0\r"), received, "{setting}");
    }
    let mut w = world("bg96");
    w.send("AT+QICFG=\"recvind\",1\r");
    w.send("AT+QIOPEN=1,0,\"TCP\",\"echo\",7,0,0\r");
    w.send("AT+QISEND=0,5\r");
    assert!(w.send("hello").ends_with("+QIURC: \"recv\",0,5\\r\\n"));
    let mut w = world("bg96");
    w.send("AT+QICFG=\"dataformat\",1,0\r");
    w.send("AT+QIOPEN=1,0,\"TCP\",\"echo\",7,0,0\r");
    w.send("AT+QISEND=0,5\r");
    assert_eq!(w.send("hello"), "\\r\\nERROR\\r\\n", "no digits");
}

#[test]
fn buffered() {
    let mut w = world("bg96");
    assert_eq!(
        w.send("AT+QIOPEN=1,0,\"TCP\",\"echo\",7,0,0\r"),
        format!("{OK}\\r\\n+QIOPEN: 0,0\\r\\n")
    );
    assert_eq!(w.send("AT+QISEND=0,5\r"), "\\r\\n> ");
    assert_eq!(
        w.send("hello"),
        "\\r\\nSEND OK\\r\\n\\r\\n+QIURC: \"recv\",0\\r\\n"
    );
    // The next data are announced only when the buffer has been emptied.
    assert_eq!(w.send("AT+QISEND=0\r"), "\\r\\n> ");
    assert_eq!(w.send("world\x1a"), "\\r\\nSEND OK\\r\\n");
    assert_eq!(
        w.send("AT+QIRD=0,5\r"),
        "\\r\\n+QIRD: 5\\r\\nhello\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        w.send("AT+QIRD=0,0\r"),
        "\\r\\n+QIRD: 10,5,5\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        w.send("AT+QIRD=0\r"),
        "\\r\\n+QIRD: 5\\r\\nworld\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(w.send("AT+QIRD=0\r"), "\\r\\n+QIRD: 0\\r\\n\\r\\nOK\\r\\n");
    assert_eq!(
        w.send("AT+QISENDEX=0,\"4869\"\r"),
        "\\r\\nSEND OK\\r\\n\\r\\n+QIURC: \"recv\",0\\r\\n"
    );
    assert_eq!(
        w.send("AT+QISEND=0,0\r"),
        "\\r\\n+QISEND: 12,12,0\\r\\n\\r\\nOK\\r\\n"
    );
    let state = w.send("AT+QISTATE=1,0\r");
    assert!(
        state.starts_with("\\r\\n+QISTATE: 0,\"TCP\",\"192.0.2.1\",7,")
            && state.contains(",2,1,0,0,\"uart1\""),
        "{state}"
    );
    assert_eq!(w.close_all(), "\\r\\n+QIURC: \"closed\",0\\r\\n");
    assert_eq!(w.send("AT+QISEND=0,5\r"), "\\r\\nERROR\\r\\n");
    assert_eq!(
        w.send("AT+QIRD=0\r"),
        "\\r\\n+QIRD: 2\\r\\nHi\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(w.send("AT+QICLOSE=0\r"), OK);
    assert_eq!(w.send("AT+QISTATE=1,0\r"), OK);
    // EWF closes sockets that are not open.
    assert_eq!(w.send("AT+QICLOSE=0\r"), OK);
}

#[test]
fn pushed() {
    let mut w = world("ec25");
    w.ok("AT+QIOPEN=1,3,\"TCP\",\"echo\",7,0,1");
    w.send("AT+QISEND=3,4\r");
    assert_eq!(
        w.send("a\r\nb"),
        "\\r\\nSEND OK\\r\\n\\r\\n+QIURC: \"recv\",3,4\\r\\na\\r\\nb\\r\\n"
    );
}

#[test]
fn transparent() {
    let mut w = world("bg96");
    assert_eq!(
        w.send("AT+QIOPEN=1,0,\"TCP\",\"echo\",7,0,2\r"),
        "\\r\\nCONNECT\\r\\n"
    );
    assert_eq!(w.send("hello"), "");
    assert_eq!(w.wait(200), "hello");
    // Not the escape sequence: no pause before it.
    assert_eq!(w.send("x+++"), "");
    assert_eq!(w.wait(200), "x+++");
    w.wait(1_000);
    assert_eq!(w.send("+++"), "");
    assert_eq!(w.wait(1_000), OK);
    assert_eq!(w.send("AT\r"), OK);
    assert_eq!(w.send("ATO\r"), "\\r\\nCONNECT\\r\\n");
    w.send("again");
    assert_eq!(w.wait(200), "again");
    assert_eq!(w.close_all(), "\\r\\nNO CARRIER\\r\\n");
    assert_eq!(w.send("ATO\r"), "\\r\\nNO CARRIER\\r\\n");
    assert_eq!(
        w.send("AT+QIOPEN=1,0,\"TCP\",\"nowhere\",7,0,2\r"),
        "\\r\\nERROR\\r\\n"
    );
}

#[test]
fn failures() {
    let cases = [
        (
            "AT+QIOPEN=1,0,\"TCP\",\"nowhere\",7,0,0",
            "565",
            "565, DNS parse failed",
        ),
        (
            "AT+QIOPEN=1,0,\"TCP\",\"echo\",8,0,0",
            "566",
            "566, socket connect failed",
        ),
        (
            "AT+QIOPEN=2,0,\"TCP\",\"echo\",7,0,0",
            "561",
            "561, open PDP context failed",
        ),
    ];
    for (command, code, text) in cases {
        let mut w = world("bg96");
        assert_eq!(
            w.send(format!("{command}\r")),
            format!("{OK}\\r\\n+QIOPEN: 0,{code}\\r\\n"),
            "{command}"
        );
        assert_eq!(
            w.send("AT+QIGETERROR\r"),
            format!("\\r\\n+QIGETERROR: {text}\\r\\n\\r\\nOK\\r\\n")
        );
    }
    let mut w = world("bg96");
    w.ok("AT+QIOPEN=1,0,\"TCP\",\"echo\",7,0,0");
    assert_eq!(
        w.send("AT+QIOPEN=1,0,\"TCP\",\"echo\",7,0,0\r"),
        format!("{OK}\\r\\n+QIOPEN: 0,563\\r\\n")
    );
    for bad in [
        "1,12,\"TCP\",\"echo\",7",
        "1,0,\"SCTP\",\"echo\",7",
        "1,0,\"TCP\",\"echo\",0",
        "1,0,\"TCP\",\"echo\",7,0,3",
        "0,0,\"TCP\",\"e\",7",
    ] {
        assert_eq!(
            w.send(format!("AT+QIOPEN={bad}\r")),
            "\\r\\nERROR\\r\\n",
            "{bad}"
        );
    }
    // H EG800K: no explanation after the URC.
    let mut w = world("eg800k");
    w.ok("AT+QIOPEN=1,0,\"TCP\",\"echo\",8,0,0");
    assert_eq!(
        w.send("AT+QIGETERROR\r"),
        "\\r\\n+QIGETERROR: 0,operate successfully\\r\\n\\r\\nOK\\r\\n"
    );
}

#[test]
fn deactivation_closes_sockets() {
    let mut w = world("bg96");
    w.ok("AT+QIOPEN=1,0,\"TCP\",\"echo\",7,0,0");
    assert_eq!(w.send("AT+QIDEACT=1\r"), OK);
    assert_eq!(w.send("AT+QISTATE?\r"), OK);
}

#[test]
fn look_up_and_ping() {
    let mut w = world("bg96");
    assert_eq!(
        w.send("AT+QIDNSGIP=1,\"echo\"\r"),
        format!(
            "{OK}\\r\\n+QIURC: \"dnsgip\",0,1,600\\r\\n\\r\\n+QIURC: \"dnsgip\",\"192.0.2.1\"\\r\\n"
        )
    );
    assert_eq!(
        w.send("AT+QIDNSGIP=1,\"nowhere\"\r"),
        format!("{OK}\\r\\n+QIURC: \"dnsgip\",565\\r\\n")
    );
    let ping = w.send("AT+QPING=1,\"echo\",4,2\r");
    assert_eq!(
        ping.matches("+QPING: 0,\"192.0.2.1\",32,").count(),
        2,
        "{ping}"
    );
    assert!(ping.contains("+QPING: 0,2,2,0,"), "{ping}");
    assert_eq!(
        w.send("AT+QPING=1,\"nowhere\"\r"),
        format!("{OK}\\r\\n+QPING: 565\\r\\n")
    );
    assert_eq!(
        w.send("AT+QPING=2,\"echo\"\r"),
        format!("{OK}\\r\\n+QPING: 561\\r\\n")
    );
    assert_eq!(w.send("AT+QIDNSGIP=2,\"echo\"\r"), "\\r\\nERROR\\r\\n");
}

#[test]
fn listening() {
    let mut w = world("bg96");
    assert_eq!(
        w.send("AT+QIOPEN=1,0,\"TCP LISTENER\",\"127.0.0.1\",0,2020,0\r"),
        OK
    );
    let listener = SocketId(1);
    assert!(w.bench.requests.is_empty());
    let now = w.bench.now;
    let module = &mut w.bench.module;
    module.net_event(
        now,
        NetEvent::Listening {
            socket: listener,
            port: 2020,
        },
    );
    let peer = "192.0.2.9".parse().ok();
    module.net_event(
        now,
        NetEvent::Accepted {
            listener,
            socket: SocketId(0x8000_0000),
            peer,
            port: 5555,
        },
    );
    module.net_event(
        now,
        NetEvent::Data {
            socket: SocketId(0x8000_0000),
            data: b"hi".to_vec(),
        },
    );
    assert_eq!(
        w.bench.read(),
        "\\r\\n+QIOPEN: 0,0\\r\\n\\r\\n+QIURC: \"incoming\",1,0,\"192.0.2.9\",5555\\r\\n\\r\\n+QIURC: \"recv\",1\\r\\n"
    );
    assert_eq!(
        w.send("AT+QIRD=1\r"),
        "\\r\\n+QIRD: 2\\r\\nhi\\r\\n\\r\\nOK\\r\\n"
    );
    w.send("AT+QISEND=1,2\r");
    w.bench.module.uart_rx(now, b"yo");
    assert_eq!(
        w.bench.module.poll_net(),
        Some(NetRequest::Send {
            socket: SocketId(0x8000_0000),
            data: b"yo".to_vec()
        })
    );
}

#[test]
fn udp_service() {
    let mut w = world("bg96");
    assert_eq!(
        w.send("AT+QIOPEN=1,2,\"UDP SERVICE\",\"127.0.0.1\",0,3030,0\r"),
        OK
    );
    let socket = SocketId(1);
    let now = w.bench.now;
    w.bench
        .module
        .net_event(now, NetEvent::Listening { socket, port: 3030 });
    assert_eq!(w.bench.read(), "\\r\\n+QIOPEN: 2,0\\r\\n");
    let datagram = |data: &[u8]| NetEvent::Datagram {
        socket,
        peer: "192.0.2.9".parse().unwrap(),
        port: 53,
        data: data.to_vec(),
    };
    w.bench.module.net_event(now, datagram(b"one"));
    w.bench.module.net_event(now, datagram(b"two"));
    assert_eq!(w.bench.read(), "\\r\\n+QIURC: \"recv\",2\\r\\n");
    assert_eq!(
        w.send("AT+QIRD=2\r"),
        "\\r\\n+QIRD: 3,\"192.0.2.9\",53\\r\\none\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        w.send("AT+QIRD=2\r"),
        "\\r\\n+QIRD: 3,\"192.0.2.9\",53\\r\\ntwo\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(w.send("AT+QIRD=2\r"), "\\r\\n+QIRD: 0\\r\\n\\r\\nOK\\r\\n");
    assert_eq!(w.send("AT+QISEND=2,2\r"), "\\r\\nERROR\\r\\n");
    assert_eq!(w.send("AT+QISEND=2,2,\"192.0.2.9\",53\r"), "\\r\\n> ");
    w.bench.module.uart_rx(now, b"yo");
    let expected = NetRequest::SendTo {
        socket,
        host: "192.0.2.9".to_owned(),
        port: 53,
        data: b"yo".to_vec(),
    };
    assert_eq!(w.bench.module.poll_net(), Some(expected));
}
