//! What ARCHITECTURE.md, deny.toml, README.md and CONTRIBUTING.md say about the project, compared with what Cargo and
//! the files say.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests; a wrong file stops the test with its place"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

/// The crates for firmware: no `std`, no heap.
const NO_STD: [&str; 6] = [
    "quectel-at",
    "quectel-file",
    "quectel-ssl",
    "quectel-mqtt",
    "azure-auth",
    "quectel-azure",
];

/// All that the crates for firmware may use from elsewhere.
const NO_STD_DEPENDENCIES: [&str; 6] = ["thiserror", "hmac", "sha2", "base64", "zeroize", "subtle"];

/// The simulators: a second reading of the same manuals, so nothing of the first.
const SIMULATORS: [&str; 3] = ["quectel-sim", "iothub-sim", "mqtt311"];

/// The packages that look at everything from outside; no arrows.
const OUTSIDE: [&str; 2] = ["quectel-azure-tests", "quectel-azure-benches"];

static METADATA: LazyLock<Value> = LazyLock::new(|| {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
});

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn packages() -> &'static [Value] {
    METADATA["packages"].as_array().unwrap()
}

fn members() -> impl Iterator<Item = &'static Value> {
    packages().iter().filter(|p| p["source"].is_null())
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

/// The names that a member depends on; `kind` as Cargo's metadata has it, where `null` is a normal dependency.
fn dependencies<'p>(
    package: &'p Value,
    kinds: &'p [Option<&str>],
) -> impl Iterator<Item = &'p Value> {
    package["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|d| kinds.contains(&d["kind"].as_str()))
}

