//! The folder in which a hub keeps its certificates, keys and state.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{
    config::{ConfigFile, ConfigFileError},
    hub::{Hub, RestoreError, SavedState},
    key::SharedAccessKey,
    pki::{IssuingAuthority, Pki, PkiError, PkiOptions},
};

const SEED: &str = "seed";
const CONFIG: &str = "hub.toml";
const STATE: &str = "state.json";
#[cfg(unix)]
const LOCK: &str = "lock";
const ROOT: (&str, &str) = ("root.pem", "root-key.pem");
const ISSUER: (&str, &str) = ("issuer.pem", "issuer-key.pem");

/// What a folder without configuration begins with.
const FIRST_CONFIG: &str = r#"# Hubs, devices and the provisioning service of this local cloud.
# Keys that are left out are derived from the file `seed` beside this one and stay the same.

[[hub]]
host = "contoso.azure-devices.net"

[[hub.device]]
id = "device1"

[[provisioning]]
id_scope = "0ne00000A0A"

[[provisioning.group]]
name = "devices"
"#;

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// A file or the folder itself cannot be read or written.
    #[error("{path}: cannot be {act}: {error}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// `read` or `written`.
        act: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// The saved state is damaged or newer.
    #[error("{path}: {error}", path = path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: RestoreError,
    },
    /// The seed is not a key.
    #[error("{path}: is not the base64 of a key; remove it to begin anew with other keys", path = path.display())]
    Seed {
        /// The file.
        path: PathBuf,
    },
    /// A kept certificate or key is unreadable.
    #[error("{path}: {error}", path = path.display())]
    Pki {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: PkiError,
    },
    /// Another hub runs in the folder.
    #[error("{path}: another hub uses this folder; end it, or take another folder", path = path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The configuration is faulty.
    #[error(transparent)]
    Config(#[from] ConfigFileError),
}

