//! The file system: storages, names, the checksum.

mod handles;

use std::collections::BTreeMap;

pub(crate) use handles::OpenMode;

use crate::profile::Profile;
use handles::Handle;

/// Codes of `+CME ERROR` (Quectel FILE manual).
pub(crate) mod code {
    pub(crate) const INVALID_INPUT: u16 = 400;
    pub(crate) const BEYOND_FILE: u16 = 401;
    pub(crate) const READ_ZERO: u16 = 402;
    pub(crate) const DRIVE_FULL: u16 = 403;
    pub(crate) const NOT_FOUND: u16 = 405;
    pub(crate) const INVALID_NAME: u16 = 406;
    pub(crate) const EXISTS: u16 = 407;
    pub(crate) const TOO_MANY_OPEN: u16 = 413;
    pub(crate) const READ_ONLY: u16 = 414;
    pub(crate) const INVALID_HANDLE: u16 = 416;
    pub(crate) const DELETE_FAILED: u16 = 418;
    pub(crate) const NO_SPACE: u16 = 420;
    pub(crate) const TOO_LARGE: u16 = 423;
    pub(crate) const INVALID_PARAMETER: u16 = 425;
    pub(crate) const ALREADY_OPEN: u16 = 426;
}

/// XOR of big-endian byte pairs; a last odd byte is the high one of its pair.
pub(crate) fn checksum(bytes: &[u8]) -> u16 {
    bytes.chunks(2).fold(0, |sum, pair| {
        let high = pair.first().copied().unwrap_or(0);
        let low = pair.get(1).copied().unwrap_or(0);
        sum ^ u16::from_be_bytes([high, low])
    })
}

#[derive(Debug, Clone)]
struct Storage {
    name: String,
    total: u64,
    /// Free space when there is no file.
    room: u64,
    files: BTreeMap<String, Vec<u8>>,
}

impl Storage {
    fn used(&self) -> u64 {
        self.files
            .values()
            .map(|f| u64::try_from(f.len()).unwrap_or(u64::MAX))
            .sum()
    }

    fn free(&self) -> u64 {
        self.room.saturating_sub(self.used())
    }
}

#[derive(Debug, Clone)]
pub(crate) struct FileStore {
    storages: Vec<Storage>,
    handles: BTreeMap<u32, Handle>,
    name_max: usize,
    open_max: usize,
    first_handle: u32,
    list_prefix: bool,
    version: u64,
}

/// A place in the file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    storage: usize,
    name: String,
}

impl FileStore {
    pub(crate) fn new(profile: &Profile, files: Vec<(String, Vec<u8>)>) -> Self {
        let settings = &profile.file;
        let storages = settings
            .storages
            .iter()
            .map(|name| {
                let (total, room) = match name.as_str() {
                    "RAM" => (settings.ram_total, settings.ram_total),
                    "SD" => (settings.sd_total, settings.sd_total),
                    _ => (settings.ufs_total, settings.ufs_free),
                };
                Storage {
                    name: name.clone(),
                    total,
                    room,
                    files: BTreeMap::new(),
                }
            })
            .collect();
        let mut store = Self {
            storages,
            handles: BTreeMap::new(),
            name_max: settings.name_max,
            open_max: settings.open_max,
            first_handle: settings.first_handle,
            list_prefix: settings.list_prefix,
            version: 0,
        };
        for (name, content) in files {
            store.put(&name, content);
        }
        store.version = 0;
        store
    }

    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    /// Splits `UFS:name`; a name without prefix is in the first storage, and so is `/dir/name`.
    pub(crate) fn place(&self, name: &str) -> Result<Place, u16> {
        let (storage, name) = match name.split_once(':') {
            Some((prefix, rest)) => {
                let at = self
                    .storages
                    .iter()
                    .position(|s| s.name.eq_ignore_ascii_case(prefix));
                (at.ok_or(code::INVALID_NAME)?, rest)
            }
            None => (0, name),
        };
        let name = name.trim_start_matches('/');
        let valid = !name.is_empty()
            && name.len() <= self.name_max
            && !name.contains(['*', '?', '"', ':', '<', '>', '|', '\\'])
            && !name.bytes().any(|b| b < 0x20);
        if valid {
            Ok(Place {
                storage,
                name: name.to_owned(),
            })
        } else {
            Err(code::INVALID_NAME)
        }
    }

    fn files(&self, place: &Place) -> Option<&BTreeMap<String, Vec<u8>>> {
        self.storages.get(place.storage).map(|s| &s.files)
    }

    fn get(&self, place: &Place) -> Option<&Vec<u8>> {
        self.files(place)?.get(&place.name)
    }

    pub(crate) fn exists(&self, place: &Place) -> bool {
        self.get(place).is_some()
    }

    pub(crate) fn content(&self, name: &str) -> Option<&[u8]> {
        self.get(&self.place(name).ok()?).map(Vec::as_slice)
    }

    pub(crate) fn size(&self, place: &Place) -> Option<usize> {
        self.get(place).map(Vec::len)
    }

    pub(crate) fn read(&self, place: &Place) -> Option<Vec<u8>> {
        self.get(place).cloned()
    }

    /// Stores a file whatever was there; false when there is no room or no such storage.
    pub(crate) fn put(&mut self, name: &str, content: Vec<u8>) -> bool {
        self.place(name)
            .is_ok_and(|place| self.write(&place, content).is_ok())
    }