fn of_the_workspace(dependency: &Value) -> bool {
    dependency["source"].is_null()
}

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The `arrows` block of a Markdown text: lines of `from -> to, to`.
fn arrows(markdown: &str) -> Arrows {
    let block = markdown
        .split("```arrows\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    block
        .lines()
        .map(|line| {
            let (from, to) = line.split_once("->").unwrap_or_else(|| panic!("{line}"));
            let to = to.split(',').map(|t| t.trim().to_owned()).collect();
            (from.trim().to_owned(), to)
        })
        .collect()
}

#[test]
fn arrows_are_what_cargo_says() {
    let mut actual = Arrows::new();
    for package in members().filter(|p| !OUTSIDE.contains(&name(p))) {
        let to: BTreeSet<_> = dependencies(package, &[None, Some("build")])
            .filter(|d| of_the_workspace(d))
            .map(|d| name(d).to_owned())
            .collect();
        if !to.is_empty() {
            actual.insert(name(package).to_owned(), to);
        }
    }
    assert_eq!(actual, arrows(&read("ARCHITECTURE.md")));
}

#[test]
fn simulators_share_no_code_with_the_driver() {
    for package in members().filter(|p| SIMULATORS.contains(&name(p))) {
        let shared: Vec<_> = dependencies(package, &[None, Some("build"), Some("dev")])
            .filter(|d| of_the_workspace(d) && !SIMULATORS.contains(&name(d)))
            .map(name)
            .collect();
        assert!(shared.is_empty(), "{} -> {shared:?}", name(package));
    }
}

#[test]
fn architecture_is_short() {
    let lines = read("ARCHITECTURE.md").lines().count();
    assert!(lines < 200, "{lines} lines");
}

#[test]
fn dependencies_of_the_no_std_crates_are_few() {
    for package in members().filter(|p| NO_STD.contains(&name(p))) {
        for dependency in dependencies(package, &[None, Some("build")]) {
            let (from, to) = (name(package), name(dependency));
            let allowed = if of_the_workspace(dependency) {
                NO_STD.contains(&to)
            } else {
                NO_STD_DEPENDENCIES.contains(&to)
            };
            assert!(allowed, "{from} -> {to}");
            assert!(
                of_the_workspace(dependency) || dependency["uses_default_features"] == false,
                "{from} -> {to} with default features"
            );
        }
        let features = package["features"].as_object().unwrap();
        assert!(features.is_empty(), "{} has features", name(package));
    }
}

#[test]
fn every_crate_forbids_unsafe_code() {
    let mut seen = 0;
    for package in members() {
        let folder = Path::new(package["manifest_path"].as_str().unwrap())
            .parent()
            .unwrap();
        if folder.parent() != Some(&root().join("crates")) {
            continue;
        }
        for target in package["targets"].as_array().unwrap() {
            let kind = target["kind"][0].as_str().unwrap();
            if !["lib", "bin"].contains(&kind) {
                continue;
            }
            let path = target["src_path"].as_str().unwrap();
            let text = read(path);
            let has = |line| text.lines().any(|l| l == line);
            assert!(has("#![forbid(unsafe_code)]"), "{path}");
            assert!(
                kind != "lib" || has("#![no_std]") == NO_STD.contains(&name(package)),
                "{path}: no_std"
            );
            seen += 1;
        }
    }
    assert!(seen >= 13, "only {seen} crates found");
}

#[test]
fn dependencies_have_an_allowed_licence() {
    let deny: toml::Table = read("deny.toml").parse().unwrap();
    let allow: Vec<_> = deny["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l.as_str().unwrap())
        .collect();
    for package in packages() {
        let (name, licence) = (name(package), package["license"].as_str().unwrap_or(""));
        let expression = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX)
            .unwrap_or_else(|e| panic!("{name}: {licence:?}: {e}"));
        assert!(
            expression.evaluate(|req| allow.contains(&req.to_string().as_str())),
            "{name}: {licence}"
        );
    }
}

/// The packages of Cargo.lock: name, version, source.
fn locked() -> Vec<(String, String, Option<String>)> {
    let lock: toml::Table = read("Cargo.lock").parse().unwrap();
    let text = |p: &toml::Value, key| p.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    lock["package"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| {
            (
                text(p, "name").unwrap(),
                text(p, "version").unwrap(),
                text(p, "source"),
            )
        })
        .collect()
}

#[test]
fn dependencies_come_from_the_registry() {
    for (name, _, source) in locked() {
        let from_the_registry = source.as_deref().is_none_or(|s| s.starts_with("registry+"));
        assert!(from_the_registry, "{name}: {source:?}");
    }
}

/// `deny.toml`'s `skip`, which cargo-deny reads too, gives the reason for every older version that is tolerated.
#[test]
fn dependencies_come_in_one_version() {
    let deny: toml::Table = read("deny.toml").parse().unwrap();
    let mut skipped = BTreeSet::new();
    for entry in deny["bans"]["skip"].as_array().unwrap() {
        let reason = entry["reason"].as_str().unwrap();
        assert!(!reason.is_empty(), "{entry} has no reason");
        skipped.insert(entry["crate"].as_str().unwrap().to_owned());
    }
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, version, _) in locked() {
        versions.entry(name).or_default().push(version);
    }
    for (name, mut versions) in versions {
        versions.sort_by_key(|v| numbers(v));
        versions.pop();
        for version in versions {
            let listed = skipped.iter().any(|spec| {
                spec.split_once('@').is_some_and(|(n, v)| {
                    n == name && (version == v || version.starts_with(&format!("{v}.")))
                })
            });
            assert!(listed, "{name} {version} beside a newer one; cargo tree -i");
        }
    }
}

/// The numbers of a version such as `1.88` or `1.88.0`; a pre-release counts as its release.
fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version
        .split(['.', '-', '+'])
        .map_while(|p| p.parse().ok())
        .chain([0; 3]);
    core::array::from_fn(|_| parts.next().unwrap_or(0))
}

#[test]
fn msrv_is_one_number_that_every_dependency_meets() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let msrv = manifest["workspace"]["package"]["rust-version"]
        .as_str()
        .unwrap();
    for package in packages() {
        let Some(theirs) = package["rust_version"].as_str() else {
            assert!(
                !package["source"].is_null(),
                "{} states none",
                name(package)
            );
            continue;
        };
        if package["source"].is_null() {
            assert_eq!(theirs, msrv, "{}", name(package));
        } else {
            assert!(
                numbers(theirs) <= numbers(msrv),
                "{} needs {theirs}",
                name(package)
            );
        }
    }
    for page in ["README.md", "CONTRIBUTING.md"] {
        for stated in after(&read(page), "Rust 1.") {
            assert_eq!(format!("1.{stated}"), msrv, "{page}");
        }
    }
}

/// What follows each `mark` in `text`, up to something else than letters, digits, `-` and `_`.
fn after<'t>(text: &'t str, mark: &str) -> Vec<&'t str> {
    text.split(mark)
        .skip(1)
        .map(|rest| {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
            rest.get(..end).unwrap()
        })
        .collect()
}

