//! Open files: reading, writing and seeking by handle.

use super::{FileStore, Place, code};

/// How a file was opened (`<mode>` of `AT+QFOPEN`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenMode {
    OpenOrCreate,
    Truncate,
    ReadOnly,
}

#[derive(Debug, Clone)]
pub(super) struct Handle {
    pub(super) storage: usize,
    pub(super) name: String,
    position: usize,
    mode: OpenMode,
}

impl FileStore {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

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
