//! The file commands.

use super::Handler;
use crate::{
    at::{Command, Form},
    files::{OpenMode, checksum, code},
    module::{Module, Outcome},
};

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("+QFLDS", space),
    ("+QFLST", list),
    ("+QFDEL", delete),
    ("+QFUPL", upload),
    ("+QFDWL", download),
    ("+QFOPEN", open),
    ("+QFREAD", read),
    ("+QFWRITE", write),
    ("+QFSEEK", seek),
    ("+QFPOSITION", position),
    ("+QFTUCAT", |m, c| {
        by_handle(m, c, |m, h| m.files.truncate(h))
    }),
    ("+QFFLUSH", |m, c| {
        by_handle(m, c, |m, h| m.files.position(h).map(drop))
    }),
    ("+QFCLOSE", |m, c| by_handle(m, c, |m, h| m.files.close(h))),
    ("+QFCRC", crc),
];

/// Bytes of an upload or a write when the command names no size.
const DEFAULT_SIZE: u64 = 10_240;
const DEFAULT_SILENCE_S: u64 = 5;

fn space(module: &mut Module, command: &Command) -> Outcome {
    match command.form {
        Form::Exec => {
            let (bytes, files) = module.files.totals();
            module.info(format!("+QFLDS: {bytes},{files}"));
            Outcome::Ok
        }
        Form::Set => {
            let Some((free, total)) = command.text(0).and_then(|name| module.files.space(&name))
            else {
                return Outcome::Cme(code::INVALID_NAME);
            };
            module.info(format!("+QFLDS: {free},{total}"));
            Outcome::Ok
        }
        Form::Read | Form::Test => Outcome::Error,
    }
}

fn list(module: &mut Module, command: &Command) -> Outcome {
    let pattern = match command.form {
        Form::Exec => "*".to_owned(),
        Form::Set => command.text(0).unwrap_or_default(),
        Form::Read | Form::Test => return Outcome::Error,
    };
    let places = match module.files.matching(&pattern) {
        Ok(places) => places,
        Err(code) => return Outcome::Cme(code),
    };
    let all = pattern.ends_with('*');
    if places.is_empty() && !all {
        return match module.profile.file.list_missing.parse() {
            Ok(code) => Outcome::Cme(code),
            Err(_) => Outcome::Ok,
        };
    }
    for place in places {
        let size = module.files.size(&place).unwrap_or(0);
        let line = format!("+QFLST: \"{}\",{size}", module.files.shown(&place));
        module.info(line);
    }
    // H: "UFS:*" names files only.
    if matches!(pattern.as_str(), "" | "*") {
        let profile = module.profile.clone();
        for directory in &profile.file.directories {
            module.info(format!("+QFLST: \"{directory}\",2"));
        }
    }
    Outcome::Ok
}

fn delete(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(pattern)) = (command.form, command.text(0)) else {
        return Outcome::Error;
    };
    let places = match module.files.matching(&pattern) {
        Ok(places) => places,
        Err(code) => return Outcome::Cme(code),
    };
    if places.is_empty() && !pattern.ends_with('*') {
        return Outcome::Cme(module.profile.file.delete_missing);
    }
    for place in places {
        if let Err(code) = module.files.delete(&place) {
            return Outcome::Cme(code);
        }
    }
    Outcome::Ok
}

fn upload(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(name)) = (command.form, command.text(0)) else {
        return Outcome::Error;
    };
    let size = command.optional(1, 1, u64::from(u32::MAX), DEFAULT_SIZE);
    let silence = command.optional(2, 1, 65_535, DEFAULT_SILENCE_S);
    let ack = command.optional(3, 0, 1, 0);
    let (Some(size), Some(silence_s), Some(ack)) = (size, silence, ack) else {
        return Outcome::Cme(code::INVALID_INPUT);
    };
    let place = match module.files.place(&name) {
        Ok(place) => place,
        Err(code) => return Outcome::Cme(code),
    };
    if module.files.exists(&place) {
        return Outcome::Cme(code::EXISTS);
    }
    match module.files.free(&place) {
        0 => return Outcome::Cme(code::DRIVE_FULL),
        free if size > free => return Outcome::Cme(code::TOO_LARGE),
        _ => {}
    }
    let want = usize::try_from(size).unwrap_or(usize::MAX);
    Outcome::transfer(want, silence_s * 1000, ack == 1, move |module, mut data| {
        module.faults.on_upload(&mut data);
        let line = format!("+QFUPL: {},{:x}", data.len(), checksum(&data));
        if let Err(code) = module.files.write(&place, data) {
            return Outcome::Cme(code);
        }
        module.info_after_data(&line);
        Outcome::Ok
    })
}

