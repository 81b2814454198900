//! Compares `include/quectel_azure.h` with the code; `UPDATE_GOLDEN=1` writes it instead.

use core::fmt::Write as _;
use std::path::Path;

use cbindgen::{Builder, Config, DocumentationStyle, Language, Style};
use quectel_azure::Reason;

const OPENING: &str = include_str!("header/opening.h");
const CLOSING: &str = include_str!("header/closing.h");

#[test]
fn the_header_is_what_the_code_says() {
    let bindings = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = bindings.join("../../include/quectel_azure.h");
    let header = header(bindings);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, header).expect("the header can be written");
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == header,
        "include/quectel_azure.h is not what the code says; look at the change and run UPDATE_GOLDEN=1 cargo test"
    );
}

fn header(bindings: &Path) -> String {
    let config = Config {
        language: Language::C,
        cpp_compat: true,
        usize_is_size_t: true,
        style: Style::Type,
        documentation_style: DocumentationStyle::Doxy,
        include_guard: Some("QUECTEL_AZURE_H".into()),
        no_includes: true,
        sys_includes: vec!["stddef.h".into(), "stdint.h".into()],
        header: Some(OPENING.trim_end().into()),
        after_includes: Some(format!("\n{}\n{}", versions(), reasons())),
        line_length: 120,
        tab_width: 4,
        ..Config::default()
    };
    let mut builder = Builder::new().with_config(config);
    for source in [
        "types", "result", "info", "config", "message", "client", "event", "poll",
    ] {
        builder = builder.with_src(bindings.join(format!("src/{source}.rs")));
    }
    let generated = builder.generate().expect("the sources can be parsed");
    let mut bytes = Vec::new();
    generated.write(&mut bytes);
    for_c(&String::from_utf8(bytes).expect("the header is UTF-8"))
}

/// What Rust calls the safety of a function is what C calls its requirements; and the function of the firmware stands
/// with the others.
fn for_c(header: &str) -> String {
    let end = "#ifdef __cplusplus\n}";
    let header = header
        .replace("\n * # Safety\n * ", "\n * Requires: ")
        .replace(end, &format!("{CLOSING}\n{end}"));
    assert!(header.is_ascii() && header.contains(CLOSING));
    header
}

fn versions() -> String {
    let text = env!("CARGO_PKG_VERSION");
    let number = |part: &str| -> u32 { part.parse().expect("a version is three numbers") };
    let major = number(env!("CARGO_PKG_VERSION_MAJOR"));
    let minor = number(env!("CARGO_PKG_VERSION_MINOR"));
    let patch = number(env!("CARGO_PKG_VERSION_PATCH"));
    assert!(
        minor < 256 && patch < 256,
        "the combined number has a byte for each"
    );
    format!(
        "/**\n * Version of this header; compare QUECTEL_AZURE_VERSION with quectel_azure_version().\n */\n\
         #define QUECTEL_AZURE_VERSION_MAJOR {major}\n\
         #define QUECTEL_AZURE_VERSION_MINOR {minor}\n\
         #define QUECTEL_AZURE_VERSION_PATCH {patch}\n\
         #define QUECTEL_AZURE_VERSION {:#010x}\n\
         #define QUECTEL_AZURE_VERSION_TEXT \"{text}\"\n",
        (major << 16) | (minor << 8) | patch
    )
}

fn reasons() -> String {
    let mut out = String::new();
    for reason in Reason::ALL {
        let name = reason.name().to_ascii_uppercase().replace('-', "_");
        let (text, number) = (reason.text(), reason.number());
        writeln!(
            out,
            "/** Reason of failure: {text}. */\n#define QUECTEL_AZURE_REASON_{name} {number}"
        )
        .expect("a string takes any text");
    }
    out.trim_end().to_owned()
}
