//! `AT+QSSLCFG`: sets, reads and lists the settings of a TLS context.

use quectel_at::{Answer, Command, Exchange, Line, ParamError, Params, Writer};

use crate::{CheckHost, CipherSuite, ItemName, SecLevel, Secret, SslVersion};

const MANY: &[Answer] = &[Answer::many(b"+QSSLCFG")];
/// The manual says 300 ms; a module that is opening a connection answers later.
const TIMEOUT_MS: u32 = 2_000;

/// A setting with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SslItem<'a> {
    /// `sslversion`
    SslVersion(SslVersion),
    /// `ciphersuite`
    CipherSuite(CipherSuite),
    /// `cacert`: a file, such as `cacert.pem` or `RAM:cacert.pem`. The module does not look whether it exists.
    CaCert(&'a str),
    /// `cacertex`: a second one.
    CaCertEx(&'a str),
    /// `clientcert`: a file.
    ClientCert(&'a str),
    /// `clientkey`: a file, with its password if it has one (EC2x only).
    ClientKey(&'a str, Option<Secret<'a>>),
    /// `seclevel`
    SecLevel(SecLevel),
    /// `ignorelocaltime`: true accepts expired certificates.
    IgnoreLocalTime(bool),
    /// `negotiatetime`: 10 to 300 seconds.
    NegotiateTime(u16),
    /// `session`
    Session(bool),
    /// `session_cache`
    SessionCache(bool),
    /// `sni`
    Sni(bool),
    /// `checkhost`
    CheckHost(CheckHost<'a>),
    /// `ignorecertchain`
    IgnoreCertChain(bool),
    /// `ignoreinvalidcertsign`
    IgnoreInvalidCertSign(bool),
    /// `ignoremulticertchainverify`
    IgnoreMultiCertChainVerify(bool),
    /// `ignorecertitem`: 0, nothing is left out, to 1,048,575.
    IgnoreCertItem(u32),
    /// `ignoreprivkey`
    IgnorePrivKey(bool),
    /// `alpn`: a protocol's name.
    Alpn(&'a str),
    /// `renegotiation`
    Renegotiation(bool),
    /// `psk`: identity and key, at most 255 characters each.
    Psk(&'a str, Secret<'a>),
    /// `closetimemode`: true counts the time of `AT+QSSLCLOSE` in milliseconds instead of seconds.
    CloseTimeMode(bool),
    /// `dtls`
    Dtls(bool),
    /// `dtlsversion`: 0 to 2.
    DtlsVersion(u8),
}

impl SslItem<'_> {
    /// Which setting it is.
    pub const fn name(&self) -> ItemName {
        match self {
            Self::SslVersion(_) => ItemName::SslVersion,
            Self::CipherSuite(_) => ItemName::CipherSuite,
            Self::CaCert(_) => ItemName::CaCert,
            Self::CaCertEx(_) => ItemName::CaCertEx,
            Self::ClientCert(_) => ItemName::ClientCert,
            Self::ClientKey(..) => ItemName::ClientKey,
            Self::SecLevel(_) => ItemName::SecLevel,
            Self::IgnoreLocalTime(_) => ItemName::IgnoreLocalTime,
            Self::NegotiateTime(_) => ItemName::NegotiateTime,
            Self::Session(_) => ItemName::Session,
            Self::SessionCache(_) => ItemName::SessionCache,
            Self::Sni(_) => ItemName::Sni,
            Self::CheckHost(_) => ItemName::CheckHost,
            Self::IgnoreCertChain(_) => ItemName::IgnoreCertChain,
            Self::IgnoreInvalidCertSign(_) => ItemName::IgnoreInvalidCertSign,
            Self::IgnoreMultiCertChainVerify(_) => ItemName::IgnoreMultiCertChainVerify,
            Self::IgnoreCertItem(_) => ItemName::IgnoreCertItem,
            Self::IgnorePrivKey(_) => ItemName::IgnorePrivKey,
            Self::Alpn(_) => ItemName::Alpn,
            Self::Renegotiation(_) => ItemName::Renegotiation,
            Self::Psk(..) => ItemName::Psk,
            Self::CloseTimeMode(_) => ItemName::CloseTimeMode,
            Self::Dtls(_) => ItemName::Dtls,
            Self::DtlsVersion(_) => ItemName::DtlsVersion,
        }
    }

    fn encode_value(&self, line: &mut Writer<'_>) {
        match self.value() {
            Value::Number(number) => line.num(number),
            Value::Hex(number) => line.hex(number),
            Value::Text(text) => line.quoted(text.as_bytes()),
            Value::TextAndSecret(text, secret) => line
                .quoted(text.as_bytes())
                .secret(secret.expose().as_bytes()),
        };
    }

    fn value(&self) -> Value<'_> {
        match *self {
            Self::SslVersion(version) => Value::Number(u32::from(version.number())),
            Self::CipherSuite(suite) => Value::Hex(suite.0),
            Self::SecLevel(level) => Value::Number(u32::from(level.number())),
            Self::NegotiateTime(seconds) => Value::Number(u32::from(seconds)),
            Self::IgnoreCertItem(mask) => Value::Number(mask),
            Self::DtlsVersion(version) => Value::Number(u32::from(version)),
            Self::CaCert(text)
            | Self::CaCertEx(text)
            | Self::ClientCert(text)
            | Self::ClientKey(text, None)
            | Self::Alpn(text)
            | Self::CheckHost(CheckHost::Name(text)) => Value::Text(text),
            Self::ClientKey(text, Some(secret)) | Self::Psk(text, secret) => {
                Value::TextAndSecret(text, secret)
            }
            Self::CheckHost(CheckHost::Off) => Value::Number(0),
            Self::CheckHost(CheckHost::On) => Value::Number(1),
            Self::IgnoreLocalTime(on)
            | Self::Session(on)
            | Self::SessionCache(on)
            | Self::Sni(on)
            | Self::IgnoreCertChain(on)
            | Self::IgnoreInvalidCertSign(on)
            | Self::IgnoreMultiCertChainVerify(on)
            | Self::IgnorePrivKey(on)
            | Self::Renegotiation(on)
            | Self::CloseTimeMode(on)
            | Self::Dtls(on) => Value::Number(u32::from(on)),
        }
    }
}

/// The forms that a value has on the line.
enum Value<'a> {
    Number(u32),
    Hex(u16),
    Text(&'a str),
    TextAndSecret(&'a str, Secret<'a>),
}

/// As in the command, with secrets left out: `"seclevel",1`.
impl core::fmt::Display for SslItem<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "\"{}\",", self.name())?;
        match self.value() {
            Value::Number(number) => write!(f, "{number}"),
            Value::Hex(number) => write!(f, "0X{number:04X}"),
            Value::Text(text) | Value::TextAndSecret(text, _) => write!(f, "\"{text}\""),
        }
    }
}

