//! The file system: storages, names, handles, the checksum.

use std::collections::BTreeMap;

use crate::profile::Profile;

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

/// How a file was opened (`<mode>` of `AT+QFOPEN`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenMode {
    OpenOrCreate,
    Truncate,
    ReadOnly,
}

#[derive(Debug, Clone)]
struct Handle {
    storage: usize,
    name: String,
    position: usize,
    mode: OpenMode,
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

    pub(crate) fn open(&mut self, place: Place, mode: OpenMode) -> Result<u32, u16> {
        if self
            .handles
            .values()
            .any(|h| h.storage == place.storage && h.name == place.name)
        {
            return Err(code::ALREADY_OPEN);
        }
        if self.handles.len() >= self.open_max {
            return Err(code::TOO_MANY_OPEN);
        }
        match mode {
            OpenMode::ReadOnly if !self.exists(&place) => return Err(code::NOT_FOUND),
            OpenMode::Truncate => self.write(&place, Vec::new())?,
            OpenMode::OpenOrCreate if !self.exists(&place) => self.write(&place, Vec::new())?,
            _ => {}
        }
        let first = self.first_handle;
        let number = (first..)
            .find(|n| !self.handles.contains_key(n))
            .unwrap_or(first);
        self.handles.insert(
            number,
            Handle {
                storage: place.storage,
                name: place.name,
                position: 0,
                mode,
            },
        );
        Ok(number)
    }

    pub(crate) fn close(&mut self, handle: u32) -> Result<(), u16> {
        self.handles
            .remove(&handle)
            .map(drop)
            .ok_or(code::INVALID_HANDLE)
    }

    /// Open files: name, handle, mode.
    pub(crate) fn open_files(&self) -> Vec<(String, u32, u8)> {
        let shown = |h: &Handle| {
            self.shown(&Place {
                storage: h.storage,
                name: h.name.clone(),
            })
        };
        self.handles
            .iter()
            .map(|(number, h)| (shown(h), *number, h.mode as u8))
            .collect()
    }

    fn handle(&self, handle: u32) -> Result<(Place, &Handle), u16> {
        let h = self.handles.get(&handle).ok_or(code::INVALID_HANDLE)?;
        Ok((
            Place {
                storage: h.storage,
                name: h.name.clone(),
            },
            h,
        ))
    }

    pub(crate) fn read_handle(&mut self, handle: u32, length: usize) -> Result<Vec<u8>, u16> {
        let (place, h) = self.handle(handle)?;
        let content = self.get(&place).map(Vec::as_slice).unwrap_or_default();
        let rest = content.get(h.position..).unwrap_or_default();
        let bytes = rest
            .get(..length.min(rest.len()))
            .unwrap_or_default()
            .to_vec();
        if bytes.is_empty() {
            return Err(code::READ_ZERO);
        }
        if let Some(h) = self.handles.get_mut(&handle) {
            h.position += bytes.len();
        }
        Ok(bytes)
    }

    /// Whether a handle may be written to.
    pub(crate) fn writable(&self, handle: u32) -> Result<(), u16> {
        let (_, h) = self.handle(handle)?;
        if h.mode == OpenMode::ReadOnly {
            Err(code::READ_ONLY)
        } else {
            Ok(())
        }
    }

    /// Writes at the pointer; gives the size of the file.
    pub(crate) fn write_handle(&mut self, handle: u32, bytes: &[u8]) -> Result<usize, u16> {
        self.writable(handle)?;
        let (place, h) = self.handle(handle)?;
        let position = h.position;
        let mut content = self.get(&place).cloned().unwrap_or_default();
        let end = position.saturating_add(bytes.len());
        if content.len() < end {
            content.resize(end, 0);
        }
        if let Some(target) = content.get_mut(position..end) {
            target.copy_from_slice(bytes);
        }
        let size = content.len();
        self.write(&place, content)?;
        if let Some(h) = self.handles.get_mut(&handle) {
            h.position = end;
        }
        Ok(size)
    }

    pub(crate) fn position(&self, handle: u32) -> Result<usize, u16> {
        self.handle(handle).map(|(_, h)| h.position)
    }

    /// Moves the pointer: `from` 0 begin, 1 current, 2 end.
    pub(crate) fn seek(&mut self, handle: u32, offset: usize, from: u64) -> Result<(), u16> {
        let (place, h) = self.handle(handle)?;
        let size = self.size(&place).unwrap_or(0);
        let target = match from {
            0 => offset,
            1 => h.position.saturating_add(offset),
            _ => size.checked_sub(offset).ok_or(code::BEYOND_FILE)?,
        };
        if target > size {
            return Err(code::BEYOND_FILE);
        }
        if let Some(h) = self.handles.get_mut(&handle) {
            h.position = target;
        }
        Ok(())
    }

    /// Cuts the file at the pointer.
    pub(crate) fn truncate(&mut self, handle: u32) -> Result<(), u16> {
        self.writable(handle)?;
        let (place, h) = self.handle(handle)?;
        let position = h.position;
        let mut content = self.get(&place).cloned().unwrap_or_default();
        content.truncate(position);
        self.write(&place, content)
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

    #[test]
    fn handles() {
        let profile = Profile::select("bg96", None).unwrap();
        let mut store = FileStore::new(&profile, vec![]);
        let place = store.place("t").unwrap();
        let h = store.open(place.clone(), OpenMode::OpenOrCreate).unwrap();
        assert_eq!(
            store.open(place.clone(), OpenMode::ReadOnly),
            Err(code::ALREADY_OPEN)
        );
        assert_eq!(store.write_handle(h, b"hello world"), Ok(11));
        assert_eq!(store.read_handle(h, 5), Err(code::READ_ZERO));
        assert_eq!(store.seek(h, 6, 0), Ok(()));
        assert_eq!(store.read_handle(h, 99), Ok(b"world".to_vec()));
        assert_eq!(store.seek(h, 99, 0), Err(code::BEYOND_FILE));
        assert_eq!(store.seek(h, 6, 2), Ok(()));
        assert_eq!(store.position(h), Ok(5));
        assert_eq!(store.truncate(h), Ok(()));
        assert_eq!(store.delete(&place), Err(code::DELETE_FAILED));
        assert_eq!(store.close(h), Ok(()));
        assert_eq!(store.close(h), Err(code::INVALID_HANDLE));
        assert_eq!(store.content("t"), Some(&b"hello"[..]));
        let big = vec![0; 4 << 20];
        assert_eq!(store.write(&place, big), Err(code::NO_SPACE));
    }
}
