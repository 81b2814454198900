//! The errors of the file commands.

use quectel_at::ResultCode;

macro_rules! file_errors {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $text:literal, $remedy:literal;)+) => {
        /// Why a file command failed: the numbers 400 to 426 of `+CME ERROR`.
        ///
        /// # Reference
        /// BG96 FILE AT Commands Manual V1.0, summary of error codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum FileError {
            $($(#[$doc])* $variant,)+
        }

        impl FileError {
            /// Every error, by number.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The error with this `+CME ERROR` number; `None` if it is none of a file.
            pub const fn from_code(code: u16) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// Its `+CME ERROR` number.
            pub const fn code(self) -> u16 {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// Its name, such as `file-already-exists`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What it means.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// What to do about it.
            pub const fn remedy(self) -> &'static str {
                match self {
                    $(Self::$variant => $remedy,)+
                }
            }
        }
    };
}

file_errors! {
    /// A parameter is out of its range.
    InvalidInput = 400, "file-invalid-input", "invalid input value", "check the command's parameters";
    /// More was asked for than the file holds.
    BeyondEnd = 401, "file-beyond-end", "larger than the size of the file", "seek or read within the file's size";
    /// There is nothing left to read.
    ReadZeroByte = 402, "file-read-zero-byte", "read zero byte", "the end of the file is reached; stop reading";
    /// The storage is full.
    DriveFull = 403, "file-drive-full", "drive full", "delete files that are no longer needed (AT+QFLST, AT+QFDEL)";
    /// There is no such file.
    NotFound = 405, "file-not-found", "file not found", "list the files (AT+QFLST=\"*\") and check name, case and storage";
    /// The name is not allowed.
    InvalidName = 406, "file-invalid-name", "invalid file name", "use at most 80 plain characters";
    /// A file of this name exists and has been left as it is.
    AlreadyExists = 407, "file-already-exists", "file already exists",
        "the old file is still there: delete it first (AT+QFDEL) if it is to be replaced";
    /// Flash could not be written.
    WriteFailed = 409, "file-write-failed", "fail to write the file", "check the free space (AT+QFLDS=\"UFS\") and try again";
    /// The file could not be opened.
    OpenFailed = 410, "file-open-failed", "fail to open the file", "close other handles of the file and try again";
    /// The file could not be read.
    ReadFailed = 411, "file-read-failed", "fail to read the file", "upload the file again";
    /// Too many handles are open.
    TooManyOpen = 413, "file-too-many-open", "reach the max number of files allowed to be opened",
        "close handles (AT+QFOPEN?, AT+QFCLOSE)";
    /// The handle is for reading only.
    ReadOnly = 414, "file-read-only", "the file is read-only", "open the file with mode 0 or 1";
    /// There is no such handle.
    InvalidHandle = 416, "file-invalid-handle", "invalid file descriptor", "open the file again; a reset closes all handles";
    /// The files could not be listed.
    ListFailed = 417, "file-list-failed", "fail to list the file", "check the storage's name and try again";
    /// The file could not be deleted; EC25 answers so for one that does not exist.
    DeleteFailed = 418, "file-delete-failed", "fail to delete the file",
        "nothing to do if the file was not there; otherwise close its handles first";
    /// The storage could not be asked.
    DiskInfoFailed = 419, "file-disk-info-failed", "fail to get disk info", "check the storage's name";
    /// There is not enough room.
    NoSpace = 420, "file-no-space", "no space", "delete files that are no longer needed (AT+QFLST, AT+QFDEL)";
    /// Data stopped coming.
    Timeout = 421, "file-timeout", "time out", "send the data faster, or give AT+QFUPL a longer timeout";
    /// The file does not fit the storage.
    TooLarge = 423, "file-too-large", "file too large", "delete other files, or store a smaller one";
    /// A parameter is wrong.
    InvalidParameter = 425, "file-invalid-parameter", "invalid parameter", "check the command's parameters";
    /// The file has a handle already.
    AlreadyOpened = 426, "file-already-opened", "file already opened", "close its handle first (AT+QFOPEN?, AT+QFCLOSE)";
}

impl FileError {
    /// The error that ended a file command; `None` for success and for errors that are not about files.
    pub const fn from_result(result: ResultCode) -> Option<Self> {
        match result.cme() {
            Some(code) => Self::from_code(code),
            None => None,
        }
    }

    /// Whether the file is not there: 405, and 418 after deleting on EC2x.
    ///
    /// # Reference
    /// EC25EFAR06A17M4G log (`AT+QFDEL` of a missing file gives 418).
    pub const fn means_absent(self) -> bool {
        matches!(self, Self::NotFound | Self::DeleteFailed)
    }

    /// Whether the storage has no room.
    pub const fn means_full(self) -> bool {
        matches!(self, Self::DriveFull | Self::NoSpace | Self::TooLarge)
    }
}

impl core::fmt::Display for FileError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "{} (+CME ERROR: {}); {}",
            self.text(),
            self.code(),
            self.remedy()
        )
    }
}

impl core::error::Error for FileError {}

#[cfg(test)]
mod tests {
    use super::*;
    use quectel_at::CmeError;

    #[test]
    fn agrees_with_the_table_of_the_codec() {
        let codec: std::vec::Vec<_> = CmeError::table()
            .iter()
            .filter(|row| (400..500).contains(&row.0))
            .copied()
            .collect();
        let ours: std::vec::Vec<_> = FileError::ALL
            .iter()
            .map(|e| (e.code(), e.text()))
            .collect();
        assert_eq!(ours, codec);
        for error in FileError::ALL {
            assert_eq!(FileError::from_code(error.code()), Some(*error));
        }
        assert_eq!(FileError::from_code(404), None);
    }

    #[test]
    fn read_from_a_result_code() {
        let code = |n| ResultCode::Cme(CmeError::new(n));
        assert_eq!(
            FileError::from_result(code(407)),
            Some(FileError::AlreadyExists)
        );
        assert!(FileError::from_result(code(418)).is_some_and(FileError::means_absent));
        assert!(FileError::from_result(code(423)).is_some_and(FileError::means_full));
        assert_eq!(FileError::from_result(code(10)), None);
        assert_eq!(FileError::from_result(ResultCode::Error), None);
    }
}