/// The folder in which a hub keeps what must survive a restart.
///
/// Holds the test root and its key, a seed for keys that the configuration leaves out, `hub.toml` if no
/// other configuration is given, and `state.json` with identities, twins, sessions and queues.
#[derive(Debug)]
pub struct StateFolder {
    path: PathBuf,
    seed: SharedAccessKey,
    /// Files that were made and not written yet.
    fresh: Vec<(&'static str, String)>,
    /// Keeps other hubs away.
    lock: Option<Lock>,
}

#[cfg(unix)]
type Lock = nix::fcntl::Flock<fs::File>;
#[cfg(not(unix))]
type Lock = ();

impl StateFolder {
    /// Looks at a folder, which need not exist; nothing is written before the hub starts.
    ///
    /// # Errors
    ///
    /// The folder cannot be read, or its state is damaged or of a newer version.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        match fs::read_dir(path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(StateError::Io {
                    path: path.to_owned(),
                    act: "read",
                    error,
                });
            }
        }
        let mut folder = Self {
            path: path.to_owned(),
            seed: SharedAccessKey::from_bytes([]),
            fresh: Vec::new(),
            lock: None,
        };
        folder.saved()?;
        folder.seed = match folder.read(SEED)? {
            Some(text) => text.trim().parse().map_err(|_| StateError::Seed {
                path: folder.file(SEED),
            })?,
            None => {
                let seed = SharedAccessKey::generate();
                folder.fresh.push((SEED, seed.to_base64()));
                seed
            }
        };
        Ok(folder)
    }

    /// Whether the folder has a configuration of its own already.
    ///
    /// # Errors
    ///
    /// The file is there and cannot be read.
    pub fn is_configured(&self) -> Result<bool, StateError> {
        Ok(self.read(CONFIG)?.is_some())
    }

    /// What keys that the configuration leaves out are derived from.
    #[must_use]
    pub const fn seed(&self) -> &SharedAccessKey {
        &self.seed
    }

    /// Where the root certificate lies that devices must trust.
    #[must_use]
    pub fn root_certificate(&self) -> PathBuf {
        self.file(ROOT.0)
    }

    /// The folder's own configuration; one hub, one device and one id scope if there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is faulty.
    pub fn configuration(&mut self) -> Result<ConfigFile, StateError> {
        self.configuration_or(FIRST_CONFIG)
    }

    /// The folder's own configuration; `first`, the text of such a file, if there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is faulty.
    pub fn configuration_or(&mut self, first: &str) -> Result<ConfigFile, StateError> {
        let known = self.read(CONFIG)?;
        let text = known.as_deref().unwrap_or(first);
        let file = ConfigFile::parse(text, &self.file(CONFIG), &self.seed)?;
        if known.is_none() {
            self.fresh.push((CONFIG, first.to_owned()));
        }
        Ok(file)
    }

    /// Certificates below the folder's root, which is made at the first time.
    ///
    /// # Errors
    ///
    /// The root cannot be read or made.
    pub fn pki(&mut self, options: &PkiOptions) -> Result<Pki, StateError> {
        let path = self.file(ROOT.0);
        let failed = |error| StateError::Pki { path, error };
        match (self.read(ROOT.0)?, self.read(ROOT.1)?) {
            (Some(certificate), Some(key)) => {
                Pki::with_root(options, &certificate, &key).map_err(failed)
            }
            _ => {
                let pki = Pki::new(options).map_err(failed)?;
                self.fresh.push((ROOT.1, pki.root_key_pem()));
                self.fresh.push((ROOT.0, pki.root_pem().to_owned()));
                Ok(pki)
            }
        }
    }

    /// The folder's authority for certificates from signing requests, made at the first time.
    ///
    /// # Errors
    ///
    /// It cannot be read or made.
    pub fn issuer(&mut self, life_days: u32) -> Result<IssuingAuthority, StateError> {
        let path = self.file(ISSUER.0);
        let failed = |error| StateError::Pki { path, error };
        match (self.read(ISSUER.0)?, self.read(ISSUER.1)?) {
            (Some(certificate), Some(key)) => {
                IssuingAuthority::from_pem(&certificate, &key, life_days).map_err(failed)
            }
            _ => {
                let issuer = IssuingAuthority::new(life_days).map_err(failed)?;
                self.fresh.push((ISSUER.1, issuer.key_pem()));
                self.fresh.push((ISSUER.0, issuer.certificate_pem()));
                Ok(issuer)
            }
        }
    }

    /// Takes the folder for one hub and writes what was made since [`open`](Self::open): seed,
    /// configuration, certificates.
    ///
    /// # Errors
    ///
    /// The folder or a file cannot be written, or another hub uses it.
    pub fn store(&mut self) -> Result<(), StateError> {
        fs::create_dir_all(&self.path).map_err(|error| StateError::Io {
            path: self.path.clone(),
            act: "written",
            error,
        })?;
        self.take()?;
        for (name, text) in core::mem::take(&mut self.fresh) {
            self.write(name, &text)?;
        }
        Ok(())
    }

    /// Gives a fresh hub what was saved, if anything was.
    ///
    /// # Errors
    ///
    /// The state is unreadable, damaged or of a newer version.
    pub fn restore(&self, hub: &mut Hub) -> Result<(), StateError> {
        if let Some(state) = self.saved()? {
            hub.restore(state);
        }
        Ok(())
    }

    /// Saves a hub's state; the old one stays until the new one is complete.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn save(&self, state: &SavedState) -> Result<(), StateError> {
        self.write(STATE, &state.to_json())
    }

    #[cfg(unix)]
    fn take(&mut self) -> Result<(), StateError> {
        use nix::fcntl::{Flock, FlockArg};
        let path = self.file(LOCK);
        let failed = |error| StateError::Io {
            path: path.clone(),
            act: "written",
            error,
        };
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(&path);
        match Flock::lock(file.map_err(failed)?, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => self.lock = Some(lock),
            Err((_, nix::errno::Errno::EWOULDBLOCK)) => {
                let path = self.path.clone();
                return Err(StateError::InUse { path });
            }
            // Not every file system has locks; the hub works without.
            Err(_) => {}
        }
        Ok(())
    }

    /// Only Unix locks the folder.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    fn take(&mut self) -> Result<(), StateError> {
        self.lock = Some(());
        Ok(())
    }

    /// Lets other hubs use the folder.
    pub(crate) fn release(&mut self) {
        self.lock = None;
    }

    fn saved(&self) -> Result<Option<SavedState>, StateError> {
        let Some(text) = self.read(STATE)? else {
            return Ok(None);
        };
        match SavedState::from_json(&text) {
            Ok(state) => Ok(Some(state)),
            Err(error) => Err(StateError::State {
                path: self.file(STATE),
                error,
            }),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The text of a file, `None` if it does not exist.
    fn read(&self, name: &str) -> Result<Option<String>, StateError> {
        if let Some((_, text)) = self.fresh.iter().find(|(fresh, _)| *fresh == name) {
            return Ok(Some(text.clone()));
        }
        let path = self.file(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StateError::Io {
                path,
                act: "read",
                error,
            }),
        }
    }

    /// Writes beside the file and renames, readable by the owner only: most files here hold keys.
    fn write(&self, name: &str, text: &str) -> Result<(), StateError> {
        let path = self.file(name);
        let fresh = self.file(&format!("{name}.new"));
        let written = private_file(&fresh)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&fresh, &path));
        written.map_err(|error| StateError::Io {
            path,
            act: "written",
            error,
        })
    }
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