    pub(crate) fn write(&mut self, place: &Place, content: Vec<u8>) -> Result<(), u16> {
        let storage = self
            .storages
            .get_mut(place.storage)
            .ok_or(code::INVALID_NAME)?;
        let old = storage.files.get(&place.name).map_or(0, Vec::len);
        let room = storage.free() + u64::try_from(old).unwrap_or(0);
        if u64::try_from(content.len()).unwrap_or(u64::MAX) > room {
            return Err(code::NO_SPACE);
        }
        storage.files.insert(place.name.clone(), content);
        self.version += 1;
        Ok(())
    }

    /// Free bytes and size of a storage.
    pub(crate) fn space(&self, storage: &str) -> Option<(u64, u64)> {
        let storage = self
            .storages
            .iter()
            .find(|s| s.name.eq_ignore_ascii_case(storage))?;
        (storage.total > 0).then(|| (storage.free(), storage.total))
    }

    pub(crate) fn free(&self, place: &Place) -> u64 {
        self.storages.get(place.storage).map_or(0, Storage::free)
    }

    /// Bytes and number of the files of the first storage.
    pub(crate) fn totals(&self) -> (u64, usize) {
        self.storages
            .first()
            .map_or((0, 0), |s| (s.used(), s.files.len()))
    }

    /// The files that a pattern of `AT+QFLST` or `AT+QFDEL` means: `*`, `UFS:*`, `UFS:name`, `name`, `/dir/*`.
    pub(crate) fn matching(&self, pattern: &str) -> Result<Vec<Place>, u16> {
        let (storage, name) = match pattern.split_once(':') {
            Some((prefix, rest)) => {
                let at = self
                    .storages
                    .iter()
                    .position(|s| s.name.eq_ignore_ascii_case(prefix));
                (at.ok_or(code::INVALID_NAME)?, rest)
            }
            None => (0, pattern),
        };
        let Some(start) = name.trim_start_matches('/').strip_suffix('*') else {
            let place = self.place(pattern)?;
            return Ok(if self.exists(&place) {
                vec![place]
            } else {
                vec![]
            });
        };
        let files = self.storages.get(storage).map(|s| s.files.keys());
        Ok(files
            .into_iter()
            .flatten()
            .filter(|name| name.starts_with(start))
            .map(|name| Place {
                storage,
                name: name.clone(),
            })
            .collect())
    }

    /// The name as `AT+QFLST` prints it.
    pub(crate) fn shown(&self, place: &Place) -> String {
        let prefix = self
            .storages
            .get(place.storage)
            .map_or("", |s| s.name.as_str());
        // Files outside the first storage are always named with it: EC2x prints "RAM:x".
        if self.list_prefix || place.storage > 0 {
            format!("{prefix}:{}", place.name)
        } else {
            place.name.clone()
        }
    }

    /// Deletes one file.
    pub(crate) fn delete(&mut self, place: &Place) -> Result<(), u16> {
        if self
            .handles
            .values()
            .any(|h| h.storage == place.storage && h.name == place.name)
        {
            return Err(code::DELETE_FAILED);
        }
        let storage = self
            .storages
            .get_mut(place.storage)
            .ok_or(code::INVALID_NAME)?;
        if storage.files.remove(&place.name).is_none() {
            return Err(code::NOT_FOUND);
        }
        self.version += 1;
        Ok(())
    }

    /// A restart: RAM files vanish and all handles close.
    pub(crate) fn lose_ram(&mut self) {
        self.handles.clear();
        for storage in &mut self.storages {
            if storage.name == "RAM" {
                storage.files.clear();
            }
        }
    }

    /// Erases UFS.
    pub(crate) fn erase_first(&mut self) {
        if let Some(storage) = self.storages.first_mut() {
            storage.files.clear();
            self.version += 1;
        }
    }

    /// Everything with its storage prefix and size.
    pub(crate) fn listing(&self) -> Vec<(String, usize)> {
        let all = self.storages.iter();
        all.flat_map(|s| {
            s.files
                .iter()
                .map(|(name, f)| (format!("{}:{name}", s.name), f.len()))
        })
        .collect()
    }

    /// Everything that survives a power cut.
    pub(crate) fn stored(&self) -> Vec<(String, Vec<u8>)> {
        let lasting = self.storages.iter().filter(|s| s.name != "RAM");
        lasting
            .flat_map(|s| {
                s.files
                    .iter()
                    .map(|(name, f)| (format!("{}:{name}", s.name), f.clone()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums() {
        let cases: &[(&[u8], u16)] = &[(b"1234567890", 0x3938), (b"ABC", 0x0242), (b"", 0)];
        for (bytes, sum) in cases {
            assert_eq!(checksum(bytes), *sum);
        }
    }

    #[test]
    fn places_and_names() {
        let profile = Profile::select("ec21", None).unwrap();
        let mut store = FileStore::new(&profile, vec![("RAM:a.pem".to_owned(), vec![1])]);
        assert!(store.put("b.pem", vec![1, 2]));
        assert_eq!(
            store.listing(),
            [("UFS:b.pem".to_owned(), 2), ("RAM:a.pem".to_owned(), 1)]
        );
        assert_eq!(store.content("UFS:b.pem"), store.content("b.pem"));
        assert!(store.put("/security/c.pem", vec![3]));
        let within = |pattern: &str| store.matching(pattern).unwrap().len();
        assert_eq!(
            [
                within("*"),
                within("ufs:/security/*"),
                within("b*"),
                within("x")
            ],
            [2, 1, 1, 0]
        );
        assert_eq!(store.place("XX:b"), Err(code::INVALID_NAME));
        assert_eq!(store.place(&"x".repeat(81)), Err(code::INVALID_NAME));
        store.lose_ram();
        assert!(store.content("RAM:a.pem").is_none());
    }
}