/// `AT+QSSLCFG="<item>",<context>,<value>`: changes a setting. It holds until the module resets, and for connections
/// that are opened later.
///
/// ```
/// use quectel_at::{Command, Writer};
/// use quectel_ssl::{CipherSuite, QsslCfg, SslItem};
/// let mut buf = [0; 64];
/// let mut line = Writer::new(&mut buf);
/// QsslCfg { context: 2, item: SslItem::CipherSuite(CipherSuite::ALL) }.encode(&mut line);
/// let len = line.finish()?.len;
/// // A quoted 0XFFFF would be refused.
/// assert_eq!(&buf[..len], b"+QSSLCFG=\"ciphersuite\",2,0XFFFF");
/// # Ok::<(), quectel_at::WriteError>(())
/// ```
///
/// # Reference
/// BG96 SSL AT Commands Manual V1.0, AT+QSSLCFG; johncobb/catm1_bg96 issue 9 (quoted suite refused).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QsslCfg<'a> {
    /// TLS context, 0 to 5.
    pub context: u8,
    /// The setting and its value.
    pub item: SslItem<'a>,
}

impl Command for QsslCfg<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QSSLCFG")
            .word(self.item.name().name())
            .num(u32::from(self.context));
        self.item.encode_value(line);
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(TIMEOUT_MS)
    }
}

/// `AT+QSSLCFG="<item>",<context>`: reads a setting; answered by [`SslAnswer`].
///
/// # Reference
/// BG96 SSL AT Commands Manual V1.0, AT+QSSLCFG; johncobb/catm1_bg96 issue 9 (`"ignorelocaltime",1` reads context 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QsslCfgRead {
    /// TLS context, 0 to 5.
    pub context: u8,
    /// Which setting.
    pub item: ItemName,
}