/// Every check that the pages name is one of ci.sh, and README gives the two commands that everything starts with.
#[test]
fn commands_of_the_pages_exist() {
    let ci = read("ci.sh");
    let readme = read("README.md");
    for page in [&readme, &read("CONTRIBUTING.md")] {
        for check in after(page, "./ci.sh ") {
            assert!(
                check == "--list"
                    || check.is_empty()
                    || ci.contains(&format!("check_{check}() {{")),
                "./ci.sh {check}"
            );
        }
    }
    assert!(readme.contains("\ncargo run --release -- demo\n"));
    assert!(readme.contains("\n./ci.sh\n"));
}

/// The lines of the pages' `sh` blocks that run the command, as its arguments.
fn command_lines() -> Vec<(PathBuf, Vec<String>)> {
    let mut files = Vec::new();
    text_files(&root(), &mut files);
    let mut found = Vec::new();
    for path in files
        .iter()
        .filter(|p| p.extension() == Some("md".as_ref()))
    {
        let mut in_shell = false;
        for line in read(path).lines() {
            if line.starts_with("```") {
                in_shell = line == "```sh";
            }
            let arguments = line
                .strip_prefix("quectel-azure ")
                .or_else(|| line.strip_prefix("cargo run --release -- "));
            let Some(arguments) = arguments.filter(|_| in_shell) else {
                continue;
            };
            let mut words = Vec::new();
            for (n, piece) in arguments.split('\'').enumerate() {
                if n % 2 == 1 {
                    words.push(piece.to_owned());
                } else {
                    words.extend(piece.split_whitespace().map(str::to_owned));
                }
            }
            found.push((path.clone(), words));
        }
    }
    found
}

/// With `--help` at its end a command line is read up to there, and nothing is done.
#[test]
fn command_lines_of_the_pages_are_understood() {
    let lines = command_lines();
    assert!(lines.len() >= 3, "{lines:?}");
    for (path, words) in lines {
        let arguments = ["quectel-azure".to_owned()]
            .into_iter()
            .chain(words)
            .chain(["--help".to_owned()]);
        let (mut input, mut out, mut err) = (std::io::empty(), Vec::new(), Vec::new());
        let status = quectel_azure_cli::run(
            arguments.clone(),
            &mut quectel_azure_cli::Console {
                input: &mut input,
                out: &mut out,
                err: &mut err,
                variable: &|_| None,
                out_colour: false,
                err_colour: false,
                interactive: false,
                cancel: quectel_azure_cli::CancelToken::default(),
            },
        );
        assert_eq!(
            status,
            quectel_azure_cli::Status::Done,
            "{}: {:?}\n{}",
            path.display(),
            arguments.collect::<Vec<_>>(),
            String::from_utf8_lossy(&err)
        );
    }
}

fn text_files(folder: &Path, files: &mut Vec<PathBuf>) {
    const NOT_OURS: [&str; 6] = [
        "target",
        "corpus",
        "artifacts",
        "__pycache__",
        "build",
        "dist",
    ];
    const HIDDEN_BUT_OURS: [&str; 3] = [".ci", ".cargo", ".gitignore"];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if NOT_OURS.contains(&name.as_str())
            || name.ends_with(".egg-info")
            || (name.starts_with('.') && !HIDDEN_BUT_OURS.contains(&name.as_str()))
        {
            continue;
        }
        if path.is_dir() {
            text_files(&path, files);
        } else {
            files.push(path);
        }
    }
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    // In pieces, so that this file passes too.
    let unwanted = [
        ["/wo", "rk/"],
        ["/ho", "me/"],
        ["/ro", "ot/"],
        ["/Us", "ers/"],
        ["C:\\Us", "ers"],
        ["crates", ".io"],
        ["pypi", ".org"],
        ["python", "hosted.org"],
        ["debian", ".org"],
        ["npmjs", ".org"],
    ]
    .map(|pieces| pieces.concat());
    let mut files = Vec::new();
    text_files(&root(), &mut files);
    assert!(files.len() > 100, "only {} files found", files.len());
    let mut hits = Vec::new();
    for path in files {
        // Written by Cargo, with the registry's index in it.
        if path.ends_with("Cargo.lock") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            for word in unwanted.iter().filter(|w| line.contains(w.as_str())) {
                hits.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    assert!(hits.is_empty(), "{hits:#?}");
}
