//! Links the six `no_std` crates without `std` and without an allocator.
//!
//! `std` anywhere below is a duplicate `panic_impl` lang item; `alloc` is "no global memory allocator found". The
//! functions are roots for `./ci.sh size`, which builds each one alone, by its feature, and reports how much flash it takes.

#![no_std]

use {azure_auth as _, quectel_at as _, quectel_azure as _};
use {quectel_file as _, quectel_mqtt as _, quectel_ssl as _};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Nothing: what start-up and the panic handler alone take.
#[cfg(feature = "nothing")]
#[unsafe(no_mangle)]
extern "C" fn size_of_nothing() {}

#[cfg(feature = "link")]
mod link {
    use quectel_at::commands::At;
    use quectel_at::{Event, Link};

    /// One command, its answers and the URCs beside it.
    #[unsafe(no_mangle)]
    extern "C" fn size_of_link(
        rx: &mut [u8; 512],
        tx: &mut [u8; 256],
        input: &[u8; 64],
        now_ms: u64,
    ) -> usize {
        let mut link = Link::new(rx, tx, &[]);
        let mut chunk = [0; 64];
        let mut seen = match link.send(now_ms, &At) {
            Ok(()) => link.poll_transmit(&mut chunk),
            Err(_) => 0,
        };
        let mut input = &input[..];
        while let Some(event) = link.poll(now_ms, &mut input) {
            seen += match event {
                Event::Answer(line) | Event::Urc(line) => line.bytes().len(),
                Event::Data(bytes) => bytes.len(),
                _ => 1,
            };
        }
        seen
    }
}

#[cfg(feature = "framer")]
mod framer {
    use quectel_at::{Frame, Framer};
    use quectel_mqtt::RULES;

    /// Lines, prompts and counted payloads out of bytes, nothing else; begins anew with a buffer.
    #[unsafe(no_mangle)]
    extern "C" fn size_of_framer<'b>(
        framer: &mut Framer<'b>,
        buffer: Option<&'b mut [u8; 512]>,
        input: &[u8; 64],
    ) -> usize {
        if let Some(buffer) = buffer {
            *framer = Framer::new(buffer, RULES);
        }
        let mut seen = 0;
        let mut input = &input[..];
        while let Some(frame) = framer.poll(&mut input) {
            seen += match frame {
                Frame::Line(bytes) | Frame::Data(bytes) => bytes.len(),
                Frame::Overflow { dropped, .. } => dropped,
                _ => 1,
            };
        }
        seen
    }
}

#[cfg(any(feature = "codec", feature = "cost"))]
mod codec {
    use quectel_at::commands::{QiUrc, Registration};
    use quectel_at::{Frame, Framer, Line, ResultCode};
    use quectel_mqtt::{Published, RULES, Recv, Stat};

    #[cfg(feature = "cost")]
    use core::mem::MaybeUninit;