impl Command for QsslCfgRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QSSLCFG")
            .word(self.item.name())
            .num(u32::from(self.context));
    }

    fn exchange(&self) -> Exchange {
        // `cacertex` may answer with one line for each context.
        Exchange::answered(MANY, TIMEOUT_MS)
    }
}

/// `AT+QSSLCFG=?`: lists the settings that the firmware has, one line each; see [`QsslCfgTest::item`].
///
/// # Reference
/// BG96 SSL AT Commands Manual V1.0, AT+QSSLCFG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QsslCfgTest;

impl QsslCfgTest {
    /// The setting that a line of the answer is about; `None` for one that is not known here.
    ///
    /// ```
    /// use quectel_at::Line;
    /// use quectel_ssl::{ItemName, QsslCfgTest, SslItems};
    /// let mut items = SslItems::EMPTY;
    /// for line in [&b"+QSSLCFG: \"seclevel\",(0-5),(0-2)"[..], b"+QSSLCFG: \"sni\",(0-5),(0,1)"] {
    ///     if let Some(item) = QsslCfgTest::item(Line::new(line)) {
    ///         items = items.with(item);
    ///     }
    /// }
    /// assert!(items.contains(ItemName::Sni));
    /// ```
    pub fn item(line: Line<'_>) -> Option<ItemName> {
        ItemName::parse(line.params(b"+QSSLCFG")?.bytes().ok()?)
    }
}

impl Command for QsslCfgTest {
    fn encode(&self, line: &mut Writer<'_>) {
        line.test("+QSSLCFG");
    }

    fn exchange(&self) -> Exchange {
        Exchange::maybe(MANY, TIMEOUT_MS)
    }
}

/// The answer to [`QsslCfgRead`]: `+QSSLCFG: "<item>",<context>,<value>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SslAnswer<'a> {
    /// TLS context.
    pub context: u8,
    /// The setting and its value.
    pub item: SslItem<'a>,
}

impl<'a> SslAnswer<'a> {
    /// Reads the answer line; text may stand in quotes or not, and nothing means an empty text.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape; [`ParamError::WrongName`] also for an unknown setting.
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QSSLCFG").ok_or(ParamError::WrongName)?;
        let name = ItemName::parse(params.bytes()?).ok_or(ParamError::WrongName)?;
        let context = params.u8()?;
        let item = parse_value(name, &mut params)?;
        Ok(Self { context, item })
    }
}

fn parse_value<'a>(name: ItemName, params: &mut Params<'a>) -> Result<SslItem<'a>, ParamError> {
    Ok(match name {
        ItemName::SslVersion => SslItem::SslVersion(SslVersion::from_number(params.u8()?)),
        ItemName::CipherSuite => {
            let number = u16::try_from(params.hex()?).map_err(|_| ParamError::NotANumber)?;
            SslItem::CipherSuite(CipherSuite(number))
        }
        ItemName::CaCert => SslItem::CaCert(text(params)?),
        ItemName::CaCertEx => SslItem::CaCertEx(text(params)?),
        ItemName::ClientCert => SslItem::ClientCert(text(params)?),
        ItemName::ClientKey => SslItem::ClientKey(text(params)?, None),
        ItemName::SecLevel => SslItem::SecLevel(SecLevel::from_number(params.u8()?)?),
        ItemName::IgnoreLocalTime => SslItem::IgnoreLocalTime(flag(params)?),
        ItemName::NegotiateTime => SslItem::NegotiateTime(params.u16()?),
        ItemName::Session => SslItem::Session(flag(params)?),
        ItemName::SessionCache => SslItem::SessionCache(flag(params)?),
        ItemName::Sni => SslItem::Sni(flag(params)?),
        ItemName::CheckHost => SslItem::CheckHost(match text(params)? {
            "0" | "" => CheckHost::Off,
            "1" => CheckHost::On,
            host => CheckHost::Name(host),
        }),
        ItemName::IgnoreCertChain => SslItem::IgnoreCertChain(flag(params)?),
        ItemName::IgnoreInvalidCertSign => SslItem::IgnoreInvalidCertSign(flag(params)?),
        ItemName::IgnoreMultiCertChainVerify => SslItem::IgnoreMultiCertChainVerify(flag(params)?),
        ItemName::IgnoreCertItem => SslItem::IgnoreCertItem(params.u32()?),
        ItemName::IgnorePrivKey => SslItem::IgnorePrivKey(flag(params)?),
        ItemName::Alpn => SslItem::Alpn(text(params)?),
        ItemName::Renegotiation => SslItem::Renegotiation(flag(params)?),
        ItemName::Psk => SslItem::Psk(text(params)?, Secret::new(text(params)?)),
        ItemName::CloseTimeMode => SslItem::CloseTimeMode(flag(params)?),
        ItemName::Dtls => SslItem::Dtls(flag(params)?),
        ItemName::DtlsVersion => SslItem::DtlsVersion(params.u8()?),
    })
}

