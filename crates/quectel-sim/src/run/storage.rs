//! Non-volatile memory in a folder, so that a second run finds a module that is warm.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::ModuleConfig;

/// A folder that keeps the files and the non-volatile settings of one module.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

const SETTINGS: &str = "settings.txt";

impl Folder {
    /// Opens the folder, making it if need be.
    ///
    /// # Errors
    ///
    /// The folder cannot be made.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_path_buf();
        fs::create_dir_all(path.join("files"))?;
        Ok(Self { path })
    }

    /// Puts what the folder keeps into a configuration.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub fn load(&self, config: &mut ModuleConfig) -> io::Result<()> {
        for entry in fs::read_dir(self.path.join("files"))? {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().and_then(decode) else {
                continue;
            };
            config.files.push((name, fs::read(entry.path())?));
        }
        match fs::read_to_string(self.path.join(SETTINGS)) {
            Ok(text) => {
                for line in text.lines() {
                    if let Some((name, value)) = line.split_once('=')
                        && let (Some(name), Some(value)) = (decode(name), decode(value))
                    {
                        config.nonvolatile.push((name, value));
                    }
                }
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes the present state; files that are gone from the module go from the folder.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn save(
        &self,
        files: &[(String, Vec<u8>)],
        settings: &[(String, String)],
    ) -> io::Result<()> {
        let folder = self.path.join("files");
        let kept: Vec<String> = files.iter().map(|(name, _)| encode(name)).collect();
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry
                .file_name()
                .to_str()
                .is_some_and(|name| !kept.iter().any(|kept| kept == name))
            {
                fs::remove_file(entry.path())?;
            }
        }
        for ((_, content), name) in files.iter().zip(&kept) {
            let path = folder.join(name);
            if fs::read(&path).is_ok_and(|old| old == *content) {
                continue;
            }
            write(&path, content)?;
        }
        let lines: String = settings
            .iter()
            .map(|(name, value)| format!("{}={}\n", encode(name), encode(value)))
            .collect();
        write(&self.path.join(SETTINGS), lines.as_bytes())
    }
}

/// A crash in the middle must not leave half a file.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new~");
    fs::write(&new, content)?;
    fs::rename(&new, path)
}

/// Any text as letters, digits, `.`, `-`, `_` and `%xx`.
fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02x}"));
        }
    }
    out
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(core::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    if text.ends_with("new~") {
        None
    } else {
        String::from_utf8(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["UFS:cacert.pem", "SD:a/b c.txt", "pdp.1", "..", "ü"] {
            assert_eq!(decode(&encode(name)).as_deref(), Some(name));
            assert!(!encode(name).contains(['/', ':', ' ']));
        }
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path().join("module")).unwrap();
        let files = vec![
            ("UFS:a.pem".to_owned(), vec![1, 2]),
            ("UFS:b".to_owned(), vec![]),
        ];
        let settings = vec![("urcport".to_owned(), "uart1".to_owned())];
        folder.save(&files, &settings).unwrap();
        folder.save(&files[..1], &settings).unwrap();
        let mut config = ModuleConfig::new("bg96").unwrap();
        folder.load(&mut config).unwrap();
        assert_eq!(
            (config.files, config.nonvolatile),
            (files[..1].to_vec(), settings)
        );
    }
}
