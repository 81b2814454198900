//! What a device needs, in files.

use core::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use iothub_sim::{DeviceCertificate, Identity, IdentityInfo, LocalHub};

use super::SimHubArgs;
use crate::complaint::Complaint;

/// How long the token for clients that cannot make one is valid, in seconds.
const TOKEN_LIFE_S: u64 = 24 * 3600;

/// Where the files go.
pub(super) struct Files {
    folder: PathBuf,
}

/// The files of a hub that runs.
pub(super) struct Written {
    pub(super) root: PathBuf,
    /// Connection strings, keys and the page's address of everything.
    all: PathBuf,
    pub(super) first: Option<FirstDevice>,
}

/// The files of the first device.
pub(super) struct FirstDevice {
    pub(super) info: IdentityInfo,
    pub(super) connection_string: PathBuf,
    pub(super) token: Option<PathBuf>,
    /// Certificate and key.
    pub(super) certificate: Option<(PathBuf, PathBuf)>,
}

impl Files {
    pub(super) fn new(args: &SimHubArgs) -> Result<Self, Complaint> {
        let folder = match (&args.out, &args.state) {
            (Some(out), _) => {
                if !out.is_dir() {
                    let out = out.display();
                    return Err(Complaint::usage(format!("--out: {out} is not a folder")));
                }
                out.clone()
            }
            (None, Some(state)) => state.clone(),
            (None, None) => PathBuf::from("."),
        };
        Ok(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        // Without a leading `./` in what is shown.
        if self.folder == Path::new(".") {
            PathBuf::from(name)
        } else {
            self.folder.join(name)
        }
    }

    pub(super) fn write(
        &self,
        hub: &LocalHub,
        first: Option<&Identity>,
        made: Option<&DeviceCertificate>,
    ) -> Result<Written, Complaint> {
        let root = self.path("local-hub-root.pem");
        write_file(&root, hub.ca_pem(), false)?;
        let all = self.path("local-hub.txt");
        write_file(&all, &hub.introduction(&root), true)?;
        // It may have been deleted since.
        let first = first.and_then(|first| hub.with_hub(|hub, _| hub.identity_info(first)));
        let first = match first {
            Some(info) => Some(self.first_device(info, made)?),
            None => None,
        };
        Ok(Written { root, all, first })
    }

    fn first_device(
        &self,
        info: IdentityInfo,
        made: Option<&DeviceCertificate>,
    ) -> Result<FirstDevice, Complaint> {
        let connection_string = self.path("local-hub-device.txt");
        write_file(&connection_string, &info.connection_string(), true)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let expires = now.map_or(0, |now| now.as_secs()) + TOKEN_LIFE_S;
        let token = match info.sas_token(expires) {
            Some(token) => {
                let path = self.path("local-hub-device-token.txt");
                write_file(&path, &token, true)?;
                Some(path)
            }
            None => None,
        };
        let (certificate, key) = (
            self.path("local-hub-device-cert.pem"),
            self.path("local-hub-device-key.pem"),
        );
        if let Some(made) = made {
            write_file(&certificate, &made.certificate_pem, false)?;
            write_file(&key, &made.key_pem, true)?;
        }
        // Those of an earlier start serve as well, if they are this device's.
        let pem = fs::read_to_string(&certificate).unwrap_or_default();
        let there = info.has_certificate(&pem) && key.is_file();
        Ok(FirstDevice {
            info,
            connection_string,
            token,
            certificate: there.then_some((certificate, key)),
        })
    }
}

impl Written {
    /// What runs, and which files go with it.
    pub(super) fn describe(&self, hub: &LocalHub) -> String {
        let hosts = hub.with_hub(|hub, _| hub.hosts().collect::<Vec<_>>().join(", "));
        let mut text = format!("hub {hosts} listens on {}\n", hub.addr());
        let mut row = |label: &str, value: &dyn core::fmt::Display| {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{label:<18} {value}");
        };
        row("root certificate", &self.root.display());
        if let Some(first) = &self.first {
            row("connection string", &first.connection_string.display());
            if let Some(token) = &first.token {
                row("token for 24 hours", &token.display());
            }
            if let Some((certificate, key)) = &first.certificate {
                row("device certificate", &certificate.display());
                row("device key", &key.display());
            }
        }
        for scope in hub.id_scopes() {
            row("id scope", &scope);
        }
        if let Some(service) = hub.service_addr() {
            row("page", &format!("http://{service}/"));
        }
        row("all keys and names", &self.all.display());
        text
    }
}

/// Writes a text; a private one is readable for its owner only.
fn write_file(path: &Path, text: &str, private: bool) -> Result<(), Complaint> {
    let mut options = OpenOptions::new();
    // Not emptied before the rights are set, so that the order holds also for a file of an earlier run.
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let written = options.open(path).and_then(|mut file| {
        // The mode above is for new files only.
        #[cfg(unix)]
        if private {
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
        file.set_len(0)?;
        file.write_all(text.as_bytes())
    });
    #[cfg(not(unix))]
    let _ = private;
    written.map_err(|e| Complaint::usage(format!("cannot write {}: {e}", path.display())))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_private_file_is_private_also_if_it_was_there() {
        let folder = tempfile::tempdir().unwrap();
        for (name, before) in [("new", None), ("old", Some("a longer text of before"))] {
            let path = folder.path().join(name);
            if let Some(text) = before {
                fs::write(&path, text).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            }
            write_file(&path, "secret", true).unwrap();
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
            assert_eq!(fs::read_to_string(&path).unwrap(), "secret");
        }
    }
}
