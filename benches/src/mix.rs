//! The deterministic mix of a module's output that every parser gets.

use quectel_at::Exchange;
use quectel_at::commands::{At, CeregRead, CpinRead, Csq};

/// What was meant; a parser that understands it gives the same back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the mix is closed")]
pub enum Meant<'a> {
    /// `+QMTPUB: <client>,<msgid>,<result>`
    Published(u8, u16, u8),
    /// `+QMTSTAT: <client>,<cause>`
    Stat(u8, u8),
    /// `+CEREG: <stat>,"<area>","<cell>",<act>`
    Registration(u8, u16, u32, u8),
    /// `+QIURC: "closed",<id>` and `"recv",<id>`
    Socket(&'a [u8], u8),
    /// `+QMTRECV: <client>,<msgid>,"<topic>",<length>,"<payload>"`
    Message(u8, u32, &'a [u8], &'a [u8]),
    /// An information response of the running command.
    Answer(&'a [u8]),
    /// `OK`
    Ok,
    /// `+CME ERROR: <n>`
    Error(u16),
}

impl Meant<'_> {
    /// A number that two different meanings hardly share.
    pub fn print(&self) -> u64 {
        let mut hash = 0xCBF2_9CE4_8422_2325_u64;
        let mut add = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3);
            }
        };
        match *self {
            Self::Published(client, id, result) => {
                add(&[1, client, result]);
                add(&id.to_le_bytes());
            }
            Self::Stat(client, cause) => add(&[2, client, cause]),
            Self::Registration(stat, area, cell, act) => {
                add(&[3, stat, act]);
                add(&area.to_le_bytes());
                add(&cell.to_le_bytes());
            }
            Self::Socket(kind, id) => {
                add(&[4, id]);
                add(kind);
            }
            Self::Message(client, id, topic, payload) => {
                add(&[5, client]);
                add(&id.to_le_bytes());
                add(topic);
                add(&[0]);
                add(payload);
            }
            Self::Answer(line) => {
                add(&[6]);
                add(line);
            }
            Self::Ok => add(&[7]),
            Self::Error(code) => {
                add(&[8]);
                add(&code.to_le_bytes());
            }
        }
        hash
    }
}

/// The commands that the host gives one after the other, for ever; the mix answers them in this order.
pub const COMMANDS: [&dyn quectel_at::Command; 4] = [&Csq, &CeregRead, &At, &CpinRead];

/// The command that runs after so many results.
pub fn command(results: usize) -> &'static dyn quectel_at::Command {
    COMMANDS[results % COMMANDS.len()]
}

/// Its way of being answered.
pub fn exchange(results: usize) -> Exchange {
    command(results).exchange()
}

/// A module's output and what it means.
#[derive(Debug, Default)]
pub struct Mix {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The print of each event, in order.
    pub prints: Vec<u64>,
    random: Random,
    results: usize,
}

#[derive(Debug)]
struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }
}

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(((self.0 >> 32) * u64::from(end)) >> 32).unwrap_or(0)
    }
}

impl Mix {
    /// At least so many bytes: 60 % small URCs, 30 % `+QMTRECV` with 50 to 500 bytes of JSON, 10 % responses.
    pub fn new(bytes: usize) -> Self {
        let mut mix = Self::default();
        while mix.bytes.len() < bytes {
            match mix.random.below(10) {
                0..=5 => mix.small(),
                6..=8 => mix.message(),
                _ => mix.response(),
            }
        }
        mix
    }

    fn line(&mut self, line: &[u8], meant: Meant<'_>) {
        self.bytes.extend_from_slice(b"\r\n");
        self.bytes.extend_from_slice(line);
        self.bytes.extend_from_slice(b"\r\n");
        self.prints.push(meant.print());
    }

    fn number<N: TryFrom<u32> + Default>(&mut self, end: u32) -> N {
        N::try_from(self.random.below(end)).unwrap_or_default()
    }

    fn small(&mut self) {
        match self.random.below(4) {
            0 => {
                let (id, result) = (self.number(65_536), u8::from(self.random.below(20) == 0));
                let line = format!("+QMTPUB: 0,{id},{result}");
                self.line(line.as_bytes(), Meant::Published(0, id, result));
            }
            1 => {
                let (client, cause) = (self.number(6), 1 + self.number::<u8>(7));
                let line = format!("+QMTSTAT: {client},{cause}");
                self.line(line.as_bytes(), Meant::Stat(client, cause));
            }
            2 => {
                let (stat, area) = (1 + 4 * self.number::<u8>(2), self.number::<u16>(65_536));
                let cell = self.random.below(0x0FFF_FFFF);
                let line = format!("+CEREG: {stat},\"{area:04X}\",\"{cell:08X}\",7");
                self.line(line.as_bytes(), Meant::Registration(stat, area, cell, 7));
            }
            _ => {
                let id: u8 = self.number(12);
                let kind = ["closed", "recv"][usize::from(id.is_multiple_of(2))];
                let line = format!("+QIURC: \"{kind}\",{id}");
                self.line(line.as_bytes(), Meant::Socket(kind.as_bytes(), id));
            }
        }
    }

    fn message(&mut self) {
        let topic = match self.random.below(3) {
            0 => format!(
                "$iothub/methods/POST/reboot/?$rid={}",
                self.random.below(1000)
            ),
            1 => format!(
                "$iothub/twin/PATCH/properties/desired/?$version={}",
                self.random.below(1000)
            ),
            _ => format!(
                "devices/dev-{}/messages/devicebound/%24.to=%2Fdevices%2Fdev-1%2Fmessages%2FdeviceBound&%24.ct=application%2Fjson",
                self.random.below(100)
            ),
        };
        let length = 50 + self.number::<usize>(451);
        let payload = self.json(length);
        let id = self.random.below(65_536);
        let line = format!("+QMTRECV: 0,{id},\"{topic}\",{length},\"{payload}\"");
        let meant = Meant::Message(0, id, topic.as_bytes(), payload.as_bytes());
        self.line(line.as_bytes(), meant);
    }

    /// JSON of exactly so many bytes, at least 20.
    fn json(&mut self, length: usize) -> String {
        let mut text = String::from("{\"n\":1");
        while text.len() + 32 < length {
            let (name, value) = (self.random.below(1000), self.random.below(1_000_000));
            match self.random.below(3) {
                0 => text.push_str(&format!(",\"sensor{name}\":{value}")),
                1 => text.push_str(&format!(", \"state\": \"on, {name}\"")),
                _ => text.push_str(&format!(",\"t\":[{value},{name}]")),
            }
        }
        text.push_str(",\"fill\":\"");
        while text.len() + 2 < length {
            text.push('x');
        }
        text.push_str("\"}");
        text
    }

    fn response(&mut self) {
        let results = self.results;
        self.results += 1;
        match results % COMMANDS.len() {
            0 => {
                let line = format!("+CSQ: {},99", self.random.below(32));
                self.line(line.as_bytes(), Meant::Answer(line.as_bytes()));
            }
            1 => {
                let area = self.random.below(65_536);
                let line = format!("+CEREG: 2,1,\"{area:04X}\",\"01C3D4E5\",7");
                self.line(line.as_bytes(), Meant::Answer(line.as_bytes()));
            }
            3 => return self.line(b"+CME ERROR: 10", Meant::Error(10)),
            _ => {}
        }
        // URCs come whenever they like.
        if self.random.below(4) == 0 {
            self.small();
        }
        self.line(b"OK", Meant::Ok);
    }
}