fn text<'a>(params: &mut Params<'a>) -> Result<&'a str, ParamError> {
    match params.text() {
        Err(ParamError::Missing) => Ok(""),
        other => other,
    }
}

fn flag(params: &mut Params<'_>) -> Result<bool, ParamError> {
    match params.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(ParamError::NotANumber),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{is_answer, written};
    use std::format;
    use std::string::ToString;

    /// Every setting with a value, as sent.
    const ITEMS: &[(SslItem<'static>, &str)] = &[
        (SslItem::SslVersion(SslVersion::All), "\"sslversion\",2,4"),
        (
            SslItem::SslVersion(SslVersion::Other(5)),
            "\"sslversion\",2,5",
        ),
        (
            SslItem::CipherSuite(CipherSuite::ALL),
            "\"ciphersuite\",2,0XFFFF",
        ),
        (
            SslItem::CipherSuite(CipherSuite(0x35)),
            "\"ciphersuite\",2,0X0035",
        ),
        (
            SslItem::CaCert("UFS:cacert.pem"),
            "\"cacert\",2,\"UFS:cacert.pem\"",
        ),
        (SslItem::CaCertEx("b.pem"), "\"cacertex\",2,\"b.pem\""),
        (
            SslItem::ClientCert("client_cert.pem"),
            "\"clientcert\",2,\"client_cert.pem\"",
        ),
        (
            SslItem::ClientKey("client_key.pem", None),
            "\"clientkey\",2,\"client_key.pem\"",
        ),
        (SslItem::SecLevel(SecLevel::Server), "\"seclevel\",2,1"),
        (SslItem::IgnoreLocalTime(true), "\"ignorelocaltime\",2,1"),
        (SslItem::NegotiateTime(300), "\"negotiatetime\",2,300"),
        (SslItem::Session(true), "\"session\",2,1"),
        (SslItem::SessionCache(true), "\"session_cache\",2,1"),
        (SslItem::Sni(true), "\"sni\",2,1"),
        (SslItem::CheckHost(CheckHost::On), "\"checkhost\",2,1"),
        (SslItem::CheckHost(CheckHost::Off), "\"checkhost\",2,0"),
        (
            SslItem::CheckHost(CheckHost::Name("host")),
            "\"checkhost\",2,\"host\"",
        ),
        (SslItem::IgnoreCertChain(false), "\"ignorecertchain\",2,0"),
        (
            SslItem::IgnoreInvalidCertSign(false),
            "\"ignoreinvalidcertsign\",2,0",
        ),
        (
            SslItem::IgnoreMultiCertChainVerify(false),
            "\"ignoremulticertchainverify\",2,0",
        ),
        (
            SslItem::IgnoreCertItem(1_048_575),
            "\"ignorecertitem\",2,1048575",
        ),
        (SslItem::IgnorePrivKey(false), "\"ignoreprivkey\",2,0"),
        (SslItem::Alpn("mqtt"), "\"alpn\",2,\"mqtt\""),
        (SslItem::Renegotiation(false), "\"renegotiation\",2,0"),
        (
            SslItem::Psk("me", Secret::new("k")),
            "\"psk\",2,\"me\",\"k\"",
        ),
        (SslItem::CloseTimeMode(true), "\"closetimemode\",2,1"),
        (SslItem::Dtls(false), "\"dtls\",2,0"),
        (SslItem::DtlsVersion(2), "\"dtlsversion\",2,2"),
    ];

    #[test]
    fn every_item_is_written_and_read_back() {
        for (item, text) in ITEMS {
            let command = QsslCfg {
                context: 2,
                item: *item,
            };
            assert_eq!(written(&command), format!("+QSSLCFG={text}"));
            let line = format!("+QSSLCFG: {text}");
            assert_eq!(
                SslAnswer::parse(Line::new(line.as_bytes())),
                Ok(SslAnswer {
                    context: 2,
                    item: *item
                }),
                "{line}"
            );
        }
        for name in ItemName::ALL {
            assert!(ITEMS.iter().any(|(item, _)| item.name() == *name), "{name}");
        }
    }

    #[test]
    fn read_forms() {
        let read = QsslCfgRead {
            context: 1,
            item: ItemName::IgnoreLocalTime,
        };
        assert_eq!(written(&read), "+QSSLCFG=\"ignorelocaltime\",1");
        assert!(is_answer(&read, b"+QSSLCFG: \"ignorelocaltime\",1,1"));
        assert_eq!(written(&QsslCfgTest), "+QSSLCFG=?");
    }

    #[test]
    fn answers_of_the_families() {
        let item =
            |line: &'static [u8]| SslAnswer::parse(Line::new(line)).map(|a| (a.context, a.item));
        let ok: &[(&[u8], u8, SslItem<'_>)] = &[
            (
                b"+QSSLCFG: \"ignorelocaltime\",1,1",
                1,
                SslItem::IgnoreLocalTime(true),
            ),
            (
                b"+QSSLCFG: \"ignorelocaltime\",0,1",
                0,
                SslItem::IgnoreLocalTime(true),
            ),
            (
                b"+QSSLCFG: \"cacert\",1,\"isrgx1.pem\"",
                1,
                SslItem::CaCert("isrgx1.pem"),
            ),
            // The BG96 manual prints text without quotes.
            (
                b"+QSSLCFG: \"cacert\",1,cacert.pem",
                1,
                SslItem::CaCert("cacert.pem"),
            ),
            (b"+QSSLCFG: \"cacert\",1,\"\"", 1, SslItem::CaCert("")),
            (b"+QSSLCFG: \"cacert\",1", 1, SslItem::CaCert("")),
            (
                b"+QSSLCFG: \"ciphersuite\",0,0XFFFF",
                0,
                SslItem::CipherSuite(CipherSuite::ALL),
            ),
            (
                b"+QSSLCFG: \"ciphersuite\",0,0xc02f",
                0,
                SslItem::CipherSuite(CipherSuite(0xC02F)),
            ),
            (b"+QSSLCFG: \"SNI\",1,0", 1, SslItem::Sni(false)),
        ];
        for (line, context, expected) in ok {
            assert_eq!(
                item(line),
                Ok((*context, *expected)),
                "{}",
                line.escape_ascii()
            );
        }
        let bad: &[(&[u8], ParamError)] = &[
            (b"+QSSLCFG: \"seclevel\",1,3", ParamError::NotANumber),
            (b"+QSSLCFG: \"seclevel\",1", ParamError::Missing),
            (
                b"+QSSLCFG: \"ciphersuite\",1,0X1FFFF",
                ParamError::NotANumber,
            ),
            (b"+QSSLCFG: \"new\",1,0", ParamError::WrongName),
            (b"+QMTCFG: \"ssl\",1,0", ParamError::WrongName),
            (b"+QSSLCFG: \"cacert\",1,\"\xFF\"", ParamError::NotText),
        ];
        for (line, error) in bad {
            assert_eq!(item(line), Err(*error), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn secrets_are_marked_and_hidden() {
        let item = SslItem::ClientKey("key.pem", Some(Secret::new("hunter2")));
        let command = QsslCfg { context: 0, item };
        let mut buf = [0; 64];
        let mut line = Writer::new(&mut buf);
        command.encode(&mut line);
        let encoded = line.finish().unwrap();
        assert_eq!(&buf[encoded.secret.unwrap()], b"hunter2");
        assert!(!format!("{command:?}").contains("hunter2"));
        assert_eq!(item.to_string(), "\"clientkey\",\"key.pem\"");
    }
}