fn download(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(name)) = (command.form, command.text(0)) else {
        return Outcome::Error;
    };
    let content = match module
        .files
        .place(&name)
        .map(|place| module.files.read(&place))
    {
        Ok(Some(content)) => content,
        Ok(None) => return Outcome::Cme(code::NOT_FOUND),
        Err(code) => return Outcome::Cme(code),
    };
    module.info("CONNECT");
    module.info_raw(&content);
    let end = module.response_end();
    let line = format!(
        "{end}+QFDWL: {},{:x}{end}",
        content.len(),
        checksum(&content)
    );
    module.info_raw(line.as_bytes());
    Outcome::Ok
}

fn open(module: &mut Module, command: &Command) -> Outcome {
    if command.form == Form::Read {
        for (name, handle, mode) in module.files.open_files() {
            module.info(format!("+QFOPEN: \"{name}\",{handle},{mode}"));
        }
        return Outcome::Ok;
    }
    let (Form::Set, Some(name)) = (command.form, command.text(0)) else {
        return Outcome::Error;
    };
    let mode = match command.optional(1, 0, 2, 0) {
        Some(0) => OpenMode::OpenOrCreate,
        Some(1) => OpenMode::Truncate,
        Some(_) => OpenMode::ReadOnly,
        None => return Outcome::Cme(code::INVALID_PARAMETER),
    };
    match module
        .files
        .place(&name)
        .and_then(|place| module.files.open(place, mode))
    {
        Ok(handle) => {
            module.info(format!("+QFOPEN: {handle}"));
            Outcome::Ok
        }
        Err(code) => Outcome::Cme(code),
    }
}

fn handle(command: &Command) -> Option<u32> {
    command.number(0).and_then(|n| u32::try_from(n).ok())
}

fn by_handle(
    module: &mut Module,
    command: &Command,
    action: fn(&mut Module, u32) -> Result<(), u16>,
) -> Outcome {
    let (Form::Set, Some(handle)) = (command.form, handle(command)) else {
        return Outcome::Error;
    };
    match action(module, handle) {
        Ok(()) => Outcome::Ok,
        Err(code) => Outcome::Cme(code),
    }
}

fn read(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(handle)) = (command.form, handle(command)) else {
        return Outcome::Error;
    };
    let Some(length) = command.optional(1, 1, u64::from(u32::MAX), u64::from(u32::MAX)) else {
        return Outcome::Cme(code::INVALID_PARAMETER);
    };
    match module
        .files
        .read_handle(handle, usize::try_from(length).unwrap_or(usize::MAX))
    {
        Ok(bytes) => {
            module.info(format!("CONNECT {}", bytes.len()));
            module.info_raw(&bytes);
            let end = module.response_end();
            module.info_raw(end.as_bytes());
            Outcome::Ok
        }
        Err(code) => Outcome::Cme(code),
    }
}

fn write(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(handle)) = (command.form, handle(command)) else {
        return Outcome::Error;
    };
    let size = command.optional(1, 1, u64::from(u32::MAX), DEFAULT_SIZE);
    let silence = command.optional(2, 1, 65_535, DEFAULT_SILENCE_S);
    let (Some(size), Some(silence_s)) = (size, silence) else {
        return Outcome::Cme(code::INVALID_PARAMETER);
    };
    if let Err(code) = module.files.writable(handle) {
        return Outcome::Cme(code);
    }
    let want = usize::try_from(size).unwrap_or(usize::MAX);
    Outcome::transfer(
        want,
        silence_s * 1000,
        false,
        move |module, data| match module.files.write_handle(handle, &data) {
            Ok(total) => {
                module.info_after_data(&format!("+QFWRITE: {},{total}", data.len()));
                Outcome::Ok
            }
            Err(code) => Outcome::Cme(code),
        },
    )
}

fn seek(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(handle)) = (command.form, handle(command)) else {
        return Outcome::Error;
    };
    let offset = command.number(1).and_then(|n| usize::try_from(n).ok());
    let (Some(offset), Some(from)) = (offset, command.optional(2, 0, 2, 0)) else {
        return Outcome::Cme(code::INVALID_PARAMETER);
    };
    match module.files.seek(handle, offset, from) {
        Ok(()) => Outcome::Ok,
        Err(code) => Outcome::Cme(code),
    }
}

fn position(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(handle)) = (command.form, handle(command)) else {
        return Outcome::Error;
    };
    match module.files.position(handle) {
        Ok(offset) => {
            module.info(format!("+QFPOSITION: {offset}"));
            Outcome::Ok
        }
        Err(code) => Outcome::Cme(code),
    }
}

fn crc(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(name)) = (command.form, command.text(0)) else {
        return Outcome::Error;
    };
    match module.files.content(&name) {
        Some(content) => {
            let line = format!("+QFCRC: {:x}", checksum(content));
            module.info(line);
            Outcome::Ok
        }
        None => Outcome::Cme(code::NOT_FOUND),
    }
}