    /// Lines out of bytes, final result codes, and five typed URCs: what a parser without a link takes; begins anew with a
    /// buffer.
    #[cfg(feature = "codec")]
    #[unsafe(no_mangle)]
    extern "C" fn size_of_codec<'b>(
        framer: &mut Framer<'b>,
        buffer: Option<&'b mut [u8; 512]>,
        input: &[u8; 64],
    ) -> usize {
        if let Some(buffer) = buffer {
            *framer = Framer::new(buffer, RULES);
        }
        let mut seen = 0;
        let mut input = &input[..];
        while let Some(frame) = framer.poll(&mut input) {
            seen += match frame {
                Frame::Line(bytes) => decoded(bytes),
                Frame::Overflow { dropped, .. } => dropped,
                _ => 0,
            };
        }
        seen
    }

    /// Bytes that `benches/cortex-m` has for a framer.
    #[cfg(feature = "cost")]
    const FRAMER_BYTES: usize = 64;

    /// How many lines, of 64 KiB in pieces of `step` bytes; `benches/cortex-m` counts what that costs.
    #[cfg(feature = "cost")]
    #[unsafe(no_mangle)]
    extern "C" fn cost_of_codec<'b>(
        framer: &mut MaybeUninit<Framer<'b>>,
        bytes: &[u8; 65_536],
        buffer: &'b mut [u8; 2_048],
        step: usize,
    ) -> usize {
        const {
            assert!(!cfg!(target_arch = "arm") || size_of::<Framer<'_>>() <= FRAMER_BYTES);
        }
        let framer = framer.write(Framer::new(buffer, RULES));
        let mut lines = 0;
        for piece in bytes.chunks(step.max(1)) {
            let mut input = piece;
            while let Some(frame) = framer.poll(&mut input) {
                if let Frame::Line(bytes) = frame {
                    core::hint::black_box(decoded(bytes));
                    lines += 1;
                }
            }
        }
        lines
    }

    /// Reads `+QMTRECV`, `+QMTPUB`, `+QMTSTAT`, `+CEREG` and `+QIURC` into their types.
    #[inline(never)]
    fn decoded(bytes: &[u8]) -> usize {
        let line = Line::new(bytes);
        if let Some(result) = ResultCode::parse(bytes, false) {
            return usize::from(result.cme().unwrap_or(0));
        }
        if let Ok(recv) = Recv::parse(line) {
            return recv.topic.len() + recv.payload.len();
        }
        if let Ok(published) = Published::parse(line) {
            return usize::from(published.msg_id);
        }
        if let Ok(stat) = Stat::parse(line) {
            return usize::from(stat.client);
        }
        if let Ok(registration) = Registration::parse_urc(line) {
            return usize::from(registration.area.unwrap_or(0));
        }
        match QiUrc::parse(line) {
            Some(QiUrc::Closed { socket } | QiUrc::Recv { socket, .. }) => usize::from(socket),
            _ => 0,
        }
    }
}

#[cfg(feature = "sas_token")]
mod sas_token {
    use azure_auth::{Identity, SasRequest, SharedAccessKey};

    /// A SAS token from a key.
    #[unsafe(no_mangle)]
    extern "C" fn size_of_sas_token(key: &[u8; 44], expiry_s: u64, token: &mut [u8; 256]) -> usize {
        let Ok(key) = core::str::from_utf8(key) else {
            return 0;
        };
        let (Ok(identity), Ok(key)) = (
            Identity::new("hub.azure-devices.net", "dev-1", None),
            SharedAccessKey::from_base64(key),
        ) else {
            return 0;
        };
        SasRequest::for_identity(&identity, expiry_s)
            .token(&key, token)
            .map_or(0, str::len)
    }
}

#[cfg(feature = "client")]
mod client {
    use quectel_azure::{Buffers, Client, Config, Credential, Message};

    /// The whole device client with a shared access key.
    #[unsafe(no_mangle)]
    extern "C" fn size_of_client(
        rx: &mut [u8; 4096],
        tx: &mut [u8; 2048],
        scratch: &mut [u8; 1024],
        input: &[u8; 64],
        now_ms: u64,
    ) -> usize {
        let credential =
            Credential::SharedAccessKey("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let config = Config::new("hub.azure-devices.net", "dev-1", credential);
        let Ok(mut client) = Client::new(config, Buffers { rx, tx, scratch }) else {
            return 0;
        };
        let mut seen = usize::from(client.connect(now_ms).is_ok());
        let mut chunk = [0; 64];
        for _ in 0..now_ms {
            seen += client.poll_transmit(&mut chunk);
            let mut input = &input[..];
            while client.poll(now_ms, &mut input).is_some() {
                seen += 1;
            }
            if client.is_ready() && client.publish(now_ms, &Message::new(&chunk)).is_ok() {
                seen += 1;
            }
        }
        seen + usize::from(client.disconnect(now_ms).is_ok())
    }
}
