//! The driver's own commands behind the command lines of the transcripts.

use quectel_at::commands as at;
use quectel_at::{Answer, Chain, Command, DataPhase, Exchange, Writer};
use quectel_file as file;
use quectel_mqtt as mqtt;
use quectel_ssl as ssl;

/// A command line as it stands in a transcript, answered as the driver's command of the same name expects it.
#[derive(Debug, Clone, Copy)]
pub struct Typed {
    text: &'static str,
    exchange: Exchange,
}

impl Typed {
    /// The command of a line that begins with `AT` and has no CR; `download` is the size of a file that only the host
    /// knows.
    pub fn new(line: &str, download: u32) -> Self {
        // A test has a few hundred of them, and the writer takes constants only.
        let line: &'static str = Box::leak(line.into());
        let text = line.get(2..).unwrap_or_default();
        let parts: Vec<Self> = text
            .split(';')
            .map(|text| Self {
                text,
                exchange: exchange(text, download),
            })
            .collect();
        let exchange = match &parts[..] {
            [one] => one.exchange,
            parts => {
                let commands: Vec<&dyn Command> = parts.iter().map(|p| p as &dyn Command).collect();
                Chain(&commands).exchange()
            }
        };
        Self { text, exchange }
    }
}

impl Command for Typed {
    fn encode(&self, line: &mut Writer<'_>) {
        line.raw(self.text);
    }

    fn exchange(&self) -> Exchange {
        self.exchange
    }
}

/// How the driver expects the command to be answered; parameters matter only where they change that.
fn exchange(text: &str, download: u32) -> Exchange {
    let text = text.to_ascii_uppercase();
    let (name, rest) = text
        .find(['=', '?'])
        .map_or((&text[..], ""), |at| text.split_at(at));
    let fields = rest.matches(',').count() + 1;
    match (name, rest.get(..1)) {
        ("", _) => at::At.exchange(),
        ("I", _) => at::Ati.exchange(),
        ("E0" | "E1", _) => at::Ate { on: false }.exchange(),
        ("V0" | "V1", _) => at::Atv { verbose: false }.exchange(),
        ("+CGSN", None) => at::Cgsn.exchange(),
        ("+CMEE", _) => at::Cmee::Numeric.exchange(),
        ("+CPIN", Some("?")) => at::CpinRead.exchange(),
        ("+CFUN", Some("?")) => at::CfunRead.exchange(),
        ("+CFUN", _) => at::Cfun {
            function: 1,
            reset: true,
        }
        .exchange(),
        ("+CREG", Some("?")) => at::CregRead.exchange(),
        ("+CGREG", Some("?")) => at::CgregRead.exchange(),
        ("+CEREG", Some("?")) => at::CeregRead.exchange(),
        ("+QNWINFO", None) => at::Qnwinfo.exchange(),
        ("+CSQ", None) => at::Csq.exchange(),
        ("+QCSQ", None) => at::Qcsq.exchange(),
        ("+CCLK", Some("?")) => at::CclkRead.exchange(),
        ("+QPOWD", _) => at::Qpowd { normal: true }.exchange(),
        ("+QURCCFG", _) if fields == 1 => at::QurcCfgRead.exchange(),
        ("+QURCCFG", _) => at::QurcCfg { port: "uart1" }.exchange(),
        ("+QICSGP", _) if fields == 1 => at::QicsgpRead { context: 1 }.exchange(),
        ("+QIACT", Some("?")) => at::QiactRead.exchange(),
        ("+QIACT", _) => at::Qiact { context: 1 }.exchange(),
        ("+QIDEACT", _) => at::Qideact { context: 1 }.exchange(),
        ("+QIDNSCFG", _) if fields == 1 => at::QidnsCfgRead { context: 1 }.exchange(),
        ("+QIGETERROR", _) => at::QiGetError.exchange(),
        ("+QISEND", _) => at::QiSend { socket: 0, len: 1 }.exchange(),
        ("+QIRD", _) if rest.ends_with(",0") => at::QiRdStatus { socket: 0 }.exchange(),
        ("+QIRD", _) => at::QiRd { socket: 0, len: 1 }.exchange(),
        ("+QISTATE", _) => at::QiState { socket: 0 }.exchange(),
        ("+QFLST", _) => file::QfLst { pattern: None }.exchange(),
        ("+QFUPL", _) => file::QfUpl {
            ack: fields == 4,
            ..upload()
        }
        .exchange(),
        ("+QFDWL", _) => file::QfDwl {
            name: upload().name,
            size: download,
        }
        .exchange(),
        ("+QFREAD", _) => file::QfRead {
            handle: file::Handle(1),
            length: None,
        }
        .exchange(),
        ("+QFOPEN", _) => file::QfOpen {
            name: upload().name,
            mode: file::OpenMode::OpenOrCreate,
        }
        .exchange(),
        ("+QSSLCFG", _) if rest.starts_with("=\"") && fields == 2 => ssl::QsslCfgRead {
            context: 1,
            item: ssl::ItemName::Sni,
        }
        .exchange(),
        ("+QSSLSEND", _) => ssl::QsslSend {
            id: 0,
            length: Some(1),
        }
        .exchange(),
        ("+QSSLRECV", _) => ssl::QsslRecv { id: 0, length: 1 }.exchange(),
        ("+QSSLSTATE", _) => ssl::QsslState { id: None }.exchange(),
        ("+QMTOPEN", Some("?")) => mqtt::QmtOpenRead.exchange(),
        ("+QMTOPEN", _) => mqtt::QmtOpen {
            client: 0,
            host: "h",
            port: 1,
        }
        .exchange(),
        ("+QMTCONN", Some("?")) => mqtt::QmtConnRead.exchange(),
        ("+QMTRECV", Some("?")) => mqtt::QmtRecvRead.exchange(),
        ("+QMTRECV", _) => mqtt::QmtRecv {
            client: 0,
            slot: None,
        }
        .exchange(),
        ("+QMTPUB", _) => publish(fields == 6).exchange(),
        ("+QMTPUBEX", _) if rest.ends_with('"') && fields == 6 => Exchange::plain(10_000),
        ("+QMTPUBEX", _) => publish(true).exchange(),
        // Of other families, and without a type of their own.
        ("+QSECWRITE", _) => Exchange::answered(const { &[Answer::once(b"+QSECWRITE")] }, 10_000)
            .with_data(DataPhase::Upload { ack: false }),
        ("+QSSLCFG", _) if rest == "=1,5,\"CACERT\"" => {
            Exchange::answered(const { &[Answer::once(b"+QSSLCFG")] }, 10_000)
                .with_data(DataPhase::Prompt { ctrl_z: false })
        }
        _ => Exchange::plain(10_000),
    }
}

fn upload() -> file::QfUpl<'static> {
    let name = file::FileName::new("a.pem").expect("a name of a file");
    file::QfUpl::new(name, 1)
}

fn publish(counted: bool) -> mqtt::QmtPub<'static> {
    mqtt::QmtPub {
        client: 0,
        delivery: mqtt::Delivery::AtMostOnce,
        retain: false,
        topic: "t",
        length: counted.then_some(1),
    }
}
